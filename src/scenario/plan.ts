/** What a run of a scenario would do, for people to read before the first probe. Sends nothing. */
import type { Problem } from '../core/errors.ts';
import { nameOfLane } from '../core/lane-name.ts';
import { authorityClient, type Check, type Lane, type Scenario, type Service, type Side } from '../core/scenario.ts';
import { lanesOf } from './lanes.ts';
import { isAddress } from './network.ts';
import { checkWithoutSecrets } from './secrets.ts';
import { platformRows } from './plan-platforms.ts';
import { durationOf, type HostTotal, hostTotals, planFacts, type PlanFacts } from './plan-facts.ts';
import { type Load, loadsOf, problemsOfPlan, round, warningsOfPlan } from './plan-limits.ts';

export interface Plan {
  /** Ends in a line break. */
  readonly text: string;
  /** The same for machines. */
  readonly facts: PlanFacts;
  /** What forbids the run. `where` is a path in the scenario. */
  readonly problems: readonly Problem[];
  /** What the user should know; sentences. */
  readonly warnings: readonly string[];
}

export interface PlanOptions {
  /** The guard per service: we must not cause the incident. */
  readonly ratePerSecondMax?: number;
  /** The lanes of a run that has looked up its sides' names; without them the names are shown. */
  readonly lanes?: readonly Lane[];
}

const ratePerSecondMaxDefault = 30;
const sides: readonly Side[] = ['old', 'new'];

export function plan(scenario: Scenario, options: PlanOptions = {}): Plan {
  const { ratePerSecondMax = ratePerSecondMaxDefault } = options;
  const lanes = options.lanes ?? lanesOf(scenario, { old: [], new: [] });
  const pending = options.lanes === undefined ? pendingLanes(scenario) : [];
  const loads = loadsOf(scenario, lanes, pending.length);
  const warnings = warningsOfPlan(scenario);
  const requests = hostTotals(scenario, lanes, pending.length);
  const problems = problemsOfPlan(scenario, lanes, { loads, ratePerSecondMax });
  const sections = [
    [heading(scenario), sumText(lanes, pending, loads)].join('\n'),
    clientsText(scenario),
    ...scenario.services.map((service, i) => serviceText(service, lanes, pending, loads[i])),
    ...referencesText(lanes),
    table('Requests', requestRows(requests)),
    'After a failure on a kept connection one more request follows on a fresh one, and one of each client that retries.',
    table('DNS', dnsRows(scenario, lanes)),
    ...platformsText(scenario),
    durationText(scenario),
    ...(warnings.length === 0 ? [] : [['Note', ...warnings.map((warning) => `  - ${warning}`)].join('\n')]),
  ];
  return {
    text: `${sections.join('\n\n')}\n`,
    facts: planFacts(scenario, lanes, { pending, loads, requests, problems, warnings }),
    problems,
    warnings,
  };
}

interface PendingName {
  readonly side: Side;
  readonly name: string;
}

function pendingNames(scenario: Scenario): readonly PendingName[] {
  return sides.flatMap((side) =>
    scenario.sides[side].addresses.flatMap((entry) => (entry.kind === 'name' ? [{ side, name: entry.name }] : [])),
  );
}

/** What becomes lanes when the run starts, by what they are called. */
function pendingLanes(scenario: Scenario): readonly string[] {
  const hasAuthorities =
    scenario.authorities === 'auto' && scenario.clients.some(({ name }) => name === authorityClient);
  return [
    ...(hasAuthorities ? [`${authorityClient} via each name server`] : []),
    ...pendingNames(scenario).map(({ side, name }) => `side:${side} at ${name}`),
  ];
}

function heading({ name, change, sides: both }: Scenario): string {
  const [from, to] = change.direction === 'old-to-new' ? [both.old, both.new] : [both.new, both.old];
  return `${name}: from ${from.title} to ${to.title}, by ${change.via}`;
}

/** All services together, before the details. */
function sumText(lanes: readonly Lane[], pending: readonly string[], loads: readonly Load[]): string {
  const atLeast = pending.length === 0 ? '' : 'at least ';
  const laneCount = lanes.length + loads.reduce((sum, load) => sum + load.pendingLaneCount, 0);
  const ratePerSecond = round(
    loads.reduce((sum, load) => sum + load.ratePerSecond, 0) +
      lanes.filter(({ role }) => role === 'reference').reduce((sum, lane) => sum + lane.ratePerSecond, 0),
  );
  const services = loads.length === 1 ? '1 service' : `${loads.length} services`;
  return `${services}, ${atLeast}${laneCount} lanes, ${atLeast}${ratePerSecond} probes/s in all`;
}

function clientsText({ clients, weightsGiven }: Scenario): string {
  const title = weightsGiven ? 'Clients' : 'Clients (no weights given: taken as equal)';
  const rows = clients.map(({ name, weightRatio, archetype }) => [
    name,
    `${round(weightRatio * 100)} %`,
    archetype.judged ? 'judged' : 'not judged',
    archetype.standsFor,
  ]);
  return table(title, rows);
}

