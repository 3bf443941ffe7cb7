/** Who has the address of a target, at an instant: a pod or task that is in service, one that ends, another's, or nobody. */
import type { EndpointSeen, TargetSeen, WorkloadSeen } from '../core/platform.ts';
import type { Side } from '../core/scenario.ts';
import { clusterOf, valueAt, type GroupSeen, type Platforms, type Timeline } from './platform-timeline.ts';

export type Owner =
  | { readonly kind: 'live' | 'other'; readonly name: string }
  /** Told to end, as we heard at `sinceNs`. */
  | { readonly kind: 'terminating'; readonly name: string; readonly sinceNs: number }
  | { readonly kind: 'nobody' }
  /** Somebody else's cluster may have it, or nobody told us of anybody who could. */
  | { readonly kind: 'not-ours' }
  /** Between two polls that differ, or before the first. */
  | { readonly kind: 'unknown' };

export interface Owners {
  of(target: TargetSeen, atNs: number): Owner;
  /** Pods and tasks in service that should be targets; null = not known at that instant. */
  ready(atNs: number): readonly EndpointSeen[] | null;
  /** Who last had it, by name. */
  lastOf(target: TargetSeen): string | null;
  /** Instants at which any of this may become another. */
  readonly breaksNs: readonly number[];
  /** Those without which nothing can be said. */
  readonly observers: ReadonlySet<string>;
  readonly pollNs: number;
  /** Somebody tells who should be behind the group. */
  readonly isKnown: boolean;
}

type EndpointsSeen = Timeline<readonly EndpointSeen[]>;

/** @param addresses of all targets that the group ever had: who has others does not matter */
export function newOwners(platforms: Platforms, group: GroupSeen, addresses: ReadonlySet<string>): Owners {
  const binding = platforms.bindings.get(group.arn);
  const isShared = binding?.isMultiCluster === true;
  const endpoints = endpointsOf(platforms, group);
  // Two clusters may have the same private addresses, so only platforms that have to do with this group are asked.
  const sides = new Set<Side>([group.side, ...endpoints.map(({ side }) => side)]);
  const clusters = new Set([
    ...(binding?.bound ?? []).map(({ cluster }) => cluster),
    ...endpoints.map(({ observer }) => clusterOf(observer)),
  ]);
  const asked = platforms.workloads.filter(({ observer, side }) =>
    binding === undefined ? sides.has(side) : clusters.has(clusterOf(observer)),
  );
  const workloads = asked.filter((one) => [...addressesOf(one)].some((address) => addresses.has(address)));
  const byAddress = new Map<string, Timeline<WorkloadSeen | null>[]>();
  for (const workload of workloads) {
    for (const address of addressesOf(workload)) {
      if (address !== '') byAddress.set(address, [...(byAddress.get(address) ?? []), workload]);
    }
  }
  const lastNames = lastNamesOf(endpoints);
  const ours = new Set<string>();
  const endsSinceNs = new Map<string, number>();
  const ends = (uid: string, fromNs: number): void => {
    if (!endsSinceNs.has(uid) || (endsSinceNs.get(uid) as number) > fromNs) endsSinceNs.set(uid, fromNs);
  };
  for (const { parts } of endpoints) {
    for (const { value, fromNs } of parts) {
      for (const endpoint of value) {
        ours.add(endpoint.uid);
        if (endpoint.isTerminating) ends(endpoint.uid, fromNs);
      }
    }
  }
  for (const { parts } of workloads) {
    for (const { value, fromNs } of parts) if (value?.state === 'terminating') ends(value.uid, fromNs);
  }
  // Of instances we know who is on them only where somebody says so (ECS), never behind a node port.
  const hasInstances = endpoints.some(({ parts }) =>
    parts.some(({ value }) => value.some(({ instanceId }) => instanceId !== null)),
  );
  const isJudged = group.targetType === 'ip' || (group.targetType === 'instance' && hasInstances);
  const used = [...endpoints, ...workloads];
  const placed = newPlaces();

  function endpointAt(target: TargetSeen, atNs: number): EndpointSeen | 'none' | 'unknown' {
    let isUnknown = false;
    let ending: EndpointSeen | null = null;
    for (const timeline of endpoints) {
      const seen = valueAt(timeline, atNs);
      if (seen.kind !== 'known') {
        isUnknown = true;
        continue;
      }
      const found = placed(seen.value, target);
      const live = found.find(({ isTerminating }) => !isTerminating);
      if (live !== undefined) return live;
      ending ??= found[0] ?? null;
    }
    return isUnknown ? 'unknown' : (ending ?? 'none');
  }

  function workloadAt(address: string, atNs: number): WorkloadSeen | 'none' | 'unknown' {
    let isUnknown = false;
    let ending: WorkloadSeen | null = null;
    for (const timeline of byAddress.get(address) ?? []) {
      const seen = valueAt(timeline, atNs);
      if (seen.kind === 'between') isUnknown = true;
      if (seen.kind !== 'known' || seen.value === null || seen.value.state === 'gone') continue;
      if (seen.value.address !== address) continue;
      if (seen.value.state !== 'terminating') return seen.value;
      ending = seen.value;
    }
    return isUnknown ? 'unknown' : (ending ?? 'none');
  }

  const terminating = (uid: string, name: string, atNs: number): Owner => ({
    kind: 'terminating',
    name,
    sinceNs: endsSinceNs.get(uid) ?? atNs,
  });

  function of(target: TargetSeen, atNs: number): Owner {
    if (!isJudged) return { kind: 'not-ours' };
    const endpoint = endpointAt(target, atNs);
    if (endpoint === 'unknown') return { kind: 'unknown' };
    if (endpoint !== 'none') {
      if (endpoint.isTerminating) return terminating(endpoint.uid, endpoint.name, atNs);
      return { kind: 'live', name: endpoint.name };
    }
    const workload = workloadAt(target.id, atNs);
    if (workload === 'unknown') return { kind: 'unknown' };
    const wasOurs = lastOf(target) !== null;
    if (workload === 'none') {
      const isForeign = isShared || endpoints.length === 0;
      return isForeign && !wasOurs ? { kind: 'not-ours' } : { kind: 'nobody' };
    }
    if (endpoints.length === 0 || ours.has(workload.uid)) {
      if (workload.state === 'terminating') return terminating(workload.uid, workload.name, atNs);
      return { kind: 'live', name: workload.name };
    }
    return isShared && !wasOurs ? { kind: 'not-ours' } : { kind: 'other', name: workload.name };
  }

  function lastOf(target: TargetSeen): string | null {
    const name = lastNames.get(`${target.id} ${String(target.port)}`) ?? lastNames.get(target.id);
    if (name !== undefined) return name;
    if (endpoints.length > 0) return null;
    const names = (byAddress.get(target.id) ?? []).flatMap(({ parts }) =>
      parts.flatMap(({ value }) => value?.name ?? []),
    );
    return names.at(-1) ?? null;
  }

  return {
    of,
    ready(atNs) {
      if (!isJudged || group.targetType !== 'ip') return null;
      const all = endpoints.map((timeline) => valueAt(timeline, atNs));
      if (all.some(({ kind }) => kind !== 'known')) return null;
      const known = all.flatMap((seen) => (seen.kind === 'known' ? seen.value : []));
      return known.filter((endpoint) => endpoint.isReady && !endpoint.isTerminating);
    },
    lastOf,
    breaksNs: [
      ...used.flatMap(({ parts }) => parts.flatMap(({ fromNs, untilNs }) => [fromNs, untilNs])),
      ...[...endsSinceNs.values()].map((ns) => ns + lagMaxNs),
    ],
    observers: new Set([...endpoints, ...asked].map(({ observer }) => observer)),
    pollNs: used.reduce((most, { pollNs }) => Math.max(most, pollNs), 0),
    isKnown: isJudged && (endpoints.length > 0 || asked.length > 0),
  };
}

