/** A task or pod: how it begins, how it ends, and what a connect to its address meets meanwhile. */
import { sToNs } from '../core/time.ts';
import type { ReplicaSpec } from '../core/world.ts';

export type ReplicaState = 'starting' | 'ready' | 'terminating' | 'gone';

/** As a load balancer that checks health says it. */
export type TargetHealth = 'initial' | 'healthy' | 'unhealthy' | 'draining';

export interface Replica {
  /** Address and port. */
  readonly target: string;
  readonly whenGone: 'silent' | 'refused';
  state: ReplicaState;
  /** Its port is open: from readiness until SIGTERM. */
  isServing: boolean;
}

/** Plans something for a replica; whoever keeps the books looks at them afterwards. */
export type Later = (atNs: number, run: (nowNs: number) => void) => void;

export function newReplica(target: string, spec: ReplicaSpec): Replica {
  return { target, whenGone: spec.whenGone, state: 'starting', isServing: false };
}

export function makeReady(replica: Replica): void {
  replica.state = 'ready';
  replica.isServing = true;
}

/**
 * From now on it ends: the preStop hook, in which it serves as before; SIGTERM, from which on it finishes what it has and
 * its port is closed (domain.md D.2, S2); its exit. What is under way at SIGTERM is finished before the exit.
 */
export function endReplica(
  replica: Replica,
  ending: {
    readonly spec: ReplicaSpec;
    readonly later: Later;
    readonly nowNs: number;
    /** What a connect meets is another from now on. */
    readonly changed: (nowNs: number) => void;
  },
): void {
  const { spec, later, nowNs, changed } = ending;
  replica.state = 'terminating';
  const terminatedAtNs = nowNs + sToNs(spec.preStopS);
  later(terminatedAtNs, (atNs) => {
    replica.isServing = false;
    changed(atNs);
  });
  later(terminatedAtNs + sToNs(spec.exitS), (atNs) => {
    replica.state = 'gone';
    changed(atNs);
  });
}

/** What a connect to its address meets: a server, RST, or nobody (the network of a VPC has no such address any more). */
export function receptionOf(replica: Replica): 'serves' | 'refuses' | 'silent' {
  if (replica.isServing) return 'serves';
  return replica.state === 'gone' && replica.whenGone === 'silent' ? 'silent' : 'refuses';
}
