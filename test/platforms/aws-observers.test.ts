import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Entry, EntryOf } from '../../src/core/entry.ts';
import type { AwsSpec, PlatformFact } from '../../src/core/platform.ts';
import { newRandom } from '../../src/core/random.ts';
import { nsToS } from '../../src/core/time.ts';
import { newAwsObservers, type AwsObservers } from '../../src/platforms/aws-observers.ts';
import { newCallClock, type CallClock } from './call-clock.ts';
import { groupArn, service, shopArn, shopWorld, target, task } from './aws-shop.ts';
import { startFakeAws, type FakeAws } from './fake-aws.ts';
import { useFakeAccount } from './fake-account.ts';

const spec: AwsSpec = {
  region: 'us-west-1',
  profile: null,
  loadBalancers: ['shop-1'],
  ecs: { cluster: 'shop', services: ['orders'] },
  schedules: [],
};
const account = useFakeAccount();
let aws: FakeAws;
let time: CallClock;
let entries: Entry[];
let observers: AwsObservers;

beforeEach(async () => {
  aws = await startFakeAws(shopWorld());
  aws.world.pageSize = 100;
  account.use(aws.url);
  entries = [];
});
afterEach(async () => {
  observers.stop();
  await aws[Symbol.asyncDispose]();
});

function observe(more: Partial<AwsSpec> = {}, callsPerSecond: number = 1): void {
  time = newCallClock(() => aws.hungCount, callsPerSecond);
  const { clock, budget } = time;
  observers = newAwsObservers({
    side: 'old',
    spec: { ...spec, ...more },
    dnsNames: [],
    clock,
    wallNowMs: () => 1_796_001_000_000 + nsToS(clock.nowNs()) * 1000,
    random: newRandom(11, 'aws'),
    budget,
    entry: (entry) => void entries.push(entry),
  });
  observers.start();
}

type Seen<K extends PlatformFact['kind']> = EntryOf<'platform-seen'> & {
  readonly fact: Extract<PlatformFact, { kind: K }>;
};

function seen<K extends PlatformFact['kind']>(kind: K): readonly Seen<K>[] {
  return entries.filter((entry): entry is Seen<K> => entry.type === 'platform-seen' && entry.fact.kind === kind);
}

function targetsOf(group: string): readonly Seen<'targets'>[] {
  return seen('targets').filter(({ fact }) => fact.groupArn === groupArn(group));
}

function sight(observer: string): readonly string[] {
  return entries.flatMap((entry) =>
    'observer' in entry && entry.observer === observer && entry.type !== 'platform-seen' ? [entry.type] : [],
  );
}

const until = (what: string, isSo: () => boolean): Promise<void> => time.until(what, isSo);

test('everything that is asked for is told, with whom it is of; owners are those of ECS from the start', async () => {
  observe();
  await until('all kinds', () =>
    (['load-balancer', 'targets', 'endpoints', 'workload', 'rollout', 'schedule', 'traffic'] as const).every(
      (kind) => seen(kind).length > 0,
    ),
  );
  await until('targets of all groups', () => new Set(seen('targets').map(({ fact }) => fact.groupArn)).size === 4);
  const [balancer] = seen('load-balancer');
  expect(balancer).toMatchObject({ observer: 'elbv2:old', side: 'old', previousSentAtNs: null, sameCount: 0 });
  expect(balancer?.fact.loadBalancer.groups[0]?.owner).toBe('shop/orders');
  for (const entry of entries) {
    if (entry.type === 'platform-seen') expect(entry.sentAtNs).toBeLessThanOrEqual(entry.atNs);
  }
  for (const name of ['elbv2', 'elbv2-targets', 'ecs', 'schedules', 'cloudwatch']) {
    expect(sight(`${name}:old`)).toEqual(['observer-started']);
  }
});

test('AWS is asked no more than once a second in all', async () => {
  observe();
  await until('40 calls', () => aws.calls.length >= 40);
  expect(aws.calls.length).toBeLessThanOrEqual(nsToS(time.clock.nowNs()) + 1);
});

test('second attempts are within it, too, when AWS throttles', async () => {
  observe();
  await until('the first targets', () => targetsOf('orders').length === 1);
  const [fromNs, before] = [time.clock.nowNs(), aws.calls.length];
  for (const action of new Set(aws.calls)) aws.world.faults[action] = 'throttled';
  await until('30 calls more', () => aws.calls.length - before >= 30);
  expect(aws.calls.length - before).toBeLessThanOrEqual(nsToS(time.clock.nowNs() - fromNs) + 1);
});

