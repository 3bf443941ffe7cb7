import { describe, expect, test } from 'vitest';
import type { Facts, Probe } from '../../src/checks/facts.ts';
import { exitCodeOf, preflight, preflightJson } from '../../src/checks/preflight.ts';
import { headline, preflightText } from '../../src/checks/preflight-text.ts';
import { presets } from '../../src/clients/presets.ts';
import { parseScenario } from '../../src/scenario/parse.ts';
import {
  factsOf,
  goodProbes,
  hostname,
  memoryOf,
  nameFacts,
  newAddress,
  nowMs,
  oldAddress,
  probe,
  server,
} from './kit.ts';

/** Lowered from `ttlS` so many seconds ago, on all servers. */
const loweredBefore = (s: number, ttlS = 307) =>
  memoryOf([
    { atS: -s - 1, ttls: { 'ns-1': ttlS, 'ns-2': ttlS } },
    { atS: -s, ttls: { 'ns-1': 60, 'ns-2': 60 } },
  ]);
const wrongCertificate = [
  ...goodProbes(),
  probe({ side: 'new', outcome: 'tls-failed', error: 'expired', answer: null }),
];
const silent = nameFacts({ resolvers: [server('vpc', [], { rcode: 'SERVFAIL', authoritative: false })] });

describe('what stands on top', () => {
  test.for<{ name: string; over: Partial<Facts>; said: RegExp; exitCode: number; canWait: boolean }>([
    { name: 'all is well', over: {}, said: /^SAFE TO SWITCH$/, exitCode: 0, canWait: false },
    {
      name: 'only time is missing: the instant, rounded up to the second',
      over: { memory: loweredBefore(55.7) },
      said: /^NOT YET: safe at 08:34:13 UTC \(in 4 min 13 s\)$/,
      exitCode: 3,
      canWait: true,
    },
    {
      name: 'tomorrow has its date',
      over: { memory: loweredBefore(7, 86_400) },
      said: /^NOT YET: safe at 2026-11-25 08:29:54 UTC \(in 23 h 59 min\)$/,
      exitCode: 3,
      canWait: true,
    },
    {
      name: 'one of two servers has not lowered it: not before the old TTL from now',
      over: {
        names: [
          nameFacts({
            authorities: [
              server('ns-1', [`${hostname} 60 A ${oldAddress}`]),
              server('ns-2', [`${hostname} 3600 A ${oldAddress}`]),
            ],
          }),
        ],
        memory: memoryOf([{ atS: 0, ttls: { 'ns-1': 60, 'ns-2': 3600 } }]),
      },
      said: /^NOT YET: not before 09:30:01 UTC \(in 1 h 0 min\), because ns-2 serves/,
      exitCode: 3,
      canWait: true,
    },
    {
      name: 'nobody has lowered it',
      over: {
        names: [nameFacts({ authorities: [server('ns-1', [`${hostname} 3600 A ${oldAddress}`])] })],
        memory: memoryOf([{ atS: 0, ttls: { 'ns-1': 3600 } }]),
      },
      said: /^NO, because ns-1 serves orders\.shop\.test A with TTL 3600 s\. Lower it to 60 s or less/,
      exitCode: 3,
      canWait: true,
    },
    {
      name: 'something has to be mended, whatever the time',
      over: { probes: wrongCertificate, memory: loweredBefore(55.7) },
      said: /^NO, because 198\.51\.100\.1 does not show a good certificate for orders.shop.test: tls-failed \(expired\)\./,
      exitCode: 3,
      canWait: false,
    },
    {
      name: 'something is not known',
      over: { names: [silent] },
      said: /^UNKNOWN, because vpc does not answer for orders\.shop\.test: SERVFAIL\.$/,
      exitCode: 4,
      canWait: true,
    },
    {
      name: 'time is missing, and something is not known: not before, and no promise',
      over: { names: [silent], memory: loweredBefore(55.7) },
      said: /^NOT YET: not before 08:34:13 UTC .* \(1 more below\)$/,
      exitCode: 3,
      canWait: true,
    },
    {
      name: 'nothing is known of the TTL before',
      over: { memory: memoryOf([{ atS: -7, ttls: { 'ns-1': 60, 'ns-2': 60 } }]) },
      said: /^UNKNOWN, because Nothing is known of the TTL/,
      exitCode: 4,
      canWait: false,
    },
  ])('$name', ({ over, said, exitCode, canWait }) => {
    const found = preflight(factsOf(over));
    expect(headline(found)).toMatch(said);
    expect(exitCodeOf(found)).toBe(exitCode);
    expect(found.canWait).toBe(canWait);
  });
});

