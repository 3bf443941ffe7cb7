/**
 * What a resolver did with TTLs, in words, each with the observations that prove it and with what it must not be taken for.
 * Only what users may feel warns; the rest is for whoever wonders why this resolver was early or late.
 */
import type { Finding } from '../core/analysis.ts';
import { countOf, durationText, listText } from '../core/quantity-text.ts';
import { nsToMs, sToNs } from '../core/time.ts';
import type { AuthorityTrack } from './authority-tracks.ts';
import type { Change } from './change.ts';
import type { Definitions } from './gathered.ts';
import { endSlackNs, isProof, type RecordLife } from './leaving.ts';
import { lateAnswers } from './resolver-late.ts';
import { endSpreadNs, type Life, type Observation } from './resolver-lives.ts';
import type { Run } from './resolver-reading.ts';
import { isStaleAt, type ResolverStory } from './resolver-story.ts';

export interface Wording {
  readonly definitions: Definitions;
  /** An instant as people read it. */
  readonly at: (atNs: number) => string;
}

export function resolverFindings(story: ResolverStory, wording: Wording): Finding[] {
  return [
    ...lateFindings(story, wording),
    ...denialFindings(story, wording),
    ...staleFindings(story, wording),
    ...clampFindings(story, wording),
    ...cacheFindings(story, wording),
    ...omittedFindings(story),
  ];
}

function finding(
  { about }: ResolverStory,
  kind: string,
  severity: Finding['severity'],
  said: Pick<Finding, 'text' | 'evidence'>,
): Finding {
  return { kind: `resolver-${kind}`, service: about.service, severity, ...said };
}

function who({ reading }: ResolverStory): string {
  return `The resolver ${reading.ledger.server}`;
}

function what({ reading }: ResolverStory): string {
  return reading.ledger.hostname;
}

function observed(one: Observation, { definitions, at }: Wording): string {
  const answer = definitions.answer[one.answer];
  const said = answer === undefined ? '' : [answer.rcode, ...answer.addresses].filter((word) => word !== 'NOERROR');
  return `${at(one.askedNs)}: ${said === '' ? 'an answer' : said.join(' ') || 'no address'}, TTL ${String(one.ttlS)} s`;
}

function aged(life: Life, wording: Wording): string {
  const last = `then TTL ${String(life.last.ttlS)} s at ${wording.at(life.last.askedNs)}`;
  return `${observed(life.first, wording)}, ${last}: ends ${wording.at(life.endMinNs)}`;
}

// ── old answers after their end ──────────────────────────────────────────────────────────────────────────────────────

function lateFindings(story: ResolverStory, wording: Wording): Finding[] {
  return story.about.changes.flatMap(({ change, life }): Finding[] => {
    const late = lateAnswers(story.reading, change, life).filter((one) => !isStaleAt(story, one));
    const [first, last] = [late[0], late.at(-1)];
    if (first === undefined || last === undefined || life.expiresAtNs === null) return [];
    const lateMs = nsToMs(last.askedNs - life.expiresAtNs);
    const common = [
      observed(first, wording),
      ...(late.length > 1 ? [observed(last, wording)] : []),
      `no correct cache holds the ${change.leaving} side after ${wording.at(life.expiresAtNs)}`,
    ];
    const count = countOf(late.length, 'answer');
    if (!isProof(life)) {
      const because =
        life.unheard.length > 0
          ? `${listText(life.unheard)} last said the same and has not answered since, so a correct resolver may still get it there`
          : 'no authoritative server was heard, so when the record changed and how long it lived is not known';
      return [
        finding(story, 'lags', 'warn', {
          text: `${who(story)} gave the ${change.leaving} side for ${what(story)} until ${durationText(lateMs)} after the end that its TTL gave it (${count}). That is no proof: ${because}.`,
          evidence: common,
        }),
      ];
    }
    return [
      finding(story, 'violates-ttl', 'warn', {
        text: `${who(story)} gave the ${change.leaving} side for ${what(story)} until ${durationText(lateMs)} after every correct cache had dropped it (${count}). ${howLate(story, change, late)} ${notHeard(story)}`.trim(),
        evidence: [...common, changed(change, life, wording)],
      }),
    ];
  });
}

function changed({ seen }: Change, life: RecordLife, { at }: Wording): string {
  const heard =
    seen.authorityLastAtNs === null
      ? ''
      : `the last authoritative server was heard to have changed at ${at(seen.authorityLastAtNs)}`;
  return `${heard}; largest TTL not yet aged out: until ${at(life.expiresAtNs ?? 0)}`;
}

