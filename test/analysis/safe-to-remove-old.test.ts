import { describe, expect, test } from 'vitest';
import type { OldAnswers, SafetyAdvice, ServiceAnalysis } from '../../src/core/analysis.ts';
import type { Entry, EntryOf } from '../../src/core/entry.ts';
import { outcomeNumber } from '../../src/core/outcome.ts';
import type { Archetype } from '../../src/core/scenario.ts';
import { nsPerS, sToNs } from '../../src/core/time.ts';
import {
  analysisOf,
  authority,
  freshClient,
  hostname,
  jvmForever,
  keepAliveClient,
  mark,
  newAddress,
  oldAddress,
  type LaneLog,
  type Log,
} from './kit.ts';

const ns2 = '127.0.0.2:53';
/** The last name server follows at 20.01 s, TTL 5 s; watched for 60 s. */
const switched: readonly Entry[] = [
  authority(0, [oldAddress], { isFirst: true }),
  authority(0, [oldAddress], { server: ns2, isFirst: true }),
  authority(19, [newAddress]),
  authority(20, [newAddress], { server: ns2 }),
];
const seconds = 60;
const well = '.'.repeat(seconds);
/** The last slot on the old side is number 22. */
const moves: LaneLog = { slots: well, at: `${'o'.repeat(23)}n` };
const stays: LaneLog = { slots: well, at: 'o' };

interface Case {
  readonly lanes?: readonly LaneLog[];
  readonly entries?: readonly Entry[];
  readonly log?: Partial<Log>;
}

function serviceFor({ lanes = [moves], entries = switched, log = {} }: Case): ServiceAnalysis {
  return analysisOf({ lanes, entries, ...log }).services[0] as ServiceAnalysis;
}

function adviceFor(one: Case): SafetyAdvice {
  return serviceFor(one).safeToRemoveOld;
}

/** A client that resolves or connects in its own way. */
function client(name: string, own: Partial<Archetype>): LaneLog {
  return { ...moves, client: name, archetype: { ...freshClient, ...own } };
}

test('once everything watched has left, it may go from the last instant at which something could lead there', () => {
  expect(serviceFor({}).safeToRemoveOld).toEqual({
    // The record until 25.01 s; what the resolver gave at 22 s for 5 s, 1.25 s of slack; a second for whoever shares a poll.
    safe: 'yes',
    atNs: sToNs(22.0003 + 5 + 1.25 + 1),
    because: ['Every watched name server, resolver and client has left old, and what they may keep has ended.'],
    besides: [
      "Our resolvers are a sample of the world's, and what real traffic still reaches old was not looked at: ask its own log before it goes.",
    ],
    side: 'old',
  });
});

/** When a cache gives it though none should be left. */
const lateSlots: ReadonlySet<number> = new Set([30, 38, 45, 52, 57]);
const ledBackAt = Array.from(well, (_, slot) => (slot < 23 || lateSlots.has(slot) ? 'o' : 'n')).join('');

function replying(entry: Entry, reply: Record<string, unknown>): Entry {
  const answered = entry as EntryOf<'dns-answered'>;
  return { ...answered, reply: { ...answered.reply, ...reply } as typeof answered.reply };
}

function hinting(atS: number): Entry {
  const data = `1 . alpn=h2 ipv4hint=${oldAddress}`;
  const answers = [{ name: hostname, type: 'HTTPS', ttlS: 300, data }];
  const entry = replying(authority(atS, [], { isFirst: atS === 0 }), { answers, ttlS: 300 });
  return { ...(entry as EntryOf<'dns-answered'>), question: 'HTTPS' };
}

function ipv6(atS: number): Entry {
  const entry = authority(atS, ['2001:db8::1'], { isFirst: atS === 0 }) as EntryOf<'dns-answered'>;
  return { ...entry, question: 'AAAA' };
}