test('of all that is asked for, the health of a single group comes every 2 to 5 s', async () => {
  // Beside ECS, schedules and all the rest.
  aws.world.groups[shopArn] = (aws.world.groups[shopArn] ?? []).filter(
    (one) => one['TargetGroupArn'] === groupArn('orders'),
  );
  observe();
  const askedAtS: number[] = [];
  await until('the first targets', () => targetsOf('orders').length === 1);
  let count = 0;
  const look = (): void => {
    const now = aws.calls.filter((action) => action === 'DescribeTargetHealth').length;
    if (now > count) askedAtS.push(nsToS(time.clock.nowNs()));
    count = now;
    time.clock.at(time.clock.nowNs() + 100_000_000, look);
  };
  look();
  await until('40 looks', () => askedAtS.length > 40);
  const gapsS = askedAtS
    .slice(1)
    .map((atS, i) => atS - (askedAtS[i] ?? 0))
    .toSorted((a, b) => a - b);
  expect(gapsS[Math.floor(gapsS.length / 2)]).toBeLessThanOrEqual(4);
  expect(gapsS.at(-1)).toBeLessThanOrEqual(5);
  expect(gapsS[0]).toBeGreaterThanOrEqual(2);
});

test('a target that changes is told with the poll before, one that stays only now and then', async () => {
  observe({ ecs: null });
  await until('the first targets', () => targetsOf('orders').length === 1);
  const changedFromNs = time.clock.nowNs();
  aws.world.health[groupArn('orders')] = [target('10.0.0.1', 'unhealthy', 'Target.Timeout')];
  await until('the change', () => targetsOf('orders').length === 2);
  const [first, second] = targetsOf('orders');
  expect(second?.fact.targets).toMatchObject([{ id: '10.0.0.1', state: 'unhealthy', reason: 'Target.Timeout' }]);
  // The poll before was sent before the change, or what it was answered with would have been told.
  expect(second?.previousSentAtNs).toBeGreaterThanOrEqual(first?.sentAtNs ?? Infinity);
  expect(second?.atNs).toBeGreaterThanOrEqual(changedFromNs);

  const callCount = (): number => aws.calls.filter((action) => action === 'DescribeTargetHealth').length;
  await until('a repetition', () => targetsOf('orders').length === 3);
  const third = targetsOf('orders')[2];
  expect(nsToS((third?.atNs ?? 0) - (second?.atNs ?? 0))).toBeGreaterThanOrEqual(30);
  expect(third?.sameCount).toBeGreaterThanOrEqual(2);
  expect(callCount()).toBeGreaterThan(targetsOf('orders').length);
});

test.for([
  { fault: 'throttled', why: /throttles elasticloadbalancing:DescribeTargetHealth/ },
  { fault: 'denied', why: /may not do elasticloadbalancing:DescribeTargetHealth: allow it in IAM/ },
  { fault: 'hung', why: /did not answer elasticloadbalancing:DescribeTargetHealth/ },
] as const)(
  '$fault in the middle: blind since it last saw, then seeing again; other observers see on',
  async ({ fault, why }) => {
    observe({ ecs: null });
    await until('the first targets', () => targetsOf('orders').length === 1);
    aws.world.faults['DescribeTargetHealth'] = fault;
    await until('blindness', () => sight('elbv2-targets:old').includes('observer-blinded'));
    const blinded = entries.findLast((entry) => entry.type === 'observer-blinded');
    expect(blinded?.why).toMatch(why);
    expect(blinded?.sinceNs).toBeLessThan(blinded?.atNs ?? 0);
    expect(JSON.stringify(entries)).not.toContain('hunter2');

    aws.world.health[groupArn('orders')] = [];
    aws.world.faults = {};
    await until('sight', () => sight('elbv2-targets:old').includes('observer-recovered'));
    expect(sight('elbv2-targets:old')).toEqual(['observer-started', 'observer-blinded', 'observer-recovered']);
    expect(sight('elbv2:old')).toEqual(['observer-started']);
    // What changed meanwhile changed since the last poll that was answered, which was before the blindness.
    const after = targetsOf('orders').at(-1);
    expect(after?.fact.targets).toEqual([]);
    expect(after?.previousSentAtNs).toBeLessThan(blinded?.atNs ?? 0);
  },
);

test('who throttles us is asked less and less often', async () => {
  observe({ ecs: null });
  await until('the first targets', () => targetsOf('orders').length === 1);
  aws.world.faults['DescribeTargetHealth'] = 'throttled';
  await until('blindness', () => sight('elbv2-targets:old').includes('observer-blinded'));
  const fromNs = time.clock.nowNs();
  const before = aws.calls.filter((action) => action === 'DescribeTargetHealth').length;
  await until('a while', () => nsToS(time.clock.nowNs() - fromNs) > 60);
  const after = aws.calls.filter((action) => action === 'DescribeTargetHealth').length;
  // At 6, 12, 24, 30 s after each other, and two attempts each; without backing off there were 20 looks.
  expect(after - before).toBeLessThanOrEqual(2 * 5);
});

