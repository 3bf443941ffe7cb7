import assert from 'node:assert/strict';
import { describe, expect, test } from 'vitest';
import type { Analysis, Cause, LaneAnalysis } from '../../src/core/analysis.ts';
import type { Client, ResolvePolicy } from '../../src/core/scenario.ts';
import { sToNs } from '../../src/core/time.ts';
import { stretchesText } from '../../src/report/service-sections.ts';
import { toReport } from '../../src/report/report-json.ts';
import { tell, type Story } from '../../src/report/story.ts';
import { judge } from '../../src/verdict/judge.ts';
import { cleanPass, foundingIncident } from './cases.ts';
import { analysisOf, changeOf, judgedOf, laneOf, outageOf, scenarioOf, serviceOf, serviceSpecOf } from './kit.ts';

function storyOf(analysis: Analysis): Story {
  return tell(toReport(analysis, judge(analysis)));
}

function linesOf(story: Story, question: string): readonly string[] {
  return story.answers.find((answer) => answer.question === question)?.lines ?? [];
}

function downLane(overrides: Partial<LaneAnalysis> = {}): LaneAnalysis {
  const downtimeMs = { min: 18_500, max: 19_500 };
  return laneOf({ outages: [outageOf()], downtimeMs, judgedPart: judgedOf({ downtimeMs }), ...overrides });
}

