/**
 * What resolvers and authoritative servers named over time. Of resolvers the answers that lanes got of them, and their
 * failures; of authoritative servers what the watch heard.
 */
import type { PictureResolver } from '../core/picture.ts';
import { outcomes } from '../core/outcome.ts';
import { nsPerS, nsToMs } from '../core/time.ts';
import type { Conclusion } from './analyse.ts';
import { isAuthoritative } from './authority-tracks.ts';
import { meanings, type LaneView } from './lane-view.ts';
import { observationAt } from './resolver-reading.ts';
import type { ResolverStory } from './resolver-story.ts';

type State = PictureResolver['states'][number]['state'];

/** It said so at some instant, or from `fromNs` on until `toNs`. */
interface Said {
  readonly fromNs: number;
  readonly toNs: number;
  readonly state: State;
  readonly ttlS: number | null;
}

/** Lanes that resolve per connection share a question a second. */
const pollNs = nsPerS;

/** Resolvers in the order of the report, then authoritative servers in theirs. */
export function drawResolvers(conclusion: Conclusion, views: readonly LaneView[], binMs: number): PictureResolver[] {
  const togetherNs = Math.max(pollNs, binMs * 1e6);
  const resolvers = [...conclusion.stories.values()].map((story) => {
    const { server: name, hostname } = story.reading.ledger;
    const { heldUntilNs } = story.reading;
    const said = [...givenBy(story), ...failedOf(views, name, hostname)];
    const heldUntilMs = { old: wholeMs(heldUntilNs.old), new: wholeMs(heldUntilNs.new) };
    return { name, hostname, heldUntilMs, states: statesOf(said, togetherNs) };
  });
  return [...resolvers, ...authorities(conclusion, togetherNs)];
}

function wholeMs(atNs: number): number | null {
  return Number.isFinite(atNs) ? Math.round(nsToMs(atNs)) : null;
}

function givenBy({ reading: { ledger, factsOf } }: ResolverStory): Said[] {
  // Rows may have come since it was read.
  ledger.order();
  return Array.from({ length: ledger.count }, (_, i): Said => {
    const { receivedNs, ttlS, answer } = observationAt(ledger, i);
    const { kind, side } = factsOf(answer);
    const state = kind !== 'given' || side === 'none' ? 'failed' : side;
    return { fromNs: receivedNs, toNs: receivedNs, state, ttlS: ttlS > 0 ? ttlS : null };
  });
}

/** What was asked and not told, by the lanes that asked. */
function failedOf(views: readonly LaneView[], resolver: string, hostname: string): Said[] {
  return views
    .filter(({ lane }) => lane.resolver?.name === resolver && lane.check.hostname === hostname)
    .flatMap((view) => {
      const isDns = view.facts.map(({ outcome }) => outcomes[outcome]?.startsWith('dns-') === true);
      if (!isDns.some((is, sighting) => is && (view.tally.failed[sighting] as number) > 0)) return [];
      const said: Said[] = [];
      for (let slot = 0; slot < view.slotCount; slot += 1) {
        if (view.meaning[slot] !== meanings.failed) continue;
        if (outcomes[view.factsAt(slot).outcome]?.startsWith('dns-') !== true) continue;
        const atNs = view.endedNs(slot);
        said.push({ fromNs: atNs, toNs: atNs, state: 'failed', ttlS: null });
      }
      return said;
    });
}

