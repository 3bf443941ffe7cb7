/** Both sides alike in all that a preflight looks at; then one thing is wrong with the side that is moved to. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckKind } from '../../src/checks/check.ts';
import type { Facts, Probe, ProbeAnswer, ProbeKind } from '../../src/checks/facts.ts';
import { echoedHeaders } from '../../src/checks/forwarded.ts';
import { preflight } from '../../src/checks/preflight.ts';
import { headline } from '../../src/checks/preflight-text.ts';
import { factsOf, goodProbes, hostname, nameFacts, newAddress, oldAddress, probe, scenarioOf, server } from './kit.ts';

const sides = `
sides:
  old: { title: ALB/ECS, addresses: ["${oldAddress}"], marker: { x-served-by: ecs } }
  new: { title: nginx/EKS, addresses: ["${newAddress}"], marker: { x-served-by: eks } }`;
const asking = `change: { ttlS: 60 }
defaults:
  preflight: { slowPath: /report?key=1, uploadPath: /files, writes: true, headerBytes: 12000, echoPath: /echo }`;
const scenario = scenarioOf(asking, sides);

const good = probe({ side: 'new' }).answer as ProbeAnswer;
const answer = (status: number, over: Partial<ProbeAnswer> = {}): ProbeAnswer => ({ ...good, status, ...over });
const redirect = answer(301, { headers: [['location', `https://${hostname}/ready`]] });
const echo = (over: Readonly<Record<string, string>> = {}): ProbeAnswer =>
  answer(200, {
    echoed: Object.entries({
      'x-forwarded-for': '192.0.2.77, 203.0.113.9',
      'x-forwarded-proto': 'https',
      host: hostname,
      ...over,
    }),
  });

/** Of each kind, what both sides say. */
const wellBehaved: Readonly<Record<Exclude<ProbeKind, 'request' | 'slow'>, Partial<Probe>>> = {
  plain: { answer: redirect },
  'unknown-path': { answer: answer(404) },
  http2: { alpn: 'h2' },
  'tls-1.2': { tlsVersion: 'TLSv1.2' },
  'tls-1.1': { tlsVersion: 'TLSv1.1' },
  'no-server-name': {},
  'large-header': {},
  'large-headers': {},
  'asked-header': {},
  'slow-path': { tookMs: 71_300 },
  upload: { answer: answer(204) },
  echo: { answer: echo() },
};

/** Both sides well, the new one but for what is given. */
function probesWith(fault: { readonly [K in ProbeKind]?: Partial<Probe> } = {}): readonly Probe[] {
  const kinds = Object.entries(wellBehaved) as [Exclude<ProbeKind, 'request' | 'slow'>, Partial<Probe>][];
  return [
    ...goodProbes().map((one) => (one.side === 'new' ? { ...one, ...fault.request } : one)),
    ...kinds.flatMap(([kind, over]) => [
      probe({ side: 'old', kind, ...over }),
      probe({ side: 'new', kind, ...over, ...fault[kind] }),
    ]),
  ];
}

function notPassed(over: Partial<Facts>): readonly string[] {
  return preflight(factsOf({ scenario, ...over }))
    .checks.filter(({ result }) => result !== 'pass')
    .map(({ check, result, decides }) => `${result === 'fail' && !decides ? 'warn' : result} ${check}`);
}

test('with nothing wrong and everything asked for, all of it passes', () => {
  expect(notPassed({ probes: probesWith() })).toEqual([]);
  const checks = new Set(preflight(factsOf({ scenario, probes: probesWith() })).checks.map(({ check }) => check));
  const all: readonly CheckKind[] = [
    ...(['ttl-lowered', 'ttl-aged-out', 'resolver', 'record', 'certificate', 'answer', 'plain-http'] as const),
    ...(['unknown-path', 'http2', 'tls-versions', 'no-server-name', 'header-size', 'slow-request'] as const),
    ...(['upload', 'forwarded', 'edges', 'identity'] as const),
  ];
  expect([...checks]).toEqual(all);
});

const failing = (over: Partial<Probe>): Partial<Probe> => ({ answer: null, ...over });
const withHeader = (name: string, value: string): Partial<Probe> => ({
  answer: { ...good, headers: [...good.headers, [name, value]] },
});
const a = (ttlS: number): string => `${hostname} ${ttlS} A ${oldAddress}`;