// ── lanes ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function serviceText(
  service: Service,
  lanes: readonly Lane[],
  pending: readonly string[],
  load: Load | undefined,
): string {
  const rows = service.checks.flatMap((check) => [
    ...lanes
      .filter((lane) => lane.service === service.name && lane.check.name === check.name)
      .map((lane) => laneRow(lane, isHeld(lane) ? 'pings on one WebSocket: good is 101' : '')),
    ...pending.map((what) => [
      `${check.name} ${what}`,
      `${check.ratePerSecond}/s each`,
      'one lane per address, looked up when the run starts',
    ]),
  ]);
  const atLeast = (load?.pendingLaneCount ?? 0) > 0 ? 'at least ' : '';
  return [
    `Service ${service.name}, ${atLeast}${round(load?.ratePerSecond ?? 0)} probes/s`,
    ...service.checks.map((check) => `  ${checkText(check)}`),
    ...aligned(rows),
  ].join('\n');
}

function isHeld({ archetype }: Lane): boolean {
  return archetype.connect.kind === 'held';
}

function checkText(check: Check): string {
  const { name, url, request, expect, goodWithinMs, timeouts } = checkWithoutSecrets(check);
  const wanted = [
    expect.statusIn.join(' or '),
    ...(expect.bodyIncludes === null ? [] : ['a text in the body']),
    ...(expect.bodyMatches === null ? [] : ['a pattern in the body']),
    ...expect.headers.map(([header, value]) => `${header}: ${value}`),
  ].join(', ');
  return `${name}: ${request.method} ${url}, good is ${wanted} within ${goodWithinMs} ms, given up after ${timeouts.totalMs} ms`;
}

function referencesText(lanes: readonly Lane[]): readonly string[] {
  const references = lanes.filter(({ role }) => role === 'reference');
  if (references.length === 0) return [];
  return [
    ['References', ...aligned(references.map((lane) => laneRow(lane, checkWithoutSecrets(lane.check).url)))].join('\n'),
  ];
}

function laneRow(lane: Lane, what: string): readonly string[] {
  return [nameOfLane(lane), `${lane.ratePerSecond}/s`, what];
}

// ── totals ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function requestRows(totals: readonly HostTotal[]): readonly (readonly string[])[] {
  return totals.map(({ host, ratePerSecond, isLeast, countMin, countMax }) => [
    host,
    `${isLeast ? 'at least ' : ''}${round(ratePerSecond)}/s`,
    `${countMin} to ${countMax} in all`,
  ]);
}

/**
 * As the watch does it: authorities for A once a second, for AAAA, CNAME, HTTPS and SOA every 10 s; the sides' own names
 * for A and AAAA every 5 s.
 */
const familyCount = 2;
const authorityPollsPerSecond = 1 + 4 / 10;
const sideNameEveryS = 5;

function dnsRows(scenario: Scenario, lanes: readonly Lane[]): readonly (readonly string[])[] {
  const checks = scenario.services.flatMap((service) => service.checks);
  // Nobody is asked for an address.
  const hostnames = new Set(checks.map(({ hostname }) => hostname).filter((hostname) => !isAddress(hostname)));
  const names = pendingNames(scenario);
  const asked = new Set(
    lanes.flatMap(({ resolver, check }) =>
      resolver === null || isAddress(check.hostname) ? [] : [`${resolver.name} ${check.hostname}`],
    ),
  );
  const { authorities } = scenario;
  const authorityPolls = round(hostnames.size * authorityPollsPerSecond);
  const hostnamesText = `for ${[...hostnames].join(', ')}`;
  const rows: (readonly string[])[] = [];
  if (authorities === 'auto') {
    rows.push([
      'each authoritative server, found by NS look-up',
      `${authorityPolls}/s`,
      `${hostnamesText}, and those of the names that their aliases lead to`,
    ]);
  } else if (authorities !== 'none') {
    const shown = authorities.map(({ address, port }) => `${address} port ${port}`).join(', ');
    rows.push([`authorities ${shown}`, `${authorityPolls}/s each`, hostnamesText]);
  }
  if (names.length > 0) {
    const polls = round((names.length * familyCount) / sideNameEveryS);
    rows.push(["the sides' own names", `${polls}/s`, `for ${names.map(({ name }) => name).join(', ')}`]);
  }
  const most = asked.size * familyCount;
  rows.push(['resolvers, for the lanes', `at most ${most}/s`, 'one question per resolver, name, family and second']);
  return rows;
}

function platformsText(scenario: Scenario): readonly string[] {
  const rows = platformRows(scenario);
  return rows.length === 0 ? [] : [table('Platforms, read only, at most one call a second in all', rows)];
}

function durationText(scenario: Scenario): string {
  const { baselineS, waitS, convergenceTimeoutS, tailS } = scenario.change;
  const { leastS, mostS } = durationOf(scenario);
  return [
    `Duration ${lengthText(leastS)} to ${lengthText(mostS)}`,
    ...aligned([
      ['baseline', lengthText(baselineS), ''],
      ['change', `at most ${lengthText(waitS)}`, 'waited for; or as long as the wrapped command takes'],
      ['convergence', `at most ${lengthText(convergenceTimeoutS)}`, 'until the last old answer'],
      ['tail', lengthText(tailS), ''],
    ]),
  ].join('\n');
}

function lengthText(s: number): string {
  const parts = [
    [Math.floor(s / 3600), 'h'],
    [Math.floor((s % 3600) / 60), 'min'],
    [round(s % 60), 's'],
  ].filter(([value]) => value !== 0);
  return parts.length === 0 ? '0 s' : parts.map(([value, unit]) => `${value} ${unit}`).join(' ');
}

// ── layout ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function table(title: string, rows: readonly (readonly string[])[]): string {
  return [title, ...aligned(rows)].join('\n');
}

/** Columns as wide as their widest cell, two spaces apart. */
function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
}
