import { describe, expect, test } from 'vitest';
import type { SafetyAdvice, ServiceAnalysis } from '../../src/core/analysis.ts';
import type { Entry, EntryOf } from '../../src/core/entry.ts';
import { outcomeNumber } from '../../src/core/outcome.ts';
import type { DnsRecord } from '../../src/core/ports.ts';
import type { ChangeSpec, Scenario } from '../../src/core/scenario.ts';
import { nsPerS, sToNs } from '../../src/core/time.ts';
import {
  analysisOf,
  authority,
  hostname,
  keepAliveClient,
  mark,
  newAddress,
  oldAddress,
  sideAnswered,
  type LaneLog,
  type Log,
} from './kit.ts';

const [ns1, ns2] = ['127.0.0.1:53', '127.0.0.2:53'] as const;

interface Served {
  readonly server?: string;
  readonly ttlS?: number;
  readonly addresses?: readonly string[];
  readonly name?: string;
  readonly records?: readonly DnsRecord[];
  readonly chain?: readonly string[];
}

/** With its records, as a real one has them. */
function served(atS: number, says: Served = {}): EntryOf<'dns-answered'> {
  const { server = ns1, ttlS = 5, addresses = [oldAddress], name = hostname, chain = [] } = says;
  const entry = authority(atS, addresses, { server, ttlS, name, isFirst: atS === 0 }) as EntryOf<'dns-answered'>;
  const records = says.records ?? addresses.map((data) => ({ name, type: 'A', ttlS, data }));
  return { ...entry, reply: { ...entry.reply, answers: records, chain } as typeof entry.reply };
}

function failed(atS: number, server: string): EntryOf<'dns-answered'> {
  return authority(atS, null, { server }) as EntryOf<'dns-answered'>;
}

function changed(change: Partial<ChangeSpec>): (scenario: Scenario) => Scenario {
  return (scenario) => ({
    ...scenario,
    change: { ...scenario.change, ttlS: 5, ttlBeforeS: 5, ...change },
  });
}

/** Slots up to 90 s, the switch at 71 s. */
const seconds = 90;
const well = '.'.repeat(seconds);
const onNew = `${'o'.repeat(74)}n`;
const fresh: LaneLog = { slots: well, at: onNew };
const sideOld: LaneLog = { slots: well, role: 'side', client: 'side:old', address: oldAddress, at: 'o' };
const sideNew: LaneLog = { slots: well, role: 'side', client: 'side:new', address: newAddress, at: 'n' };
const low = [served(0), served(0, { server: ns2 }), served(72, { addresses: [newAddress] })];

interface Case {
  readonly lanes?: readonly LaneLog[];
  readonly entries?: readonly Entry[];
  readonly change?: Partial<ChangeSpec>;
  readonly log?: Partial<Log>;
}

function adviceFor({ lanes = [fresh, sideOld, sideNew], entries = low, change = {}, log = {} }: Case): SafetyAdvice {
  const analysis = analysisOf({ lanes, entries: [...entries, mark(71)], scenario: changed(change), ...log });
  return (analysis.services[0] as ServiceAnalysis).safeToSwitch;
}

test('with nothing against it, it is safe, and what speaks for it is said', () => {
  expect(adviceFor({})).toEqual({
    safe: 'yes',
    atNs: sToNs(0.01),
    because: [
      'All 2 name servers of orders.shop.example agree and serve it for 5 s.',
      'What was served before for orders.shop.example had left every cache that obeys.',
      'No watched resolver held orders.shop.example for longer.',
      'Each address of new answers well by itself.',
      'The sides are told apart (71 answers of old, 71 of new).',
    ],
    besides: [],
  });
});

const high = (toS: number, ttlS = 37): readonly Entry[] => [
  served(0, { ttlS }),
  { ...served(toS), previousSentAtNs: sToNs(toS - 1) },
  served(0, { server: ns2 }),
  served(72, { addresses: [newAddress] }),
];

