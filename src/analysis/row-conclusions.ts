/** Row by row, what the analysis concluded. Nothing is decided here: views and causes have done that. */
import { parts } from '../core/row.ts';
import type { RowConclusion, RowConclusions } from '../core/row-conclusion.ts';
import type { Conclusion, ReadLane } from './analyse.ts';
import { causeOf } from './causes.ts';
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

export function rowConclusions({ lanes, sides }: Conclusion): RowConclusions {
  const series: Series = { raw: [], retried: [] };
  for (const read of lanes) series[read.view.series][read.view.lane.number] = read;
  return {
    of(lane, slot, part) {
      if (part === parts.slot) return concluded(series.raw[lane], slot, true);
      if (part === parts.retried) return concluded(series.retried[lane], slot, true);
      return concluded(series.raw[lane], slot, false);
    },
    sideOf: (address, face) => (address === 0 ? null : sides.seen(address, face)),
    isQualified: (lane) => series.raw[lane]?.context.isQualified ?? false,
  };
}

function concluded(read: ReadLane | undefined, slot: number, isResult: boolean): RowConclusion {
  if (read === undefined) return { result: null, failure: null, cause: null, phase: null };
  const { view, context } = read;
  const phase = view.lane.role === 'reference' ? null : context.phaseAt(view.dueNs(slot));
  const meaning = isResult ? (view.meaning[slot] ?? meanings.pending) : meanings.pending;
  if (meaning !== meanings.failed) return { result: results[meaning] ?? null, failure: null, cause: null, phase };
  return {
    result: 'failed',
    failure: view.factsAt(slot).failureClass,
    cause: causeOf(view, slot, context),
    phase,
  };
}
