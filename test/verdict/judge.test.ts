import { describe, expect, test } from 'vitest';
import type { Analysis, Interval, Judged } from '../../src/core/analysis.ts';
import { sToNs } from '../../src/core/time.ts';
import type { Reason, VerdictValue } from '../../src/core/verdict.ts';
import { exitCodeOf, judge } from '../../src/verdict/judge.ts';
import {
  analysisOf,
  changeOf,
  judgedOf,
  laneOf,
  outageOf,
  scenarioOf,
  serviceOf,
  serviceSpecOf,
  slotsOf,
} from '../report/kit.ts';

/** Verdict on one lane with this judged part. */
function judgeOf(part: Partial<Judged>): ReturnType<typeof judge> {
  return judge(analysisOf({ lanes: [laneOf({ judgedPart: judgedOf(part) })] }));
}

function reasonsOf(reasons: readonly Reason[], objective: string): Reason[] {
  return reasons.filter((reason) => reason.objective === objective);
}

const clean = analysisOf();

test('a clean run passes, with a reason for each objective and each rule', () => {
  const verdict = judge(clean);
  expect(verdict.value).toBe('pass');
  expect(verdict.services).toEqual([{ name: 'orders', value: 'pass' }]);
  expect(verdict.reasons.map(({ objective, severity, value }) => `${objective} ${severity} ${value}`)).toEqual([
    'whole-log fail pass',
    'clock fail pass',
    'evidence-of-change fail pass',
    'qualified-lanes fail pass',
    'tail-watched fail pass',
    'outageMsMax fail pass',
    'downtimeMsMax fail pass',
    'failedRatioMax fail pass',
    'worstMinuteFailedRatioMax fail pass',
    'burst5xxCountMax fail pass',
    'flipBackCountMax fail pass',
    'convergenceSMax fail pass',
    'latencyP99RatioMax warn pass',
    'staleTargetCountMax warn inconclusive',
  ]);
});

test('a pass names lane, limit, bounds, and beside a zero the finest outage that could have been seen', () => {
  const [reason] = reasonsOf(judgeOf({ resolutionMs: 733 }).reasons, 'downtimeMsMax');
  expect(reason).toMatchObject({ lane: 'orders fresh via system', limit: 5000, observed: { min: 0, max: 0 } });
  expect(reason?.text).toBe(
    'orders fresh via system: downtime 0 s, limit 5 s. Any outage longer than 733 ms would have been seen. The worst of 1 judged lane.',
  );
});

describe('only what is certain fails, only what is impossible passes', () => {
  test.for<{ part: keyof Judged & `${string}Ms`; observed: Interval; objective: string; value: VerdictValue }>([
    { part: 'downtimeMs', observed: { min: 5000, max: 5000 }, objective: 'downtimeMsMax', value: 'pass' },
    { part: 'downtimeMs', observed: { min: 0, max: 5000 }, objective: 'downtimeMsMax', value: 'pass' },
    { part: 'downtimeMs', observed: { min: 0, max: 5001 }, objective: 'downtimeMsMax', value: 'inconclusive' },
    // The middle, the minimum and the estimate from the first failure to the first good answer all say fail or pass here.
    { part: 'downtimeMs', observed: { min: 4999, max: 9001 }, objective: 'downtimeMsMax', value: 'inconclusive' },
    { part: 'downtimeMs', observed: { min: 4100, max: 5100 }, objective: 'downtimeMsMax', value: 'inconclusive' },
    { part: 'downtimeMs', observed: { min: 5000, max: 70_000 }, objective: 'downtimeMsMax', value: 'inconclusive' },
    { part: 'downtimeMs', observed: { min: 5001, max: 5001 }, objective: 'downtimeMsMax', value: 'fail' },
    { part: 'longestOutageMs', observed: { min: 1500, max: 2000 }, objective: 'outageMsMax', value: 'pass' },
    { part: 'longestOutageMs', observed: { min: 1500, max: 2500 }, objective: 'outageMsMax', value: 'inconclusive' },
    { part: 'longestOutageMs', observed: { min: 2001, max: 3001 }, objective: 'outageMsMax', value: 'fail' },
  ])('$part $observed.min to $observed.max is $value', ({ part, observed, objective, value }) => {
    const verdict = judgeOf({ [part]: observed });
    expect(reasonsOf(verdict.reasons, objective).map((reason) => reason.value)).toEqual([value]);
    expect(verdict.value).toBe(value);
  });
});