describe('each fault by itself is the reason', () => {
  test.for<Case & { fault: string; safe: SafetyAdvice['safe']; atS?: number; because: RegExp }>([
    {
      fault: 'no name server was asked',
      entries: [],
      safe: 'unknown',
      because: /^No authoritative server of orders\.shop\.example was asked/,
    },
    {
      fault: 'one does not answer any more',
      entries: [...low, failed(70, ns2)],
      safe: 'unknown',
      because: /^127\.0\.0\.2:53 gives no answer \(timed-out\) for orders/,
    },
    {
      fault: 'one answers without authority',
      entries: [...low, withReply(served(70, { server: ns2 }), { authoritative: false })],
      safe: 'unknown',
      because: /^127\.0\.0\.2:53 answers without authority/,
    },
    {
      fault: 'one refuses',
      entries: [...low, withReply(served(70, { server: ns2 }), { rcode: 'REFUSED' })],
      safe: 'unknown',
      because: /^127\.0\.0\.2:53 says REFUSED/,
    },
    {
      fault: 'one has no address for it',
      entries: [...low, withReply(served(70, { server: ns2, addresses: [] }), { rcode: 'NXDOMAIN' })],
      safe: 'no',
      because: /^127\.0\.0\.2:53 says that orders\.shop\.example has no address\.$/,
    },
    {
      fault: 'they do not agree on the side',
      entries: [served(0), served(0, { server: ns2, addresses: [newAddress] })],
      safe: 'no',
      because: /do not agree: it leads to both sides\.$/,
    },
    {
      fault: 'one still serves a long TTL',
      entries: [served(0), served(0, { server: ns2, ttlS: 300 })],
      safe: 'no',
      because: /^127\.0\.0\.2:53 serves orders\.shop\.example A with TTL 300 s: lower it to 5 s or less/,
    },
    {
      fault: 'an alias in the chain has a long TTL, though the whole lives shortly',
      entries: [
        served(0, {
          ttlS: 5,
          chain: ['shop.other.example'],
          records: [
            { name: hostname, type: 'CNAME', ttlS: 300, data: 'shop.other.example' },
            { name: 'shop.other.example', type: 'A', ttlS: 5, data: oldAddress },
          ],
        }),
      ],
      safe: 'no',
      because: /serves orders\.shop\.example CNAME with TTL 300 s/,
    },
    {
      fault: 'the old TTL may still be kept, as the run saw it lowered',
      entries: high(45),
      safe: 'no',
      atS: 45.01 + 37 + 1,
      because: /^Caches may keep what was served .* with TTL 37 s until .*, for 12\.1 s more\.$/,
    },
    {
      fault: 'the old TTL may still be kept, as the scenario says',
      change: { ttlBeforeS: 300, ttlLoweredAt: '2026-11-20T09:57:00.000Z' },
      safe: 'no',
      atS: -180 + 300 + 2,
      because: /with TTL 300 s until 2026-11-20T10:02:02\.000Z/,
    },
    {
      fault: 'nobody knows what was served before',
      change: { ttlBeforeS: null },
      safe: 'unknown',
      because: /^Nothing is known of the TTL .*\. Say change\.ttlBeforeS and change\.ttlLoweredAt\.$/,
    },
    {
      fault: 'a resolver still has it for longer',
      entries: high(45),
      lanes: [{ ...fresh, rows: countsDown(37, 45) }, sideOld, sideNew],
      safe: 'no',
      atS: 83.01,
      because: /^vpc still held orders\.shop\.example for 10 s, until|^Caches may keep/,
    },
    {
      fault: 'a resolver says that there is none',
      lanes: [
        {
          ...fresh,
          rows: (slot) =>
            slot > 66 && slot < 72
              ? { answer: 4, address: 0, outcome: outcomeNumber['dns-nxdomain'], resolvedUs: 300 }
              : {},
        },
        sideOld,
        sideNew,
      ],
      log: { definitions: [denial(4, 'NXDOMAIN')] },
      safe: 'no',
      because: /^vpc remembers that orders\.shop\.example has no address\.$/,
    },
    {
      fault: 'a resolver does not answer',
      lanes: [
        {
          ...fresh,
          rows: (slot) =>
            slot > 55 && slot < 72
              ? { answer: 4, address: 0, outcome: outcomeNumber['dns-nxdomain'], resolvedUs: 300 }
              : {},
        },
        sideOld,
        sideNew,
      ],
      log: { definitions: [denial(4, 'SERVFAIL')] },
      safe: 'unknown',
      because: /^vpc did not answer for orders\.shop\.example in the last 10 s\.$/,
    },
    {
      fault: 'nobody asks the new side',
      lanes: [fresh, sideOld],
      safe: 'unknown',
      because: /^Nothing asked new itself|71 answers of old, 0 of new/,
    },
    {
      fault: 'an address of the new side fails',
      lanes: [fresh, sideOld, { ...sideNew, slots: `${'.'.repeat(60)}5${'.'.repeat(29)}` }],
      safe: 'no',
      because: /^new at 127\.0\.2\.1 failed 1 probe of 60 in the last 60 s\.$/,
    },
    {
      fault: 'an address of the new side is too slow',
      lanes: [fresh, sideOld, { ...sideNew, slots: `${'.'.repeat(40)}${'s'.repeat(50)}` }],
      safe: 'no',
      because: /^new at 127\.0\.2\.1 is too slow: 31 of 60 probes/,
    },
    {
      fault: 'an address of the new side refuses the prober',
      lanes: [fresh, sideOld, { ...sideNew, slots: `${'.'.repeat(60)}4${'.'.repeat(29)}` }],
      safe: 'unknown',
      because: /^new at 127\.0\.2\.1 refuses the prober/,
    },
    {
      fault: 'the new side was hardly asked',
      lanes: [
        fresh,
        sideOld,
        sideNew,
        { ...sideNew, slots: `${'_'.repeat(65)}${'.'.repeat(25)}`, address: '127.0.2.9', at: '0' },
      ],
      log: { addresses: ['127.0.2.9'] },
      safe: 'unknown',
      because: /^new at 127\.0\.2\.9 was good 6 times in the last 60 s: too few to know\.$/,
    },
    {
      fault: 'an answer of the new side says that it is the old one',
      lanes: [fresh, sideOld, { ...sideNew, at: 'no'.repeat(20) + 'n' }],
      safe: 'no',
      because:
        /^Address, certificate and marker do not always tell the sides apart: not 20 of 71 answers of old, 71 of new\.$/,
    },
    {
      fault: 'too few answers of the old side were seen',
      lanes: [fresh, { ...sideOld, slots: `${'_'.repeat(40)}${'.'.repeat(50)}` }, sideNew],
      safe: 'unknown',
      because: /^Too few answers to know what tells the sides apart: 31 answers of old, 71 of new, of 50 each\.$/,
    },
    {
      fault: 'a client is not warm',
      lanes: [
        fresh,
        sideOld,
        sideNew,
        { ...fresh, slots: `${'_'.repeat(17)}${'.'.repeat(73)}`, client: 'keep-alive', archetype: keepAliveClient },
      ],
      safe: 'no',
      atS: 77,
      because: /^keep-alive had kept answers or connections for less than 60 s/,
    },
    {
      fault: 'no client was well',
      lanes: [{ ...fresh, slots: `${'.........x'.repeat(8)}${'.'.repeat(10)}` }, sideOld, sideNew],
      safe: 'no',
      because: /^No judged client of orders was good ten times in a row\.$/,
    },
    {
      fault: 'the only judged client fails before the switch',
      lanes: [{ ...fresh, slots: `${'.'.repeat(31)}${'x'.repeat(40)}${'.'.repeat(19)}` }, sideOld, sideNew],
      safe: 'no',
      because: /^No judged client of orders was good in the last 30 s\.$/,
    },
    {
      fault: 'the log lost something',
      lanes: [{ ...fresh, extra: [{ slot: 7, lane: 9, endedUs: 1 }] }, sideOld, sideNew],
      safe: 'unknown',
      because: /^The log is not whole\. 1 row/,
    },
    {
      fault: 'a resolver holds it for longer than what the scenario says was served before',
      lanes: [{ ...fresh, rows: (slot) => ({ answerTtlS: slot < 74 ? 5000 - slot : 5 }) }, sideOld, sideNew],
      safe: 'no',
      atS: 5000 - 5,
      because: /^vpc held orders\.shop\.example for .*, more than a TTL of 5 s before can have left/,
    },
  ])('$fault', ({ safe, atS, because, ...one }) => {
    const advice = adviceFor(one);
    expect(advice.safe).toBe(safe);
    expect(advice.because.filter((text) => !because.test(text))).toEqual([]);
    expect(advice.because.length).toBeGreaterThan(0);
    if (atS === undefined) expect(advice.atNs).toBe(null);
    else expect((advice.atNs ?? 0) / nsPerS).toBeCloseTo(atS, 2);
  });
});

