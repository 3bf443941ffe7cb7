/**
 * When the last cache that obeys has dropped what was served before the TTL was lowered (domain.md, B.3):
 *
 *   T_safe = T_low + T_old + ε
 *
 * T_low: the last server lowered it. T_old: the largest TTL served before that and not aged out by then. ε: 1 s, in which
 * TTLs are counted, and 1 s more where somebody else's clock says when it was lowered.
 */
import { countOf, durationText } from '../core/quantity-text.ts';
import type { Scenario, Service } from '../core/scenario.ts';
import { rowsOf, someTime, type CheckResult } from './check.ts';
import type { Facts, NameFacts } from './facts.ts';
import type { Spell } from './memory.ts';
import { aliasTtlS, changesRecords, looksLikeAlias, isSideName, limitTtlS, namesOf } from './record-sets.ts';

const granularityMs = 1000;
const otherClockMs = 1000;
/** Nobody is to keep an answer longer (RFC 8767, 4: a cap of 7 days is recommended; BIND's max-cache-ttl is that). */
const ttlSMax = 604_800;

export interface Age {
  /** null: nothing is known of the TTL before, or some server has not lowered it yet. */
  readonly safeAtMs: number | null;
  readonly lowAtMs: number | null;
  readonly oldTtlS: number | null;
  /** Servers that serve more than the limit. */
  readonly highServers: readonly string[];
  /** Others serve it low already. */
  readonly isUnderWay: boolean;
  /** From what it is known. */
  readonly from: string;
  /** When it is safe if a TTL as high as this were lowered everywhere now. */
  readonly earliestMs: (ttlS: number) => number;
}

export function ageOf(facts: Facts, hostname: string): Age {
  const { scenario, nowMs, memory } = facts;
  const name = facts.names.find((one) => one.hostname === hostname);
  const limitS = name === undefined ? Infinity : limitTtlS(facts, name);
  const spells = (memory.hostnames[hostname] ?? []).filter((spell) => !isSideName(scenario, spell.name));
  const high = spells.filter(({ ttlS }) => ttlS > limitS);
  const { ttlBeforeS } = scenario.change;
  const earliestMs = (ttlS: number): number => {
    const oldS = Math.max(
      ttlS,
      ttlBeforeS ?? 0,
      ...high.filter((spell) => isAlive(spell, nowMs)).map((one) => one.ttlS),
    );
    return nowMs + oldS * 1000 + granularityMs;
  };
  const highServers = [...new Set(high.filter(({ endedByMs }) => endedByMs === null).map(({ server }) => server))];
  const isUnderWay = spells.some(({ server, endedByMs }) => endedByMs === null && !highServers.includes(server));
  const none: Age = { safeAtMs: null, lowAtMs: null, oldTtlS: null, highServers, isUnderWay, from: '', earliestMs };
  if (spells.length === 0 || highServers.length > 0) return none;

  const lows = [...Map.groupBy(spells, ({ server }) => server).values()].map((own) => loweredAt(own, limitS, scenario));
  const lowAtMs = Math.max(...lows.map(({ atMs }) => atMs));
  const seenS = high.filter((spell) => isAlive(spell, lowAtMs)).map(({ ttlS }) => ttlS);
  const oldTtlS = Math.max(...seenS, ttlBeforeS ?? -Infinity);
  const isTold = lows.some((low) => low.isTold);
  if (oldTtlS === -Infinity) return { ...none, lowAtMs, safeAtMs: null };
  const from = seenS.includes(oldTtlS) ? 'as seen by earlier looks' : 'as change.ttlBeforeS says';
  // What was never above the limit needed no lowering.
  const safeAtMs = oldTtlS <= limitS ? lowAtMs : lowAtMs + oldTtlS * 1000 + granularityMs + (isTold ? otherClockMs : 0);
  return { ...none, safeAtMs, lowAtMs, oldTtlS, from };
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
  { change }: Scenario,
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

// ── the rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export function ttlAgedOut(facts: Facts, service: Service): readonly CheckResult[] {
  if (!changesRecords(facts.scenario)) return [];
  return namesOf(facts, service).map((name) => agedRow(facts, service, name));
}

function agedRow(facts: Facts, service: Service, name: NameFacts): CheckResult {
  const rows = rowsOf(service.name, 'ttl-aged-out');
  const { hostname } = name;
  const { nowMs } = facts;
  const { safeAtMs, lowAtMs, oldTtlS, highServers, isUnderWay, from, earliestMs } = ageOf(facts, hostname);
  const said = { subject: hostname, expected: 'every cache that obeys has dropped what was served before' };
  if (highServers.length > 0) {
    const observed = `still high on ${countOf(highServers.length, 'name server')}`;
    const text = `The time begins when the last name server has lowered the TTL of ${hostname}.`;
    // Where nobody has lowered it yet, nobody knows when that will be.
    const heals = isUnderWay ? { atMs: earliestMs(0), isEarliest: true } : someTime;
    return rows.fail({ ...said, observed, text, heals });
  }
  if (lowAtMs === null) {
    const text = `No name server has said what it serves for ${hostname}.`;
    return rows.unknown({ ...said, observed: 'not known', text, heals: someTime });
  }
  const low = new Date(lowAtMs).toISOString();
  if (oldTtlS === null || safeAtMs === null) {
    const surelyMs = lowAtMs + ttlSMax * 1000 + granularityMs;
    const observed = `low since ${low} at the latest, TTL before not known`;
    if (surelyMs <= nowMs) {
      const text = `The TTL of ${hostname} has been low for 7 days, longer than caches keep anything.`;
      return rows.pass({ ...said, observed, text });
    }
    // A record with the same addresses and TTL looks the same, and may have been lowered just now.
    const hint = looksLikeAlias(facts, name)
      ? ` If it has always been an alias to a load balancer, ttlBeforeS is ${aliasTtlS}.`
      : '';
    const text = `Nothing is known of the TTL of ${hostname} before ${low}. Say change.ttlBeforeS and change.ttlLoweredAt.${hint}`;
    return rows.unknown({ ...said, observed, text });
  }
  const observed = `TTL ${oldTtlS} s before, ${from}; low since ${low}`;
  if (safeAtMs <= nowMs) {
    return rows.pass({ ...said, observed, text: `What was served before has left every cache that obeys.` });
  }
  const left = durationText(safeAtMs - nowMs, 'up');
  const text = `Caches may keep what was served with TTL ${oldTtlS} s until ${new Date(safeAtMs).toISOString()}, for ${left}.`;
  return rows.fail({ ...said, observed, text, heals: { atMs: safeAtMs, isEarliest: false } });
}
