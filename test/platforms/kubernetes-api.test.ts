/** List and watch against a server that behaves, and one that does not. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newClock } from '../../src/net/clock.ts';
import {
  newKubernetesApi,
  type KubernetesApi,
  type Resource,
  type WatchEnd,
} from '../../src/platforms/kubernetes-api.ts';
import { lineBytesMax } from '../../src/platforms/kubernetes-lines.ts';
import { newKubernetesLogin } from '../../src/platforms/kubernetes-login.ts';
import { nameOf } from '../../src/platforms/kubernetes-objects.ts';
import { helmRevisions } from '../../src/platforms/kubernetes-resources.ts';
import { waitUntil } from '../real/servers/wait-until.ts';
import { FakeKubernetes } from './fake-kubernetes.ts';
import { newFasterClock } from './faster-clock.ts';
import { writeKubeconfig, type Kubeconfig } from './kubeconfig.ts';

const clock = newClock(process.hrtime.bigint());
const pods: Resource<string> = {
  name: 'pods',
  group: '',
  version: 'v1',
  namespace: 'shop',
  read: (object) => nameOf(object) || null,
};

let fake: FakeKubernetes;
let config: Kubeconfig;
let api: KubernetesApi;
let stop: AbortController;

beforeEach(async () => {
  fake = await FakeKubernetes.start();
  config = writeKubeconfig({ server: fake.url });
  api = apiWith(1);
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await fake.stop();
  config[Symbol.dispose]();
});

function apiWith(times: number): KubernetesApi {
  const faster = newFasterClock(clock, times);
  return newKubernetesApi({ login: newKubernetesLogin({ spec: config.spec, clock: faster }), clock: faster });
}

function put(...names: readonly string[]): void {
  for (const name of names) fake.put('pods', { metadata: { name } });
}

// ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────────────

describe('a list', () => {
  let pageCount = 0;

  test('of many comes in pages, each object once, and of its namespace', async () => {
    const names = Array.from({ length: 613 }, (_, i) => `pod-${i}`);
    put(...names);
    fake.put('pods', { metadata: { name: 'elsewhere' } }, 'other');
    const list = await api.list(pods, stop.signal);
    expect(list).toMatchObject({ kind: 'told', value: { resourceVersion: '714' } });
    expect(list.kind === 'told' && [...list.value.items.keys()]).toEqual(names);
    expect(fake.asked.map(({ query }) => query.get('limit'))).toEqual(['250', '250', '250']);
    await waitUntil('nothing is connected', () => fake.connectionCount === 0);
  });

  test('whose rest is gone is asked for again, all at once', async () => {
    put(...Array.from({ length: 300 }, (_, i) => `pod-${i}`));
    fake.onAsked = (asked) => {
      if (asked.query.has('limit') && !asked.query.has('continue')) fake.forget();
    };
    const list = await api.list(pods, stop.signal);
    expect(list.kind === 'told' && list.value.items.size).toBe(300);
    expect(fake.asked.map(({ status }) => status)).toEqual([200, 410, 200]);
  });

  test.for([
    { status: 401, reason: 'no-credentials', why: 'does not accept our credentials' },
    { status: 403, reason: 'denied', why: 'not allowed to list and watch pods in namespace shop' },
    { status: 404, reason: 'missing', why: 'has no pods' },
    { status: 429, reason: 'throttled', why: 'overloaded' },
    { status: 500, reason: 'other', why: 'answered 500' },
  ])('that is answered $status is not told, and why is a sentence', async ({ status, reason, why }) => {
    fake.refuse.set('pods', status);
    const expected = { kind: 'not-told', reason, why: expect.stringContaining(why) as string };
    expect(await api.list(pods, stop.signal)).toMatchObject(expected);
    expect(await api.watch(pods, watching())).toMatchObject({ kind: 'failed', error: expected });
  });

  test('from a server that is not there, or that breaks off, is not told', async () => {
    fake.answerWith = '{"items":[';
    fake.isBreakingOff = true;
    expect(await api.list(pods, stop.signal)).toMatchObject({ kind: 'not-told', reason: 'unreachable' });
    await fake.down();
    expect(await api.list(pods, stop.signal)).toMatchObject({
      reason: 'unreachable',
      why: expect.stringContaining('ECONNREFUSED') as string,
    });
  });

  test('from a server that says nothing ends, in time or when we stop', async () => {
    fake.isMute = true;
    expect(await apiWith(50).list(pods, stop.signal)).toMatchObject({ kind: 'not-told', reason: 'timed-out' });
    const list = api.list(pods, stop.signal);
    await waitUntil('it is asked', () => fake.connectionCount > 0);
    stop.abort();
    expect(await list).toMatchObject({ kind: 'not-told', reason: 'stopped' });
    expect(await api.list(pods, stop.signal)).toMatchObject({ kind: 'not-told', reason: 'stopped' });
    await waitUntil('nothing is connected', () => fake.connectionCount === 0);
  });

  test('that waits for a plugin to log in ends when we stop, and does not wait for it', async () => {
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sleep', args: ['3'] };
    using slow = writeKubeconfig({ server: fake.url, user: { exec } });
    const login = newKubernetesLogin({ spec: slow.spec, clock });
    const began = { isPluginDone: false };
    void login.way().then(() => {
      began.isPluginDone = true;
    });
    const list = newKubernetesApi({ login, clock }).list(pods, stop.signal);
    stop.abort();
    expect(await list).toMatchObject({ kind: 'not-told', reason: 'stopped' });
    expect(began.isPluginDone).toBe(false);
  });

  test.for(['', 'null', '[]', '{"items":{}}', '{"items":[', '<html>'])('that is %j is not told', async (body) => {
    fake.answerWith = body;
    expect(await api.list(pods, stop.signal)).toMatchObject({ kind: 'not-told', reason: 'other' });
  });

  test.for([
    ['is always the same', (): string => 'more'],
    ['is always another', (): string => String((pageCount += 1))],
  ] as const)('whose rest %s is ended', async ([, more]) => {
    fake.answerWith = () => `{"items":[],"metadata":{"resourceVersion":"7","continue":"${more()}"}}`;
    expect(await api.list(pods, stop.signal)).toMatchObject({
      kind: 'not-told',
      why: expect.stringContaining('no end') as string,
    });
  });

  test('of what is in it, the objects that can be read', async () => {
    fake.answerWith = JSON.stringify({
      metadata: { resourceVersion: '7' },
      items: [null, 7, {}, { metadata: { name: 'a' } }, { metadata: null }, { metadata: { name: ['b'] } }],
    });
    const list = await api.list(pods, stop.signal);
    expect(list.kind === 'told' && [...list.value.items.keys()]).toEqual(['a']);
  });
});

test('of Helm’s secrets nothing is asked for but names and labels, and nothing else is even looked at', async () => {
  const labels = { owner: 'helm', name: 'shop', version: '3', status: 'deployed' };
  fake.put('secrets', { metadata: { name: 'sh.helm.release.v1.shop.v3', labels }, data: { release: 'hunter2' } });
  fake.put('secrets', { metadata: { name: 'password' }, data: { password: 'hunter2' } });
  const list = await api.list(helmRevisions('shop'), stop.signal);
  expect(list.kind === 'told' && [...list.value.items.values()].map(({ seen }) => seen)).toEqual([
    { release: 'shop', revision: 3, status: 'deployed' },
  ]);
  expect(fake.asked.at(-1)).toMatchObject({
    accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
  });
  expect(fake.asked.at(-1)?.query.get('labelSelector')).toBe('owner=helm');

  // A server that sends whole secrets all the same.
  fake.answerWith = JSON.stringify({
    kind: 'SecretList',
    metadata: {},
    items: [{ metadata: { name: 'a', labels }, data: {} }],
  });
  expect(await api.list(helmRevisions('shop'), stop.signal)).toMatchObject({ kind: 'not-told', reason: 'other' });
});

// ── watches ──────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Watching {
  readonly resourceVersion: string;
  readonly signal: AbortSignal;
  readonly opened: () => void;
  readonly heard: (version: string) => void;
  readonly changed: (name: string, item: unknown) => void;
}

let said: string[];

function watching(resourceVersion = '100'): Watching {
  said = [];
  return {
    resourceVersion,
    signal: stop.signal,
    opened: () => said.push('opened'),
    heard: (version) => said.push(`v${version}`),
    changed: (name, item) => said.push(item === null ? `-${name}` : `+${name}`),
  };
}

/** A watch that is open. */
async function open(times = 1, version = '100'): Promise<Promise<WatchEnd>[]> {
  const end = apiWith(times).watch(pods, watching(version));
  await waitUntil('the watch is open', () => said.includes('opened'));
  await waitUntil('the server knows', () => fake.watchCount > 0);
  return [end];
}

