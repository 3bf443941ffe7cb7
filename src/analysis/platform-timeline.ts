/**
 * What platforms said, as it was over time. An entry is written when something differs, else once in a while, so that its
 * state was seen from when its question was sent until the last poll before the next entry; between two polls that differ
 * it is not known which of the two held. What is watched is known all the time.
 */
import type { EntryOf } from '../core/entry.ts';
import type { EndpointSeen, PlatformFact, TargetGroupSeen, TargetSeen, WorkloadSeen } from '../core/platform.ts';
import type { Side } from '../core/scenario.ts';
import { nsPerS } from '../core/time.ts';
import type { Journal } from './journal.ts';

export interface Known<T> {
  readonly value: T;
  /** The first and the last instant at which it was seen so. */
  readonly fromNs: number;
  readonly untilNs: number;
}

export interface Timeline<T> {
  readonly observer: string;
  readonly side: Side;
  /** In order of time. */
  readonly parts: readonly Known<T>[];
  /** From one poll to the next, mostly; 0 = watched. */
  readonly pollNs: number;
}

/** `between`: between two polls that differ. `unseen`: before the first. */
export type At<T> = { readonly kind: 'known'; readonly value: T } | { readonly kind: 'between' | 'unseen' };

export function valueAt<T>({ parts }: Timeline<T>, atNs: number): At<T> {
  let [low, high] = [0, parts.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((parts[middle] as Known<T>).fromNs <= atNs) low = middle + 1;
    else high = middle;
  }
  const part = parts[low - 1];
  if (part === undefined) return { kind: 'unseen' };
  return atNs <= part.untilNs ? { kind: 'known', value: part.value } : { kind: 'between' };
}

export interface GroupSeen extends TargetGroupSeen {
  /** Of its load balancer. */
  readonly kind: 'application' | 'network';
  readonly addresses: readonly string[];
  readonly idleTimeoutS: number | null;
  readonly side: Side;
}

export interface Binding {
  /** Another cluster may have a service of the same name. */
  readonly bound: readonly { readonly cluster: string; readonly service: string }[];
  readonly isMultiCluster: boolean;
}

export interface Platforms {
  /** By ARN, as last said. */
  readonly groups: ReadonlyMap<string, GroupSeen>;
  /** By ARN. */
  readonly targets: ReadonlyMap<string, Timeline<readonly TargetSeen[]>>;
  /** By service, as `namespace/name` or `cluster/name`; several observers may speak of one. */
  readonly endpoints: ReadonlyMap<string, readonly Timeline<readonly EndpointSeen[]>[]>;
  /** Each of one pod or task; null = it is no more. */
  readonly workloads: readonly Timeline<WorkloadSeen | null>[];
  /** By ARN of the group: the services that a TargetGroupBinding keeps in it. */
  readonly bindings: ReadonlyMap<string, Binding>;
  /** When a rollout was seen to go on, or a pod or task to be told to end. */
  readonly eventsAtNs: readonly number[];
}

type Seen = EntryOf<'platform-seen'>;
type FactOf<K extends PlatformFact['kind']> = Extract<PlatformFact, { kind: K }>;
type SeenOf<K extends PlatformFact['kind']> = Seen & { readonly fact: FactOf<K> };

