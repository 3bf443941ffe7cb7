/** What one lane's rows leave behind until the next result: slots in a table, everything rare in lists. */
import { outcomeNumber } from '../core/outcome.ts';
import { parts, type RowColumns } from '../core/row.ts';
import type { Lane } from '../core/scenario.ts';
import { blindLateNs, dueAtNs, intervalNs } from '../core/schedule.ts';
import { nsPerMs, nsPerUs, nsToMs } from '../core/time.ts';
import { sightingBits, Sightings, sightingOverflow } from './sightings.ts';
import { SlotTable } from './slot-table.ts';
import type { AnswerLedgers } from './answer-ledger.ts';
import type { AnswersUsed } from './answers-used.ts';
import { Histogram } from './histogram.ts';

/** A row that is not the slot's one result. */
export interface ExtraRow {
  readonly slot: number;
  readonly sighting: number;
  readonly responseUs: number;
}

/** How often an address was tried in vain before another one answered or failed. */
export interface TriedBefore {
  count: number;
  firstSlot: number;
  lastSlot: number;
}

/** What all lanes together note of DNS answers. */
export interface AnswerNotes {
  readonly used: AnswersUsed;
  readonly ledgers: AnswerLedgers;
}

export class LaneStore {
  readonly lane: Lane;
  /** The row that asked, or else the first that used the answer, holds it for less than this. */
  readonly #freshAgeMs: number;
  /** A slot sent later than this after it was due says nothing about its due instant. */
  readonly blindLateUs: number;
  readonly slots: SlotTable = new SlotTable();
  readonly sightings: Sightings = new Sightings();
  /** By slot. */
  readonly retried: Map<number, ExtraRow> = new Map();
  readonly freshChecks: Map<number, ExtraRow> = new Map();
  /** By address number. */
  readonly triedBefore: Map<number, TriedBefore> = new Map();
  /** Which probing thread has this lane; -1 = not known yet. */
  worker = -1;
  /** The highest slot with a result; -1 = none. */
  slotMax = -1;
  /** Slots beyond the sightings that 16 bits can number. */
  overflowCount = 0;
  /** Slots that had a result already. */
  twiceCount = 0;
  /** sent − due, in µs, of slots that were sent. */
  readonly latenessUs: Histogram = new Histogram();

  constructor(lane: Lane) {
    this.lane = lane;
    // Where each connection asks, the row that asked is there; other clients ask beside their requests.
    const isFresh = lane.archetype.resolve.kind === 'per-connection';
    this.#freshAgeMs = isFresh ? 1 : 1000 + nsToMs(intervalNs(lane));
    this.blindLateUs = Math.ceil(blindLateNs(lane, lane.check.goodWithinMs) / nsPerUs);
  }

  row(columns: RowColumns, i: number, answers: AnswerNotes): void {
    const slot = columns.slot[i] as number;
    const part = columns.part[i] as number;
    const outcome = columns.outcome[i] as number;
    const lateUs = columns.lateUs[i] as number;
    const answer = columns.answer[i] as number;
    const answerTtlS = columns.answerTtlS[i] as number;
    const answerAgeMs = columns.answerAgeMs[i] as number;
    const connectionAgeMs = columns.connectionAgeMs[i] as number;
    const wasSent = outcome !== outcomeNumber.dropped && outcome !== outcomeNumber.withheld;
    const isExpired = answerTtlS > 0 && answerAgeMs > answerTtlS * 1000;
    const sighting = this.sightings.internPacked(
      outcome | ((columns.checks[i] as number) << 8) | ((columns.status[i] as number) << 16),
      (columns.address[i] as number) | ((columns.face[i] as number) << 16),
      answer | ((columns.error[i] as number) << 16),
      (connectionAgeMs > 0 ? sightingBits.kept : 0) |
        (isExpired ? sightingBits.expired : 0) |
        (wasSent && part === parts.slot && lateUs > this.blindLateUs ? sightingBits.late : 0),
    );
    const responseUs = lateUs + (columns.endedUs[i] as number);
    if (answer > 1) {
      const sentNs = dueAtNs(this.lane, slot) + lateUs * nsPerUs;
      answers.used.use(answer, answerTtlS, sentNs - answerAgeMs * nsPerMs);
      const resolvedUs = columns.resolvedUs[i] as number;
      // A failure that is remembered is no answer of now: it has neither an address nor a time that it took.
      const isAnswer = resolvedUs > 0 || (columns.address[i] as number) > 0;
      if (isAnswer && connectionAgeMs === 0 && answerAgeMs < this.#freshAgeMs) {
        const tookUs = answerAgeMs === 0 ? resolvedUs : 0;
        answers.ledgers.observe(answer, answerTtlS, sentNs - answerAgeMs * nsPerMs, tookUs);
      }
    }
    if (part !== parts.slot) {
      this.#extra(part, { slot, sighting, responseUs }, columns.address[i] as number);
      return;
    }
    if (wasSent) this.latenessUs.record(lateUs);
    if (sighting === sightingOverflow) this.overflowCount += 1;
    if (!this.slots.set(slot, sighting, responseUs, connectionAgeMs, answerAgeMs)) this.twiceCount += 1;
    if (slot > this.slotMax) this.slotMax = slot;
  }

  #extra(part: number, row: ExtraRow, address: number): void {
    if (part === parts.retried) this.retried.set(row.slot, row);
    else if (part === parts.freshCheck) this.freshChecks.set(row.slot, row);
    else if (part === parts.triedBefore) {
      const known = this.triedBefore.get(address);
      if (known === undefined) {
        this.triedBefore.set(address, { count: 1, firstSlot: row.slot, lastSlot: row.slot });
        return;
      }
      known.count += 1;
      known.firstSlot = Math.min(known.firstSlot, row.slot);
      known.lastSlot = Math.max(known.lastSlot, row.slot);
    }
  }
}