describe('one fault, one check that does not pass', () => {
  test.for<{ name: string; over: Partial<Facts>; expected: string; says?: RegExp }>([
    {
      name: 'a TTL that one name server serves high',
      over: { names: [nameFacts({ authorities: [server('ns-1', [a(60)]), server('ns-2', [a(300)])] })] },
      expected: 'fail ttl-lowered',
    },
    {
      name: 'a resolver that holds it for long',
      over: { names: [nameFacts({ resolvers: [server('vpc', [a(300)], { authoritative: false })] })] },
      // Nothing above 60 s has been served for long: it is the resolver's own doing.
      expected: 'warn resolver',
    },
    {
      name: 'a record that is not on every name server',
      over: { names: [nameFacts({ authorities: [server('ns-1', [a(60)]), server('ns-2', [])] })] },
      expected: 'fail record',
    },
    {
      name: 'a certificate that ends soon',
      over: { probes: probesWith({ request: { certificateToMs: factsOf().nowMs + 86_400_000 } }) },
      expected: 'fail certificate',
      says: /ends in 1 day/,
    },
    {
      name: 'the fake certificate of ingress-nginx',
      over: {
        probes: [
          ...probesWith(),
          probe({
            side: 'new',
            kind: 'http2',
            outcome: 'tls-failed',
            error: 'self-signed',
            certificateName: 'Kubernetes Ingress Controller Fake Certificate',
            answer: null,
          }),
        ],
      },
      expected: 'fail certificate',
      says: /shows ingress-nginx's fake certificate for orders\.shop\.test: no Ingress there has a tls secret/,
    },
    {
      name: 'an answer of another status',
      over: { probes: probesWith({ request: { answer: answer(204) } }) },
      expected: 'fail answer',
    },
    {
      name: 'a closed port 80',
      over: { probes: probesWith({ plain: failing({ outcome: 'connect-refused' }) }) },
      expected: 'fail plain-http',
    },
    {
      name: 'a 503 for what nobody has',
      over: { probes: probesWith({ 'unknown-path': { answer: answer(503) } }) },
      expected: 'fail unknown-path',
    },
    { name: 'no HTTP/2', over: { probes: probesWith({ http2: { alpn: 'http/1.1' } }) }, expected: 'fail http2' },
    {
      name: 'no TLS 1.2',
      over: { probes: probesWith({ 'tls-1.2': failing({ outcome: 'tls-failed', error: 'alert protocol version' }) }) },
      expected: 'fail tls-versions',
      says: /nothing newer than TLS 1\.2 \(tls-failed \(alert protocol version\)\); ALB\/ECS does/,
    },
    {
      name: 'no TLS 1.1, which is old',
      over: { probes: probesWith({ 'tls-1.1': failing({ outcome: 'tls-failed', error: 'alert protocol version' }) }) },
      expected: 'warn tls-versions',
    },
    {
      name: 'a fake certificate for who names no server',
      over: {
        probes: probesWith({
          'no-server-name': failing({
            outcome: 'tls-failed',
            error: 'self-signed',
            certificateName: 'Kubernetes Ingress Controller Fake Certificate',
          }),
        }),
      },
      expected: 'warn no-server-name',
      says: /gets from 198\.51\.100\.1: fake certificate, and from ALB\/ECS: its certificate/,
    },
    {
      name: 'nginx with its usual buffers',
      over: { probes: probesWith({ 'large-header': { answer: answer(400) } }) },
      expected: 'warn header-size',
      says: /Headers of 9 KiB in one get 400 from 198\.51\.100\.1, and 200 from ALB\/ECS/,
    },
    {
      name: 'Node with its usual limit',
      over: { probes: probesWith({ 'large-headers': { answer: answer(431) } }) },
      expected: 'warn header-size',
    },
    {
      name: 'a refusal of headers that users are said to send',
      over: { probes: probesWith({ 'asked-header': { answer: answer(400) } }) },
      expected: 'fail header-size',
      says: /Headers of 12,000 bytes in one get 400/,
    },
    {
      name: 'a reset instead of an answer to large headers',
      over: { probes: probesWith({ 'asked-header': failing({ outcome: 'reset', error: 'ECONNRESET' }) }) },
      expected: 'fail header-size',
    },
    {
      name: 'a proxy that cuts after 60 s',
      over: { probes: probesWith({ 'slow-path': { answer: answer(504), tookMs: 60_030 } }) },
      expected: 'fail slow-request',
      says: /^NO, because \/report ends with 504 after 60 s at 198\.51\.100\.1, and with 200 after 71.3 s at ALB\/ECS\. .*proxy-read-timeout/,
    },
    {
      name: 'the usual body limit of ingress-nginx',
      over: { probes: probesWith({ upload: { answer: answer(413) } }) },
      expected: 'fail upload',
      says: /POST \/files of 1,500,000 bytes gets 413 from 198\.51\.100\.1, and 204 from ALB\/ECS\. Raise the limit \(ingress-nginx: proxy-body-size\)/,
    },
    {
      name: 'a lost client address',
      over: { probes: probesWith({ echo: { answer: echo({ 'x-forwarded-for': '10.0.3.4' }) } }) },
      expected: 'fail forwarded',
      says: /told x-forwarded-for: 10\.0\.3\.4; through ALB\/ECS x-forwarded-for: what the client claims, 203\.0\.113\.9\./,
    },
    {
      name: 'https told as http',
      over: { probes: probesWith({ echo: { answer: echo({ 'x-forwarded-proto': 'http' }) } }) },
      expected: 'fail forwarded',
      says: /would do so for ever/,
    },
    {
      name: 'one more header of the proxy',
      over: { probes: probesWith({ echo: { answer: echo({ 'x-real-ip': '203.0.113.9' }) } }) },
      expected: 'warn forwarded',
    },
    {
      name: 'an echo that says nothing',
      over: { probes: probesWith({ echo: { answer: answer(200, { echoed: [] }) } }) },
      expected: 'unknown forwarded',
    },
    {
      name: 'the HSTS trap',
      over: { probes: probesWith({ request: withHeader('strict-transport-security', 'max-age=31536000') }) },
      expected: 'warn edges',
    },
    {
      name: 'answers that say they are of the other side',
      over: { probes: probesWith({ request: { addressSide: 'old' } }) },
      expected: 'fail identity',
    },
  ])('$name: $expected', ({ over, expected, says }) => {
    expect(notPassed({ probes: probesWith(), ...over })).toEqual([expected]);
    const found = preflight(factsOf({ scenario, probes: probesWith(), ...over }));
    const decides = !expected.startsWith('warn');
    expect(found.safeToSwitch.safe).toBe(decides ? (expected.startsWith('fail') ? 'no' : 'unknown') : 'yes');
    const said = decides ? headline(found) : found.checks.find(({ result }) => result !== 'pass')?.text;
    if (says !== undefined) expect(said).toMatch(says);
  });
});

