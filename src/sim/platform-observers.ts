/**
 * AWS and Kubernetes beside the probes of a rehearsal: the world's own platforms, told as the real observers tell them.
 * ELBv2 and ECS are asked again and again, as often as in a real run; what Kubernetes has is told as it becomes so.
 */
import type { Entry } from '../core/entry.ts';
import type { PlatformFact, WorkloadSeen } from '../core/platform.ts';
import type { Cancel, Clock, Observers, Random } from '../core/ports.ts';
import { newRandom } from '../core/random.ts';
import type { Scenario, SideSpec } from '../core/scenario.ts';
import { nsToMs, sToNs } from '../core/time.ts';
import type { PlatformSpec, Setting, World } from '../core/world.ts';
import type { ServiceSeen, WorldModel } from '../model/world-model.ts';
import { endpointsOf, groupArn, loadBalancerOf, ownerOf, rolloutOf, targetsOf, workloadOf } from './platform-facts.ts';

export interface SimObserversOptions {
  readonly clock: Clock;
  readonly model: Pick<WorldModel, 'seen' | 'isApiDown'>;
  readonly world: World;
  readonly setting: Setting;
  readonly scenario: Pick<Scenario, 'sides'>;
  readonly startedAtMs: number;
  readonly entry: (entry: Entry) => void;
}

/** As in `platforms`, which see. */
const targetsEveryS = 3;
const ecsEveryS = 10;
const jitterRatio = 0.1;
const repeatedEveryNs = sToNs(30);
/** What an answer takes; of a watch, how late it tells. */
const answerNs = sToNs(0.04);
const watchLateNs = sToNs(0.2);

export function startSimObservers(options: SimObserversOptions): Observers {
  const { world, scenario } = options;
  const stops =
    world.isObserved === false
      ? []
      : [scenario.sides.old, scenario.sides.new].flatMap((spec) => observeSide(spec, options));
  return {
    marked() {},
    stop() {
      for (const stop of stops) stop();
    },
  };
}

function observeSide(spec: SideSpec, options: SimObserversOptions): Cancel[] {
  const { world, setting, model } = options;
  const { side, aws, kubernetes } = spec;
  const platform: PlatformSpec = world.sides[side];
  const random = newRandom(world.seed, `observers of ${side}`);
  const seen = (): readonly ServiceSeen[] => model.seen(side, options.clock.nowNs());
  const stops: Cancel[] = [];
  const observe = (name: string, what: string, everyNs: number, look: () => readonly PlatformFact[]): void => {
    stops.push(startLooking({ ...options, spec, random, name, what, everyNs, look }));
  };
  const hasGroups = aws !== undefined && platform.kind === 'alb';
  if (hasGroups) {
    observe('elbv2', 'load balancers', sToNs(60), () => [
      { kind: 'load-balancer', loadBalancer: loadBalancerOf(spec, platform, { services: seen(), setting }) },
    ]);
    observe('elbv2-targets', 'health of targets', sToNs(targetsEveryS), () =>
      seen().map((service) => ({
        kind: 'targets',
        groupArn: groupArn(side, service.service),
        targets: targetsOf(service),
      })),
    );
  }
  const life = newLives(options);
  const endpoints = (): readonly PlatformFact[] =>
    seen().map((service) => ({
      kind: 'endpoints',
      service: ownerOf(spec, service.service) ?? service.service,
      endpoints: endpointsOf(service),
    }));
  if (kubernetes === undefined) {
    if (aws?.ecs !== undefined && aws.ecs !== null) {
      observe('ecs', `tasks and services of the cluster ${aws.ecs.cluster}`, sToNs(ecsEveryS), () => [
        ...endpoints(),
        ...life.workloads(seen(), 'task'),
        ...life.rollouts(seen()),
      ]);
    }
    return stops;
  }
  const watch = (resource: string, look: () => readonly PlatformFact[]): void =>
    observe(`kubernetes/${resource}`, `${resource} of namespace ${kubernetes.namespace}`, 0, look);
  if (hasGroups) {
    watch('targetgroupbindings', () =>
      seen().map(({ service }) => ({
        kind: 'binding',
        binding: {
          name: `k8s-${service}`,
          groupArn: groupArn(side, service),
          targetType: 'ip',
          service: `${kubernetes.namespace}/${service}`,
          servicePort: '80',
          isMultiCluster: false,
        },
      })),
    );
  }
  watch('endpointslices', endpoints);
  watch('pods', () => life.workloads(seen(), 'pod'));
  watch('deployments', () => life.rollouts(seen()));
  return stops;
}