describe('each thing that may still lead there is the reason', () => {
  test.for<Case & { what: string; safe: SafetyAdvice['safe']; atS?: number; because: RegExp }>([
    {
      what: 'no change',
      entries: [],
      lanes: [stays],
      safe: 'unknown',
      because: /^No change of orders was seen/,
    },
    {
      what: 'a mark that nothing confirms',
      entries: [mark(20)],
      lanes: [stays],
      safe: 'no',
      because:
        /^orders fresh via vpc was still on old|^vpc was not seen to follow|^Neither DNS nor an answer|^No name server was heard|^Of the tail/,
    },
    {
      what: 'name servers that nobody heard',
      entries: [mark(20)],
      safe: 'unknown',
      because: /^No name server was heard to leave old/,
    },
    {
      what: 'a name server that still names it',
      entries: switched.slice(0, 3),
      safe: 'no',
      because: /^127\.0\.0\.2:53 still names old\.$|^No TTL is known|^Of the tail/,
    },
    {
      what: 'a name server that is silent since it named it',
      entries: [...switched.slice(0, 3), authority(21, null, { server: ns2 })],
      safe: 'unknown',
      because: /^127\.0\.0\.2:53 did not answer when last asked: resolvers may still hear old from there\.$/,
    },
    {
      what: 'a name server that never answered',
      entries: [...switched, authority(0, null, { server: '127.0.0.3:53', isFirst: true })],
      safe: 'unknown',
      because: /^127\.0\.0\.3:53 did not answer when last asked/,
    },
    {
      what: 'everything is back again, and not yet for good',
      entries: [...switched, authority(55, [oldAddress]), authority(55, [oldAddress], { server: ns2 })],
      safe: 'no',
      because: /^Every name server leads back to old\.$|still name old|^Not every name server|^No TTL|^Of the tail/,
    },
    {
      what: 'a resolver whose last answer named it',
      lanes: [moves, { ...stays, judged: false, client: 'probe', staggerNs: 500_000_000 }],
      safe: 'no',
      because:
        /^vpc was not seen to follow for orders\.shop\.example: its last answer named old, at 2026-11-20T10:00:59\.500Z\.$|^orders fresh via vpc may keep/,
    },
    {
      what: 'an answer with a long life, given late',
      lanes: [{ ...moves, rows: (slot) => (slot === 22 ? { answerTtlS: 60 } : {}) }],
      safe: 'no',
      atS: 22.0003 + 60 + 1.25 + 1,
      because: /^What vpc gave for orders\.shop\.example may be kept until|^orders fresh via vpc may keep an answer/,
    },
    {
      what: 'a client with a cache of its own that may still have it',
      lanes: [moves, client('jvm-90', { resolve: { kind: 'fixed', s: 90, graceS: 0 } })],
      log: { scenario: withClient('jvm-90', { resolve: { kind: 'fixed', s: 90, graceS: 0 } }) },
      safe: 'no',
      atS: 22.0003 + 5 + 1.25 + 90 + 1,
      because: /^orders jvm-90 via vpc may keep an answer of old until|^Caches may lead to old until/,
    },
    {
      what: 'a kept connection that only the server ends',
      lanes: [moves, { ...stays, client: 'keep-alive', archetype: keepAliveClient, rows: kept }],
      safe: 'no',
      because:
        /^orders keep-alive via vpc was still on old at 2026-11-20T10:00:59\.000Z by a connection opened 59 s before; it leaves not before the server closes its connection\.$/,
    },
    {
      what: 'a kept connection that must end',
      lanes: [
        moves,
        {
          ...stays,
          client: 'pool',
          archetype: { ...freshClient, connect: { kind: 'keep-alive', idleS: 90, maxAgeS: 120, maxRequests: 0 } },
          rows: kept,
        },
      ],
      safe: 'no',
      atS: 22.0003 + 5 + 1.25 + 120 + 1,
      because:
        /^orders pool via vpc was still on old .* by a connection opened 59 s before; it must have left by|^Caches may lead to old until/,
    },
    {
      what: 'a client that stayed though it should have left',
      lanes: [moves, { ...stays, client: 'late', resolver: null }],
      safe: 'no',
      because:
        /^orders late was still on old at .*, although it should have left by 2026-11-20T10:00:26\.010Z\.$|^Of the tail/,
    },
    {
      what: 'a client that may have left a connection idle: the one in use as it opened the next',
      lanes: [
        moves,
        {
          ...moves,
          client: 'keep-alive',
          archetype: keepAliveClient,
          latencyMs: (slot) => (slot === 22 ? 1700 : 5),
          rows: (slot) => (slot === 23 ? {} : { connectionAgeMs: slot * 1000 }),
        },
      ],
      safe: 'no',
      atS: 23.7003 + 90,
      because: /^orders keep-alive via vpc may keep an idle connection to old until/,
    },
    {
      what: 'a client that was never seen on the other side',
      lanes: [moves, { slots: well, client: 'odd', at: '0' }],
      log: { addresses: ['10.9.9.9'] },
      safe: 'unknown',
      because: /^orders odd via vpc was seen on neither side\.$/,
    },
    {
      what: 'a client whose last answers are of nobody',
      lanes: [moves, { ...moves, client: 'odd', at: `${'o'.repeat(23)}${'n'.repeat(20)}0` }],
      log: { addresses: ['10.9.9.9'] },
      safe: 'unknown',
      because: /^The side of the last answers of orders odd via vpc is not known\.$/,
    },
    {
      what: 'the other side failing at the end',
      lanes: [moves, { ...moves, client: 'b', slots: `${'.'.repeat(50)}${'x'.repeat(10)}` }],
      safe: 'no',
      because: /^orders b via vpc failed when last seen: old is the way back\.$/,
    },
    {
      what: 'a tail that was not watched whole',
      log: { scenario: (one) => ({ ...one, change: { ...one.change, tailS: 40 } }) },
      safe: 'unknown',
      because: /^Of the tail of 40 s only 37 s were watched\.$/,
    },
    ...(['REFUSED', 'SERVFAIL', 'NXDOMAIN'] as const).map((rcode) => ({
      what: `a name server that says ${rcode} since it named it`,
      entries: [
        ...switched.slice(0, 3),
        replying(authority(21, [], { server: ns2 }), { rcode, authoritative: rcode === 'NXDOMAIN' }),
      ],
      safe: 'unknown' as const,
      because: /^127\.0\.0\.2:53 named old and then gave no address: resolvers may still hear old from there\.$/,
    })),
    {
      what: 'a cache that gives it now and then, long after its end',
      lanes: [
        moves,
        { ...moves, client: 'b', at: ledBackAt, rows: (slot) => (lateSlots.has(slot) ? { answerTtlS: 0 } : {}) },
      ],
      safe: 'no',
      atS: 57.0003 + 10,
      because:
        /^vpc gave an answer of old for orders\.shop\.example at 2026-11-20T10:00:57\.000Z, when none should have/,
    },
    {
      what: 'an HTTPS record that hints at it',
      entries: [...switched, hinting(0), hinting(50)],
      safe: 'no',
      because: /^The HTTPS record of orders\.shop\.example at 127\.0\.0\.1:53 still hints at old\.$/,
    },
    {
      what: 'IPv6 addresses of neither side',
      entries: [...switched, ipv6(0), ipv6(50)],
      safe: 'unknown',
      because: /^127\.0\.0\.1:53 gives orders\.shop\.example IPv6 addresses of neither side \(2001:db8::1\)\.$/,
    },
    {
      what: 'the other side failing every second time, and good at last',
      lanes: [{ ...moves, slots: `${'.'.repeat(30)}${'x.'.repeat(15)}` }],
      safe: 'no',
      because: /^orders fresh via vpc failed 15 of its last 37 times: old is the way back\.$/,
    },
    {
      what: 'the other side, asked by itself, failing for its last 30 s',
      lanes: [
        moves,
        {
          slots: `${'.'.repeat(30)}${'x'.repeat(30)}`,
          role: 'side',
          client: 'side:new',
          address: newAddress,
          at: 'n',
        },
      ],
      safe: 'no',
      because: /^127\.0\.2\.1 of the other side failed for the last 30 s: old is the way back\.$/,
    },
    {
      what: 'no client that is judged',
      lanes: [{ ...moves, client: 'jvm-forever', archetype: jvmForever, judged: false }],
      safe: 'unknown',
      because: /^No judged client of orders was good ten times in a row\.$/,
    },
    ...[...'?!4_'].map((unseen) => ({
      what: `a tail of which nobody saw more than its beginning: ${unseen}`,
      lanes: [{ ...moves, slots: `${'.'.repeat(26)}${unseen.repeat(34)}` }],
      safe: 'unknown' as const,
      because: /^Of the tail of 10 s only 3 s were watched\.$/,
    })),
    {
      what: 'a log that lost something',
      lanes: [{ ...moves, extra: [{ slot: 7, lane: 9, endedUs: 1 }] }],
      safe: 'unknown',
      because: /^The log is not whole\./,
    },
    {
      what: 'weights, which move a share',
      log: { scenario: (one) => ({ ...one, change: { ...one.change, via: 'weights' } }) },
      safe: 'unknown',
      because: /^Weights send a share of users, and a small one may still go to old unseen/,
    },
    {
      what: 'a deployment, which moves nobody',
      entries: [mark(20)],
      log: { scenario: (one) => ({ ...one, change: { ...one.change, via: 'deploy' } }), mode: 'deploy' },
      safe: 'unknown',
      because: /^A deployment moves nobody/,
    },
  ])('$what', ({ safe, atS, because, ...one }) => {
    const advice = adviceFor(one);
    expect(advice.safe).toBe(safe);
    expect(advice.because.filter((text) => !because.test(text))).toEqual([]);
    expect(advice.because[0]).toMatch(because);
    if (atS === undefined) expect(advice.atNs).toBe(null);
    else expect((advice.atNs ?? 0) / nsPerS).toBeCloseTo(atS, 2);
  });
});

