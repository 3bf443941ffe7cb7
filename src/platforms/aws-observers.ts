/**
 * AWS beside the probes, as observers of their own for each thing that may be denied or slow, so that one of them that does
 * not see blinds no other. All share the run's budget: where they ask for more than that, each only sees less often.
 */
import type { Entry } from '../core/entry.ts';
import type { AwsSpec, LoadBalancerSeen } from '../core/platform.ts';
import type { Clock, Random } from '../core/ports.ts';
import type { Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import { newAwsClients } from './aws-clients.ts';
import type { Budget } from './budget.ts';
import { readTraffic } from './cloudwatch.ts';
import { nothingKnown, readEcsEndpoints, type TaskStart } from './ecs.ts';
import { readLoadBalancers, readTargets, type GroupFacts } from './elbv2.ts';
import { newFactTeller, type FactTeller } from './fact-teller.ts';
import { startObserver, type LookOptions, type Observer } from './observer.ts';
import { readSchedules } from './schedules.ts';
import { notTold, told, type Told } from './told.ts';

export interface AwsObserversOptions {
  readonly side: Side;
  readonly spec: AwsSpec;
  /** The side's own names, one of which may be that of its load balancer. */
  readonly dnsNames: readonly string[];
  readonly clock: Clock;
  /** Wall clock, for CloudWatch. */
  readonly wallNowMs: () => number;
  readonly random: Random;
  /** The same for all observers of a run. */
  readonly budget: Budget;
  readonly entry: (entry: Entry) => void;
}

export interface AwsObservers {
  start(): void;
  /** Nothing is told afterwards; what is under way is given up. */
  stop(): void;
}

/** What leads where seldom changes, and is read at once when something else shows that it did. */
const inventoryEveryS = 60;
/** Attributes and tags of groups are one call for each, so they are read anew only so seldom. */
const inventoriesPerRereading = 10;
/** A target that is stale is so for 35 s at least, mostly; each group is one call. */
const targetsEveryS = 3;
/** As many calls as may be under way. */
const targetsAtOnce = 4;
/** A group that no rule leads to gets no requests. */
const looksPerIdleGroup = 8;
const ecsEveryS = 10;
const schedulesEveryS = 60;
/** As often as there is something new. */
const trafficEveryS = 60;

/** Functions have no health; a group that no rule leads to is looked at only with the idle ones. */
function groupsToLookAt(loadBalancers: readonly LoadBalancerSeen[], withIdle: boolean): readonly string[] {
  const groups = loadBalancers.flatMap((one) => one.groups);
  const wanted = groups.filter(({ targetType, rules }) => targetType !== 'lambda' && (withIdle || rules.length > 0));
  return [...new Set(wanted.map(({ arn }) => arn))];
}

export function newAwsObservers(options: AwsObserversOptions): AwsObservers {
  const { side, spec, clock, random } = options;
  const clients = newAwsClients({ access: spec, clock, budget: options.budget });
  const observers: Observer[] = [];
  let isStopped = false;

  type Look = (teller: FactTeller, options: LookOptions) => Promise<Told<unknown>>;
  function observe(name: string, what: string, everyS: number, look: Look): Observer {
    const observer = `${name}:${side}`;
    const teller = newFactTeller({ clock, observer, side });
    const { entry } = options;
    const everyNs = sToNs(everyS);
    const started = startObserver({
      clock,
      random,
      entry,
      observer,
      side,
      what,
      everyNs,
      look: (lookOptions) => look(teller, lookOptions),
    });
    observers.push(started);
    return started;
  }

  // What one observer knows and another needs.
  let owners: ReadonlyMap<string, string> = new Map();
  let starts: readonly TaskStart[] | null = null;
  let clusterArn: string | null = null;
  let loadBalancers: readonly LoadBalancerSeen[] = [];
  let inventory: Observer | null = null;

  // ── load balancers ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** `afterFirst` comes when it was read once, or could not be: what it takes to read it goes before what seldom changes. */
  function observeLoadBalancers(afterFirst: () => void): void {
    const known = new Map<string, GroupFacts>();
    const noted = new Set<string>();
    let count = 0;
    const { dnsNames } = options;
    const names = spec.loadBalancers;
    const what = `load balancers ${(names.length > 0 ? names : dnsNames).join(', ')}`;
    inventory = observe('elbv2', what, inventoryEveryS, async (teller, { tell, signal }) => {
      const isFirst = count === 0;
      if (count % inventoriesPerRereading === 0) known.clear();
      count += 1;
      const sentAtNs = clock.nowNs();
      const read = await readLoadBalancers(clients, { names, dnsNames, owners, known }, signal);
      if (isFirst && !isStopped) afterFirst();
      if (read.kind === 'not-told') return read;
      const { unseen, isComplete } = read.value;
      for (const text of unseen.filter((one) => !noted.has(one))) {
        noted.add(text);
        tell({ type: 'noted', atNs: clock.nowNs(), text: `elbv2:${side}: ${text}` });
      }
      const isFirstSeen = loadBalancers.length === 0;
      ({ loadBalancers } = read.value);
      const facts = loadBalancers.map((loadBalancer) => ({ fact: { kind: 'load-balancer', loadBalancer } as const }));
      teller.heard({ facts, sentAtNs, isAll: true, tell });
      if (isFirstSeen && !isStopped) {
        observeTargets();
        observeTraffic();
      }
      return isComplete ? told(null) : notTold('missing', unseen.join('; '));
    });
  }

  /**
   * Several groups at once, so that of the calls that wait for the budget most are these. After a look that failed one by
   * one, as those who throttle us are to be left alone, from the group on whose turn it was.
   */
  function observeTargets(): void {
    let lookCount = 0;
    let turn = 0;
    let atOnce = targetsAtOnce;
    observe('elbv2-targets', 'health of targets', targetsEveryS, async (teller, { tell, signal }) => {
      const arns = groupsToLookAt(loadBalancers, lookCount % looksPerIdleGroup === 0);
      lookCount += 1;
      const inTurn = arns.map((_, i) => arns[(turn + i) % arns.length] ?? '');
      while (inTurn.length > 0) {
        const some = inTurn.splice(0, atOnce);
        const read = await Promise.all(some.map((arn) => readOneGroup(arn, { teller, tell, signal })));
        const failed = read.find((one) => one.kind === 'not-told');
        atOnce = failed === undefined ? targetsAtOnce : 1;
        if (failed !== undefined) return failed;
        turn += some.length;
      }
      return told(null);
    });
  }

  async function readOneGroup(
    groupArn: string,
    { teller, tell, signal }: LookOptions & { readonly teller: FactTeller },
  ): Promise<Told<null>> {
    let sentAtNs = clock.nowNs();
    const sent = (): void => {
      sentAtNs = clock.nowNs();
    };
    const read = await readTargets(clients, { groupArn, sent }, signal);
    if (read.kind === 'told') {
      const fact = { kind: 'targets', groupArn, targets: read.value } as const;
      teller.heard({ facts: [{ fact }], sentAtNs, isAll: false, tell });
    } else if (read.reason === 'missing') {
      inventory?.lookNow();
    } else {
      return read;
    }
    return told(null);
  }

  function observeTraffic(): void {
    observe('cloudwatch', 'traffic of load balancers', trafficEveryS, async (teller, { tell, signal }) => {
      const sentAtNs = clock.nowNs();
      const read = await readTraffic(clients, { loadBalancers, nowMs: options.wallNowMs() }, signal);
      if (read.kind === 'not-told') return read;
      const facts = read.value.map((traffic) => ({ fact: { kind: 'traffic', traffic } as const }));
      teller.heard({ facts, sentAtNs, isAll: true, tell });
      return told(null);
    });
  }

  // ── tasks and schedules ────────────────────────────────────────────────────────────────────────────────────────────

  /** `afterFirst` comes when ECS has answered once, or could not: whose the target groups are is in its answer. */
  function observeEcs(ecs: NonNullable<AwsSpec['ecs']>, afterFirst: () => void): void {
    const known = nothingKnown();
    let isFirst = true;
    observe('ecs', `tasks and services of the cluster ${ecs.cluster}`, ecsEveryS, async (teller, { tell, signal }) => {
      const sentAtNs = clock.nowNs();
      const read = await readEcsEndpoints(clients, { spec: ecs, known }, signal);
      if (read.kind === 'told') {
        const { endpoints, workloads, rollouts, missing } = read.value;
        const hasMoved = JSON.stringify([...owners]) !== JSON.stringify([...read.value.owners]);
        ({ owners, starts, clusterArn } = read.value);
        if (hasMoved) inventory?.lookNow();
        teller.heard({
          facts: [
            ...[...endpoints].map(([service, some]) => ({
              fact: { kind: 'endpoints', service, endpoints: some } as const,
            })),
            ...workloads.map((workload) => ({ fact: { kind: 'workload', workload } as const })),
            ...rollouts.map(({ rollout, updatedAtMs: theirAtMs }) => ({
              fact: { kind: 'rollout', rollout } as const,
              theirAtMs,
            })),
          ],
          sentAtNs,
          isAll: true,
          tell,
        });
        if (isFirst && !isStopped) afterFirst();
        isFirst = false;
        return missing.length === 0 ? told(null) : notTold('missing', missing.join('; '));
      }
      // Of what may not be seen any more nothing is known.
      starts = null;
      if (isFirst && !isStopped) afterFirst();
      isFirst = false;
      return read;
    });
  }

  function observeSchedules(): void {
    const known = new Map();
    const names = spec.schedules;
    const cluster = spec.ecs?.cluster ?? null;
    const what = names.length > 0 ? `schedules ${names.join(', ')}` : `schedules of the cluster ${cluster}`;
    observe('schedules', what, schedulesEveryS, async (teller, { tell, signal }) => {
      const sentAtNs = clock.nowNs();
      const read = await readSchedules(clients, { names, cluster, clusterArn, starts, known }, signal);
      if (read.kind === 'not-told') return read;
      const facts = read.value.map((schedule) => ({ fact: { kind: 'schedule', schedule } as const }));
      teller.heard({ facts, sentAtNs, isAll: true, tell });
      return told(null);
    });
  }

  return {
    start() {
      const schedules = (): void => {
        if (spec.schedules.length > 0 || spec.ecs !== null) observeSchedules();
      };
      const rest = (): void => {
        if (spec.loadBalancers.length > 0 || options.dnsNames.length > 0) observeLoadBalancers(schedules);
        else schedules();
      };
      if (spec.ecs === null) rest();
      else observeEcs(spec.ecs, rest);
    },
    stop() {
      isStopped = true;
      for (const observer of observers) observer.stop();
      clients.close();
    },
  };
}
