/**
 * What was really so, written by the world of a rehearsal beside the evidence (`truth.ndjson`), one JSON object a line,
 * `atNs` in ns since run start on the run's own clock. It speaks of faults and states; findings and causes are the
 * analysis's words, and the analysis never reads this.
 */
import type { Side } from './scenario.ts';
import type { Places, World } from './world.ts';

/** What can be wrong in a world, as operators name it. */
export type FaultName =
  | 'load-balancer-removed'
  /** A registered target that has gone: 504 after 10 s, or 502 at once. */
  | 'stale-target'
  | 'no-targets'
  /** nginx tried every endpoint it knew, and all had gone. */
  | 'stale-endpoints'
  | 'zone-lost'
  | 'app-failing'
  | 'app-slow'
  | 'cpu-throttled'
  | 'wrong-certificate'
  | 'network-degraded'
  | 'own-network-lost'
  | 'resolver-failing'
  | 'resolver-cut-off'
  | 'name-server-failing'
  | 'record-missing'
  /** Nobody's fault: a kept connection met its end (idle, age) as a request was under way. */
  | 'connection-ended';

/** What a request meets there from now on. */
export interface Condition {
  /** null: well. The worst where several are in force. */
  readonly fault: FaultName | null;
  /** Of all requests, so many fail: 0 none, 1 all. Slow ones are not failures here: see `delayMs`. */
  readonly failedRatio: number;
  /** Added to each answer by the fault, at least. */
  readonly delayMs: number;
  /** Only so many of all answers are delayed, by at least so much. Left out: none but by `delayMs`. */
  readonly delayedPart?: { readonly ratio: number; readonly delayMs: number };
  /** A wrong certificate is met by new connections only. */
  readonly hits: 'all' | 'new-connections';
}

export type TruthEntry =
  | {
      readonly type: 'world-started';
      readonly atNs: number;
      readonly world: World;
      readonly places: Places;
    }
  /** The operator makes the change: what counts from it counts from here. */
  | { readonly type: 'change-made'; readonly atNs: number }
  /** A step of the script; `text` is for people. `isEnd`: its `forS` is over. */
  | {
      readonly type: 'step-done';
      readonly atNs: number;
      readonly index: number;
      readonly isEnd: boolean;
      readonly text: string;
    }
  /** At an address of a side, for a hostname. Written at the start too, and whenever it is another. */
  | {
      readonly type: 'condition-changed';
      readonly atNs: number;
      readonly side: Side;
      readonly address: string;
      readonly hostname: string;
      readonly condition: Condition;
    }
  /** Of the prober's own network, a resolver, or a name server. */
  | {
      readonly type: 'network-changed';
      readonly atNs: number;
      readonly where: 'own-network' | 'resolver' | 'name-server';
      /** '' for the own network. */
      readonly name: string;
      readonly fault: FaultName | null;
    }
  /** A name server serves this from now on. `side` null: several, or none (the record is missing). */
  | {
      readonly type: 'record-served';
      readonly atNs: number;
      readonly nameServer: string;
      readonly hostname: string;
      readonly side: Side | null;
      readonly addresses: readonly string[];
      readonly ttlS: number;
    }
  /** A resolver's cache holds this from now on. */
  | {
      readonly type: 'answer-cached';
      readonly atNs: number;
      readonly resolver: string;
      /** Which of its caches, from 0. */
      readonly cache: number;
      readonly hostname: string;
      readonly side: Side | null;
      readonly addresses: readonly string[];
      /** As it says to clients at first. */
      readonly ttlS: number;
    }
  /** A task or pod, and how its load balancer sees it. */
  | {
      readonly type: 'target-changed';
      readonly atNs: number;
      readonly side: Side;
      readonly service: string;
      readonly target: string;
      readonly state: 'starting' | 'ready' | 'terminating' | 'gone';
      /** Gets traffic. */
      readonly isRoutable: boolean;
    }
  /** A request was hit by a fault; what is not listed was served well. */
  | {
      readonly type: 'request-hit';
      readonly atNs: number;
      /** From its trace id; null for anybody else's request. */
      readonly trace: { readonly lane: number; readonly slot: number; readonly part: number } | null;
      readonly address: string;
      readonly hostname: string;
      readonly fault: FaultName;
      /** What it got: a status, or 0 for no answer. */
      readonly status: number;
      /** How long until that; null = never. */
      readonly afterMs: number | null;
    }
  /** A scheduled job ran. */
  | { readonly type: 'schedule-fired'; readonly atNs: number; readonly side: Side; readonly schedule: string }
  | { readonly type: 'world-ended'; readonly atNs: number };

export type TruthRecorder = (entry: TruthEntry) => void;
