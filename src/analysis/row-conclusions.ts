/** Row by row, what the analysis concluded. Nothing is decided here: views and causes have done that. */
import { parts } from '../core/row.ts';
import type { RowConclusion, RowConclusions } from '../core/row-conclusion.ts';
import type { Conclusion, ReadLane } from './analyse.ts';
import { newCauseAt, type CauseAt } from './cause-at.ts';
import { meanings } from './lane-view.ts';

/** By meaning. */
const results: readonly RowConclusion['result'][] = Object.entries(meanings)
  .toSorted(([, a], [, b]) => a - b)
  .map(([name]) => (name === 'pending' ? null : (name as RowConclusion['result'])));

/** By lane number. */
interface Series {
  readonly raw: (ReadLane | undefined)[];
  readonly retried: (ReadLane | undefined)[];
}

export function rowConclusions(conclusion: Conclusion): RowConclusions {
  const { lanes, sides } = conclusion;
  const causeAt = newCauseAt(conclusion);
  const series: Series = { raw: [], retried: [] };
  for (const read of lanes) series[read.view.series][read.view.lane.number] = read;
  return {
    of(lane, slot, part) {
      if (part === parts.slot) return concluded(series.raw[lane], slot, causeAt);
      if (part === parts.retried) return concluded(series.retried[lane], slot, causeAt);
      return concluded(series.raw[lane], slot, null);
    },
    sideOf: (address, face) => (address === 0 ? null : sides.seen(address, face)),
    isQualified: (lane) => series.raw[lane]?.context.isQualified ?? false,
  };
}

/** @param causeAt null: the row is no result of a slot */
function concluded(read: ReadLane | undefined, slot: number, causeAt: CauseAt | null): RowConclusion {
  if (read === undefined) return { result: null, failure: null, cause: null, phase: null };
  const { view, context } = read;
  const phase = view.lane.role === 'reference' ? null : context.phaseAt(view.dueNs(slot));
  const meaning = causeAt !== null ? (view.meaning[slot] ?? meanings.pending) : meanings.pending;
  if (meaning !== meanings.failed) return { result: results[meaning] ?? null, failure: null, cause: null, phase };
  return {
    result: 'failed',
    failure: view.factsAt(slot).failureClass,
    cause: causeAt?.(view, slot) ?? null,
    phase,
  };
}
