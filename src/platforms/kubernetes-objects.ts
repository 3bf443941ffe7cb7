/**
 * Objects of Kubernetes as facts: EndpointSlices, Pods, Ingresses and TargetGroupBindings. Each takes what came over the
 * network, and gives null where it is not even an object with a name. Fields and their meaning where they are left out:
 * domain facts D.3.
 */
import type { BindingSeen, EndpointSeen, IngressSeen, WorkloadSeen } from '../core/platform.ts';
import { at, boolAt, countAt, instantMsAt, listAt, numberAt, textAt, textOrNullAt } from './kubernetes-json.ts';

export function nameOf(object: unknown): string {
  return textAt(object, 'metadata', 'name');
}

/**
 * When it last became other than it was, by the API server's clock, in whole seconds: the last write that an owner of
 * fields made, else its creation.
 */
export function changedAtMs(object: unknown): number | null {
  const writes = listAt(object, 'metadata', 'managedFields').map((entry) => instantMsAt(entry, 'time'));
  const last = [...writes, instantMsAt(object, 'metadata', 'creationTimestamp')].filter((ms) => ms !== null);
  return last.length === 0 ? null : Math.max(...last);
}

/** The object that manages it, where there is one. */
export function controllerOf(object: unknown): { readonly kind: string; readonly name: string } | null {
  const owner = listAt(object, 'metadata', 'ownerReferences').find((entry) => at(entry, 'controller') === true);
  return owner === undefined ? null : { kind: textAt(owner, 'kind'), name: textAt(owner, 'name') };
}

export function conditionOf(object: unknown, type: string): unknown {
  return listAt(object, 'status', 'conditions').find((condition) => at(condition, 'type') === type);
}

// ── endpoints ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** One slice: a service may have several, for more than 100 endpoints, for IPv6, and while they are rearranged. */
export interface SliceSeen {
  /** The service's name, without namespace. */
  readonly service: string;
  readonly endpoints: readonly EndpointSeen[];
}

export function sliceSeen(object: unknown): SliceSeen | null {
  const service = textAt(object, 'metadata', 'labels', 'kubernetes.io/service-name');
  if (service === '') return null;
  const ports = listAt(object, 'ports').flatMap((entry) => numberAt(entry, 'port') ?? []);
  return { service, endpoints: listAt(object, 'endpoints').flatMap((entry) => endpointSeen(entry, ports) ?? []) };
}

function endpointSeen(entry: unknown, ports: readonly number[]): EndpointSeen | null {
  // The addresses of an endpoint are interchangeable, and consumers use the first.
  const address = listAt(entry, 'addresses')[0];
  if (typeof address !== 'string' || address === '') return null;
  return {
    address: address.slice(0, 253),
    instanceId: null,
    ports: ports.toSorted((a, b) => a - b),
    name: textAt(entry, 'targetRef', 'name'),
    uid: textAt(entry, 'targetRef', 'uid'),
    isReady: boolAt(entry, 'conditions', 'ready') ?? true,
    isServing: boolAt(entry, 'conditions', 'serving') ?? true,
    isTerminating: boolAt(entry, 'conditions', 'terminating') ?? false,
    zone: textOrNullAt(entry, 'zone'),
  };
}

/**
 * All endpoints of a service, by address. While slices are rearranged an endpoint stands in two of them, in one as it was:
 * it is ready if either says so, and terminating only if both do.
 */
export function mergedEndpoints(slices: readonly SliceSeen[]): readonly EndpointSeen[] {
  const merged = new Map<string, EndpointSeen>();
  for (const endpoint of slices.flatMap(({ endpoints }) => endpoints)) {
    const key = `${endpoint.address} ${endpoint.uid}`;
    const other = merged.get(key);
    merged.set(key, other === undefined ? endpoint : bothOf(other, endpoint));
  }
  return [...merged].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}

function bothOf(one: EndpointSeen, other: EndpointSeen): EndpointSeen {
  return {
    ...one,
    ports: [...new Set([...one.ports, ...other.ports])].toSorted((a, b) => a - b),
    isReady: one.isReady || other.isReady,
    isServing: one.isServing || other.isServing,
    isTerminating: one.isTerminating && other.isTerminating,
  };
}

// ── pods ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

