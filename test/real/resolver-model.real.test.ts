/**
 * The model's resolvers against Unbound, BIND and dnsmasq as Debian has them, with the same settings: asked the same
 * questions at the same times, they give the same answers, with TTLs that differ by a second at most, and ask the authority
 * in the same questions. All of them side by side in one schedule of half a minute.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import type { DnsQuestion } from '../../src/core/ports.ts';
import { newRandom } from '../../src/core/random.ts';
import { msToNs, nsToMs, sToNs } from '../../src/core/time.ts';
import { newResolver } from '../../src/model/resolver.ts';
import type { DnsContent } from '../../src/model/world-model.ts';
import { newClock } from '../../src/net/clock.ts';
import { newTextZone } from '../model/zone-text.ts';
import {
  changeAtS,
  cutOffS,
  differences,
  families,
  recordsBefore,
  recordsChanged,
  subjects,
  type Row,
  type Subject,
} from './resolver-schedule.ts';
import { askPlainly } from './servers/ask-plainly.ts';
import { describeReal } from './servers/describe-real.ts';
import { startDnsDoor, type DnsDoor } from './servers/dns-door.ts';
import { startDnsmasq } from './servers/dnsmasq.ts';
import { startNamed } from './servers/named.ts';
import { startNamedResolver } from './servers/named-resolver.ts';
import { startUnbound } from './servers/unbound.ts';

const zone = 'shop.test';

interface Asked {
  readonly sentAtNs: number;
  readonly question: DnsQuestion;
  readonly row: Row;
}

describeReal("the model's resolvers beside real ones", ['named', 'nsupdate', 'unbound', 'dnsmasq'], () => {
  const clock = newClock(process.hrtime.bigint());
  /** When things really happened. */
  const at = { changeNs: 0, cutFromNs: 0, cutToNs: 0 };
  const played = new Map<Subject, readonly Asked[]>();

  beforeAll(async () => {
    // Where this machine stood still for too long, a question may have come after the end it was meant to come before.
    if ((await playAll()) > 300) await playAll();
  }, 120_000);

  /** Everything from the start. Returns how late the latest question was, in ms. */
  async function playAll(): Promise<number> {
    await using stack = new AsyncDisposableStack();
    const authority = stack.use(await startNamed({ zone, records: recordsBefore }));
    const doors: Record<Subject['road'], DnsDoor> = {
      open: stack.use(await startDnsDoor(authority)),
      shut: stack.use(await startDnsDoor(authority)),
      silent: stack.use(await startDnsDoor(authority)),
    };
    const started = await Promise.all(
      subjects.map(async (subject, i) => {
        const from = `127.0.6.${i + 1}`;
        return { subject, from, server: stack.use(await start(subject, from, doors[subject.road])) };
      }),
    );
    const zeroNs = clock.nowNs() + msToNs(500);
    let lateMsMax = 0;
    const until = (s: number): Promise<void> => sleepMs(Math.max(0, nsToMs(zeroNs + sToNs(s) - clock.nowNs())));

    async function playEvents(): Promise<void> {
      await until(changeAtS);
      await authority.update(
        ...recordsChanged.map(full).flatMap((line) => [`update delete ${line.split(' ')[0]}.`, `update add ${line}`]),
      );
      at.changeNs = clock.nowNs();
      await until(cutOffS.from);
      await doors.shut.shut();
      doors.silent.silence();
      at.cutFromNs = clock.nowNs();
      await until(cutOffS.to);
      at.cutToNs = clock.nowNs();
      for (const door of [doors.shut, doors.silent]) await door.open();
    }

    async function play({ subject, from, server }: (typeof started)[number]): Promise<void> {
      const door = doors[subject.road];
      // BIND gives up after 10 s; where the port is closed every server knows at once.
      const withinMs = subject.road === 'silent' ? 12_000 : 1200;
      const asked = families.flatMap(({ name, type, targets, atS }) => {
        const question = { name: fullName(name), type };
        const names = [name, ...targets].map(fullName);
        return atS.map(async (s): Promise<Asked> => {
          await until(s);
          const countBefore = door.countFrom(from, names);
          const sentAtNs = clock.nowNs();
          lateMsMax = Math.max(lateMsMax, nsToMs(sentAtNs - zeroNs - sToNs(s)));
          const answer = await askPlainly(server, question, withinMs);
          // What it fetches after its answer.
          await sleepMs(200);
          const fetched = door.countFrom(from, names) > countBefore;
          return {
            sentAtNs,
            question,
            row: rowOf({ atS: s, question, fetched }, (answer as DnsContent | null) ?? servfail),
          };
        });
      });
      played.set(
        subject,
        (await Promise.all(asked)).toSorted((a, b) => a.sentAtNs - b.sentAtNs),
      );
    }

    await Promise.all([playEvents(), ...started.map(play)]);
    return lateMsMax;
  }

  function start(
    { server, settings }: Subject,
    from: string,
    door: DnsDoor,
  ): Promise<AsyncDisposable & { readonly address: string; readonly port: number }> {
    switch (server) {
      case 'unbound':
        return startUnbound({ zone, authorities: [door], more: [`outgoing-interface: ${from}`, ...settings] });
      case 'named':
        return startNamedResolver({ zone, authority: door, from, more: settings });
      case 'dnsmasq':
        return startDnsmasq({ zone, authority: door, from, more: settings });
    }
  }

  /** The same questions at the same instants to a resolver of the model. */
  function modelled({ title, road, conduct }: Subject, asked: readonly Asked[]): readonly Row[] {
    const names = new Set(recordsChanged.map((line) => line.split(' ')[0]));
    const after = [...recordsBefore.filter((line) => !names.has(line.split(' ')[0])), ...recordsChanged];
    const zones = { before: newTextZone(zoneText(recordsBefore)), after: newTextZone(zoneText(after)) };
    let fetchCount = 0;
    const resolver = newResolver({
      name: title,
      conduct,
      setting: { sites: [], loadBalancerNames: { old: [], new: [] }, places: noPlaces },
      upstream: (question, nowNs) => {
        if (road !== 'open' && nowNs >= at.cutFromNs && nowNs < at.cutToNs) return null;
        fetchCount += 1;
        return zones[nowNs < at.changeNs ? 'before' : 'after'].ask(question);
      },
      random: newRandom(1, title),
      record: () => {},
    });
    return asked.map(({ sentAtNs, question, row }) => {
      const countBefore = fetchCount;
      const content = resolver.ask(question, sentAtNs);
      return rowOf({ atS: row.atS, question, fetched: fetchCount > countBefore }, content);
    });
  }

  test.for(subjects)('$title: the same answers, TTLs and fetches', (subject) => {
    const asked = played.get(subject) ?? [];
    expect(asked.length).toBeGreaterThan(40);
    const real = asked.map(({ row }) => row);
    expect(differences(subject, real, modelled(subject, asked))).toEqual([]);
  });
});