test.for<{ part: Partial<Judged>; objective: string; value: VerdictValue }>([
  {
    part: { worstMinuteFailedRatio: { min: 0.051, max: 0.06 } },
    objective: 'worstMinuteFailedRatioMax',
    value: 'fail',
  },
  {
    part: { worstMinuteFailedRatio: { min: 0.03, max: 0.06 } },
    objective: 'worstMinuteFailedRatioMax',
    value: 'inconclusive',
  },
  { part: { burst5xxCount: { min: 1, max: 1 } }, objective: 'burst5xxCountMax', value: 'fail' },
  { part: { burst5xxCount: { min: 0, max: 1 } }, objective: 'burst5xxCountMax', value: 'inconclusive' },
  { part: { flipBackCount: { min: 2, max: 3 } }, objective: 'flipBackCountMax', value: 'fail' },
  { part: { flipBackCount: { min: 0, max: 3 } }, objective: 'flipBackCountMax', value: 'inconclusive' },
])('$objective is $value', ({ part, objective, value }) => {
  const verdict = judgeOf(part);
  expect(reasonsOf(verdict.reasons, objective)).toMatchObject([{ value }]);
  expect(verdict.value).toBe(value);
});

describe('the failed share needs at least three failures', () => {
  const ratio = { min: 0.7, max: 0.9 };
  test.for<{ failedCount: Interval; failedRatio: Interval; value: VerdictValue }>([
    { failedCount: { min: 2, max: 2 }, failedRatio: ratio, value: 'pass' },
    { failedCount: { min: 2, max: 3 }, failedRatio: ratio, value: 'inconclusive' },
    { failedCount: { min: 3, max: 3 }, failedRatio: ratio, value: 'fail' },
    { failedCount: { min: 3, max: 3 }, failedRatio: { min: 0.0007, max: 0.0009 }, value: 'pass' },
    { failedCount: { min: 0, max: 7 }, failedRatio: { min: 0, max: 0.007 }, value: 'inconclusive' },
  ])('$failedCount.min to $failedCount.max of them, share $failedRatio.min: $value', ({ value, ...part }) => {
    expect(reasonsOf(judgeOf(part).reasons, 'failedRatioMax')).toMatchObject([{ value }]);
  });
});

