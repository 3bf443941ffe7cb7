/** `Analysis` and `Verdict` as `report.json`: what every other rendering reads, and nothing is computed in. */
import type {
  Analysis,
  Impaired,
  Judged,
  LaneAnalysis,
  Outage,
  ReplicasAnalysis,
  ResidualCurve,
  RolloutAnalysis,
  SafetyAdvice,
  ServiceAnalysis,
} from '../core/analysis.ts';
import { laneName } from '../core/lane-name.ts';
import { ownCacheS } from '../core/own-cache.ts';
import type { Check } from '../core/scenario.ts';
import { toIso } from '../core/time.ts';
import type { Verdict } from '../core/verdict.ts';
import type {
  Instant,
  Report,
  ReportImpaired,
  ReportJudgedPart,
  ReportLane,
  ReportOutage,
  ReportReplicas,
  ReportResidual,
  ReportRollout,
  ReportRun,
  ReportService,
  Safety,
} from './shape.ts';

export type { Report } from './shape.ts';

interface Instants {
  readonly iso: (atNs: number) => Instant;
  readonly isoOrNull: (atNs: number | null) => Instant | null;
}

export function toReport(analysis: Analysis, verdict: Verdict): Report {
  const iso = (atNs: number): Instant => toIso(analysis.startedAtMs, atNs);
  const instants: Instants = { iso, isoOrNull: (atNs) => (atNs === null ? null : iso(atNs)) };
  const { isoOrNull } = instants;
  const { prober } = analysis;
  return {
    schemaVersion: 1,
    verdict: { value: verdict.value, reasons: verdict.reasons },
    run: runOf(analysis, instants),
    marks: analysis.marks.map(({ atNs, text }) => ({ at: iso(atNs), text })),
    services: analysis.services.map((service) => serviceOf(analysis, verdict, service, instants)),
    lanes: analysis.lanes.map((lane) => laneOf(analysis, lane, instants)),
    resolvers: analysis.resolvers.map((resolver) => ({
      name: resolver.name,
      hostname: resolver.hostname,
      ttlS: resolver.ttlS,
      caches: resolver.cacheCount,
      byCache: resolver.caches.map((cache) => ({
        firstNewAt: isoOrNull(cache.firstNewAtNs),
        lastOldAt: isoOrNull(cache.lastOldAtNs),
      })),
      conduct: { kind: resolver.conduct.kind, clampS: resolver.conduct.clampS },
      flipBacks: resolver.flipBackCount,
      firstNewAt: isoOrNull(resolver.firstNewAtNs),
      lastOldAt: isoOrNull(resolver.lastOldAtNs),
      convergedMs: resolver.convergedMs,
      convergedMsMax: resolver.convergedMsMax,
      findings: resolver.findings.map(({ kind, severity, text, evidence }) => ({ kind, severity, text, evidence })),
    })),
    authorities: analysis.authorities.map((authority) => ({
      address: authority.address,
      hostname: authority.hostname,
      linkOf: authority.linkOf,
      zone: authority.zone,
      nameServer: authority.nameServer,
      nsid: authority.nsid,
      soaSerial: authority.soaSerial,
      lameCount: authority.lameCount,
      ttlS: authority.ttlS,
      firstNewAt: isoOrNull(authority.firstNewAtNs),
      lastOldAt: isoOrNull(authority.lastOldAtNs),
      unreachableCount: authority.unreachableCount,
    })),
    targets: (analysis.targets ?? []).map(({ stretches, ...target }) => ({
      ...target,
      stretches: stretches.map(({ state, reason, fromAtNs, toAtNs }) => ({
        state,
        reason,
        fromAt: iso(fromAtNs),
        toAt: iso(toAtNs),
      })),
    })),
    staleTargets: (analysis.staleTargets ?? []).map(({ fromAtNs, toAtNs, ...stale }) => ({
      ...stale,
      fromAt: iso(fromAtNs),
      toAt: iso(toAtNs),
    })),
    ...(analysis.rollouts === undefined ? {} : { rollouts: analysis.rollouts.map((one) => rolloutOf(one, instants)) }),
    findings: analysis.findings,
    observers: (analysis.observers ?? []).map(({ name, side, what, hasSeen, gaps }) => ({
      name,
      side,
      what,
      hasSeen,
      gaps: gaps.map(({ fromAtNs, toAtNs, why }) => ({ fromAt: iso(fromAtNs), toAt: iso(toAtNs), why })),
    })),
    playbook: (analysis.playbook ?? []).map(({ atNs, step, check, result, isAccepted, observedAtMs, evidence }) => ({
      at: iso(atNs),
      step,
      check,
      result,
      accepted: isAccepted,
      observedAt: observedAtMs === null ? null : toIso(observedAtMs, 0),
      evidence,
    })),
    prober: {
      dueCount: prober.dueCount,
      droppedCount: prober.droppedCount,
      latenessMs: prober.latenessMs,
      eventLoopDelayMsMax: prober.eventLoopDelayMsMax,
      writeDelayMsMax: prober.writeDelayMsMax,
      clockStepMs: prober.clockStepMs,
      blindSpots: prober.blindSpots.map(({ fromAtNs, toAtNs, why }) => ({
        fromAt: iso(fromAtNs),
        toAt: iso(toAtNs),
        why,
      })),
    },
  };
}