function authorities({ tracks, journal }: Conclusion, togetherNs: number): PictureResolver[] {
  const failures = Map.groupBy(
    journal.of('dns-answered').filter(({ watch, reply }) => {
      return watch === 'authority' && (reply.kind === 'failed' || !isAuthoritative(reply));
    }),
    ({ server, name, question }) => `${server} ${name} ${question}`,
  );
  const groups = Map.groupBy(tracks, ({ server, name }) => `${server} ${name}`);
  return [...groups.values()].flatMap((group): PictureResolver[] => {
    // Of IPv6 only where there is nothing else: most names have none, and that is no failure.
    const track =
      group.find(({ question, steps }) => question === 'A' && steps.some(({ side }) => side !== 'none')) ??
      group.find(({ steps }) => steps.some(({ side }) => side !== 'none')) ??
      group[0];
    if (track === undefined) return [];
    const { server, name, question, steps } = track;
    const said = steps.map(({ seenNs, lastSeenNs, side, ttlS }): Said => ({
      fromNs: seenNs,
      toNs: lastSeenNs,
      state: side === 'none' ? 'failed' : side,
      ttlS: side === 'none' ? null : ttlS,
    }));
    const failed = (failures.get(`${server} ${name} ${question}`) ?? []).map(({ reply: { endedAtNs } }): Said => {
      return { fromNs: endedAtNs, toNs: endedAtNs, state: 'failed', ttlS: null };
    });
    return [{ name: server, hostname: name, states: statesOf([...said, ...failed], togetherNs) }];
  });
}

interface Stretch {
  state: State;
  fromNs: number;
  toNs: number;
  ttlMin: number;
  ttlMax: number;
}

/**
 * Neighbours of one state put together; where states come and go within a bin, they are one: `mixed`, or `failed` where
 * some of the questions were not answered and the rest alike. A stretch lasts until the next one.
 */
function statesOf(said: readonly Said[], togetherNs: number): PictureResolver['states'] {
  const stretches: Stretch[] = [];
  for (const one of said.toSorted((a, b) => a.fromNs - b.fromNs || compare(a, b))) add(stretches, stretchOf(one));
  const calm: Stretch[] = [];
  for (const group of groupsWithin(stretches, togetherNs)) {
    const last = group.at(-1) as Stretch;
    // What it settles on is not of the coming and going.
    const isSettled = last.toNs - last.fromNs >= togetherNs;
    const parts = group.length <= 2 ? group : isSettled ? [mixedOf(group.slice(0, -1)), last] : [mixedOf(group)];
    for (const part of parts) add(calm, part);
  }
  return calm.map(({ state, fromNs, toNs, ttlMin, ttlMax }, i) => ({
    state,
    fromMs: Math.round(nsToMs(fromNs)),
    toMs: Math.round(nsToMs(calm[i + 1]?.fromNs ?? toNs)),
    ttlS: ttlMin <= ttlMax ? [ttlMin, ttlMax] : null,
  }));
}

function compare(a: Said, b: Said): number {
  return a.state === b.state ? (a.ttlS ?? -1) - (b.ttlS ?? -1) : a.state < b.state ? -1 : 1;
}

function stretchOf({ state, fromNs, toNs, ttlS }: Said): Stretch {
  return { state, fromNs, toNs, ttlMin: ttlS ?? Infinity, ttlMax: ttlS ?? -Infinity };
}

function add(stretches: Stretch[], next: Stretch): void {
  const last = stretches.at(-1);
  if (last?.state !== next.state) {
    stretches.push({ ...next });
    return;
  }
  last.toNs = Math.max(last.toNs, next.toNs);
  last.ttlMin = Math.min(last.ttlMin, next.ttlMin);
  last.ttlMax = Math.max(last.ttlMax, next.ttlMax);
}

/** Those that begin within one bin. */
function groupsWithin(stretches: readonly Stretch[], togetherNs: number): Stretch[][] {
  const binOf = ({ fromNs }: Stretch): number => Math.floor(fromNs / togetherNs);
  return [...Map.groupBy(stretches, binOf).values()];
}

function mixedOf(group: readonly Stretch[]): Stretch {
  const mixed = { ...(group[0] as Stretch) };
  for (const stretch of group.slice(1)) add([mixed], { ...stretch, state: mixed.state });
  const given = new Set(group.map(({ state }) => state).filter((state) => state !== 'failed'));
  return { ...mixed, state: given.size > 1 ? 'mixed' : 'failed' };
}
