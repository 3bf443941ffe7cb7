import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { helmReleases, helmRevisionSeen } from '../../src/platforms/kubernetes-helm.ts';
import {
  bindingSeen,
  changedAtMs,
  ingressSeen,
  mergedEndpoints,
  podSeen,
  sliceSeen,
  type SliceSeen,
} from '../../src/platforms/kubernetes-objects.ts';
import { kinds, resourcesOf } from '../../src/platforms/kubernetes-resources.ts';
import { rolloutSeen } from '../../src/platforms/kubernetes-rollout.ts';
import {
  cronJobSeen,
  jobSeen,
  scheduleSeen,
  type CronJobSeen,
  type JobSeen,
} from '../../src/platforms/kubernetes-schedules.ts';

const atMs = (text: string): number => Date.parse(text);

// ── endpoints ────────────────────────────────────────────────────────────────────────────────────────────────────────

function sliceOf(endpoints: readonly unknown[], ports: readonly unknown[] = [{ name: 'http', port: 8080 }]): SliceSeen {
  const labels = { 'kubernetes.io/service-name': 'orders' };
  const slice = sliceSeen({ metadata: { name: 'orders-x7', labels }, endpoints, ports });
  if (slice === null) throw new Error('it is a slice of a service');
  return slice;
}

test.for([
  { conditions: undefined, is: [true, true, false] },
  { conditions: {}, is: [true, true, false] },
  { conditions: { ready: null, serving: null, terminating: null }, is: [true, true, false] },
  { conditions: { ready: false }, is: [false, true, false] },
  { conditions: { ready: false, serving: true, terminating: true }, is: [false, true, true] },
  { conditions: { ready: false, serving: false, terminating: true }, is: [false, false, true] },
  { conditions: { ready: 'false', serving: 0 }, is: [true, true, false] },
])('an endpoint with conditions $conditions is ready, serving, terminating: $is', ({ conditions, is }) => {
  const [endpoint] = sliceOf([{ addresses: ['10.0.0.1'], conditions }]).endpoints;
  expect([endpoint?.isReady, endpoint?.isServing, endpoint?.isTerminating]).toEqual(is);
});

test('an endpoint is its first address, the pod behind it, its zone and the ports of its slice', () => {
  const targetRef = { kind: 'Pod', name: 'orders-5d4f-x', uid: 'u1' };
  const slice = sliceOf(
    [
      { addresses: ['10.0.0.1', '10.0.0.99'], targetRef, zone: 'us-west-2a' },
      { addresses: [] },
      { addresses: [7] },
      null,
    ],
    [{ port: 9090 }, { port: 8080 }, { port: null }, {}],
  );
  expect(slice).toEqual({
    service: 'orders',
    endpoints: [
      {
        address: '10.0.0.1',
        instanceId: null,
        ports: [8080, 9090],
        name: 'orders-5d4f-x',
        uid: 'u1',
        isReady: true,
        isServing: true,
        isTerminating: false,
        zone: 'us-west-2a',
      },
    ],
  });
});

test('a slice of no service is none of ours', () => {
  expect(sliceSeen({ metadata: { name: 'x' }, endpoints: [{ addresses: ['10.0.0.1'] }] })).toBeNull();
});

test('the slices of a service are one list: an endpoint in two of them is there once, as the better of both', () => {
  const a = (conditions: unknown): unknown => ({ addresses: ['10.0.0.2'], targetRef: { uid: 'u2' }, conditions });
  const merged = mergedEndpoints([
    sliceOf([a({ ready: false, serving: false, terminating: true })], [{ port: 8080 }]),
    sliceOf([{ addresses: ['10.0.0.1'] }, a({ ready: true, serving: true })], [{ port: 8081 }]),
  ]);
  expect(merged.map(({ address, isReady, isTerminating, ports }) => [address, isReady, isTerminating, ports])).toEqual([
    ['10.0.0.1', true, false, [8081]],
    ['10.0.0.2', true, false, [8080, 8081]],
  ]);
});

test('two pods that had one address one after the other are two endpoints', () => {
  const of = (uid: string): unknown => ({ addresses: ['10.0.0.2'], targetRef: { uid } });
  expect(mergedEndpoints([sliceOf([of('u1')]), sliceOf([of('u2')])])).toHaveLength(2);
});

test('in whatever order the slices come, the endpoints are the same', () => {
  const endpoint = fc.record({
    addresses: fc.constantFrom(['10.0.0.1'], ['10.0.0.2'], ['10.0.0.3']),
    targetRef: fc.record({ uid: fc.constantFrom('a', 'b') }),
    conditions: fc.record({ ready: fc.boolean(), serving: fc.boolean(), terminating: fc.boolean() }),
  });
  const slices = fc.array(fc.tuple(fc.array(endpoint, { maxLength: 4 }), fc.constantFrom(80, 81)), { maxLength: 4 });
  fc.assert(
    fc.property(slices, (given) => {
      const all = given.map(([endpoints, port]) => sliceOf(endpoints, [{ port }]));
      expect(mergedEndpoints(all.toReversed())).toEqual(mergedEndpoints(all));
    }),
  );
});