/** "Normal 10–15 s, longer means trouble" (kubernetes#93713): from the end of a pod to that of its target. */
export const lagMaxNs = 15_000_000_000;

/**
 * Those of a list that are at a target; each list is read once, for there may be thousands of both. An address is its target
 * whatever the port: a port of another name is no reason to accuse anybody.
 */
function newPlaces(): (endpoints: readonly EndpointSeen[], target: TargetSeen) => readonly EndpointSeen[] {
  const read = new WeakMap<readonly EndpointSeen[], ReadonlyMap<string, readonly EndpointSeen[]>>();
  return (endpoints, { id, port }) => {
    const places = read.get(endpoints) ?? placesOf(endpoints);
    read.set(endpoints, places);
    return places.get(`${id} ${String(port)}`) ?? places.get(id) ?? [];
  };
}

/** By address, and by `instance port`. */
function placesOf(endpoints: readonly EndpointSeen[]): ReadonlyMap<string, readonly EndpointSeen[]> {
  const places = new Map<string, EndpointSeen[]>();
  for (const endpoint of endpoints) {
    const { address, instanceId, ports } = endpoint;
    const names = [
      ...(address === '' ? [] : [address]),
      ...ports.map((port) => `${String(instanceId)} ${String(port)}`),
    ];
    for (const name of names) {
      const own = places.get(name);
      if (own === undefined) places.set(name, [endpoint]);
      else own.push(endpoint);
    }
  }
  return places;
}

/** What is bound is of the cluster that binds it; what a tag alone names is rather of the group's side. */
function endpointsOf({ bindings, endpoints }: Platforms, { arn, owner, side }: GroupSeen): readonly EndpointsSeen[] {
  const bound = bindings.get(arn)?.bound ?? [];
  const ofBound = bound.flatMap(({ cluster, service }) =>
    (endpoints.get(service) ?? []).filter(({ observer }) => clusterOf(observer) === cluster),
  );
  if (owner === null || bound.some(({ service }) => service === owner)) return ofBound;
  const ofOwner = endpoints.get(owner) ?? [];
  const ofSide = ofOwner.filter((one) => one.side === side);
  return [...ofBound, ...(ofSide.length > 0 ? ofSide : ofOwner)];
}

/** By `address`, and by `instance port`: who was last there; the first timeline that knows of anybody tells. */
function lastNamesOf(endpoints: readonly EndpointsSeen[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { parts } of endpoints.toReversed()) {
    for (const { value } of parts) {
      for (const { address, instanceId, ports, name } of value.toReversed()) {
        if (address !== '') names.set(address, name);
        if (instanceId !== null) for (const port of ports) names.set(`${instanceId} ${String(port)}`, name);
      }
    }
  }
  return names;
}

function addressesOf({ parts }: Timeline<WorkloadSeen | null>): ReadonlySet<string> {
  return new Set(parts.flatMap(({ value }) => value?.address ?? []));
}