test('interfaces that may not be looked at are noted once, and blind nobody', async () => {
  aws.world.faults['DescribeNetworkInterfaces'] = 'denied';
  observe({ ecs: null });
  await until('two inventories', () => seen('load-balancer').length === 2);
  expect(seen('load-balancer')[0]?.fact.loadBalancer.addresses).toEqual([]);
  expect(entries.filter(({ type }) => type === 'noted')).toMatchObject([
    { text: expect.stringMatching(/^elbv2:old: the addresses of shop-1 are not known: .*DescribeNetworkInterfaces/) },
  ]);
  expect(sight('elbv2:old')).toEqual(['observer-started']);
});

test.for([
  {
    what: 'a group that was deleted',
    change: () => {
      delete aws.world.health[groupArn('retired')];
      for (const [arn, groups] of Object.entries(aws.world.groups)) {
        aws.world.groups[arn] = groups.filter(({ TargetGroupName }) => TargetGroupName !== 'retired');
      }
    },
  },
  {
    what: 'a group that another service registers its tasks in',
    change: () => {
      aws.world.services = [service('orders', 'orders-next')];
    },
  },
])('$what is looked up at once, and blinds nobody', async ({ change }) => {
  // Where calls wait for their turn, all of this takes about as long as the inventory's turn to come.
  observe({}, 13);
  await until('targets', () => targetsOf('retired').length === 1);
  const [before, ...others] = seen('load-balancer');
  expect(others).toEqual([]);
  change();
  await until('the new inventory', () => seen('load-balancer').length === 2);
  const [, after] = seen('load-balancer');
  expect(after?.fact.loadBalancer).not.toEqual(before?.fact.loadBalancer);
  // Its turn comes after 60 s.
  expect(nsToS((after?.sentAtNs ?? Infinity) - (before?.sentAtNs ?? 0))).toBeLessThan(30);
  expect(sight('elbv2-targets:old')).toEqual(['observer-started']);
});

test('a task that ends is told when ECS was told to end it; one that vanishes is gone', async () => {
  observe();
  await until('tasks', () => seen('workload').length >= 7);
  aws.world.tasks = [
    task('a1', '10.0.0.1', {
      desiredStatus: 'STOPPED',
      lastStatus: 'STOPPED',
      stoppingAt: 1_796_000_900,
      stoppedAt: 1_796_000_931,
    }),
    task('a5', '10.0.0.5'),
  ];
  await until('the end', () => seen('workload').some(({ fact }) => fact.workload.name === 'a5'));
  expect(seen('workload').findLast(({ fact }) => fact.workload.name === 'a1')?.fact.workload).toMatchObject({
    state: 'gone',
    endsSinceMs: 1_796_000_900_000,
    endedAtMs: 1_796_000_931_000,
  });
  // Those that had ended before were said to be gone then.
  await until('all is told', () => seen('gone').length >= 4);
  expect(
    seen('gone')
      .map(({ fact }) => fact.name)
      .toSorted(),
  ).toEqual(['a3', 'a4', 'b1', 'n1']);
});

test('a side of which nothing but the cluster is known has its tasks and schedules told, and no load balancer asked for', async () => {
  observe({ loadBalancers: [] });
  await until('schedules', () => seen('schedule').length >= 5);
  aws.world.eventRules = [];
  await until('they are gone', () => seen('gone').length === 3);
  expect(aws.calls.filter((action) => action === 'GetSchedule')).toHaveLength(2);
  expect(aws.calls).not.toContain('DescribeLoadBalancers');
});

test('a load balancer that is not there is blindness, until it is', async () => {
  const all = aws.world.loadBalancers;
  aws.world.loadBalancers = [];
  observe({ ecs: null });
  await until('blindness', () => sight('elbv2:old').includes('observer-blinded'));
  expect(entries.at(-1)).toMatchObject({ why: 'there is no load balancer named shop-1' });
  aws.world.loadBalancers = all;
  await until('targets', () => targetsOf('orders').length === 1);
  expect(sight('elbv2:old')).toEqual(['observer-started', 'observer-blinded', 'observer-recovered']);
});

test('nothing is told after it was stopped, not even that it was', async () => {
  observe();
  await until('the first targets', () => targetsOf('orders').length === 1);
  observers.stop();
  const count = entries.length;
  const stoppedNs = time.clock.nowNs();
  await until('a while', () => nsToS(time.clock.nowNs() - stoppedNs) > 100);
  expect(entries.length).toBe(count);
});