/** The TTL as a cache shows it that fetched the last entry with the long one at `lastS`; the short one afterwards. */
function countsDown(ttlS: number, lastS: number): NonNullable<LaneLog['rows']> {
  return (slot) => {
    const endS = slot <= lastS ? Math.ceil((slot + 1) / ttlS) * ttlS : 81;
    return { answerTtlS: slot > 81 ? 5 : Math.max(1, Math.min(ttlS, endS - slot)) };
  };
}

function denial(number: number, rcode: string): NonNullable<Log['definitions']>[number] {
  return {
    kind: 'answer',
    number,
    value: { server: 'vpc', name: hostname, rcode, ede: 0, authoritative: false, chain: [], addresses: [] },
  };
}

function withReply(entry: EntryOf<'dns-answered'>, reply: Record<string, unknown>): Entry {
  return { ...entry, reply: { ...entry.reply, ...reply } as typeof entry.reply };
}

test('a resolver that raises TTLs is named, and is no reason to wait once the old TTL has aged out', () => {
  const raised = { ...fresh, rows: (slot: number) => ({ answerTtlS: 41 - (slot % 41) }) };
  const advice = adviceFor({ lanes: [raised, sideOld, sideNew] });
  expect(advice.safe).toBe('yes');
  expect(advice.besides[0]).toMatch(
    /^vpc held orders\.shop\.example for 1[12](\.\d)? s more although nothing above 5 s/,
  );
});

