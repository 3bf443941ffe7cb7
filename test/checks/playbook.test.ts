/** Each step of a playbook: passes where all is well, and one fault makes it fail, or unknown, and no other. */
import { describe, expect, test } from 'vitest';
import { playbook, playbookExitCode, playbookJson, readingOf, stepsOf } from '../../src/checks/playbook.ts';
import type { KubernetesFacts } from '../../src/checks/playbook-facts.ts';
import { playbookText } from '../../src/checks/playbook-text.ts';
import { playbookChecks } from '../../src/core/playbook.ts';
import { hostname, memoryOf, nowMs, oldAddress, probe, server } from './kit.ts';
import {
  askedOf,
  awsFacts,
  binding,
  clusterWith,
  clusterWithout,
  endpoints,
  group,
  job,
  kubernetes,
  loadBalancer,
  minuteMs,
  notTold,
  platform,
  playbookFacts,
  playbookScenario,
  pod,
  reading,
  readings,
  release,
  rollbackFacts,
  rollout,
  rule,
  schedule,
  stepOf,
  switchedName,
  told,
  traffic,
  type Over,
} from './playbook-kit.ts';

function statesOf(over: Over): Readonly<Record<string, string>> {
  const facts = playbookFacts(over);
  const { steps } = playbook(facts, stepsOf(facts.look.scenario, false), false);
  return Object.fromEntries(steps.map(({ name, state }) => [name, state]));
}

const well = statesOf({});

test('where all is well every step passes, but that jobs are off, which was before', () => {
  expect(Object.entries(well).filter(([, state]) => state !== 'pass')).toEqual([
    ['cron-suspended-on-new', 'not-applicable'],
  ]);
});

const cronJob = (over: Parameters<typeof schedule>[0]): Over => ({
  new: { kubernetes: clusterWith({ kind: 'schedule', schedule: schedule(over) }) },
});
const authorities = (...sides: readonly ('old' | 'new')[]): Over => ({
  look: {
    names: [switchedName({ authorities: sides.map((side, i) => ({ server: `ns-${i + 1}`, asked: askedOf(side) })) })],
  },
});
const tooLong = { connectionAgesS: { 'old/shop-1': 3600 } };
const low = { connectionAgesS: { 'old/shop-1': 60 } };