test.for<[cause: Cause, why: RegExp, advice: RegExp]>([
  [
    'stale-answer',
    /the DNS answer they held still named the side left \(ALB\/ECS\)/,
    /^Keep ALB\/ECS answering after the switch/,
  ],
  ['kept-connection', /the connection they kept open still led to the side left/, /client_keep_alive\.seconds/],
  ['pinned', /never ask DNS again/, /hosts file/],
  ['stale-target', /a target that was gone/, /preStop/],
  ['no-target', /no target to send them to/, /readiness gates/],
  ['target-failed', /a 502 or 504 of its own/, /targets behind ALB\/ECS/],
  ['app-5xx', /the application itself answered with an error, on ALB\/ECS/, /own log on ALB\/ECS/],
  ['side-down', /ALB\/ECS did not answer at any of its addresses/, /why ALB\/ECS stopped answering/],
  ['address-down', /one address of ALB\/ECS did not answer/, /take it out of DNS/],
  ['side-impaired', /ALB\/ECS answered some requests and failed others/, /one replica/],
  ['dns-failed', /could not be resolved/, /UPSERT/],
  ['tls', /TLS failed: .* on ALB\/ECS/, /certificate for this very name on ALB\/ECS/],
  ['too-slow', /later than 2 s, a user's patience/, /processor limits/],
  ['wrong-answer', /not the expected one/, /Compare the answers of both sides/],
  ['own-network-suspected', /our own network is suspected/, /two references/],
  ['unattributed', /does not tell why/, /trace ids/],
])('%s is told as a sentence and answered with advice', ([cause, why, advice]) => {
  const story = storyOf(analysisOf({ lanes: [downLane({ outages: [outageOf({ causes: { [cause]: 38 } })] })] }));
  expect(linesOf(story, 'Why')[0]).toMatch(/^38 of 38 failed probes: /);
  expect(linesOf(story, 'Why')[0]).toMatch(why);
  expect(linesOf(story, 'What to do')[0]).toMatch(advice);
});

test('a long TTL is advised against, a short one is not', () => {
  const adviceAt = (ttlS: number): string =>
    linesOf(
      storyOf(analysisOf({ lanes: [downLane()], services: [serviceOf({ ttlS: { before: 3600, after: ttlS } })] })),
      'What to do',
    )[0] ?? '';
  expect(adviceAt(300)).toContain('Lower the TTL of the record to 60 s or less, at least 300 s before the switch.');
  expect(adviceAt(20)).not.toContain('Lower the TTL');
});

describe('the side left must answer as long as any client may still hold its answer', () => {
  const clientOf = (name: string, resolve: ResolvePolicy): Client => ({
    name,
    weightRatio: 1 / 3,
    archetype: {
      resolve,
      connect: { kind: 'keep-alive', idleS: 0, maxAgeS: 0, maxRequests: 0 },
      choose: 'first',
      families: [4],
      retriesOnce: false,
      judged: true,
      standsFor: '',
    },
  });
  const clients = [
    clientOf('jvm-30', { kind: 'fixed', s: 30, graceS: 0 }),
    clientOf('chrome', { kind: 'ttl', minS: 60, maxS: 60 }),
    clientOf('fresh', { kind: 'per-connection' }),
    clientOf('for-ever', { kind: 'once' }),
  ];
  const adviceFor = (names: readonly string[]): string =>
    linesOf(
      storyOf(
        analysisOf({
          scenario: scenarioOf({ clients }),
          lanes: names.map((client, number) =>
            downLane({
              number,
              client,
              leavesOldByAtNs: client === 'jvm-30' ? sToNs(112.9) : client === 'fresh' ? sToNs(82.9) : null,
            }),
          ),
        }),
      ),
      'What to do',
    )[0] ?? '';

  test.for([
    {
      names: ['fresh', 'jvm-30', 'chrome', 'for-ever'],
      // No lane of chrome leaves by a certain instant: it keeps its connections, until they break.
      says: 'here until 10:02:21.900 UTC, at least 80 s after the switch: TTL 20 s and 60 s that chrome keeps an answer (jvm-30: 30 s). Turn it off only then',
    },
    {
      names: ['fresh', 'jvm-30'],
      says: 'here until 10:01:52.900 UTC, at least 50 s after the switch: TTL 20 s and 30 s that jvm-30 keeps an answer. Turn it off only then',
    },
    {
      names: ['fresh'],
      says: 'here until 10:01:22.900 UTC, 21.6 s after the change (TTL 20 s). Turn it off only then',
    },
    { names: ['for-ever'], says: 'here until 10:01:21.900 UTC, 20.6 s after the change (TTL 20 s).' },
  ])('$names', ({ names, says }) => {
    expect(adviceFor(names)).toContain(says);
  });
});

test('one dead address of two is one impaired stretch, with its address', () => {
  const impaired = {
    fromAtNs: sToNs(90.3),
    toAtNs: sToNs(120.3),
    failedCount: 29,
    slotCount: 60,
    failedShare: 29 / 60,
    causes: { 'address-down': 29 },
    classes: { 'connect-timed-out': 29 },
    failedAddresses: ['127.0.2.9:443'],
  };
  const story = storyOf(analysisOf({ lanes: [laneOf({ impaired: [impaired] })] }));
  expect(linesOf(story, 'Who was down')[0]).toBe(
    '1 of 1 judged lane of orders failed in part: orders fresh via system.',
  );
  expect(linesOf(story, 'For how long')[0]).toBe(
    'orders fresh via system: in part, 48 % failed, from 10:01:30.300 to 10:02:00.300 UTC.',
  );
  expect(linesOf(story, 'Why')[0]).toContain('(127.0.2.9:443)');
});

test('trouble before the change is not told as trouble of the change', () => {
  const before = outageOf({
    firstFailedAtNs: sToNs(20.1),
    lastFailedAtNs: sToNs(21.1),
    firstGoodAtNs: sToNs(21.6),
    phase: 'baseline',
  });
  const story = storyOf(analysisOf({ lanes: [laneOf({ outages: [before] })] }));
  expect(story.headline).toBe('orders moved from ALB/ECS to nginx/EKS, and no judged client was down.');
});

test('an outage that is open at the end says so', () => {
  const open = outageOf({
    firstGoodAtNs: null,
    lastFailedAtNs: sToNs(701.4),
    openAtEnd: true,
    downMsMin: 638_500,
    downMsMax: 639_300,
  });
  const [line] = linesOf(storyOf(analysisOf({ lanes: [downLane({ outages: [open] })] })), 'For how long');
  expect(line).toMatch(
    /: 10 min 38 s or more, from 10:01:02\.900 and still when the run ended, beginning 1\.6 s after/,
  );
});

test('who stayed on the side left is told before somebody turns it off', () => {
  const [line] = linesOf(storyOf(cleanPass), 'What to do');
  expect(line).toMatch(
    /^Leave ALB\/ECS running: at the end it still served orders keep-alive via system and orders jvm-forever/,
  );
});

test('what is not known is not told as good', () => {
  const story = storyOf(analysisOf({ isWhole: false }));
  expect(story.headline).toBe('Nobody can say whether this cutover was clean: the log is not whole.');
  expect(linesOf(story, 'Was anyone down')).toEqual([
    'Not as far as was seen: not one probe failed in 1 judged lane of orders.',
  ]);
});

describe('many services', () => {
  const names = ['orders', 'billing', 'search'];
  const of = (billing: LaneAnalysis): Analysis =>
    analysisOf({
      scenario: scenarioOf({ services: names.map((name) => serviceSpecOf(name)) }),
      services: names.map((name) => serviceOf({ name })),
      lanes: names.map((name, number) =>
        name === 'billing' ? { ...billing, number } : laneOf({ number, service: name, check: name }),
      ),
    });

  test('clean ones pass in one sentence', () => {
    expect(storyOf(of(laneOf({ service: 'billing', check: 'billing' }))).headline).toBe(
      'All 3 services moved from ALB/ECS to nginx/EKS, and no judged client was down.',
    );
  });

  test('the one that failed is named', () => {
    expect(storyOf(of(downLane({ service: 'billing', check: 'billing' }))).headline).toBe(
      'Clients of 1 of 3 services (billing) were down while they moved from ALB/ECS to nginx/EKS: the one hit worst for between 18.5 s and 19.5 s.',
    );
  });
});

test('a rollback is told in its own direction', () => {
  const story = storyOf(
    analysisOf({ mode: 'rollback', services: [serviceOf({ changes: [changeOf({ direction: 'new-to-old' })] })] }),
  );
  expect(story.headline).toBe(
    'orders was taken back from nginx/EKS to ALB/ECS, and no judged client was down. 1 of 1 judged client had not left nginx/EKS when the watch ended.',
  );
});

test.for([
  { command: { exitCode: 7 }, why: 'The command failed with exit status 7.' },
  { command: { exitCode: null, signal: 'SIGTERM' }, why: 'The command was ended by SIGTERM.' },
  {
    command: { exitCode: null, error: 'could not be started: ENOENT' },
    why: 'The command could not be started: ENOENT.',
  },
])('a command that failed is told, though the service passed: $why', ({ command, why }) => {
  const clean = analysisOf();
  assert(clean.command !== null);
  const story = storyOf(analysisOf({ command: { ...clean.command, ...command } }));
  expect(story.value).toBe('pass');
  expect(linesOf(story, 'Why')).toEqual([why]);
  expect(linesOf(story, 'What to do')[0]).toMatch(/^Look at the output of the command/);
});

test('a limit missed without a failed probe is told by its name', () => {
  const story = storyOf(analysisOf({ services: [serviceOf({ convergenceS: { min: 317, max: 317.5 } })] }));
  expect(story.headline).toBe('orders missed what was asked: convergence.');
  expect(linesOf(story, 'Why')[0]).toContain(
    'between 317 s and 317.5 s after the last name server had changed, limit 50 s',
  );
});

test('a lane that flaps is cut in the middle, and says how much', () => {
  const stretches = Array.from({ length: 31 }, (_, i) => ({
    state: i % 2 === 0 ? ('old' as const) : ('down' as const),
    fromAtNs: sToNs(i * 1.7),
    toAtNs: sToNs(i * 1.7 + 1.7),
  }));
  const analysis = analysisOf({ lanes: [laneOf({ stretches })] });
  const [lane] = toReport(analysis, judge(analysis)).lanes;
  expect(lane).toBeDefined();
  expect(stretchesText(lane as NonNullable<typeof lane>)).toContain('DOWN 1.7 s · … 19 more … · DOWN 1.7 s');
});

test('the founding incident, from the story alone', () => {
  const story = storyOf(foundingIncident);
  expect(story.answers.map(({ question }) => question)).toEqual(['Who was down', 'For how long', 'Why', 'What to do']);
});