export function podSeen(object: unknown): WorkloadSeen | null {
  const name = nameOf(object);
  if (name === '') return null;
  const hash = textAt(object, 'metadata', 'labels', 'pod-template-hash');
  return {
    kind: 'pod',
    name,
    uid: textAt(object, 'metadata', 'uid'),
    address: textAt(object, 'status', 'podIP'),
    state: podState(object),
    isReady: textAt(conditionOf(object, 'Ready'), 'status') === 'True',
    endsSinceMs: podEndsSinceMs(object),
    hasTargetHealthGate: listAt(object, 'spec', 'readinessGates').some((gate) =>
      textAt(gate, 'conditionType').startsWith('target-health.'),
    ),
    owner: podOwner(object, hash),
    revision: hash || textOrNullAt(object, 'metadata', 'labels', 'controller-revision-hash'),
  };
}

function podState(object: unknown): WorkloadSeen['state'] {
  const phase = textAt(object, 'status', 'phase');
  // Its containers are gone for good, though it keeps its name and its last address.
  if (phase === 'Succeeded' || phase === 'Failed') return 'gone';
  if (textAt(object, 'metadata', 'deletionTimestamp') !== '') return 'terminating';
  return phase === 'Running' ? 'running' : 'pending';
}

/** `deletionTimestamp` is when the grace ends, not when the pod was told. */
function podEndsSinceMs(object: unknown): number | null {
  const graceEndsMs = instantMsAt(object, 'metadata', 'deletionTimestamp');
  if (graceEndsMs === null) return null;
  return graceEndsMs - 1000 * countAt(object, 'metadata', 'deletionGracePeriodSeconds');
}

/** A ReplicaSet of a Deployment is called after it and the hash of its template. */
function podOwner(object: unknown, hash: string): string | null {
  const owner = controllerOf(object);
  if (owner === null || owner.name === '') return null;
  const end = `-${hash}`;
  const isOfDeployment = owner.kind === 'ReplicaSet' && hash !== '' && owner.name.endsWith(end);
  return isOfDeployment ? owner.name.slice(0, -end.length) : owner.name;
}

// ── what leads to services ───────────────────────────────────────────────────────────────────────────────────────────

export function ingressSeen(object: unknown, namespace: string): IngressSeen | null {
  const name = nameOf(object);
  if (name === '') return null;
  const service = (backend: unknown): string => {
    const backendName = textAt(backend, 'service', 'name');
    return backendName === '' ? '' : `${namespace}/${backendName}`;
  };
  const routes = listAt(object, 'spec', 'rules').flatMap((rule) =>
    listAt(rule, 'http', 'paths').map((path) => ({
      host: textAt(rule, 'host'),
      path: textAt(path, 'path'),
      service: service(at(path, 'backend')),
    })),
  );
  const byDefault = { host: '', path: '', service: service(at(object, 'spec', 'defaultBackend')) };
  return {
    name,
    controller:
      textOrNullAt(object, 'spec', 'ingressClassName') ??
      textOrNullAt(object, 'metadata', 'annotations', 'kubernetes.io/ingress.class'),
    // Backends that are no services (resources of a controller's own) lead to nobody we know.
    routes: [...routes, byDefault].filter((route) => route.service !== ''),
    loadBalancerNames: listAt(object, 'status', 'loadBalancer', 'ingress').flatMap(
      (entry) => textAt(entry, 'hostname') || textAt(entry, 'ip') || [],
    ),
  };
}

export function bindingSeen(object: unknown, namespace: string): BindingSeen | null {
  const name = nameOf(object);
  const service = textAt(object, 'spec', 'serviceRef', 'name');
  if (name === '' || service === '') return null;
  const port = at(object, 'spec', 'serviceRef', 'port');
  return {
    name,
    // Empty where it is given by name and the controller has not filled it in yet.
    groupArn: textAt(object, 'spec', 'targetGroupARN'),
    targetType: textAt(object, 'spec', 'targetType') === 'instance' ? 'instance' : 'ip',
    service: `${namespace}/${service}`,
    servicePort: typeof port === 'number' ? String(port) : textAt(object, 'spec', 'serviceRef', 'port'),
    isMultiCluster: boolAt(object, 'spec', 'multiClusterTargetGroup') ?? false,
  };
}