describe('it may not say pass', () => {
  const part = judgedOf();
  test.for<{ claim: string; analysis: Partial<Analysis>; rule: string; value?: VerdictValue }>([
    {
      claim: 'the log is not whole',
      analysis: { isWhole: false, incompleteBecause: ['It was cut.'] },
      rule: 'whole-log',
    },
    { claim: 'the clock stepped', analysis: { prober: { ...clean.prober, clockStepMs: 1709 } }, rule: 'clock' },
    { claim: 'the command was withheld', analysis: { commandWithheldBecause: 'no lane' }, rule: 'command-withheld' },
    {
      claim: 'nothing changed',
      analysis: { services: [serviceOf({ changes: [], outcome: 'none' })] },
      rule: 'evidence-of-change',
    },
    {
      claim: 'a command ran and nothing moved',
      analysis: { services: [serviceOf({ changes: [changeOf({ isEvident: false })], outcome: 'none' })] },
      rule: 'evidence-of-change',
    },
    {
      claim: 'only a part moved',
      analysis: { services: [serviceOf({ outcome: 'partial' })] },
      rule: 'evidence-of-change',
    },
    {
      claim: 'its change did not last',
      analysis: { services: [serviceOf({ outcome: 'none' })] },
      rule: 'evidence-of-change',
    },
    { claim: 'no lane qualified', analysis: { lanes: [laneOf({ qualified: false })] }, rule: 'qualified-lanes' },
    { claim: 'no lane is judged', analysis: { lanes: [laneOf({ judged: false })] }, rule: 'no-judged-lane' },
    {
      claim: 'the retried series is not the raw one',
      analysis: { lanes: [laneOf({ series: 'retried' })] },
      rule: 'no-judged-lane',
    },
    {
      claim: 'no lane lived after the change',
      analysis: { lanes: [laneOf({ judgedPart: null })] },
      rule: 'no-judged-lane',
    },
    { claim: 'no lane at all', analysis: { lanes: [] }, rule: 'nothing-judged' },
    { claim: 'no service at all', analysis: { services: [], lanes: [] }, rule: 'nothing-judged' },
    {
      claim: 'the tail was cut short',
      analysis: { services: [serviceOf({ tail: { askedS: 600, watchedS: 37.3, isWhole: false } })] },
      rule: 'tail-watched',
    },
    {
      claim: 'it was rolled back, without a failed probe',
      analysis: { services: [serviceOf({ outcome: 'rolled-back' })] },
      rule: 'rolled-back',
      value: 'fail',
    },
    {
      claim: 'every slot was blind, though its bounds are said to be zero',
      analysis: { lanes: [laneOf({ judgedPart: { ...part, slots: slotsOf({ good: 0, blind: 1281 }) } })] },
      rule: 'downtimeMsMax',
    },
  ])('$claim', ({ analysis, rule, value = 'inconclusive' }) => {
    const verdict = judge(analysisOf(analysis));
    expect(verdict.value).toBe(value);
    expect(reasonsOf(verdict.reasons, rule)).toMatchObject([{ value }]);
    for (const service of verdict.services) expect(service.value).toBe(value);
  });

  test('a second service without a judged lane spoils the whole', () => {
    const verdict = judge(
      analysisOf({
        scenario: scenarioOf({ services: [serviceSpecOf('orders'), serviceSpecOf('billing')] }),
        services: [serviceOf(), serviceOf({ name: 'billing' })],
        lanes: [laneOf(), laneOf({ number: 1, service: 'billing', check: 'billing', qualified: false })],
      }),
    );
    expect(verdict.value).toBe('inconclusive');
    expect(verdict.services).toEqual([
      { name: 'orders', value: 'pass' },
      { name: 'billing', value: 'inconclusive' },
    ]);
  });
});

test('fail beats inconclusive', () => {
  const lane = laneOf({ judgedPart: judgedOf({ downtimeMs: { min: 7001, max: 7001 } }) });
  expect(judge(analysisOf({ isWhole: false, lanes: [lane] })).value).toBe('fail');
});

test('an unqualified lane is named and its failures are not judged', () => {
  const broken = laneOf({
    number: 1,
    client: 'chrome',
    qualified: false,
    judgedPart: judgedOf({ downtimeMs: { min: 90_000, max: 91_000 } }),
  });
  const verdict = judge(analysisOf({ lanes: [laneOf(), broken] }));
  expect(verdict.value).toBe('pass');
  const warning = reasonsOf(verdict.reasons, 'qualified-lanes').find(({ severity }) => severity === 'warn');
  expect(warning?.text).toContain('orders chrome via system');
});

