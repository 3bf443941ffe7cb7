import { describe, expect, test } from 'vitest';
import { bodyShapeOf } from '../../src/checks/body-shape.ts';
import type { CheckResult } from '../../src/checks/check.ts';
import { edges } from '../../src/checks/edges.ts';
import type { Facts, Probe, ProbeAnswer } from '../../src/checks/facts.ts';
import { identity } from '../../src/checks/identity.ts';
import { enteringSide } from '../../src/checks/entering-side.ts';
import { records } from '../../src/checks/records.ts';
import {
  factsOf,
  goodProbes,
  hostname,
  nameFacts,
  newAddress,
  nowMs,
  oldAddress,
  probe,
  scenarioOf,
  server,
} from './kit.ts';

function run(check: typeof enteringSide, over: Partial<Facts>): readonly CheckResult[] {
  const facts = factsOf(over);
  return facts.scenario.services.flatMap((service) => check(facts, service));
}

const goodAnswer = probe({ side: 'new' }).answer as ProbeAnswer;

/** All good but for the last of the new side. */
function withLast(over: Partial<Probe>): readonly Probe[] {
  return [...goodProbes().slice(0, -1), probe({ side: 'new', ...over })];
}

function notPassed(over: Partial<Facts>): readonly string[] {
  return run(enteringSide, over)
    .filter(({ result }) => result !== 'pass' && result !== 'not-asked')
    .map(({ result, decides, check, text }) => `${result}${decides ? '' : ' (warns)'} ${check}: ${text}`);
}

test('where both sides answer alike, every check of the new side passes', () => {
  expect(notPassed({})).toEqual([]);
  const results = run(enteringSide, {}).map(({ check, result }) => `${check} ${result}`);
  const notAsked = ['slow-request', 'upload', 'forwarded'].map((check) => `${check} not-asked`);
  expect(results).toEqual(['certificate pass', 'answer pass', ...notAsked]);
});

describe('one answer of many is enough to refuse', () => {
  const headers = (name: string, value: string): ProbeAnswer['headers'] => [
    ...goodAnswer.headers.filter((header) => header[0] !== name),
    [name, value],
  ];
  test.for<{ over: Partial<Probe>; said: string }>([
    {
      over: { outcome: 'tls-failed', error: 'wrong-name', answer: null },
      said: 'fail certificate: 198.51.100.1 does not show a good certificate for orders.shop.test: tls-failed (wrong-name).',
    },
    {
      over: { certificateToMs: nowMs + 29.5 * 86_400_000 },
      said: 'fail certificate: The certificate at 198.51.100.1 ends in 29 days. Renew it before the switch.',
    },
    {
      over: { outcome: 'connect-refused', error: 'ECONNREFUSED', answer: null },
      said: 'fail answer: 198.51.100.1 (nginx/EKS) does not answer: 1 of 51 probes: connect-refused (ECONNREFUSED).',
    },
    {
      over: { answer: { ...goodAnswer, status: 503, isRight: false } },
      said: 'fail answer: 198.51.100.1 (nginx/EKS) answers, but 1 of 51 probes not as the check expects: status 503.',
    },
    {
      over: { answer: { ...goodAnswer, status: 403, isRight: false, isBlocked: true } },
      said: 'unknown answer: 198.51.100.1 refuses the prober: nothing is known of what users get.',
    },
    {
      over: { answer: { ...goodAnswer, status: 204 } },
      said: 'fail answer: 198.51.100.1 answers otherwise: status 204 for 200.',
    },
    {
      over: { answer: { ...goodAnswer, headers: headers('x-served-by', 'ecs') } },
      said: 'fail answer: 198.51.100.1 does not always say that it is nginx/EKS: 1 of 51 probes without x-served-by.',
    },
    {
      over: { answer: { ...goodAnswer, headers: headers('content-type', 'text/html; charset=utf-8') } },
      said: 'fail answer: 198.51.100.1 answers otherwise: content-type text/html for application/json.',
    },
    {
      over: { answer: { ...goodAnswer, body: { kind: 'html', keys: [] } } },
      said: 'fail answer: 198.51.100.1 answers otherwise: a body of HTML for JSON with 1 keys.',
    },
  ])('$said', ({ over, said }) => {
    expect(notPassed({ probes: withLast(over) })).toContain(said);
  });
});

