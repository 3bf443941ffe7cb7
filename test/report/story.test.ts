import assert from 'node:assert/strict';
import { describe, expect, test } from 'vitest';
import type {
  Analysis,
  Cause,
  LaneAnalysis,
  OldAnswers,
  SafetyAdvice,
  ServiceAnalysis,
} from '../../src/core/analysis.ts';
import type { Side } from '../../src/core/scenario.ts';
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

describe('how long the side left must answer is said as it was found', () => {
  const adviceFor = (
    answers: Partial<OldAnswers>,
    ttlS: ServiceAnalysis['ttlS'] = { before: 3600, after: 20 },
  ): string => {
    const oldAnswers: OldAnswers = {
      untilNs: sToNs(82.9),
      leastS: 20,
      ownCaches: [],
      keptLongerBy: [],
      isOpen: false,
      ...answers,
    };
    return (
      linesOf(
        storyOf(analysisOf({ services: [serviceOf({ oldAnswers, ttlS })], lanes: [downLane()] })),
        'What to do',
      )[0] ?? ''
    );
  };

  test.for<{ answers: Partial<OldAnswers>; says: string }>([
    {
      answers: {
        untilNs: sToNs(141.9),
        leastS: 80,
        ownCaches: [
          { client: 'chrome', s: 60 },
          { client: 'jvm-30', s: 30 },
        ],
      },
      says: ': here until 10:02:21.900 UTC, at least 80 s after the switch: TTL 20 s and 60 s that chrome keeps an answer (jvm-30: 30 s). Turn it off only then',
    },
    {
      answers: { untilNs: sToNs(112.9), leastS: 50, ownCaches: [{ client: 'jvm-30', s: 30 }] },
      says: ': here until 10:01:52.900 UTC, at least 50 s after the switch: TTL 20 s and 30 s that jvm-30 keeps an answer. Turn it off only then',
    },
    { answers: {}, says: ': here until 10:01:22.900 UTC, 21.6 s after the change (TTL 20 s). Turn it off only then' },
    {
      answers: { untilNs: sToNs(301.3), keptLongerBy: ['isp'] },
      says: ': here until 10:05:01.300 UTC, 240 s after the change, since isp served it longer than the TTL of 20 s allows.',
    },
    {
      answers: { untilNs: sToNs(301.3), keptLongerBy: ['isp', 'vpc'], isOpen: true },
      says: ': here longer than was watched, for at 10:05:01.300 UTC isp and vpc still had it.',
    },
    { answers: { untilNs: null }, says: 'until the last cached answer has expired. Turn it off only then' },
  ])('$says', ({ answers, says }) => {
    expect(adviceFor(answers)).toContain(says);
  });

  test('without a TTL no length is made up', () => {
    expect(adviceFor({ leastS: null }, { before: null, after: null })).toContain(
      ': here until 10:01:22.900 UTC, 21.6 s after the change. Turn it off',
    );
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
    /^Leave ALB\/ECS running: at the end it still served orders keep-alive via system \(it keeps a busy .*\); orders jvm-forever .*\(/,
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
  expect(story.answers.map(({ question }) => question)).toEqual([
    'Who was down',
    'For how long',
    'Why',
    'What to do',
    'Switch was safe',
    'Old side may go',
  ]);
});

test('what befell several services alike is said once, and what befell one is said of it', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const services = names.map((name) => serviceOf({ name }));
  const lanes = names.flatMap((service, i) =>
    ['fresh', 'keep-alive'].map((client, j) =>
      // Of the last one both fail.
      laneOf({
        number: 2 * i + j,
        service,
        check: service,
        client,
        outages: j === 0 || service === 'h' ? [outageOf()] : [],
      }),
    ),
  );
  const [together, apart] = linesOf(storyOf(analysisOf({ services, lanes })), 'Who was down');
  expect(together).toBe(
    '1 of 2 judged lanes of each of 7 services (a, b, c, d, e and 2 more) was down: fresh via system.',
  );
  expect(apart).toBe('2 of 2 judged lanes of h were down: h fresh via system and h keep-alive via system.');
});

describe('safe to switch, safe to turn off, in one line each', () => {
  const advice = (safe: SafetyAdvice['safe'], atS: number | null, ...because: string[]): SafetyAdvice => ({
    safe,
    atNs: atS === null ? null : sToNs(atS),
    because,
    besides: ['Seen from here.'],
  });
  const lineOf = (all: readonly SafetyAdvice[], question: string, side: Side = 'old'): string => {
    const services = all.map((one, i) =>
      serviceOf({ name: `s-${String(i)}`, safeToSwitch: one, safeToRemoveOld: { ...one, side } }),
    );
    return linesOf(storyOf(analysisOf({ services })), question).join('|');
  };

  test.for<{ all: SafetyAdvice[]; says: string; said?: string }>([
    { all: [advice('yes', 42.7, 'All is low.')], says: 'Yes, since 10:00:42.700 UTC.' },
    { all: [advice('yes', 42.7), advice('yes', 51.3)], says: 'Yes, since 10:00:51.300 UTC.' },
    { all: [advice('yes', null)], says: 'Yes.' },
    {
      all: [advice('no', 97.3, 'Caches may keep it.')],
      says: 'Not yet, from 10:01:37.300 UTC: Caches may keep it.',
      said: 'Not when the change began, only from 10:01:37.300 UTC: Caches may keep it.',
    },
    {
      all: [advice('no', null, 'It is down.', 'It is high.')],
      says: 'No: It is down. (1 more reason in the report)',
      said: 'Not when the change began: It is down. (1 more reason in the report)',
    },
    {
      all: [advice('no', 97.3, 'Caches.'), advice('no', null, 'It is down.')],
      says: 'No: Caches. (1 more reason in the report)',
      said: 'Not when the change began: Caches. (1 more reason in the report)',
    },
    { all: [advice('unknown', null, 'Nobody was asked.')], says: 'Not known: Nobody was asked.' },
    {
      all: [advice('yes', 42.7), advice('no', null, 'It is down.'), advice('unknown', null, 'Nobody was asked.')],
      says: 'No for s-1: It is down. Not known for s-2: Nobody was asked. Yes for s-0, since 10:00:42.700 UTC.',
      said: 'Not when the change began for s-1: It is down. Not known for s-2: Nobody was asked. Yes for s-0, since 10:00:42.700 UTC.',
    },
  ])('$says', ({ all, says, said = says }) => {
    expect(lineOf(all, 'Switch was safe')).toBe(said);
    expect(lineOf(all, 'Old side may go')).toBe(`${says} Seen from here.`);
  });

  test('a service that waits for its switch is asked about now, one that was switched about then', () => {
    const no = advice('no', 97.3, 'Caches may keep it.');
    const services = [
      serviceOf({ name: 'orders', safeToSwitch: no }),
      serviceOf({ name: 'billing', safeToSwitch: no, changes: [] }),
    ];
    const story = storyOf(analysisOf({ services }));
    expect(linesOf(story, 'Switch was safe')[0]).toMatch(/^Not when the change began, only from 10:01:37\.300 UTC:/);
    expect(linesOf(story, 'Safe to switch')[0]).toMatch(/^Not yet, from 10:01:37\.300 UTC:/);
  });

  test('after a rollback it is the new side that was left', () => {
    expect(lineOf([advice('yes', 42.7)], 'New side may go', 'new')).toBe(
      'Yes, since 10:00:42.700 UTC. Seen from here.',
    );
  });

  test('a service that never moved is named beside those that did', () => {
    const services = [
      serviceOf({ name: 'orders', safeToRemoveOld: { ...advice('yes', 42.7), side: 'old' } }),
      serviceOf({ name: 'billing', safeToRemoveOld: { ...advice('unknown', null, 'No change.'), side: null } }),
    ];
    expect(linesOf(storyOf(analysisOf({ services })), 'Old side may go').join('|')).toMatch(
      /^Not known for billing: No change\. Yes for orders, since 10:00:42\.700 UTC\./,
    );
  });

  test('where no side was left, none is asked about', () => {
    const left = { ...advice('unknown', null, 'No change.'), side: null };
    const story = storyOf(analysisOf({ services: [serviceOf({ safeToRemoveOld: left })] }));
    expect(story.answers.map(({ question }) => question)).not.toContain('Old side may go');
  });

  test('nobody is told to leave a side running that may go, nor that nothing is to be done about who stays', () => {
    const services = cleanPass.services.map((one) => ({
      ...one,
      safeToRemoveOld: { ...one.safeToRemoveOld, safe: 'yes' as const },
    }));
    const lines = linesOf(storyOf({ ...cleanPass, services }), 'What to do');
    expect(lines.join(' ')).not.toContain('Leave ALB/ECS running');
    expect(lines[0]).toMatch(
      /^Before ALB\/ECS is turned off, restart or mend clients like orders keep-alive via system \(.*\); orders jvm-forever/,
    );
  });
});
