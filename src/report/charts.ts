/**
 * What the page draws: the picture beside those parts of the report that have a place on a chart. Plain values, put into
 * `report.html` as they are, so nothing is in here that no chart shows. Instants are ms since run start.
 */
import { residualRatio } from '../core/analysis.ts';
import { countOf, durationBoundsText } from '../core/quantity-text.ts';
import type { Picture, PictureLane } from '../core/picture.ts';
import type { TargetState } from '../core/platform.ts';
import type { LaneRole } from '../core/scenario.ts';
import type { VerdictValue } from '../core/verdict.ts';
import { eventsOf, type ChartEvent } from './chart-events.ts';
import { plainText } from './escape.ts';
import { residualName } from './residual-section.ts';
import type { Instant, Report, ReportLane, ReportResidual } from './shape.ts';
import type { Snapshot } from './snapshot.ts';

export interface Charts {
  /** ms since 1970. */
  readonly startedAtMs: number;
  readonly untilMs: number;
  readonly binMs: number;
  readonly sides: { readonly old: string; readonly new: string };
  readonly events: readonly ChartEvent[];
  readonly services: readonly ChartService[];
  readonly lanes: readonly ChartLane[];
  readonly resolvers: Picture['resolvers'];
  readonly targets: readonly ChartTarget[];
  readonly latency: Picture['latency'];
  readonly residual: readonly ChartResidual[];
  readonly closeUps: Picture['closeUps'];
  readonly closeUpsLeftOutCount: number;
  readonly blindSpots: readonly ChartSpan[];
}

export interface ChartSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly text: string;
}

export interface ChartService {
  readonly name: string;
  readonly verdict: VerdictValue;
  /** The first change of it; null = none was seen. */
  readonly changedAtMs: number | null;
  readonly hostnames: readonly string[];
  readonly phases: readonly ChartSpan[];
  /** Who was down and for how long, in a few words; '' = nobody. */
  readonly downText: string;
}

export interface ChartLane extends PictureLane {
  readonly service: string;
  readonly client: string;
  readonly resolver: string | null;
  readonly role: LaneRole;
  /** As people know it: `fresh via office`, of a service with several checks `/api/ping fresh via office`. */
  readonly shortName: string;
  readonly isJudged: boolean;
  /** '' = none. */
  readonly downText: string;
}

export interface ChartTarget {
  readonly name: string;
  readonly stretches: readonly { readonly state: TargetState; readonly fromMs: number; readonly toMs: number }[];
}

export interface ChartResidual {
  readonly service: string;
  readonly name: string;
  /** Title of the side that is left. */
  readonly title: string;
  readonly fromMs: number;
  readonly points: readonly ChartResidualPoint[];
  readonly theoryWhy: string;
}

/** One stretch of it, times in ms since its `fromMs`; there were from `minRatio` to `maxRatio` on the side left. */
export type ChartResidualPoint = readonly [
  afterMs: number,
  untilMs: number,
  minRatio: number,
  maxRatio: number,
  theoryRatio: number | null,
  count: number,
];

export function chartsOf(snapshot: Snapshot): Charts {
  return plain(drawnOf(snapshot));
}

/** Every text in it is one line that cannot be steered with. Lists of numbers hold words of ours at most. */
function plain<T>(value: T): T {
  if (typeof value === 'string') return plainText(value) as T;
  if (Array.isArray(value)) return (typeof value[0] === 'number' ? value : value.map(plain)) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)])) as T;
}

