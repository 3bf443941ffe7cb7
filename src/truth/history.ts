/** The truth log, ready to be asked: what was so at an address, of a resolver or of a record, and when. */
import type { Side } from '../core/scenario.ts';
import type { Condition, FaultName, TruthEntry } from '../core/truth.ts';
import type { World } from '../core/world.ts';
import { Steps } from './steps.ts';

export type Hit = Extract<TruthEntry, { type: 'request-hit' }>;
export type Served = Extract<TruthEntry, { type: 'record-served' }>;

/** Of one hostname, on all name servers: the first that served another side. */
export interface Move {
  readonly from: Side;
  readonly to: Side;
  readonly firstAtNs: number;
  /** When the first name server no longer served the side it is from: earlier where the record was gone for a while. */
  readonly leftAtNs: number;
  /** When the last name server followed; null = not all did. */
  readonly lastAtNs: number | null;
}

export interface History {
  readonly world: World | null;
  readonly changeAtNs: number | null;
  /** Addresses of each side. */
  readonly addresses: Readonly<Record<Side, readonly string[]>>;
  sideOf(address: string): Side | null;
  conditions(address: string, hostname: string): Steps<Condition>;
  readonly ownNetwork: Steps<FaultName | null>;
  resolver(name: string): Steps<FaultName | null>;
  hit(lane: number, slot: number, part: number): Hit | null;
  /** What each name server served of this hostname. */
  records(hostname: string): ReadonlyMap<string, Steps<Served>>;
  /** By resolver: whether a cache of it held "there is none". */
  missing(resolver: string, hostname: string): Steps<{ readonly ttlS: number } | null>;
  readonly nameServers: ReadonlyMap<string, Steps<FaultName | null>>;
  moves(hostname: string): readonly Move[];
}

/** Weights and health checks move a record without anybody's having to leave, even when they come to all or nothing. */
export function movesEverybody({ world }: History): boolean {
  return world?.zone.record !== 'weighted' && world?.zone.record !== 'failover';
}

export function historyOf(entries: readonly TruthEntry[]): History {
  const sideOf = new Map<string, Side>();
  const conditions = new Map<string, Steps<Condition>>();
  const ownNetwork = new Steps<FaultName | null>();
  const resolvers = new Map<string, Steps<FaultName | null>>();
  const nameServers = new Map<string, Steps<FaultName | null>>();
  const records = new Map<string, Map<string, Steps<Served>>>();
  const missing = new Map<string, Steps<{ readonly ttlS: number } | null>>();
  const hits = new Map<string, Hit>();
  let world: World | null = null;
  let changeAtNs: number | null = null;

  for (const entry of entries) {
    switch (entry.type) {
      case 'world-started':
        world = entry.world;
        for (const side of ['old', 'new'] as const) {
          for (const address of entry.places.sides[side]) sideOf.set(address, side);
        }
        break;
      case 'change-made':
        changeAtNs = entry.atNs;
        break;
      case 'condition-changed':
        sideOf.set(entry.address, entry.side);
        keyed(conditions, `${entry.address}|${entry.hostname}`).add(entry.atNs, entry.condition);
        break;
      case 'network-changed':
        if (entry.where === 'own-network') ownNetwork.add(entry.atNs, entry.fault);
        else keyed(entry.where === 'resolver' ? resolvers : nameServers, entry.name).add(entry.atNs, entry.fault);
        break;
      case 'record-served': {
        const servers = records.get(entry.hostname) ?? new Map<string, Steps<Served>>();
        records.set(entry.hostname, servers);
        keyed(servers, entry.nameServer).add(entry.atNs, entry);
        break;
      }
      case 'answer-cached':
        keyed(missing, `${entry.resolver}|${entry.hostname}`).add(
          entry.atNs,
          entry.addresses.length === 0 ? { ttlS: entry.ttlS } : null,
        );
        break;
      case 'request-hit':
        if (entry.trace !== null) hits.set(`${entry.trace.lane}|${entry.trace.slot}|${entry.trace.part}`, entry);
        break;
      case 'step-done':
      case 'target-changed':
      case 'schedule-fired':
      case 'world-ended':
        break;
    }
  }
  const movesByHostname = new Map([...records].map(([hostname, servers]) => [hostname, movesOf(servers)]));
  const ofSide = (side: Side): string[] => [...sideOf].filter(([, own]) => own === side).map(([address]) => address);

  return {
    world,
    changeAtNs,
    addresses: { old: ofSide('old'), new: ofSide('new') },
    sideOf: (address) => sideOf.get(address) ?? null,
    conditions: (address, hostname) => conditions.get(`${address}|${hostname}`) ?? new Steps<Condition>(),
    ownNetwork,
    resolver: (name) => resolvers.get(name) ?? new Steps<FaultName | null>(),
    hit: (lane, slot, part) => hits.get(`${lane}|${slot}|${part}`) ?? null,
    records: (hostname) => records.get(hostname) ?? new Map<string, Steps<Served>>(),
    missing: (resolver, hostname) => missing.get(`${resolver}|${hostname}`) ?? new Steps(),
    nameServers,
    moves: (hostname) => movesByHostname.get(hostname) ?? [],
  };
}

function keyed<T>(map: Map<string, Steps<T>>, key: string): Steps<T> {
  let steps = map.get(key);
  if (steps === undefined) {
    steps = new Steps<T>();
    map.set(key, steps);
  }
  return steps;
}

/** In order. A record that is gone for a while moves when it is there again, on the other side. */
function movesOf(servers: ReadonlyMap<string, Steps<Served>>): readonly Move[] {
  const perServer = [...servers.values()].map((steps) => {
    const moves: { from: Side; to: Side; leftAtNs: number; atNs: number }[] = [];
    let side: Side | null = null;
    let leftAtNs: number | null = null;
    for (const { atNs, value } of steps.all()) {
      if (side !== null && value.side !== side) leftAtNs ??= atNs;
      if (value.side === null) continue;
      if (side !== null && value.side !== side)
        moves.push({ from: side, to: value.side, leftAtNs: leftAtNs ?? atNs, atNs });
      side = value.side;
      leftAtNs = null;
    }
    return moves;
  });
  const count = Math.max(0, ...perServer.map((moves) => moves.length));
  return Array.from({ length: count }, (_, i) => {
    const each = perServer.flatMap((moves) => moves[i] ?? []);
    const { from, to } = each[0] as (typeof each)[number];
    const atNs = each.map((move) => move.atNs);
    const isWhole = each.length === perServer.length;
    return {
      from,
      to,
      firstAtNs: Math.min(...atNs),
      leftAtNs: Math.min(...each.map((move) => move.leftAtNs)),
      lastAtNs: isWhole ? Math.max(...atNs) : null,
    };
  });
}
