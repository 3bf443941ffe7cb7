/** The way back: the same checks the other way round, but that the side that is left may be down. */
import { expect, test } from 'vitest';
import type { Facts, Probe, ProbeAnswer } from '../../src/checks/facts.ts';
import { exitCodeOf, preflight, preflightJson } from '../../src/checks/preflight.ts';
import { headline, preflightText } from '../../src/checks/preflight-text.ts';
import { factsOf, goodProbes, hostname, memoryOf, nameFacts, probe, scenarioOf, server } from './kit.ts';

const onNew = `${hostname} 60 A 198.51.100.1`;
const moved = (over: Partial<Facts> = {}): Facts => {
  const scenario = scenarioOf();
  const name = nameFacts({
    authorities: [server('ns-1', [onNew]), server('ns-2', [onNew])],
    resolvers: [server('vpc', [onNew], { authoritative: false })],
  });
  const leadsToNew = {
    ...name,
    authorities: name.authorities.map((one) => ({
      ...one,
      asked: one.asked.map((asked) => ({ ...asked, side: asked.side === 'old' ? ('new' as const) : asked.side })),
    })),
  };
  return factsOf({
    isRollback: true,
    scenario: { ...scenario, change: { ...scenario.change, direction: 'new-to-old' } },
    names: [leadsToNew],
    ...over,
  });
};

/** Every answer of that side. */
function withSide(side: 'old' | 'new', over: Partial<Probe>): readonly Probe[] {
  return goodProbes().map((one) => (one.side === side ? { ...one, ...over } : one));
}
const answer = (status: number): ProbeAnswer => ({
  ...(probe({ side: 'new' }).answer as ProbeAnswer),
  status,
  headers: [],
  isRight: status === 200,
});
const gone: Partial<Probe> = { outcome: 'connect-refused', error: 'ECONNREFUSED', answer: null };

test('where both sides are well, it is safe to switch back, and the words say which way', () => {
  const found = preflight(moved());
  expect(headline(found)).toBe('SAFE TO SWITCH BACK');
  expect(exitCodeOf(found)).toBe(0);
  expect(preflightText(found).split('\n')[1]).toBe('checks, from nginx/EKS to ALB/ECS, as of 2026-11-24 08:30:00 UTC');
  expect(JSON.parse(preflightJson(found))).toMatchObject({ mode: 'rollback', from: 'nginx/EKS', to: 'ALB/ECS' });
});

test.for([
  { name: 'gives no answer', over: gone },
  { name: 'answers 500', over: { answer: answer(500) } },
])('a side to be left that $name is no reason to stay on it', ({ over }) => {
  expect(headline(preflight(moved({ probes: withSide('new', over) })))).toBe('SAFE TO SWITCH BACK');
  // A cutover has no such excuse: what it leaves is the measure.
  expect(preflight(factsOf({ probes: withSide('old', over) })).safeToSwitch.safe).toBe('unknown');
});

test.for([
  { name: 'gives no answer', over: gone, said: /^NO, because 192\.0\.2\.1 \(ALB\/ECS\) does not answer/ },
  { name: 'answers 503', over: { answer: answer(503) }, said: /^NO, because 192\.0\.2\.1 \(ALB\/ECS\) answers, but/ },
])('an old side that $name is nothing to go back to', ({ over, said }) => {
  const probes = [...withSide('old', over).filter(({ side }) => side === 'old'), ...withSide('new', gone)];
  for (const facts of [moved({ probes: withSide('old', over) }), moved({ probes })]) {
    expect(headline(preflight(facts))).toMatch(said);
    expect(exitCodeOf(preflight(facts))).toBe(3);
  }
});

test('what the scenario asks for is asked of the old side alone where the new one is down', () => {
  const asking = scenarioOf(`change: { ttlS: 60, direction: new-to-old }
defaults:
  preflight: { slowPath: /slow, uploadPath: /files, writes: true, headerBytes: 12000, echoPath: /echo }`);
  const told = (status: number): readonly string[] => {
    const kinds = ['slow-path', 'upload', 'asked-header', 'large-header', 'http2'] as const;
    const own = kinds.map((kind) => probe({ side: 'old', kind, answer: { ...answer(200), status } }));
    const probes = [...withSide('new', gone), ...own];
    return preflight(moved({ scenario: asking, probes }))
      .checks.filter(({ result }) => result !== 'pass')
      .map(({ result, check }) => `${result} ${check}`);
  };
  expect(told(200)).toEqual([]);
  expect(told(413)).toEqual(['fail header-size', 'fail upload']);
  expect(told(504)).toEqual(['fail header-size', 'fail slow-request', 'fail upload']);
});

test('a TTL that was raised again makes the way back slow; who is in need is told not to wait for it', () => {
  const high = `${hostname} 300 A 198.51.100.1`;
  const raised = moved({
    names: moved().names.map((name) => ({ ...name, authorities: [server('ns-1', [high]), server('ns-2', [high])] })),
    memory: memoryOf([
      { atS: -7000, ttls: { 'ns-1': 60, 'ns-2': 60 } },
      { atS: 0, ttls: { 'ns-1': 300, 'ns-2': 300 } },
    ]),
  });
  const hint =
    'If nginx/EKS is failing now, do not wait: caches end no sooner by it, and whoever asks anew is helped at once.';
  const found = preflight(raised);
  expect(exitCodeOf(found)).toBe(3);
  expect(preflightText(found).split('\n')).toContain(hint);
  // Not where more than time is missing, and not on the way there.
  expect(preflightText(preflight({ ...raised, probes: withSide('old', gone) }))).not.toContain(hint);
  expect(preflightText(preflight(factsOf({ memory: raised.memory })))).not.toContain('do not wait');
});

test('before the switch it tells whether the way back is open, though there is nothing to switch', () => {
  const found = preflight(factsOf({ isRollback: true, scenario: moved().scenario }));
  expect(found.safeToSwitch.safe).toBe('yes');
  expect(found.checks.filter(({ result }) => result === 'fail')).toMatchObject([
    { check: 'record', decides: false, text: `${hostname} leads to ALB/ECS already: there is nothing to switch back.` },
  ]);
});

test('browsers that met HSTS on the side that is left keep to https', () => {
  const hsts = ['strict-transport-security', 'max-age=31536000'] as const;
  const good = probe({ side: 'new' }).answer as ProbeAnswer;
  const probes = withSide('new', { answer: { ...good, headers: [...good.headers, hsts] } });
  const found = preflight(moved({ probes })).checks.find(({ result }) => result === 'fail');
  expect(found).toMatchObject({ check: 'edges', decides: false });
  expect(found?.text).toMatch(/browsers that met it ask for https alone for that long/);
});
