/** Each reason why the log is not whole. With one of them, nothing may pass. */
import { countOf } from '../core/quantity-text.ts';
import type { Gathered } from './gathered.ts';
import type { Journal } from './journal.ts';
import type { LaneView } from './lane-view.ts';
import { nameOfLane } from '../core/lane-name.ts';

export function incompleteBecause(gathered: Gathered, views: readonly LaneView[], journal: Journal): string[] {
  const ended = journal.of('run-ended')[0];
  const noEnd = 'The log has no end: the run was killed, crashed, or is still going on.';
  return [...(ended === undefined ? [noEnd] : []), ...lostBecause(gathered, views, journal)];
}

/** The same of what the log should have: a run that still goes on has lost nothing by that. */
export function lostBecause(gathered: Gathered, views: readonly LaneView[], journal: Journal): string[] {
  const ended = journal.of('run-ended')[0];
  const reasons: string[] = [];
  if (ended !== undefined && ended.rowCount !== gathered.rowCount) {
    reasons.push(
      `The run wrote ${countOf(ended.rowCount, 'row')}, and ${countOf(gathered.rowCount, 'row')} could be read.`,
    );
  }
  for (const { what, error } of journal.of('write-failed')) reasons.push(`Writing ${what} failed: ${error}.`);
  if (gathered.namelessRowCount > 0) {
    reasons.push(`${countOf(gathered.namelessRowCount, 'row')} belong to lanes that the log does not name.`);
  }
  for (const view of views) {
    const { store, lane, slotCount } = view;
    const name = nameOfLane(lane);
    if (store.overflowCount > 0) {
      reasons.push(
        `${name}: ${countOf(store.overflowCount, 'slot')} unknown, because too many different things were seen.`,
      );
    }
    if (store.twiceCount > 0) reasons.push(`${name}: ${countOf(store.twiceCount, 'slot')} had a second result.`);
    if (ended !== undefined && store.slotMax >= slotCount)
      reasons.push(`${name}: slots after the end of probing have results.`);
  }
  return [...reasons, ...gathered.problems];
}