describe('one fault makes one step fail', () => {
  const faults: readonly (readonly [name: string, step: string, over: Over, alsoFailing?: readonly string[]])[] = [
    [
      'a record whose TTL was not lowered',
      'ttl-lowered',
      {
        look: {
          names: [
            switchedName({
              authorities: ['ns-1', 'ns-2'].map((name) => ({
                server: name,
                asked: server(name, [`${hostname} 3600 A 198.51.100.1`]).asked.map((one) => ({
                  ...one,
                  side: one.side === 'none' ? ('none' as const) : ('new' as const),
                })),
              })),
            }),
          ],
          memory: memoryOf([{ atS: 0, ttls: { 'ns-1': 3600, 'ns-2': 3600 } }]),
        },
      },
      // The way back takes as long as the TTL, and nothing can have aged out.
      ['ttl-aged-out', 'rollback-ready'],
    ],
    [
      'a TTL that was lowered too late',
      'ttl-aged-out',
      {
        look: {
          memory: memoryOf([
            { atS: -900, ttls: { 'ns-1': 3600, 'ns-2': 3600 } },
            { atS: -700, ttls: { 'ns-1': 60, 'ns-2': 60 } },
            { atS: 0, ttls: { 'ns-1': 60, 'ns-2': 60 } },
          ]),
        },
      },
    ],
    [
      'connections that live for an hour',
      'connection-age-lowered',
      { old: { aws: awsFacts({ loadBalancers: told([loadBalancer({ clientKeepAliveS: 3600 })]) }) } },
      ['old-drained'],
    ],
    [
      'a connection age that was lowered less than its old value ago',
      'connection-age-lowered',
      {
        readings: [
          reading(5000, tooLong),
          reading(1700, tooLong),
          ...[1690, 0].map((agoS) => reading(agoS, { ...low, dns: 'new' })),
        ],
      },
    ],
    [
      'a rollout that is under way',
      'new-side-deployed',
      { new: { kubernetes: clusterWith(rollout({ state: 'progressing' })) } },
    ],
    [
      'a rollout that has failed',
      'new-side-deployed',
      { new: { kubernetes: clusterWith(rollout({ state: 'failed' })) } },
    ],
    ['a replica that is not ready', 'new-side-ready', { new: { kubernetes: clusterWith(rollout({ readyCount: 2 })) } }],
    [
      'a zone without a ready endpoint',
      'new-side-ready',
      { new: { kubernetes: clusterWith(endpoints([{ zone: 'a' }, { zone: 'b', isReady: false }])) } },
    ],
    ['a service with no endpoint', 'new-side-ready', { new: { kubernetes: clusterWith(endpoints([])) } }, []],
    [
      'a zone without a healthy target',
      'new-side-ready',
      {
        new: {
          kubernetes: kubernetes(),
          aws: awsFacts({
            ...group([
              ['a', 'healthy'],
              ['b', 'unhealthy'],
            ]),
            schedules: null,
          }),
        },
      },
    ],
    [
      'a side that answers with 500',
      'new-side-answers',
      {
        look: {
          probes: Array.from({ length: 51 }, () => [
            probe({ side: 'old' }),
            probe({ side: 'new', answer: { ...probe({ side: 'new' }).answer, status: 500, isRight: false } as never }),
          ]).flat(),
        },
      },
    ],
    [
      'a Helm upgrade that hangs',
      'helm-rollback-possible',
      { new: { kubernetes: clusterWith(release('pending-upgrade', [6, 7])) } },
    ],
    [
      'a Helm release with one revision',
      'helm-rollback-possible',
      { new: { kubernetes: clusterWith(release('deployed', [1])) } },
    ],
    [
      'an old side that is down',
      'rollback-ready',
      {
        look: {
          probes: Array.from({ length: 51 }, () => [
            probe({ side: 'old', outcome: 'connect-refused', answer: null }),
            probe({ side: 'new' }),
          ]).flat(),
        },
      },
    ],
    [
      'a rule that is enabled',
      'ecs-schedules-disabled',
      { old: { aws: awsFacts({ schedules: told([{ ...rule, isEnabled: true }]) }) } },
      ['jobs-exclusive', 'cron-enabled', 'cron-suspended-on-new'],
    ],
    [
      'a task of a disabled rule that runs',
      'ecs-schedules-disabled',
      { old: { aws: awsFacts({ schedules: told([{ ...rule, activeCount: 1 }]) }) } },
      ['jobs-exclusive'],
    ],
    [
      'a family that stays behind',
      'dns-switched',
      {
        look: {
          names: [
            switchedName({
              authorities: [
                {
                  server: 'ns-1',
                  asked: askedOf('new').map((one) => (one.type === 'AAAA' ? { ...one, side: 'old' as const } : one)),
                },
              ],
            }),
          ],
        },
      },
      ['cron-suspended-on-new'],
    ],
    // Before names are switched, jobs of the new side must be off.
    ['one authority that lags', 'dns-switched', authorities('new', 'old'), ['cron-suspended-on-new']],
    [
      'a resolver that holds the old answer',
      'converged',
      {
        look: {
          names: [switchedName({ resolvers: [{ server: 'vpc', asked: askedOf('old', { authoritative: false }) }] })],
        },
      },
    ],
    ['a CronJob that is still suspended', 'cron-enabled', cronJob({ isEnabled: false, lastRunAtMs: nowMs })],
    [
      'a pod without a gate',
      'deploy-safety',
      { new: { kubernetes: clusterWith(pod('uid-1', true), pod('uid-2', false)) } },
    ],
    [
      'somebody who still comes',
      'old-drained',
      { old: { aws: awsFacts({ traffic: told(traffic([0, 0, 0, 3, 0, 0])) }) } },
    ],
    [
      'a switch that was just now',
      'old-drained',
      { readings: [...readings.slice(0, 2), reading(17, { dns: 'new' }), reading(0, { dns: 'new' })] },
    ],
    [
      'a CronJob of the new side that is on before names are switched',
      'cron-suspended-on-new',
      { ...authorities('old', 'old'), readings: [reading(9000, tooLong), reading(8000, { ...low, dns: 'old' })] },
      ['dns-switched', 'old-drained'],
    ],
    [
      'a job that is on at both sides',
      'jobs-exclusive',
      { old: { aws: awsFacts({ schedules: told([{ ...rule, isEnabled: true }]) }) } },
      ['cron-enabled', 'cron-suspended-on-new', 'ecs-schedules-disabled'],
    ],
  ];
  test('there is one for each check', () => {
    expect(new Set(faults.map(([, step]) => step))).toEqual(new Set(playbookChecks));
  });

  test.for(faults)('%s: %s', ([, step, over, also = []]) => {
    const states = statesOf(over);
    const failing = Object.keys(states).filter((name) => states[name] === 'fail');
    expect(failing.toSorted()).toEqual([step, ...also].toSorted());
  });
});

