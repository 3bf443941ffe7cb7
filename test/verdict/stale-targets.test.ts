import { expect, test } from 'vitest';
import type { Analysis } from '../../src/core/analysis.ts';
import type { StaleTarget, TargetWatch } from '../../src/core/stale-target.ts';
import { sToNs } from '../../src/core/time.ts';
import type { Reason } from '../../src/core/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { analysisOf } from '../report/kit.ts';

const base = analysisOf();
const judgedFromNs = base.lanes[0]?.judgedPart?.fromAtNs ?? 0;

function stale(more: Partial<StaleTarget> = {}): StaleTarget {
  return {
    services: ['orders'],
    side: 'new',
    group: 'orders-tg',
    target: '10.2.0.1:8080',
    owner: null,
    fault: 'stale-gone',
    fromAtNs: judgedFromNs + sToNs(7),
    toAtNs: judgedFromNs + sToNs(31),
    isOpenAtEnd: false,
    windowMs: { min: 20_000, max: 24_000 },
    expectedWindowMs: null,
    proof: 'P2',
    failedCount: 13,
    check: null,
    signatures: {},
    text: '',
    evidence: [],
    ...more,
  };
}

const watched: TargetWatch = { service: 'orders', sides: ['new'], gaps: [] };
const blind: TargetWatch = {
  ...watched,
  gaps: [{ fromAtNs: judgedFromNs + sToNs(3), toAtNs: judgedFromNs + sToNs(5), why: 'AWS throttles' }],
};
const blindBefore: TargetWatch = {
  ...watched,
  gaps: [{ fromAtNs: 0, toAtNs: judgedFromNs - 1, why: 'AWS throttles' }],
};
const other = '10.2.0.2:8080';

function reasonOf(watch: TargetWatch | null, staleTargets: readonly StaleTarget[]): Reason {
  const analysis: Analysis = { ...base, staleTargets, ...(watch === null ? {} : { targetWatch: [watch] }) };
  return judge(analysis).reasons.find(({ objective }) => objective === 'staleTargetCountMax') as Reason;
}

test.for<{ what: string; watch: TargetWatch | null; found: readonly StaleTarget[]; says: string }>([
  { what: 'nobody was asked', watch: null, found: [], says: 'warn inconclusive -' },
  { what: 'none was stale', watch: watched, found: [], says: 'fail pass 0–0' },
  { what: 'one is proved', watch: watched, found: [stale()], says: 'fail fail 1–1' },
  {
    what: 'two are proved',
    watch: watched,
    found: [stale(), stale({ target: other, proof: 'P3' })],
    says: 'fail fail 2–2',
  },
  {
    what: 'one was stale twice',
    watch: watched,
    found: [stale(), stale({ fromAtNs: judgedFromNs + sToNs(60) })],
    says: 'fail fail 1–1',
  },
  { what: 'no probe failed by it', watch: watched, found: [stale({ proof: null })], says: 'fail inconclusive 0–1' },
  { what: 'their share does not fit', watch: watched, found: [stale({ proof: 'P1' })], says: 'fail inconclusive 0–1' },
  {
    what: 'it ended late and still served',
    watch: watched,
    found: [stale({ proof: null, fault: 'late-deregistration' })],
    says: 'fail pass 0–0',
  },
  {
    what: 'it ended late and failed',
    watch: watched,
    found: [stale({ fault: 'late-deregistration' })],
    says: 'fail fail 1–1',
  },
  { what: 'a suspicion', watch: null, found: [stale({ target: null, proof: 'P1' })], says: 'warn inconclusive -' },
  {
    what: 'a suspicion beside well-watched targets',
    watch: watched,
    found: [stale({ target: null, proof: 'P1' })],
    says: 'fail pass 0–0',
  },
  {
    what: 'a pod that is no target',
    watch: watched,
    found: [stale({ fault: 'missing-target', proof: null })],
    says: 'fail pass 0–0',
  },
  {
    what: 'an empty group',
    watch: watched,
    found: [stale({ fault: 'no-target', target: null, proof: null })],
    says: 'fail pass 0–0',
  },
  {
    what: 'before what is judged',
    watch: watched,
    found: [stale({ fromAtNs: 0, toAtNs: judgedFromNs - 1 })],
    says: 'fail pass 0–0',
  },
  { what: 'of another service', watch: watched, found: [stale({ services: ['billing'] })], says: 'fail pass 0–0' },
  { what: 'blind while judged', watch: blind, found: [], says: 'fail inconclusive -' },
  { what: 'blind while judged, and one is proved all the same', watch: blind, found: [stale()], says: 'fail fail -' },
  { what: 'blind before', watch: blindBefore, found: [], says: 'fail pass 0–0' },
  { what: 'no group of it is known', watch: { ...watched, sides: [] }, found: [], says: 'warn inconclusive -' },
])('$what: $says', ({ watch, found, says }) => {
  const { severity, value, observed } = reasonOf(watch, found);
  const bounds = observed === null ? '-' : `${String(observed.min)}–${String(observed.max)}`;
  expect(`${severity} ${value} ${bounds}`).toBe(says);
});

test('what would narrow it is said', () => {
  expect(reasonOf(blind, []).text).toBe(
    'At least 0 stale targets, limit 0; who watched the targets could not see for 2 s of the time judged (AWS throttles), so there may have been more. To know: an observer that is never blind.',
  );
  const more = { fromAtNs: 0, toAtNs: judgedFromNs + sToNs(4), why: 'denied' };
  expect(reasonOf({ ...blind, gaps: [...blind.gaps, more] }, []).text).toMatch(
    /could not see for 5 s of the time judged \(AWS throttles and denied\)/,
  );
  expect(reasonOf(blind, [stale()]).text).toMatch(
    /^At least 1 stale target \(10\.2\.0\.1:8080\), limit 0; who watched the targets could not see for 2 s .* there may have been more\.$/,
  );
  const untold = ['the targets of orders-tg are instances'];
  expect(reasonOf({ ...watched, sides: [], untold }, []).text).toBe(
    'The targets of orders-tg are instances, so stale ones were neither found nor ruled out.',
  );
  expect(reasonOf({ ...watched, untold }, []).text).toMatch(/limit 0\. Not counted: the targets of orders-tg are/);
  expect(reasonOf(watched, [stale({ proof: null })]).text).toMatch(/To know: a higher rate, or the access log/);
  expect(reasonOf(null, [stale({ target: null, proof: 'P1' })]).text).toMatch(
    /look like it \(1 time\), which proves nothing/,
  );
});
