/** What a run measured of what a forecast expects: when its lanes left the side, and how many were still there when. */
import type { Analysis, ChangeSeen, LaneAnalysis } from '../core/analysis.ts';
import type { Scenario, Side } from '../core/scenario.ts';
import { nsToS, sToNs } from '../core/time.ts';

/** Times are s since the change began to show on the authoritative servers (else since it was seen at all). */
export interface Measured {
  readonly runId: string;
  /** How long after that the watch went on. */
  readonly watchedS: number;
  readonly clients: readonly MeasuredClient[];
  /** Share of lanes on the side that is left, by the weights of their clients; `null` = no lane was seen then. */
  readonly curve: readonly { readonly atS: number; readonly ratio: number | null }[];
}

export interface MeasuredClient {
  readonly client: string;
  readonly laneCount: number;
  /** The last request at the side that is left, of the lane that left first and of the one that left last. */
  readonly lastS: { readonly min: number; readonly max: number };
  /** So many lanes were still there when the watch ended. */
  readonly stayedCount: number;
}

export interface MeasuredOptions {
  readonly analysis: Analysis;
  readonly scenario: Scenario;
  /** Services that share a forecast. */
  readonly services: readonly string[];
  readonly instantsS: readonly number[];
}

interface WatchedLane {
  readonly client: string;
  /** Of the last request at the side that is left, answered or not; null = there was none. */
  readonly lastAtNs: number | null;
  readonly whereabouts: readonly Whereabouts[];
  readonly weightRatio: number;
  readonly changedAtNs: number;
}

/** Null where the run saw no such change of these services. */
export function measuredOf({ analysis, scenario, services, instantsS }: MeasuredOptions): Measured | null {
  const { direction } = scenario.change;
  const leaving = direction === 'old-to-new' ? 'old' : 'new';
  const watched = analysis.services.flatMap((service): WatchedLane[] => {
    const change = service.changes.find((one) => one.direction === direction);
    if (!services.includes(service.name) || change === undefined) return [];
    const own = analysis.lanes.filter(
      ({ role, series, service: of }) => role === 'client' && series === 'raw' && of === service.name,
    );
    return own.flatMap((lane): WatchedLane[] => {
      const client = scenario.clients.find(({ name }) => name === lane.client);
      if (client === undefined) return [];
      const sameCount = own.filter((other) => other.client === lane.client).length;
      const whereabouts = whereaboutsOf(lane);
      const last = whereabouts.findLast(({ side }) => side === leaving);
      return [
        {
          client: client.name,
          lastAtNs: leaving === 'old' ? lane.lastOldAtNs : (last?.lastAtNs ?? null),
          whereabouts,
          weightRatio: client.weightRatio / sameCount,
          changedAtNs: changedAtNs(change),
        },
      ];
    });
  });
  if (watched.length === 0) return null;
  const clients = [...new Set(watched.map(({ client }) => client))];
  const watchedS = Math.max(...watched.map((one) => nsToS(analysis.endedAtNs - one.changedAtNs)));
  return {
    runId: analysis.runId,
    watchedS,
    clients: clients.map((client) => clientOf(client, watched, leaving)),
    curve: instantsS
      .filter((atS) => atS <= watchedS)
      .map((atS) => ({ atS, ratio: ratioAt(watched, leaving, sToNs(atS)) })),
  };
}

function changedAtNs({ authorityFirstAtNs, usedAtNs }: ChangeSeen): number {
  return authorityFirstAtNs ?? usedAtNs;
}

/** When a lane's answers were of a side, or its failures at one: whoever is led to a side that is no more is still led there. */
interface Whereabouts {
  readonly side: Side;
  readonly fromAtNs: number;
  readonly toAtNs: number;
  /** When its last request was due. */
  readonly lastAtNs: number;
}

function whereaboutsOf({ stretches, outages, ratePerSecond }: LaneAnalysis): readonly Whereabouts[] {
  // A stretch lasts until the first request that found something else.
  const answered = stretches.flatMap(({ state, fromAtNs, toAtNs }): Whereabouts[] =>
    state === 'old' || state === 'new'
      ? [{ side: state, fromAtNs, toAtNs, lastAtNs: Math.max(fromAtNs, toAtNs - sToNs(1 / ratePerSecond)) }]
      : [],
  );
  const failed = outages.flatMap(({ side, firstFailedAtNs: fromAtNs, lastFailedAtNs: toAtNs }): Whereabouts[] =>
    side === 'old' || side === 'new' ? [{ side, fromAtNs, toAtNs, lastAtNs: toAtNs }] : [],
  );
  return [...answered, ...failed].toSorted((a, b) => a.fromAtNs - b.fromAtNs);
}

function clientOf(client: string, watched: readonly WatchedLane[], leaving: Side): MeasuredClient {
  const own = watched.filter((one) => one.client === client);
  const lasts = own.map(({ lastAtNs, changedAtNs: zeroNs }) => Math.max(0, nsToS((lastAtNs ?? zeroNs) - zeroNs)));
  return {
    client,
    laneCount: own.length,
    lastS: { min: Math.min(...lasts), max: Math.max(...lasts) },
    stayedCount: own.filter(({ whereabouts }) => whereabouts.at(-1)?.side === leaving).length,
  };
}

/** Lanes of which nothing was seen then do not count. */
function ratioAt(watched: readonly WatchedLane[], leaving: Side, sinceNs: number): number | null {
  let [there, whole] = [0, 0];
  for (const { whereabouts, weightRatio, changedAtNs: zeroNs } of watched) {
    const atNs = zeroNs + sinceNs;
    const seen = whereabouts.findLast(({ fromAtNs }) => fromAtNs <= atNs);
    if (seen === undefined || seen.toAtNs < atNs) continue;
    whole += weightRatio;
    if (seen.side === leaving) there += weightRatio;
  }
  return whole === 0 ? null : there / whole;
}