describe('what may not be read is not known, and says what it takes', () => {
  const denied = 'not allowed to list and watch it (403)';
  const without = (resource: string): Over => ({
    new: { kubernetes: kubernetes({ problems: [{ resource, why: denied }] }) },
  });
  test.for<readonly [what: string, over: Over, steps: readonly string[]]>([
    ['deployments', without('deployments'), ['new-side-deployed', 'new-side-ready']],
    ['endpointslices', without('endpointslices'), ['deploy-safety', 'new-side-ready']],
    ['cronjobs', without('cronjobs'), ['cron-enabled', 'cron-suspended-on-new', 'jobs-exclusive']],
    ['jobs', without('jobs'), ['cron-enabled', 'cron-suspended-on-new', 'jobs-exclusive']],
    ['secrets', without('secrets'), ['helm-rollback-possible']],
    ['pods', without('pods'), ['deploy-safety']],
    ['targetgroupbindings', without('targetgroupbindings'), ['deploy-safety']],
    [
      'load balancers',
      { old: { aws: awsFacts({ loadBalancers: notTold(denied) }) } },
      ['connection-age-lowered', 'old-drained'],
    ],
    ['traffic', { old: { aws: awsFacts({ traffic: notTold(denied) }) } }, ['old-drained']],
    [
      'schedules',
      { old: { aws: awsFacts({ schedules: notTold(denied) }) } },
      ['cron-enabled', 'cron-suspended-on-new', 'ecs-schedules-disabled', 'jobs-exclusive'],
    ],
  ])('%s', ([, over, steps]) => {
    const states = statesOf(over);
    const unlike = Object.keys(states).filter((name) => states[name] !== well[name]);
    // That jobs are on is not known of the other side: then that they were off before is not over either.
    const changed = unlike.filter((name) => states[name] !== 'fail');
    expect(changed.toSorted()).toEqual(steps.filter((name) => states[name] === 'unknown').toSorted());
    for (const name of steps.filter((one) => states[one] === 'unknown')) {
      expect(stepOf(name, playbookFacts(over)).rows.map(({ found }) => found)).toContain(denied);
    }
    expect(steps.filter((name) => states[name] === 'pass')).toEqual([]);
  });

  test.for<readonly [string, Over, string]>([
    ['nobody named a platform of the new side', { new: { kubernetes: null } }, 'new-side-deployed'],
    ['nobody named one for jobs', { new: { kubernetes: null } }, 'cron-enabled'],
    ['a load balancer that is not named', { old: { aws: null } }, 'connection-age-lowered'],
    ['traffic that nobody counts', { old: { aws: null } }, 'old-drained'],
    [
      'minutes that CloudWatch has not told yet',
      { old: { aws: awsFacts({ traffic: told(traffic([0, 0, 0])) }) } },
      'old-drained',
    ],
    [
      'a connection age that was never seen higher',
      { readings: [reading(900, low), reading(0, low)] },
      'connection-age-lowered',
    ],
    ['a cluster without Deployments', { new: { kubernetes: clusterWithout('rollout') } }, 'new-side-deployed'],
    [
      'whether a task of a rule runs',
      { old: { aws: awsFacts({ schedules: told([{ ...rule, activeCount: null }]) }) } },
      'ecs-schedules-disabled',
    ],
    [
      'whether a job of the old side still runs',
      { old: { aws: awsFacts({ schedules: told([{ ...rule, activeCount: null }]) }) } },
      'jobs-exclusive',
    ],
    ['which jobs the old side has', { old: { aws: awsFacts({ schedules: null }) } }, 'cron-enabled'],
    ['a service whose pods are not there', { new: { kubernetes: clusterWith(endpoints([])) } }, 'deploy-safety'],
    [
      'an authority that does not answer',
      {
        look: {
          names: [
            switchedName({
              authorities: [
                { server: 'ns-1', asked: askedOf('new') },
                server('ns-2', [], { kind: 'failed', reason: 'timed-out', error: '' } as never),
              ],
            }),
          ],
        },
      },
      'dns-switched',
    ],
    ['no resolver that can be asked', { look: { names: [switchedName({ resolvers: [] })] } }, 'converged'],
  ])('%s: %s', ([, over, step]) => {
    expect(statesOf(over)[step]).toBe('unknown');
  });

  test.for<readonly [string, Over, string]>([
    [
      'a network load balancer',
      { old: { aws: awsFacts({ loadBalancers: told([loadBalancer({ clientKeepAliveS: null })]) }) } },
      'connection-age-lowered',
    ],
    ['no Helm release', { new: { kubernetes: clusterWithout('helm-release') } }, 'helm-rollback-possible'],
    ['target type instance', { new: { kubernetes: clusterWith(binding('instance')) } }, 'deploy-safety'],
    [
      'a change that changes no record',
      { look: { scenario: playbookScenario('change: { via: deploy }') } },
      'dns-switched',
    ],
    ['a side without jobs', { new: { kubernetes: clusterWithout('schedule') } }, 'cron-enabled'],
  ])('%s has nothing to do with %s', ([, over, step]) => {
    expect(statesOf(over)[step]).toBe('not-applicable');
  });
});