describe('a watch', () => {
  test('tells every change since its version, and every version', async () => {
    put('a');
    const [end] = await open();
    put('b', 'a');
    fake.delete('pods', 'b');
    fake.bookmark();
    await waitUntil('all is told', () => said.length === 10);
    expect(said).toEqual(['opened', '+a', 'v101', '+b', 'v102', '+a', 'v103', '-b', 'v104', 'v104']);
    fake.closeWatches();
    expect(await end).toEqual({ kind: 'closed' });
    const query = fake.asked.at(-1)?.query;
    expect([query?.get('allowWatchBookmarks'), query?.get('timeoutSeconds')]).toEqual(['true', '290']);
    await waitUntil('nothing is connected', () => fake.connectionCount === 0);
  });

  test('from a version that is too old is lost, said as a status or in the stream', async () => {
    fake.forget();
    expect(await api.watch(pods, watching())).toMatchObject({ kind: 'lost' });
    expect(said).toEqual([]);
    const [end] = await open(1, '101');
    fake.expire();
    expect(await end).toMatchObject({ kind: 'lost' });
  });

  test('that is cut within a line has told the lines before, and goes on from there', async () => {
    const [end] = await open();
    put('a');
    fake.say('{"type":"ADDED","object":{"metadata":{"name":"half');
    await waitUntil('it is told', () => said.includes('v101'));
    fake.cutConnections();
    expect(await end).toMatchObject({ kind: 'failed', error: { reason: 'unreachable' } });
    expect(said).toEqual(['opened', '+a', 'v101']);

    const [again] = await open();
    fake.say('{"type":"ADDED"');
    fake.closeWatches();
    expect(await again).toMatchObject({ kind: 'failed', error: { reason: 'unreachable' } });
  });

  test.for([
    'nonsense',
    '{}',
    'null',
    '{"type":"ADDED","object":{}}',
    '\u0000\uFFFD',
    '[[[[',
    '{"type":"MODIFIED","object":7}',
  ])('with the line %j in it is lost: nobody knows what it was', async (line) => {
    const [end] = await open();
    fake.say(`${line}\n`);
    expect(await end).toMatchObject({ kind: 'lost' });
  });

  test('with a line that never ends is lost, too', async () => {
    const [end] = await open();
    const chunk = new Uint8Array(1024 * 1024).fill(0x61);
    for (let i = 0; i <= lineBytesMax / chunk.length; i += 1) fake.say(chunk);
    expect(await end).toMatchObject({ kind: 'lost', why: 'a line is longer than any object' });
  });

  test('that ends with another error goes on later', async () => {
    const [end] = await open();
    fake.say('{"type":"ERROR","object":{"kind":"Status","code":500,"message":"hunter2"}}\n');
    const ended = await end;
    expect(ended).toMatchObject({
      kind: 'failed',
      error: { reason: 'other', why: expect.stringContaining('(500)') as string },
    });
    expect(JSON.stringify(ended)).not.toContain('hunter2');
  });

  test(
    'on a connection that is dead is ended when not even a bookmark comes, and stays open while they come',
    { timeout: 20_000 },
    async () => {
      const [end] = await open(50);
      let bookmarkCount = 0;
      const ended = { is: false };
      void end?.then(() => {
        ended.is = true;
      });
      // 100 s without any are 2 s here.
      const bookmarks = setInterval(() => {
        fake.bookmark();
        bookmarkCount += 1;
        if (bookmarkCount === 6) clearInterval(bookmarks);
      }, 400);
      await waitUntil('bookmarks came for longer than 2 s', () => bookmarkCount === 6);
      expect(ended.is).toBe(false);
      expect(await end).toMatchObject({ kind: 'failed', error: { reason: 'timed-out' } });
    },
  );

  test('ends when it is stopped, and its connection with it', async () => {
    const [end] = await open();
    stop.abort();
    expect(await end).toMatchObject({ kind: 'failed', error: { reason: 'stopped' } });
    await waitUntil('nothing is connected', () => fake.connectionCount === 0);
  });
});
