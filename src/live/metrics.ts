/**
 * `/metrics`: a run as it stands, for Prometheus. Labels hold names of the scenario and words of ours, never an address or
 * a text from elsewhere, so that their number is bounded by the scenario. Seconds, as Prometheus wants them. What was not
 * seen has no sample: a 0 would say that all is well, and a rule that asks for one can tell that there is none.
 */
import type { Interval } from '../core/analysis.ts';
import { msToS } from '../core/time.ts';
import { serviceViews } from '../report/service-view.ts';
import type { Report, ReportLane, ReportResolver } from '../report/shape.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { phaseOf } from './phase-of.ts';
import { failureCounts, probeCounts, responseTimes } from './probe-metrics.ts';
import type { Family, Labels, Sample } from './prometheus-text.ts';

export function metricsOf(snapshot: Snapshot, viewerCount: number): Family[] {
  return [
    ...runFamilies(snapshot, viewerCount),
    ...probeFamilies(snapshot),
    ...serviceFamilies(snapshot),
    ...resolverFamilies(snapshot),
    ...proberFamilies(snapshot),
  ];
}

function runFamilies({ report, nowMs, isRunning }: Snapshot, viewerCount: number): Family[] {
  const { id, scenario, mode, cutwatchVersion, startedAt } = report.run;
  const startedAtMs = Date.parse(startedAt);
  return [
    gauge('run_info', 'The run.', [one({ run: id, scenario, mode, version: cutwatchVersion }, 1)]),
    gauge('run_start_time_seconds', 'When it began, in seconds since 1970.', [one({}, msToS(startedAtMs))]),
    gauge('run_seen_until_time_seconds', 'Until when everything else here holds, in seconds since 1970.', [
      one({}, msToS(startedAtMs + nowMs)),
    ]),
    gauge('run_running', '1 while it goes on.', [one({}, Number(isRunning))]),
    gauge('run_viewers', 'Pages that look on.', [one({}, viewerCount)]),
    gauge('verdict', 'The verdict on what was seen so far: 1 for the one that it is.', [
      ...oneOf(report.verdict.value, verdicts, (value) => ({ value })),
    ]),
    counter('marks_total', 'Marks in the run.', [one({}, report.marks.length)]),
    gauge(
      'findings',
      'Findings, by severity.',
      severities.map((severity) =>
        one({ severity }, report.findings.filter((finding) => finding.severity === severity).length),
      ),
    ),
  ];
}

function probeFamilies(snapshot: Snapshot): Family[] {
  return [
    counter(
      'probes_total',
      'Slots by what became of them and the side that answered. A probe whose side turns out later may count for both.',
      probeCounts(snapshot),
    ),
    counter('failed_probes_total', 'Failed probes, by what failed.', failureCounts(snapshot)),
    {
      name: `${prefix}response_time_seconds`,
      help: 'Response times of good probes, from when they were due. The sum is good to a twentieth.',
      type: 'histogram',
      samples: responseTimes(snapshot.picture.latency),
    },
  ];
}

function serviceFamilies({ report, nowMs }: Snapshot): Family[] {
  const at = new Date(Date.parse(report.run.startedAt) + nowMs).toISOString();
  const { services } = report;
  return [
    gauge(
      'service_verdict',
      'As cutwatch_verdict, of a service.',
      services.flatMap(({ name, verdict }) => oneOf(verdict, verdicts, (value) => ({ service: name, value }))),
    ),
    gauge(
      'phase',
      'Where a service is in its change: 1 for the phase that it is in.',
      services.flatMap((service) =>
        oneOf(phaseOf(service, at), phaseNames, (phase) => ({ service: service.name, phase })),
      ),
    ),
    gauge(
      'safe_to_switch',
      'Whether it is safe to switch: 1 for the answer that it is.',
      services.flatMap(({ name, safeToSwitch }) =>
        oneOf(safeToSwitch.safe, safeties, (answer) => ({ service: name, answer })),
      ),
    ),
    gauge(
      'safe_to_remove_old',
      'Whether the side that the change left may go: 1 for the answer that it is.',
      services.flatMap(({ name, safeToRemoveOld }) =>
        oneOf(safeToRemoveOld.safe, safeties, (answer) => ({ service: name, answer })),
      ),
    ),
    gauge(
      'downtime_seconds',
      'Downtime of the judged client hit worst, since the change: at least and at most, by bound. None before one is judged.',
      serviceViews(report).flatMap(({ service: { name, impact }, judged }) =>
        judged.length === 0 ? [] : bounds(impact.downtimeMs, { service: name }),
      ),
    ),
    gauge(
      'client_downtime_seconds',
      'Downtime in a kind of client, in its lane hit worst: at least and at most, by bound.',
      worstDowntimes(report.lanes),
    ),
    gauge(
      'stale_targets',
      'Stale targets that were seen behind the load balancer. None where nobody could tell.',
      services.flatMap(({ name }) => staleTargets(report, name)),
    ),
  ];
}