// ── what the model does not remember ─────────────────────────────────────────────────────────────────────────────────

interface Lives {
  workloads(services: readonly ServiceSeen[], kind: 'pod' | 'task'): readonly PlatformFact[];
  rollouts(services: readonly ServiceSeen[]): readonly PlatformFact[];
}

/** Which rollout made a pod, and when it was told to end. */
function newLives({ clock, startedAtMs }: Pick<SimObserversOptions, 'clock' | 'startedAtMs'>): Lives {
  const revisions = new Map<string, number>();
  const updated = new Map<string, Set<string>>();
  const desired = new Map<string, number>();
  const revisionOf = new Map<string, number>();
  const endsSinceMs = new Map<string, number>();
  const lastSeen = new Map<string, WorkloadSeen>();

  function note({ service, replicas }: ServiceSeen): void {
    const before = updated.get(service);
    const isFirst = before === undefined;
    const unknown = replicas.filter(({ target, state }) => state !== 'gone' && !revisionOf.has(target));
    if (isFirst) desired.set(service, replicas.filter(({ state }) => state === 'ready').length);
    // A rollout makes one after the other until all are new; what comes after that is the next one's.
    if (isFirst || (unknown.length > 0 && before.size >= (desired.get(service) ?? 0))) {
      revisions.set(service, (revisions.get(service) ?? 0) + 1);
      updated.set(service, new Set());
    }
    for (const { target } of unknown) {
      updated.get(service)?.add(target);
      revisionOf.set(target, revisions.get(service) ?? 1);
    }
    for (const { target, state } of replicas) {
      if (state === 'terminating' && !endsSinceMs.has(target)) {
        endsSinceMs.set(target, startedAtMs + Math.round(nsToMs(clock.nowNs())));
      }
    }
  }

  return {
    workloads(services, kind) {
      for (const service of services) {
        note(service);
        for (const replica of service.replicas) {
          const revision = String(revisionOf.get(replica.target) ?? 1);
          const ends = endsSinceMs.get(replica.target) ?? null;
          lastSeen.set(replica.target, workloadOf(service, replica, { kind, revision, endsSinceMs: ends }));
        }
      }
      const there = new Set(services.flatMap(({ replicas }) => replicas.map(({ target }) => target)));
      return [...lastSeen].map(([target, last]): PlatformFact => {
        const workload: WorkloadSeen = there.has(target) ? last : { ...last, state: 'gone', isReady: false };
        // Kubernetes forgets a pod that has ended; ECS remembers a task for an hour.
        if (kind === 'task' || workload.state !== 'gone') return { kind: 'workload', workload };
        return { kind: 'gone', was: 'workload', name: workload.name };
      });
    },
    rollouts: (services) =>
      services.map((service) => {
        note(service);
        return {
          kind: 'rollout',
          rollout: rolloutOf(service, {
            revision: String(revisions.get(service.service) ?? 1),
            desiredCount: desired.get(service.service) ?? 0,
            updated: updated.get(service.service) ?? new Set(),
          }),
        };
      }),
  };
}

// ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Looking extends SimObserversOptions {
  readonly spec: SideSpec;
  readonly random: Random;
  /** `elbv2`, `kubernetes/pods`. */
  readonly name: string;
  readonly what: string;
  /** 0 = a watch. */
  readonly everyNs: number;
  readonly look: () => readonly PlatformFact[];
}

