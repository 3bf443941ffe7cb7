/**
 * `/verdict`: may the rollout go on? For machines that act on the status alone: 200 go, 409 stop, 425 wait. Asked with
 * `so-far` it is for those who ask again and again before the end: they go on unless something has failed, and the body says
 * how much was seen for that.
 */
import type { PhaseName } from '../core/analysis.ts';
import { countOf, countText, listText } from '../core/quantity-text.ts';
import type { Reason, VerdictValue } from '../core/verdict.ts';
import { headlineOf } from '../report/headline.ts';
import { serviceViews } from '../report/service-view.ts';
import type { Report, ReportLane, ReportService } from '../report/shape.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { lostBecause } from '../report/so-far.ts';
import { phaseOf } from './phase-of.ts';
import type { Silence } from './silence.ts';

export interface Question extends Silence {
  readonly isSoFar: boolean;
  /** Of this service alone; null = of all. */
  readonly service: string | null;
}

export interface GateAnswer {
  readonly status: 200 | 404 | 409 | 425 | 503;
  readonly body: GateBody;
}

export interface GateBody {
  readonly gate: 'go' | 'stop' | 'wait';
  /** Of what was seen until `at`. */
  readonly value: VerdictValue;
  readonly text: string;
  readonly isSoFar: boolean;
  readonly isRunning: boolean;
  readonly at: string | null;
  readonly run: {
    readonly id: string;
    readonly scenario: string;
    readonly mode: string;
    readonly startedAt: string;
  } | null;
  readonly services: readonly GateService[];
  /** Whatever keeps it from a pass. */
  readonly reasons: readonly Reason[];
}

export interface GateService {
  readonly name: string;
  readonly value: VerdictValue;
  readonly phase: PhaseName;
  /** Slots of its judged lanes since the change; all zero before one. */
  readonly judged: {
    readonly laneCount: number;
    readonly good: number;
    readonly failed: number;
    readonly unseen: number;
  };
}

const nothing = { value: 'inconclusive', at: null, run: null, services: [], reasons: [] } as const;
/** Who was blind in the last seconds is blind now: a blind spot is known when it is over. */
const blindWithinMs = 10_000;

export function gateAnswer(snapshot: Snapshot | null, question: Question): GateAnswer {
  const { isSoFar, service, silentMs, silentMsMax } = question;
  const isSilent = (snapshot === null || snapshot.isRunning) && silentMs > silentMsMax;
  if (snapshot === null) {
    const text = 'Nothing has been seen yet: the run is only beginning.';
    if (isSilent) return silentAnswer({ ...nothing, isSoFar, isRunning: true }, silentMs);
    const gate = isSoFar ? 'go' : 'wait';
    return { status: statusOf[gate], body: { gate, text, isSoFar, isRunning: true, ...nothing } };
  }
  const { report, isRunning } = snapshot;
  const at = new Date(Date.parse(report.run.startedAt) + snapshot.nowMs).toISOString();
  const { id, scenario, mode, startedAt } = report.run;
  const services = report.services.filter(({ name }) => service === null || name === service);
  const known = { isSoFar, isRunning, at, run: { id, scenario, mode, startedAt } };
  if (services.length === 0) {
    const text = `No such service; there are ${listText(report.services.map(({ name }) => name))}.`;
    return { status: 404, body: { ...nothing, ...known, gate: 'wait', text } };
  }
  const value = service === null ? report.verdict.value : (services[0]?.verdict ?? 'inconclusive');
  const ofGate = services.map((one) => gateService(report, one, at));
  const body = { value, ...known, services: ofGate, reasons: reasonsOf(snapshot, service) };
  if (isSilent) return silentAnswer(body, silentMs);
  const gate = gateOf(report, value, isSoFar);
  const text = textOf(snapshot, { gate, value, isSoFar, services: ofGate, at });
  return { status: statusOf[gate], body: { gate, text, ...body } };
}

const statusOf = { go: 200, stop: 409, wait: 425 } as const;

function gateOf(report: Report, value: VerdictValue, isSoFar: boolean): GateBody['gate'] {
  if (value === 'fail' || hasCommandFailed(report)) return 'stop';
  return isSoFar || value === 'pass' ? 'go' : 'wait';
}

/** It is no verdict about a service, and yet whatever it was part of may not go on. */
function hasCommandFailed(report: Report): boolean {
  return report.verdict.reasons.some(({ objective }) => objective === 'command-failed');
}

function reasonsOf({ report, isRunning }: Snapshot, service: string | null): Reason[] {
  // That a run has no end is no news while it runs.
  const isLost = !isRunning || lostBecause(report.run).length > 0;
  return report.verdict.reasons.filter(
    (reason) =>
      (service === null || reason.service === null || reason.service === service) &&
      reason.value !== 'pass' &&
      (isLost || reason.objective !== 'whole-log') &&
      (reason.severity === 'fail' || reason.objective === 'command-failed'),
  );
}

function silentAnswer(body: Omit<GateBody, 'gate' | 'text'>, silentMs: number): GateAnswer {
  const text = `Nothing has been heard from the run for ${countText(Math.round(silentMs / 1000))} s: what happens is not known.`;
  return { status: 503, body: { gate: 'wait', text, ...body } };
}

function gateService(report: Report, service: ReportService, at: string): GateService {
  const lanes = report.lanes.filter((lane) => lane.service === service.name && isJudged(lane));
  const sum = (of: (lane: ReportLane) => number): number => lanes.reduce((total, lane) => total + of(lane), 0);
  const good = sum(({ judgedPart }) => judgedPart?.slots.good ?? 0);
  const failed = sum(({ judgedPart }) => judgedPart?.slots.failed ?? 0);
  const due = sum(({ judgedPart }) => judgedPart?.slots.due ?? 0);
  return {
    name: service.name,
    value: service.verdict,
    phase: phaseOf(service, at),
    judged: { laneCount: lanes.length, good, failed, unseen: due - good - failed },
  };
}

function isJudged(lane: ReportLane): boolean {
  return lane.judged && lane.series === 'raw' && lane.judgedPart !== null;
}

interface Told extends Pick<GateBody, 'gate' | 'value' | 'isSoFar' | 'services'> {
  readonly at: string;
}

function textOf(snapshot: Snapshot, { gate, value, isSoFar, services, at }: Told): string {
  const { report, isRunning } = snapshot;
  const headline = headlineOf(report, serviceViews(report), isRunning);
  if (gate === 'stop' || (!isSoFar && !isRunning)) return headline;
  const laneCount = services.reduce((total, { judged }) => total + judged.laneCount, 0);
  const count = (of: 'good' | 'failed' | 'unseen'): number =>
    services.reduce((total, { judged }) => total + judged[of], 0);
  const seen =
    laneCount === 0
      ? 'Nothing has been judged yet: whether anything that was asked will be missed is not known.'
      : `Nothing that was asked has been missed so far, by ${countOf(count('good'), 'good probe')}, ${countText(count('failed'))} failed and ${countText(count('unseen'))} not seen, in ${countOf(laneCount, 'judged lane')}.`;
  const end = isRunning ? 'The verdict comes with the end of the run.' : headline;
  return [seen, blindText(report, at), value === 'pass' ? '' : end].filter((text) => text !== '').join(' ');
}

function blindText({ prober }: Report, at: string): string {
  const blind = prober.blindSpots.findLast(({ toAt }) => Date.parse(at) - Date.parse(toAt) < blindWithinMs);
  return blind === undefined ? '' : `Just now nothing was seen: ${blind.why}.`;
}