function kept(slot: number): { readonly connectionAgeMs: number } {
  return { connectionAgeMs: slot * 1000 };
}

function withClient(name: string, own: Partial<Archetype>): NonNullable<Log['scenario']> {
  return (one) => ({
    ...one,
    clients: [...one.clients, { name, weightRatio: 1, archetype: { ...freshClient, ...own } }],
  });
}

test('a client that opens a connection has none left that is idle', () => {
  const rows = (slot: number): object => (slot === 23 ? {} : { connectionAgeMs: slot * 1000 });
  const advice = adviceFor({ lanes: [moves, { ...moves, client: 'keep-alive', archetype: keepAliveClient, rows }] });
  expect(advice.safe).toBe('yes');
});

test('clients that never leave by construction are named, and do not decide', () => {
  const forEver = { ...stays, client: 'jvm-forever', archetype: jvmForever, judged: false };
  // Its one answer is of the beginning.
  const rows = (slot: number): object => ({ answerAgeMs: slot * 1000, ...(slot > 0 ? { resolvedUs: 0 } : {}) });
  const advice = adviceFor({ lanes: [moves, { ...forEver, rows, resolver: null }] });
  expect(advice.safe).toBe('yes');
  expect(advice.besides[0]).toBe('jvm-forever never leaves by itself: restart or mend such clients before old goes.');
  const judged = adviceFor({ lanes: [moves, { ...forEver, rows, resolver: null, judged: true }] });
  expect(judged.because[0]).toMatch(/^orders jvm-forever was still on old .*; it leaves never by itself/);
  expect(judged.besides).toHaveLength(1);
});

