/**
 * Whether names may be switched, as the run's own evidence had it just before they were; where nothing changed, at the end of
 * what was seen. The rules are those of a preflight (room `checks`) wherever both can look: records and TTLs, resolvers, the
 * side moved to, what tells the sides apart. A run sees besides whether its own clients were warm and well.
 */
import type { SafetyAdvice } from '../core/analysis.ts';
import { calibrationCountMin } from '../core/calibration.ts';
import { countOf, countText, durationText, listText } from '../core/quantity-text.ts';
import { changesRecords } from '../core/record-set.ts';
import type { Side } from '../core/scenario.ts';
import { slotsDueBefore } from '../core/schedule.ts';
import { nsToMs, sToNs } from '../core/time.ts';
import { adviceOf, no, notBefore, unknown, yes, type Point } from './advice.ts';
import type { AuthorityReplies } from './authority-replies.ts';
import { meanings, isSeen, type LaneView } from './lane-view.ts';
import type { ResolverStories } from './resolver-story.ts';
import { resolverPoints } from './safe-to-switch-resolvers.ts';
import { recordsOf } from './safe-to-switch-records.ts';
import type { ServiceContext } from './service-analysis.ts';
import { otherSide, type AnswerSide } from './sides.ts';
import { coldLanes, warmNs } from './warmth.ts';

export interface SwitchEvidence {
  readonly replies: AuthorityReplies;
  readonly stories: ResolverStories;
  /** What the log should have and has not. */
  readonly lostBecause: readonly string[];
  readonly startedAtMs: number;
  /** The names of both sides, with all addresses that each has had. */
  readonly sideNames: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  readonly sideOf: (addresses: readonly string[], chain: readonly string[]) => AnswerSide;
  /** An instant as people read it. */
  readonly at: (atNs: number) => string;
}

export function safeToSwitch(context: ServiceContext, evidence: SwitchEvidence): SafetyAdvice {
  const { scenario, changes, views, endNs, service } = context;
  if (scenario.change.via === 'deploy') return adviceOf([unknown('A deployment switches no name.')]);
  const [change] = changes;
  const nowNs = change?.seen.usedAtNs ?? endNs;
  const leaving: Side = change?.leaving ?? (scenario.change.direction === 'old-to-new' ? 'old' : 'new');
  const target = otherSide(leaving);
  const hostnames = [...new Set(service.checks.map(({ hostname }) => hostname))];
  const names = changesRecords(scenario)
    ? hostnames.map((hostname) => recordsOf({ scenario, hostname, leaving, nowNs }, evidence))
    : [];
  const ttlS = Math.max(scenario.change.ttlS ?? 0, ...names.map((name) => name.ttlS ?? 0));
  return adviceOf([
    ...evidence.lostBecause.slice(0, 1).map((why) => unknown(`The log is not whole. ${why}`)),
    ...names.flatMap(({ points }) => points),
    ...names.flatMap((name) => resolverPoints({ service, name, nowNs }, evidence)),
    ...targetPoints(views, { target, title: scenario.sides[target].title, nowNs }),
    identityPoint(views, nowNs),
    ...clientPoints(context, { nowNs, ttlS }),
  ]);
}

// ── the side moved to ────────────────────────────────────────────────────────────────────────────────────────────────

const lookBackS = 60;
/** As for a client in baseline. */
const goodCountMin = 10;

function sideLanes(views: readonly LaneView[], side: Side): readonly LaneView[] {
  return views.filter(({ lane, series }) => lane.role === 'side' && lane.client === `side:${side}` && series === 'raw');
}

/** Each of its addresses was well for the last minute, asked without DNS. */
function targetPoints(
  views: readonly LaneView[],
  { target, title, nowNs }: { readonly target: Side; readonly title: string; readonly nowNs: number },
): readonly Point[] {
  const lanes = sideLanes(views, target);
  if (lanes.length === 0) return [unknown(`Nothing asked ${title} itself: give its addresses in sides.`)];
  const points = lanes.map((view) => {
    const { good, failed, slow, blocked } = lastMinute(view, nowNs);
    const where = `${title} at ${view.lane.address ?? '?'}`;
    const seen = good + failed + slow;
    const minute = `in the last ${durationText(lookBackS * 1000)}`;
    if (failed > 0) return no(`${where} failed ${countOf(failed, 'probe')} of ${String(seen)} ${minute}.`);
    if (slow > seen / 2) return no(`${where} is too slow: ${String(slow)} of ${countOf(seen, 'probe')} ${minute}.`);
    if (blocked > 0) return unknown(`${where} refuses the prober: nothing is known of what users get.`);
    if (good < goodCountMin) return unknown(`${where} was good ${countOf(good, 'time')} ${minute}: too few to know.`);
    return yes();
  });
  return [...points, yes(`Each address of ${title} answers well by itself.`)];
}