// ── pods ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const running = { phase: 'Running', podIP: '10.0.0.1' };

test.for([
  { status: { phase: 'Pending' }, deleted: false, state: 'pending' },
  { status: running, deleted: false, state: 'running' },
  { status: running, deleted: true, state: 'terminating' },
  { status: { phase: 'Pending' }, deleted: true, state: 'terminating' },
  { status: { phase: 'Succeeded', podIP: '10.0.0.1' }, deleted: false, state: 'gone' },
  { status: { phase: 'Failed', podIP: '10.0.0.1' }, deleted: true, state: 'gone' },
  { status: { phase: 'Unknown' }, deleted: false, state: 'pending' },
  { status: undefined, deleted: false, state: 'pending' },
])('a pod of status $status, deleted: $deleted, is $state', ({ status, deleted, state }) => {
  const ends = deleted ? { deletionTimestamp: '2026-11-20T10:00:30Z' } : {};
  expect(podSeen({ metadata: { name: 'a', ...ends }, status })?.state).toBe(state);
});

test('it ends since it was told, not since its grace is over', () => {
  const ends = { deletionTimestamp: '2026-11-20T10:00:37Z', deletionGracePeriodSeconds: 37 };
  expect(podSeen({ metadata: { name: 'a', ...ends } })?.endsSinceMs).toBe(atMs('2026-11-20T10:00:00Z'));
  expect(podSeen({ metadata: { name: 'a', deletionTimestamp: 'soon' } })?.endsSinceMs).toBeNull();
  expect(podSeen({ metadata: { name: 'a' } })?.endsSinceMs).toBeNull();
});

describe('whose a pod is', () => {
  const owned = (kind: string, name: string, labels: object, controller: unknown = true): unknown => ({
    metadata: { name: 'a', labels, ownerReferences: [{ kind, name, controller }] },
  });

  test.for([
    {
      object: owned('ReplicaSet', 'orders-api-5d4f', { 'pod-template-hash': '5d4f' }),
      owner: 'orders-api',
      revision: '5d4f',
    },
    { object: owned('ReplicaSet', 'orders-api-5d4f', {}), owner: 'orders-api-5d4f', revision: null },
    {
      object: owned('ReplicaSet', 'orders-api', { 'pod-template-hash': '5d4f' }),
      owner: 'orders-api',
      revision: '5d4f',
    },
    { object: owned('StatefulSet', 'db', { 'controller-revision-hash': 'db-77' }), owner: 'db', revision: 'db-77' },
    { object: owned('ReplicaSet', 'x-5d4f', { 'pod-template-hash': '5d4f' }, false), owner: null, revision: '5d4f' },
    { object: { metadata: { name: 'a' } }, owner: null, revision: null },
  ])('$owner of revision $revision', ({ object, owner, revision }) => {
    expect(podSeen(object)).toMatchObject({ owner, revision });
  });
});

test('a readiness gate of the load balancer controller is seen, old and new; others are none', () => {
  const gated = (conditionType: string): boolean | undefined =>
    podSeen({ metadata: { name: 'a' }, spec: { readinessGates: [{ conditionType }] } })?.hasTargetHealthGate;
  expect(gated('target-health.elbv2.k8s.aws/k8s-shop-orders-1')).toBe(true);
  expect(gated('target-health.alb.ingress.k8s.aws/orders_http')).toBe(true);
  expect(gated('www.example.com/feature')).toBe(false);
});

test('ready is what its condition says', () => {
  const ready = (conditions: unknown): boolean | undefined =>
    podSeen({ metadata: { name: 'a' }, status: { conditions } })?.isReady;
  expect(
    ready([
      { type: 'ContainersReady', status: 'True' },
      { type: 'Ready', status: 'True' },
    ]),
  ).toBe(true);
  expect(
    ready([
      { type: 'ContainersReady', status: 'True' },
      { type: 'Ready', status: 'False' },
    ]),
  ).toBe(false);
  expect(ready([{ type: 'Ready', status: true }])).toBe(false);
  expect(ready(undefined)).toBe(false);
});