function drawnOf({ report, picture, nowMs }: Snapshot): Charts {
  const startedAtMs = Date.parse(report.run.startedAt);
  const at = (instant: Instant): number => Date.parse(instant) - startedAtMs;
  const byName = new Map(report.lanes.map((lane) => [lane.name, lane]));
  return {
    startedAtMs,
    untilMs: Math.max(1, nowMs, picture.untilMs),
    binMs: picture.binMs,
    sides: { old: report.run.sides.old.title, new: report.run.sides.new.title },
    events: eventsOf(report, at),
    services: report.services.map((service) => ({
      name: service.name,
      verdict: service.verdict,
      changedAtMs: service.changes[0] === undefined ? null : at(service.changes[0].usedAt),
      hostnames: [...new Set(service.checks.map(({ url }) => hostnameOf(url)))],
      phases: service.phases.map(({ name, fromAt, toAt }) => ({ fromMs: at(fromAt), toMs: at(toAt), text: name })),
      downText: serviceDownText(report, service.name),
    })),
    lanes: picture.lanes.flatMap((drawn) => {
      const lane = byName.get(drawn.name);
      return lane === undefined ? [] : [laneOf(report, lane, drawn)];
    }),
    resolvers: picture.resolvers,
    targets: report.targets.map(({ group, target, owner, stretches }) => ({
      name: `${target} of ${group}${owner === null ? '' : `, ${owner}`}`,
      stretches: stretches.map(({ state, fromAt, toAt }) => ({ state, fromMs: at(fromAt), toMs: at(toAt) })),
    })),
    latency: picture.latency,
    residual: report.services.flatMap((service) =>
      service.residual.map((curve) => ({
        service: service.name,
        name: residualName(curve),
        title: report.run.sides[curve.side].title,
        fromMs: at(curve.fromAt),
        points: curve.points.map(pointOf),
        theoryWhy: curve.theory.why,
      })),
    ),
    closeUps: picture.closeUps,
    closeUpsLeftOutCount: picture.closeUpsLeftOutCount,
    blindSpots: report.prober.blindSpots.map(({ fromAt, toAt, why }) => ({
      fromMs: at(fromAt),
      toMs: at(toAt),
      text: why,
    })),
  };
}

function pointOf(point: ReportResidual['points'][number]): ChartResidualPoint {
  const { afterMs, untilMs, leavingCount, targetCount, unseenCount, theoryRatio } = point;
  const { min, max } = residualRatio(point);
  const count = leavingCount + targetCount + unseenCount;
  return [afterMs, untilMs, digits(min), digits(max), theoryRatio === null ? null : digits(theoryRatio), count];
}

/** A pixel tells no more. */
function digits(ratio: number): number {
  return Math.round(ratio * 10_000) / 10_000;
}

function laneOf(report: Report, lane: ReportLane, { name, runs, failures }: PictureLane): ChartLane {
  const { service, client, resolver, role } = lane;
  const downtimeMs = lane.judgedPart?.downtimeMs ?? lane.downtimeMs;
  return {
    name,
    service,
    client,
    resolver,
    role,
    shortName: `${pathOf(report, lane)}${name.slice(lane.check.length).trim()}`,
    isJudged: lane.judged && lane.qualified,
    downText: downtimeMs.max === 0 ? '' : durationBoundsText(downtimeMs),
    runs,
    failures,
  };
}

/** With a space after it; '' where the service has one check. */
function pathOf({ services }: Report, { service, check }: ReportLane): string {
  const checks = services.find(({ name }) => name === service)?.checks ?? [];
  const url = checks.find(({ name }) => name === check)?.url ?? '';
  return checks.length < 2 ? '' : `${url.replace(/^[a-z]+:\/\/[^/]*/, '')} `;
}

/** `3 of 4 judged lanes down, the one hit worst between 10.5 s and 11 s`; where failures lie apart, how many. */
function serviceDownText(report: Report, service: string): string {
  const judged = report.lanes.flatMap((lane) =>
    lane.service === service && lane.series === 'raw' && lane.judged && lane.qualified && lane.judgedPart !== null
      ? [lane.judgedPart]
      : [],
  );
  const down = judged.map(({ downtimeMs }) => downtimeMs).filter(({ max }) => max > 0);
  const [first, ...others] = down;
  if (first === undefined) {
    const failedCount = judged.reduce((sum, { slots }) => sum + slots.failed, 0);
    return failedCount === 0 ? '' : `no outage, but ${countOf(failedCount, 'failed probe')} of judged lanes`;
  }
  const worst = others.reduce((a, b) => (b.max > a.max ? b : a), first);
  return `${String(down.length)} of ${countOf(judged.length, 'judged lane')} down, the one hit worst ${durationBoundsText(worst)}`;
}

/** Without the URL parser, which is the world's: the text between `//` and the next `/`, less a port. */
function hostnameOf(url: string): string {
  const [, authority = ''] = /^[a-z]+:\/\/([^/?#]*)/.exec(url) ?? [];
  return authority.replace(/:\d+$/, '');
}
