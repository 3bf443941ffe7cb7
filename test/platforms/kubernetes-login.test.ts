import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newClock } from '../../src/net/clock.ts';
import { newKubernetesLogin, type Way } from '../../src/platforms/kubernetes-login.ts';
import type { Told } from '../../src/platforms/told.ts';
import { writeKubeconfig, type KubeconfigOptions } from './kubeconfig.ts';

const clock = newClock(process.hrtime.bigint());
const server = 'https://127.0.0.1:6443';

async function wayBy(options: KubeconfigOptions, context: string | null = null): Promise<Told<Way>> {
  using config = writeKubeconfig(options);
  const way = await newKubernetesLogin({ spec: { kubeconfig: config.path, context }, clock }).way();
  if (way.kind === 'told') await way.value.dispatcher.destroy();
  return way;
}

test('a token, a name with a password, a token in a file and a plugin are who we are', async () => {
  using folder = writeKubeconfig({ server });
  const tokenFile = join(folder.folder, 'token');
  writeFileSync(tokenFile, 'of the file');
  const credential = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: 'of the plugin' },
  };
  const exec = { apiVersion: credential.apiVersion, command: 'echo', args: [JSON.stringify(credential)] };
  for (const [user, authorization] of [
    [{ token: 'hunter2' }, 'Bearer hunter2'],
    [{ username: 'me', password: 'pass word' }, `Basic ${Buffer.from('me:pass word').toString('base64')}`],
    [{ 'auth-provider': { name: 'tokenFile', config: { tokenFile } } }, 'Bearer of the file'],
    [{ exec }, 'Bearer of the plugin'],
  ] as const) {
    const way = await wayBy({ server, user });
    expect(way).toMatchObject({ kind: 'told', value: { server, headers: { authorization } } });
  }
});

test('a server below a path keeps its path', async () => {
  const way = await wayBy({ server: 'https://rancher.example/k8s/clusters/c-7/' });
  expect(way).toMatchObject({ kind: 'told', value: { server: 'https://rancher.example/k8s/clusters/c-7' } });
});

test.for([
  { server: 'http://127.0.0.1:8001', is: 'told' },
  { server: 'http://localhost:8001', is: 'told' },
  { server: 'http://[::1]:8001', is: 'told' },
  { server: 'http://10.0.0.1:8001', is: 'not-told' },
  { server: 'http://127.0.0.1.example:8001', is: 'not-told' },
  { server: 'ftp://127.0.0.1', is: 'not-told' },
  { server: 'nonsense', is: 'not-told' },
])('our token goes to $server without TLS: $is', async ({ server: url, is }) => {
  expect((await wayBy({ server: url })).kind).toBe(is);
});

test.for([
  { context: 'staging', why: 'has no context "staging"; it has prod, half' },
  { context: 'half', why: 'the context "half" of' },
])('the context $context that is not there is said, with those that are', async ({ context, why }) => {
  expect(await wayBy({ server }, context)).toMatchObject({
    reason: 'no-credentials',
    why: expect.stringContaining(why) as string,
  });
});

test('what is wrong with a kubeconfig or a plugin is said without a word of what is in it', async () => {
  using config = writeKubeconfig({ server });
  const spec = { kubeconfig: config.path, context: null };
  const secrets = ['hunter2: : [', '{ "clusters": [{ "name": "hunter2" }] }', 'clusters: hunter2'];
  for (const text of secrets) {
    writeFileSync(config.path, text);
    const way = await newKubernetesLogin({ spec, clock }).way();
    expect(way).toMatchObject({ kind: 'not-told', reason: 'no-credentials' });
    expect(JSON.stringify(way)).not.toContain('hunter2');
  }
  const missing = { kubeconfig: join(config.folder, 'none'), context: null };
  expect(await newKubernetesLogin({ spec: missing, clock }).way()).toMatchObject({
    why: expect.stringContaining('ENOENT') as string,
  });
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: 'sh',
    args: ['-c', 'echo hunter2 >&2; exit 3'],
  };
  const refused = await wayBy({ server, user: { exec } });
  expect(refused).toMatchObject({ reason: 'no-credentials', why: expect.stringContaining('its plugin sh') as string });
  expect(JSON.stringify(refused)).not.toContain('hunter2');
});

test('a kubeconfig that comes later, or that was refused, is read again', async () => {
  using config = writeKubeconfig({ server, user: { token: 'first' } });
  using renewed = writeKubeconfig({ server, user: { token: 'second' } });
  const path = join(config.folder, 'later');
  const login = newKubernetesLogin({ spec: { kubeconfig: path, context: null }, clock });
  const authorization = async (): Promise<unknown> => {
    const way = await login.way();
    if (way.kind === 'told') await way.value.dispatcher.destroy();
    return way.kind === 'told' ? way.value.headers['authorization'] : way.kind;
  };
  expect(await authorization()).toBe('not-told');
  copyFileSync(config.path, path);
  expect(await authorization()).toBe('Bearer first');
  copyFileSync(renewed.path, path);
  expect(await authorization()).toBe('Bearer first');
  const way = await login.way();
  if (way.kind === 'told') way.value.refused();
  expect(await authorization()).toBe('Bearer second');
});

test('all that ask at once share one run of a plugin', async () => {
  using config = writeKubeconfig({ server });
  const runs = join(config.folder, 'runs');
  const status = '{\\"apiVersion\\":\\"client.authentication.k8s.io/v1\\",\\"status\\":{\\"token\\":\\"t\\"}}';
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: 'sh',
    args: ['-c', `echo run >>'${runs}'; echo "${status}"`],
  };
  using plugin = writeKubeconfig({ server, user: { exec } });
  const login = newKubernetesLogin({ spec: { kubeconfig: plugin.path, context: null }, clock });
  const ways = await Promise.all([login.way(), login.way(), login.way()]);
  const dispatchers = ways.map((way) => (way.kind === 'told' ? way.value.dispatcher : null));
  expect(readFileSync(runs, 'utf8')).toBe('run\n');
  // Each has connections of its own, so that one that ends ends no other.
  expect(new Set(dispatchers).size).toBe(3);
  for (const dispatcher of dispatchers) await dispatcher?.destroy();
});

test.for([7, 'nonsense', 'gopher://127.0.0.1', 'socks5://127.0.0.1:1080'])(
  'a proxy that is none, or that we do not know, is said: %s',
  async (proxy) => {
    expect(await wayBy({ server, proxy })).toMatchObject({ kind: 'not-told' });
  },
);

test('a proxy is one', async () => {
  expect(await wayBy({ server, proxy: 'http://127.0.0.1:3128' })).toMatchObject({ kind: 'told' });
});
