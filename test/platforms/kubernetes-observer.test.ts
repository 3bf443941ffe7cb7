/** The whole observer against an API server of ours: what it tells, and what it says when it cannot see. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Entry, EntryOf } from '../../src/core/entry.ts';
import type { KubernetesSpec, PlatformFact } from '../../src/core/platform.ts';
import { newRandom } from '../../src/core/random.ts';
import { newClock } from '../../src/net/clock.ts';
import { newKubernetesObserver, type KubernetesObserver } from '../../src/platforms/kubernetes-observer.ts';
import { waitUntil } from '../real/servers/wait-until.ts';
import { FakeKubernetes, type FakeKubernetesOptions, type FakeObject } from './fake-kubernetes.ts';
import { newFasterClock } from './faster-clock.ts';
import { writeKubeconfig, type Kubeconfig } from './kubeconfig.ts';

/** Ten seconds pass in one. */
const clock = newFasterClock(newClock(process.hrtime.bigint()), 10);

interface Stage {
  readonly fake: FakeKubernetes;
  readonly config: Kubeconfig;
  readonly observer: KubernetesObserver;
  readonly entries: Entry[];
}

let stages: Stage[] = [];

afterEach(async () => {
  for (const { observer, fake, config } of stages) {
    await observer.stop();
    await fake.stop();
    config[Symbol.dispose]();
  }
  stages = [];
});

interface StageOptions extends FakeKubernetesOptions {
  readonly spec?: Partial<KubernetesSpec>;
  readonly user?: object;
}

async function stage({ spec, user, ...options }: StageOptions = {}): Promise<Stage> {
  const fake = await FakeKubernetes.start(options);
  const config = writeKubeconfig({ server: fake.url, ...(user === undefined ? {} : { user }) });
  const entries: Entry[] = [];
  const observer = newKubernetesObserver({
    side: 'new',
    spec: { ...config.spec, ...spec },
    clock,
    random: newRandom(7, 'pauses'),
    entry: (entry) => entries.push(entry),
  });
  const made = { fake, config, observer, entries };
  stages.push(made);
  return made;
}

/** Started, and every watch is open. */
async function started(options: StageOptions = {}, watchCount = 7): Promise<Stage> {
  const made = await stage(options);
  await made.observer.start();
  await waitUntil('every watch is open', () => made.fake.watchCount === watchCount);
  return made;
}

const seenOf = (entries: readonly Entry[]): readonly EntryOf<'platform-seen'>[] =>
  entries.filter((entry) => entry.type === 'platform-seen');
const factsOf = (entries: readonly Entry[]): readonly PlatformFact[] => seenOf(entries).map(({ fact }) => fact);

/** Of one resource: what was said of whether it sees. */
function sightOf(entries: readonly Entry[], resource: string): readonly string[] {
  return entries.flatMap((entry) =>
    (entry.type === 'observer-blinded' || entry.type === 'observer-recovered') &&
    entry.observer === `kubernetes:new/${resource}`
      ? entry.type
      : [],
  );
}

function pod(name: string, address: string, metadata: object = {}): FakeObject {
  return { metadata: { name, ...metadata }, status: { phase: 'Running', podIP: address } };
}

