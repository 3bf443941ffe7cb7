/** What holds users on the side that is left: old connections, and how it is known that they are gone (domain.md, 0.7, E3, E14). */
import type { LoadBalancerSeen, TrafficSeen } from '../core/platform.ts';
import { countOf, durationText, listText } from '../core/quantity-text.ts';
import { askedTtlS } from '../core/record-set.ts';
import type { Side } from '../core/scenario.ts';
import { kubernetesRead, type KubernetesFacts, type PlaybookFacts } from './playbook-facts.ts';
import { loadBalancersOf, ofSide, unreadRow } from './playbook-platforms.ts';
import type { Reading } from './playbook-readings.ts';
import { stepRow, titleOf, wayOf, type CheckSaid, type StepRow } from './playbook-step.ts';

/** An ALB takes 60 at least; twice that is no wait worth having. */
const connectionAgeSMax = 120;
/** `client_keep_alive.seconds` is never more: a week later no connection is left that was made under any value. */
const connectionAgeSEver = 604_800;

export function connectionKey(side: Side, name: string): string {
  return `${side}/${name}`;
}

export function connectionAgeLowered(facts: PlaybookFacts): CheckSaid {
  const { leaving } = wayOf(facts);
  const { scenario } = facts.look;
  const platform = facts.platforms[leaving];
  const source = 'ELBv2 DescribeLoadBalancerAttributes, and what earlier readings saw';
  const said = (rows: readonly StepRow[]): CheckSaid => ofSide(facts, leaving, source, rows);
  const read = loadBalancersOf(platform);
  const title = titleOf(scenario, leaving);
  if (read === null && platform.kubernetes !== null)
    return said([unnamedBalancerRow(facts, leaving, platform.kubernetes)]);
  if (read === null) {
    const toDo = `Say aws with loadBalancer under sides.${leaving}, or leave this step out of playbook.`;
    return said([stepRow('unknown', title, 'the scenario names no load balancer', { toDo })]);
  }
  if (read.kind === 'not-told') return said([unreadRow(title, read.why)]);
  return said(read.value.map((one) => connectionAgeRow(facts, leaving, one)));
}

/**
 * A load balancer that a controller made stands in no scenario, and an ALB of it keeps connections as any other. AWS calls
 * it `….<region>.elb.amazonaws.com`, and a network load balancer, which does not, `….elb.<region>.amazonaws.com`.
 */
function unnamedBalancerRow(facts: PlaybookFacts, leaving: Side, kubernetes: KubernetesFacts): StepRow {
  const { scenario } = facts.look;
  const title = titleOf(scenario, leaving);
  const toDo = `Say aws with loadBalancer under sides.${leaving}, or leave this step out of playbook.`;
  const unknown = (found: string): StepRow => stepRow('unknown', title, found, { toDo });
  const ingresses = kubernetesRead(kubernetes, 'ingress', ['ingresses']);
  const bindings = kubernetesRead(kubernetes, 'binding', ['targetgroupbindings']);
  const ofIngresses =
    ingresses.kind === 'told' ? ingresses.value.flatMap(({ ingress }) => ingress.loadBalancerNames) : [];
  const ofSide = scenario.sides[leaving].addresses.flatMap((one) => (one.kind === 'name' ? [one.name] : []));
  const names = [...new Set([...ofSide, ...ofIngresses])];
  const others = names.filter((name) => /\.[a-z0-9-]+\.elb\.amazonaws\.com(?:\.cn)?\.?$/i.test(name));
  if (others.length > 0)
    return unknown(`${listText(others)} may be an application load balancer, and nobody looks at it`);
  if (ingresses.kind === 'not-told') return unknown(ingresses.why);
  if (bindings.kind === 'not-told') return unknown(bindings.why);
  const isNetwork = names.some((name) => /\.elb\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?\.?$/i.test(name));
  if (bindings.value.length > 0 && !isNetwork)
    return unknown('a load balancer of AWS stands before it, and is not named');
  // ingress-nginx: keep-alive 75 s, keep-alive-requests 1000.
  return stepRow('not-applicable', title, 'no load balancer that ends connections by age stands before it');
}

