/**
 * What the Kubernetes API says of a side's namespace, followed as it changes. Each resource is an observer of its own
 * (`kubernetes:new/pods`): one that we may not read is blind, and the others see.
 */
import type { Entry } from '../core/entry.ts';
import type { KubernetesSpec } from '../core/platform.ts';
import type { Clock, Random } from '../core/ports.ts';
import type { Side } from '../core/scenario.ts';
import { newKubernetesApi, type KubernetesApi } from './kubernetes-api.ts';
import { newKubernetesFacts, type KubernetesFacts, type NewFact } from './kubernetes-facts.ts';
import { follow, type Heard } from './kubernetes-follow.ts';
import { newKubernetesLogin } from './kubernetes-login.ts';
import { isAbsent, kinds, resourcesOf, type Kind } from './kubernetes-resources.ts';
import { newSight } from './sight.ts';
import type { NotTold } from './told.ts';

export interface KubernetesObserverOptions {
  readonly side: Side;
  readonly spec: KubernetesSpec;
  readonly clock: Clock;
  readonly random: Random;
  readonly entry: (entry: Entry) => void;
}

export interface KubernetesObserver {
  /** Never rejects; ends when each resource was listed once, or could not be. */
  start(): Promise<void>;
  /** Nothing is told afterwards; ends when every connection is closed. */
  stop(): Promise<void>;
}

export function newKubernetesObserver(options: KubernetesObserverOptions): KubernetesObserver {
  const { spec, clock } = options;
  const stopped = new AbortController();
  const api = newKubernetesApi({ login: newKubernetesLogin({ spec, clock }), clock });
  const facts = newKubernetesFacts(spec);
  let following: readonly Promise<void>[] = [];
  return {
    async start() {
      const begun = kinds.map((kind) => observe(options, { kind, api, facts, signal: stopped.signal }));
      following = begun.map(({ ended }) => ended);
      await Promise.all(begun.map(({ ready }) => ready));
    },
    async stop() {
      stopped.abort();
      await Promise.all(following);
    },
  };
}

interface Observed<K extends Kind> {
  readonly kind: K;
  readonly api: KubernetesApi;
  readonly facts: KubernetesFacts;
  readonly signal: AbortSignal;
}

interface Observing {
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
}

function observe<K extends Kind>(
  options: KubernetesObserverOptions,
  { kind, api, facts, signal }: Observed<K>,
): Observing {
  const { side, spec, clock, random } = options;
  const observer = `kubernetes:${side}/${kind}`;
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const entry = (one: Entry): void => {
    if (!signal.aborted) options.entry(one);
  };
  const tell = (news: readonly NewFact[], heard: Heard): void => {
    for (const { fact, theirAtMs } of news) {
      const { sentAtNs, receivedAtNs: atNs, previousAtNs: previousSentAtNs } = heard;
      entry({ type: 'platform-seen', atNs, observer, side, fact, sentAtNs, previousSentAtNs, sameCount: 0, theirAtMs });
    }
  };
  const sight = newSight({ clock, entry, observer, side, what: `${kind} of namespace ${spec.namespace}` });

  const notListed = (error: NotTold): 'again' | 'never' => {
    const nowNs = clock.nowNs();
    // What a broken connection hides may come yet; what we may not see will not.
    if (error.reason === 'denied' || error.reason === 'missing') {
      tell(facts.notListed(kind), { sentAtNs: nowNs, receivedAtNs: nowNs, previousAtNs: null });
    }
    resolve();
    if (!isAbsent(kind, error)) return 'again';
    entry({ type: 'noted', atNs: nowNs, text: `${observer}: this cluster has no TargetGroupBindings` });
    return 'never';
  };
  const following = follow({
    api,
    resource: resourcesOf(spec.namespace)[kind],
    clock,
    random,
    sight,
    signal,
    listed: (items, heard) => {
      tell(facts.listed(kind, items), heard);
      resolve();
    },
    changed: (name, item, heard) => tell(facts.changed(kind, name, item), heard),
    notListed,
  });
  // Whatever else fails in here must not end a run: it can no longer see, and says so.
  const ended = following.catch((error: unknown) => {
    const name = error instanceof Error ? error.name : typeof error;
    sight.cannotSee(`what the API server of Kubernetes said of ${kind} could not be read (${name})`);
  });
  return { ready, ended: ended.finally(resolve) };
}