test('when it was written last is the latest write of any owner of its fields, else its creation', () => {
  const creationTimestamp = '2026-11-20T10:00:00Z';
  const managedFields = [{ time: '2026-11-20T10:07:31Z' }, { time: '2026-11-20T10:03:00Z' }, { time: 'x' }, {}];
  expect(changedAtMs({ metadata: { creationTimestamp, managedFields } })).toBe(atMs('2026-11-20T10:07:31Z'));
  expect(changedAtMs({ metadata: { creationTimestamp } })).toBe(atMs(creationTimestamp));
  expect(changedAtMs({ metadata: {} })).toBeNull();
});

// ── deployments ──────────────────────────────────────────────────────────────────────────────────────────────────────

const done = { observedGeneration: 3, replicas: 5, updatedReplicas: 5, readyReplicas: 5, availableReplicas: 5 };

test.for([
  { status: done, state: 'complete', reason: '' },
  { status: { ...done, observedGeneration: 2 }, state: 'progressing', reason: 'has not been taken up' },
  { status: { ...done, updatedReplicas: 2 }, state: 'progressing', reason: '2 of 5 replicas are updated' },
  { status: { ...done, replicas: 7 }, state: 'progressing', reason: '2 old replicas are still there' },
  { status: { ...done, availableReplicas: 4 }, state: 'progressing', reason: '4 of 5 updated replicas are available' },
  {
    status: { ...done, updatedReplicas: 2, conditions: [{ type: 'Progressing', reason: 'ProgressDeadlineExceeded' }] },
    state: 'failed',
    reason: 'no progress',
  },
  // What it says of the generation before is not of this one.
  {
    status: {
      ...done,
      observedGeneration: 2,
      conditions: [{ type: 'Progressing', reason: 'ProgressDeadlineExceeded' }],
    },
    state: 'progressing',
    reason: 'has not been taken up',
  },
  { status: undefined, state: 'progressing', reason: 'has not been taken up' },
])('a Deployment of 5 with status $status is $state', ({ status, state, reason }) => {
  const annotations = { 'deployment.kubernetes.io/revision': '12' };
  const metadata = { name: 'orders', generation: 3, annotations };
  const rollout = rolloutSeen({ metadata, spec: { replicas: 5 }, status });
  expect(rollout).toMatchObject({ name: 'orders', revision: '12', desiredCount: 5, state });
  expect(rollout?.reason).toContain(reason);
});

test('one of none is complete, and without a number it is of one', () => {
  const metadata = { name: 'orders', generation: 1 };
  expect(rolloutSeen({ metadata, spec: { replicas: 0 }, status: { observedGeneration: 1 } })?.state).toBe('complete');
  expect(rolloutSeen({ metadata, spec: {}, status: { observedGeneration: 1 } })).toMatchObject({
    desiredCount: 1,
    state: 'progressing',
  });
});

// ── CronJobs ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function cronJob(spec: object, status: object = {}): CronJobSeen {
  const seen = cronJobSeen({ metadata: { name: 'nightly' }, spec: { schedule: '*/7 * * * *', ...spec }, status });
  if (seen === null) throw new Error('it is a CronJob');
  return seen;
}

test('a CronJob is enabled unless it is suspended', () => {
  expect(cronJob({ suspend: true }).schedule.isEnabled).toBe(false);
  expect(cronJob({ suspend: false }).schedule.isEnabled).toBe(true);
  expect(cronJob({}).schedule).toEqual({
    kind: 'cron-job',
    name: 'nightly',
    isEnabled: true,
    expression: '*/7 * * * *',
    timeZone: null,
    activeCount: 0,
    lastRunAtMs: null,
    startingDeadlineS: null,
  });
  const { schedule } = cronJob(
    { timeZone: 'Europe/Zurich', startingDeadlineSeconds: 133 },
    { lastScheduleTime: '2026-11-20T10:07:00Z', active: [{ name: 'nightly-1' }] },
  );
  expect(schedule).toMatchObject({ timeZone: 'Europe/Zurich', startingDeadlineS: 133, activeCount: 1 });
  expect(schedule.lastRunAtMs).toBe(atMs('2026-11-20T10:07:00Z'));
});

function job(name: string, conditions: readonly unknown[], owner = 'nightly'): [string, JobSeen] {
  const ownerReferences = [{ kind: 'CronJob', name: owner, controller: true }];
  const seen = jobSeen({ metadata: { name, ownerReferences }, status: { conditions } });
  if (seen === null) throw new Error('it is a Job');
  return [name, seen];
}

const ended = { type: 'Complete', status: 'True' };

test.for([
  { active: [], jobs: [], count: 0 },
  { active: ['a'], jobs: [job('a', [])], count: 1 },
  // The CronJob does not know yet that it has one, or that it has none any longer.
  { active: [], jobs: [job('a', [])], count: 1 },
  { active: ['a'], jobs: [job('a', [ended])], count: 0 },
  { active: ['a', 'b'], jobs: [job('a', [{ type: 'Failed', status: 'True' }])], count: 1 },
  { active: [], jobs: [job('a', [{ type: 'Failed', status: 'False' }])], count: 1 },
  { active: [], jobs: [job('a', [], 'hourly')], count: 0 },
])('$active of its own status and Jobs $jobs are $count that run', ({ active, jobs, count }) => {
  const seen = cronJob({}, { active: active.map((name) => ({ name })) });
  expect(scheduleSeen(seen, new Map(jobs)).activeCount).toBe(count);
});

