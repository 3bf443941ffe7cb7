/**
 * TTLs that were seen, over days: a spell for each server, name and type, as long as it served the same TTL. When one
 * ended is known only to within two looks, so the later look counts (docs/preflight.md).
 */
import type { Spell } from '../core/ttl-age.ts';
import { isLife, livesAfter, type Life, type ResolverLook } from './lives.ts';

export interface Memory {
  readonly kind: typeof memoryKind;
  readonly formatVersion: 1;
  /** The scenario's name. */
  readonly scenario: string;
  readonly hostnames: Readonly<Record<string, readonly Spell[]>>;
  /** What resolvers showed; left out where none was asked. */
  readonly resolvers?: Readonly<Record<string, readonly Life[]>>;
}

/** What one look saw of a hostname. */
export interface Seen {
  readonly hostname: string;
  readonly atMs: number;
  /** All authorities there are; null: it did not answer as one. */
  readonly servers: readonly {
    readonly server: string;
    readonly sets: readonly { readonly name: string; readonly type: string; readonly ttlS: number }[] | null;
  }[];
  /** Some servers could not be found: one that is not in the list is not gone for that. */
  readonly isPartial?: boolean;
  /** What resolvers showed that were asked in this look. */
  readonly resolvers?: readonly ResolverLook[];
}

const memoryKind = 'cutwatch-preflight-memory';
/** Of a hostname; a hostile server that changes its TTL at each look must not fill the file. */
const spellCountMax = 500;
/** Further ahead of the clock than this, and the clock was wrong then or is now. */
const aheadMsMax = 5000;

export function emptyMemory(scenario: string): Memory {
  return { kind: memoryKind, formatVersion: 1, scenario, hostnames: {} };
}

export function remember(memory: Memory, seen: Seen): Memory {
  const before = memory.hostnames[seen.hostname] ?? [];
  const after = { ...memory, hostnames: { ...memory.hostnames, [seen.hostname]: spellsAfter(before, seen) } };
  if (seen.resolvers === undefined) return after;
  const lives = seen.resolvers.reduce<readonly Life[]>(livesAfter, memory.resolvers?.[seen.hostname] ?? []);
  return { ...after, resolvers: { ...memory.resolvers, [seen.hostname]: lives } };
}

/** A look may come late, after others of another process that were later: then it ends nothing that they have seen. */
function spellsAfter(before: readonly Spell[], { atMs, servers, isPartial = false }: Seen): readonly Spell[] {
  const setsOf = new Map(servers.map(({ server, sets }) => [server, sets]));
  const goingOn = new Set<string>();
  const spells = before.map((spell) => {
    const { firstMs, lastMs, endedByMs } = spell;
    const sets = setsOf.get(spell.server);
    if (sets === null || (endedByMs !== null && endedByMs <= atMs)) return spell;
    if (sets === undefined && isPartial) return spell;
    const key = keyOf(spell.server, spell);
    if (sets?.some((set) => keyOf(spell.server, set) === key) !== true) {
      return lastMs < atMs ? { ...spell, endedByMs: atMs } : spell;
    }
    goingOn.add(key);
    return { ...spell, firstMs: Math.min(firstMs, atMs), lastMs: Math.max(lastMs, atMs) };
  });
  const begun = new Map<string, Spell>();
  for (const { server, sets } of servers) {
    for (const set of sets ?? []) {
      const { name, type, ttlS } = set;
      const key = keyOf(server, set);
      const spell = { server, name, type, ttlS, firstMs: atMs, lastMs: atMs, endedByMs: laterMs(before, server, atMs) };
      if (!goingOn.has(key)) begun.set(key, spell);
    }
  }
  // Whatever is dropped had least left to say: what ends its life in caches first.
  return [...spells, ...begun.values()]
    .toSorted((a, b) => lifeEndMs(b) - lifeEndMs(a))
    .slice(0, spellCountMax)
    .toSorted((a, b) => a.firstMs - b.firstMs || (keyOf(a.server, a) < keyOf(b.server, b) ? -1 : 1));
}

/** The first look after it that saw the server; null: there is none. */
function laterMs(spells: readonly Spell[], server: string, atMs: number): number | null {
  const looksMs = spells.filter((one) => one.server === server).flatMap(({ firstMs, lastMs }) => [firstMs, lastMs]);
  const laterLooksMs = looksMs.filter((ms) => ms > atMs);
  return laterLooksMs.length === 0 ? null : Math.min(...laterLooksMs);
}

function keyOf(server: string, { name, type, ttlS }: Pick<Spell, 'name' | 'type' | 'ttlS'>): string {
  return `${server} ${name} ${type} ${ttlS}`;
}

function lifeEndMs({ endedByMs, ttlS }: Spell): number {
  return endedByMs === null ? Infinity : endedByMs + ttlS * 1000;
}

// ── its file ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export function memoryText(memory: Memory): string {
  return `${JSON.stringify(memory, null, 1)}\n`;
}

/** A text instead: why it is not trusted. */
export function parseMemory(text: string, scenario: string, nowMs: number): Memory | string {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return 'is torn or no JSON';
  }
  if (!isMap(found) || found['kind'] !== memoryKind) return 'is not a memory of preflights';
  if (found['formatVersion'] !== 1) return 'is of another version of cutwatch';
  if (found['scenario'] !== scenario) return `is of another scenario, ${String(found['scenario'])}`;
  const { hostnames } = found;
  if (!isMap(hostnames)) return 'is damaged';
  const lists = Object.entries(hostnames);
  if (!lists.every(([, spells]) => Array.isArray(spells) && spells.every(isSpell))) return 'is damaged';
  const resolvers = found['resolvers'] ?? {};
  if (!isMap(resolvers)) return 'is damaged';
  if (!Object.values(resolvers).every((lives) => Array.isArray(lives) && lives.every(isLife))) return 'is damaged';
  const memory: Memory = {
    kind: memoryKind,
    formatVersion: 1,
    scenario,
    hostnames: hostnames as Memory['hostnames'],
    ...(found['resolvers'] === undefined ? {} : { resolvers: resolvers as NonNullable<Memory['resolvers']> }),
  };
  const all = [...Object.values(memory.hostnames), ...Object.values(memory.resolvers ?? {})].flat();
  const lastMs = Math.max(0, ...all.map((one) => one.lastMs));
  return lastMs > nowMs + aheadMsMax ? 'has seen things later than now: this clock is wrong, or was' : memory;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSpell(value: unknown): value is Spell {
  if (!isMap(value)) return false;
  const { server, name, type, ttlS, firstMs, lastMs, endedByMs } = value;
  const isNumber = (one: unknown): one is number => typeof one === 'number' && Number.isFinite(one) && one >= 0;
  return (
    [server, name, type].every((one) => typeof one === 'string') &&
    isNumber(ttlS) &&
    isNumber(firstMs) &&
    isNumber(lastMs) &&
    firstMs <= lastMs &&
    (endedByMs === null || (isNumber(endedByMs) && endedByMs >= lastMs))
  );
}
