/**
 * The doctor as an operator starts it, before a resolver without TCP, a server whose clock is ahead and a limit of open
 * files; and the documented policy as moto's IAM enforces it: whole, and without each of its statements.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { EC2 } from '@aws-sdk/client-ec2';
import { ECS } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2 } from '@aws-sdk/client-elastic-load-balancing-v2';
import { Route53 } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DoctorRow } from '../../src/checks/doctor-row.ts';
import { newClock } from '../../src/net/clock.ts';
import { tryAws } from '../../src/platforms/aws-tries.ts';
import { actionsOfStatement, awsActionsOf, route53ActionsOf, type AwsSid } from '../../src/platforms/permissions.ts';
import { tryRoute53 } from '../../src/platforms/route53-tries.ts';
import type { Tried } from '../../src/platforms/tried.ts';
import type { ScenarioInput } from '../../src/scenario/input.ts';
import { useFakeAccount } from '../platforms/fake-account.ts';
import { describeReal } from './servers/describe-real.ts';
import { describeMoto, startMoto, type Moto } from './servers/moto.ts';
import { startNamed } from './servers/named.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';
import { startUnbound } from './servers/unbound.ts';

const zone = 'shop.test';
const mainPath = new URL('../../src/cli/main.ts', import.meta.url).pathname;

interface Printed {
  readonly fit: string;
  readonly toDo: readonly string[];
  readonly checks: readonly DoctorRow[];
}

describeReal('the doctor', ['named', 'unbound'], () => {
  const stack = new AsyncDisposableStack();
  const aheadMs = 7300;
  let folder = '';
  let scenario: ScenarioInput;

  beforeAll(async () => {
    folder = stack.use(await makeTemporaryFolder()).path;
    const server = createServer((_, response) => {
      response.setHeader('date', new Date(Date.now() + aheadMs).toUTCString());
      response.end('ready');
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.1.1', resolve));
    stack.defer(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const named = stack.use(await startNamed({ zone, records: ['orders 5 A 127.0.1.1'] }));
    const mute = stack.use(await startUnbound({ zone, authorities: [named], more: ['do-tcp: no'] }));
    const well = stack.use(await startUnbound({ zone, authorities: [named] }));
    scenario = {
      name: 'doctored',
      services: [{ name: 'orders', url: `http://orders.${zone}:${port}/ready` }],
      sides: { old: { addresses: ['127.0.1.1'] }, new: { addresses: ['127.0.2.1'] } },
      resolvers: [
        { name: 'well', address: `${well.address}:${well.port}` },
        { name: 'mute', address: `${mute.address}:${mute.port}` },
      ],
      authorities: [`${named.address}:${named.port}`],
    };
  });
  afterAll(() => stack.disposeAsync());

  /** With so many files that may be open. */
  async function doctor(openFiles: number): Promise<{ readonly exitCode: number; readonly found: Printed }> {
    const path = join(folder, 'scenario.yaml');
    await writeFile(path, JSON.stringify(scenario));
    const words = [
      '-c',
      `ulimit -n ${openFiles} && exec "$0" "$@"`,
      process.execPath,
      mainPath,
      'doctor',
      path,
      '--json',
    ];
    return new Promise((resolve) => {
      const child = execFile('bash', words, { cwd: folder }, (_, stdout) => {
        resolve({ exitCode: child.exitCode ?? 1, found: JSON.parse(stdout) as Printed });
      });
    });
  }

  test('finds the resolver without TCP, the limit and the clock, and nothing else', async () => {
    const { exitCode, found } = await doctor(211);
    const failed = found.checks.filter(({ result }) => result === 'fail');
    expect(failed.map(({ topic, subject, decides }) => [topic, subject, decides])).toEqual([
      ['resolver', `mute TCP orders.${zone}`, true],
      ['open-files', 'open files', true],
      ['clock', 'offset', false],
    ]);
    expect(exitCode).toBe(3);
    expect(found.toDo).toEqual([
      expect.stringContaining('TCP to mute') as string,
      expect.stringContaining('ulimit -n') as string,
    ]);
    // A Date is cut to whole seconds.
    const text = failed.at(-1)?.text ?? '';
    const atLeastS = Number(/behind by at least ([\d.]+) s/.exec(text)?.[1]);
    expect(atLeastS).toBeLessThanOrEqual(aheadMs / 1000);
    expect(atLeastS).toBeGreaterThan(aheadMs / 1000 - 4);
    const passed = found.checks.filter(({ result }) => result === 'pass').map(({ subject }) => subject);
    for (const way of ['UDP', 'TCP']) expect(passed).toContain(`well ${way} orders.${zone}`);
    expect(passed.filter((subject) => subject.startsWith('127.0.0.1:'))).toHaveLength(2);
  });

  test('what its remedy says is enough', async () => {
    const { found } = await doctor(211);
    const wanted = Number(/ulimit -n (\d+)/.exec(found.toDo.join())?.[1]);
    const { found: after } = await doctor(wanted);
    expect(after.toDo).toEqual([expect.stringContaining('TCP to mute')]);
  });
});

// ── the policy ───────────────────────────────────────────────────────────────────────────────────────────────────────

interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface Policy {
  readonly Version: string;
  readonly Statement: readonly { readonly Sid: AwsSid }[];
}

const documented = JSON.parse(readFileSync('docs/permissions/iam-policy.json', 'utf8')) as Policy;