// ── what leads to services ───────────────────────────────────────────────────────────────────────────────────────────

test('an Ingress is its routes to services, its class, and the load balancers that it got', () => {
  const backend = (name: string): unknown => ({ service: { name, port: { number: 80 } } });
  const seen = ingressSeen(
    {
      metadata: { name: 'shop' },
      spec: {
        ingressClassName: 'alb',
        defaultBackend: backend('fallback'),
        rules: [
          {
            host: 'orders.shop.example',
            http: {
              paths: [
                { path: '/api', backend: backend('orders') },
                { path: '/files', backend: { resource: { kind: 'Bucket', name: 'x' } } },
              ],
            },
          },
          { host: 'empty.shop.example' },
        ],
      },
      status: { loadBalancer: { ingress: [{ hostname: 'k8s-shop.elb.example' }, { ip: '10.0.0.9' }, {}] } },
    },
    'shop',
  );
  expect(seen).toEqual({
    name: 'shop',
    controller: 'alb',
    routes: [
      { host: 'orders.shop.example', path: '/api', service: 'shop/orders' },
      { host: '', path: '', service: 'shop/fallback' },
    ],
    loadBalancerNames: ['k8s-shop.elb.example', '10.0.0.9'],
  });
  const annotations = { 'kubernetes.io/ingress.class': 'nginx' };
  expect(ingressSeen({ metadata: { name: 'old', annotations } }, 'shop')?.controller).toBe('nginx');
});

test('a TargetGroupBinding joins a target group to a service', () => {
  const targetGroupARN = 'arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/k8s-shop/1';
  const spec = {
    targetGroupARN,
    targetType: 'instance',
    serviceRef: { name: 'orders', port: 80 },
    multiClusterTargetGroup: true,
  };
  expect(bindingSeen({ metadata: { name: 'k8s-shop' }, spec }, 'shop')).toEqual({
    name: 'k8s-shop',
    groupArn: targetGroupARN,
    targetType: 'instance',
    service: 'shop/orders',
    servicePort: '80',
    isMultiCluster: true,
  });
  const least = { targetGroupARN, serviceRef: { name: 'orders', port: 'http' } };
  expect(bindingSeen({ metadata: { name: 'k8s-shop' }, spec: least }, 'shop')).toMatchObject({
    targetType: 'ip',
    servicePort: 'http',
    isMultiCluster: false,
  });
});

// ── Helm ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

test('a Helm release is its revisions, in order of number and not of text', () => {
  const secret = (version: string, status: string): unknown => ({
    metadata: { name: `sh.helm.release.v1.shop.v${version}`, labels: { name: 'shop', owner: 'helm', version, status } },
  });
  const seen = [
    secret('10', 'deployed'),
    secret('9', 'superseded'),
    secret('x', 'deployed'),
    secret('11', 'failed'),
  ].map(helmRevisionSeen);
  expect(seen[2]).toBeNull();
  expect(helmReleases(seen.filter((revision) => revision !== null))).toEqual([
    { name: 'shop', revision: 11, status: 'failed', revisions: [9, 10, 11] },
  ]);
});

// ── whatever comes ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Objects that look like Kubernetes' own in their keys, and hold anything. */
const anything = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.jsonValue({ maxDepth: 1 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        'metadata',
        'name',
        'labels',
        'kubernetes.io/service-name',
        'spec',
        'status',
        'endpoints',
        'addresses',
        'ports',
        'conditions',
        'readinessGates',
        'ownerReferences',
        'rules',
        'http',
        'paths',
        'backend',
        'service',
        'serviceRef',
        'active',
        'loadBalancer',
        'ingress',
        'managedFields',
        '__proto__',
        'constructor',
      ),
      tie('value'),
    ),
  ),
})).value;

test.for(kinds)('%s: whatever is said to be an object is read or is nothing, and never throws', (kind) => {
  const { read } = resourcesOf('shop')[kind];
  fc.assert(
    fc.property(anything, (object) => {
      // Through text, as it comes: a key __proto__ is then a key as any other.
      const seen = read(JSON.parse(JSON.stringify(object) ?? 'null'));
      expect(seen === null || typeof seen === 'object').toBe(true);
      expect(changedAtMs(object) ?? 0).not.toBeNaN();
    }),
    { numRuns: 300 },
  );
});