describe('before the switch', () => {
  const before: Over = {
    ...authorities('old', 'old'),
    old: { aws: awsFacts({ schedules: told([{ ...rule, isEnabled: true }]) }) },
    ...cronJob({ isEnabled: false }),
    readings: [reading(9000, tooLong), reading(8000, { ...low, dns: 'old' }), reading(0, { ...low, dns: 'old' })],
  };

  test('the first step that is not so is the next', () => {
    const facts = playbookFacts(before);
    const found = playbook(facts, stepsOf(facts.look.scenario, false), false);
    expect(found.next).toBe('ecs-schedules-disabled');
    expect([found.state, playbookExitCode(found)]).toEqual(['fail', 3]);
    expect(statesOf(before)).toMatchObject({ 'cron-suspended-on-new': 'pass', 'jobs-exclusive': 'pass' });
  });

  test('jobs that were not suspended on the new side fail as well as those that run there', () => {
    expect(statesOf({ ...before, ...cronJob({ isEnabled: true }) })['cron-suspended-on-new']).toBe('fail');
    expect(statesOf({ ...before, ...cronJob({ isEnabled: false, activeCount: 2 }) })['cron-suspended-on-new']).toBe(
      'fail',
    );
  });

  test('a suspended CronJob without a deadline is warned of with what it missed', () => {
    const { rows } = stepOf(
      'cron-enabled',
      playbookFacts({ ...before, ...cronJob({ isEnabled: false, lastRunAtMs: nowMs - 170 * minuteMs }) }),
    );
    expect(rows.find(({ subject }) => subject === 'nightly-report when enabled')).toMatchObject({
      decides: false,
      state: 'fail',
    });
    expect(rows.map(({ found }) => found).join()).toContain(
      '3 runs missed since 2026-11-24T05:40:00Z: one starts at once',
    );
    const withDeadline = cronJob({ isEnabled: false, startingDeadlineS: 900, lastRunAtMs: nowMs - 170 * minuteMs });
    expect(
      stepOf('cron-enabled', playbookFacts({ ...before, ...withDeadline })).rows.some(({ decides }) => !decides),
    ).toBe(false);
  });
});

