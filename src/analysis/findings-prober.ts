/** Findings about our own sight: what hides things from us, and what others did to the prober. */
import type { Finding } from '../core/analysis.ts';
import { laneName } from '../core/lane-name.ts';
import { countOf, durationText } from '../core/quantity-text.ts';
import { at, type FindingContext } from './finding-context.ts';

export function proberFindings(context: FindingContext): Finding[] {
  return [
    ...blockedLanes(context),
    ...unsentSlots(context),
    ...ownNetwork(context),
    ...limits(context),
    ...clock(context),
    ...assumptions(context),
    ...notes(context),
  ];
}

function blockedLanes(context: FindingContext): Finding[] {
  const slowed = context.journal.of('lane-slowed');
  return context.lanes
    .filter((lane) => lane.slots.blocked > 0 && lane.series === 'raw')
    .map((lane) => ({
      kind: 'lane-blocked',
      service: lane.service === '' ? null : lane.service,
      severity: 'warn',
      text: `${laneName(lane)}: ${countOf(lane.slots.blocked, 'slot')} met a refusal meant for the prober (403, 429 or a challenge page), or were withheld because of it: no downtime, and no evidence of health. Let the prober through.`,
      evidence: slowed
        .filter((entry) => entry.lane === lane.number)
        .map((entry) => `${at(context, entry.atNs)}: slowed to one probe in 10 s, from slot ${String(entry.slot)} on`),
    }));
}

function unsentSlots({ lanes, prober }: FindingContext): Finding[] {
  const count = (of: 'dropped' | 'blind'): number =>
    lanes.reduce((sum, lane) => sum + (lane.series === 'raw' ? lane.slots[of] : 0), 0);
  const [dropped, blind] = [count('dropped'), count('blind')];
  const spots = prober.blindSpots.map((spot) => `${durationText((spot.toAtNs - spot.fromAtNs) / 1e6)}: ${spot.why}`);
  const findings: Finding[] = [];
  const about = { service: null, severity: 'warn' } as const;
  if (dropped > 0) {
    const text = `${countOf(dropped, 'slot')} were not sent, because their lane had too many probes under way or they were too late already; they widen the bounds.`;
    findings.push({ ...about, kind: 'slots-dropped', text, evidence: [] });
  }
  if (blind > 0) {
    const text = `${countOf(blind, 'slot')} say nothing, because our own machine was late or could not send; they widen the bounds.`;
    findings.push({ ...about, kind: 'slots-blind', text, evidence: spots });
  }
  return findings;
}

function ownNetwork(context: FindingContext): Finding[] {
  const { spans } = context.ownNetwork;
  if (spans.length === 0) return [];
  const isByReference = context.views.some((view) => view.lane.role === 'reference');
  return [
    {
      kind: 'own-network-suspected',
      service: null,
      severity: 'warn',
      text: isByReference
        ? 'All references failed too at times: failures then may be our own network, and do not count as certain.'
        : 'Every lane and every DNS answer failed at times: that may be our own network, and does not count as certain. References in other networks would tell.',
      evidence: spans.map((span) => `${at(context, span.fromNs)} to ${at(context, span.toNs)}`),
    },
  ];
}

function limits({ journal }: FindingContext): Finding[] {
  const over = journal.of('run-ended')[0]?.definitionOverCapCount ?? 0;
  if (over === 0) return [];
  const text = `${countOf(over, 'different answer, address, face or error', 'different answers, addresses, faces or errors')} were more than the log keeps: their side and cause are unknown.`;
  return [{ kind: 'definitions-over-cap', service: null, severity: 'warn', text, evidence: [] }];
}

/** Less than this and no instant of the report is read differently for it. */
const clockStepMsMin = 100;

function clock(context: FindingContext): Finding[] {
  const steps = context.journal.of('clock-stepped').filter((entry) => Math.abs(entry.stepMs) >= clockStepMsMin);
  if (steps.length === 0) return [];
  const text =
    'The wall clock was set during the run. Lengths are measured on another clock and stay right; instants after it differ from those of other systems.';
  const evidence = steps.map((step) => `${at(context, step.atNs)}: by ${String(step.stepMs)} ms`);
  return [{ kind: 'clock-stepped', service: null, severity: 'warn', text, evidence }];
}

function assumptions({ gathered: { started } }: FindingContext): Finding[] {
  const { clients, weightsGiven } = started.scenario;
  const users = clients.filter(({ weightRatio }) => weightRatio > 0);
  if (weightsGiven || users.length < 2) return [];
  const text = `No client has a weight, so each of the ${String(users.length)} stands for as many users; user-weighted numbers are only as good as that.`;
  return [{ kind: 'weights-assumed', service: null, severity: 'info', text, evidence: [] }];
}

function notes(context: FindingContext): Finding[] {
  return context.journal.of('noted').map((entry) => ({
    kind: 'noted',
    service: null,
    severity: 'info',
    text: entry.text,
    evidence: [at(context, entry.atNs)],
  }));
}
