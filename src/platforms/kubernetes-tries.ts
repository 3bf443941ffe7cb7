/** Each permission that a side's `kubernetes` needs, tried once by the request that a run would make. */
import type { KubernetesSpec } from '../core/platform.ts';
import type { Clock } from '../core/ports.ts';
import { mayAsk, type Asked } from './kubernetes-api.ts';
import { newKubernetesLogin } from './kubernetes-login.ts';
import type { RequestPorts } from './kubernetes-request.ts';
import { helmRevisions, kinds, resourcesOf } from './kubernetes-resources.ts';
import { isHopeless, isSilent, triedOf, type Tried } from './tried.ts';

export interface KubernetesTriesOptions {
  readonly spec: KubernetesSpec;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * `list pods`, `watch pods` …, `list secrets` last. It ends with the first that shows that all others would end in the same
 * way: nothing can be asked there, or not as who we are.
 */
export async function tryKubernetes({ spec, clock, signal }: KubernetesTriesOptions): Promise<readonly Tried[]> {
  const ports = { login: newKubernetesLogin({ spec, clock }), clock };
  const all: Tried[] = [];
  const resources = resourcesOf(spec.namespace);
  for (const resource of kinds.map((kind) => resources[kind])) {
    for (const verb of ['list', 'watch'] as const) {
      const tried = await tryOne(ports, { resource, verb, signal });
      all.push(tried);
      if (isHopeless(tried) || isSilent(tried)) return all;
    }
  }
  return [...all, await tryOne(ports, { resource: helmRevisions(spec.namespace), verb: 'list', signal })];
}

async function tryOne(ports: RequestPorts, asked: Asked): Promise<Tried> {
  const { name, group } = asked.resource;
  return triedOf(`${asked.verb} ${group === '' ? name : `${name}.${group}`}`, await mayAsk(ports, asked));
}
