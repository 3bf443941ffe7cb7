/** What each request of a run did, read from its rows: which way it took and how it ended. Not whether that was right. */
import { isRight, outcomes, type Outcome } from '../core/outcome.ts';
import { parts, type Answer, type RowBatch } from '../core/row.ts';
import { dueAtNs } from '../core/schedule.ts';
import type { Lane } from '../core/scenario.ts';
import { nsPerMs, nsPerUs } from '../core/time.ts';

export interface Attempt {
  readonly slot: number;
  readonly part: number;
  readonly dueNs: number;
  readonly sentNs: number;
  /** When it knew its address. */
  readonly resolvedNs: number;
  readonly endedNs: number;
  readonly outcome: Outcome;
  readonly status: number;
  /** Status, headers and body were as expected. */
  readonly isRight: boolean;
  /** Null: none was tried. */
  readonly address: string | null;
  readonly isKept: boolean;
  /** When its connection was opened; of a new one, when it was sent. */
  readonly bornNs: number;
  readonly answer: Answer | null;
}

export interface LaneAttempts {
  /** By slot: its own result. */
  readonly slots: readonly (Attempt | undefined)[];
  /** By slot: what the retried series has instead. */
  readonly retried: ReadonlyMap<number, Attempt>;
  /** By slot: addresses that were tried in vain, in order. */
  readonly triedBefore: ReadonlyMap<number, readonly Attempt[]>;
}

/** By lane number. Batches may lend their columns: nothing of them is kept. */
export function readAttempts(lanes: readonly Lane[], batches: Iterable<RowBatch>): ReadonlyMap<number, LaneAttempts> {
  const byLane = new Map(
    lanes.map((lane) => [
      lane.number,
      {
        lane,
        slots: [] as (Attempt | undefined)[],
        retried: new Map<number, Attempt>(),
        triedBefore: new Map<number, Attempt[]>(),
      },
    ]),
  );
  const addresses = new Map<number, string>();
  const answers = new Map<number, Answer>();
  for (const { rowCount, columns, definitions } of batches) {
    for (const definition of definitions) {
      if (definition.kind === 'address') addresses.set(definition.number, definition.value);
      if (definition.kind === 'answer') answers.set(definition.number, definition.value);
    }
    for (let i = 0; i < rowCount; i += 1) {
      const found = byLane.get(columns.lane[i] as number);
      if (found === undefined) continue;
      const slot = columns.slot[i] as number;
      const dueNs = dueAtNs(found.lane, slot);
      const sentNs = dueNs + (columns.lateUs[i] as number) * nsPerUs;
      const ageMs = columns.connectionAgeMs[i] as number;
      const attempt: Attempt = {
        slot,
        part: columns.part[i] as number,
        dueNs,
        sentNs,
        resolvedNs: sentNs + (columns.resolvedUs[i] as number) * nsPerUs,
        endedNs: sentNs + (columns.endedUs[i] as number) * nsPerUs,
        outcome: outcomes[columns.outcome[i] as number] ?? 'none',
        status: columns.status[i] as number,
        isRight: isRight(columns.checks[i] as number),
        address: addresses.get(columns.address[i] as number) ?? null,
        isKept: ageMs > 0,
        bornNs: sentNs - ageMs * nsPerMs,
        answer: answers.get(columns.answer[i] as number) ?? null,
      };
      if (attempt.part === parts.slot) found.slots[slot] = attempt;
      else if (attempt.part === parts.retried) found.retried.set(slot, attempt);
      else if (attempt.part === parts.triedBefore) {
        found.triedBefore.set(slot, [...(found.triedBefore.get(slot) ?? []), attempt]);
      }
    }
  }
  return byLane;
}
