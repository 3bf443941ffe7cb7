/** Which lanes the live view shows, and what is said of one: where it is now, and for how long it was down. */
import type { Interval, Stretch } from '../core/analysis.ts';
import { countText, durationText } from '../core/quantity-text.ts';
import { msBetween } from './instant-text.ts';
import { span, type Span } from './live-line.ts';
import type { Report, ReportLane, ReportService } from './shape.ts';
import { stateWords } from './words.ts';

export interface ShownService {
  readonly service: ReportService;
  /** Of the raw series, that the filter lets through. */
  readonly lanes: readonly ReportLane[];
  /** Those of them whose downtime is judged. */
  readonly judged: readonly ReportLane[];
}

/** Services with a lane that has all words of the filter, in the order of the report. */
export function shownServices(report: Report, filter: string): ShownService[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const byService = Map.groupBy(
    report.lanes.filter((lane) => lane.series === 'raw' && isWanted(lane, words)),
    (lane) => lane.service,
  );
  return report.services.flatMap((service) => {
    const lanes = byService.get(service.name) ?? [];
    if (lanes.length === 0 && words.length > 0) return [];
    return [{ service, lanes, judged: lanes.filter(({ judged }) => judged) }];
  });
}

function isWanted(lane: ReportLane, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const own = [lane.service, lane.check, lane.client, lane.resolver ?? '', lane.address ?? ''].join('\n').toLowerCase();
  return words.every((word) => own.includes(word));
}

/** Beyond its service: `fresh · office`; the check where the service has several, the address where it has one. */
export function shortName({ service, check, client, resolver, address }: ReportLane, isOneResolver: boolean): string {
  const parts = [...(check === service ? [] : [check]), client, ...(isOneResolver ? [] : [resolver]), address];
  return parts.filter((part) => part !== null).join(' · ');
}

/** What is in flight reads as unseen for a moment; longer, and nobody knows where a lane is. */
const inFlightMs = 2000;

export function stateNow({ stretches }: ReportLane): Stretch['state'] | null {
  const last = stretches.at(-1);
  if (last === undefined) return null;
  if (last.state !== 'unseen' || msBetween(last.fromAt, last.toAt) >= inFlightMs) return last.state;
  return stretches.at(-2)?.state ?? 'unseen';
}

/** The worst first. */
const order: readonly Stretch['state'][] = ['down', 'impaired', 'conflict', 'unseen', 'unknown', 'old', 'new'];

/** `DOWN 2/3, old 1/3`: where the lanes are; where that has no room, only the worst of it. */
export function statesSpan(lanes: readonly ReportLane[], columns: number): Span {
  const states = lanes.map(stateNow);
  const counts = order.flatMap((state) => {
    const count = states.filter((one) => one === state).length;
    return count === 0 ? [] : [[state, count] as const];
  });
  const [worst] = counts;
  if (worst === undefined) return span('–', 'unsure');
  const words = counts.map(([state, count]) =>
    count === states.length
      ? stateWords[state]
      : `${stateWords[state]} ${countText(count)}/${countText(states.length)}`,
  );
  const all = words.join(', ');
  return span(all.length <= columns ? all : (words[0] ?? ''), stateEmphasis[worst[0]]);
}

const stateEmphasis = {
  down: 'bad',
  impaired: 'bad',
  conflict: 'unsure',
  unseen: 'unsure',
  unknown: 'unsure',
  old: null,
  new: null,
} as const;

/** Bounds, never a point; beside a zero the finest outage that would have been seen. */
export function downSpan(report: Report, lane: ReportLane): Span {
  if (lane.slots.good + lane.slots.failed === 0) return span('nothing seen yet', 'unsure');
  if (!lane.judged) return span(lane.slots.failed === 0 ? 'not judged' : `not judged, ${failedText(lane)}`, 'faint');
  if (!lane.qualified && report.run.mode !== 'rollback') return span('not qualified', 'unsure');
  const bounds = lane.judgedPart?.downtimeMs ?? lane.downtimeMs;
  if (stateNow(lane) === 'down') return span(`≥ ${durationText(bounds.min, 'down')}, still`, 'bad');
  if (lane.outages.length === 0 && lane.impaired.length > 0) return span(failedText(lane), 'bad');
  if (bounds.max === 0) {
    const resolutionMs = lane.judgedPart?.resolutionMs ?? lane.resolutionMs;
    return span(`none > ${durationText(resolutionMs, 'up')}`);
  }
  const isSeen = bounds.min > 0 || lane.outages.length > 0;
  return span(boundsText(bounds), isSeen ? 'bad' : 'unsure');
}

function failedText({ slots }: ReportLane): string {
  return `${countText(slots.failed)} failed`;
}

/** `10.5–11 s`, `≤ 1 s`; the unit once where it is the same. */
export function boundsText({ min, max }: Interval): string {
  const [low, high] = [durationText(min, 'down'), durationText(max, 'up')];
  if (min === 0) return `≤ ${high}`;
  if (low === high) return low;
  const [, number, unit] = /^([\d.,]+) (ms|s)$/.exec(low) ?? [];
  return number !== undefined && high.endsWith(` ${unit ?? ''}`) && /^[\d.,]+ \w+$/.test(high)
    ? `${number}–${high}`
    : `${low} – ${high}`;
}

/** The lane that was down longest, by its lower bound; null = no judged lane. */
export function worstLane(lanes: readonly ReportLane[]): ReportLane | null {
  const downMs = (lane: ReportLane): Interval => lane.judgedPart?.downtimeMs ?? lane.downtimeMs;
  return lanes.reduce<ReportLane | null>((worst, lane) => {
    if (worst === null) return lane;
    const [a, b] = [downMs(worst), downMs(lane)];
    return b.min > a.min || (b.min === a.min && b.max > a.max) ? lane : worst;
  }, null);
}