function howLate({ reading, conduct }: ResolverStory, change: Change, late: readonly Observation[]): string {
  if (conduct.kind === 'raises-ttl')
    return `It keeps answers for at least ${String(conduct.clampS)} s, whatever their TTL.`;
  const heardNs = change.seen.authorityLastAtNs ?? Infinity;
  const isRenewed = reading.lives.some(
    (life) =>
      life.first.askedNs > heardNs + endSlackNs &&
      reading.factsOf(life.first.answer).side === change.leaving &&
      life.endMinNs > (late[0] as Observation).askedNs,
  );
  return isRenewed
    ? 'It fetched that anew after the change: it hears another server, another view of the zone, or has the address written down.'
    : 'Neither several caches nor a TTL from before explain that.';
}

/** What the proof does not exclude. */
function notHeard({ tracks }: ResolverStory): string {
  const silent = tracks
    .filter((track) => track.question === 'A' && track.steps.length === 0)
    .map(({ server }) => server);
  return silent.length === 0 ? '' : `Not excluded: ${listText(silent)} never answered us, and may still serve it.`;
}

// ── "there is none" ──────────────────────────────────────────────────────────────────────────────────────────────────

function denialFindings(story: ResolverStory, wording: Wording): Finding[] {
  const { reading, about } = story;
  const tracks = story.tracks.filter(
    (track) => track.question === 'A' && track.steps.some((step) => step.side !== 'none'),
  );
  const kept = reading.denied.filter((run) => {
    const sinceNs = thereSince(tracks, run.last.askedNs);
    if (sinceNs === null || run.last.askedNs - sinceNs <= endSpreadNs) return false;
    return wording.definitions.answer[run.first.answer]?.rcode === 'NXDOMAIN' || about.isAskedForIpv4;
  });
  const [first, last] = [kept[0]?.first, kept.at(-1)?.last];
  if (first === undefined || last === undefined) return [];
  const sinceNs = thereSince(tracks, last.askedNs) ?? last.askedNs;
  const absences = tracks.flatMap(({ steps }) => steps).filter((step) => step.side === 'none' && step.seenNs < sinceNs);
  const gapS = Math.max(0, ...absences.map((step) => step.ttlS));
  const endNs = sinceNs + sToNs(gapS);
  const why =
    gapS === 0
      ? 'No authoritative server was heard without it in this run: it is remembered from before, or the resolver hears others.'
      : last.askedNs > endNs + endSlackNs
        ? `That is longer than the ${String(gapS)} s for which its absence may be remembered.`
        : `Its absence may be remembered for ${String(gapS)} s, until ${wording.at(endNs)}: change a record in place, never delete it first.`;
  const keptText = durationText(nsToMs(last.askedNs - sinceNs));
  return [
    finding(story, 'remembers-absence', 'warn', {
      text: `${who(story)} said that there is no ${what(story)} for ${keptText} after every authoritative server had it. ${why}`,
      evidence: [
        `every authoritative server has it since ${wording.at(sinceNs)}`,
        observed(first, wording),
        observed(last, wording),
      ],
    }),
  ];
}

/** When all servers that ever had the record had it, as heard before that instant; null = some had not. */
function thereSince(tracks: readonly AuthorityTrack[], atNs: number): number | null {
  let sinceNs = -Infinity;
  for (const { steps } of tracks) {
    const current = steps.findLastIndex((step) => step.seenNs <= atNs);
    if (current === -1 || steps[current]?.side === 'none') return null;
    let first = current;
    while (first > 0 && steps[first - 1]?.side !== 'none') first -= 1;
    sinceNs = Math.max(sinceNs, steps[first]?.seenNs ?? atNs);
  }
  return Number.isFinite(sinceNs) ? sinceNs : null;
}

