/** The table of permissions against the calls that the sources make, those that readers really make, and the documents. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { AwsSpec } from '../../src/core/platform.ts';
import { newClock } from '../../src/net/clock.ts';
import { readAws } from '../../src/platforms/aws-read.ts';
import { readKubernetes } from '../../src/platforms/kubernetes-reading.ts';
import { newKubernetesObserver } from '../../src/platforms/kubernetes-observer.ts';
import {
  actionsOfStatement,
  awsActions,
  awsActionsOf,
  awsStatements,
  kubernetesRules,
  route53ActionsOf,
  type AwsAction,
  type AwsSid,
} from '../../src/platforms/permissions.ts';
import { newRoute53 } from '../../src/platforms/route53.ts';
import { shopWorld } from './aws-shop.ts';
import { useFakeAccount } from './fake-account.ts';
import { startFakeAws, type FakeAws } from './fake-aws.ts';
import { FakeKubernetes } from './fake-kubernetes.ts';
import { record, startFakeRoute53, zone } from './fake-route53.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { iamPolicy, rbacYaml, statementTable, tableBegins, tableEnds } from './permission-documents.ts';

const all = Object.keys(awsActions) as readonly AwsAction[];
const clock = newClock(process.hrtime.bigint());
const { signal } = new AbortController();

/** Method of the SDK and the action that is named with it, of each call in the sources. */
interface Call {
  readonly at: string;
  readonly action: string;
  readonly method: string;
}

