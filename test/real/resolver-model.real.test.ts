/**
 * The model's resolvers against Unbound, BIND and dnsmasq as Debian has them, with the same settings: asked the same
 * questions at the same times, they give the same answers, with TTLs that differ by a second at most, and go to the
 * authority in the same questions. All of them side by side in one schedule, whose questions keep more than a second away
 * from every end of an entry: real servers count in whole seconds.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DnsQuestion } from '../../src/core/ports.ts';
import { newRandom } from '../../src/core/random.ts';
import { msToNs, sToNs } from '../../src/core/time.ts';
import type { ResolverConduct } from '../../src/core/world.ts';
import { newResolver } from '../../src/model/resolver.ts';
import type { DnsContent } from '../../src/model/world-model.ts';
import { newClock } from '../../src/net/clock.ts';
import { newDnsPort } from '../../src/net/dns-port.ts';
import { honest } from '../model/conduct.ts';
import { newTextZone } from '../model/zone-text.ts';
import { describeReal } from './servers/describe-real.ts';
import { startDnsDoor, type DnsDoor } from './servers/dns-door.ts';
import { startDnsmasq } from './servers/dnsmasq.ts';
import { startNamed } from './servers/named.ts';
import { startNamedResolver } from './servers/named-resolver.ts';
import { startUnbound } from './servers/unbound.ts';

const zone = 'shop.test';

/** `name ttl type data`. The name server and its SOA (with 5 s for "there is none") are `startNamed`'s own. */
const before = [
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
  'zero 0 A 127.0.1.7',
];
const changed = [
  'brief 4 A 127.0.2.1',
  'orders 6 CNAME orders-new',
  'popular 30 A 127.0.2.4',
  'far 300 CNAME far-new',
  'gone 60 A 127.0.2.8',
];
const changeAtS = 4;

/** What is asked, when, and the other names that are asked for on its behalf. */
const families: readonly {
  readonly name: string;
  readonly type: DnsQuestion['type'];
  readonly targets: readonly string[];
  readonly atS: readonly number[];
}[] = [
  { name: 'brief', type: 'A', targets: [], atS: [0, 2.5, 5.6, 7.7, 11.1, 13.5, 16.6, 18.5, 22] },
  { name: 'slow', type: 'A', targets: [], atS: [0, 3.2, 7.7, 10, 12.2, 15.5] },
  { name: 'orders', type: 'A', targets: ['orders-old', 'orders-new'], atS: [0, 3.2, 7.7, 10, 12.2, 15.5, 17] },
  { name: 'gone', type: 'A', targets: [], atS: [0, 1.5, 6.8, 10.6] },
  { name: 'slow', type: 'AAAA', targets: [], atS: [0, 2.5, 7] },
  { name: 'popular', type: 'A', targets: [], atS: [0, 15, 28.5, 31] },
  { name: 'far', type: 'A', targets: ['far-old', 'far-new'], atS: [0, 15, 28.5, 31] },
  { name: 'steady', type: 'A', targets: ['steady-one'], atS: [0, 15, 28.5, 31] },
  { name: 'zero', type: 'A', targets: [], atS: [0, 1.3] },
];

/** While these are over, the authority of those who use the second door cannot be reached. */
const cutOffS = { from: 6.3, to: 20.3 };

interface Subject {
  readonly title: string;
  readonly server: 'unbound' | 'named' | 'dnsmasq';
  /** Its settings, in its own words. */
  readonly settings: readonly string[];
  /** The same for the model. */
  readonly conduct: ResolverConduct;
  readonly isCutOff: boolean;
}

const stale = { when: 'unreachable', replyTtlS: 30, staleSMax: 86_400, saysSo: true } as const;
const unboundStale = ['serve-expired: yes', 'ede: yes', 'ede-serve-expired: yes'];
const unboundCutOff = [...unboundStale, 'serve-expired-client-timeout: 300'];
const namedStale = ['prefetch 0;', 'stale-cache-enable yes;', 'stale-answer-enable yes;'];

