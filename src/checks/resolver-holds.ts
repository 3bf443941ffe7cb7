/** No resolver of the scenario still shows a long life, and none remembers that there is nothing (domain.md, B.2, E2). */
import { durationText } from '../core/quantity-text.ts';
import { changesRecords, changingSets, isSettled } from '../core/record-set.ts';
import { nothingTold } from '../core/ttl-age.ts';
import type { Service } from '../core/scenario.ts';
import { rowsOf, someTime, type CheckResult } from './check.ts';
import { raisesTtls } from './lives.ts';
import { isPrivate } from './private-names.ts';
import type { Asked, Facts, NameFacts, ServerFacts } from './facts.ts';
import { addressesAsked, hasAddresses, limitTtlS, namesOf } from './record-sets.ts';
import { sidesOf } from './records.ts';
import { ageOf } from './ttl-aged-out.ts';

export function resolverHolds(facts: Facts, service: Service): readonly CheckResult[] {
  if (!changesRecords(facts.scenario)) return [];
  return namesOf(facts, service).flatMap((name) =>
    name.resolvers
      .filter(({ server }) => service.resolvers.includes(server))
      .flatMap((resolver) => [
        resolverRow(facts, service, name, resolver),
        ...leadsRows(facts, service, name, resolver),
      ]),
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
  const users = `Its users leave up to ${longestS} s after the switch; waiting does not change that.`;
  const seen = ageOf(facts, hostname, nothingTold);
  const lives = (facts.memory.resolvers?.[hostname] ?? []).filter((life) => life.server === server);
  if (seen.lowAtMs !== null && raisesTtls(lives, { limitS, sinceMs: seen.lowAtMs })) {
    const text = `${server} fetched ${hostname} anew and shows ${longestS} s although nobody serves more than ${limitS} s: it raises TTLs. ${users}`;
    return rows.fail({ ...said, decides: false, observed, text });
  }
  // Only what was seen says so: the scenario's word is what such an answer speaks against.
  if (seen.safeAtMs !== null && seen.safeAtMs <= facts.nowMs && longestS <= (seen.oldTtlS ?? 0)) {
    const text = `${server} shows ${longestS} s although nothing above ${limitS} s has been served for long enough: it keeps answers beyond their life, or makes it longer. ${users}`;
    return rows.fail({ ...said, decides: false, observed, text });
  }
  const { oldTtlS, safeAtMs } = ageOf(facts, hostname);
  const lowAtMs = Math.max(...shown.map((one) => one.lowAtMs));
  const held = `${server} still holds ${hostname} for ${durationText(longestS * 1000)}`;
  if (oldTtlS !== null && safeAtMs !== null && (longestS > oldTtlS || safeAtMs <= facts.nowMs)) {
    const text = `${held}: more than a TTL of ${oldTtlS} s before can have left, so it was higher, was lowered later, or this resolver raises TTLs.`;
    return rows.fail({ ...said, observed, text, heals: { atMs: lowAtMs, isEarliest: false } });
  }
  // What it shows beyond T_safe is its own doing, and no reason to wait.
  const atMs = safeAtMs === null ? lowAtMs : Math.min(lowAtMs, safeAtMs);
  return rows.fail({ ...said, observed, text: `${held}.`, heals: { atMs, isEarliest: false } });
}

/**
 * Its users may be answered by another view of the zone than the name servers that were asked have: then the switch that is
 * looked at is not theirs. Where nobody else can be asked, `records` looks at this.
 */
function leadsRows(
  facts: Facts,
  service: Service,
  name: NameFacts,
  { server, asked }: ServerFacts,
): readonly CheckResult[] {
  if (isPrivate(facts)) return [];
  const { hostname } = name;
  const { entering, leaving } = sidesOf(facts);
  const sides = [...new Set(addressesAsked(asked).flatMap(({ side }) => (side === 'none' ? [] : [side])))];
  const failed = addressesAsked(asked).some(({ reply }) => reply.kind === 'failed' || !isSettled(reply.rcode));
  if (failed || sides.every((side) => side === leaving)) return [];
  // By weights both are given, and on the way back some have not left yet.
  const mayBeBoth = facts.isRollback || facts.scenario.change.via === 'weights';
  if (mayBeBoth && !sides.includes('unknown')) return [];
  const title = facts.scenario.sides[entering].title;
  const where = sides.includes('unknown')
    ? 'addresses that the scenario gives to no side'
    : sides.join() === entering
      ? title
      : 'both sides';
  const subject = `${hostname} by ${server} leads to`;
  const text = `By ${server} ${hostname} leads to ${where}: it still keeps an earlier answer, or is answered by another view of the zone, such as a private one, that has to be switched by itself.`;
  const said = { subject, observed: sides.join(', '), expected: leaving, text };
  return [rowsOf(service.name, 'resolver').unknown({ ...said, heals: someTime })];
}

function endOf({ reply, endedAtMs }: Asked): number {
  return endedAtMs + (reply.kind === 'answered' ? reply.ttlS * 1000 : 0);
}