interface Before {
  readonly text: string;
  readonly sentAtNs: number;
  readonly toldAtNs: number;
  readonly sameCount: number;
}

const notAnsweredText = { aws: 'AWS does not answer', kubernetes: 'the API server does not answer' } as const;

function startLooking({ clock, model, entry, spec, random, name, what, everyNs, look }: Looking): Cancel {
  const { side } = spec;
  const [kind = '', resource] = name.split('/');
  const observer = `${kind}:${side}${resource === undefined ? '' : `/${resource}`}`;
  const isWatch = everyNs === 0;
  const all = new Map<string, Before>();
  const api = kind === 'kubernetes' ? 'kubernetes' : 'aws';
  let lastSeenNs = clock.nowNs();
  let isBlind = false;
  entry({ type: 'observer-started', atNs: lastSeenNs, observer, side, what });
  let cancel = clock.at(clock.nowNs(), ask);
  let isStopped = false;

  function ask(): void {
    const sentAtNs = clock.nowNs();
    if (model.isApiDown(side, api, sentAtNs)) {
      cannotSee();
      cancel = clock.at(sentAtNs + (isWatch ? watchLateNs : everyNs), ask);
      return;
    }
    const facts = look();
    if (isWatch) {
      sees(facts, sentAtNs);
      cancel = clock.at(sentAtNs + watchLateNs, ask);
      return;
    }
    cancel = clock.at(sentAtNs + answerNs, () => {
      sees(facts, sentAtNs);
      cancel = clock.at(sentAtNs + Math.ceil(everyNs * (1 + jitterRatio * random())), ask);
    });
  }

  function cannotSee(): void {
    if (isBlind || isStopped) return;
    isBlind = true;
    entry({ type: 'observer-blinded', atNs: clock.nowNs(), observer, sinceNs: lastSeenNs, why: notAnsweredText[api] });
  }

  function sees(facts: readonly PlatformFact[], sentAtNs: number): void {
    tell(facts, sentAtNs);
    lastSeenNs = sentAtNs;
    if (!isBlind || isStopped) return;
    isBlind = false;
    entry({ type: 'observer-recovered', atNs: clock.nowNs(), observer });
  }

  function tell(facts: readonly PlatformFact[], sentAtNs: number): void {
    const atNs = clock.nowNs();
    for (const fact of facts) {
      const key = keyOf(fact);
      const text = JSON.stringify(fact);
      const before = all.get(key);
      // Never heard of, or gone and said to be.
      if (fact.kind === 'gone' && before === undefined) continue;
      const isRepeated = !isWatch && fact.kind !== 'workload' && atNs - (before?.toldAtNs ?? 0) >= repeatedEveryNs;
      if (before?.text === text && !isRepeated) {
        all.set(key, { ...before, sentAtNs, sameCount: before.sameCount + 1 });
        continue;
      }
      all.set(key, { text, sentAtNs, toldAtNs: atNs, sameCount: 0 });
      if (isStopped) continue;
      const previousSentAtNs = isWatch ? null : (before?.sentAtNs ?? null);
      const sameCount = isWatch ? 0 : (before?.sameCount ?? 0);
      entry({
        type: 'platform-seen',
        atNs,
        observer,
        side,
        fact,
        sentAtNs,
        previousSentAtNs,
        sameCount,
        theirAtMs: null,
      });
    }
  }

  return () => {
    isStopped = true;
    cancel();
  };
}

function keyOf(fact: PlatformFact): string {
  switch (fact.kind) {
    case 'load-balancer':
      return fact.loadBalancer.arn;
    case 'targets':
      return fact.groupArn;
    case 'endpoints':
      return fact.service;
    case 'workload':
      return fact.workload.name;
    case 'rollout':
      return fact.rollout.name;
    case 'binding':
      return fact.binding.name;
    case 'gone':
      return fact.name;
    case 'schedule':
    case 'traffic':
    case 'ingress':
    case 'helm-release':
      return fact.kind;
  }
}
