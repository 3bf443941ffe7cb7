/**
 * The fake API server over HTTPS with a private CA, read by us and by kubectl with the same kubeconfig: both see the same, and
 * both refuse the same.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newClock } from '../../src/net/clock.ts';
import { readKubernetes, type KubernetesReading } from '../../src/platforms/kubernetes-reading.ts';
import { FakeKubernetes } from '../platforms/fake-kubernetes.ts';
import { writeKubeconfig } from '../platforms/kubeconfig.ts';
import { makeCertificates, type Certificate, type Certificates } from './servers/certificates.ts';
import { describeReal } from './servers/describe-real.ts';
import { programPath } from './servers/installed.ts';
import { startProcess } from './servers/own-process.ts';
import { makeTemporaryFolder, type TemporaryFolder } from './servers/temporary-folder.ts';
import { waitUntil } from './servers/wait-until.ts';

const clock = newClock(process.hrtime.bigint());

interface Tls {
  readonly folder: TemporaryFolder;
  readonly certificates: Certificates<'server' | 'wrong' | 'me'>;
}

async function makeTls(): Promise<Tls> {
  const folder = await makeTemporaryFolder();
  const hostnamesOf = { server: ['127.0.0.1'], wrong: ['elsewhere.test'], me: ['me.test'] };
  return { folder, certificates: await makeCertificates(folder.path, hostnamesOf) };
}

async function startFake(certificate: Certificate, clientCaPem?: string): Promise<FakeKubernetes> {
  const [certificatePem, keyPem] = await Promise.all([
    readFile(certificate.certificatePath, 'utf8'),
    readFile(certificate.keyPath, 'utf8'),
  ]);
  const tls = { certificatePem, keyPem, ...(clientCaPem === undefined ? {} : { clientCaPem }) };
  return FakeKubernetes.start({ tls, tokens: ['first'] });
}

const pod = (name: string, phase: string): void =>
  fake.put('pods', { metadata: { name }, status: { phase, podIP: '10.0.0.7' } });

let tls: Tls;
let fake: FakeKubernetes;

describeReal('the API server of a private CA', ['openssl'], () => {
  beforeAll(async () => {
    tls = await makeTls();
  });
  afterAll(() => tls.folder[Symbol.asyncDispose]());

  async function read(caPem: string | undefined, user?: object): Promise<KubernetesReading> {
    using config = writeKubeconfig({
      server: fake.url,
      ...(caPem === undefined ? {} : { caPem }),
      ...(user === undefined ? {} : { user }),
    });
    return await readKubernetes(config.spec, { clock, signal: AbortSignal.timeout(20_000) });
  }

  test('is read when the kubeconfig has the CA, and not without it', async () => {
    const { certificates } = tls;
    fake = await startFake(certificates.leaves.server);
    pod('a', 'Running');
    const { facts, problems } = await read(certificates.caPem);
    expect(problems).toEqual([]);
    expect(facts.some(({ kind }) => kind === 'workload')).toBe(true);
    const blind = await read(undefined);
    expect(blind.facts).toEqual([]);
    expect(new Set(blind.problems.map(({ reason }) => reason))).toEqual(new Set(['unreachable']));
    await fake.stop();
  });

  test('is not read when its certificate is for another name: our token is not for whoever answers', async () => {
    const { certificates } = tls;
    fake = await startFake(certificates.leaves.wrong);
    const { facts, problems } = await read(certificates.caPem);
    expect(facts).toEqual([]);
    expect(problems[0]?.why).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(fake.asked).toEqual([]);
    await fake.stop();
  });

  test('lets us in by a client certificate', async () => {
    const { certificates } = tls;
    fake = await startFake(certificates.leaves.server, certificates.caPem);
    fake.tokens = null;
    expect((await read(certificates.caPem, { token: 'first' })).facts).toEqual([]);
    const { certificatePath, keyPath } = certificates.leaves.me;
    const { problems } = await read(certificates.caPem, {
      'client-certificate': certificatePath,
      'client-key': keyPath,
    });
    expect(problems).toEqual([]);
    await fake.stop();
  });
});

describeReal('the fake API server and kubectl', ['openssl', 'kubectl'], () => {
  beforeAll(async () => {
    tls = await makeTls();
    fake = await startFake(tls.certificates.leaves.server);
  });
  afterAll(async () => {
    await fake.stop();
    await tls.folder[Symbol.asyncDispose]();
  });

  async function kubectl(...args: readonly string[]): Promise<{ readonly out: string; readonly error: string }> {
    using config = writeKubeconfig({ server: fake.url, caPem: tls.certificates.caPem });
    const cache = `--cache-dir=${join(tls.folder.path, 'cache')}`;
    try {
      const own = ['--kubeconfig', config.path, cache, ...args];
      const { stdout } = await promisify(execFile)(programPath('kubectl'), own);
      return { out: stdout, error: '' };
    } catch (error) {
      return { out: '', error: String((error as { readonly stderr?: unknown }).stderr) };
    }
  }

  test('kubectl lists what is there, in pages, by its short name, and by label', async () => {
    for (const name of ['a', 'b', 'c']) pod(name, 'Running');
    fake.put('cronjobs', {
      metadata: { name: 'nightly', labels: { app: 'x' } },
      spec: { schedule: '7 3 * * *', suspend: true },
    });
    const names = ['-o', 'name'];
    expect(await kubectl('get', 'po', '--chunk-size=2', ...names)).toEqual({ out: 'pod/a\npod/b\npod/c\n', error: '' });
    expect(await kubectl('get', 'cronjobs', '-l', 'app=x', ...names)).toEqual({
      out: 'cronjob.batch/nightly\n',
      error: '',
    });
    expect(await kubectl('get', 'cronjobs', '-l', 'app=y', ...names)).toEqual({ out: '', error: '' });
    expect((await kubectl('get', 'pod', 'b', '-o', 'jsonpath={.status.podIP}')).out).toBe('10.0.0.7');
  });

  test('kubectl judges a rollout as we do', async () => {
    const settled = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 };
    const failed = [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }];
    for (const [status, said, state] of [
      [settled, 'successfully rolled out', 'complete'],
      [{ ...settled, observedGeneration: 1 }, 'Waiting for deployment spec update', 'progressing'],
      [{ ...settled, updatedReplicas: 2 }, '2 out of 3 new replicas have been updated', 'progressing'],
      [{ ...settled, replicas: 4 }, '1 old replicas are pending termination', 'progressing'],
      [{ ...settled, availableReplicas: 2 }, '2 of 3 updated replicas are available', 'progressing'],
      [{ ...settled, updatedReplicas: 2, conditions: failed }, 'exceeded its progress deadline', 'failed'],
    ] as const) {
      const selector = { matchLabels: { app: 'orders' } };
      const spec = { replicas: 3, selector, strategy: { type: 'RollingUpdate' } };
      fake.put('deployments', { metadata: { name: 'orders', generation: 2 }, spec, status });
      const { out, error } = await kubectl('rollout', 'status', 'deployment/orders', '--watch=false');
      expect(`${out}${error}`).toContain(said);
      using config = writeKubeconfig({ server: fake.url, caPem: tls.certificates.caPem });
      const { facts } = await readKubernetes(config.spec, { clock, signal: AbortSignal.timeout(20_000) });
      expect(facts).toContainEqual({ kind: 'rollout', rollout: expect.objectContaining({ state }) as unknown });
    }
  });

  test('kubectl follows what changes', async () => {
    using config = writeKubeconfig({ server: fake.url, caPem: tls.certificates.caPem });
    const logPath = join(tls.folder.path, 'watch.log');
    const args = ['--kubeconfig', config.path, 'get', 'pods', '--watch-only', '-o', 'name'];
    await using watch = startProcess(programPath('kubectl'), args, { logPath });
    await waitUntil('it watches', () => fake.watchCount === 1);
    pod('new', 'Pending');
    await waitUntil('it says so', () => watch.output().includes('pod/new\n'));
  });

  test('kubectl is refused as we are', async () => {
    fake.refuse.set('pods', 403);
    expect((await kubectl('get', 'pods')).error).toMatch(/forbidden|Refused|refused/i);
    fake.refuse.clear();
  });
});
