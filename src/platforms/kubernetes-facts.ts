/**
 * From objects to facts. A fact may have several objects behind it (a service's endpoints have its slices, a schedule has its
 * Jobs), so each object that changes names the subjects it is about, and a subject is told when its fact is another.
 */
import type { KubernetesSpec, PlatformFact } from '../core/platform.ts';
import type { Item } from './kubernetes-api.ts';
import { mergedEndpoints } from './kubernetes-objects.ts';
import type { Kind, Kinds } from './kubernetes-resources.ts';
import { scheduleSeen } from './kubernetes-schedules.ts';

export interface NewFact {
  readonly fact: PlatformFact;
  /** When the object behind it was last written, by the API server's clock. */
  readonly theirAtMs: number | null;
}

/** Each returns the facts that are other than told before. */
export interface KubernetesFacts {
  /** All there is of a kind: what is not among it is no more. */
  listed<K extends Kind>(kind: K, items: ReadonlyMap<string, Item<Kinds[K]>>): readonly NewFact[];
  /** null: deleted. */
  changed<K extends Kind>(kind: K, name: string, item: Item<Kinds[K]> | null): readonly NewFact[];
  /** Nothing waits for it any longer. */
  notListed(kind: Kind): readonly NewFact[];
}

type SubjectKind = 'endpoints' | 'workload' | 'rollout' | 'binding' | 'ingress' | 'schedule';

interface Subject {
  readonly kind: SubjectKind;
  /** Of the object; of endpoints the service's, without namespace. */
  readonly name: string;
}

export function newKubernetesFacts({ namespace, services, cronJobs }: KubernetesSpec): KubernetesFacts {
  const seen: { readonly [K in Kind]: Map<string, Kinds[K]> } = {
    ingresses: new Map(),
    targetgroupbindings: new Map(),
    endpointslices: new Map(),
    pods: new Map(),
    deployments: new Map(),
    cronjobs: new Map(),
    jobs: new Map(),
  };
  const isListed = new Set<Kind>();
  const isRefused = new Set<Kind>();
  /** By subject; the fact as text. */
  const told = new Map<string, string>();
  const touched = new Map<string, { readonly subject: Subject; readonly theirAtMs: number | null }>();

  const subjectsOf: { readonly [K in Kind]: (object: Kinds[K], name: string) => readonly Subject[] } = {
    ingresses: ({ routes }, name) => [{ kind: 'ingress', name }, ...routes.map(({ service }) => endpointsOf(service))],
    targetgroupbindings: ({ service }, name) => [{ kind: 'binding', name }, endpointsOf(service)],
    endpointslices: ({ service }) => [{ kind: 'endpoints', name: service }],
    pods: (_, name) => [{ kind: 'workload', name }],
    deployments: (_, name) => [{ kind: 'rollout', name }],
    cronjobs: (_, name) => [{ kind: 'schedule', name }],
    jobs: ({ cronJob }) => (cronJob === null ? [] : [{ kind: 'schedule', name: cronJob }]),
  };

  function endpointsOf(service: string): Subject {
    return { kind: 'endpoints', name: service.slice(namespace.length + 1) };
  }

  // ── what changed ──

  function put<K extends Kind>(kind: K, name: string, item: Item<Kinds[K]> | null): void {
    const before = seen[kind].get(name);
    if (item === null) seen[kind].delete(name);
    else seen[kind].set(name, item.seen);
    if (before !== undefined)
      for (const subject of subjectsOf[kind](before, name)) touch(subject, item?.theirAtMs ?? null);
    if (item !== null) for (const subject of subjectsOf[kind](item.seen, name)) touch(subject, item.theirAtMs);
  }

  function touch(subject: Subject, theirAtMs: number | null): void {
    const key = `${subject.kind} ${subject.name}`;
    const latest = Math.max(theirAtMs ?? -Infinity, touched.get(key)?.theirAtMs ?? -Infinity);
    touched.set(key, { subject, theirAtMs: latest === -Infinity ? null : latest });
  }

  // ── what is so ──

  function isInScope(service: string): boolean {
    if (services.length > 0) return services.includes(service);
    // Where nobody may tell us what leads to services, all of them are looked at.
    if (isRefused.has('ingresses') && isRefused.has('targetgroupbindings')) return true;
    const isIt = (name: string): boolean => name === `${namespace}/${service}`;
    return (
      [...seen.targetgroupbindings.values()].some((binding) => isIt(binding.service)) ||
      [...seen.ingresses.values()].some(({ routes }) => routes.some((route) => isIt(route.service)))
    );
  }

  /** null = there is none. */
  function factOf({ kind, name }: Subject): PlatformFact | null {
    switch (kind) {
      case 'endpoints': {
        if (!isListed.has('endpointslices') || !isInScope(name)) return null;
        const slices = [...seen.endpointslices.values()].filter(({ service }) => service === name);
        return { kind, service: `${namespace}/${name}`, endpoints: mergedEndpoints(slices) };
      }
      case 'workload': {
        const workload = seen.pods.get(name);
        return workload === undefined ? null : { kind, workload };
      }
      case 'rollout': {
        const rollout = seen.deployments.get(name);
        return rollout === undefined ? null : { kind, rollout };
      }
      case 'binding': {
        const binding = seen.targetgroupbindings.get(name);
        return binding === undefined ? null : { kind, binding };
      }
      case 'ingress': {
        const ingress = seen.ingresses.get(name);
        return ingress === undefined ? null : { kind, ingress };
      }
      case 'schedule': {
        const cronJob = seen.cronjobs.get(name);
        if (cronJob === undefined || (cronJobs.length > 0 && !cronJobs.includes(name))) return null;
        return { kind, schedule: scheduleSeen(cronJob, seen.jobs) };
      }
    }
  }

  // ── what is new of it ──

  function tell(): readonly NewFact[] {
    const facts: NewFact[] = [];
    for (const [key, { subject, theirAtMs }] of touched) {
      const fact = factOf(subject);
      if (fact !== null) {
        const text = JSON.stringify(fact);
        if (told.get(key) === text) continue;
        told.set(key, text);
        facts.push({ fact, theirAtMs });
      } else if (told.delete(key) && subject.kind !== 'endpoints') {
        facts.push({ fact: { kind: 'gone', was: subject.kind, name: subject.name }, theirAtMs: null });
      }
    }
    touched.clear();
    return facts;
  }

  return {
    listed(kind, items) {
      isListed.add(kind);
      isRefused.delete(kind);
      for (const name of seen[kind].keys()) if (!items.has(name)) put(kind, name, null);
      for (const [name, item] of items) put(kind, name, item);
      if (kind === 'endpointslices') for (const name of namedServices()) touch({ kind: 'endpoints', name }, null);
      return tell();
    },
    changed(kind, name, item) {
      put(kind, name, item);
      return tell();
    },
    notListed(kind) {
      isRefused.add(kind);
      for (const { service } of seen.endpointslices.values()) touch({ kind: 'endpoints', name: service }, null);
      return tell();
    },
  };

  /** A service without a slice has no endpoints, which is worth knowing, too. */
  function namedServices(): readonly string[] {
    const bindings = [...seen.targetgroupbindings.values()].map(({ service }) => service);
    const routes = [...seen.ingresses.values()].flatMap((ingress) => ingress.routes.map(({ service }) => service));
    return [...services, ...[...bindings, ...routes].map((service) => endpointsOf(service).name)];
  }
}
