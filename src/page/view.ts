/** What the reader has chosen to see. It outlives the data: new numbers come, zoom and filters stay. */
import { lengthOf, type Range } from './range.ts';

export interface Filter {
  readonly service: string;
  readonly client: string;
  readonly resolver: string;
}

export interface View {
  /** null = the whole run, also while it grows. */
  range: Range | null;
  filter: Filter;
  cursorMs: number | null;
}

export function newView(): View {
  return { range: null, filter: { service: '', client: '', resolver: '' }, cursorMs: null };
}

/** `''` lets everything pass. */
export function passes(
  { service, client, resolver }: Filter,
  one: { readonly service: string; readonly client: string; readonly resolver: string | null },
): boolean {
  return (
    (service === '' || service === one.service) &&
    (client === '' || client === one.client) &&
    (resolver === '' || resolver === one.resolver)
  );
}

/** Time counts from the first change of what is shown; null = none was seen, and it counts from the start. */
export function zeroOf(
  services: readonly { readonly name: string; readonly changedAtMs: number | null }[],
  filter: Filter,
): number | null {
  const instants = services.flatMap(({ name, changedAtMs }) =>
    changedAtMs !== null && (filter.service === '' || filter.service === name) ? [changedAtMs] : [],
  );
  return instants.length === 0 ? null : Math.min(...instants);
}

/** The change and its trouble: from a little before the first change to a little after the last failure. */
export function interestingRange(
  whole: Range,
  changesMs: readonly number[],
  lanes: readonly { readonly failures: readonly (readonly [bin: number, ...rest: unknown[]])[] }[],
  binMs: number,
): Range {
  const lastFailedMs = Math.max(0, ...lanes.map(({ failures }) => ((failures.at(-1)?.[0] ?? -1) + 1) * binMs));
  const fromMs = changesMs.length === 0 ? whole.fromMs : Math.min(...changesMs);
  const toMs = Math.max(...changesMs, lastFailedMs, fromMs + lengthOf(whole) * 0.02);
  const marginMs = Math.max(2000, (toMs - fromMs) * 0.25);
  return { fromMs: Math.max(whole.fromMs, fromMs - marginMs), toMs: Math.min(whole.toMs, toMs + marginMs) };
}