/** The same bytes for the same report. Six decimals keep every ns of a ms and drop what floating point adds. */
export function reportJsonText(report: Report): string {
  const rounded = (_key: string, value: unknown): unknown =>
    typeof value === 'number' ? Math.round(value * 1e6) / 1e6 : value;
  return `${JSON.stringify(report, rounded, 2)}\n`;
}

function runOf(analysis: Analysis, { iso, isoOrNull }: Instants): ReportRun {
  const { command, scenario, sides } = analysis;
  return {
    id: analysis.runId,
    cutwatchVersion: analysis.version,
    scenario: scenario.name,
    mode: analysis.mode,
    startedAt: iso(0),
    endedAt: iso(analysis.endedAtNs),
    endedBecause: analysis.endedBecause,
    isWhole: analysis.isWhole,
    incompleteBecause: analysis.incompleteBecause,
    vantages: [{ name: analysis.vantage, clockOffsetMs: null }],
    command:
      command === null
        ? null
        : {
            program: command.words[0] ?? '',
            exitCode: command.exitCode,
            signal: command.signal,
            error: command.error,
            fromAt: isoOrNull(command.fromAtNs),
            toAt: isoOrNull(command.toAtNs),
          },
    commandWithheldBecause: analysis.commandWithheldBecause,
    sides: {
      old: { title: scenario.sides.old.title, addresses: sides.old.addresses },
      new: { title: scenario.sides.new.title, addresses: sides.new.addresses },
    },
    clients: scenario.clients.map(({ name, weightRatio, archetype }) => ({
      name,
      weightRatio,
      standsFor: archetype.standsFor,
      ownCacheS: ownCacheS(archetype.resolve),
    })),
    weightsGiven: scenario.weightsGiven,
    referenceCount: scenario.references.length,
  };
}

function rolloutOf(
  { notBeforeNs, beganAtNs, readyAtNs, completeAtNs, ...rollout }: RolloutAnalysis,
  { iso, isoOrNull }: Instants,
): ReportRollout {
  return {
    ...rollout,
    notBeforeAt: iso(notBeforeNs),
    beganAt: iso(beganAtNs),
    readyAt: isoOrNull(readyAtNs),
    completeAt: isoOrNull(completeAtNs),
  };
}

function replicasOf({ replicas, ...rest }: ReplicasAnalysis, { iso }: Instants): ReportReplicas {
  return {
    ...rest,
    byReplica: replicas.map(({ firstAtNs, lastAtNs, ...replica }) => ({
      ...replica,
      firstAt: iso(firstAtNs),
      lastAt: iso(lastAtNs),
    })),
  };
}

function serviceOf(analysis: Analysis, verdict: Verdict, service: ServiceAnalysis, instants: Instants): ReportService {
  const { iso, isoOrNull } = instants;
  const given = analysis.scenario.services.find(({ name }) => name === service.name);
  return {
    name: service.name,
    outcome: service.outcome,
    verdict: verdict.services.find(({ name }) => name === service.name)?.value ?? verdict.value,
    changes: service.changes.map((change) => ({
      direction: change.direction,
      markedAt: isoOrNull(change.markedAtNs),
      commandFromAt: isoOrNull(change.commandFromAtNs),
      commandToAt: isoOrNull(change.commandToAtNs),
      authorityFirstAt: isoOrNull(change.authorityFirstAtNs),
      authorityLastAt: isoOrNull(change.authorityLastAtNs),
      identityAt: isoOrNull(change.identityAtNs),
      usedAt: iso(change.usedAtNs),
      usedBy: change.usedBy,
      isEvident: change.isEvident,
    })),
    phases: service.phases.map(({ name, changeIndex, fromAtNs, toAtNs }) => ({
      name,
      changeIndex,
      fromAt: iso(fromAtNs),
      toAt: iso(toAtNs),
    })),
    impact: service.impact,
    safeToSwitch: safetyOf(service.safeToSwitch, isoOrNull),
    safeToRemoveOld: { ...safetyOf(service.safeToRemoveOld, isoOrNull), side: service.safeToRemoveOld.side },
    oldAnswers: oldAnswersOf(service, isoOrNull),
    ttlS: service.ttlS,
    convergenceS: service.convergenceS,
    tail: service.tail,
    latencyP99: service.latencyP99,
    residual: service.residual.map((curve) => residualOf(curve, { iso, isoOrNull })),
    ...(service.replicas === undefined ? {} : { replicas: replicasOf(service.replicas, instants) }),
    checks: (given?.checks ?? []).map((check) => ({
      name: check.name,
      url: withoutQuery(check),
      goodWithinMs: check.goodWithinMs,
      connectMs: check.timeouts.connectMs,
      totalMs: check.timeouts.totalMs,
    })),
  };
}