test('what cannot be reached from here is not known, and not held against the side', () => {
  const addresses = { old: [oldAddress], new: [newAddress, '2001:db8::1'] };
  const lost = probe({
    side: 'new',
    address: '2001:db8::1',
    outcome: 'connect-failed',
    error: 'ENETUNREACH',
    certificateToMs: null,
    answer: null,
  });
  expect(notPassed({ addresses, probes: [...goodProbes(), lost] })).toEqual([
    'unknown answer: 2001:db8::1 cannot be reached from here (connect-failed (ENETUNREACH)): nothing is known of it.',
  ]);
});

test('a side without a known address is not known', () => {
  expect(notPassed({ addresses: { old: [oldAddress], new: [] } })).toMatchObject([
    expect.stringMatching(/^unknown answer/),
  ]);
});

describe('what users do besides', () => {
  const both = (kind: Probe['kind'], old: Partial<Probe>, target: Partial<Probe>): readonly string[] =>
    notPassed({
      probes: [...goodProbes(), probe({ side: 'old', kind, ...old }), probe({ side: 'new', kind, ...target })],
    });
  const answer = (status: number, location?: string): Partial<Probe> => ({
    answer: { ...goodAnswer, status, headers: location === undefined ? [] : [['location', location]] },
  });
  const none: Partial<Probe> = { outcome: 'connect-refused', answer: null };

  test('port 80 leads where it led', () => {
    const to = `https://${hostname}/ready`;
    expect(both('plain', answer(301, to), answer(301, `${to}?x=1`))).toEqual([]);
    expect(both('plain', answer(301, to), none)).toMatchObject([expect.stringMatching(/^fail plain-http/)]);
    expect(both('plain', answer(301, to), answer(200))).toMatchObject([expect.stringMatching(/^fail plain-http/)]);
    expect(both('plain', none, answer(301, to))).toMatchObject([expect.stringMatching(/^fail \(warns\) plain-http/)]);
    expect(both('plain', none, none)).toEqual([]);
  });

  test('a path that nobody has is a fault only where it becomes one', () => {
    expect(both('unknown-path', answer(404), answer(404))).toEqual([]);
    expect(both('unknown-path', answer(404), answer(403))).toMatchObject([expect.stringMatching(/^fail \(warns\)/)]);
    expect(both('unknown-path', answer(404), answer(503))).toMatchObject([expect.stringMatching(/^fail unknown-path/)]);
  });

  test('HTTP/2 that is lost is told, and decides where a client of the scenario needs it', () => {
    expect(both('http2', { alpn: 'h2' }, { alpn: 'http/1.1' })).toMatchObject([expect.stringMatching(/^fail/)]);
    expect(both('http2', { alpn: 'http/1.1' }, { alpn: 'h2' })).toEqual([]);
  });
});

describe('identity', () => {
  const told = (over: Partial<Facts>): string => {
    const [found] = run(identity, over);
    return `${found?.result}: ${found?.observed}`;
  };
  const anonymous = scenarioOf(
    'change: { ttlS: 60 }',
    `sides: { old: { addresses: ["${oldAddress}"] }, new: { addresses: ["${newAddress}"] } }`,
  );
  const nowhere = goodProbes().map((one) => ({ ...one, addressSide: null }));

  test('says which signals tell the sides apart', () => {
    expect(told({})).toBe('pass: address and marker (51 probes of old, 51 probes of new)');
    expect(told({ probes: nowhere })).toBe('pass: marker (51 probes of old, 51 probes of new)');
    expect(told({ scenario: anonymous })).toBe('pass: address (51 probes of old, 51 probes of new)');
  });

  test('is refused where nothing does, with the certificates as a way out', () => {
    expect(told({ scenario: anonymous, probes: nowhere })).toBe('fail: nothing does');
    expect(run(identity, { scenario: anonymous, probes: nowhere })[0]?.text).toContain('certificateSha256');
  });

  test('is refused where one answer is told by nothing, or as of the other side', () => {
    const unmarked = { addressSide: null, answer: { ...goodAnswer, headers: [] } };
    expect(told({ probes: withLast(unmarked) })).toBe(
      'fail: only address (101 of 102 answers) and marker (101 of 102 answers)',
    );
    expect(told({ probes: withLast({ addressSide: 'old' }) })).toBe('fail: address names the wrong side');
  });

  test('is not known from fewer than fifty answers of a side', () => {
    const few = goodProbes().slice(0, 98);
    expect(told({ probes: few })).toMatch(/^unknown/);
    expect(told({ probes: goodProbes().slice(0, 100) })).toMatch(/^pass/);
  });
});