/** None found is only said where the run could have found one. */
function staleTargets({ staleTargets: all, verdict }: Report, service: string): Sample[] {
  const found = all.filter(({ services }) => services.includes(service)).length;
  const isTold = verdict.reasons.some(
    (reason) =>
      reason.service === service && reason.objective === 'staleTargetCountMax' && reason.value !== 'inconclusive',
  );
  return found > 0 || isTold ? [one({ service }, found)] : [];
}

function worstDowntimes(lanes: readonly ReportLane[]): Sample[] {
  const worst = new Map<string, Interval & { readonly labels: Labels }>();
  for (const { service, client, series, slots, downtimeMs } of lanes) {
    if (series !== 'raw' || slots.good + slots.failed === 0) continue;
    const key = JSON.stringify([service, client]);
    const { min = 0, max = 0 } = worst.get(key) ?? {};
    worst.set(key, {
      labels: { service, client },
      min: Math.max(min, downtimeMs.min),
      max: Math.max(max, downtimeMs.max),
    });
  }
  return [...worst.values()].flatMap((interval) => bounds(interval, interval.labels));
}

function resolverFamilies({ report, picture }: Snapshot): Family[] {
  // The picture has name servers too, by address.
  const names = new Set(report.resolvers.map(({ name }) => name));
  const drawn = picture.resolvers.filter(({ name }) => names.has(name));
  const ttl = ({ name, hostname, ttlS }: ReportResolver): Sample[] =>
    ttlS.max === null ? [] : [one({ resolver: name, hostname }, ttlS.max)];
  return [
    gauge(
      'resolver_state',
      "What a resolver's last answer named: 1 for the state that it is in.",
      drawn.flatMap(({ name, hostname, states }) =>
        oneOf(states.at(-1)?.state ?? 'unknown', resolverStates, (state) => ({ resolver: name, hostname, state })),
      ),
    ),
    gauge('resolver_ttl_max_seconds', 'The highest TTL that a resolver told.', report.resolvers.flatMap(ttl)),
  ];
}

function proberFamilies({ report }: Snapshot): Family[] {
  const { prober } = report;
  const hasSent = prober.dueCount > prober.droppedCount;
  const lateness = (ms: number): Sample[] => (hasSent ? [one({}, msToS(ms))] : []);
  return [
    counter('slots_due_total', 'Slots that were due, in all lanes.', [one({}, prober.dueCount)]),
    counter('slots_dropped_total', 'Slots that were due and not sent.', [one({}, prober.droppedCount)]),
    counter('blind_seconds_total', 'Time in which our own process or network saw too little to say anything.', [
      one({}, blindS(prober)),
    ]),
    gauge(
      'prober_lateness_p99_seconds',
      'How late probes were sent: all but one in a hundred less.',
      lateness(prober.latenessMs.p99),
    ),
    gauge('prober_lateness_max_seconds', 'How late probes were sent: the most.', lateness(prober.latenessMs.max)),
    gauge('prober_stall_max_seconds', 'The longest that a probing thread stood still.', [
      one({}, msToS(prober.eventLoopDelayMsMax)),
    ]),
    gauge('prober_clock_step_seconds', 'By how much the wall clock moved against the monotonic one, in all.', [
      one({}, msToS(prober.clockStepMs)),
    ]),
  ];
}

/** Blind spots of several threads lie over one another. */
function blindS({ blindSpots }: Report['prober']): number {
  let untilMs = -Infinity;
  let sumMs = 0;
  const spots = blindSpots.map(({ fromAt, toAt }) => [Date.parse(fromAt), Date.parse(toAt)] as const);
  for (const [fromMs, toMs] of spots.toSorted(([a], [b]) => a - b)) {
    sumMs += Math.max(0, toMs - Math.max(fromMs, untilMs));
    untilMs = Math.max(untilMs, toMs);
  }
  return msToS(sumMs);
}

// ── families and samples ─────────────────────────────────────────────────────────────────────────────────────────────

const prefix = 'cutwatch_';
const verdicts = ['pass', 'fail', 'inconclusive'] as const;
const severities = ['info', 'warn', 'fail'] as const;
const phaseNames = ['baseline', 'switching', 'tail'] as const;
const safeties = ['yes', 'no', 'unknown'] as const;
const resolverStates = ['old', 'new', 'mixed', 'unknown', 'conflict', 'failed'] as const;

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name: prefix + name, help, type: 'gauge', samples };
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name: prefix + name, help, type: 'counter', samples };
}

function one(labels: Labels, value: number): Sample {
  return { labels, value };
}

/** A sample for each state that there is: 1 for the one that it is. */
function oneOf<S extends string>(is: S, states: readonly S[], labels: (state: S) => Labels): Sample[] {
  return states.map((state) => one(labels(state), Number(state === is)));
}

function bounds(ms: Interval, labels: Labels): Sample[] {
  return (['min', 'max'] as const).map((bound) => one({ ...labels, bound }, msToS(ms[bound])));
}