function safetyOf({ safe, atNs, because, besides }: SafetyAdvice, isoOrNull: Instants['isoOrNull']): Safety {
  return { safe, at: isoOrNull(atNs), because, besides };
}

function oldAnswersOf({ oldAnswers }: ServiceAnalysis, isoOrNull: Instants['isoOrNull']): ReportService['oldAnswers'] {
  if (oldAnswers === null) return null;
  const { untilNs, ...rest } = oldAnswers;
  return { untilAt: isoOrNull(untilNs), ...rest };
}

function residualOf(curve: ResidualCurve, { iso, isoOrNull }: Instants): ReportResidual {
  const { leaving, fromAtNs, notBeforeNs, lastLeavingAtNs, theoryEndMs, theoryWhy, ...rest } = curve;
  return {
    kind: rest.kind,
    client: rest.client,
    resolver: rest.resolver,
    changeIndex: rest.changeIndex,
    side: leaving,
    fromAt: iso(fromAtNs),
    notBeforeAt: iso(notBeforeNs),
    watchedMs: rest.watchedMs,
    lastLeavingAt: isoOrNull(lastLeavingAtNs),
    theory: { endMs: theoryEndMs, why: theoryWhy },
    levels: rest.levels,
    lateReasons: rest.lateReasons,
    points: rest.points,
  };
}

/** A query may hold a key. */
function withoutQuery(check: Check): string {
  const host = check.hostname.includes(':') ? `[${check.hostname}]` : check.hostname;
  const port = check.port === (check.scheme === 'https' ? 443 : 80) ? '' : `:${String(check.port)}`;
  return `${check.scheme}://${host}${port}${check.path.split('?', 1)[0] ?? ''}`;
}

function laneOf(analysis: Analysis, lane: LaneAnalysis, instants: Instants): ReportLane {
  const { iso, isoOrNull } = instants;
  return {
    name: laneName(lane),
    role: lane.role,
    service: lane.service,
    check: lane.check,
    client: lane.client,
    resolver: lane.resolver,
    address: lane.address,
    series: lane.series,
    vantage: analysis.vantage,
    ratePerSecond: lane.ratePerSecond,
    judged: lane.judged,
    qualified: lane.qualified,
    slots: lane.slots,
    sides: lane.sides,
    firstNewAt: isoOrNull(lane.firstNewAtNs),
    lastOldAt: isoOrNull(lane.lastOldAtNs),
    oldAfterChange: lane.oldAfterChange,
    leavesOldBy: { at: isoOrNull(lane.leavesOldByAtNs), why: lane.leavesOldWhy },
    outages: lane.outages.map((outage) => outageOf(outage, instants)),
    impaired: lane.impaired.map((impaired) => impairedOf(impaired, instants)),
    downtimeMs: lane.downtimeMs,
    impairedMs: lane.impairedMs,
    resolutionMs: lane.resolutionMs,
    bursts: lane.bursts.map(({ fromAtNs, toAtNs, failedCount, slotCount, statuses }) => ({
      fromAt: iso(fromAtNs),
      toAt: iso(toAtNs),
      failedCount,
      slotCount,
      statuses,
    })),
    classes: lane.classes,
    responseTimeMs: lane.responseTimeMs,
    byAddress: lane.byAddress,
    stretches: lane.stretches.map(({ state, fromAtNs, toAtNs }) => ({
      state,
      fromAt: iso(fromAtNs),
      toAt: iso(toAtNs),
    })),
    freshChecks: lane.freshChecks,
    judgedPart: lane.judgedPart === null ? null : judgedPartOf(lane.judgedPart, instants),
  };
}

function outageOf(outage: Outage, { iso, isoOrNull }: Instants): ReportOutage {
  const { firstFailedAtNs, lastFailedAtNs, lastGoodAtNs, firstGoodAtNs, ...rest } = outage;
  return {
    firstFailedAt: iso(firstFailedAtNs),
    lastFailedAt: iso(lastFailedAtNs),
    lastGoodAt: isoOrNull(lastGoodAtNs),
    firstGoodAt: isoOrNull(firstGoodAtNs),
    ...rest,
  };
}

function impairedOf(impaired: Impaired, { iso }: Instants): ReportImpaired {
  const { fromAtNs, toAtNs, ...rest } = impaired;
  return { fromAt: iso(fromAtNs), toAt: iso(toAtNs), ...rest };
}

function judgedPartOf(part: Judged, { iso }: Instants): ReportJudgedPart {
  const { fromAtNs, toAtNs, ...rest } = part;
  return { fromAt: iso(fromAtNs), toAt: iso(toAtNs), ...rest };
}