// ── conduct ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function staleFindings(story: ResolverStory, wording: Wording): Finding[] {
  const { conduct, reading, about } = story;
  const [first] = conduct.stale;
  if (first === undefined) return [];
  const late = about.changes
    .flatMap(({ change, life }) => lateAnswers(reading, change, life))
    .filter((one) => isStaleAt(story, one));
  const count = conduct.stale.reduce((sum, run) => sum + run.count, 0);
  const isSaid = reading.stale.length > 0;
  const how = isSaid
    ? 'says so itself (RFC 8914)'
    : `gives them TTL ${String(first.first.ttlS)} s, which no authoritative server served and which does not count down`;
  const effect =
    late.length === 0
      ? 'Never with data that had changed for longer than the TTL allows.'
      : `With the side left ${countOf(late.length, 'time')} after every correct cache had dropped it, the last time at ${wording.at((late.at(-1) as Observation).askedNs)}.`;
  return [
    finding(story, 'serves-stale', late.length > 0 ? 'warn' : 'info', {
      text: `${who(story)} gives expired answers for ${what(story)} (${countOf(count, 'answer')}) and ${how}. RFC 8767 allows it while it reaches no authoritative server, some do it always. ${effect}`,
      evidence: conduct.stale.slice(0, 3).map((run) => spanOf(run, wording)),
    }),
  ];
}

function spanOf(run: Run, wording: Wording): string {
  if (run.count === 1) return observed(run.first, wording);
  return `${observed(run.first, wording)}; ${countOf(run.count, 'answer')} until ${wording.at(run.last.askedNs)}`;
}

function clampFindings(story: ResolverStory, wording: Wording): Finding[] {
  const { conduct } = story;
  const { kind, clampS, authorityS } = conduct;
  const [served, clamp] = [authorityS === null ? 'more' : `${String(authorityS)} s`, String(clampS)];
  const lives = conduct.lives.slice(0, 3).map((life) => aged(life, wording));
  switch (kind) {
    case 'raises-ttl':
      return [
        finding(story, 'raises-ttl', 'warn', {
          text: `${who(story)} keeps answers for ${what(story)} for at least ${clamp} s; no authoritative server served more than ${served} at that time. Its users follow a change that much later.`,
          evidence: lives,
        }),
      ];
    case 'lowers-ttl':
      return [
        finding(story, 'lowers-ttl', 'info', {
          text: `${who(story)} keeps answers for ${what(story)} for at most ${clamp} s; the authoritative servers say ${served}. Its users follow a change sooner.`,
          evidence: lives,
        }),
      ];
    case 'constant-ttl':
      return [
        finding(story, 'constant-ttl', 'info', {
          text: `${who(story)} gave ${what(story)} TTL ${clamp} s all the time. It does not count down, and whoever caches its answers may keep them for up to twice as long; or it keeps nothing, or has so many caches that each question met another one.`,
          evidence: conduct.runs.map((run) => spanOf(run, wording)),
        }),
      ];
    case 'prefetches':
      return [
        finding(story, 'prefetches', 'info', {
          text: `${who(story)} fetches ${what(story)} anew a little before it ends. That is harmless, and makes it follow sooner.`,
          evidence: lives,
        }),
      ];
    case 'honest':
    case 'serves-stale':
    case 'violates-ttl':
    case 'unknown':
      return heldFindings(story, wording);
  }
}

function heldFindings(story: ResolverStory, wording: Wording): Finding[] {
  const longest = story.conduct.heldFromBefore.toSorted((a, b) => b.endMaxNs - a.endMaxNs)[0];
  if (longest === undefined) return [];
  return [
    finding(story, 'holds-longer-ttl', 'info', {
      text: `${who(story)} held an answer for ${what(story)} until ${wording.at(longest.endMinNs)}, longer than the TTL of now allows: fetched with the TTL from before, or kept longer than it should be. Both are the same for its users until then.`,
      evidence: [aged(longest, wording)],
    }),
  ];
}

function cacheFindings(story: ResolverStory, wording: Wording): Finding[] {
  const { count, proof } = story.caches;
  if (count === null || count < 2) return [];
  return [
    finding(story, 'has-several-caches', 'info', {
      text: `Behind ${story.reading.ledger.server} there are at least ${String(count)} independent caches: for ${what(story)} their answers came to and fro, each with an end of its own. Its users follow a change when the last of them does, and may go back to the old side before.`,
      evidence: proof.map(
        (life) => `${aged(life, wording)}; seen ${countOf(life.count, 'time')} until ${wording.at(life.last.askedNs)}`,
      ),
    }),
  ];
}

function omittedFindings(story: ResolverStory): Finding[] {
  const { omittedCount, count } = story.reading.ledger;
  if (omittedCount === 0) return [];
  return [
    finding(story, 'ledger-full', 'warn', {
      text: `Of the answers of ${story.reading.ledger.server} for ${what(story)} ${countOf(count, 'observation')} were kept and ${String(omittedCount)} were not: what it did afterwards is not judged.`,
      evidence: [],
    }),
  ];
}
