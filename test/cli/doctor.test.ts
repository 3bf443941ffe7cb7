/** The doctor beside a fake AWS, a fake Route 53 and a fake Kubernetes, from which one permission after the other is taken. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { diagnose, exitCodeOfDiagnosis, type Diagnosis } from '../../src/checks/doctor.ts';
import type { MachineFacts } from '../../src/checks/doctor-facts.ts';
import type { DoctorRow } from '../../src/checks/doctor-row.ts';
import { examine, type DoctorPorts } from '../../src/cli/doctor.ts';
import { localPortCount, openFileCountMax, proxyVariablesOf } from '../../src/cli/doctor-machine.ts';
import { wallClock } from '../../src/cli/preflight-names.ts';
import { presets } from '../../src/clients/presets.ts';
import { userError } from '../../src/core/errors.ts';
import type { DnsReply } from '../../src/core/ports.ts';
import type { Scenario } from '../../src/core/scenario.ts';
import { newClock } from '../../src/net/clock.ts';
import { awsActionsOf, kubernetesRules, route53ActionsOf } from '../../src/platforms/permissions.ts';
import { parseScenario } from '../../src/scenario/parse.ts';
import { shopWorld } from '../platforms/aws-shop.ts';
import { useFakeAccount } from '../platforms/fake-account.ts';
import { startFakeAws, type FakeAws } from '../platforms/fake-aws.ts';
import { FakeKubernetes, type ResourceName } from '../platforms/fake-kubernetes.ts';
import { record, startFakeRoute53, zone, type FakeRoute53 } from '../platforms/fake-route53.ts';
import { writeKubeconfig, type Kubeconfig } from '../platforms/kubeconfig.ts';

const hostname = 'orders.shop.example';
const account = useFakeAccount();
let aws: FakeAws;
let route53: FakeRoute53;
let kubernetes: FakeKubernetes;
let config: Kubeconfig;

beforeAll(async () => {
  aws = await startFakeAws();
  route53 = await startFakeRoute53();
  kubernetes = await FakeKubernetes.start();
  config = writeKubeconfig({ server: kubernetes.url });
  account.use(aws.url);
  process.env['AWS_ENDPOINT_URL_ROUTE_53'] = route53.url;
});
afterAll(async () => {
  config[Symbol.dispose]();
  await kubernetes.stop();
  await route53[Symbol.asyncDispose]();
  await aws[Symbol.asyncDispose]();
});
beforeEach(() => {
  Object.assign(aws.world, shopWorld(), { pageSize: 100, faults: {} });
  aws.calls.length = 0;
  Object.assign(route53, { mood: 'well', denied: new Set(), asked: [], changes: {} });
  route53.zones = [zone('ZPUB', 'shop.example')];
  route53.records = { ZPUB: [record(`A ${hostname} 127.0.1.1`, { HealthCheckId: 'h-1' })] };
  route53.health = { 'h-1': { healthy: 3, of: 7 } };
  kubernetes.refuse.clear();
  kubernetes.asked.length = 0;
});

function scenarioOf(more = ''): Scenario {
  const text = `
name: doctored
services: [{ name: orders, url: "http://${hostname}/ready" }]
sides:
  old: { addresses: [192.0.2.1], aws: { region: us-west-1, loadBalancer: shop-1, ecs: { cluster: shop } } }
  new: { addresses: [198.51.100.1], kubernetes: { kubeconfig: "${config.path}", namespace: shop } }
resolvers: [{ name: vpc, address: 10.0.0.2 }]
authorities: none
route53: true
${more}
`;
  return parseScenario(text, { file: 'doctored.yaml', env: {}, presets, readFile: () => '' });
}

const machine: MachineFacts = {
  openFileCountMax: 20_000,
  localPortCount: 28_232,
  processorCount: 2,
  freeBytes: 1e12,
  folder: 'reports/',
  ipv6: 'none',
  mayRaisePriority: true,
  ratePerThread: 5000,
};

const answer: DnsReply = {
  kind: 'answered',
  rcode: 'NOERROR',
  authoritative: true,
  ede: 0,
  answers: [],
  authority: [],
  chain: [],
  addresses: ['127.0.1.1'],
  ttlS: 60,
  sentAtNs: 0,
  endedAtNs: 7_000_000,
};

async function doctor(scenario: Scenario, more: Partial<DoctorPorts> = {}): Promise<Diagnosis> {
  const startedAtMs = Date.now();
  const clock = newClock(process.hrtime.bigint());
  const facts = await examine(scenario, {
    clock,
    dns: { query: () => Promise.resolve(answer) },
    dnsOverTcp: () => Promise.resolve(answer),
    dialer: {
      dial: () =>
        Promise.resolve({
          kind: 'failed',
          outcome: 'connect-refused',
          error: 'ECONNREFUSED',
          startedAtNs: 0,
          connectedAtNs: 0,
          endedAtNs: 0,
          localPort: 0,
          certificateSha256: '',
        }),
    },
    wallMs: wallClock(startedAtMs),
    wallNowMs: () => wallClock(startedAtMs)(clock.nowNs()),
    budget: (call) => call(),
    environment: {},
    readToken: () => Promise.resolve('hunter2'),
    run: { runId: '00000000', startedAtMs, version: '0' },
    stopSignal: new AbortController().signal,
    isClockSynchronized: () => Promise.resolve(true),
    machine: () => machine,
    proxyVariables: [],
    ...more,
  });
  return diagnose(facts);
}

function notPassed({ rows }: Diagnosis): readonly DoctorRow[] {
  return rows.filter(({ result, topic }) => result !== 'pass' && topic !== 'clock');
}

test('where all is allowed nothing is to be mended, and every permission was tried once', async () => {
  const scenario = scenarioOf();
  const found = await doctor(scenario);
  expect(notPassed(found)).toEqual([]);
  expect(found).toMatchObject({ fit: 'yes', toDo: [] });
  expect(exitCodeOfDiagnosis(found)).toBe(0);
  const { aws: spec } = scenario.sides.old;
  if (spec === undefined || scenario.route53 === undefined) throw new Error('the scenario asks for no AWS');
  const nameOf = (action: string): string => action.replace(/^.*:/, '');
  expect(aws.calls.toSorted()).toEqual(awsActionsOf(spec, []).map(nameOf).toSorted());
  expect(route53.asked).toEqual(route53ActionsOf(scenario.route53).map(nameOf));
  expect(kubernetes.asked).toHaveLength(kubernetesRules.flatMap(({ verbs }) => verbs).length);
  expect(kubernetes.asked.every(({ isWatch, query }) => isWatch || query.get('limit') === '1')).toBe(true);
});

describe('one permission is denied', () => {
  const spec = {
    region: null,
    profile: null,
    loadBalancers: ['shop-1'],
    ecs: { cluster: 'shop', services: [] },
    schedules: [],
  };

  test.for(awsActionsOf(spec, []))('%s: that row fails, with what to allow, and no other', async (action) => {
    aws.world.faults[action.replace(/^.*:/, '')] = 'denied';
    const found = await doctor(scenarioOf());
    expect(notPassed(found)).toMatchObject([
      { topic: 'permission', subject: `AWS of the old side: ${action}`, result: 'fail', decides: true },
    ]);
    expect(found.toDo).toEqual([`Allow ${action} in IAM (docs/permissions/iam-policy.json).`]);
    expect(exitCodeOfDiagnosis(found)).toBe(3);
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });

  test.for(route53ActionsOf({ zoneId: null }))('%s: that row fails, with what to allow', async (action) => {
    route53.denied = new Set([action.replace(/^.*:/, '')]);
    const found = await doctor(scenarioOf());
    const [failed, ...rest] = notPassed(found);
    expect(failed).toMatchObject({ subject: `Route 53: ${action}`, result: 'fail' });
    // Whose zone it is was not told, so that its records could not be asked for.
    expect(rest.map(({ result }) => result)).toEqual(action.endsWith('ByName') ? ['unknown'] : []);
    expect(found.toDo).toEqual([`Allow ${action} in IAM (docs/permissions/iam-policy.json).`]);
  });

  const resources = kubernetesRules.filter(({ resource }) => resource !== 'secrets');
  test.for(resources.map(({ resource }) => resource))('%s: both verbs fail, with the Role to give', async (name) => {
    kubernetes.refuse.set(name as ResourceName, 403);
    const found = await doctor(scenarioOf());
    expect(notPassed(found).map(({ result, decides }) => [result, decides])).toEqual([
      ['fail', true],
      ['fail', true],
    ]);
    expect(found.toDo).toEqual(
      ['list', 'watch'].map(
        (verb) => expect.stringMatching(new RegExp(`verb ${verb} of ${name}.*rbac.yaml`)) as string,
      ),
    );
  });

  test('Helm’s secrets: told, with what it would open, and the run is fit without', async () => {
    kubernetes.refuse.set('secrets', 403);
    const found = await doctor(scenarioOf());
    expect(notPassed(found)).toMatchObject([
      { result: 'fail', decides: false, remedy: expect.stringContaining('opens all secrets') as string },
    ]);
    expect(found.fit).toBe('yes');
  });
});

test('a cluster without the AWS Load Balancer Controller lacks nothing', async () => {
  kubernetes.refuse.set('targetgroupbindings', 404);
  const found = await doctor(scenarioOf());
  expect(notPassed(found).every(({ decides }) => !decides)).toBe(true);
  expect(found.fit).toBe('yes');
});

test('credentials that are not accepted are one row each, and nothing else is tried with them', async () => {
  aws.world.faults['DescribeLoadBalancers'] = 'expired';
  kubernetes.refuse.set('*', 401);
  const found = await doctor(scenarioOf());
  expect(aws.calls).toEqual(['DescribeLoadBalancers']);
  expect(kubernetes.asked).toHaveLength(1);
  expect(notPassed(found).map(({ topic, result, subject }) => [topic, result, subject])).toEqual([
    ['credentials', 'fail', 'AWS of the old side'],
    ['permission', 'unknown', 'AWS of the old side'],
    ['credentials', 'fail', 'Kubernetes of the new side'],
    ['permission', 'unknown', 'Kubernetes of the new side'],
  ]);
  expect(found.toDo).toHaveLength(2);
});

test.for(['expected', 'found'] as const)('a load balancer is %s by the name in the scenario', async (how) => {
  if (how === 'expected') aws.world.loadBalancers = [];
  const found = await doctor(scenarioOf());
  const texts = notPassed(found).map(({ text }) => text);
  expect(texts).toEqual(how === 'found' ? [] : ['AWS of the old side: there is no load balancer named shop-1.']);
});

test('throttled is not known, and is no reason to say denied', async () => {
  aws.world.faults['ListTasks'] = 'throttled';
  const found = await doctor(scenarioOf());
  expect(notPassed(found)).toMatchObject([{ result: 'unknown', remedy: 'Run the doctor again in a minute.' }]);
  expect(exitCodeOfDiagnosis(found)).toBe(4);
});

test('a token command that fails is named without its arguments', async () => {
  const more =
    'defaults: { request: { headers: { authorization: "Bearer ${TOKEN}" }, token: { command: [get-token, hunter2], everyS: 60 } } }';
  const readToken = () => Promise.reject(userError('token command get-token', 'failed with 1'));
  const found = await doctor(scenarioOf(more), { readToken });
  expect(notPassed(found)).toMatchObject([
    { topic: 'token', text: 'The token command get-token gave no token: failed with 1.' },
  ]);
  expect(JSON.stringify(found.rows)).not.toContain('hunter2');
});

test.for([
  { claim: 'before the run can end', env: {}, more: 60_000, result: 'fail' },
  { claim: 'after the longest run', env: {}, more: 86_400_000, result: 'pass' },
  { claim: 'but a profile renews its own', env: { AWS_PROFILE: 'prod' }, more: 60_000, result: 'pass' },
])('credentials of the environment end $claim', async ({ env, more, result }) => {
  const environment = {
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    AWS_CREDENTIAL_EXPIRATION: new Date(Date.now() + more).toISOString(),
    ...env,
  };
  const { rows } = await doctor(scenarioOf(), { environment });
  const row = rows.find(({ topic, subject }) => topic === 'credentials' && subject === 'AWS of the old side');
  expect(row?.result).toBe(result);
});

test('a resolver that answers over UDP and not over TCP: that row alone', async () => {
  const silent: DnsReply = { kind: 'failed', reason: 'timed-out', error: 'no answer', sentAtNs: 0, endedAtNs: 0 };
  const found = await doctor(scenarioOf(), { dnsOverTcp: () => Promise.resolve(silent) });
  expect(notPassed(found)).toMatchObject([{ topic: 'resolver', subject: `vpc TCP ${hostname}`, result: 'fail' }]);
});

describe('what this machine says', () => {
  test.for([
    { limits: 'Max open files            1024                 524288               files', count: 1024 },
    { limits: 'Max open files            unlimited            unlimited            files', count: Infinity },
    { limits: 'Max cpu time              unlimited            unlimited            seconds', count: null },
    { limits: null, count: null },
  ])('open files: $count', ({ limits, count }) => {
    expect(openFileCountMax(limits)).toBe(count);
  });

  test.for([
    { range: '32768\t60999\n', count: 28_232 },
    { range: '', count: null },
    { range: null, count: null },
  ])('local ports: $count', ({ range, count }) => {
    expect(localPortCount(range)).toBe(count);
  });

  test('proxies, by name and never by value', () => {
    expect(proxyVariablesOf({ https_proxy: 'http://me:hunter2@proxy', HTTP_PROXY: '', NO_PROXY: 'x' })).toEqual([
      'https_proxy',
    ]);
  });
});