describe('jobs over time', () => {
  const both = (agoS: number, isOldOn: boolean, isNewOn: boolean): ReturnType<typeof reading> =>
    reading(agoS, {
      jobs: {
        old: [job({ name: 'shop-nightly-report', isEnabled: isOldOn, expression: 'cron(7 * * * ? *)' })],
        new: [job({ isEnabled: isNewOn })],
      },
    });

  test('the time at neither side is said with the firings that were missed', () => {
    // 08:30 now; off between 05:50 and 06:10, on between 07:55 and 08:05.
    const seen = [both(9600, true, false), both(8400, false, false), both(2100, false, false), both(1500, false, true)];
    const { rows, state } = stepOf('jobs-exclusive', playbookFacts({ readings: seen }));
    expect(state).toBe('pass');
    expect(rows.find(({ decides }) => !decides)?.found).toBe(
      'was off at both sides from 2026-11-24T05:50:00Z to 2026-11-24T08:05:00Z at the most (2 h 15 min): missed firings: 2026-11-24T06:07:00Z (perhaps), 2026-11-24T07:07:00Z',
    );
  });

  test('of a rate it is said that a firing was perhaps missed', () => {
    const off = (agoS: number, isOldOn: boolean) =>
      reading(agoS, {
        jobs: { old: [job({ isEnabled: isOldOn, expression: 'rate(1 hour)' })], new: [job({ isEnabled: false })] },
      });
    const { rows } = stepOf(
      'jobs-exclusive',
      playbookFacts({ readings: [off(3540, true), off(3500, false), off(0, false)] }),
    );
    expect(rows.find(({ decides }) => !decides)).toMatchObject({ state: 'fail' });
    expect(rows.find(({ decides }) => !decides)?.found).toContain('perhaps 1 firing missed');
  });

  test('what was on at both sides fails after it is mended, too', () => {
    const seen = [both(1500, true, false), both(1400, true, true), both(1300, true, true), both(1290, false, true)];
    const { rows, state } = stepOf('jobs-exclusive', playbookFacts({ readings: seen }));
    expect(state).toBe('fail');
    expect(rows.filter((row) => row.state === 'fail').map(({ isPast }) => isPast)).toEqual([true]);
    expect(rows.map(({ found }) => found).join()).toContain(
      'on at both sides as read from 2026-11-24T08:06:40Z to 2026-11-24T08:08:20Z',
    );
  });

  test('what was on at both sides and was not due, nor ran, did nothing twice', () => {
    const seen = (agoS: number, isOldOn: boolean, activeCount: number | null): ReturnType<typeof reading> =>
      reading(agoS, {
        jobs: {
          old: [job({ isEnabled: isOldOn, expression: 'cron(3 3 * * ? *)', activeCount })],
          new: [job({ isEnabled: true, expression: '3 3 * * *' })],
        },
      });
    const stateWith = (activeCount: number | null): string =>
      stepOf('jobs-exclusive', playbookFacts({ readings: [seen(600, true, activeCount), seen(460, false, 0)] })).state;
    expect([0, 1, null].map(stateWith)).toEqual(['pass', 'fail', 'fail']);
  });

  test('jobs of other names may be the same, and nobody knows', () => {
    const over = { old: { aws: awsFacts({ schedules: told([{ ...rule, name: 'billing-run', isEnabled: true }]) }) } };
    expect(statesOf(over)['jobs-exclusive']).toBe('unknown');
  });
});

