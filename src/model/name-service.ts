/**
 * The authoritative side of a world: what its zones say about each hostname, and since when each name server says so. A
 * change has an instant at which it was made; a name server serves it its lag later. What was ever said is kept as a
 * timeline, so that servers with different lags read the same list.
 */
import { assert } from '../core/errors.ts';
import type { DnsQuestion, DnsRecord, Random } from '../core/ports.ts';
import type { Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import type { TruthRecorder } from '../core/truth.ts';
import type { Setting, ZoneSpec } from '../core/world.ts';
import { rotated } from './rotate.ts';
import type { DnsContent, NameService } from './world-model.ts';
import { bareName, negativeTtlS, newZones } from './zones.ts';

export interface NameServiceOptions {
  readonly zone: ZoneSpec;
  readonly setting: Setting;
  readonly random: Random;
  readonly record: TruthRecorder;
  /** What failover records go by: as health checks have found up to now. */
  readonly isHealthy: (side: Side, hostname: string) => boolean;
}

/** "60 seconds (the TTL for load balancers)", of an alias and of the load balancer's own name alike (domain.md, 0.6). */
const loadBalancerTtlS = 60;
const fixedTtlS = 300;

/** What the zone says about a hostname. */
interface Pointing {
  readonly exists: boolean;
  readonly side: Side;
  /** Of a weighted record. */
  readonly newRatio: number;
  readonly ttlS: number;
}

interface Edit {
  readonly atNs: number;
  /** null: of all. */
  readonly hostnames: ReadonlySet<string> | null;
  readonly of: (before: Pointing) => Pointing;
}

/** All records of a name: here no name has two types, but for the top of a zone. */
interface RecordSet {
  readonly type: 'A' | 'CNAME';
  readonly ttlS: number;
  readonly data: readonly string[];
}

export function newNameService(options: NameServiceOptions): NameService {
  const { zone, setting, random, record, isHealthy } = options;
  const { places } = setting;
  const hostnames = new Set(setting.sites.map(({ hostname }) => bareName(hostname)));
  const fixed = new Map<string, RecordSet>();
  for (const hostname of setting.referenceHostnames) {
    const address = places.references[hostname];
    if (address !== undefined) fixed.set(bareName(hostname), { type: 'A', ttlS: fixedTtlS, data: [address] });
  }
  for (const side of ['old', 'new'] as const) {
    for (const name of setting.loadBalancerNames[side])
      fixed.set(bareName(name), { type: 'A', ttlS: loadBalancerTtlS, data: places.sides[side] });
  }
  const zones = newZones(zone, [...hostnames, ...fixed.keys()]);
  for (const [host, nameServer] of zones.nameServerNames) {
    const address = places.nameServers[nameServer];
    if (address !== undefined && !fixed.has(host)) fixed.set(host, { type: 'A', ttlS: fixedTtlS, data: [address] });
  }
  const lagNs = new Map(zone.nameServers.map(({ name, lagS }) => [name, sToNs(lagS)]));

  const first: Pointing = {
    exists: true,
    side: zone.startsAt ?? 'old',
    newRatio: zone.startsAt === 'new' ? 1 : 0,
    ttlS: zone.record === 'alias' ? loadBalancerTtlS : zone.ttlS,
  };
  let edits: readonly Edit[] = [];
  /** By hostname, in order. */
  let timelines = timelinesOf(edits);
  /** Instants at which some server begins to serve something, in order. */
  let due: readonly number[] = [];
  let isStarted = false;
  const recorded = new Map<string, string>();

  // ── what is said, and since when ───────────────────────────────────────────────────────────────────────────────────

  function edit(atNs: number, names: readonly string[] | null, of: Edit['of']): void {
    const one: Edit = { atNs, hostnames: names === null ? null : new Set(names.map(bareName)), of };
    edits = [...edits, one].toSorted((a, b) => a.atNs - b.atNs);
    timelines = timelinesOf(edits);
    due = [...due, ...[...lagNs.values()].map((lag) => atNs + lag)].toSorted((a, b) => a - b);
  }

  function timelinesOf(
    all: readonly Edit[],
  ): Map<string, readonly { readonly atNs: number; readonly says: Pointing }[]> {
    return new Map(
      [...hostnames].map((hostname) => {
        let says = first;
        const timeline = [{ atNs: Number.NEGATIVE_INFINITY, says }];
        for (const { atNs, hostnames: of, of: change } of all) {
          if (of !== null && !of.has(hostname)) continue;
          says = change(says);
          timeline.push({ atNs, says });
        }
        return [hostname, timeline];
      }),
    );
  }

  function pointing(nameServer: string, hostname: string, nowNs: number): Pointing {
    const lag = lagNs.get(nameServer);
    assert(lag !== undefined, 'only name servers of the world are asked');
    return timelines.get(hostname)?.findLast(({ atNs }) => atNs + lag <= nowNs)?.says ?? first;
  }

  /** The sides that its answers are drawn from. */
  function sidesOf(says: Pointing, hostname: string): readonly Side[] {
    if (!says.exists) return [];
    if (zone.record === 'weighted') return says.newRatio <= 0 ? ['old'] : says.newRatio >= 1 ? ['new'] : ['old', 'new'];
    if (zone.record !== 'failover') return [says.side];
    // Route 53: the primary while it is healthy, else the other; both unhealthy → primary (domain.md, B.1.5).
    const other: Side = says.side === 'old' ? 'new' : 'old';
    const failsOver = !isHealthy(says.side, hostname) && isHealthy(other, hostname);
    return [failsOver ? other : says.side];
  }

  // ── answers ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** null: there is no such name. */
  function recordSet(nameServer: string, name: string, nowNs: number): RecordSet | null {
    if (!hostnames.has(name)) return fixed.get(name) ?? null;
    const says = pointing(nameServer, name, nowNs);
    const sides = sidesOf(says, name);
    noteServed({ nameServer, hostname: name, says, sides, atNs: nowNs });
    const drawn = sides.length === 2 ? (random() < says.newRatio ? 'new' : 'old') : sides[0];
    if (drawn === undefined) return null;
    const target = setting.loadBalancerNames[drawn][0];
    if (zone.record === 'cname' && target !== undefined)
      return { type: 'CNAME', ttlS: says.ttlS, data: [bareName(target)] };
    return { type: 'A', ttlS: says.ttlS, data: places.sides[drawn] };
  }

  /** A name above one that exists is there too, without records of its own (RFC 8020). */
  function hasNameBelow(nameServer: string, name: string, nowNs: number): boolean {
    const isBelow = (other: string): boolean => name === '' || other.endsWith(`.${name}`);
    return (
      [...fixed.keys()].some(isBelow) ||
      [...hostnames].some((hostname) => isBelow(hostname) && pointing(nameServer, hostname, nowNs).exists)
    );
  }

  function ask(nameServer: string, question: DnsQuestion, nowNs: number): DnsContent {
    advance(nowNs);
    const answers: DnsRecord[] = [];
    let name = bareName(question.name);
    // As many links as the world can have: hostname → load balancer.
    for (;;) {
      const apex = zones.apexOf(name);
      if (apex === null) return { rcode: 'REFUSED', authoritative: false, ede: 0, answers, authority: [] };
      const own = apex === name ? apexRecords(apex, question.type) : [];
      if (own.length > 0) return { ...positive, answers: own };
      const set = recordSet(nameServer, name, nowNs);
      if (set !== null && (set.type === question.type || set.type === 'CNAME')) {
        for (const data of rotated(set.data, random)) answers.push({ name, type: set.type, ttlS: set.ttlS, data });
        if (set.type === question.type) return { ...positive, answers };
        name = set.data[0] ?? '';
        continue;
      }
      const exists = set !== null || apex === name || hasNameBelow(nameServer, name, nowNs);
      return { ...positive, rcode: exists ? 'NOERROR' : 'NXDOMAIN', answers, authority: [zones.negativeSoa(apex)] };
    }
  }

  function apexRecords(apex: string, type: DnsQuestion['type']): readonly DnsRecord[] {
    if (type === 'SOA') return [zones.soa(apex)];
    return type === 'NS' ? zones.ns(apex) : [];
  }

  // ── the truth ──────────────────────────────────────────────────────────────────────────────────────────────────────

  function noteServed(now: {
    readonly nameServer: string;
    readonly hostname: string;
    readonly says: Pointing;
    readonly sides: readonly Side[];
    readonly atNs: number;
  }): void {
    const { nameServer, hostname, says, sides, atNs } = now;
    const key = `${nameServer}|${hostname}`;
    // Weights as well: another share is another content.
    const text = `${sides.join()}|${says.ttlS}|${sides.length === 2 ? says.newRatio : ''}`;
    if (recorded.get(key) === text) return;
    recorded.set(key, text);
    record({
      type: 'record-served',
      atNs,
      nameServer,
      hostname,
      side: sides.length === 1 ? (sides[0] ?? null) : null,
      addresses: sides.flatMap((side) => places.sides[side]),
      ttlS: says.exists ? says.ttlS : negativeTtlS(zone),
    });
  }

  function noteAll(atNs: number): void {
    for (const nameServer of lagNs.keys()) {
      for (const hostname of hostnames) {
        const says = pointing(nameServer, hostname, atNs);
        noteServed({ nameServer, hostname, says, sides: sidesOf(says, hostname), atNs });
      }
    }
  }

  function advance(nowNs: number): void {
    if (!isStarted) noteAll(nowNs);
    isStarted = true;
    for (let next = due[0]; next !== undefined && next <= nowNs; next = due[0]) {
      due = due.filter((atNs) => atNs !== next);
      noteAll(next);
    }
  }

  return {
    ask,
    lowerTtl(ttlS, nowNs) {
      // Nobody can set the TTL of an alias (domain.md, 0.6).
      if (zone.record !== 'alias') edit(nowNs, null, (before) => ({ ...before, ttlS }));
    },
    pointAt(side, names, nowNs) {
      edit(nowNs, names, (before) => ({ ...before, exists: true, side, newRatio: side === 'new' ? 1 : 0 }));
    },
    shiftWeights(newRatio, nowNs) {
      edit(nowNs, null, (before) => ({ ...before, newRatio }));
    },
    deleteAndCreate(side, gapS, nowNs) {
      edit(nowNs, null, (before) => ({ ...before, exists: false }));
      const created = { exists: true, side, newRatio: side === 'new' ? 1 : 0 };
      edit(nowNs + sToNs(gapS), null, (before) => ({ ...before, ...created }));
    },
    advance(nowNs) {
      advance(nowNs);
      // Health is checked by whoever calls, and may be another now.
      if (zone.record === 'failover') noteAll(nowNs);
    },
    nextEventNs: () => due[0] ?? null,
  };
}

const positive: DnsContent = { rcode: 'NOERROR', authoritative: true, ede: 0, answers: [], authority: [] };
