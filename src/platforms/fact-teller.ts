/**
 * What an observer that asks again and again writes down of what it hears: a fact that differs from before at once, one that
 * stays once in 30 s, and what is no longer there.
 */
import type { Entry } from '../core/entry.ts';
import type { PlatformFact } from '../core/platform.ts';
import type { Clock } from '../core/ports.ts';
import type { Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';

export interface FactTellerOptions {
  readonly clock: Clock;
  readonly observer: string;
  readonly side: Side;
}

/** What AWS is asked for. */
export type AwsFact = Extract<
  PlatformFact,
  { kind: 'load-balancer' | 'targets' | 'endpoints' | 'workload' | 'rollout' | 'schedule' | 'traffic' }
>;

export interface Heard {
  readonly facts: readonly { readonly fact: AwsFact; readonly theirAtMs?: number | null }[];
  /** When the question was sent, the first of several. */
  readonly sentAtNs: number;
  /** These are all there are: what was heard before and is not among them is gone. */
  readonly isAll: boolean;
  readonly tell: (entry: Entry) => void;
}

export interface FactTeller {
  heard(heard: Heard): void;
}

const repeatedEveryS = 30;
/** Of these there are many, and they are of the past or say themselves when they end: each change is told, and no more. */
const toldOnce: ReadonlySet<AwsFact['kind']> = new Set(['workload', 'traffic']);

interface Before {
  readonly fact: AwsFact;
  readonly text: string;
  readonly sentAtNs: number;
  readonly toldAtNs: number;
  readonly sameCount: number;
}

export function newFactTeller({ clock, observer, side }: FactTellerOptions): FactTeller {
  const all = new Map<string, Before>();
  return {
    heard({ facts, sentAtNs, isAll, tell }) {
      const atNs = clock.nowNs();
      const say = (
        fact: PlatformFact,
        about: { previousSentAtNs: number | null; sameCount: number; theirAtMs: number | null },
      ): void => tell({ type: 'platform-seen', atNs, observer, side, fact, sentAtNs, ...about });
      const keys = new Set<string>();
      for (const { fact, theirAtMs = null } of facts) {
        const key = keyOf(fact);
        keys.add(key);
        const text = JSON.stringify(fact);
        const before = all.get(key);
        const isDue = !toldOnce.has(fact.kind) && atNs - (before?.toldAtNs ?? 0) >= sToNs(repeatedEveryS);
        if (before !== undefined && before.text === text && !isDue) {
          all.set(key, { ...before, sentAtNs, sameCount: before.sameCount + 1 });
          continue;
        }
        say(fact, { previousSentAtNs: before?.sentAtNs ?? null, sameCount: before?.sameCount ?? 0, theirAtMs });
        all.set(key, { fact, text, sentAtNs, toldAtNs: atNs, sameCount: 0 });
      }
      if (!isAll) return;
      for (const [key, { fact, sentAtNs: previousSentAtNs, sameCount }] of all) {
        if (keys.has(key)) continue;
        all.delete(key);
        const gone = goneOf(fact);
        if (gone !== null) say(gone, { previousSentAtNs, sameCount, theirAtMs: null });
      }
    },
  };
}

function keyOf(fact: AwsFact): string {
  switch (fact.kind) {
    case 'load-balancer':
      return `load-balancer ${fact.loadBalancer.arn}`;
    case 'targets':
      return `targets ${fact.groupArn}`;
    case 'endpoints':
      return `endpoints ${fact.service}`;
    case 'workload':
      return `workload ${fact.workload.uid}`;
    case 'rollout':
      return `rollout ${fact.rollout.name}`;
    case 'schedule':
      return `${fact.schedule.kind} ${fact.schedule.name}`;
    case 'traffic':
      return `${fact.traffic.metric} ${fact.traffic.periodFromMs} ${fact.traffic.loadBalancer}`;
  }
}

/** null: nothing is to be said of it. A task that has ended was said to be gone while ECS still remembered it. */
function goneOf(fact: AwsFact): PlatformFact | null {
  switch (fact.kind) {
    case 'workload':
      return fact.workload.state === 'gone' ? null : { kind: 'gone', was: 'workload', name: fact.workload.name };
    case 'rollout':
      return { kind: 'gone', was: 'rollout', name: fact.rollout.name };
    case 'schedule':
      return { kind: 'gone', was: 'schedule', name: fact.schedule.name };
    case 'load-balancer':
    case 'targets':
    case 'endpoints':
    case 'traffic':
      return null;
  }
}