function connectionAgeRow(facts: PlaybookFacts, leaving: Side, { name, clientKeepAliveS }: LoadBalancerSeen): StepRow {
  const { nowMs } = facts.look;
  const what = 'client_keep_alive.seconds';
  if (clientKeepAliveS === null) {
    return stepRow('not-applicable', name, 'a network load balancer does not end connections by age');
  }
  const now = `${what} is ${clientKeepAliveS}`;
  if (clientKeepAliveS > connectionAgeSMax) {
    const toDo = `aws elbv2 modify-load-balancer-attributes --attributes Key=${what},Value=60, then wait ${clientKeepAliveS} s: connections made before live as long.`;
    return stepRow('fail', name, now, { toDo });
  }
  const values = facts.readings.flatMap(({ atMs, connectionAgesS }) => {
    const valueS = connectionAgesS[connectionKey(leaving, name)];
    return valueS === undefined ? [] : [{ atMs, valueS }];
  });
  const lastHigh = values.findLastIndex(({ valueS }) => valueS > connectionAgeSMax);
  const lowAtMs = values[lastHigh + 1]?.atMs ?? nowMs;
  if (lastHigh === -1) {
    if (lowAtMs + connectionAgeSEver * 1000 <= nowMs) return stepRow('pass', name, `${now}, for a week or longer`);
    const toDo = `What it was before is not known. If that was ${what} = 3600, the default, and it was not lowered later than seen, it is enough from ${iso(lowAtMs + 3600_000)} on.`;
    return stepRow('unknown', name, `${now}, first seen ${iso(lowAtMs)}`, { toDo });
  }
  // Of several values each holds connections that were made while it was so; it was so until the next reading.
  const overMs = Math.max(
    ...values.map(({ atMs, valueS }, i) =>
      valueS > connectionAgeSMax ? (values[i + 1]?.atMs ?? atMs) + valueS * 1000 : 0,
    ),
  );
  const before = `${values[lastHigh]?.valueS} until ${iso(lowAtMs)} at the latest`;
  if (overMs <= nowMs) return stepRow('pass', name, `${now}, before ${before}`);
  const toDo = `Wait ${durationText(overMs - nowMs, 'up')}, until ${iso(overMs)}: connections from before may live so long.`;
  return stepRow('fail', name, `${now}, before ${before}`, { toDo, canWait: true });
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

// ── drained ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const zeroMinutesMin = 5;

export function drained(facts: PlaybookFacts): CheckSaid {
  const { leaving } = wayOf(facts);
  const { aws } = facts.platforms[leaving];
  const title = titleOf(facts.look.scenario, leaving);
  const said = (rows: readonly StepRow[]): CheckSaid =>
    ofSide(facts, leaving, 'CloudWatch GetMetricData, by the minute; readings of DNS', rows);
  if (aws === null || aws.loadBalancers === null || aws.traffic === null) {
    const why = aws?.loadBalancers?.kind === 'not-told' ? aws.loadBalancers.why : 'no load balancer of AWS is named';
    const toDo = 'See safeToRemoveOld in the report of the run, which knows who was still there.';
    return said([stepRow('unknown', title, why, { toDo })]);
  }
  if (aws.loadBalancers.kind === 'not-told') return said([unreadRow(title, aws.loadBalancers.why)]);
  if (aws.traffic.kind === 'not-told') return said([unreadRow(title, aws.traffic.why)]);
  const keepAlivesS = aws.loadBalancers.value.map(({ clientKeepAliveS }) => clientKeepAliveS ?? 0);
  const { value: traffic } = aws.traffic;
  return said([
    ageRow(facts, Math.max(0, ...keepAlivesS)),
    ...aws.loadBalancers.value.map(({ name }) => trafficRow(facts, name, traffic)),
  ]);
}

/** Whoever holds an answer or a connection within the rules may come back until then, however quiet it is now. */
function ageRow(facts: PlaybookFacts, keepAliveS: number): StepRow {
  const { scenario, nowMs } = facts.look;
  const atMs = switchedAtMs(facts.readings, wayOf(facts).entering);
  const subject = 'time since the switch';
  if (atMs === null) {
    return stepRow('fail', subject, 'names have not been seen switched', { toDo: 'Switch them first (dns-switched).' });
  }
  const ttlS = askedTtlS(scenario);
  const overMs = atMs + (ttlS + keepAliveS) * 1000;
  const found = `${durationText(nowMs - atMs)}, of TTL ${ttlS} s + client_keep_alive ${keepAliveS} s`;
  if (overMs <= nowMs) return stepRow('pass', subject, found);
  const toDo = `Wait until ${iso(overMs)}: until then an obeying client may come back.`;
  return stepRow('fail', subject, found, { toDo, canWait: true });
}

/** By when all names led there, in the readings; null: they do not, or nobody knows. */
export function switchedAtMs(readings: readonly Reading[], entering: Side): number | null {
  const known = readings.filter(({ dns }) => dns !== 'unknown');
  const lastElsewhere = known.findLastIndex(({ dns }) => dns !== entering);
  return known[lastElsewhere + 1]?.atMs ?? null;
}

function trafficRow(facts: PlaybookFacts, name: string, traffic: readonly TrafficSeen[]): StepRow {
  const own = traffic.filter(({ loadBalancer }) => loadBalancer === name);
  const metric = own.some((one) => one.metric === 'RequestCount') ? 'RequestCount' : 'NewConnectionCount';
  const minutes = own
    .filter((one) => one.metric === metric)
    .toSorted((a, b) => a.periodFromMs - b.periodFromMs)
    .slice(-zeroMinutesMin);
  const subject = `${metric} of ${name}`;
  if (minutes.length < zeroMinutesMin) {
    const toDo = 'CloudWatch tells a minute some minutes later: ask again.';
    return stepRow('unknown', subject, `known of ${countOf(minutes.length, 'minute')}`, { toDo, canWait: true });
  }
  const busy = minutes.filter((one) => one.sum > ownCount(facts, one));
  if (busy.length === 0) return stepRow('pass', subject, `0 in each of the last ${zeroMinutesMin} known minutes`);
  const last = busy.at(-1);
  const found = `${last?.sum} in the minute from ${iso(last?.periodFromMs ?? 0)}`;
  const toDo =
    'Somebody still comes: see still-there in the report of the run. What cutwatch run sends to this side itself is counted, too; end it first.';
  return stepRow('fail', subject, found, { toDo, canWait: true });
}

/** What we sent to that side ourselves, for new-side-answers and rollback-ready; it took less than a minute. */
function ownCount(facts: PlaybookFacts, { periodFromMs, periodS }: TrafficSeen): number {
  const { leaving } = wayOf(facts);
  const toMs = periodFromMs + periodS * 1000;
  return facts.readings
    .filter(({ atMs }) => atMs >= periodFromMs && atMs - periodS * 1000 < toMs)
    .reduce((sum, { sentCounts }) => sum + sentCounts[leaving], 0);
}
