/** Resolvers of the live view: what each answers now, how long that may be kept, and when the last should have changed. */
import { durationText } from '../core/quantity-text.ts';
import type { PictureResolver } from '../core/picture.ts';
import type { Side } from '../core/scenario.ts';
import { boundsText, type ShownService } from './live-lanes.ts';
import { fit, span, type Line, type Span } from './live-line.ts';
import type { LiveView } from './live-view.ts';
import type { Report, ReportResolver, ReportService } from './shape.ts';
import type { Snapshot } from './snapshot.ts';
import { columnsOf } from './text-width.ts';

interface Row {
  /** Lower first. */
  readonly rank: number;
  readonly name: string;
  readonly hostname: string;
  readonly state: Span;
  readonly rest: Span;
}

/** Those that have not changed first. Empty where no resolver is watched, or the filter leaves none. */
export function resolverLines(
  snapshot: Snapshot,
  services: readonly ShownService[],
  view: LiveView,
): Line[] {
  const { report, picture } = snapshot;
  const drawn = new Map(picture.resolvers.map((one) => [keyOf(one), one]));
  const rows = services.flatMap(({ service, lanes }) => {
    const names = new Set(lanes.map(({ resolver }) => resolver));
    const hostnames = new Set(service.checks.map(({ url }) => hostnameOf(url)));
    return report.resolvers
      .filter(({ name, hostname }) => hostnames.has(hostname) && (view.filter === '' || names.has(name)))
      .map((resolver) => rowOf({ report, service, resolver, drawn: drawn.get(keyOf(resolver)), nowMs: view.nowMs }));
  });
  const once = [...new Map(rows.map((row) => [keyOf(row), row])).values()].sort((a, b) => a.rank - b.rank);
  const widest = (of: (row: Row) => string): number => Math.max(0, ...once.map((row) => columnsOf(of(row))));
  const [name, hostname, state] = [widest((row) => row.name), widest((row) => row.hostname), widest((row) => row.state.text)];
  return once.map((row) => [
    ...fit([span(row.name, 'strong')], Math.min(name, 24)),
    span('  '),
    ...fit([span(row.hostname)], Math.min(hostname, 30)),
    span('  '),
    ...fit([row.state], state),
    span('  '),
    row.rest,
  ]);
}

function keyOf({ name, hostname }: { readonly name: string; readonly hostname: string }): string {
  return `${name}\n${hostname}`;
}

function hostnameOf(url: string): string {
  return URL.parse(url)?.hostname ?? url;
}

interface About {
  readonly report: Report;
  readonly service: ReportService;
  readonly resolver: ReportResolver;
  readonly drawn: PictureResolver | undefined;
  readonly nowMs: number;
}

function rowOf(about: About): Row {
  const { service, resolver, drawn } = about;
  const state = stateOf(about);
  const change = service.changes.at(-1);
  const [from, to]: readonly [Side, Side] = change?.direction === 'new-to-old' ? ['new', 'old'] : ['old', 'new'];
  const left = change === undefined ? null : from;
  const base = { name: resolver.name, hostname: resolver.hostname, state };
  const heldMs = leftMs(about, left ?? 'old');
  const kept = heldMs === null || heldMs <= 0 ? null : `kept for ${durationText(heldMs, 'up')} more`;
  const ttl = ttlText(resolver, drawn);
  if (change === undefined || left === null) {
    return { ...base, rank: 1, rest: span(listed([ttl, kept]), state.emphasis === 'unsure' ? 'unsure' : 'faint') };
  }
  if (state.text === to) {
    const since = followed(about, to);
    // Others asked before, and keep that answer for as long as it says.
    if (kept !== null) return { ...base, rank: 1, rest: span(listed([since, `${from} may be ${kept}`])) };
    return { ...base, rank: 2, rest: span(listed([since]), 'faint') };
  }
  const due = dueOf(about, service.changes.length - 1);
  return { ...base, rank: 0, rest: span(listed([ttl, kept, due.text]), due.isLate ? 'bad' : 'unsure') };
}

function listed(parts: readonly (string | null)[]): string {
  return parts.filter((part) => part !== null && part !== '').join(' · ');
}

/** By its newest answers; what charts do not show, the report may know. */
function stateOf({ drawn }: About): Span {
  const state = drawn?.states.at(-1)?.state;
  switch (state) {
    case 'old':
    case 'new':
      return span(state);
    case 'mixed':
      return span('both', 'unsure');
    case 'failed':
      return span('no answer', 'bad');
    case 'conflict':
      return span('conflict', 'unsure');
    case 'unknown':
      return span('side ?', 'unsure');
    case undefined:
      return span('unseen', 'unsure');
  }
}

/** For how long whoever has the answer of a side may keep it; null = not known, or none was given. */
function leftMs({ drawn, nowMs }: About, side: Side): number | null {
  const untilMs = drawn?.heldUntilMs?.[side] ?? null;
  return untilMs === null ? null : untilMs - nowMs;
}

function ttlText({ ttlS }: ReportResolver, drawn: PictureResolver | undefined): string | null {
  const told = drawn?.states.at(-1)?.ttlS;
  if (ttlS.authoritative !== null) return `TTL ${String(ttlS.authoritative)} s`;
  if (told === null || told === undefined) return null;
  return told[0] === told[1] ? `told TTL ${String(told[0])} s` : `told TTL ${String(told[0])}–${String(told[1])} s`;
}

/** `since 15:42:44 UTC, 9.1–10 s after the change`. */
function followed({ resolver }: About, to: Side): string {
  const { firstNewAt, convergedMs, convergedMsMax } = resolver;
  const since = to === 'new' && firstNewAt !== null ? `since ${clockOf(firstNewAt)}` : null;
  const took =
    convergedMs === null || convergedMsMax === null
      ? null
      : `followed within ${boundsText({ min: convergedMs, max: convergedMsMax })}`;
  return listed([since, took]);
}

/** When one that keeps to TTLs must have changed. */
function dueOf(
  { report, service, resolver, nowMs }: About,
  changeIndex: number,
): { readonly text: string | null; readonly isLate: boolean } {
  const curve = service.residual.find(
    (one) => one.kind === 'resolver' && one.resolver === resolver.name && one.changeIndex === changeIndex,
  );
  if (curve === undefined) return { text: null, isLate: false };
  const { endMs, why } = curve.theory;
  if (endMs === null) return { text: `no end: ${why}`, isLate: false };
  const dueMs = Date.parse(curve.fromAt) - Date.parse(report.run.startedAt) + endMs;
  const waitMs = dueMs - nowMs;
  const due = new Date(Date.parse(report.run.startedAt) + dueMs).toISOString();
  return waitMs < 0
    ? { text: `due ${durationText(-waitMs, 'down')} ago`, isLate: true }
    : { text: `due by ${clockOf(due)}, in ${durationText(Math.ceil(waitMs / 1000) * 1000)}`, isLate: false };
}

function clockOf(at: string): string {
  return `${at.slice(11, 19)} UTC`;
}
