/**
 * Names whose authorities nobody can ask (`authorities: none`, as private zones have it): what the scenario's resolvers
 * show of their TTLs. Enough for whoever asks these resolvers; a name server that lags behind stays unseen.
 */
import { durationText, listText } from '../core/quantity-text.ts';
import { isSideName } from '../core/record-set.ts';
import type { Service } from '../core/scenario.ts';
import { rowsOf, someTime, type CheckResult } from './check.ts';
import type { Facts, NameFacts } from './facts.ts';
import { toldBy, type Told } from './lives.ts';
import { limitTtlS } from './record-sets.ts';

export function isPrivate({ scenario }: Facts): boolean {
  return scenario.authorities === 'none';
}

const wayOut = 'Name a server of the zone (authorities: ["10.0.0.2:53"]) to have it said at once.';

interface ToldByResolver extends Told {
  readonly server: string;
}

/** By each resolver that the service's users ask. */
function toldOf(facts: Facts, service: Service, name: NameFacts): readonly ToldByResolver[] {
  const lives = (facts.memory.resolvers?.[name.hostname] ?? []).filter(
    (life) => !isSideName(facts.scenario, life.name),
  );
  const limitS = limitTtlS(facts, name);
  return name.resolvers
    .filter(({ server }) => service.resolvers.includes(server))
    .map(({ server }) => ({
      server,
      ...toldBy(
        lives.filter((life) => life.server === server),
        { limitS, nowMs: facts.nowMs },
      ),
    }));
}

/** Resolvers that are to be looked at once a second: only just after the end of a life is it seen how long the next one is. */
export function unsureResolvers(facts: Facts): readonly { readonly hostname: string; readonly server: string }[] {
  if (!isPrivate(facts)) return [];
  return facts.scenario.services.flatMap((service) =>
    facts.names.flatMap((name) =>
      toldOf(facts, service, name)
        .filter(({ lowAtMs }) => lowAtMs === null)
        .map(({ server }) => ({ hostname: name.hostname, server })),
    ),
  );
}

export function privateTtlLowered(facts: Facts, service: Service, name: NameFacts): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'ttl-lowered');
  const { hostname } = name;
  const limitS = limitTtlS(facts, name);
  const expected = `fetched anew with at most ${limitS} s to live`;
  const told = toldOf(facts, service, name);
  if (told.length === 0) {
    const text = `Nobody knows the TTL of ${hostname}: the scenario has no authorities, and no resolver that says TTLs. ${wayOut}`;
    return [rows.unknown({ subject: hostname, observed: 'no one to ask', expected, text })];
  }
  return told.map(({ server, lowAtMs }) => {
    const subject = `${hostname} by ${server}`;
    if (lowAtMs !== null) {
      const text = `${server} fetches ${hostname} with a TTL of about ${limitS} s or less.`;
      return rows.pass({ subject, observed: `fetched anew, at most about ${limitS} s`, expected, text });
    }
    const text = `${server} shows how long ${hostname} will still live, not its TTL: that is seen when it is fetched anew, and --wait waits for it. ${wayOut}`;
    return rows.unknown({ subject, observed: 'not yet fetched anew', expected, text, heals: someTime });
  });
}

export function privateAgedOut(facts: Facts, service: Service, name: NameFacts): CheckResult {
  const rows = rowsOf(service.name, 'ttl-aged-out');
  const { hostname } = name;
  const { nowMs, scenario } = facts;
  const { ttlBeforeS, ttlLoweredAt } = scenario.change;
  const told = toldOf(facts, service, name);
  const said = { subject: hostname, expected: 'every cache that obeys has dropped what was served before' };
  const unsure = told.filter(({ lowAtMs }) => lowAtMs === null).map(({ server }) => server);
  if (told.length === 0 || unsure.length > 0) {
    const who = unsure.length === 0 ? 'a resolver' : listText(unsure);
    const text = `The time begins when ${who} has fetched ${hostname} with the low TTL.`;
    return rows.unknown({ ...said, observed: 'not known', text, ...(told.length === 0 ? {} : { heals: someTime }) });
  }
  const seenMs = Math.max(...told.map(({ lowAtMs }) => lowAtMs ?? 0));
  const toldMs = ttlLoweredAt === null ? Infinity : Date.parse(ttlLoweredAt);
  // The scenario's word counts where nothing that was seen speaks against it.
  const isTold = told.every(({ highAfterMs }) => highAfterMs === null || highAfterMs < toldMs);
  const lowAtMs = isTold ? Math.min(seenMs, toldMs) : seenMs;
  const seenTtls = told.flatMap(({ highTtlS }) => (highTtlS === null ? [] : [highTtlS]));
  const oldTtlS = Math.max(...seenTtls, ttlBeforeS ?? -Infinity);
  const low = new Date(lowAtMs).toISOString();
  if (oldTtlS === -Infinity) {
    const text = `Nothing is known of the TTL of ${hostname} before ${low}, and other resolvers may still hold it. Say change.ttlBeforeS and change.ttlLoweredAt.`;
    return rows.unknown({ ...said, observed: `low since ${low} at the latest, TTL before not known`, text });
  }
  const heldUntilMs = Math.max(...told.map((one) => one.heldUntilMs));
  const safeAtMs = Math.max(heldUntilMs, lowAtMs + oldTtlS * 1000 + granularityMs);
  const from = seenTtls.includes(oldTtlS) ? 'as resolvers showed' : 'as change.ttlBeforeS says';
  const observed = `TTL ${oldTtlS} s before, ${from}; low since ${low}`;
  if (safeAtMs <= nowMs) {
    return rows.pass({ ...said, observed, text: 'What was served before has left every cache that obeys.' });
  }
  const left = durationText(safeAtMs - nowMs, 'up');
  const text = `Caches may keep what was served with TTL ${oldTtlS} s until ${new Date(safeAtMs).toISOString()}, for ${left}.`;
  return rows.fail({ ...said, observed, text, heals: { atMs: safeAtMs, isEarliest: false } });
}

/** TTLs are counted in seconds, and by another clock than ours. */
const granularityMs = 2000;
