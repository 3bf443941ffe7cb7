import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { clockRows, offsetOf } from '../../src/checks/doctor-clock.ts';
import type { ClockReading, DoctorFacts, MachineFacts, ResolverFacts } from '../../src/checks/doctor-facts.ts';
import { machineRows } from '../../src/checks/doctor-machine.ts';
import { authorityRows, resolverRows } from '../../src/checks/doctor-names.ts';
import { diagnosisText } from '../../src/checks/doctor-text.ts';
import { diagnose, diagnosisJson, exitCodeOfDiagnosis } from '../../src/checks/doctor.ts';
import type { DnsReply } from '../../src/core/ports.ts';
import { lanesOf } from '../../src/scenario/lanes.ts';
import { hostname, newAddress, nowMs, oldAddress, reply, scenarioOf } from './kit.ts';

const good = reply('A', [`${hostname} 60 A ${oldAddress}`], { endedAtNs: 7_000_000 });
const silent: DnsReply = { kind: 'failed', reason: 'timed-out', error: 'no answer', sentAtNs: 0, endedAtNs: 0 };

const machine: MachineFacts = {
  openFileCountMax: 20_000,
  localPortCount: 28_232,
  processorCount: 2,
  freeBytes: 1e12,
  folder: 'reports/',
  ipv6: 'none',
  mayRaisePriority: true,
  ratePerThread: 5000,
};

function factsOf({ more, ...over }: Partial<DoctorFacts> & { readonly more?: string } = {}): DoctorFacts {
  const scenario = scenarioOf(more);
  return {
    scenario,
    nowMs,
    lanes: lanesOf(scenario, { old: [], new: [] }),
    tokens: [],
    platforms: [],
    clock: { readings: [reading({})], isSynchronized: true, steppedMs: 0 },
    resolvers: [{ resolver: 'vpc', way: 'UDP', hostname, reply: good }],
    authorities: [],
    machine,
    proxyVariables: [],
    ...over,
  };
}

// ── clock ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Of a server whose clock is `offsetMs` ahead of ours, `rttMs` away, asked at a fraction of a second. */
function reading({ offsetMs = 0, rttMs = 40, fractionMs = 317, server = 'a' } = {}): ClockReading {
  const sentAtMs = nowMs + fractionMs;
  const theirsMs = sentAtMs + rttMs / 2 + offsetMs;
  return { server, dateMs: Math.floor(theirsMs / 1000) * 1000, sentAtMs, receivedAtMs: sentAtMs + rttMs };
}

describe('clock', () => {
  test('the offset is always within its bounds, which are no wider than a second and the way there and back', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -90_000, max: 90_000 }),
        fc.array(fc.record({ rttMs: fc.integer({ min: 0, max: 700 }), fractionMs: fc.integer({ min: 0, max: 999 }) }), {
          minLength: 1,
          maxLength: 7,
        }),
        (offsetMs, servers) => {
          const offset = offsetOf(servers.map((one) => reading({ ...one, offsetMs })));
          expect(offset?.serverCount).toBe(servers.length);
          expect(offset?.minMs).toBeLessThanOrEqual(offsetMs);
          expect(offset?.maxMs).toBeGreaterThanOrEqual(offsetMs);
          const rttMs = Math.min(...servers.map((one) => one.rttMs));
          expect((offset?.maxMs ?? 0) - (offset?.minMs ?? 0)).toBeLessThanOrEqual(1000 + rttMs);
        },
      ),
    );
  });

  test.for([
    { offsets: [0], result: 'pass', text: 'by one server' },
    { offsets: [900], result: 'pass', text: 'by one server' },
    { offsets: [2700, 2700], result: 'fail', text: 'Our clock is behind by at least' },
    { offsets: [-2700, -2700], result: 'fail', text: 'Our clock is ahead by at least' },
    // One server's own clock is wrong.
    { offsets: [0, 86_400_000, 0], result: 'pass', text: 'by 2 of 3 servers' },
    { offsets: [], result: 'unknown', text: 'No server' },
  ])('servers that are $offsets ms off: $result', ({ offsets, result, text }) => {
    const readings = offsets.map((offsetMs) => reading({ offsetMs }));
    const [row] = clockRows(factsOf({ clock: { readings, isSynchronized: true, steppedMs: 0 } }));
    expect(row).toMatchObject({ result, text: expect.stringContaining(text) as string });
  });

  test.for([
    { isSynchronized: true, steppedMs: 7, said: ['pass', 'pass'] },
    { isSynchronized: false, steppedMs: 7, said: ['pass', 'fail'] },
    { isSynchronized: null, steppedMs: -7, said: ['pass', 'unknown'] },
    { isSynchronized: true, steppedMs: 1300, said: ['pass', 'pass', 'fail'] },
    { isSynchronized: true, steppedMs: -70, said: ['pass', 'pass', 'fail'] },
  ])('NTP $isSynchronized, stepped by $steppedMs ms: $said, and none decides', ({ said, ...clock }) => {
    const rows = clockRows(factsOf({ clock: { ...clock, readings: [reading()] } }));
    expect(rows.map(({ result }) => result)).toEqual(said);
    expect(rows.filter(({ result, decides }) => result !== 'pass' && decides)).toEqual([]);
  });
});

// ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────

describe('resolvers', () => {
  const none = { addresses: [], answers: [] };
  const rows: readonly {
    readonly way: ResolverFacts['way'];
    readonly said: DnsReply;
    readonly result: string;
    readonly text: string;
    readonly remedy: string | null;
  }[] = [
    { way: 'UDP', said: good, result: 'pass', text: 'has 1 address in 7 ms', remedy: null },
    { way: 'UDP', said: silent, result: 'fail', text: 'gave no answer: no answer', remedy: 'Check the address of vpc' },
    { way: 'TCP', said: silent, result: 'fail', text: 'asked by TCP', remedy: 'Let TCP to vpc through' },
    { way: 'TLS', said: silent, result: 'fail', text: 'asked by TLS', remedy: 'serverName' },
    { way: 'getaddrinfo', said: silent, result: 'fail', text: 'asked by getaddrinfo', remedy: '/etc/resolv.conf' },
    {
      way: 'UDP',
      said: { ...good, ...none, rcode: 'SERVFAIL', ede: 23 } as DnsReply,
      result: 'fail',
      text: 'SERVFAIL in 7 ms (EDE 22, no reachable authority)',
      remedy: 'dig +cd',
    },
    {
      way: 'UDP',
      said: { ...good, ...none, rcode: 'REFUSED', ede: 19 } as DnsReply,
      result: 'fail',
      text: 'REFUSED in 7 ms (EDE 18, prohibited)',
      remedy: 'vpc does not serve us',
    },
    {
      way: 'UDP',
      said: { ...good, ...none, rcode: 'NXDOMAIN' } as DnsReply,
      result: 'fail',
      text: 'NXDOMAIN',
      remedy: 'private zone',
    },
    { way: 'UDP', said: { ...good, ...none } as DnsReply, result: 'fail', text: 'no address', remedy: 'spelling' },
    { way: 'UDP', said: { ...good, ede: 4 } as DnsReply, result: 'pass', text: '(EDE 3, stale answer)', remedy: null },
    {
      way: 'UDP',
      said: { ...silent, reason: 'own-trouble', error: 'EMFILE' } as DnsReply,
      result: 'unknown',
      text: 'could not be asked: EMFILE',
      remedy: null,
    },
  ];
  test.for(rows)('$way: $result, $text', ({ way, said, result, text, remedy }) => {
    const [row] = resolverRows(factsOf({ resolvers: [{ resolver: 'vpc', way, hostname, reply: said }] }));
    expect(row).toMatchObject({ result, decides: true, text: expect.stringContaining(text) as string });
    if (remedy === null) expect(row?.remedy).toBeNull();
    else expect(row?.remedy).toContain(remedy);
  });
});

