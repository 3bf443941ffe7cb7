/** Since when the side that was left answers nobody any more, and whether that was too early. */
import { durationText } from '../core/quantity-text.ts';
import { afterText, clockText, msBetween } from './instant-text.ts';
import { keepAnswering } from './keep-answering.ts';
import { causeCounts, type ServiceView } from './service-view.ts';
import type { Instant, Report } from './shape.ts';

/** When the last of its addresses stopped answering us for good; null = one still did when last asked, or nobody asked them. */
export function goneSince({ service, change, lanes }: ServiceView): Instant | null {
  const side = change === undefined ? null : service.safeToRemoveOld.side;
  const own = lanes.filter(
    (lane) => lane.role === 'side' && lane.series === 'raw' && lane.client === `side:${side ?? ''}`,
  );
  const since = own.flatMap(({ outages }) => {
    const last = outages.at(-1);
    return last?.openAtEnd === true ? [last.firstFailedAt] : [];
  });
  return since.length === 0 || since.length < own.length ? null : (since.toSorted().at(-1) ?? null);
}

interface Gone {
  readonly view: ServiceView;
  readonly at: Instant;
}

/** Of all services the one whose side went first. */
function firstGone(views: readonly ServiceView[]): Gone | null {
  const gone = views.flatMap((view): Gone[] => {
    const at = goneSince(view);
    return at === null ? [] : [{ view, at }];
  });
  return gone.toSorted((a, b) => (a.at < b.at ? -1 : 1))[0] ?? null;
}

/** Beside whether it may go: that it went before that. Null = it is there, or went when it might. */
export function goneText(report: Report, views: readonly ServiceView[]): string | null {
  const gone = firstGone(views.filter(({ service: { safeToRemoveOld } }) => safeToRemoveOld.side !== null));
  if (gone === null) return null;
  const { safe, at } = gone.view.service.safeToRemoveOld;
  if (safe === 'yes' && (at === null || at <= gone.at)) return null;
  return `It was gone before: at none of its addresses did it answer from ${clockText(report.run.startedAt, gone.at)} UTC on.`;
}

/** Led by a cached answer to the side that the first change left, which is the one that went. */
function isHitByIt({ service, change, hit }: ServiceView): boolean {
  const leaving = change?.direction === 'new-to-old' ? 'new' : 'old';
  return service.safeToRemoveOld.side === leaving && causeCounts(hit).some(({ cause }) => cause === 'stale-answer');
}

/** Why clients were down that were led there: it went while caches still named it. */
export function goneTooEarlyLines(report: Report, views: readonly ServiceView[]): string[] {
  const gone = firstGone(views.filter(isHitByIt));
  const change = gone?.view.change;
  if (gone === null || change === undefined) return [];
  const untilMs = keepAnswering(report, gone.view)?.untilMs ?? null;
  const earlyMs = untilMs === null ? 0 : untilMs - Date.parse(gone.at);
  if (earlyMs <= 0 || msBetween(change.usedAt, gone.at) < 0) return [];
  return [
    `${gone.view.leaving} answered at none of its addresses from ${clockText(report.run.startedAt, gone.at)} UTC on, ${afterText(change.usedAt, gone.at)}: ${durationText(earlyMs)} before the last cached answer had expired.`,
  ];
}
