/** What the authoritative servers of a hostname served before a switch: all agree, TTLs are low, and the old ones aged out. */
import { durationText, listText } from '../core/quantity-text.ts';
import {
  aliasOf,
  aliasTtlS,
  askedTtlS,
  changingSets,
  isSettled,
  isSideName,
  limitTtlSOf,
  type AskedType,
  type RecordSet,
} from '../core/record-set.ts';
import type { DnsRecord, DnsReply } from '../core/ports.ts';
import type { Scenario, Side } from '../core/scenario.ts';
import { msToNs, nsToMs } from '../core/time.ts';
import { ttlAge, type Spell, type TtlAge } from '../core/ttl-age.ts';
import { no, notBefore, unknown, yes, type Point } from './advice.ts';
import { entryAt, type ReplyStream } from './authority-replies.ts';
import { isAuthoritative } from './authority-tracks.ts';
import type { SwitchEvidence } from './safe-to-switch.ts';
import { otherSide } from './sides.ts';

export interface Records {
  readonly hostname: string;
  readonly points: readonly Point[];
  /** The most that a cache may show. */
  readonly limitS: number;
  /** Null = not known, or not yet. */
  readonly safeAtNs: number | null;
  /** The TTL before, where only the scenario says so; null = it was seen, or nothing is known. */
  readonly toldTtlS: number | null;
  /** The largest that is served; null = none is known. */
  readonly ttlS: number | null;
}

interface Looked {
  readonly scenario: Scenario;
  readonly hostname: string;
  readonly leaving: Side;
  readonly nowNs: number;
}

export function recordsOf(looked: Looked, evidence: SwitchEvidence): Records {
  const { scenario, hostname, nowNs } = looked;
  const names = evidence.replies.namesOf(hostname);
  const nameServers = names.map((name) => serversOf(name, nowNs, evidence));
  const sets = nameServers.flatMap(({ name, servers }) => servers.flatMap((one) => setsOf(scenario, name, one)));
  const limitS = limitTtlSOf(scenario, evidence.sideNames, sets);
  const toMs = (atNs: number): number => evidence.startedAtMs + nsToMs(atNs);
  const spells = names.flatMap((name) =>
    evidence.replies.of(name).flatMap((stream) => spellsOf(name, stream, { scenario, nowNs, toMs })),
  );
  const age = ttlAge({ spells, limitS, change: scenario.change, nowMs: toMs(nowNs) });
  const safeAtNs = age.safeAtMs === null ? null : msToNs(age.safeAtMs - evidence.startedAtMs);
  const ttlS = sets.length === 0 ? null : Math.max(...sets.map((set) => set.ttlS));
  const points = [
    ...nameServers.flatMap((own) => [...speakPoints(looked, own), ...lowPoints(looked, own, evidence)]),
    ...leadPoints(looked, nameServers, evidence),
    ...agePoints(looked, { age, safeAtNs, isAlias: isAlias(sets, evidence) }, evidence),
  ];
  return { hostname, points, limitS, safeAtNs, toldTtlS: age.isSeen ? null : age.oldTtlS, ttlS };
}

// ── who speaks ───────────────────────────────────────────────────────────────────────────────────────────────────────

interface Server {
  readonly server: string;
  /** What holds at that instant; undefined = it had not answered yet. */
  readonly asked: readonly { readonly type: string; readonly reply: DnsReply | undefined }[];
}

interface NameServers {
  readonly name: string;
  readonly servers: readonly Server[];
  readonly areGiven: boolean;
}

function serversOf(name: string, nowNs: number, { replies }: SwitchEvidence): NameServers {
  const servers = [...Map.groupBy(replies.of(name), ({ server }) => server)].map(([server, streams]) => ({
    server,
    asked: streams.map((stream) => ({ type: stream.question, reply: entryAt(stream, nowNs)?.reply })),
  }));
  return { name, servers, areGiven: replies.areGiven(name) };
}

function addressesAsked({ asked }: Server): Server['asked'] {
  return asked.filter(({ type }) => type !== 'HTTPS');
}

function isAuthority(server: Server): boolean {
  return addressesAsked(server).every(({ reply }) => reply?.kind === 'answered' && isAuthoritative(reply));
}

function whyNot(server: Server): string {
  for (const { reply } of addressesAsked(server)) {
    if (reply === undefined) return 'has not answered yet';
    if (reply.kind === 'failed') return `gives no answer (${reply.reason})`;
    if (!isSettled(reply.rcode)) return `says ${reply.rcode}`;
    if (!reply.authoritative) return 'answers without authority';
  }
  return '';
}