function slice(name: string, addresses: readonly string[], service = 'orders'): FakeObject {
  return {
    metadata: { name, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: [{ name: 'http', port: 8080 }],
  };
}

const binding: FakeObject = {
  metadata: { name: 'k8s-shop' },
  spec: { targetGroupARN: 'arn:a', targetType: 'ip', serviceRef: { name: 'payments', port: 80 } },
};

const addressesOf = (facts: readonly PlatformFact[]): readonly unknown[] =>
  facts.flatMap((fact) =>
    fact.kind === 'endpoints' ? [[fact.service, ...fact.endpoints.map(({ address }) => address)]] : [],
  );

test('what there is is told at the start, with when it was asked for and when it came', async () => {
  const { fake, observer, entries } = await stage();
  fake.put('pods', pod('a', '10.0.0.1', { creationTimestamp: '2026-11-20T10:00:07Z' }));
  fake.put('endpointslices', slice('orders-1', ['10.0.0.1']));
  fake.put('endpointslices', slice('other-1', ['10.0.0.7'], 'other'));
  fake.put('deployments', { metadata: { name: 'orders', generation: 1 }, spec: { replicas: 2 } });
  fake.put('cronjobs', { metadata: { name: 'nightly' }, spec: { schedule: '7 3 * * *', suspend: true } });
  fake.put('targetgroupbindings', binding);
  fake.put('ingresses', { metadata: { name: 'shop' }, spec: { ingressClassName: 'alb' } });
  await observer.start();
  const facts = factsOf(entries);
  expect(facts.map(({ kind }) => kind).toSorted()).toEqual(
    ['binding', 'endpoints', 'ingress', 'rollout', 'schedule', 'workload'].toSorted(),
  );
  // Of the services, those that the scenario names.
  expect(addressesOf(facts)).toEqual([['shop/orders', '10.0.0.1']]);
  const workload = seenOf(entries).find(({ fact }) => fact.kind === 'workload');
  expect(workload).toMatchObject({
    observer: 'kubernetes:new/pods',
    side: 'new',
    previousSentAtNs: null,
    sameCount: 0,
    theirAtMs: Date.parse('2026-11-20T10:00:07Z'),
  });
  expect(workload?.atNs).toBeGreaterThan(workload?.sentAtNs ?? Infinity);
  expect(entries.filter(({ type }) => type === 'observer-started')).toHaveLength(7);
  expect(entries.some(({ type }) => type === 'observer-blinded')).toBe(false);
});

test('a change is told when it comes, once, and only what is other than before', async () => {
  const { fake, entries } = await started();
  fake.put('pods', pod('a', '10.0.0.1'));
  fake.put('pods', pod('a', '10.0.0.1', { annotations: { seen: 'again' } }));
  fake.put('pods', pod('a', '10.0.0.1', { deletionTimestamp: '2026-11-20T10:00:37Z', deletionGracePeriodSeconds: 30 }));
  fake.delete('pods', 'a');
  await waitUntil('it is gone', () => factsOf(entries).some(({ kind }) => kind === 'gone'));
  const states = factsOf(entries).flatMap((fact): readonly unknown[] => {
    if (fact.kind === 'workload') return [[fact.workload.state, fact.workload.endsSinceMs]];
    return fact.kind === 'gone' ? [[fact.was, fact.name]] : [];
  });
  expect(states).toEqual([
    ['running', null],
    ['terminating', Date.parse('2026-11-20T10:00:07Z')],
    ['workload', 'a'],
  ]);
});

test('the endpoints of a service are those of all its slices, at every change; with none left it has none', async () => {
  const { fake, entries } = await started();
  const told = (): readonly unknown[] => addressesOf(factsOf(entries));
  expect(told()).toEqual([['shop/orders']]);
  fake.put('endpointslices', slice('orders-1', ['10.0.0.1']));
  fake.put('endpointslices', slice('orders-2', ['10.0.0.2']));
  fake.delete('endpointslices', 'orders-1');
  fake.delete('endpointslices', 'orders-2');
  await waitUntil('all is told', () => told().length === 5);
  expect(told().slice(1)).toEqual([
    ['shop/orders', '10.0.0.1'],
    ['shop/orders', '10.0.0.1', '10.0.0.2'],
    ['shop/orders', '10.0.0.2'],
    ['shop/orders'],
  ]);
});

test('without names of services, those that a binding or an Ingress leads to are looked at, from then on', async () => {
  const { fake, entries } = await started({ spec: { services: [] } });
  fake.put('endpointslices', slice('orders-1', ['10.0.0.1']));
  fake.put('endpointslices', slice('payments-1', ['10.0.0.2'], 'payments'));
  fake.put('targetgroupbindings', binding);
  await waitUntil('it is told', () => addressesOf(factsOf(entries)).length === 1);
  const backend = { service: { name: 'orders', port: { number: 80 } } };
  fake.put('ingresses', {
    metadata: { name: 'shop' },
    spec: { rules: [{ http: { paths: [{ path: '/', backend }] } }] },
  });
  await waitUntil('the other is told', () => addressesOf(factsOf(entries)).length === 2);
  expect(addressesOf(factsOf(entries))).toEqual([
    ['shop/payments', '10.0.0.2'],
    ['shop/orders', '10.0.0.1'],
  ]);
});

test('a schedule counts its Jobs that run, and only CronJobs in scope are told', async () => {
  const { fake, entries } = await started({ spec: { cronJobs: ['nightly'] } });
  const spec = { schedule: '7 3 * * *' };
  const ownerReferences = [{ kind: 'CronJob', name: 'nightly', controller: true }];
  fake.put('cronjobs', { metadata: { name: 'hourly' }, spec });
  fake.put('cronjobs', { metadata: { name: 'nightly' }, spec });
  const counts = (): readonly unknown[] =>
    factsOf(entries).flatMap((fact) =>
      fact.kind === 'schedule' ? [[fact.schedule.name, fact.schedule.activeCount]] : [],
    );
  await waitUntil('it is told', () => counts().length === 1);
  fake.put('jobs', { metadata: { name: 'nightly-1', ownerReferences } });
  await waitUntil('it runs', () => counts().length === 2);
  fake.put('jobs', {
    metadata: { name: 'nightly-1', ownerReferences },
    status: { conditions: [{ type: 'Complete', status: 'True' }] },
  });
  await waitUntil('it ended', () => counts().length === 3);
  expect(counts()).toEqual([
    ['nightly', 0],
    ['nightly', 1],
    ['nightly', 0],
  ]);
});

test('what we may not see is blind by itself, and says what is missing; the others see', async () => {
  const made = await stage();
  made.fake.refuse.set('deployments', 403);
  made.fake.put('pods', pod('a', '10.0.0.1'));
  await made.observer.start();
  expect(sightOf(made.entries, 'deployments')).toEqual(['observer-blinded']);
  expect(made.entries.find(({ type }) => type === 'observer-blinded')).toMatchObject({
    observer: 'kubernetes:new/deployments',
    why: 'not allowed to list and watch deployments.apps in namespace shop (403): give a Role with these verbs',
  });
  expect(factsOf(made.entries).some(({ kind }) => kind === 'workload')).toBe(true);
  expect(sightOf(made.entries, 'pods')).toEqual([]);
  // A Role comes.
  made.fake.refuse.clear();
  await waitUntil('it sees', () => sightOf(made.entries, 'deployments').length === 2);
});

test('where a connection is only broken, services wait for what leads to them', async () => {
  const { fake, observer, entries } = await stage({ spec: { services: [] } });
  fake.put('endpointslices', slice('orders-1', ['10.0.0.1']));
  fake.put('endpointslices', slice('payments-1', ['10.0.0.2'], 'payments'));
  fake.put('targetgroupbindings', binding);
  for (const resource of ['ingresses', 'targetgroupbindings'] as const) fake.refuse.set(resource, 500);
  await observer.start();
  expect(addressesOf(factsOf(entries))).toEqual([]);
  fake.refuse.clear();
  await waitUntil('it is told', () => addressesOf(factsOf(entries)).length > 0);
  expect(addressesOf(factsOf(entries))).toEqual([['shop/payments', '10.0.0.2']]);
});

test('without the load balancer controller there are no bindings, which is said once and is no gap', async () => {
  const { entries } = await started({ without: ['targetgroupbindings'] }, 6);
  expect(entries.filter(({ type }) => type === 'noted')).toHaveLength(1);
  expect(entries.some(({ type }) => type === 'observer-blinded')).toBe(false);
});

test('a cluster that is not there is blind from the start, until it is there', async () => {
  const { fake, observer, entries } = await stage();
  await fake.down();
  await observer.start();
  expect(sightOf(entries, 'pods')).toEqual(['observer-blinded']);
  await fake.listen();
  await waitUntil('it sees', () => sightOf(entries, 'pods').length === 2);
  expect(factsOf(entries).some(({ kind }) => kind === 'endpoints')).toBe(true);
});

test('connections that are cut go on where they were: nothing is lost, and it is no gap', async () => {
  const { fake, entries } = await started();
  fake.put('pods', pod('a', '10.0.0.1'));
  await waitUntil('it is told', () => seenOf(entries).some(({ fact }) => fact.kind === 'workload'));
  fake.say('{"type":"ADDED","object":{"kind":"Po');
  fake.cutConnections();
  fake.put('pods', pod('b', '10.0.0.2'));
  fake.delete('pods', 'a');
  await waitUntil('it is told', () => factsOf(entries).some(({ kind }) => kind === 'gone'));
  const late = seenOf(entries).at(-1);
  expect(late?.previousSentAtNs).toBeLessThan(late?.sentAtNs ?? 0);
  expect(entries.some(({ type }) => type === 'observer-blinded')).toBe(false);
  const lists = fake.asked.filter(({ resource, isWatch }) => resource === 'pods' && !isWatch);
  expect(lists).toHaveLength(1);
});

test('a server that is away for longer is a gap, and what happened meanwhile is told after it', async () => {
  const { fake, entries } = await started();
  fake.put('pods', pod('a', '10.0.0.1'));
  await fake.down();
  fake.delete('pods', 'a');
  await waitUntil('it is blind', () => sightOf(entries, 'pods').length === 1);
  await fake.listen();
  await waitUntil('it sees', () => sightOf(entries, 'pods').length === 2);
  await waitUntil('it is told', () => factsOf(entries).some(({ kind }) => kind === 'gone'));
});

test.for(['told in the stream', 'told when it is watched again'])(
  'when its version is too old, %s, what changed unseen is told with its bounds, and the gap is said',
  async (how) => {
    const { fake, entries } = await started();
    fake.put('pods', pod('a', '10.0.0.1'));
    fake.put('pods', pod('b', '10.0.0.2'));
    await waitUntil('they are told', () => factsOf(entries).filter(({ kind }) => kind === 'workload').length === 2);
    if (how === 'told in the stream') {
      fake.expire();
      fake.delete('pods', 'a');
    } else {
      fake.delete('pods', 'a', 'shop', 'silently');
      fake.forget();
      fake.closeWatches();
    }
    fake.put('pods', pod('c', '10.0.0.3'));
    await waitUntil('it sees again', () => sightOf(entries, 'pods').length === 2);
    await waitUntil('all is told', () => factsOf(entries).filter(({ kind }) => kind === 'workload').length === 3);
    expect(factsOf(entries).filter(({ kind }) => kind === 'gone')).toEqual([
      { kind: 'gone', was: 'workload', name: 'a' },
    ]);
    const gone = seenOf(entries).find(({ fact }) => fact.kind === 'gone');
    const blinded = entries.find(
      (entry) => entry.type === 'observer-blinded' && entry.observer === 'kubernetes:new/pods',
    );
    expect(blinded).toMatchObject({ sinceNs: gone?.previousSentAtNs });
    // What it said before, it does not say again.
    expect(factsOf(entries).filter((fact) => fact.kind === 'workload' && fact.workload.name === 'b')).toHaveLength(1);
  },
);

test('a token that has run out is renewed at once, and is no gap', async () => {
  const { fake, entries, config } = await stage();
  const tokenFile = join(config.folder, 'token');
  writeFileSync(tokenFile, 'one');
  const users = writeKubeconfig({
    server: fake.url,
    user: { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } },
  });
  const observer = newKubernetesObserver({
    side: 'old',
    spec: users.spec,
    clock,
    random: newRandom(7, 'pauses'),
    entry: (entry) => entries.push(entry),
  });
  fake.tokens = ['one'];
  await observer.start();
  await waitUntil('every watch is open', () => fake.watchCount === 7);
  writeFileSync(tokenFile, 'two');
  fake.tokens = ['two'];
  fake.cutConnections();
  await waitUntil(
    'every watch is open again',
    () => fake.asked.filter(({ isWatch, status }) => isWatch && status === 200).length === 14,
  );
  expect(fake.asked.some(({ status }) => status === 401)).toBe(true);
  expect(entries.some(({ type }) => type === 'observer-blinded')).toBe(false);
  await observer.stop();
  users[Symbol.dispose]();
});