describeMoto('docs/permissions/iam-policy.json', () => {
  const account = useFakeAccount();
  const region = 'us-west-1';
  const hostname = `orders.${zone}`;
  const spec = {
    region,
    profile: null,
    loadBalancers: ['shop-1'],
    ecs: { cluster: 'shop', services: [] },
    schedules: [],
  };
  const route53Spec = { profile: null, region: null, zoneId: null, changeId: null };
  const needed = [...awsActionsOf(spec, []), ...route53ActionsOf(route53Spec)];
  let moto: Moto;

  beforeAll(async () => {
    moto = await startMoto();
    account.use(moto.url);
    await makeShop();
  }, 120_000);
  afterAll(() => moto[Symbol.asyncDispose]());

  test('suffices: nothing is refused', async () => {
    const tried = await triedWith(documented.Statement);
    expect(tried.map(({ permission }) => permission)).toEqual(needed);
    expect(refusedOf(tried)).toEqual([]);
    const others = tried.filter(({ result }) => result !== 'allowed').map(({ permission }) => permission);
    expect(others.filter((permission) => !beyondMoto.has(permission))).toEqual([]);
  });

  test.for(documented.Statement.map(({ Sid }) => Sid).filter((sid) => sid !== 'Traffic'))(
    'without %s exactly its actions are refused',
    async (sid) => {
      const tried = await triedWith(documented.Statement.filter(({ Sid }) => Sid !== sid));
      expect(refusedOf(tried)).toEqual(actionsOfStatement(sid).filter((action) => needed.includes(action)));
    },
  );

  /** moto fails where AWS says that there is no such thing; and does not know which action of CloudWatch is asked for. */
  const beyondMoto: ReadonlySet<string> = new Set(['ecs:DescribeContainerInstances', 'cloudwatch:GetMetricData']);

  /** To clients that speak JSON or REST moto refuses in XML that AWS never sends there: by its status alone. */
  function refusedOf(tried: readonly Tried[]): readonly string[] {
    const refused = tried.filter(({ result, why }) => result === 'denied' || why.includes('HTTP 403'));
    return refused
      .map(({ permission }) => permission)
      .filter((permission) => permission !== 'cloudwatch:GetMetricData');
  }

  async function triedWith(statements: Policy['Statement']): Promise<readonly Tried[]> {
    await enforce(Infinity);
    // moto compares actions, and no resource.
    const Statement = statements.map((one) => ({ ...one, Resource: '*' }));
    const key = await makeUser(`doctor-${Math.random().toString(36).slice(2)}`, { Version: '2012-10-17', Statement });
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: key.secretAccessKey });
    await enforce(0);
    const clock = newClock(process.hrtime.bigint());
    const { signal } = new AbortController();
    const budget = <T>(call: () => Promise<T>): Promise<T> => call();
    const options = { clock, wallNowMs: Date.now, budget, signal };
    return [
      ...(await tryAws({ ...options, spec, dnsNames: [] })),
      ...(await tryRoute53({ ...options, spec: route53Spec, hostname })),
    ];
  }

  /** moto asks for permissions after so many more calls. */
  async function enforce(afterCount: number): Promise<void> {
    const body = afterCount === Infinity ? 'inf' : String(afterCount);
    await fetch(`${moto.url}/moto-api/reset-auth`, { method: 'POST', body });
  }

  /** IAM itself, asked as plainly as its API allows: no client of it is needed for anything else. */
  async function iam(Action: string, more: Readonly<Record<string, string>>): Promise<string> {
    const answer = await fetch(`${moto.url}/`, {
      method: 'POST',
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261124/us-east-1/iam/aws4_request' },
      body: new URLSearchParams({ Action, Version: '2010-05-08', ...more }),
    });
    const text = await answer.text();
    expect(answer.status, text).toBe(200);
    return text;
  }

  async function makeUser(UserName: string, policy: object): Promise<AccessKey> {
    await iam('CreateUser', { UserName });
    await iam('PutUserPolicy', { UserName, PolicyName: 'all', PolicyDocument: JSON.stringify(policy) });
    const text = await iam('CreateAccessKey', { UserName });
    const read = (tag: string): string => new RegExp(`<${tag}>([^<]+)<`).exec(text)?.[1] ?? '';
    return { accessKeyId: read('AccessKeyId'), secretAccessKey: read('SecretAccessKey') };
  }

  async function makeShop(): Promise<void> {
    const ec2 = new EC2({ region });
    const VpcId = (await ec2.createVpc({ CidrBlock: '10.0.0.0/16' })).Vpc?.VpcId ?? '';
    const subnet = { VpcId, CidrBlock: '10.0.1.0/24', AvailabilityZone: `${region}a` };
    const SubnetId = (await ec2.createSubnet(subnet)).Subnet?.SubnetId ?? '';
    const elbv2 = new ElasticLoadBalancingV2({ region });
    const { LoadBalancers } = await elbv2.createLoadBalancer({ Name: 'shop-1', Subnets: [SubnetId] });
    const group = { Name: 'orders', VpcId, Protocol: 'HTTP', Port: 8080, TargetType: 'ip' } as const;
    const { TargetGroups } = await elbv2.createTargetGroup(group);
    await elbv2.createListener({
      LoadBalancerArn: LoadBalancers?.[0]?.LoadBalancerArn ?? '',
      Protocol: 'HTTP',
      Port: 80,
      DefaultActions: [{ Type: 'forward', TargetGroupArn: TargetGroups?.[0]?.TargetGroupArn ?? '' }],
    });
    await new ECS({ region }).createCluster({ clusterName: 'shop' });
    const route53 = new Route53({ region: 'us-east-1' });
    await route53.createHostedZone({ Name: zone, CallerReference: 'one' });
  }
});