test('a load balancer that is pointed at by an alias cannot have another TTL than 60 s', () => {
  const dns: Scenario['sides']['old']['addresses'] = [{ kind: 'name', name: 'old.elb.example' }];
  const scenario = (one: Scenario): Scenario => ({
    ...changed({ ttlS: 30, ttlBeforeS: 60, ttlLoweredAt: '2026-11-20T09:00:00.000Z' })(one),
    sides: { ...one.sides, old: { ...one.sides.old, addresses: [...one.sides.old.addresses, ...dns] } },
  });
  const entries = [served(0, { ttlS: 60 }), sideAnswered(0, 'old', [oldAddress])];
  expect(adviceFor({ entries, log: { scenario } }).safe).toBe('yes');
  expect(adviceFor({ entries: entries.slice(0, 1), log: { scenario } }).because[0]).toMatch(
    /TTL 60 s: lower it to 30 s/,
  );
});

test('where the scenario lists servers of several zones, one that refuses has other ones', () => {
  const given: Entry = {
    type: 'authorities-found',
    atNs: 0,
    name: hostname,
    zone: '',
    servers: [ns1, ns2],
    found: 'given',
    error: '',
  };
  const entries = [served(0), withReply(served(0, { server: ns2, addresses: [] }), { rcode: 'REFUSED' })];
  expect(adviceFor({ entries }).safe).toBe('unknown');
  expect(adviceFor({ entries: [given, ...entries] }).safe).toBe('yes');
});

test('what happens after the switch does not change whether it was safe before it', () => {
  const worse = adviceFor({
    lanes: [fresh, sideOld, { ...sideNew, slots: `${'.'.repeat(73)}${'5'.repeat(17)}` }],
    entries: [...low, served(80, { server: ns2, ttlS: 300 }), failed(85, ns1)],
  });
  expect(worse).toEqual(adviceFor({}));
});

test('before a change it is as of the last that was seen', () => {
  const advice = (toS: number): SafetyAdvice => {
    const cut = (lane: LaneLog): LaneLog => ({
      ...lane,
      slots: lane.slots.slice(0, toS),
      at: lane.at?.slice(0, 1) ?? '',
    });
    const analysis = analysisOf({
      lanes: [fresh, sideOld, sideNew].map(cut),
      entries: high(45).slice(0, 3),
      scenario: changed({}),
    });
    return (analysis.services[0] as ServiceAnalysis).safeToSwitch;
  };
  expect(advice(40).because[0]).toMatch(/^127\.0\.0\.1:53 serves orders\.shop\.example A with TTL 37 s/);
  expect(advice(82)).toMatchObject({ safe: 'no', atNs: sToNs(83.01) });
  expect(advice(84)).toMatchObject({ safe: 'yes', atNs: sToNs(83.01) });
});

test('where no record changes, none is looked at', () => {
  expect(adviceFor({ entries: [], change: { via: 'cdn' } }).safe).toBe('yes');
});

test('on the way back it is the old side that must be well', () => {
  const back: Case = {
    change: { direction: 'new-to-old' },
    entries: [served(0, { addresses: [newAddress] }), served(72)],
    lanes: [{ ...fresh, at: `${'n'.repeat(74)}o` }, sideOld, { ...sideNew, slots: '5'.repeat(90) }],
  };
  expect(adviceFor({ ...back, lanes: [back.lanes?.[0] as LaneLog, sideOld, sideNew] }).safe).toBe('yes');
  const ill = adviceFor({
    ...back,
    lanes: [back.lanes?.[0] as LaneLog, { ...sideOld, slots: '5'.repeat(90) }, sideNew],
  });
  expect(ill.because[0]).toMatch(/^old at 127\.0\.1\.1 failed/);
});
