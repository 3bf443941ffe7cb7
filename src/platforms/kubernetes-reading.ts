/** What Kubernetes says of a namespace now, once: for the playbook's checks. */
import type { KubernetesSpec, PlatformFact } from '../core/platform.ts';
import type { Clock } from '../core/ports.ts';
import { newKubernetesApi } from './kubernetes-api.ts';
import { newKubernetesFacts } from './kubernetes-facts.ts';
import { helmReleases } from './kubernetes-helm.ts';
import { newKubernetesLogin } from './kubernetes-login.ts';
import { helmRevisions, isAbsent, kinds, resourcesOf, type Kind, type Kinds } from './kubernetes-resources.ts';
import type { NotTold } from './told.ts';

export interface KubernetesReading {
  readonly facts: readonly PlatformFact[];
  /** What could not be read: nothing is known of it. A resource that the cluster does not have is none of them. */
  readonly problems: readonly KubernetesProblem[];
}

export interface KubernetesProblem {
  /** `secrets` are those of Helm's releases, of which names and labels are read. */
  readonly resource: Kind | 'secrets';
  readonly reason: NotTold['reason'];
  readonly why: string;
}

export interface ReadOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export async function readKubernetes(spec: KubernetesSpec, { clock, signal }: ReadOptions): Promise<KubernetesReading> {
  const api = newKubernetesApi({ login: newKubernetesLogin({ spec, clock }), clock });
  const facts = newKubernetesFacts(spec);
  const resources = resourcesOf(spec.namespace);
  const found: PlatformFact[] = [];
  const problems: KubernetesProblem[] = [];

  async function read<K extends Kind>(kind: K): Promise<() => void> {
    const list = await api.list<Kinds[K]>(resources[kind], signal);
    return () => {
      const news = list.kind === 'told' ? facts.listed(kind, list.value.items) : facts.notListed(kind);
      found.push(...news.map(({ fact }) => fact));
      if (list.kind === 'not-told' && !isAbsent(kind, list)) problems.push({ resource: kind, ...reasonOf(list) });
    };
  }

  const [helm, ...reads] = await Promise.all([api.list(helmRevisions(spec.namespace), signal), ...kinds.map(read)]);
  for (const tell of reads) tell();
  if (helm.kind === 'told') {
    const revisions = [...helm.value.items.values()].map(({ seen }) => seen);
    for (const release of helmReleases(revisions)) found.push({ kind: 'helm-release', release });
  } else {
    problems.push({ resource: 'secrets', ...reasonOf(helm) });
  }
  return { facts: found, problems };
}

function reasonOf({ reason, why }: NotTold): Pick<KubernetesProblem, 'reason' | 'why'> {
  return { reason, why };
}
