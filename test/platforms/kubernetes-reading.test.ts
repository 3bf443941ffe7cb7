import { afterEach, beforeEach, expect, test } from 'vitest';
import { newClock } from '../../src/net/clock.ts';
import { readKubernetes, type KubernetesReading } from '../../src/platforms/kubernetes-reading.ts';
import { FakeKubernetes } from './fake-kubernetes.ts';
import { writeKubeconfig } from './kubeconfig.ts';

const clock = newClock(process.hrtime.bigint());
let fake: FakeKubernetes;

beforeEach(async () => {
  fake = await FakeKubernetes.start();
});

afterEach(() => fake.stop());

async function reading(services: readonly string[] = []): Promise<KubernetesReading> {
  using config = writeKubeconfig({ server: fake.url });
  return await readKubernetes({ ...config.spec, services }, { clock, signal: new AbortController().signal });
}

test('what is so now is one fact of each thing, and nothing is left open', async () => {
  const ownerReferences = [{ kind: 'CronJob', name: 'nightly', controller: true }];
  const spec = { targetGroupARN: 'arn:a', serviceRef: { name: 'orders', port: 80 } };
  const labels = { 'kubernetes.io/service-name': 'orders' };
  const helm = (version: string, status: string): void => {
    fake.put('secrets', {
      metadata: { name: `v${version}`, labels: { owner: 'helm', name: 'shop', version, status } },
    });
  };
  fake.put('cronjobs', { metadata: { name: 'nightly' }, spec: { schedule: '7 3 * * *' } });
  fake.put('jobs', { metadata: { name: 'nightly-1', ownerReferences } });
  fake.put('targetgroupbindings', { metadata: { name: 'b' }, spec });
  fake.put('endpointslices', { metadata: { name: 's', labels }, endpoints: [{ addresses: ['10.0.0.1'] }], ports: [] });
  fake.put('endpointslices', { metadata: { name: 'o', labels: { 'kubernetes.io/service-name': 'other' } } });
  helm('9', 'superseded');
  helm('10', 'deployed');
  const { facts, problems } = await reading();
  expect(problems).toEqual([]);
  expect(facts.map(({ kind }) => kind)).toEqual(['binding', 'endpoints', 'schedule', 'helm-release']);
  expect(facts).toContainEqual(expect.objectContaining({ service: 'shop/orders' }));
  expect(facts).toContainEqual(
    expect.objectContaining({ schedule: expect.objectContaining({ activeCount: 1 }) as unknown }),
  );
  expect(facts.at(-1)).toEqual({
    kind: 'helm-release',
    release: { name: 'shop', revision: 10, status: 'deployed', revisions: [9, 10] },
  });
  expect(fake.connectionCount).toBeLessThanOrEqual(8);
});

test('what may not be read is a problem by name, and what is not installed is none', async () => {
  fake.refuse.set('secrets', 403);
  fake.refuse.set('cronjobs', 403);
  fake.refuse.set('targetgroupbindings', 404);
  const { problems } = await reading(['orders']);
  expect(problems).toEqual([
    { resource: 'cronjobs', reason: 'denied', why: expect.stringContaining('cronjobs.batch') as string },
    { resource: 'secrets', reason: 'denied', why: expect.stringContaining('secrets') as string },
  ]);
});

test('where nobody may say what leads to services, all of them are told', async () => {
  fake.refuse.set('ingresses', 403);
  fake.refuse.set('targetgroupbindings', 403);
  fake.put('endpointslices', { metadata: { name: 's', labels: { 'kubernetes.io/service-name': 'other' } } });
  const { facts } = await reading();
  expect(facts).toEqual([{ kind: 'endpoints', service: 'shop/other', endpoints: [] }]);
});

test('without a kubeconfig everything is a problem, and nothing is thrown', async () => {
  const spec = { kubeconfig: '/nowhere/config', context: null, namespace: 'shop', services: [], cronJobs: [] };
  const { facts, problems } = await readKubernetes(spec, { clock, signal: new AbortController().signal });
  expect(facts).toEqual([]);
  expect(problems).toHaveLength(8);
  expect(new Set(problems.map(({ reason }) => reason))).toEqual(new Set(['no-credentials']));
});