test('after a rollback the side left is the one that was moved to', () => {
  const back: readonly Entry[] = [
    ...switched,
    authority(30, [oldAddress]),
    authority(30, [oldAddress], { server: ns2 }),
  ];
  const lane = { slots: well, at: `${'o'.repeat(23)}${'n'.repeat(10)}o` };
  const { safeToRemoveOld, oldAnswers } = serviceFor({ lanes: [lane], entries: back });
  expect(safeToRemoveOld).toMatchObject({ safe: 'yes', side: 'new', atNs: sToNs(32.0003 + 5 + 1.25 + 1) });
  // How long the side that was left first had to answer is another question.
  expect(oldAnswers?.untilNs).toBe(sToNs(26.01));
});

test('while the run goes on, what is missing is the rest of the tail, and its end is the instant', () => {
  const cut = (toS: number): SafetyAdvice => {
    const lanes = [{ ...moves, slots: well.slice(0, toS) }];
    return adviceFor({ lanes, log: { probedUntilNs: null } });
  };
  expect(cut(21).because).toContain('Not everybody who must leave was seen to have left.');
  expect(cut(31)).toMatchObject({ safe: 'no', atNs: sToNs(33) });
  expect(cut(31).because).toEqual(['The tail of 10 s is watched until 2026-11-20T10:00:33.000Z.']);
  expect(cut(40).safe).toBe('yes');
});