test('any one check that decides and is not passed keeps it from being safe', () => {
  const found = preflight(factsOf());
  expect(found.checks.length).toBeGreaterThan(10);
  for (const check of found.checks.filter(({ decides }) => decides)) expect(check.result).toBe('pass');
});

test('the table shows what passes in a line for each check, and all else by itself', () => {
  const text = preflightText(preflight(factsOf({ probes: wrongCertificate })));
  const lines = text.split('\n');
  expect(lines).toContain('orders');
  expect(lines).toContain('  pass  TTL lowered       2 of 2: 60 s');
  expect(lines).toContain(
    '  FAIL  certificates      198.51.100.1 does not show a good certificate for orders.shop.test: tls-failed (expired).',
  );
});

test('with many services, those that pass are named in one line, and of others what passes is', () => {
  const text = `name: many
services: [${['a', 'b', 'c'].map((name) => `{ name: ${name}, url: "https://${hostname}/ready" }`).join(', ')}]
sides:
  old: { title: ALB/ECS, addresses: ["${oldAddress}"] }
  new: { title: nginx/EKS, addresses: ["${newAddress}"] }
resolvers: [{ name: vpc, address: 10.0.0.2 }]
change: { ttlS: 60 }`;
  const scenario = parseScenario(text, { file: 'many.yaml', env: {}, presets, readFile: () => '' });
  const probes = ['a', 'b', 'c'].flatMap((service) => goodProbes().map((one) => ({ ...one, service, check: service })));
  const shown = (over: readonly Probe[]): readonly string[] =>
    preflightText(preflight(factsOf({ scenario, probes: over }))).split('\n');
  expect(shown(probes).slice(2)).toEqual([
    '',
    'All that was looked at passes: a, b and c.',
    '',
    'Not asked: slow requests, upload and X-Forwarded-For. A scenario asks for them under preflight: docs/preflight.md.',
  ]);
  const broken = probes.map((one) =>
    one.service === 'b' && one.side === 'new' ? { ...one, tookMs: 1, answer: null } : one,
  );
  const lines = shown(broken);
  expect(lines[0]).toMatch(/^NO, because b: 198\.51\.100\.1 \(nginx\/EKS\) does not answer/);
  expect(lines.slice(3, 6)).toEqual([
    'b',
    expect.stringMatching(/^ {2}FAIL {2}answers/),
    expect.stringMatching(/^ {2}pass {2}5 checks {10}TTL lowered, old TTL aged out, resolvers, records, certificates$/),
  ]);
  expect(lines).toContain('All that was looked at passes: a and c.');
});

test('on a terminal, lines are broken between words, below where they began', () => {
  const found = preflight(factsOf({ probes: wrongCertificate }));
  const lines = preflightText(found, { columns: 80 }).split('\n');
  const at = lines.findIndex((line) => line.startsWith('  FAIL  certificates'));
  expect(lines[at + 1]).toMatch(/^ {26}\S/);
  for (const line of lines.slice(1)) expect(line.length).toBeLessThanOrEqual(80);
});

test('the JSON has every check, instants as text, and what stands on top', () => {
  const json = JSON.parse(preflightJson(preflight(factsOf({ memory: loweredBefore(55.7) })))) as Record<
    string,
    unknown
  >;
  expect(json).toMatchObject({
    schemaVersion: 1,
    scenario: 'checks',
    at: new Date(nowMs).toISOString(),
    safeToSwitch: { safe: 'no', at: '2026-11-24T08:34:12.300Z', because: [expect.stringContaining('TTL 307 s')] },
  });
  const checks = json['checks'] as readonly Record<string, unknown>[];
  expect(Object.keys(checks[0] ?? {})).toEqual([
    'service',
    'check',
    'subject',
    'observed',
    'expected',
    'text',
    'result',
    'decides',
    'healsAt',
  ]);
});
