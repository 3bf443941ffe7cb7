/** Answers of the side that a change left, asked for when no correct cache held them any more. */
import type { Change } from './change.ts';
import { endSlackNs, type RecordLife } from './leaving.ts';
import type { Observation } from './resolver-lives.ts';
import { observationAt, type Reading } from './resolver-reading.ts';

export function lateAnswers({ ledger, factsOf }: Reading, change: Change, life: RecordLife): readonly Observation[] {
  if (life.expiresAtNs === null) return [];
  const late: Observation[] = [];
  // In order of time: from the end back to the last that may be.
  for (let i = ledger.count - 1; i >= 0; i -= 1) {
    const askedNs = ledger.askedNs[i] as number;
    if (askedNs <= life.expiresAtNs + endSlackNs) break;
    if (askedNs >= change.untilNs) continue;
    const facts = factsOf(ledger.answer[i] as number);
    if (facts.kind === 'given' && facts.side === change.leaving) late.push(observationAt(ledger, i));
  }
  return late.toReversed();
}
