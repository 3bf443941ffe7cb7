/** Whether what was served before the TTL was lowered has left every cache that obeys (`core/ttl-age.ts`). */
import { countOf, durationText } from '../core/quantity-text.ts';
import { aliasTtlS, changesRecords, isSideName } from '../core/record-set.ts';
import type { Service } from '../core/scenario.ts';
import { ttlAge, type TtlAge, type TtlFacts } from '../core/ttl-age.ts';
import { rowsOf, someTime, type CheckResult } from './check.ts';
import type { Facts, NameFacts } from './facts.ts';
import { isPrivate, privateAgedOut } from './private-names.ts';
import { limitTtlS, looksLikeAlias, namesOf } from './record-sets.ts';

/** As far as this look and earlier ones have seen; `change`: what the scenario says besides. */
export function ageOf(facts: Facts, hostname: string, change: TtlFacts['change'] = facts.scenario.change): TtlAge {
  const { scenario, nowMs, memory } = facts;
  const name = facts.names.find((one) => one.hostname === hostname);
  return ttlAge({
    spells: (memory.hostnames[hostname] ?? []).filter((spell) => !isSideName(scenario, spell.name)),
    limitS: name === undefined ? Infinity : limitTtlS(facts, name),
    change,
    nowMs,
  });
}

export function ttlAgedOut(facts: Facts, service: Service): readonly CheckResult[] {
  if (!changesRecords(facts.scenario)) return [];
  const row = isPrivate(facts) ? privateAgedOut : agedRow;
  return namesOf(facts, service).map((name) => row(facts, service, name));
}

function agedRow(facts: Facts, service: Service, name: NameFacts): CheckResult {
  const rows = rowsOf(service.name, 'ttl-aged-out');
  const { hostname } = name;
  const { nowMs } = facts;
  const { safeAtMs, lowAtMs, oldTtlS, surelyAtMs, highServers, isUnderWay, isSeen, earliestMs } = ageOf(
    facts,
    hostname,
  );
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
    const observed = `low since ${low} at the latest, TTL before not known`;
    if (surelyAtMs !== null && surelyAtMs <= nowMs) {
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
  const from = isSeen ? 'as seen by earlier looks' : 'as change.ttlBeforeS says';
  const observed = `TTL ${oldTtlS} s before, ${from}; low since ${low}`;
  if (safeAtMs <= nowMs) {
    return rows.pass({ ...said, observed, text: `What was served before has left every cache that obeys.` });
  }
  const left = durationText(safeAtMs - nowMs, 'up');
  const text = `Caches may keep what was served with TTL ${oldTtlS} s until ${new Date(safeAtMs).toISOString()}, for ${left}.`;
  return rows.fail({ ...said, observed, text, heals: { atMs: safeAtMs, isEarliest: false } });
}