test('every lane that missed is named, ten at most, and the rest are counted', () => {
  const lanes = Array.from({ length: 13 }, (_, number) =>
    laneOf({
      number,
      client: `client-${String(number)}`,
      judgedPart: judgedOf({ downtimeMs: { min: 5100 + number * 100, max: 6100 + number * 100 } }),
    }),
  );
  const reasons = reasonsOf(judge(analysisOf({ lanes: [...lanes, laneOf({ number: 13 })] })).reasons, 'downtimeMsMax');
  expect(reasons).toHaveLength(11);
  expect(reasons[0]).toMatchObject({ lane: 'orders client-12 via system', observed: { min: 6300, max: 7300 } });
  expect(reasons[0]?.text).toContain('Missed by 13 of 14 judged lanes.');
  expect(reasons[10]?.lane).toBeUndefined();
  expect(reasons[10]?.text).toBe('3 more lanes missed this limit: downtime between 5.1 s and 6.3 s, limit 5 s.');
});

test.for([
  { slots: slotsOf({ good: 1270, dropped: 11 }), means: 'fewer dropped slots (11)' },
  { slots: slotsOf({ good: 1270, blind: 11 }), means: 'a prober that is never blind (11 slots)' },
  { slots: slotsOf({ good: 1270, blocked: 11 }), means: 'a prober that is not blocked (11 answers meant for it)' },
  { slots: slotsOf({ good: 1270, pending: 11 }), means: 'a log without missing probes (11)' },
  { slots: slotsOf({ good: 1281 }), means: 'a higher rate (now one probe every 500 ms)' },
])('what is inconclusive says what would narrow it: $means', ({ slots, means }) => {
  const [reason] = reasonsOf(judgeOf({ slots, downtimeMs: { min: 4100, max: 5100 } }).reasons, 'downtimeMsMax');
  expect(reason?.text).toContain(`To know: ${means}.`);
});

test('without references, a suspicion against our own network asks for two', () => {
  const lane = laneOf({
    outages: [outageOf({ causes: { 'own-network-suspected': 38 } })],
    judgedPart: judgedOf({ downtimeMs: { min: 0, max: 19_500 } }),
  });
  const [reason] = reasonsOf(judge(analysisOf({ lanes: [lane] })).reasons, 'downtimeMsMax');
  expect(reason?.text).toContain('two references in other networks');
});

describe('limits', () => {
  const analysis = analysisOf({
    scenario: scenarioOf({ services: [serviceSpecOf('orders', { downtimeMsMax: 700 })] }),
    lanes: [laneOf({ judgedPart: judgedOf({ downtimeMs: { min: 900, max: 1900 } }) })],
  });
  test('a service is judged by its own', () => {
    expect(judge(analysis).value).toBe('fail');
  });
  test('given ones replace them', () => {
    expect(judge(analysis, { downtimeMsMax: 1900 }).value).toBe('pass');
  });
});

describe('convergence', () => {
  test.for<{ convergenceS: Interval | null; autoS: number | null; own: number | null; value: VerdictValue }>([
    { convergenceS: { min: 49.5, max: 50 }, autoS: 50, own: null, value: 'pass' },
    { convergenceS: { min: 49.5, max: 50.5 }, autoS: 50, own: null, value: 'inconclusive' },
    { convergenceS: { min: 50.5, max: 51 }, autoS: 50, own: null, value: 'fail' },
    { convergenceS: { min: 50.5, max: 51 }, autoS: 50, own: 60, value: 'pass' },
    { convergenceS: { min: 50.5, max: 51 }, autoS: null, own: null, value: 'inconclusive' },
  ])(
    '$convergenceS.min s to $convergenceS.max s, auto $autoS, own $own: $value',
    ({ convergenceS, autoS, own, value }) => {
      const verdict = judge(analysisOf({ services: [serviceOf({ convergenceS, convergenceAutoS: autoS })] }), {
        convergenceSMax: own,
      });
      expect(verdict.value).toBe(value);
    },
  );

  test('what clients cache themselves is in the limit that nobody gave, and said', () => {
    const service = serviceOf({ convergenceS: { min: 73, max: 73.5 }, convergenceAutoS: 80 });
    const [reason] = reasonsOf(judge(analysisOf({ services: [service] })).reasons, 'convergenceSMax');
    expect(reason).toMatchObject({ value: 'pass', limit: 80 });
    expect(reason?.text).toContain('limit 80 s (2 × TTL + 10 s, and 30 s for what clients cache themselves)');
  });

  test('a resolver that violates the TTL only warns', () => {
    const lane = laneOf({ oldAfterChange: { 'resolver-violates-ttl': 317 } });
    const verdict = judge(analysisOf({ lanes: [lane] }));
    expect(verdict.value).toBe('pass');
    expect(reasonsOf(verdict.reasons, 'convergenceSMax')).toMatchObject([
      { severity: 'warn', value: 'pass', text: expect.stringMatching(/^No resolver that was asked keeps to the TTL/) },
      { severity: 'warn', value: 'fail' },
    ]);
  });
});