const subjects: readonly Subject[] = [
  subject('unbound', 'as it comes', [], {}),
  subject('named', 'without prefetch', ['prefetch 0;'], {}),
  subject('dnsmasq', 'as it comes', [], {}),
  subject('unbound', 'TTL at least 9', ['cache-min-ttl: 9'], { minTtlS: 9 }),
  subject('named', 'TTL at least 9', ['prefetch 0;', 'min-cache-ttl 9;', 'min-ncache-ttl 9;'], { minTtlS: 9 }),
  subject('dnsmasq', 'TTL at least 9', ['--min-cache-ttl=9'], { minTtlS: 9 }),
  subject('unbound', 'TTL at most 6', ['cache-max-ttl: 6', 'cache-max-negative-ttl: 3'], {
    maxTtlS: 6,
    negativeTtlSMax: 3,
  }),
  subject('named', 'TTL at most 6', ['prefetch 0;', 'max-cache-ttl 6;', 'max-ncache-ttl 3;'], {
    maxTtlS: 6,
    negativeTtlSMax: 3,
  }),
  subject('dnsmasq', 'TTL at most 6', ['--max-cache-ttl=6'], { maxTtlS: 6 }),
  subject('unbound', 'prefetch', ['prefetch: yes'], { prefetch: 'last-tenth' }),
  subject('named', 'prefetch', [], { prefetch: 'last-2-s' }),
  subject('unbound', 'original TTL', ['serve-original-ttl: yes'], { countsDown: false }),
  subject('unbound', 'stale always', unboundStale, { serveStale: { ...stale, when: 'always' } }),
  subject('dnsmasq', 'stale always', ['--use-stale-cache'], { serveStale: { ...stale, when: 'always', replyTtlS: 0 } }),
  subject('unbound', 'stale when cut off', unboundCutOff, { serveStale: stale }, true),
  subject('named', 'stale when cut off', namedStale, { serveStale: stale }, true),
  subject(
    'unbound',
    'stale for 5 s',
    [...unboundCutOff, 'serve-expired-ttl: 5'],
    { serveStale: { ...stale, staleSMax: 5 } },
    true,
  ),
  subject(
    'named',
    'stale for 5 s',
    [...namedStale, 'max-stale-ttl 5;'],
    { serveStale: { ...stale, staleSMax: 5 } },
    true,
  ),
  subject('named', 'cut off', ['prefetch 0;'], {}, true),
];

function subject(
  server: Subject['server'],
  title: string,
  settings: readonly string[],
  conduct: Partial<ResolverConduct>,
  isCutOff = false,
): Subject {
  return { title: `${server}, ${title}`, server, settings, conduct: { ...honest, ...conduct }, isCutOff };
}

/** One question and its answer, or what the model says to it. */
interface Row {
  readonly atS: number;
  readonly name: string;
  readonly type: DnsQuestion['type'];
  /** `NOERROR orders-old 127.0.1.3`, with `stale` where the server says so. */
  readonly answer: string;
  readonly ttlS: readonly number[];
  readonly fetched: boolean;
}

/** What of a row the model leaves open, and why. */
function leftOpen({ server, isCutOff }: Subject, row: Row): 'all' | 'ttl' | null {
  // dnsmasq forwards: a fetched answer goes out as it came, its limits are for what it says from its cache.
  if (server === 'dnsmasq' && row.fetched) return 'ttl';
  // Unbound asks a dead authority again with each question, more and more rarely; the model waits 30 s, as BIND does.
  if (server === 'unbound' && isCutOff && row.atS > cutOffS.to) return 'all';
  return null;
}

function differences(one: Subject, real: readonly Row[], model: readonly Row[]): readonly string[] {
  return real.flatMap((row, i) => {
    const own = model[i];
    const open = leftOpen(one, row);
    if (own === undefined || open === 'all') return [];
    const isSameTtl =
      row.ttlS.length === own.ttlS.length && row.ttlS.every((ttlS, k) => Math.abs(ttlS - (own.ttlS[k] ?? 0)) <= 1);
    if (row.answer === own.answer && row.fetched === own.fetched && (isSameTtl || open === 'ttl')) return [];
    return [`real  ${textOf(row)}\nmodel ${textOf(own)}`];
  });
}

function textOf({ atS, name, type, answer, ttlS, fetched }: Row): string {
  return `${atS} s ${name} ${type}: ${answer}, TTL ${ttlS.join(' ')}${fetched ? ', fetched' : ''}`;
}

function full(line: string): string {
  const [name, ttlS, type, data] = line.split(' ');
  return `${name}.${zone} ${ttlS} ${type} ${data}${type === 'CNAME' ? `.${zone}` : ''}`;
}

function rowOf(
  of: { readonly atS: number; readonly question: DnsQuestion; readonly fetched: boolean },
  content: DnsContent,
): Row {
  const bare = (name: string): string => name.replace(`.${zone}`, '');
  const all = [...content.answers, ...content.authority];
  const data = content.answers.map((record) => bare(record.data));
  return {
    atS: of.atS,
    name: bare(of.question.name),
    type: of.question.type,
    answer: [content.rcode, ...data, ...(content.ede > 0 ? [`EDE ${content.ede - 1}`] : [])].join(' '),
    ttlS: all.map(({ ttlS }) => ttlS),
    fetched: of.fetched,
  };
}