function lastMinute(view: LaneView, nowNs: number): Counts {
  return countsIn(view, nowNs - sToNs(lookBackS), nowNs);
}

type Counts = Readonly<Record<'good' | 'failed' | 'slow' | 'blocked', number>>;

function countsIn(view: LaneView, fromNs: number, nowNs: number): Counts {
  const counts = { good: 0, failed: 0, slow: 0, blocked: 0 };
  const to = Math.min(view.slotCount, slotsDueBefore(view.lane, nowNs));
  for (let slot = slotsDueBefore(view.lane, fromNs); slot < to; slot += 1) {
    const meaning = view.meaning[slot];
    if (meaning === meanings.good) counts.good += 1;
    else if (meaning === meanings.blocked) counts.blocked += 1;
    else if (meaning === meanings.failed) counts[view.factsAt(slot).reading === 'right' ? 'slow' : 'failed'] += 1;
  }
  return counts;
}

// ── what tells the sides apart ───────────────────────────────────────────────────────────────────────────────────────

function identityPoint(views: readonly LaneView[], nowNs: number): Point {
  const counts = { old: tellCount(views, 'old', nowNs), new: tellCount(views, 'new', nowNs) };
  const [ofOld, ofNew] = [counts.old.right + counts.old.wrong, counts.new.right + counts.new.wrong];
  const all = `${countOf(ofOld, 'answer')} of old, ${countText(ofNew)} of new`;
  const wrong = counts.old.wrong + counts.new.wrong;
  if (wrong > 0) {
    return no(`Address, certificate and marker do not always tell the sides apart: not ${countText(wrong)} of ${all}.`);
  }
  if (Math.min(counts.old.right, counts.new.right) < calibrationCountMin) {
    return unknown(
      `Too few answers to know what tells the sides apart: ${all}, of ${String(calibrationCountMin)} each.`,
    );
  }
  return yes(`The sides are told apart (${all}).`);
}

/** Answers on a side's own lanes that are of that side by their signs, and those that are not. */
function tellCount(
  views: readonly LaneView[],
  side: Side,
  nowNs: number,
): { readonly right: number; readonly wrong: number } {
  let [right, wrong] = [0, 0];
  for (const view of sideLanes(views, side)) {
    const to = Math.min(view.slotCount, slotsDueBefore(view.lane, nowNs));
    for (let slot = 0; slot < to; slot += 1) {
      if (!isSeen(view, slot)) continue;
      const facts = view.factsAt(slot);
      if (!facts.isAnswered) continue;
      if (facts.side === side) right += 1;
      else wrong += 1;
    }
  }
  return { right, wrong };
}

// ── our own clients ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Whoever is down for so long before the switch cannot tell what the switch does. */
const failingS = 30;

function clientPoints(
  { service, views, qualified }: ServiceContext,
  { nowNs, ttlS }: { readonly nowNs: number; readonly ttlS: number },
): readonly Point[] {
  const judged = views.filter(({ lane }) => lane.judged);
  const points: Point[] = judged.some((view) => qualified.has(view))
    ? []
    : [no(`No judged client of ${service.name} was good ten times in a row.`)];
  const seen = judged
    .filter((view) => qualified.has(view))
    .map((view) => countsIn(view, nowNs - sToNs(failingS), nowNs));
  if (seen.some(({ failed, slow }) => failed + slow > 0) && seen.every(({ good }) => good === 0)) {
    points.push(no(`No judged client of ${service.name} was good in the last ${String(failingS)} s.`));
  }
  const neededNs = warmNs(ttlS);
  const cold = coldLanes(judged, nowNs, neededNs);
  const never = cold.filter(({ warmSinceNs }) => warmSinceNs === null);
  if (never.length > 0) {
    const clients = [...new Set(never.map(({ view }) => view.lane.client))];
    points.push(no(`${listText(clients)} had no answer yet to keep.`));
  }
  const since = cold.flatMap(({ warmSinceNs }) => (warmSinceNs === null ? [] : [warmSinceNs]));
  if (since.length > 0) {
    const clients = [...new Set(cold.map(({ view }) => view.lane.client))];
    const needed = durationText(nsToMs(neededNs));
    points.push(
      notBefore(
        Math.max(...since) + neededNs,
        nowNs,
        `${listText(clients)} had kept answers or connections for less than ${needed}: such users have older ones.`,
      ),
    );
  }
  return points;
}