describe('how the change is made', () => {
  const viaOf = (via: 'weights' | 'deploy', outcome: 'partial' | 'none'): Analysis =>
    analysisOf({
      scenario: scenarioOf({ change: { ...scenarioOf().change, via } }),
      services: [serviceOf({ outcome, convergenceS: { min: 317, max: 317.5 } })],
    });
  test('weights may move a part, and what stays is no late client', () => {
    expect(judge(viaOf('weights', 'partial')).value).toBe('pass');
  });
  test('a deployment moves nothing between sides', () => {
    const { value, reasons } = judge(viaOf('deploy', 'none'));
    expect(value).toBe('pass');
    const ofMoves = ['flipBackCountMax', 'convergenceSMax', 'latencyP99RatioMax'];
    expect(reasons.filter(({ objective }) => ofMoves.includes(objective))).toEqual([]);
  });
  test('weights that moved nothing are no change', () => {
    expect(judge(viaOf('weights', 'none')).value).toBe('inconclusive');
  });
});

describe('latency warns and never decides', () => {
  test.for<{ oldMs: number; newMs: number; sampleCount: number; value: VerdictValue }>([
    { oldMs: 3, newMs: 49, sampleCount: 2000, value: 'pass' },
    { oldMs: 3, newMs: 76, sampleCount: 2000, value: 'fail' },
    { oldMs: 3, newMs: 76, sampleCount: 1999, value: 'inconclusive' },
    { oldMs: 200, newMs: 299, sampleCount: 2000, value: 'pass' },
  ])('$oldMs ms to $newMs ms in $sampleCount samples: $value', ({ oldMs, newMs, sampleCount, value }) => {
    const latencyP99 = { oldMs, newMs, ratio: newMs / oldMs, sampleCount };
    const verdict = judge(analysisOf({ services: [serviceOf({ latencyP99 })] }));
    expect(reasonsOf(verdict.reasons, 'latencyP99RatioMax')).toMatchObject([{ severity: 'warn', value }]);
    expect(verdict.value).toBe('pass');
  });
});