describe('authorities', () => {
  const lame = { ...good, authoritative: false } as DnsReply;

  /** `a UDP`: one answer each, in this order. */
  function rowsOf(replies: readonly (readonly [string, 'UDP' | 'TCP', DnsReply])[], error = '') {
    const servers = replies.map(([server, way, said]) => ({ server, way, reply: said }));
    return authorityRows(factsOf({ authorities: [{ hostname, error, servers }] })).map(
      ({ subject, result, decides }) => `${result}${decides ? '!' : ''} ${subject}`,
    );
  }

  test('each is a row for each way; one that is not reached decides nothing while another is', () => {
    const replies = [
      ['a:53', 'UDP', good],
      ['a:53', 'TCP', good],
      ['b:53', 'UDP', silent],
      ['b:53', 'TCP', silent],
    ] as const;
    expect(rowsOf(replies)).toEqual([
      `pass! a:53 UDP ${hostname}`,
      `pass! a:53 TCP ${hostname}`,
      `fail b:53 UDP ${hostname}`,
      `fail b:53 TCP ${hostname}`,
    ]);
  });

  test.for([
    { claim: 'none is reached over UDP', said: silent },
    { claim: 'none is authoritative', said: lame },
  ])('where $claim, nobody would see the change', ({ said }) => {
    const replies = [
      ['a:53', 'UDP', said],
      ['a:53', 'TCP', good],
    ] as const;
    expect(rowsOf(replies)[0]).toBe(`fail! ${hostname}`);
  });

  test('where none is found, that is said, with what to write instead', () => {
    expect(rowsOf([], 'no NS records found')).toEqual([`fail! ${hostname}`]);
    expect(rowsOf([])).toEqual([]);
  });
});

// ── machine ──────────────────────────────────────────────────────────────────────────────────────────────────────────

describe('the machine', () => {
  function row(topic: string, over: Partial<MachineFacts>, more?: string) {
    const rows = machineRows(factsOf({ ...(more === undefined ? {} : { more }), machine: { ...machine, ...over } }));
    return rows.find((one) => one.topic === topic);
  }
  const lanes = factsOf().lanes;
  const neededFiles = lanes.reduce((total, { inFlightMax }) => total + inFlightMax, 0) + 200;

  test.for([
    { openFileCountMax: neededFiles, result: 'pass' },
    { openFileCountMax: neededFiles - 1, result: 'fail' },
    { openFileCountMax: null, result: 'unknown' },
    { openFileCountMax: Infinity, result: 'pass' },
  ])('$openFileCountMax open files: $result', ({ openFileCountMax, result }) => {
    const found = row('open-files', { openFileCountMax });
    expect(found).toMatchObject({ result, decides: true });
    if (result === 'fail') expect(found?.remedy).toContain(`ulimit -n ${neededFiles} `);
  });

  test('ports are needed for a minute by what connects anew each time, and by what is under way', () => {
    const needed = lanes.reduce(
      (total, { archetype, ratePerSecond, inFlightMax }) =>
        total + inFlightMax + (archetype.connect.kind === 'new' ? ratePerSecond * 60 : 0),
      0,
    );
    expect(needed).toBeGreaterThan(120);
    expect(row('local-ports', { localPortCount: needed })?.result).toBe('pass');
    expect(row('local-ports', { localPortCount: needed - 1 })?.result).toBe('fail');
    expect(row('local-ports', { localPortCount: null })?.result).toBe('unknown');
  });

  test.for([
    { processorCount: 2, ratePerThread: 5000, result: 'pass', decides: true },
    { processorCount: 1, ratePerThread: 5000, result: 'fail', decides: false },
    { processorCount: 2, ratePerThread: 3, result: 'fail', decides: true },
  ])('$processorCount processors at $ratePerThread/s each: $result', ({ result, decides, ...over }) => {
    expect(row('processors', over)).toMatchObject({ result, decides });
  });

  test('the disk holds every row of the longest run twice', () => {
    const change = 'change: { ttlS: 60, baselineS: 60, waitS: 86400, tailS: 86400 }';
    const rate = lanes.reduce((total, { ratePerSecond }) => total + ratePerSecond, 0);
    const needed = rate * (2 * 86_400 + 60) * 60 * 2;
    expect(row('disk', { freeBytes: needed }, change)?.result).toBe('fail');
    expect(row('disk', { freeBytes: needed + 900 * rate * 120 + 65 * 1024 * 1024 }, change)?.result).toBe('pass');
    expect(row('disk', { freeBytes: null }, change)?.result).toBe('unknown');
  });

  test.for([
    { addresses: [oldAddress], ipv6: 'none', result: undefined },
    { addresses: ['2001:db8::7'], ipv6: 'none', result: 'fail' },
    { addresses: ['2001:db8::7'], ipv6: 'loopback', result: 'fail' },
    { addresses: ['2001:db8::7'], ipv6: 'global', result: 'pass' },
    { addresses: ['::1'], ipv6: 'loopback', result: 'pass' },
  ] as const)('sides at $addresses, a machine with IPv6 $ipv6: $result', ({ addresses, ipv6, result }) => {
    const sides = `sides: { old: { addresses: ${JSON.stringify(addresses)} }, new: { addresses: ["${newAddress}"] } }`;
    const rows = machineRows(factsOf({ scenario: scenarioOf('', sides), machine: { ...machine, ipv6 } }));
    const found = rows.find(({ topic }) => topic === 'ipv6');
    expect(found?.result).toBe(result);
    if (result === 'fail') expect(found?.decides).toBe(false);
  });

  test('no priority and a proxy are told, and decide nothing', () => {
    const facts = factsOf({ machine: { ...machine, mayRaisePriority: false }, proxyVariables: ['HTTPS_PROXY'] });
    const rows = machineRows(facts).filter(({ result }) => result !== 'pass');
    expect(rows.map(({ topic, decides }) => [topic, decides])).toEqual([
      ['priority', false],
      ['proxy', false],
    ]);
  });
});

