/** The entries of a log in their order, and by type: most are DNS answers, and most questions are about few others. */
import type { Entry, EntryOf } from '../core/entry.ts';

export interface Journal {
  readonly entries: readonly Entry[];
  /** Those of one type, in order. */
  of<T extends Entry['type']>(type: T): readonly EntryOf<T>[];
}

/** By time; what is of the same instant by what it says, so that the order of arrival cannot show. */
export function newJournal(arrived: readonly Entry[]): Journal {
  const entries = arrived.toSorted((a, b) => a.atNs - b.atNs || compareSaid(a, b));
  const byType = Map.groupBy(entries, (entry) => entry.type);
  return {
    entries,
    of: <T extends Entry['type']>(type: T) => (byType.get(type) ?? []) as unknown as readonly EntryOf<T>[],
  };
}

/** Servers are asked in the same instant for many names: what was asked tells their answers apart at little cost. */
function compareSaid(a: Entry, b: Entry): number {
  if (a.type === 'dns-answered' && b.type === 'dns-answered') {
    const order = compareText(a.name, b.name) || compareText(a.server, b.server) || compareText(a.question, b.question);
    if (order !== 0) return order;
  } else if (a.type !== b.type) return compareText(a.type, b.type);
  return compareText(JSON.stringify(a), JSON.stringify(b));
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