function fullName(name: string): string {
  return `${name}.${zone}`;
}

function full(line: string): string {
  const [name = '', ttlS = '', type = '', data = ''] = line.split(' ');
  return `${fullName(name)} ${ttlS} ${type} ${type === 'CNAME' ? fullName(data) : data}`;
}

function zoneText(records: readonly string[]): string {
  return [`${zone} 5 SOA ns.${zone} hostmaster.${zone} 1 3600 600 86400 5`, ...records.map(full)].join('\n');
}

function rowOf(
  { atS, question, fetched }: { readonly atS: number; readonly question: DnsQuestion; readonly fetched: boolean },
  { rcode, ede, answers, authority }: DnsContent,
): Row {
  const bare = (name: string): string => name.replace(`.${zone}`, '');
  const words = [rcode, ...answers.map(({ data }) => bare(data)), ...(ede > 0 ? [`EDE ${ede - 1}`] : [])];
  const ttlS = [...answers, ...authority].map((record) => record.ttlS);
  return { atS, name: bare(question.name), type: question.type, answer: words.join(' '), ttlS, fetched };
}

const noPlaces = { sides: { old: [], new: [] }, nameServers: {}, resolvers: {}, references: {} };
const servfail: DnsContent = { rcode: 'SERVFAIL', authoritative: false, ede: 0, answers: [], authority: [] };
