/** A residual curve from what was counted in each of its stretches, and what was to be expected. */
import {
  residualRatio,
  type OldReason,
  type ResidualCurve,
  type ResidualLevel,
  type ResidualPoint,
} from '../core/analysis.ts';
import { meanTheory, theoryEndS, theoryFallsToS, theoryRatio, type ResidualTheory } from '../core/residual-theory.ts';
import { nsToMs, nsToS, sToNs } from '../core/time.ts';
import type { Change } from './change.ts';
import type { RecordLife } from './leaving.ts';
import { inOrder } from './outages.ts';
import type { Expected } from './residual-theory.ts';

/** Of which change, and since when. */
export interface About {
  readonly change: Change;
  readonly changeIndex: number;
  readonly life: RecordLife;
  readonly fromNs: number;
  readonly lengthNs: number;
}

/** By stretch. */
export interface Counts {
  readonly leaving: Uint32Array;
  readonly target: Uint32Array;
  readonly unseen: Uint32Array;
  lastLeavingNs: number;
}

export function newCounts(edgesNs: readonly number[]): Counts {
  const length = edgesNs.length - 1;
  return {
    leaving: new Uint32Array(length),
    target: new Uint32Array(length),
    unseen: new Uint32Array(length),
    lastLeavingNs: -1,
  };
}

export interface CurveOptions extends About {
  readonly edgesNs: readonly number[];
  /** Of each lane: their mean is the curve's. */
  readonly expected: readonly Expected[];
  readonly lateReasons: Partial<Record<OldReason, number>>;
}

export function curveOf(
  whose: Pick<ResidualCurve, 'kind' | 'client' | 'resolver'>,
  counts: Counts,
  { change, changeIndex, fromNs, lengthNs, edgesNs, expected, lateReasons }: CurveOptions,
): ResidualCurve {
  const theory = theoryOf(expected);
  const points = pointsOf(counts, edgesNs, theory);
  return {
    ...whose,
    changeIndex,
    leaving: change.leaving,
    fromAtNs: fromNs,
    notBeforeNs: Math.min(fromNs, change.authorityLastNotBeforeNs ?? fromNs),
    watchedMs: nsToMs(lengthNs),
    points,
    levels: [0.5, 0.1, 0.01].map((ratio) => ({
      ratio,
      observedMs: fallsToMs(points, ratio, nsToMs(lengthNs)),
      theoryMs: theory === null ? null : finiteMs(theoryFallsToS(theory, ratio)),
    })),
    lastLeavingAtNs: counts.lastLeavingNs < 0 ? null : counts.lastLeavingNs,
    theoryEndMs: theory === null ? null : finiteMs(theoryEndS(theory)),
    theoryWhy: expected[0]?.why ?? '',
    lateReasons: inOrder(lateReasons),
  };
}

function theoryOf(expected: readonly Expected[]): ResidualTheory | null {
  const known = expected.flatMap(({ theory }) => (theory === null ? [] : [theory]));
  return known.length < expected.length ? null : meanTheory(known);
}

function finiteMs(s: number): number | null {
  return s === Infinity ? null : nsToMs(sToNs(s));
}

/** What comes after the last who was there, or may have been, or should have been, is left out. */
function pointsOf(counts: Counts, edgesNs: readonly number[], theory: ResidualTheory | null): ResidualPoint[] {
  const points: ResidualPoint[] = [];
  let shownCount = 0;
  for (let i = 0; i < edgesNs.length - 1; i += 1) {
    const [fromNs, toNs] = [edgesNs[i] as number, edgesNs[i + 1] as number];
    const [leavingCount = 0, targetCount = 0, unseenCount = 0] = [
      counts.leaving[i],
      counts.target[i],
      counts.unseen[i],
    ];
    if (leavingCount + targetCount + unseenCount === 0) continue;
    const ratio = theory === null ? null : theoryRatio(theory, nsToS((fromNs + toNs) / 2));
    points.push({
      afterMs: nsToMs(fromNs),
      untilMs: nsToMs(toNs),
      leavingCount,
      targetCount,
      unseenCount,
      theoryRatio: ratio,
    });
    if (leavingCount + unseenCount > 0 || (ratio ?? 0) > 0) shownCount = points.length;
  }
  // One more, so that what ended is seen to have ended.
  return points.slice(0, shownCount + 1);
}

/** It fell somewhere in the last stretch that is above. */
function fallsToMs(points: readonly ResidualPoint[], ratio: number, watchedMs: number): ResidualLevel['observedMs'] {
  const minAt = points.findLastIndex((point) => residualRatio(point).min > ratio);
  const maxAt = points.findLastIndex((point) => residualRatio(point).max > ratio);
  const stayed = points[minAt]?.untilMs === watchedMs;
  return {
    min: stayed ? null : (points[minAt]?.afterMs ?? 0),
    max: maxAt === -1 ? 0 : (points[maxAt + 1]?.afterMs ?? null),
  };
}