describe('own requests', () => {
  test('are no traffic of anybody', () => {
    const sums = traffic([0, 0, 0, 102, 0, 0]);
    const over: Over = { old: { aws: awsFacts({ traffic: told(sums) }) } };
    const sent = {
      ...reading(0, { dns: 'new', sentCounts: { old: 102, new: 99 } }),
      atMs: (sums[3]?.periodFromMs ?? 0) + 31_000,
    };
    const all = [...readings, sent].toSorted((a, b) => a.atMs - b.atMs);
    expect(statesOf(over)['old-drained']).toBe('fail');
    expect(statesOf({ ...over, readings: all })['old-drained']).toBe('pass');
    const oneMore = { old: { aws: awsFacts({ traffic: told(traffic([0, 0, 0, 103, 0, 0])) }) }, readings: all };
    expect(statesOf(oneMore)['old-drained']).toBe('fail');
  });
});

describe('the way back', () => {
  test('has the same steps with the sides swapped, and the jobs of both in the other order', () => {
    const names = stepsOf(playbookScenario(), true).map(({ name }) => name);
    expect(names).toEqual([
      'ttl-lowered',
      'ttl-aged-out',
      'connection-age-lowered',
      'old-side-deployed',
      'old-side-ready',
      'old-side-answers',
      'ecs-schedules-disabled',
      'helm-rollback-possible',
      'rollback-ready',
      'cron-suspended-on-new',
      'jobs-exclusive',
      'dns-switched',
      'converged',
      'cron-enabled',
      'deploy-safety',
      'new-drained',
    ]);
  });

  test('a step has the command that is its own there, and what no machine sees is left out without one', () => {
    const scenario = playbookScenario(`
playbook:
  - { title: Warm the caches, command: ./warm.sh }
  - { title: Tell everybody, command: ./tell.sh, rollback: ./tell-back.sh }
  - { step: cron-suspended-on-new, command: ./suspend.sh, rollback: ./suspend-again.sh }
  - { step: ecs-schedules-disabled, command: ./disable.sh, rollback: ./see-disabled.sh }
  - { step: dns-switched, command: [./switch.sh, new], rollback: [./switch.sh, old] }`);
    expect(stepsOf(scenario, false).map(({ name, command }) => [name, command?.at(-1)])).toEqual([
      ['warm-the-caches', './warm.sh'],
      ['tell-everybody', './tell.sh'],
      ['cron-suspended-on-new', './suspend.sh'],
      ['ecs-schedules-disabled', './disable.sh'],
      ['dns-switched', 'new'],
    ]);
    expect(stepsOf(scenario, true).map(({ name, command }) => [name, command?.at(-1)])).toEqual([
      ['tell-everybody', './tell-back.sh'],
      ['ecs-schedules-disabled', './see-disabled.sh'],
      ['cron-suspended-on-new', './suspend-again.sh'],
      ['dns-switched', 'old'],
    ]);
  });

  test.for<readonly [what: string, state: string, cluster: KubernetesFacts, sideAddress?: string]>([
    ['nothing of AWS is before it', 'not-applicable', clusterWithout('binding')],
    ['a controller fills a target group', 'unknown', kubernetes()],
    ['a network load balancer is before it', 'not-applicable', kubernetes(), 'k8s-shop-1f.elb.us-west-2.amazonaws.com'],
    ['its name is that of an ALB', 'unknown', clusterWithout('binding'), 'k8s-shop-1f.us-west-2.elb.amazonaws.com'],
    [
      'a controller made an ALB for an Ingress',
      'unknown',
      clusterWith({
        kind: 'ingress',
        ingress: {
          name: 'shop',
          controller: 'alb',
          routes: [],
          loadBalancerNames: ['k8s-shop-1f.us-west-2.elb.amazonaws.com'],
        },
      }),
    ],
    [
      'Ingresses may not be read',
      'unknown',
      kubernetes({ problems: [{ resource: 'ingresses', why: 'denied' }], facts: [] }),
    ],
  ])('where %s, how long its connections live is %s', ([, state, cluster, sideAddress]) => {
    const facts = rollbackFacts({ new: { kubernetes: cluster } });
    const { scenario } = facts.look;
    const { sides } = scenario;
    const addresses = sideAddress === undefined ? sides.new.addresses : [{ kind: 'name' as const, name: sideAddress }];
    const named = { ...scenario, sides: { ...sides, new: { ...sides.new, addresses } } };
    expect(stepOf('connection-age-lowered', { ...facts, look: { ...facts.look, scenario: named } }).state).toBe(state);
  });

  test('passes where all is well there', () => {
    const name = switchedName({
      authorities: ['ns-1', 'ns-2'].map((one) => ({ server: one, asked: askedOf('old') })),
      resolvers: [{ server: 'vpc', asked: askedOf('old', { authoritative: false }) }],
    });
    const facts = rollbackFacts({
      look: { names: [name] },
      old: {
        aws: awsFacts({
          schedules: told([{ ...rule, isEnabled: true }]),
          rollouts: told([(rollout() as never as { rollout: never }).rollout]),
        }),
      },
      new: {
        kubernetes: clusterWith({ kind: 'schedule', schedule: schedule({ isEnabled: false }) }),
        aws: awsFacts({
          loadBalancers: told([loadBalancer({ name: 'shop-1', kind: 'network', clientKeepAliveS: null })]),
          schedules: null,
          rollouts: null,
        }),
      },
      readings: [reading(3000, { dns: 'new' }), reading(900, { dns: 'old' }), reading(0, { dns: 'old' })],
    });
    const { steps, state } = playbook(facts, stepsOf(facts.look.scenario, true), true);
    expect(steps.filter((step) => step.state === 'fail' || step.state === 'unknown')).toEqual([]);
    expect(state).toBe('pass');
  });
});