/** Of kinds that decide, so that any of them must keep it from being safe, whatever else is wrong. */
const decisive: readonly { readonly [K in ProbeKind]?: Partial<Probe> }[] = [
  { request: { answer: answer(503, { isRight: false }) } },
  { request: failing({ outcome: 'connect-refused' }) },
  { request: failing({ outcome: 'tls-failed' }) },
  { request: failing({ outcome: 'own-trouble' }) },
  { request: { answer: answer(403, { isRight: false, isBlocked: true }) } },
  { request: { certificateToMs: 0 } },
  { request: { addressSide: 'old' } },
  { plain: failing({ outcome: 'connect-refused' }) },
  { 'tls-1.2': failing({ outcome: 'tls-failed' }) },
  { 'slow-path': { answer: answer(504) } },
  { upload: { answer: answer(413) } },
  { 'asked-header': { answer: answer(400) } },
  { echo: failing({ outcome: 'reset' }) },
];

test('with one fault that decides it is never safe, whatever else is wrong with the same side', () => {
  const kinds = Object.keys(wellBehaved) as ProbeKind[];
  const another = fc.record({
    kind: fc.constantFrom<ProbeKind>('request', ...kinds),
    over: fc.constantFrom<Partial<Probe>>(
      failing({ outcome: 'reset' }),
      failing({ outcome: 'tls-failed' }),
      failing({ outcome: 'connect-timed-out' }),
      failing({ outcome: 'own-trouble' }),
      { answer: answer(500, { isRight: false }) },
      { answer: answer(404) },
    ),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...decisive),
      fc.array(another, { maxLength: 4 }),
      fc.array(fc.constantFrom(...kinds), { maxLength: 3 }),
      (fault, others, unsent) => {
        const more = Object.fromEntries(others.map(({ kind, over }) => [kind, over]));
        const probes = probesWith({ ...more, ...fault }).filter(({ kind }) => kind in fault || !unsent.includes(kind));
        expect(preflight(factsOf({ scenario, probes })).safeToSwitch.safe).not.toBe('yes');
      },
    ),
    { numRuns: 400 },
  );
});