describe('a rollback', () => {
  test('of what was never switched says so, and does not speak of recovery', () => {
    const change = { ...scenarioOf().change, direction: 'new-to-old' } as const;
    const seen = changeOf({ direction: 'new-to-old', authorityFirstAtNs: null, identityAtNs: null, isEvident: false });
    const sides = { old: 700, new: 0, unknown: 3, conflict: 0 };
    const { value, reasons } = judge(
      analysisOf({
        mode: 'rollback',
        scenario: scenarioOf({ change }),
        services: [serviceOf({ changes: [seen], outcome: 'none' })],
        lanes: [laneOf({ sides })],
      }),
    );
    expect(value).toBe('inconclusive');
    expect(reasonsOf(reasons, 'evidence-of-change')[0]?.text).toMatch(
      /^There was nothing to take back: every answer came from .* all the time\./,
    );
    expect(reasonsOf(reasons, 'recovery')).toEqual([]);
  });

  const failing = outageOf({ firstFailedAtNs: sToNs(13.7), lastFailedAtNs: sToNs(81.3), firstGoodAtNs: sToNs(81.8) });
  const rollback = analysisOf({
    mode: 'rollback',
    services: [serviceOf({ changes: [changeOf({ direction: 'new-to-old' })] })],
    lanes: [laneOf({ qualified: false, outages: [failing] })],
  });

  test('needs no baseline, and passes when it recovered in the time given to convergence', () => {
    const verdict = judge(rollback);
    expect(verdict.value).toBe('pass');
    expect(reasonsOf(verdict.reasons, 'recovery')).toMatchObject([{ observed: { min: 20, max: 20.5 }, limit: 50 }]);
  });

  test('fails when it recovered too late', () => {
    expect(judge(rollback, { convergenceSMax: 19.7 }).value).toBe('fail');
  });

  test('has not recovered while it fails in part', () => {
    const part = {
      fromAtNs: sToNs(61),
      toAtNs: sToNs(98.3),
      failedCount: 45,
      slotCount: 73,
      failedShare: 45 / 73,
      causes: {},
      classes: {},
      failedAddresses: [],
    };
    const verdict = judge({ ...rollback, lanes: [laneOf({ qualified: false, impaired: [part] })] });
    expect(reasonsOf(verdict.reasons, 'recovery')).toMatchObject([{ observed: { min: 37, max: 37.5 } }]);
  });

  test('is inconclusive when the limit lies between the last failure and the first good answer', () => {
    const verdict = judge(rollback, { convergenceSMax: 20.3 });
    expect(reasonsOf(verdict.reasons, 'recovery')).toMatchObject([{ value: 'inconclusive' }]);
  });

  test('never passes while a lane is still down', () => {
    const open = { ...failing, firstGoodAtNs: null, openAtEnd: true };
    const lanes = [laneOf({ qualified: false, outages: [open] })];
    expect(judge({ ...rollback, lanes }, { convergenceSMax: 9999 }).value).toBe('inconclusive');
    expect(judge({ ...rollback, lanes }, { convergenceSMax: 10 }).value).toBe('fail');
  });

  test('that is taken back itself fails, as a switchover does', () => {
    const services = [serviceOf({ outcome: 'rolled-back' })];
    expect(judge({ ...rollback, services }).value).toBe('fail');
  });

  test('has no limit for its recovery while no TTL is known, and says so', () => {
    const services = [serviceOf({ convergenceAutoS: null })];
    const { value, reasons } = judge({ ...rollback, services });
    expect(value).toBe('inconclusive');
    expect(reasons.find((reason) => reason.objective === 'recovery')?.text).toContain('set convergenceSMax');
  });
});

test('a command that is still running when the watch ends is no pass', () => {
  const command = {
    words: ['./switch.sh'],
    exitCode: null,
    signal: null,
    error: '',
    fromAtNs: sToNs(60),
    toAtNs: null,
  };
  const { value, reasons } = judge(analysisOf({ command }));
  expect(value).toBe('inconclusive');
  expect(reasons.some((reason) => reason.objective === 'command-unfinished')).toBe(true);
});

test.for<{ value: VerdictValue; commandFailed: boolean; code: number }>([
  { value: 'pass', commandFailed: false, code: 0 },
  { value: 'pass', commandFailed: true, code: 5 },
  { value: 'inconclusive', commandFailed: false, code: 4 },
  { value: 'inconclusive', commandFailed: true, code: 5 },
  { value: 'fail', commandFailed: false, code: 3 },
  { value: 'fail', commandFailed: true, code: 3 },
])('$value, command failed $commandFailed: exit $code', ({ value, commandFailed, code }) => {
  expect(exitCodeOf({ value, reasons: [], services: [] }, { commandFailed })).toBe(code);
});

test('bounds out of order are our own mistake, and said so', () => {
  expect(() => judgeOf({ downtimeMs: { min: 3, max: 2 } })).toThrow('out of order');
  expect(() => judgeOf({ downtimeMs: { min: Number.NaN, max: 2 } })).toThrow('out of order');
});
