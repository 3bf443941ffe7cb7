/**
 * When the last cache that obeys has dropped what was served before the TTL was lowered (domain.md, B.3):
 *
 *   T_safe = T_low + T_old + ε
 *
 * T_low: the last server lowered it. T_old: the largest TTL served before that and not aged out by then. ε: 1 s, in which
 * TTLs are counted, and 1 s more where somebody else's clock says when it was lowered. Instants are wall clock, ms.
 */
import type { ChangeSpec } from './scenario.ts';

const granularityMs = 1000;
const otherClockMs = 1000;
/** Nobody is to keep an answer longer (RFC 8767, 4: a cap of 7 days is recommended; BIND's max-cache-ttl is that). */
const ttlSMax = 604_800;

/** As long as one server served one TTL for a name and type. */
export interface Spell {
  /** `address:port`. */
  readonly server: string;
  readonly name: string;
  readonly type: string;
  readonly ttlS: number;
  /** Wall clock of the first and the last look that saw it. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** The first look that saw it gone: another TTL, no record, no such server. null: it goes on. */
  readonly endedByMs: number | null;
}

export interface TtlFacts {
  /** Of the records that change, on every server. */
  readonly spells: readonly Spell[];
  /** What a TTL may be. */
  readonly limitS: number;
  readonly change: Pick<ChangeSpec, 'ttlBeforeS' | 'ttlLoweredAt'>;
  readonly nowMs: number;
}

/** For whoever sees something that speaks against the scenario's word: then only what was seen counts. */
export const nothingTold: TtlFacts['change'] = { ttlBeforeS: null, ttlLoweredAt: null };

export interface TtlAge {
  /** null: nothing is known of the TTL before, or some server has not lowered it yet. */
  readonly safeAtMs: number | null;
  readonly lowAtMs: number | null;
  readonly oldTtlS: number | null;
  /** Where nothing is known of the TTL before: from then on nobody keeps any. */
  readonly surelyAtMs: number | null;
  /** Servers that serve more than the limit. */
  readonly highServers: readonly string[];
  /** Others serve it low already. */
  readonly isUnderWay: boolean;
  /** `oldTtlS` was seen, and is not only the scenario's word. */
  readonly isSeen: boolean;
  /** When it is safe if a TTL as high as this were lowered everywhere now. */
  readonly earliestMs: (ttlS: number) => number;
}

export function ttlAge({ spells, limitS, change, nowMs }: TtlFacts): TtlAge {
  const high = spells.filter(({ ttlS }) => ttlS > limitS);
  const { ttlBeforeS } = change;
  const earliestMs = (ttlS: number): number => {
    const alive = high.filter((spell) => isAlive(spell, nowMs)).map((one) => one.ttlS);
    return nowMs + Math.max(ttlS, ttlBeforeS ?? 0, ...alive) * 1000 + granularityMs;
  };
  const highServers = [...new Set(high.filter(({ endedByMs }) => endedByMs === null).map(({ server }) => server))];
  const isUnderWay = spells.some(({ server, endedByMs }) => endedByMs === null && !highServers.includes(server));
  const none: TtlAge = {
    safeAtMs: null,
    lowAtMs: null,
    oldTtlS: null,
    surelyAtMs: null,
    highServers,
    isUnderWay,
    isSeen: false,
    earliestMs,
  };
  if (spells.length === 0 || highServers.length > 0) return none;

  const lows = [...Map.groupBy(spells, ({ server }) => server).values()].map((own) => loweredAt(own, limitS, change));
  const lowAtMs = Math.max(...lows.map(({ atMs }) => atMs));
  const seenS = high.filter((spell) => isAlive(spell, lowAtMs)).map(({ ttlS }) => ttlS);
  const oldTtlS = Math.max(...seenS, ttlBeforeS ?? -Infinity);
  const isTold = lows.some((low) => low.isTold);
  if (oldTtlS === -Infinity) return { ...none, lowAtMs, surelyAtMs: lowAtMs + ttlSMax * 1000 + granularityMs };
  // What was never above the limit needed no lowering.
  const safeAtMs = oldTtlS <= limitS ? lowAtMs : lowAtMs + oldTtlS * 1000 + granularityMs + (isTold ? otherClockMs : 0);
  return { ...none, safeAtMs, lowAtMs, oldTtlS, isSeen: seenS.includes(oldTtlS) };
}

/** Some cache may still hold it. */
function isAlive({ endedByMs, ttlS }: Spell, atMs: number): boolean {
  return endedByMs === null || endedByMs + ttlS * 1000 + granularityMs > atMs;
}

/**
 * Of one server: some time between the last look that saw it high, if one did, and the first that did not. The scenario's
 * word counts where it is within that; else the end, which is the latest that it can have been.
 */
function loweredAt(
  spells: readonly Spell[],
  limitS: number,
  change: TtlFacts['change'],
): { readonly atMs: number; readonly isTold: boolean } {
  const high = spells.filter(({ ttlS }) => ttlS > limitS).toSorted((a, b) => endMs(b) - endMs(a))[0];
  const toMs = high === undefined ? Math.min(...spells.map(({ firstMs }) => firstMs)) : endMs(high);
  const toldMs = change.ttlLoweredAt === null ? Infinity : Date.parse(change.ttlLoweredAt);
  const isTold = toldMs < toMs && toldMs > (high?.lastMs ?? -Infinity);
  return { atMs: isTold ? toldMs : toMs, isTold };
}

function endMs({ endedByMs }: Spell): number {
  return endedByMs ?? Infinity;
}
