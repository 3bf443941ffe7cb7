/**
 * The tasks or pods of one service and their rolling deployment: one new one starts; when it is ready, and healthy where
 * the load balancer checks that, one old one ends; and so on until all are new.
 */
import { sToNs } from '../core/time.ts';
import type { ReplicaSpec } from '../core/world.ts';
import type { Backends, Front } from './front.ts';
import type { ReplicaSeen } from './world-model.ts';
import { endReplica, makeReady, newReplica, type Later, type Replica, type ReplicaState } from './replicas.ts';

/** `heardAfterS` null: the load balancer never hears that they end. */
export interface Roll {
  readonly heardAfterS: number | null;
}

export interface Deployment {
  readonly backends: Backends;
  /** The load balancer knows of none of them, or of all that are ready again. */
  setLost(isLost: boolean, nowNs: number): void;
  /** After the one that is under way, if any. */
  roll(roll: Roll, nowNs: number): void;
  /** Of each replica that lives or may still get requests; says what is another since the last time. */
  note(nowNs: number): void;
  /** Those, and those that a load balancer still shows. */
  seen(): readonly ReplicaSeen[];
}

export interface DeploymentOptions {
  readonly service: string;
  readonly replicaCount: number;
  readonly spec: ReplicaSpec;
  readonly front: Front;
  readonly startNs: number;
  readonly later: Later;
  readonly newTarget: () => string;
  readonly changed: (replica: Replica, isRoutable: boolean, nowNs: number) => void;
}

export function newDeployment(options: DeploymentOptions): Deployment {
  const { service, replicaCount, spec, front, startNs, changed } = options;
  const later: Later = (atNs, run) =>
    options.later(atNs, (nowNs) => {
      run(nowNs);
      note(nowNs);
    });
  const backends = front.newBackends({ name: service, later });
  const rolls: Roll[] = [];
  let isRolling = false;
  let isLost = false;
  let living: readonly Replica[] = Array.from({ length: replicaCount }, () => newReplica(options.newTarget(), spec));
  /** As they were last said to be. */
  const noted = new Map<Replica, { readonly state: ReplicaState; readonly isRoutable: boolean } | null>();

  for (const replica of living) {
    makeReady(replica);
    noted.set(replica, null);
  }
  backends.begin(living, startNs);

  function nextRoll(nowNs: number): void {
    const roll = rolls.shift();
    isRolling = roll !== undefined;
    if (roll !== undefined) replace(living, roll, nowNs);
  }

  function replace(old: readonly Replica[], roll: Roll, nowNs: number): void {
    const [leaving, ...others] = old;
    if (leaving === undefined) return nextRoll(nowNs);
    start(nowNs, (inServiceNs) => {
      end(leaving, roll, inServiceNs);
      replace(others, roll, inServiceNs);
    });
  }

  function start(nowNs: number, inService: (nowNs: number) => void): void {
    let isWaitedFor = true;
    // Once only: a target that was unhealthy, or lost, comes into service again.
    const inServiceOnce = (atNs: number): void => {
      if (isWaitedFor) {
        isWaitedFor = false;
        inService(atNs);
      }
    };
    const replica = newReplica(options.newTarget(), spec);
    noted.set(replica, null);
    later(nowNs + sToNs(spec.startS), (readyNs) => {
      makeReady(replica);
      living = [...living, replica];
      backends.add(replica, readyNs, inServiceOnce);
    });
  }

  function end(replica: Replica, { heardAfterS }: Roll, nowNs: number): void {
    living = living.filter((one) => one !== replica);
    const receptionChanged = (atNs: number): void => backends.receptionChanged(replica, atNs);
    endReplica(replica, { spec, later, nowNs, changed: receptionChanged });
    if (heardAfterS !== null) later(nowNs + sToNs(heardAfterS), (atNs) => backends.remove(replica, atNs));
  }

  function note(nowNs: number): void {
    const routable = new Set(backends.routable());
    for (const [replica, before] of noted) {
      const isRoutable = routable.has(replica);
      const { state } = replica;
      if (before?.state !== state || before.isRoutable !== isRoutable) {
        noted.set(replica, { state, isRoutable });
        changed(replica, isRoutable, nowNs);
      }
      if (state === 'gone' && !backends.holds(replica)) noted.delete(replica);
    }
  }

  return {
    backends,
    setLost(now, nowNs) {
      if (now === isLost) return;
      isLost = now;
      if (isLost) backends.lose(nowNs);
      else backends.regain(nowNs);
    },
    roll(roll, nowNs) {
      rolls.push(roll);
      if (!isRolling) nextRoll(nowNs);
    },
    note,
    seen: () =>
      [...noted.keys()].map((replica) => ({
        target: replica.target,
        state: replica.state,
        health: backends.health(replica),
      })),
  };
}