function speakPoints({ hostname }: Looked, { name, servers, areGiven }: NameServers): readonly Point[] {
  if (servers.length === 0) {
    return [
      unknown(
        `No authoritative server of ${hostname} was asked, so its TTL is not known: name them under authorities.`,
      ),
    ];
  }
  const silent = servers.filter((server) => !isAuthority(server));
  const isAnyGood = silent.length < servers.length;
  return silent
    .filter((server) => !(areGiven && isAnyGood && whyNot(server) === 'says REFUSED'))
    .map((server) => unknown(`${server.server} ${whyNot(server)} for ${name}, but resolvers may ask it.`));
}

// ── TTLs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

function setsOf(scenario: Scenario, name: string, server: Server): readonly RecordSet[] {
  if (!isAuthority(server)) return [];
  const asked = server.asked.filter((one): one is AskedType => one.reply !== undefined);
  return changingSets(scenario, name, asked);
}

/** The TTL is low on every server. */
function lowPoints({ scenario }: Looked, { name, servers }: NameServers, evidence: SwitchEvidence): readonly Point[] {
  const limitS = askedTtlS(scenario);
  const high = servers.flatMap((server) =>
    setsOf(scenario, name, server)
      .filter((set) => set.ttlS > limitS && aliasOf(evidence.sideNames, set) === null)
      .map((set) => ({ server: server.server, what: `${set.name} ${set.type} with TTL ${String(set.ttlS)} s` })),
  );
  return [...Map.groupBy(high, ({ what }) => what)].map(([what, those]) => {
    const serve = those.length === 1 ? 'serves' : 'serve';
    return no(
      `${listText(those.map(({ server }) => server))} ${serve} ${what}: lower it to ${String(limitS)} s or less, or say change.ttlS.`,
    );
  });
}

/** As long as a server served one TTL, by the entries up to now. */
function spellsOf(
  queried: string,
  { server, entries }: ReplyStream,
  {
    scenario,
    nowNs,
    toMs,
  }: { readonly scenario: Scenario; readonly nowNs: number; readonly toMs: (atNs: number) => number },
): readonly Spell[] {
  const ended: Spell[] = [];
  let open = new Map<string, Spell>();
  let records: readonly DnsRecord[] | null = null;
  let lastMs = 0;
  const extended = (): readonly Spell[] => [...open.values()].map((spell) => ({ ...spell, lastMs }));
  entries.forEach(({ reply, question }, i) => {
    if (reply.endedAtNs > nowNs || reply.kind === 'failed' || !isAuthoritative(reply)) return;
    const atMs = toMs(reply.endedAtNs);
    if (records === null || !areSame(records, reply.answers)) {
      const before = new Map(extended().map((spell) => [keyOf(spell), spell]));
      open = new Map();
      for (const set of changingSets(scenario, queried, [{ type: question, reply }])) {
        const { name, type, ttlS } = set;
        const spell = before.get(keyOf(set));
        before.delete(keyOf(set));
        open.set(keyOf(set), spell ?? { server, name, type, ttlS, firstMs: atMs, lastMs: atMs, endedByMs: null });
      }
      for (const spell of before.values()) ended.push({ ...spell, endedByMs: atMs });
      records = reply.answers;
    }
    lastMs = toMs(Math.min(nowNs, Math.max(reply.endedAtNs, entries[i + 1]?.previousSentAtNs ?? 0)));
  });
  return [...ended, ...extended()];
}

function keyOf({ name, type, ttlS }: Pick<Spell, 'name' | 'type' | 'ttlS'>): string {
  return `${name} ${type} ${String(ttlS)}`;
}

/** Most entries of a long log say what the one before says. */
function areSame(one: readonly DnsRecord[], other: readonly DnsRecord[]): boolean {
  return (
    one.length === other.length &&
    one.every((record, i) => {
      const { name, type, ttlS, data } = other[i] as DnsRecord;
      return record.ttlS === ttlS && record.data === data && record.type === type && record.name === name;
    })
  );
}

function isAlias(sets: readonly RecordSet[], { sideNames }: SwitchEvidence): boolean {
  return sets.length > 0 && sets.every((set) => aliasOf(sideNames, set) !== null);
}

