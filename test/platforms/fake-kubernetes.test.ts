/** The fake server itself, driven by the official client: what our own code is tested against is what others understand. */
import {
  AppsV1Api,
  BatchV1Api,
  CoreV1Api,
  DiscoveryV1Api,
  KubeConfig,
  makeInformer,
  Watch,
  type V1Pod,
} from '@kubernetes/client-node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitUntil } from '../real/servers/wait-until.ts';
import { FakeKubernetes } from './fake-kubernetes.ts';
import { writeKubeconfig } from './kubeconfig.ts';

let fake: FakeKubernetes;
let config: KubeConfig;

beforeEach(async () => {
  fake = await FakeKubernetes.start({ tokens: ['first'], bookmarkEveryMs: 50 });
  using kubeconfig = writeKubeconfig({ server: fake.url, isUnverified: true });
  config = new KubeConfig();
  config.loadFromFile(kubeconfig.path);
});

afterEach(() => fake.stop());

function put(name: string, phase = 'Running'): void {
  fake.put('pods', { metadata: { name, labels: { app: name } }, status: { phase } });
}

test('it lists, in pages and by label, gets one, and says 404 of none', async () => {
  for (const name of ['a', 'b', 'c']) put(name);
  const core = config.makeApiClient(CoreV1Api);
  const first = await core.listNamespacedPod({ namespace: 'shop', limit: 2 });
  expect(first.items.map(({ metadata }) => metadata?.name)).toEqual(['a', 'b']);
  expect(first.metadata?.remainingItemCount).toBe(1);
  const rest = await core.listNamespacedPod({
    namespace: 'shop',
    limit: 2,
    _continue: first.metadata?._continue ?? '',
  });
  expect(rest.items.map(({ metadata }) => metadata?.name)).toEqual(['c']);
  const chosen = await core.listNamespacedPod({ namespace: 'shop', labelSelector: 'app=b' });
  expect(chosen.items.map(({ metadata }) => metadata?.name)).toEqual(['b']);
  const one = await core.readNamespacedPod({ namespace: 'shop', name: 'c' });
  expect(one.status?.phase).toBe('Running');
  await expect(core.readNamespacedPod({ namespace: 'shop', name: 'd' })).rejects.toMatchObject({ code: 404 });
});

test('its other resources are where the client looks for them', async () => {
  fake.put('deployments', { metadata: { name: 'orders' } });
  fake.put('endpointslices', { metadata: { name: 'orders-1' }, addressType: 'IPv4', endpoints: [] });
  fake.put('cronjobs', { metadata: { name: 'nightly' } });
  fake.put('jobs', { metadata: { name: 'nightly-1' } });
  const namespace = 'shop';
  const lists = await Promise.all([
    config.makeApiClient(AppsV1Api).listNamespacedDeployment({ namespace }),
    config.makeApiClient(DiscoveryV1Api).listNamespacedEndpointSlice({ namespace }),
    config.makeApiClient(BatchV1Api).listNamespacedCronJob({ namespace }),
    config.makeApiClient(BatchV1Api).listNamespacedJob({ namespace }),
  ]);
  expect(lists.map(({ items }) => items[0]?.metadata?.name)).toEqual(['orders', 'orders-1', 'nightly', 'nightly-1']);
});

test('an informer sees what is there, what comes, changes and goes', async () => {
  put('a');
  const core = config.makeApiClient(CoreV1Api);
  const informer = makeInformer(config, '/api/v1/namespaces/shop/pods', () =>
    core.listNamespacedPod({ namespace: 'shop' }),
  );
  const seen: string[] = [];
  const say = (what: string) => (pod: V1Pod) => void seen.push(`${what} ${pod.metadata?.name} ${pod.status?.phase}`);
  informer.on('add', say('add'));
  informer.on('update', say('update'));
  informer.on('delete', say('delete'));
  await informer.start();
  await waitUntil('it watches', () => fake.watchCount === 1);
  put('b', 'Pending');
  put('b');
  fake.delete('pods', 'a');
  await waitUntil('all is seen', () => seen.length === 4);
  expect(seen).toEqual(['add a Running', 'add b Pending', 'update b Running', 'delete a Running']);
  await informer.stop();
});

test('a watch has bookmarks, ends with 410 in its stream, and with 410 as its answer', async () => {
  put('a');
  const types: string[] = [];
  const ended: unknown[] = [];
  const watch = new Watch(config);
  const query = { resourceVersion: '100', allowWatchBookmarks: true };
  const begin = async (): Promise<void> => {
    await watch.watch(
      '/api/v1/namespaces/shop/pods',
      query,
      (type) => types.push(type),
      (error) => ended.push(error),
    );
  };
  await begin();
  await waitUntil('a bookmark came', () => types.includes('BOOKMARK'));
  fake.expire();
  await waitUntil('it ended', () => ended.length > 0);
  expect(types[0]).toBe('ADDED');
  expect(types.at(-1)).toBe('ERROR');
  await begin();
  await waitUntil('it ended', () => ended.length > 1);
  expect(ended.at(-1)).toMatchObject({ statusCode: 410 });
});

test('a token that it does not know is 401, and what is refused is what the test says', async () => {
  const core = config.makeApiClient(CoreV1Api);
  fake.refuse.set('pods', 403);
  await expect(core.listNamespacedPod({ namespace: 'shop' })).rejects.toMatchObject({ code: 403 });
  fake.tokens = ['second'];
  await expect(core.listNamespacedPod({ namespace: 'shop' })).rejects.toMatchObject({ code: 401 });
});
