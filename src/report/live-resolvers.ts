/** Resolvers of the live view: what each answers now, how long that may be kept, and when the last should have changed. */
import { countOf, durationText } from '../core/quantity-text.ts';
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
  { view, columns }: { readonly view: LiveView; readonly columns: number },
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
  const once = [...new Map(rows.map((row) => [keyOf(row), row])).values()];
  // A resolver of which the same is to be said of many names is one line.
  const groups = Map.groupBy(once, (row) => [row.name, row.state.text, row.rest.text].join('\n'));
  const listed = [...groups.values()]
    .map((group) => ({ ...(group[0] as Row), hostname: namesText(group) }))
    .sort((a, b) => a.rank - b.rank);
  const widest = (of: (row: Row) => string, max: number): number =>
    Math.min(max, Math.max(0, ...listed.map((row) => columnsOf(of(row)))));
  const name = widest((row) => row.name, 20);
  const hostname = widest((row) => row.hostname, columns < 100 ? 22 : 40);
  const state = widest((row) => row.state.text, 12);
  return listed.map((row) => [
    ...fit([span(row.name, 'strong')], name),
    span('  '),
    ...fit([span(row.hostname)], hostname),
    span('  '),
    ...fit([row.state], state),
    span('  '),
    row.rest,
  ]);
}

function namesText(rows: readonly Row[]): string {
  return rows.length === 1 ? (rows[0]?.hostname ?? '') : countOf(rows.length, 'name');
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
  const { service, resolver } = about;
  const state = stateOf(about);
  const change = service.changes.at(-1);
  const [from, to]: readonly [Side, Side] = change?.direction === 'new-to-old' ? ['new', 'old'] : ['old', 'new'];
  const base = { name: resolver.name, hostname: resolver.hostname, state };
  const ttl = ttlText(about, from);
  if (change === undefined) {
    return { ...base, rank: 1, rest: span(listed([ttl]), state.emphasis === 'unsure' ? 'unsure' : 'faint') };
  }
  if (state.text === to) {
    // Others asked before, and keep that answer for as long as it says.
    const keptMs = leftMs(about, from);
    const kept = keptMs === null || keptMs <= 0 ? null : `${from} may be kept for ${secondsText(keptMs)} more`;
    return {
      ...base,
      rank: kept === null ? 2 : 1,
      rest: span(listed([kept, followed(about, to)]), kept === null ? 'faint' : 'unsure'),
    };
  }
  const due = dueOf(about, service.changes.length - 1);
  return { ...base, rank: 0, rest: span(listed([due.text, ttl]), due.isLate ? 'bad' : 'unsure') };
}

/** Up, so that a countdown ends when it says. */
function secondsText(ms: number): string {
  return durationText(Math.ceil(ms / 1000) * 1000);
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

/** `TTL 7 of 12 s left`: what its newest answers of a side say, and the record itself. */
function ttlText(about: About, side: Side): string | null {
  const { resolver, drawn } = about;
  const told = drawn?.states.at(-1)?.ttlS ?? null;
  const whole = resolver.ttlS.authoritative ?? told?.[1] ?? null;
  const left = leftMs(about, side);
  if (left !== null) {
    const leftS = Math.max(0, Math.ceil(left / 1000));
    // An answer may be older than the TTL that the record has now.
    return whole === null || leftS > whole
      ? `TTL ${String(leftS)} s left`
      : `TTL ${String(leftS)} of ${String(whole)} s left`;
  }
  return whole === null ? null : `TTL ${String(whole)} s`;
}

/** `since 15:42:44, within 9.1–10 s`. */
function followed({ resolver }: About, to: Side): string {
  const { firstNewAt, convergedMs, convergedMsMax } = resolver;
  const since = to === 'new' && firstNewAt !== null ? `since ${clockOf(firstNewAt)}` : null;
  const took =
    convergedMs === null || convergedMsMax === null
      ? null
      : `within ${boundsText({ min: convergedMs, max: convergedMsMax })}`;
  return [since, took].filter((part) => part !== null).join(', ');
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
    ? { text: `change due ${durationText(Math.floor(-waitMs / 1000) * 1000)} ago`, isLate: true }
    : { text: `change due in ${secondsText(waitMs)} (${clockOf(due)})`, isLate: false };
}

function clockOf(at: string): string {
  return at.slice(11, 19);
}
