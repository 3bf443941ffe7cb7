/** No resolver of the scenario still shows a long life, and none remembers that there is nothing (domain.md, B.2, E2). */
import { durationText } from '../core/quantity-text.ts';
import { changesRecords, changingSets, isSettled } from '../core/record-set.ts';
import type { Service } from '../core/scenario.ts';
import { rowsOf, someTime, type CheckResult } from './check.ts';
import type { Asked, Facts, NameFacts, ServerFacts } from './facts.ts';
import { addressesAsked, hasAddresses, limitTtlS, namesOf } from './record-sets.ts';
import { ageOf } from './ttl-aged-out.ts';

export function resolverHolds(facts: Facts, service: Service): readonly CheckResult[] {
  if (!changesRecords(facts.scenario)) return [];
  return namesOf(facts, service).flatMap((name) =>
    name.resolvers
      .filter(({ server }) => service.resolvers.includes(server))
      .map((resolver) => resolverRow(facts, service, name, resolver)),
  );
}

function resolverRow(facts: Facts, service: Service, name: NameFacts, { server, asked }: ServerFacts): CheckResult {
  const rows = rowsOf(service.name, 'resolver');
  const { hostname } = name;
  const limitS = limitTtlS(facts, name);
  const said = { subject: `${hostname} by ${server}`, expected: `an answer with at most ${limitS} s to live` };
  const failed = addressesAsked(asked).find(({ reply }) => reply.kind === 'failed' || !isSettled(reply.rcode));
  if (failed !== undefined) {
    const { reply } = failed;
    const observed = reply.kind === 'failed' ? reply.error || reply.reason : reply.rcode;
    const text = `${server} does not answer for ${hostname}: ${observed}.`;
    return rows.unknown({ ...said, observed, text, heals: someTime });
  }
  if (!hasAddresses(asked)) {
    const endsAtMs = Math.max(...addressesAsked(asked).map(endOf));
    const text = `${server} remembers that ${hostname} has no address, for ${durationText(endsAtMs - facts.nowMs, 'up')} more.`;
    return rows.fail({ ...said, observed: 'no address', text, heals: { atMs: endsAtMs, isEarliest: false } });
  }
  const shown = asked.flatMap((one) =>
    changingSets(facts.scenario, hostname, [one]).map(({ ttlS }) => ({
      ttlS,
      lowAtMs: one.endedAtMs + (ttlS - limitS) * 1000,
    })),
  );
  const longestS = Math.max(0, ...shown.map(({ ttlS }) => ttlS));
  const observed = `${longestS} s to live`;
  if (longestS <= limitS) {
    return rows.pass({ ...said, observed, text: `${server} holds ${hostname} for ${longestS} s at most.` });
  }
  const { safeAtMs } = ageOf(facts, hostname);
  if (safeAtMs !== null && safeAtMs <= facts.nowMs) {
    const text =
      `${server} shows ${longestS} s although nothing above ${limitS} s has been served for long enough: it raises TTLs, or ` +
      `keeps answers beyond them. Its users leave up to ${longestS} s after the switch; waiting does not change that.`;
    return rows.fail({ ...said, decides: false, observed, text });
  }
  const lowAtMs = Math.max(...shown.map((one) => one.lowAtMs));
  // What it shows beyond T_safe is its own doing, and no reason to wait.
  const atMs = safeAtMs === null ? lowAtMs : Math.min(lowAtMs, safeAtMs);
  const text = `${server} still holds ${hostname} for ${durationText(longestS * 1000)}.`;
  return rows.fail({ ...said, observed, text, heals: { atMs, isEarliest: false } });
}

function endOf({ reply, endedAtMs }: Asked): number {
  return endedAtMs + (reply.kind === 'answered' ? reply.ttlS * 1000 : 0);
}