/** The name of a client is what `send` calls it: `client` or `sdk`. */
function callsIn(path: string, source: string): readonly Call[] {
  const calls: Call[] = [];
  for (const { index, 1: method = '' } of source.matchAll(/\b(?:client|sdk)\.(?!close\b)([a-z]\w+)\(/g)) {
    // The action stands before the call, as a literal or as the constant `action`.
    const action = [...source.slice(0, index).matchAll(/'([a-z0-9]+:[A-Z]\w+)'/g)].at(-1)?.[1] ?? '';
    calls.push({ at: `${path}:${source.slice(0, index).split('\n').length}`, action, method });
  }
  return calls;
}

const sources = globSync('src/platforms/*.ts').map((path) => ({ path, source: readFileSync(path, 'utf8') }));

describe('the sources', () => {
  const calls = sources.flatMap(({ path, source }) => callsIn(path, source));

  test('call the method of the action that they name, and no other', () => {
    expect(calls.length).toBeGreaterThanOrEqual(all.length);
    const wrong = calls.filter(
      ({ action, method }) => action.split(':')[1]?.replace(/^./, (first) => first.toLowerCase()) !== method,
    );
    expect(wrong).toEqual([]);
  });

  test('make every call of the table, and none that is not in it', () => {
    expect([...new Set(calls.map(({ action }) => action))].toSorted()).toEqual(all.toSorted());
  });

  test('reach AWS in no other way than by a client that is asked', () => {
    const others = sources.filter(({ source }) => /\bnew \w+Command\(|\.send\(new /.test(source));
    expect(others).toEqual([]);
  });

  test('a call under the name of another action is found', () => {
    const source = "ask('ecs:ListTasks', (client, options) => client.stopTask({}, options), signal)";
    expect(callsIn('here', source)).toEqual([{ at: 'here:1', action: 'ecs:ListTasks', method: 'stopTask' }]);
  });
});

describe('readers, beside a fake AWS', () => {
  const account = useFakeAccount();
  let aws: FakeAws;
  beforeAll(async () => {
    aws = await startFakeAws();
    account.use(aws.url);
  });
  beforeEach(() => {
    Object.assign(aws.world, shopWorld());
    aws.calls.length = 0;
  });
  afterAll(async () => {
    await aws[Symbol.asyncDispose]();
  });

  const whole: AwsSpec = {
    region: 'us-west-1',
    profile: null,
    loadBalancers: ['shop-1'],
    ecs: { cluster: 'shop', services: [] },
    schedules: [],
  };
  const specs: readonly { readonly claim: string; readonly spec: AwsSpec }[] = [
    { claim: 'all of a side', spec: whole },
    { claim: 'a load balancer only', spec: { ...whole, ecs: null } },
    { claim: 'services that are named', spec: { ...whole, ecs: { cluster: 'shop', services: ['orders'] } } },
    { claim: 'schedules by how they begin', spec: { ...whole, ecs: null, schedules: ['shop-n*', 'reports/hourly'] } },
    { claim: 'schedules by name', spec: { ...whole, schedules: ['shop-off'] } },
  ];

  test.for(specs)('$claim: what is called is what is said to be needed', async ({ spec }) => {
    await read(spec);
    const needed = awsActionsOf(spec, []).map((action) => action.split(':')[1]);
    // The ARN of a cluster that has services is in what ECS says of them.
    const mayBeSpared = new Set(['DescribeClusters']);
    expect(aws.calls.filter((call) => !needed.includes(call))).toEqual([]);
    expect(needed.filter((name) => !aws.calls.includes(name ?? '') && !mayBeSpared.has(name ?? ''))).toEqual([]);
  });

  test('every action of the policy is called by some reader', async () => {
    await Promise.all(specs.map(({ spec }) => read(spec)));
    aws.world.services = [];
    aws.world.tasks = [];
    await read({ ...whole, loadBalancers: [] });
    await using route53 = await startFakeRoute53();
    route53.zones = [zone('ZPUB', 'shop.example')];
    route53.records = { ZPUB: [record('A orders.shop.example 127.0.1.1', { HealthCheckId: 'h-1' })] };
    route53.health = { 'h-1': { healthy: 3, of: 7 } };
    process.env['AWS_ENDPOINT_URL_ROUTE_53'] = route53.url;
    for (const zoneId of [null, 'ZPUB']) {
      const spec = { profile: null, region: null, zoneId, changeId: null };
      const reader = newRoute53({ spec, clock, budget: (call) => call() });
      await reader.policies('orders.shop.example', signal);
      await reader.health('h-1', signal);
      await reader.change('C1', signal);
      reader.close();
      for (const action of route53ActionsOf(spec)) expect(route53.asked).toContain(action.split(':')[1]);
    }
    const called = new Set([...aws.calls, ...route53.asked]);
    expect([...called].toSorted()).toEqual(all.map((action) => action.replace(/^.*:/, '')).toSorted());
  });

  function read(spec: AwsSpec) {
    return readAws({
      spec,
      dnsNames: [],
      clock,
      wallNowMs: () => 1_796_001_017_000,
      budget: (call) => call(),
      signal,
    });
  }
});

test('of Kubernetes, what is listed and watched is what the Roles allow, and nothing of it is left over', async () => {
  const fake = await FakeKubernetes.start();
  using config = writeKubeconfig({ server: fake.url });
  try {
    const observer = newKubernetesObserver({
      side: 'new',
      spec: config.spec,
      clock,
      random: () => 0,
      entry: () => undefined,
    });
    const watching = Promise.withResolvers<void>();
    fake.onAsked = () => {
      if (fake.watchCount === kubernetesRules.length - 1) watching.resolve();
    };
    void observer.start();
    await watching.promise;
    await readKubernetes(config.spec, { clock, signal });
    void observer.stop();
    const asked = fake.asked.map(({ resource, isWatch }) => `${isWatch ? 'watch' : 'list'} ${resource}`);
    const allowed = kubernetesRules.flatMap(({ resource, verbs }) => verbs.map((verb) => `${verb} ${resource}`));
    expect([...new Set(asked)].toSorted()).toEqual(allowed.toSorted());
  } finally {
    await fake.stop();
  }
});

describe('docs/permissions', () => {
  const folder = 'docs/permissions';
  const readme = readFileSync(`${folder}/README.md`, 'utf8');
  const [before = '', rest = ''] = readme.split(tableBegins);
  const [, after = ''] = rest.split(tableEnds);

  test.for([
    { name: 'iam-policy.json', text: iamPolicy() },
    { name: 'rbac.yaml', text: rbacYaml() },
    { name: 'README.md', text: `${before}${tableBegins}\n\n${statementTable()}\n\n${tableEnds}${after}` },
  ])('$name is what the table of permissions makes', ({ name, text }) => {
    if (process.env['CUTWATCH_UPDATE'] === '1') writeFileSync(`${folder}/${name}`, text);
    expect(readFileSync(`${folder}/${name}`, 'utf8')).toBe(text);
  });

  test('each statement allows something, and nothing that changes anything', () => {
    const sids = Object.keys(awsStatements) as readonly AwsSid[];
    expect(sids.filter((sid) => actionsOfStatement(sid).length === 0)).toEqual([]);
    expect(all.filter((action) => !/^[a-z0-9]+:(?:Describe|List|Get)[A-Z]/.test(action))).toEqual([]);
  });

  test('logs of a load balancer are read below their prefix only', () => {
    const { Statement } = JSON.parse(readFileSync(`${folder}/iam-alb-logs.json`, 'utf8')) as {
      readonly Statement: readonly { readonly Action: readonly string[]; readonly Resource: string }[];
    };
    expect(Statement.flatMap(({ Action }) => Action)).toEqual(['s3:ListBucket', 's3:GetObject']);
    expect(Statement.every(({ Resource }) => Resource.startsWith('arn:aws:s3:::LOG_BUCKET'))).toBe(true);
    expect(Statement[1]?.Resource).toContain('LOG_PREFIX/');
  });

  test('the Roles are YAML that Kubernetes takes, and only the optional one is about secrets', () => {
    const documents = parseAllDocuments(rbacYaml()).map((one) => one.toJS() as Readonly<Record<string, unknown>>);
    expect(documents.map(({ kind }) => kind)).toEqual(['ServiceAccount', 'Role', 'RoleBinding', 'Role', 'RoleBinding']);
    const about = documents.map((one) => JSON.stringify(one['rules'] ?? []).includes('secrets'));
    expect(about).toEqual([false, false, false, true, false]);
  });
});
