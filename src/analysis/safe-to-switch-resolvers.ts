/** No watched resolver still shows a long life before a switch, and none remembers that there is nothing. */
import { durationText } from '../core/quantity-text.ts';
import type { Service } from '../core/scenario.ts';
import { nsToMs, sToNs } from '../core/time.ts';
import { no, notBefore, said, unknown, yes, type Point } from './advice.ts';
import { endSpreadNs, type Life } from './resolver-lives.ts';
import { observationAt } from './resolver-reading.ts';
import { storyKey, type ResolverStory } from './resolver-story.ts';
import type { SwitchEvidence } from './safe-to-switch.ts';
import type { Records } from './safe-to-switch-records.ts';

/** A question that is lost says nothing yet. */
const heardWithinNs = sToNs(10);

interface Asked {
  readonly service: Service;
  readonly name: Records;
  readonly nowNs: number;
}

export function resolverPoints({ service, name, nowNs }: Asked, { stories, at }: SwitchEvidence): readonly Point[] {
  const points = service.resolvers.map((resolver) => {
    const story = stories.get(storyKey(resolver, name.hostname));
    const kind = story === undefined ? null : lastKind(story, nowNs);
    if (story === undefined || kind === null) {
      return unknown(`${resolver} did not answer for ${name.hostname} in the last 10 s.`);
    }
    if (kind === 'denied') return no(`${resolver} remembers that ${name.hostname} has no address.`);
    const endNs = longestNs(story, nowNs);
    if (endNs - nowNs <= sToNs(name.limitS) + endSpreadNs) return yes();
    const held = durationText(nsToMs(endNs - nowNs));
    // What nobody saw being served is the scenario's word, and this speaks against it.
    if (
      name.toldTtlS !== null &&
      endNs - nowNs > sToNs(name.toldTtlS) + endSpreadNs &&
      !isRaising(story, name.limitS, nowNs)
    ) {
      const text = `${resolver} held ${name.hostname} for ${held}, more than a TTL of ${String(name.toldTtlS)} s before can have left: it was higher, or was lowered later.`;
      return notBefore(endNs - sToNs(name.limitS), nowNs, text);
    }
    if (name.safeAtNs !== null && name.safeAtNs <= nowNs) {
      return said(
        `${resolver} held ${name.hostname} for ${held} more although nothing above ${String(name.limitS)} s had been served for long enough: it raises TTLs, or keeps answers beyond them, and its users leave that much later.`,
      );
    }
    // What it shows beyond T_safe is its own doing, and no reason to wait.
    const lowNs = Math.min(endNs - sToNs(name.limitS), name.safeAtNs ?? Infinity);
    return notBefore(lowNs, nowNs, `${resolver} still held ${name.hostname} for ${held}, until ${at(endNs)}.`);
  });
  const areAllLow = points.length > 0 && points.every(({ weight }) => weight === 'yes');
  return areAllLow ? [...points, yes(`No watched resolver held ${name.hostname} for longer.`)] : points;
}

/** It was seen to fetch the name anew and to keep it for longer than anybody served it, or never counts down. */
function isRaising({ caches, reading }: ResolverStory, limitS: number, nowNs: number): boolean {
  const isRefill = (life: Life, before: Life | undefined): boolean =>
    before !== undefined &&
    life.first.receivedNs <= nowNs &&
    life.first.ttlS > limitS &&
    before.endMinNs <= life.first.receivedNs + endSpreadNs;
  return (
    caches.entries.some((lives) => lives.some((life, i) => isRefill(life, lives[i - 1]))) ||
    reading.flats.some(({ first }) => first.receivedNs <= nowNs && first.ttlS > limitS)
  );
}

/** What it last said of the name; null: nothing, for so long. */
function lastKind({ reading }: ResolverStory, nowNs: number): 'given' | 'denied' | null {
  const { ledger, factsOf } = reading;
  for (let i = ledger.count - 1; i >= 0; i -= 1) {
    const { askedNs, receivedNs, answer } = observationAt(ledger, i);
    if (askedNs < nowNs - heardWithinNs) return null;
    if (receivedNs > nowNs) continue;
    const { kind } = factsOf(answer);
    if (kind !== 'failed') return kind;
  }
  return null;
}

/** Until when its caches keep what they have: of each the newest entry, for a newer one takes the place of an older. */
function longestNs({ reading, caches }: ResolverStory, nowNs: number): number {
  let longest = -Infinity;
  for (const lives of caches.entries) {
    const newest = new Map<number, number>();
    for (const life of lives) if (life.first.receivedNs <= nowNs) newest.set(life.families, life.endMaxNs);
    longest = Math.max(longest, ...newest.values());
  }
  // What does not count down may be kept for as long again from the last time it was shown.
  for (const { first, last } of reading.flats) {
    if (first.receivedNs > nowNs) continue;
    const shownNs = Math.min(last.receivedNs, nowNs);
    longest = Math.max(longest, shownNs + sToNs(first.ttlS));
  }
  return longest;
}