test('the HSTS trap is told, with its names below, and never decides', () => {
  const hsts = ['strict-transport-security', 'max-age=31536000; includeSubDomains'] as const;
  const probes = goodProbes().map((one) =>
    one.side === 'new' ? { ...one, answer: { ...goodAnswer, headers: [...goodAnswer.headers, hsts] } } : one,
  );
  const found = run(edges, { probes }).find(({ subject }) => subject === 'Strict-Transport-Security');
  expect(found).toMatchObject({ result: 'fail', decides: false });
  expect(found?.text).toMatch(/refuse plain HTTP for that long, after a rollback too, and for names below/);
  expect(run(edges, { probes }).every(({ decides }) => !decides)).toBe(true);
});

describe('records', () => {
  const a = `${hostname} 60 A ${oldAddress}`;
  const told = (names: readonly (readonly string[])[], over: Partial<Facts> = {}): readonly string[] =>
    run(records, {
      names: [nameFacts({ authorities: names.map((lines, i) => server(`ns-${i + 1}`, lines)) })],
      ...over,
    })
      .filter(({ result }) => result !== 'pass')
      .map(({ result, decides, text }) => `${result}${decides ? '' : ' (warns)'} ${text}`);

  test('that are there on every server pass', () => {
    expect(told([[a], [a]])).toEqual([]);
  });

  test('that one server does not have are remembered as missing, and for how long is said', () => {
    expect(told([[a], []])).toEqual([
      `fail ns-2 says that ${hostname} has no address; resolvers that ask it remember that for 300 s. Create the record, and wait as long.`,
    ]);
  });

  test('of one family that one server has alone are named', () => {
    expect(told([[a, `${hostname} 60 AAAA 2001:db8::9`], [a]])).toMatchObject([
      expect.stringMatching(/^fail ns-1 alone has AAAA records/),
    ]);
  });

  test('of a family that the new side has not must go with the change', () => {
    const aaaa = `${hostname} 60 AAAA 2001:db8::9`;
    expect(told([[a, aaaa]])).toMatchObject([expect.stringMatching(/^fail \(warns\) nginx\/EKS has no AAAA address/)]);
  });

  test('with address hints for browsers must change with the addresses', () => {
    expect(told([[a, `${hostname} 60 HTTPS 1 . alpn=h2 ipv4hint=${oldAddress}`]])).toMatchObject([
      expect.stringMatching(/^fail \(warns\) The HTTPS record/),
    ]);
  });
});

test.for([
  { text: '', shape: { kind: 'empty', keys: [] } },
  { text: 'ok\n', shape: { kind: 'text', keys: [] } },
  { text: '{"b":1,"a":[2]}', shape: { kind: 'json', keys: ['a', 'b'] } },
  { text: '{"b":', shape: { kind: 'text', keys: [] } },
  { text: '[1]', shape: { kind: 'json', keys: [] } },
  { text: ' <!DOCTYPE html><title>x</title>', shape: { kind: 'html', keys: [] } },
  { text: '\u0001\u0002', shape: { kind: 'binary', keys: [] } },
])('a body of $text is $shape.kind', ({ text, shape }) => {
  expect(bodyShapeOf(new TextEncoder().encode(text))).toEqual(shape);
});