test('where a side fails altogether, that is told once, and not by every check that it fails too', () => {
  const gone = failing({ outcome: 'connect-refused', error: 'ECONNREFUSED', certificateToMs: null });
  const all = Object.fromEntries(['request', ...Object.keys(wellBehaved)].map((kind) => [kind, gone]));
  expect(notPassed({ probes: probesWith(all) })).toEqual(['fail answer']);
  const wrong = { ...gone, outcome: 'tls-failed', error: 'wrong-name' } as const;
  const shown = Object.fromEntries(Object.keys(all).map((kind) => [kind, wrong]));
  expect(notPassed({ probes: probesWith(shown) })).toEqual(['fail certificate']);
  const broken = { answer: answer(500, { isRight: false }) };
  const answered = Object.fromEntries(Object.keys(all).map((kind) => [kind, broken]));
  expect(notPassed({ probes: probesWith(answered) })).toEqual(['fail answer']);
});

describe('what was refused before is no reason not to move', () => {
  const both = (kind: ProbeKind, old: Partial<Probe>, target: Partial<Probe>): readonly string[] =>
    notPassed({
      probes: [
        ...probesWith().filter((one) => one.kind !== kind),
        probe({ side: 'old', kind, ...old }),
        probe({ side: 'new', kind, ...target }),
      ],
    });

  test('whether both refuse, or only the side that is left does', () => {
    expect(both('upload', { answer: answer(413) }, { answer: answer(413) })).toEqual([]);
    expect(both('upload', { answer: answer(413) }, { answer: answer(204) })).toEqual([]);
    expect(both('slow-path', { answer: answer(504) }, { answer: answer(504) })).toEqual([]);
    expect(both('large-header', { answer: answer(431) }, { answer: answer(400) })).toEqual([]);
    expect(both('tls-1.1', failing({ outcome: 'tls-failed' }), failing({ outcome: 'tls-failed' }))).toEqual([]);
  });

  test('what neither side ended in time, or the other never answered, is not known', () => {
    const cut = failing({ outcome: 'first-byte-timed-out', tookMs: 90_000 });
    expect(both('slow-path', cut, cut)).toEqual(['unknown slow-request']);
    expect(both('slow-path', { tookMs: 71_000 }, cut)).toEqual(['fail slow-request']);
    expect(both('upload', failing({ outcome: 'reset' }), { answer: answer(204) })).toEqual(['unknown upload']);
  });

  test('a refusal of the prober alone is not known', () => {
    const blocked = answer(403, { isBlocked: true });
    expect(both('upload', { answer: answer(204) }, { answer: blocked })).toEqual(['unknown upload']);
    expect(both('upload', { answer: blocked }, { answer: blocked })).toEqual([]);
  });
});

test('what the scenario does not ask for is not asked, and decides nothing', () => {
  const found = preflight(factsOf());
  const notAsked = found.checks.filter(({ result }) => result === 'not-asked').map(({ check }) => check);
  expect(notAsked).toEqual(['slow-request', 'upload', 'forwarded']);
  expect(found.safeToSwitch.safe).toBe('yes');
});

test('what the scenario asks for and nobody could send is not known', () => {
  expect(notPassed({ probes: goodProbes() })).toEqual(['unknown slow-request', 'unknown upload', 'unknown forwarded']);
});

describe('an echo', () => {
  const forms = [
    { form: 'flat JSON', text: '{"Host": "a.test", "X-Forwarded-For": "192.0.2.9"}' },
    {
      form: 'nested JSON with lists',
      text: '{"request": {"headers": {"host": ["a.test"], "x-forwarded-for": ["192.0.2.9"]}}}',
    },
    { form: 'CGI variables', text: 'HTTP_HOST=a.test\nHTTP_X_FORWARDED_FOR=192.0.2.9\nPATH=/bin\n' },
    { form: 'lines', text: 'GET / HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-For: 192.0.2.9\r\nCookie: secret\r\n' },
  ];
  test.for(forms)('is read as $form', ({ text }) => {
    const found = Object.fromEntries(echoedHeaders(new TextEncoder().encode(text)));
    expect(found).toEqual({ host: 'a.test', 'x-forwarded-for': '192.0.2.9' });
  });

  test('keeps nothing else of what it was sent, and is not taken in by anything else', () => {
    for (const text of ['', '[]', 'null', '{"x-forwarded-for": 7}', '<html>x-forwarded-for</html>']) {
      expect(echoedHeaders(new TextEncoder().encode(text))).toEqual([]);
    }
    expect(echoedHeaders(null)).toEqual([]);
  });
});