// ── the whole ────────────────────────────────────────────────────────────────────────────────────────────────────────

describe('a diagnosis', () => {
  const broken = factsOf({
    machine: { ...machine, openFileCountMax: 64 },
    resolvers: [
      { resolver: 'vpc', way: 'UDP', hostname, reply: good },
      { resolver: 'vpc', way: 'TCP', hostname, reply: silent },
    ],
    proxyVariables: ['HTTPS_PROXY'],
  });

  test.for([
    { facts: factsOf(), fit: 'yes', exit: 0, head: 'FIT FOR A RUN' },
    { facts: broken, fit: 'no', exit: 3, head: 'NOT FIT: 2 things to mend' },
    {
      facts: factsOf({ machine: { ...machine, freeBytes: null } }),
      fit: 'unknown',
      exit: 4,
      head: 'NOT KNOWN: 1 thing could not be found out',
    },
    { facts: factsOf({ proxyVariables: ['HTTPS_PROXY'] }), fit: 'yes', exit: 0, head: 'FIT FOR A RUN' },
  ])('is $fit, exit $exit', ({ facts, fit, exit, head }) => {
    const found = diagnose(facts);
    expect(found.fit).toBe(fit);
    expect(exitCodeOfDiagnosis(found)).toBe(exit);
    expect(diagnosisText(found).split('\n')[0]).toBe(head);
  });

  test('begins with what to do, then shows what fails before what is only told, and what passes last', () => {
    const text = diagnosisText(diagnose(broken), { columns: 100 });
    expect(text).toMatchInlineSnapshot(`
      "NOT FIT: 2 things to mend
      checks, as of 2026-11-24 08:30:00 UTC

      To do, in this order:
        1. Let TCP to vpc through, too: long answers come only so, and a run takes their lack for a
           failure.
        2. ulimit -n 356 in the shell that starts the run (or LimitNOFILE of its unit).

        FAIL  resolvers     vpc, asked by TCP for orders.shop.test, gave no answer: no answer.
        FAIL  open files    Only 64 files may be open, and 6 lanes may need 356 when all hang.
        warn  proxies       HTTPS_PROXY set, and not used: probes and questions go out directly. Nothing
                            where the direct way is open; else watch from a machine outside of the proxy.
        pass  resolvers     1 of 2: vpc UDP orders.shop.test
        pass  local ports   There are 28,232, and connections to orders.shop.test:443 may need 636.
        pass  processors    There are 2 processors for 12 probes/s.
        pass  disk          953,674 MiB are free in reports/, and the longest run may need 72 MiB.
        pass  priority      Probing threads may go ahead of other processes.
        pass  clock         2 of 2: offset and NTP"
    `);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test('as JSON has every row and what to do', () => {
    const json = JSON.parse(diagnosisJson(diagnose(broken))) as Readonly<Record<string, unknown>>;
    expect(Object.keys(json)).toEqual(['schemaVersion', 'scenario', 'at', 'fit', 'toDo', 'checks']);
    expect(json).toMatchObject({ schemaVersion: 1, fit: 'no', at: '2026-11-24T08:30:00.000Z' });
    expect((json['checks'] as readonly unknown[]).length).toBe(diagnose(broken).rows.length);
  });

  test('says of no control character what a server said', () => {
    const evil = { ...silent, error: 'a\u001b[31mred' } as DnsReply;
    const found = diagnose(factsOf({ resolvers: [{ resolver: 'vpc', way: 'UDP', hostname, reply: evil }] }));
    const text = diagnosisText(found, { plain: (said) => said.replaceAll('\u001b', '�') });
    expect(text).not.toContain('\u001b');
  });
});
