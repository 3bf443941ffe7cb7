/**
 * What one client remembers of DNS, by its resolve policy. Pure: the caller asks `decide`, does the asking, and says
 * what came back with `learn` or `failed`. Some policies ask by themselves: the caller looks at `askDueAtNs` now and then.
 */
import { assert } from '../core/errors.ts';
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
  | { readonly kind: 'ask' }
  /** The last question failed, and that is remembered: fail without asking. */
  | { readonly kind: 'fail' };

export interface ResolveCache {
  decide(nowNs: number): ResolveDecision;
  learn(held: HeldAnswer): void;
  /** A question failed at `atNs`. */
  failed(atNs: number): void;
  /** A connection failed or broke; only `on-break` cares. */
  broke(): void;
  /** When it should last have asked without any request that needs it; null = it need not, or has. */
  askDueAtNs(nowNs: number): number | null;
}

const ask: ResolveDecision = { kind: 'ask' };
const fail: ResolveDecision = { kind: 'fail' };

/** How long an answer may be used without asking, in ns from its receipt; after that `graceNs` of using while asking. */
function lifetime(policy: ResolvePolicy, ttlS: number): { readonly freshNs: number; readonly graceNs: number } {
  switch (policy.kind) {
    case 'per-connection':
      return { freshNs: 0, graceNs: 0 };
    case 'ttl':
      return {
        freshNs: sToNs(Math.min(Math.max(ttlS, policy.minS), policy.maxS)),
        graceNs: sToNs(policy.graceS ?? 0),
      };
    case 'fixed':
      return { freshNs: sToNs(policy.s), graceNs: sToNs(policy.graceS) };
    case 'refresh':
      // Never waits for DNS once it has an answer.
      return { freshNs: sToNs(policy.s), graceNs: Infinity };
    case 'once':
    case 'pinned':
    case 'on-break':
      return { freshNs: Infinity, graceNs: 0 };
  }
}

export function newResolveCache(policy: ResolvePolicy): ResolveCache {
  let held = policy.kind === 'pinned' ? written(policy.address) : null;
  let isBroken = false;
  const negativeNs = sToNs((policy.kind === 'fixed' || policy.kind === 'once' ? policy.negativeS : undefined) ?? 0);
  let failedUntilNs = 0;

  function mayAskAfterBreak(nowNs: number): boolean {
    return policy.kind === 'on-break' && isBroken && held !== null && nowNs - held.receivedAtNs >= sToNs(policy.minS);
  }

  return {
    decide(nowNs) {
      const { freshNs, graceNs } = lifetime(policy, held?.ttlS ?? 0);
      const ageNs = held === null ? Infinity : nowNs - held.receivedAtNs;
      if (held !== null && !mayAskAfterBreak(nowNs)) {
        if (ageNs < freshNs) return { kind: 'use', held };
        if (ageNs < freshNs + graceNs) return { kind: 'use-and-ask', held };
      }
      return nowNs < failedUntilNs ? fail : ask;
    },
    learn(answer) {
      if (policy.kind === 'pinned') return;
      // `once` keeps the first answer that has an address for ever.
      if (policy.kind === 'once' && held !== null) return;
      held = answer;
      isBroken = false;
    },
    failed(atNs) {
      failedUntilNs = atNs + negativeNs;
    },
    broke() {
      isBroken = true;
    },
    askDueAtNs(nowNs) {
      if (held === null) return null;
      if (policy.kind === 'on-break') return mayAskAfterBreak(nowNs) ? held.receivedAtNs + sToNs(policy.minS) : null;
      if (policy.kind !== 'refresh') return null;
      const everyNs = sToNs(policy.s);
      const turns = Math.floor((nowNs - held.receivedAtNs) / everyNs);
      return turns < 1 ? null : held.receivedAtNs + turns * everyNs;
    },
  };
}

function written(address: string | null): HeldAnswer {
  assert(address !== null, 'whoever is pinned to a side has an address by the time there are lanes');
  return { answer: 0, addresses: [address], ttlS: 0, receivedAtNs: 0 };
}