/** null: nobody looked at platforms. */
export function readPlatforms(journal: Journal, endNs: number): Platforms | null {
  const entries = journal.of('platform-seen');
  if (entries.length === 0) return null;
  const of = <K extends PlatformFact['kind']>(kind: K): SeenOf<K>[] =>
    entries.filter((entry): entry is SeenOf<K> => entry.fact.kind === kind);

  const groups = new Map<string, GroupSeen>();
  for (const { fact, side } of of('load-balancer')) {
    const { kind, addresses, idleTimeoutS } = fact.loadBalancer;
    for (const group of fact.loadBalancer.groups)
      groups.set(group.arn, { ...group, kind, addresses, idleTimeoutS, side });
  }
  const targets = new Map(
    [...Map.groupBy(of('targets'), ({ fact }) => fact.groupArn)].map(([arn, some]) => [
      arn,
      timelineOf(some, (fact) => fact.targets, endNs),
    ]),
  );
  const endpoints = new Map<string, Timeline<readonly EndpointSeen[]>[]>();
  for (const some of Map.groupBy(of('endpoints'), ({ observer, fact }) => `${observer} ${fact.service}`).values()) {
    const service = some[0]?.fact.service ?? '';
    endpoints.set(service, [...(endpoints.get(service) ?? []), timelineOf(some, (fact) => fact.endpoints, endNs)]);
  }
  const bindings = new Map<string, Binding>();
  for (const { fact, observer } of of('binding')) {
    const { groupArn, service, isMultiCluster } = fact.binding;
    const cluster = clusterOf(observer);
    const before = bindings.get(groupArn);
    const others = (before?.bound ?? []).filter((one) => one.cluster !== cluster || one.service !== service);
    bindings.set(groupArn, {
      bound: [...others, { cluster, service }],
      isMultiCluster: isMultiCluster || before?.isMultiCluster === true,
    });
  }
  return {
    groups,
    targets,
    endpoints,
    workloads: workloadTimelines([...of('workload'), ...of('gone')], endNs),
    bindings,
    eventsAtNs: [
      ...of('rollout').filter(({ fact }) => fact.rollout.state === 'progressing'),
      ...of('workload').filter(({ fact }) => fact.workload.state === 'terminating'),
    ].map(({ atNs }) => atNs),
  };
}

/** Of `kubernetes:new/pods` it is `kubernetes:new`: what one API told, of which each name is one thing. */
export function clusterOf(observer: string): string {
  return observer.split('/', 1)[0] ?? observer;
}

const defaultPollNs = 3 * nsPerS;

function timelineOf<K extends PlatformFact['kind'], T>(
  entries: readonly SeenOf<K>[],
  read: (fact: FactOf<K>) => T,
  endNs: number,
): Timeline<T> {
  const { observer = '', side = 'old' as const } = entries[0] ?? {};
  const gapsNs = entries.flatMap(({ sentAtNs, previousSentAtNs }) =>
    previousSentAtNs === null ? [] : [sentAtNs - previousSentAtNs],
  );
  const pollNs = isWatch(observer) ? 0 : (middleOf(gapsNs) ?? defaultPollNs);
  const parts: Known<T>[] = [];
  let textBefore = '';
  for (const [i, entry] of entries.entries()) {
    const next = entries[i + 1];
    const seenUntilNs = next === undefined ? endNs - pollNs : (next.previousSentAtNs ?? next.sentAtNs);
    const part = {
      value: read(entry.fact),
      fromNs: entry.sentAtNs,
      untilNs: Math.max(entry.sentAtNs, seenUntilNs),
    };
    // Written again though nothing differs: it was so all the time.
    const text = JSON.stringify(part.value);
    const last = parts.at(-1);
    if (last !== undefined && text === textBefore) parts[parts.length - 1] = { ...last, untilNs: part.untilNs };
    else parts.push(part);
    textBefore = text;
  }
  return { observer, side, parts, pollNs };
}

/** Kubernetes tells of changes as they come; all else is asked. */
function isWatch(observer: string): boolean {
  return observer.startsWith('kubernetes:');
}

function middleOf(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? null;
}

/** What is gone is said by name; a name may come again with another uid. */
function workloadTimelines(
  entries: readonly (SeenOf<'workload'> | SeenOf<'gone'>)[],
  endNs: number,
): Timeline<WorkloadSeen | null>[] {
  const byUid = new Map<string, (SeenOf<'workload'> | SeenOf<'gone'>)[]>();
  const uidOfName = new Map<string, string>();
  for (const entry of entries.toSorted((a, b) => a.atNs - b.atNs)) {
    const { fact, observer } = entry;
    if (fact.kind === 'gone' && fact.was !== 'workload') continue;
    const name = `${observer} ${fact.kind === 'gone' ? fact.name : fact.workload.name}`;
    const uid = fact.kind === 'gone' ? uidOfName.get(name) : `${observer} ${fact.workload.uid}`;
    if (uid === undefined) continue;
    uidOfName.set(name, uid);
    const own = byUid.get(uid) ?? [];
    byUid.set(uid, own);
    own.push(entry);
  }
  return [...byUid.values()].map((own) =>
    timelineOf<'workload' | 'gone', WorkloadSeen | null>(
      own,
      (fact) => (fact.kind === 'gone' ? null : fact.workload),
      endNs,
    ),
  );
}