test('nothing is contacted but the server of the context, and of it only what is looked at', async () => {
  const { fake } = await started();
  expect(new Set(fake.asked.map(({ path }) => path))).toEqual(
    new Set([
      '/apis/networking.k8s.io/v1/namespaces/shop/ingresses',
      '/apis/elbv2.k8s.aws/v1beta1/namespaces/shop/targetgroupbindings',
      '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices',
      '/api/v1/namespaces/shop/pods',
      '/apis/apps/v1/namespaces/shop/deployments',
      '/apis/batch/v1/namespaces/shop/jobs',
      '/apis/batch/v1/namespaces/shop/cronjobs',
    ]),
  );
});

test('stopped, it is silent, and every connection is closed', async () => {
  const { fake, observer, entries } = await started();
  await observer.stop();
  const count = entries.length;
  await waitUntil('nothing is connected', () => fake.connectionCount === 0);
  fake.put('pods', pod('a', '10.0.0.1'));
  expect(entries).toHaveLength(count);
});

test('stopped while it starts, it ends', async () => {
  const { fake, observer } = await stage();
  fake.isMute = true;
  const starting = observer.start();
  await waitUntil('it is asked', () => fake.connectionCount > 0);
  await observer.stop();
  await starting;
});

test('objects of any shape end nothing', async () => {
  const { fake, entries } = await started();
  const odd = [{ status: 7 }, { status: { phase: ['x'], conditions: {} } }, { spec: { readinessGates: 'x' } }];
  for (const [i, one] of odd.entries())
    fake.put('pods', { metadata: { name: `odd-${i}`, ownerReferences: 'x' }, ...one });
  fake.put('pods', pod('a', '10.0.0.1'));
  await waitUntil('all are told', () => factsOf(entries).filter(({ kind }) => kind === 'workload').length === 4);
  expect(entries.some(({ type }) => type === 'observer-blinded')).toBe(false);
});
