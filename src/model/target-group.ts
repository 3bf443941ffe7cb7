/**
 * An ALB's target group of one service: what is registered, how each target's health is seen, and which get requests
 * (domain.md C.3).
 */
import type { Random } from '../core/ports.ts';
import { sToNs } from '../core/time.ts';
import type { AlbSpec } from '../core/world.ts';
import type { Backends } from './front.ts';
import { receptionOf, type Later, type Replica, type TargetHealth } from './replicas.ts';

interface Target {
  readonly replica: Replica;
  readonly inService: (nowNs: number) => void;
  health: TargetHealth;
  /** Checks in a row that ended unlike its health; while it is `initial`, those that failed. */
  contraryCount: number;
  /** The last check's beginning, or that of the first to come. Checks begin every interval from here. */
  checkedAtNs: number;
  /** Nothing of it is planned while each check would end like the one before. */
  isCheckPlanned: boolean;
}

export interface TargetGroupOptions {
  readonly spec: AlbSpec;
  readonly later: Later;
  /** Of the phases of health checks. */
  readonly random: Random;
}

export function newTargetGroup({ spec, later, random }: TargetGroupOptions): Backends {
  const { healthyCount, unhealthyCount } = spec.healthCheck;
  const intervalNs = sToNs(spec.healthCheck.intervalS);
  const timeoutNs = sToNs(spec.healthCheck.timeoutS);
  /** Whom the controller wants in the group. */
  const members = new Map<Replica, (nowNs: number) => void>();
  let targets: Target[] = [];
  let isLost = false;
  let routable: readonly Replica[] | null = null;

  function register(replica: Replica, inService: (nowNs: number) => void, nowNs: number): void {
    const checkedAtNs = nowNs + Math.floor(random() * intervalNs);
    const target: Target = {
      replica,
      inService,
      health: 'initial',
      contraryCount: 0,
      checkedAtNs,
      isCheckPlanned: true,
    };
    // Registered anew, one that is draining drains no longer.
    targets = [...targets.filter((one) => one.replica !== replica), target];
    routable = null;
    later(checkedAtNs, (atNs) => check(target, atNs));
  }

  const isChecked = (target: Target): boolean => target.health !== 'draining' && targets.includes(target);

  function check(target: Target, nowNs: number): void {
    if (!isChecked(target)) return;
    target.checkedAtNs = nowNs;
    // Silence is a failure once the timeout is over; the next check begins an interval after this one all the same.
    if (receptionOf(target.replica) === 'silent') later(nowNs + timeoutNs, (atNs) => conclude(target, false, atNs));
    else conclude(target, target.replica.isServing, nowNs);
  }

  function conclude(target: Target, isPassed: boolean, nowNs: number): void {
    if (!isChecked(target)) return;
    const { health } = target;
    const isAsBefore = health !== 'initial' && isPassed === (health === 'healthy');
    target.contraryCount = isAsBefore ? 0 : target.contraryCount + 1;
    if (!isAsBefore && target.contraryCount >= countNeeded(health, isPassed))
      become(target, isPassed ? 'healthy' : 'unhealthy', nowNs);
    const wouldStay = target.replica.isServing ? target.health === 'healthy' : target.health === 'unhealthy';
    const isSettled = target.contraryCount === 0 && wouldStay;
    target.isCheckPlanned = !isSettled;
    if (!isSettled) later(target.checkedAtNs + intervalNs, (atNs) => check(target, atNs));
  }

  /** "After your target is registered, it must pass one health check to be considered healthy" (ALB user guide). */
  function countNeeded(health: TargetHealth, isPassed: boolean): number {
    if (!isPassed) return unhealthyCount;
    return health === 'initial' ? 1 : healthyCount;
  }

  function become(target: Target, health: TargetHealth, nowNs: number): void {
    target.health = health;
    target.contraryCount = 0;
    routable = null;
    if (health === 'healthy') target.inService(nowNs);
  }

  function drop(target: Target): void {
    targets = targets.filter((one) => one !== target);
    routable = null;
  }

  return {
    begin(replicas, nowNs) {
      for (const replica of replicas) {
        members.set(replica, () => {});
        const checkedAtNs = nowNs - Math.floor(random() * intervalNs);
        const steady = { health: 'healthy', contraryCount: 0, checkedAtNs, isCheckPlanned: false } as const;
        targets.push({ replica, inService: () => {}, ...steady });
      }
      routable = null;
    },
    add(replica, nowNs, inService) {
      members.set(replica, inService);
      if (!isLost) register(replica, inService, nowNs);
    },
    remove(replica, nowNs) {
      members.delete(replica);
      for (const target of targets.filter((one) => one.replica === replica)) {
        become(target, 'draining', nowNs);
        // Shown for the whole delay, even when nothing is under way any more (domain.md C.3).
        later(nowNs + sToNs(spec.deregistrationDelayS), () => drop(target));
      }
    },
    receptionChanged(replica, nowNs) {
      for (const target of targets) {
        if (target.replica !== replica || target.isCheckPlanned || target.health === 'draining') continue;
        target.isCheckPlanned = true;
        const passedCount = Math.floor((nowNs - target.checkedAtNs) / intervalNs);
        later(target.checkedAtNs + (passedCount + 1) * intervalNs, (atNs) => check(target, atNs));
      }
    },
    lose() {
      isLost = true;
      targets = [];
      routable = null;
    },
    regain(nowNs) {
      isLost = false;
      for (const [replica, inService] of members) {
        if (replica.state === 'ready') register(replica, inService, nowNs);
        else members.delete(replica);
      }
    },
    routable() {
      routable ??= routableOf(targets).map(({ replica }) => replica);
      return routable;
    },
    holds: (replica) => members.has(replica) || targets.some((target) => target.replica === replica),
    health: (replica) => targets.find((target) => target.replica === replica)?.health ?? null,
  };
}

/**
 * Fail-open: "if a target group contains only unhealthy registered targets, the load balancer routes requests to all those
 * targets" (AWS, "Health checks for your target groups"); those not yet checked among them get requests as well (domain.md
 * C.3: "no, unless fail-open"). Of themselves they open nothing: a load balancer "starts routing requests to the target as
 * soon as … the target passes the initial health checks" (AWS re:Post, "failing health checks for Application Load
 * Balancers"), and a group whose targets are all `initial` or `draining` is a "service outage" (AWS Load Balancer
 * Controller, "Pod readiness gate"): 503, domain.md D.2 S6. D.3 counts them as routable, so as to miss no stale target;
 * a judge may err on that side, a world may not.
 */
function routableOf(targets: readonly Target[]): readonly Target[] {
  const healthy = targets.filter(({ health }) => health === 'healthy');
  if (healthy.length > 0) return healthy;
  const others = targets.filter(({ health }) => health === 'initial' || health === 'unhealthy');
  return others.some(({ health }) => health === 'unhealthy') ? others : [];
}
