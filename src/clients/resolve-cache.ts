/**
 * What one client remembers of DNS, by its resolve policy. Pure: the caller asks `decide`, does the asking, and says
 * what came back with `learn`.
 */
import type { ResolvePolicy } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';

/** An answer as a client holds it. */
export interface HeldAnswer {
  /** The number of its `Answer` definition. */
  readonly answer: number;
  readonly addresses: readonly string[];
  readonly ttlS: number;
  /** When this machine received it. */
  readonly receivedAtNs: number;
}

export type ResolveDecision =
  | { readonly kind: 'use'; readonly held: HeldAnswer }
  /** Use what is held, and ask for the next one in the background. */
  | { readonly kind: 'use-and-ask'; readonly held: HeldAnswer }
  | { readonly kind: 'ask' };

export interface ResolveCache {
  decide(nowNs: number): ResolveDecision;
  learn(held: HeldAnswer): void;
  /** A connection failed or broke; only `on-break` cares. */
  broke(): void;
}

const ask: ResolveDecision = { kind: 'ask' };

/** How long an answer may be used without asking, in ns from its receipt; after that `graceNs` of using while asking. */
function lifetime(policy: ResolvePolicy, ttlS: number): { readonly freshNs: number; readonly graceNs: number } {
  switch (policy.kind) {
    case 'per-connection':
      return { freshNs: 0, graceNs: 0 };
    case 'ttl':
      return { freshNs: sToNs(Math.min(Math.max(ttlS, policy.minS), policy.maxS)), graceNs: 0 };
    case 'fixed':
      return { freshNs: sToNs(policy.s), graceNs: sToNs(policy.graceS) };
    case 'refresh':
      // Never waits for DNS once it has an answer; asks again every `s`.
      return { freshNs: sToNs(policy.s), graceNs: Infinity };
    case 'once':
    case 'pinned':
      return { freshNs: Infinity, graceNs: 0 };
    case 'on-break':
      return { freshNs: Infinity, graceNs: 0 };
  }
}

export function newResolveCache(policy: ResolvePolicy): ResolveCache {
  let held: HeldAnswer | null =
    policy.kind === 'pinned' ? { answer: 0, addresses: [policy.address], ttlS: 0, receivedAtNs: 0 } : null;
  let isBroken = false;
  return {
    decide(nowNs) {
      if (held === null) return ask;
      const ageNs = nowNs - held.receivedAtNs;
      if (policy.kind === 'on-break' && isBroken && ageNs >= sToNs(policy.minS)) return ask;
      const { freshNs, graceNs } = lifetime(policy, held.ttlS);
      if (ageNs < freshNs) return { kind: 'use', held };
      if (ageNs < freshNs + graceNs) return { kind: 'use-and-ask', held };
      return ask;
    },
    learn(answer) {
      if (policy.kind === 'pinned') return;
      // `once` keeps the first answer that has an address for ever.
      if (policy.kind === 'once' && held !== null) return;
      held = answer;
      isBroken = false;
    },
    broke() {
      isBroken = true;
    },
  };
}