/** What was served before it was lowered has left every cache that obeys. */
function agePoints(
  { hostname, nowNs }: Looked,
  {
    age,
    safeAtNs,
    isAlias: isOfAlias,
  }: { readonly age: TtlAge; readonly safeAtNs: number | null; readonly isAlias: boolean },
  { startedAtMs, at }: SwitchEvidence,
): readonly Point[] {
  const { lowAtMs, oldTtlS, surelyAtMs, highServers } = age;
  // Somebody has to lower it first, which is said; or nobody spoke, which is.
  if (highServers.length > 0 || lowAtMs === null) return [];
  const low = at(msToNs(lowAtMs - startedAtMs));
  if (oldTtlS === null || safeAtNs === null) {
    if (surelyAtMs !== null && surelyAtMs <= startedAtMs + nsToMs(nowNs)) {
      return [yes(`The TTL of ${hostname} has been low for 7 days, longer than caches keep anything.`)];
    }
    const hint = isOfAlias
      ? ` If it has always been an alias to a load balancer, ttlBeforeS is ${String(aliasTtlS)}.`
      : '';
    return [
      unknown(
        `Nothing is known of the TTL of ${hostname} before ${low}. Say change.ttlBeforeS and change.ttlLoweredAt.${hint}`,
      ),
    ];
  }
  if (safeAtNs > nowNs) {
    const left = durationText(nsToMs(safeAtNs - nowNs), 'up');
    return [
      notBefore(
        safeAtNs,
        nowNs,
        `Caches may keep what was served for ${hostname} with TTL ${String(oldTtlS)} s until ${at(safeAtNs)}, for ${left} more.`,
      ),
    ];
  }
  return [yes(`What was served before for ${hostname} had left every cache that obeys.`, safeAtNs)];
}

// ── where they lead ──────────────────────────────────────────────────────────────────────────────────────────────────

/** On every server, in the same families, to the side that is to be left. */
function leadPoints(
  { scenario, hostname, leaving }: Looked,
  nameServers: readonly NameServers[],
  evidence: SwitchEvidence,
): readonly Point[] {
  const known = new Set(nameServers.map(({ name }) => name));
  return nameServers.flatMap(({ name, servers }) => {
    const speaking = servers.filter(isAuthority);
    const seen = speaking.flatMap((server) =>
      addressesAsked(server).flatMap(({ type, reply }) =>
        reply?.kind === 'answered' ? [{ server: server.server, type, reply }] : [],
      ),
    );
    const has = ({ addresses, chain }: (typeof seen)[number]['reply']): boolean => addresses.length + chain.length > 0;
    const without = speaking.filter(({ server }) => !seen.some((one) => one.server === server && has(one.reply)));
    if (without.length > 0) {
      const verb = without.length === 1 ? 'says' : 'say';
      return [no(`${listText(without.map(({ server }) => server))} ${verb} that ${name} has no address.`)];
    }
    const uneven = ['A', 'AAAA'].filter((type) => {
      const on = seen.filter((one) => one.type === type && has(one.reply)).length;
      return on > 0 && on < seen.filter((one) => one.type === type).length;
    });
    if (uneven.length > 0) return [no(`Not every name server has ${listText(uneven)} records of ${name}.`)];
    const lost = seen.flatMap(({ reply: { addresses, chain } }) => {
      const end = chain.at(-1);
      return addresses.length > 0 || end === undefined || known.has(end) || isSideName(scenario, end) ? [] : [end];
    });
    if (lost.length > 0 && !seen.some(({ reply }) => reply.addresses.length > 0)) {
      return [unknown(`${hostname} leads to ${lost[0] ?? ''}, whose TTL nobody knows.`)];
    }
    const sides = new Set(seen.map(({ reply }) => evidence.sideOf(reply.addresses, reply.chain)));
    sides.delete('none');
    const title = (side: Side): string => scenario.sides[side].title;
    const target = otherSide(leaving);
    if (sides.has(target) && sides.size === 1) {
      return [no(`${name} leads to ${title(target)} already: there is nothing to switch.`)];
    }
    if (scenario.change.via !== 'weights' && (sides.has('mixed') || (sides.has('old') && sides.has('new')))) {
      return [no(`The name servers of ${name} do not agree: it leads to both sides.`)];
    }
    const ttlsS = servers.flatMap((server) => setsOf(scenario, name, server).map(({ ttlS }) => ttlS));
    if (ttlsS.length === 0) return [];
    const longest = durationText(Math.max(...ttlsS) * 1000);
    const who = speaking.length === 1 ? 'The name server' : `All ${String(speaking.length)} name servers`;
    const serve = speaking.length === 1 ? 'serves' : 'agree and serve';
    return [yes(`${who} of ${name} ${serve} it for ${longest}.`)];
  });
}
