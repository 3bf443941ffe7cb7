/** The entries of a log in their order, and by type: most are DNS answers, and most questions are about few others. */
import type { Entry, EntryOf } from '../core/entry.ts';

export interface Journal {
  readonly entries: readonly Entry[];
  /** Those of one type, in order. */
  of<T extends Entry['type']>(type: T): readonly EntryOf<T>[];
}

/** By time; what is of the same instant by what it says, so that the order of arrival cannot show. */
export function newJournal(arrived: readonly Entry[]): Journal {
  const entries = arrived.toSorted((a, b) => a.atNs - b.atNs || (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  const byType = Map.groupBy(entries, (entry) => entry.type);
  return {
    entries,
    of: <T extends Entry['type']>(type: T) => (byType.get(type) ?? []) as unknown as readonly EntryOf<T>[],
  };
}