describeReal("the model's resolvers and real ones", ['named', 'nsupdate', 'unbound', 'dnsmasq'], () => {
  const clock = newClock(process.hrtime.bigint());
  const port = newDnsPort({ clock });
  const stack = new AsyncDisposableStack();
  /** Instants at which things really happened. */
  const at = { changeNs: 0, cutFromNs: 0, cutToNs: 0 };
  const played = new Map<Subject, { readonly real: readonly Row[]; readonly model: readonly Row[] }>();

  beforeAll(async () => {
    const authority = stack.use(await startNamed({ zone, records: before }));
    const [always, mortal] = [stack.use(await startDnsDoor(authority)), stack.use(await startDnsDoor(authority))];
    const started = await Promise.all(
      subjects.map(async (one, i) => {
        const from = `127.0.6.${i + 1}`;
        const door = one.isCutOff ? mortal : always;
        return { one, from, door, at: stack.use(await start(one, from, door)) };
      }),
    );
    // The name server's own name must have left every cache that was asked for it.
    const zeroNs = clock.nowNs() + sToNs(1);
    const until = (s: number): Promise<void> => sleepMs((zeroNs + sToNs(s) - clock.nowNs()) / msToNs(1));
    const events = [
      until(changeAtS).then(async () => {
        await authority.update(
          ...changed.flatMap((line) => [`update delete ${full(line).split(' ')[0]}.`, `update add ${full(line)}`]),
        );
        at.changeNs = clock.nowNs();
      }),
      until(cutOffS.from).then(async () => {
        await mortal.shut();
        at.cutFromNs = clock.nowNs();
      }),
      until(cutOffS.to).then(async () => {
        at.cutToNs = clock.nowNs();
        await mortal.open();
      }),
    ];
    const asked = await Promise.all(
      started.map(async ({ one, from, door, at: server }) => {
        const rows = await Promise.all(
          families.flatMap(({ name, type, targets, atS }) => {
            const question = { name: `${name}.${zone}`, type };
            const names = [name, ...targets].map((target) => `${target}.${zone}`);
            return atS.map(async (s) => {
              await until(s);
              const countBefore = door.countFrom(from, names);
              const deadlineNs = clock.nowNs() + sToNs(5);
              const reply = await port.query({ kind: 'udp', ...server }, question, {
                recursionDesired: true,
                deadlineNs,
              });
              // What it fetches after its answer.
              await sleepMs(200);
              const fetched = door.countFrom(from, names) > countBefore;
              const content = reply.kind === 'answered' ? (reply as DnsContent) : servfail;
              return { sentAtNs: reply.sentAtNs, question, row: rowOf({ atS: s, question, fetched }, content) };
            });
          }),
        );
        return { one, rows: rows.toSorted((a, b) => a.sentAtNs - b.sentAtNs) };
      }),
    );
    await Promise.all(events);
    for (const { one, rows } of asked)
      played.set(one, { real: rows.map(({ row }) => row), model: modelRows(one, rows) });
  });

  afterAll(() => stack.disposeAsync());

  function start(
    one: Subject,
    from: string,
    door: DnsDoor,
  ): Promise<AsyncDisposable & { address: string; port: number }> {
    const more = one.settings;
    switch (one.server) {
      case 'unbound':
        return startUnbound({ zone, authorities: [door], more: [`outgoing-interface: ${from}`, ...more] });
      case 'named':
        return startNamedResolver({ zone, authority: door, from, more });
      case 'dnsmasq':
        return startDnsmasq({ zone, authority: door, from, more });
    }
  }

  function modelRows(
    one: Subject,
    asked: readonly { readonly sentAtNs: number; readonly question: DnsQuestion; readonly row: Row }[],
  ): readonly Row[] {
    const soa = `${zone} 5 SOA ns.${zone} hostmaster.${zone} 1 3600 600 86400 5\n`;
    const isChanged = (line: string): boolean => changed.some((other) => other.split(' ')[0] === line.split(' ')[0]);
    const after = [...before.filter((line) => !isChanged(line)), ...changed];
    const zones = [before, after].map((lines) => newTextZone(soa + lines.map(full).join('\n')));
    let fetchCount = 0;
    const resolver = newResolver({
      name: one.title,
      conduct: one.conduct,
      setting: { sites: [], loadBalancerNames: { old: [], new: [] }, places: noPlaces },
      upstream: (question, nowNs) => {
        if (one.isCutOff && nowNs >= at.cutFromNs && nowNs < at.cutToNs) return null;
        fetchCount += 1;
        return zones[nowNs < at.changeNs ? 0 : 1]?.ask(question) ?? null;
      },
      random: newRandom(1, one.title),
      record: () => {},
    });
    return asked.map(({ sentAtNs, question, row }) => {
      const countBefore = fetchCount;
      const content = resolver.ask(question, sentAtNs);
      return rowOf({ atS: row.atS, question, fetched: fetchCount > countBefore }, content);
    });
  }

  test.for(subjects)('$title: the same answers, TTLs and fetches', (one) => {
    const { real = [], model = [] } = played.get(one) ?? {};
    expect(real).not.toEqual([]);
    expect(differences(one, real, model)).toEqual([]);
  });
});

const noPlaces = { sides: { old: [], new: [] }, nameServers: {}, resolvers: {}, references: {} };
const servfail: DnsContent = { rcode: 'SERVFAIL', authoritative: false, ede: 0, answers: [], authority: [] };
