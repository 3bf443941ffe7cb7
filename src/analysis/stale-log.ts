/** Lines of an ALB's access log that are of our probes: where the load balancer sent each, by its own word. */
import type { EntryOf } from '../core/entry.ts';
import { parts } from '../core/row.ts';
import type { Journal } from './journal.ts';
import type { LaneView } from './lane-view.ts';

export type LogLine = Pick<EntryOf<'access-logged'>, 'target' | 'elbStatus' | 'targetStatus' | 'errorReason'>;

export interface Logged {
  readonly isEmpty: boolean;
  /** Of the slot's one result; null: the log has no line of it. */
  at(view: LaneView, slot: number): LogLine | null;
}

export function readLogged(journal: Journal): Logged {
  const lines = new Map<string, LogLine>();
  for (const entry of journal.of('access-logged')) {
    if (entry.part === parts.slot) lines.set(`${String(entry.lane)} ${String(entry.slot)}`, entry);
  }
  return {
    isEmpty: lines.size === 0,
    at: ({ lane, series }, slot) =>
      lines.size === 0 || series !== 'raw' ? null : (lines.get(`${String(lane.number)} ${String(slot)}`) ?? null),
  };
}