test('what our own network lost of a tail was not watched, and a gap of some seconds is none', () => {
  const tailOf = (slots: string, references: readonly LaneLog[] = []): ServiceAnalysis['tail'] =>
    serviceFor({ lanes: [{ ...moves, slots }, ...references] }).tail;
  const lost = `${'.'.repeat(26)}${'x'.repeat(30)}....`;
  const reference: LaneLog = { slots: lost, role: 'reference' };
  expect(tailOf(lost)).toMatchObject({ watchedS: 37, isWhole: true });
  expect(tailOf(lost, [reference, reference])).toEqual({ askedS: 10, watchedS: 7, isWhole: false });
  expect(tailOf(`${'.'.repeat(30)}?????${'.'.repeat(25)}`)).toMatchObject({ watchedS: 37 });
  expect(tailOf(`${'.'.repeat(30)}??????${'.'.repeat(24)}`)).toMatchObject({ watchedS: 31 });
});

describe('how long cached answers lead there', () => {
  const answersOf = (one: Case): OldAnswers | null => serviceFor(one).oldAnswers;
  const own = {
    'jvm-30': { resolve: { kind: 'fixed', s: 30, graceS: 0 } },
    chrome: { resolve: { kind: 'ttl', minS: 60, maxS: 60 }, connect: keepAliveClient.connect },
    'for-ever': { resolve: { kind: 'once' } },
  } as const;
  const scenario: NonNullable<Log['scenario']> = (one) =>
    Object.entries(own).reduce((all, [name, archetype]) => withClient(name, archetype)(all), one);
  const lanesOf = (names: readonly (keyof typeof own)[]): readonly LaneLog[] => [
    moves,
    ...names.map((name) => client(name, own[name])),
  ];

  test('without a change, none does', () => {
    expect(answersOf({ entries: [], lanes: [stays] })).toBe(null);
  });

  test.for<{ names: (keyof typeof own)[]; untilS: number; leastS: number; ownCaches: OldAnswers['ownCaches'] }>([
    { names: [], untilS: 26.01, leastS: 5, ownCaches: [] },
    { names: ['jvm-30'], untilS: 56.01, leastS: 35, ownCaches: [{ client: 'jvm-30', s: 30 }] },
    {
      // No lane of chrome leaves by a certain instant: it keeps its connections, until they break.
      names: ['jvm-30', 'chrome', 'for-ever'],
      untilS: 85.01,
      leastS: 65,
      ownCaches: [
        { client: 'chrome', s: 60 },
        { client: 'jvm-30', s: 30 },
      ],
    },
  ])('$names', ({ names, untilS, leastS, ownCaches }) => {
    expect(answersOf({ lanes: lanesOf(names), log: { scenario } })).toEqual({
      untilNs: sToNs(untilS),
      leastS,
      ownCaches,
      keptLongerBy: [],
      isOpen: false,
    });
  });

  test('whoever was failed by one that outlived its TTL names the resolver, and when it was over', () => {
    const late = (slots: string): OldAnswers | null =>
      answersOf({ lanes: [{ ...moves, slots, at: `${'o'.repeat(45)}n` }] });
    expect(late(`${'.'.repeat(30)}${'x'.repeat(15)}${'.'.repeat(15)}`)).toMatchObject({
      untilNs: sToNs(45),
      keptLongerBy: ['vpc'],
      isOpen: false,
    });
    const open = answersOf({ lanes: [{ ...moves, slots: `${'.'.repeat(30)}${'x'.repeat(30)}`, at: 'o' }] });
    expect(open).toMatchObject({ untilNs: sToNs(59), keptLongerBy: ['vpc'], isOpen: true });
  });

  test('without any TTL it is not known', () => {
    const lanes = [{ ...moves, rows: () => ({ answerTtlS: 0 }) }];
    expect(answersOf({ lanes, entries: [mark(20)] })).toMatchObject({ untilNs: null, leastS: null });
  });
});

test('a resolver that only fails was not seen to follow', () => {
  const silent = {
    ...moves,
    rows: (slot: number) =>
      slot > 20 ? { answer: 4, address: 0, outcome: outcomeNumber['dns-servfail'], resolvedUs: 300 } : {},
  };
  const value = {
    server: 'vpc',
    name: hostname,
    rcode: 'SERVFAIL',
    ede: 0,
    authoritative: false,
    chain: [],
    addresses: [],
  };
  const advice = adviceFor({ lanes: [silent], log: { definitions: [{ kind: 'answer', number: 4, value }] } });
  expect(advice.safe).toBe('no');
  expect(advice.because).toContain(
    'vpc was not seen to follow for orders.shop.example: its last answer named old, at 2026-11-20T10:00:20.000Z.',
  );
});
