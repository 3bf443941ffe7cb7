/** What a report says about one service, put together for telling: its lanes, and what befell them from the change on. */
import type { Cause, Interval } from '../core/analysis.ts';
import type { SideSeen } from '../core/scenario.ts';
import type { Report, ReportChange, ReportImpaired, ReportLane, ReportOutage, ReportService } from './shape.ts';

export interface LaneTrouble {
  readonly lane: ReportLane;
  readonly outages: readonly ReportOutage[];
  readonly impaired: readonly ReportImpaired[];
  readonly downtimeMs: Interval;
}

export interface ServiceView {
  readonly service: ReportService;
  /** The first change: trouble counts from here. */
  readonly change: ReportChange | undefined;
  readonly leaving: string;
  readonly arriving: string;
  readonly lanes: readonly ReportLane[];
  readonly judged: readonly ReportLane[];
  /** Judged lanes with at least one failed probe since the change, the longest downtime first. */
  readonly hit: readonly LaneTrouble[];
  /** The same of clients that are shown but not judged. */
  readonly hitUnjudged: readonly LaneTrouble[];
  /** Clients that still were on the side left when the run ended. */
  readonly stayed: readonly ReportLane[];
}

export function serviceViews(report: Report): ServiceView[] {
  return report.services.map((service) => viewOf(report, service));
}

/**
 * The longest downtime of a judged lane, over all services; 0 where none was hit. Which lane it was may be open: the bounds
 * are those of the longest, not of the lane whose lower bound is highest, and who was not seen may have been down as well.
 */
export function worstDowntimeMs(views: readonly ServiceView[]): Interval {
  const hit = views.flatMap((view) => view.hit.map(({ downtimeMs }) => downtimeMs));
  if (hit.length === 0) return { min: 0, max: 0 };
  const judged = views.flatMap((view) => view.judged.flatMap(({ judgedPart }) => judgedPart?.downtimeMs ?? []));
  return {
    min: Math.max(...hit.map(({ min }) => min)),
    max: Math.max(...[...hit, ...judged].map(({ max }) => max)),
  };
}

export interface CauseCount {
  readonly cause: Cause;
  readonly count: number;
  readonly sides: readonly SideSeen[];
  readonly failedAddresses: readonly string[];
}

/** Causes of failed probes, the most frequent first. */
export function causeCounts(troubles: readonly LaneTrouble[]): CauseCount[] {
  const counts = new Map<Cause, { count: number; sides: Set<SideSeen>; failedAddresses: Set<string> }>();
  const countOf = (cause: Cause) => {
    const known = counts.get(cause) ?? { count: 0, sides: new Set<SideSeen>(), failedAddresses: new Set<string>() };
    counts.set(cause, known);
    return known;
  };
  for (const { outages, impaired } of troubles) {
    for (const outage of outages) {
      for (const [cause, count] of causesOf(outage.causes)) {
        const known = countOf(cause);
        known.count += count;
        known.sides.add(outage.side);
      }
    }
    for (const span of impaired) {
      for (const [cause, count] of causesOf(span.causes)) {
        const known = countOf(cause);
        known.count += count;
        for (const address of span.failedAddresses) known.failedAddresses.add(address);
      }
    }
  }
  return [...counts]
    .map(([cause, { count, sides, failedAddresses }]) => ({
      cause,
      count,
      sides: [...sides],
      failedAddresses: [...failedAddresses],
    }))
    .sort((a, b) => b.count - a.count || (a.cause < b.cause ? -1 : 1));
}

function causesOf(causes: ReportOutage['causes']): [Cause, number][] {
  return Object.entries(causes) as [Cause, number][];
}

function viewOf(report: Report, service: ReportService): ServiceView {
  const change = service.changes[0];
  const isForward = (change?.direction ?? 'old-to-new') === 'old-to-new';
  const leavingSide = isForward ? 'old' : 'new';
  const lanes = report.lanes.filter((lane) => lane.service === service.name);
  const clients = lanes.filter((lane) => lane.role === 'client' && lane.series === 'raw');
  const isJudged = (lane: ReportLane): boolean =>
    lane.judged && lane.judgedPart !== null && (lane.qualified || report.run.mode === 'rollback');
  const judged = clients.filter(isJudged);
  const hitOf = (some: readonly ReportLane[]): LaneTrouble[] =>
    some
      .map((lane) => troubleOf(lane, change))
      .filter(({ outages, impaired }) => outages.length + impaired.length > 0)
      .sort(compareTrouble);
  return {
    service,
    change,
    leaving: report.run.sides[leavingSide].title,
    arriving: report.run.sides[isForward ? 'new' : 'old'].title,
    lanes,
    judged,
    hit: hitOf(judged),
    hitUnjudged: hitOf(clients.filter((lane) => !isJudged(lane))),
    stayed:
      service.outcome === 'completed'
        ? clients.filter((lane) => lane.stretches.findLast(({ state }) => state !== 'unseen')?.state === leavingSide)
        : [],
  };
}

function troubleOf(lane: ReportLane, change: ReportChange | undefined): LaneTrouble {
  // Instants of one form and one zone compare as text.
  const since = change?.usedAt ?? '';
  const outages = lane.outages.filter((outage) => outage.lastFailedAt >= since);
  const impaired = lane.impaired.filter((span) => span.toAt >= since);
  const downtimeMs = {
    min: outages.reduce((sum, outage) => sum + outage.downMsMin, 0),
    max: outages.reduce((sum, outage) => sum + outage.downMsMax, 0),
  };
  return { lane, outages, impaired, downtimeMs };
}

function compareTrouble(a: LaneTrouble, b: LaneTrouble): number {
  return b.downtimeMs.min - a.downtimeMs.min || b.downtimeMs.max - a.downtimeMs.max;
}
