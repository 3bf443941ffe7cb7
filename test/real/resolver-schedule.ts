/**
 * What real resolvers and the model's are asked side by side, with which settings, and what the model leaves open. Every
 * question keeps a second and a half away from the end of an entry, because real servers count in whole seconds.
 */
import type { DnsQuestion } from '../../src/core/ports.ts';
import type { ResolverConduct } from '../../src/core/world.ts';
import { honest } from '../model/conduct.ts';

/** `name ttl type data`; the zone's name server and its SOA (5 s for "there is none") are `startNamed`'s own. */
export const recordsBefore: readonly string[] = [
  'brief 4 A 127.0.1.1',
  'slow 60 A 127.0.1.2',
  'orders 6 CNAME orders-old',
  'orders-old 60 A 127.0.1.3',
  'orders-new 60 A 127.0.2.3',
  'popular 30 A 127.0.1.4',
  'far 300 CNAME far-old',
  'far-old 30 A 127.0.1.5',
  'far-new 30 A 127.0.2.5',
  'steady 300 CNAME steady-one',
  'steady-one 30 A 127.0.1.6',
  'dull 4 A 127.0.1.7',
  'zero 0 A 127.0.1.9',
];
export const changeAtS = 4;
/** Instead of what the names had before. */
export const recordsChanged: readonly string[] = [
  'brief 4 A 127.0.2.1',
  'orders 6 CNAME orders-new',
  'popular 30 A 127.0.2.4',
  'far 300 CNAME far-new',
  'gone 60 A 127.0.2.8',
];

/** The authority cannot be reached by those whose road is `shut` (its port is closed) or `silent` (packets are lost). */
export const cutOffS = { from: 6.3, to: 23.3 };

/** What is asked, when, and the other names that are asked for on its behalf. */
export const families: readonly {
  readonly name: string;
  readonly type: DnsQuestion['type'];
  readonly targets: readonly string[];
  readonly atS: readonly number[];
}[] = [
  { name: 'brief', type: 'A', targets: [], atS: [0, 2.5, 5.5, 7.5, 11, 13.5, 16.5, 18.5, 22, 24.5] },
  { name: 'slow', type: 'A', targets: [], atS: [0, 3.2, 7.5, 10.5, 12, 15] },
  { name: 'orders', type: 'A', targets: ['orders-old', 'orders-new'], atS: [0, 3.2, 7.5, 10.5, 12, 15, 17] },
  { name: 'gone', type: 'A', targets: [], atS: [0, 1.4, 6.8, 10.6] },
  { name: 'slow', type: 'AAAA', targets: [], atS: [0, 1.4, 7] },
  { name: 'popular', type: 'A', targets: [], atS: [0, 15, 28.5, 31.5] },
  { name: 'far', type: 'A', targets: ['far-old', 'far-new'], atS: [0, 15, 28.5, 31.5] },
  { name: 'steady', type: 'A', targets: ['steady-one'], atS: [0, 15, 28.5, 31.5] },
  { name: 'dull', type: 'A', targets: [], atS: [0, 7, 12.6] },
  { name: 'zero', type: 'A', targets: [], atS: [0, 1.3] },
];

/** One question and its answer. */
export interface Row {
  readonly atS: number;
  readonly name: string;
  readonly type: DnsQuestion['type'];
  /** `NOERROR orders-old 127.0.1.3`, with the Extended DNS Error where there is one. */
  readonly answer: string;
  readonly ttlS: readonly number[];
  /** The authority was asked for it. */
  readonly fetched: boolean;
}

export interface Subject {
  readonly server: 'unbound' | 'named' | 'dnsmasq';
  readonly title: string;
  readonly road: 'open' | 'shut' | 'silent';
  /** In the server's own words. */
  readonly settings: readonly string[];
  /** The same for the model. */
  readonly conduct: ResolverConduct;
}

const stale = { when: 'unreachable', replyTtlS: 30, staleSMax: 86_400, saysSo: true } as const;
const unboundStale = ['serve-expired: yes', 'ede: yes', 'ede-serve-expired: yes'];
/** Their default is 1.8 s, as RFC 8767 recommends. */
const unboundCutOff = [...unboundStale, 'serve-expired-client-timeout: 300'];
const namedStale = ['prefetch 0;', 'stale-cache-enable yes;', 'stale-answer-enable yes;'];

export const subjects: readonly Subject[] = [
  subject('unbound as it comes', [], {}),
  subject('named without prefetch', ['prefetch 0;'], {}),
  subject('dnsmasq as it comes', [], {}),
  subject('unbound with TTLs of 9 or more', ['cache-min-ttl: 9'], { minTtlS: 9 }),
  subject('named with TTLs of 9 or more', ['prefetch 0;', 'min-cache-ttl 9;', 'min-ncache-ttl 9;'], { minTtlS: 9 }),
  subject('dnsmasq with TTLs of 9 or more', ['--min-cache-ttl=9'], { minTtlS: 9 }),
  subject('unbound with TTLs of 6 or less', ['cache-max-ttl: 6', 'cache-max-negative-ttl: 3'], {
    maxTtlS: 6,
    negativeTtlSMax: 3,
  }),
  subject('named with TTLs of 6 or less', ['prefetch 0;', 'max-cache-ttl 6;', 'max-ncache-ttl 3;'], {
    maxTtlS: 6,
    negativeTtlSMax: 3,
  }),
  subject('dnsmasq with TTLs of 6 or less', ['--max-cache-ttl=6'], { maxTtlS: 6 }),
  subject('unbound with prefetch', ['prefetch: yes'], { prefetch: 'last-tenth' }),
  subject('named with prefetch', [], { prefetch: 'last-2-s' }),
  subject('unbound with the original TTL', ['serve-original-ttl: yes'], { countsDown: false }),
  subject('unbound, stale first', unboundStale, { serveStale: { ...stale, when: 'always' } }),
  subject('dnsmasq, stale first', ['--use-stale-cache'], { serveStale: { ...stale, when: 'always', replyTtlS: 0 } }),
  subject('unbound, stale when cut off', unboundCutOff, { serveStale: stale }, 'shut'),
  subject('named, stale when cut off', namedStale, { serveStale: stale }, 'shut'),
  subject('named, stale when nobody answers', namedStale, { serveStale: stale }, 'silent'),
  subject(
    'unbound, stale for 5 s',
    [...unboundCutOff, 'serve-expired-ttl: 5'],
    { serveStale: { ...stale, staleSMax: 5 } },
    'shut',
  ),
  subject(
    'named, stale for 5 s',
    [...namedStale, 'max-stale-ttl 5;'],
    { serveStale: { ...stale, staleSMax: 5 } },
    'shut',
  ),
  subject('named, cut off', ['prefetch 0;'], {}, 'shut'),
];