test('the table says what is not so, what to do, and what is next', () => {
  const facts = playbookFacts(authorities('new', 'old'));
  const found = playbook(facts, stepsOf(facts.look.scenario, false), false);
  const text = playbookText(found);
  expect(text).toContain('✗ 12  dns-switched');
  expect(text).toContain(`${hostname} on ns-2: leads to ALB/ECS`);
  expect(text).toContain(
    'Next: step 7, cron-suspended-on-new (jobs off on nginx/EKS).\n16 steps, 14 passed, 2 failed, 0 not known, 0 not applicable.',
  );
});

test('the JSON has every row of every step', () => {
  const facts = playbookFacts();
  const found = playbook(facts, stepsOf(facts.look.scenario, false), false);
  const json = JSON.parse(playbookJson(found)) as { readonly steps: readonly { readonly readAt: string }[] };
  expect(json).toMatchObject({
    schemaVersion: 1,
    mode: 'cutover',
    from: 'ALB/ECS',
    to: 'nginx/EKS',
    state: 'pass',
    next: null,
  });
  expect(json.steps).toHaveLength(16);
  expect(json.steps[0]?.readAt).toBe(new Date(nowMs).toISOString());
});

test('a reading has what was looked at, and nothing of what was not', () => {
  const whole = readingOf(playbookFacts(), true);
  expect(whole).toMatchObject({ dns: 'new', connectionAgesS: { 'old/shop-1': 60 }, sentCounts: { old: 51, new: 51 } });
  expect(whole.jobs.new?.map(({ name }) => name)).toEqual(['nightly-report']);
  const bare = readingOf({ ...playbookFacts(), platforms: { old: platform({}), new: platform({}) } }, false);
  expect(bare).toMatchObject({ jobs: { old: null, new: null }, connectionAgesS: {}, sentCounts: { old: 0, new: 0 } });
});

test('a rollback reads who answers at the side that is left, by its own address', () => {
  const facts = playbookFacts({ look: { addresses: { old: [], new: ['198.51.100.1'] } } });
  expect(stepOf('rollback-ready', facts).state).toBe('unknown');
  expect(stepOf('rollback-ready', playbookFacts()).rows.some(({ subject }) => subject.includes(oldAddress))).toBe(true);
});