function subject(
  title: string,
  settings: readonly string[],
  conduct: Partial<ResolverConduct>,
  road: Subject['road'] = 'open',
): Subject {
  const server = (['unbound', 'named', 'dnsmasq'] as const).find((one) => title.startsWith(one)) ?? 'unbound';
  return { server, title, road, settings, conduct: { ...honest, ...conduct } };
}

interface Exception {
  readonly why: string;
  readonly what: 'all' | 'ttl';
  readonly is: (subject: Subject, row: Row) => boolean;
}

/** Where real servers differ from each other, or from what the model is for. */
const exceptions: readonly Exception[] = [
  {
    why: 'dnsmasq forwards: an answer just fetched goes out as it came, its limits are for what it says from its cache',
    what: 'ttl',
    is: ({ server }, { fetched }) => server === 'dnsmasq' && fetched,
  },
  {
    why: 'dnsmasq asks the whole question again when one link of the chain has ended; Unbound and BIND ask for that link',
    what: 'all',
    is: ({ server }, { name, atS }) => server === 'dnsmasq' && name === 'far' && atS === 31.5,
  },
  {
    why: 'dnsmasq serves stale what had a TTL of 0; the model keeps no such record (RFC 1035, 3.2.1)',
    what: 'all',
    is: ({ server, conduct }, { name }) => server === 'dnsmasq' && conduct.serveStale !== null && name === 'zero',
  },
  {
    why: 'dnsmasq serves a stale "there is none" without its SOA',
    what: 'ttl',
    is: ({ server }, { ttlS }) => server === 'dnsmasq' && ttlS.length === 0,
  },
  {
    why: 'BIND does not serve a stale NXDOMAIN; Unbound and dnsmasq do, and RFC 8767 lets them',
    what: 'all',
    is: ({ server, road }, { name, atS }) =>
      server === 'named' && road !== 'open' && name === 'gone' && atS > cutOffS.from,
  },
  {
    why: 'asked too near the end of its stale time, which Unbound 1.17 counts from the end of the last link of a chain',
    what: 'all',
    is: ({ conduct }, { name, atS }) =>
      conduct.serveStale?.staleSMax === 5 && ['brief', 'orders'].includes(name) && atS > cutOffS.from,
  },
  {
    why: 'dnsmasq calls stale, and shows with a SOA, what it has fetched in the place of a stale NXDOMAIN',
    what: 'all',
    is: ({ server, conduct }, { name, atS }) =>
      server === 'dnsmasq' && conduct.serveStale !== null && name === 'gone' && atS > 7,
  },
  {
    why: 'after a failure Unbound asks again with each question, BIND waits 30 s only if it was a time-out; the model always',
    what: 'all',
    is: ({ road, conduct }, { atS }) => road === 'shut' && conduct.serveStale !== null && atS > cutOffS.to,
  },
  {
    why: 'a stale answer comes after the 10 s of a time-out, when other links of its chain have less time left',
    what: 'all',
    is: ({ road }, { name }) => road === 'silent' && name !== 'brief',
  },
];

/** Where the two differ, for people. */
export function differences(subject: Subject, real: readonly Row[], model: readonly Row[]): readonly string[] {
  return real.flatMap((row, i) => {
    const own = model[i];
    const open = exceptions.filter(({ is }) => is(subject, row)).map(({ what }) => what);
    if (own === undefined || open.includes('all')) return [];
    const isSameTtl = open.includes('ttl') || hasSameTtl(subject, row, own);
    return row.answer === own.answer && row.fetched === own.fetched && isSameTtl
      ? []
      : [`real:  ${textOf(row)}`, `model: ${textOf(own)}`];
  });
}

/** To within a second. Of a chain in dnsmasq the lowest counts: it renews its end where others keep it. */
function hasSameTtl({ server }: Subject, a: Row, b: Row): boolean {
  const [ours, theirs] = [a, b].map(({ ttlS }) => (server === 'dnsmasq' ? [Math.min(...ttlS)] : ttlS));
  return ours?.length === theirs?.length && ours?.every((ttlS, i) => Math.abs(ttlS - (theirs?.[i] ?? 0)) <= 1) === true;
}

function textOf({ atS, name, type, answer, ttlS, fetched }: Row): string {
  return `${atS} s ${name} ${type} ${answer} TTL ${ttlS.join(' ')}${fetched ? ' fetched' : ''}`;
}
