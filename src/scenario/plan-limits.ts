/** What a run of this scenario could not show, or should not do: found before the first probe. */
import type { Problem } from '../core/errors.ts';
import { authorityClient, type Check, type Lane, type Scenario, type Service, type Side } from '../core/scenario.ts';

const sides: readonly Side[] = ['old', 'new'];

/** A lane is judged once it had so many good slots in a row in the baseline. */
const qualifyingSlotCount = 10;
/** Of an ALB, to a target that does not accept: its 504 comes after 10 s, and must get here. */
const albTotalMsMin = 12_000;
/** The lane column of the row table is a u16. */
const laneCountMax = 65_536;

export interface Load {
  readonly service: string;
  readonly laneCount: number;
  /** Names whose addresses, and zones whose servers, have one lane each and are not known yet; counted as one. */
  readonly pendingLaneCount: number;
  readonly ratePerSecond: number;
}

/** How hard each service is probed, its sides' own lanes included. */
export function loadsOf(scenario: Scenario, lanes: readonly Lane[], pendingCount: number): readonly Load[] {
  return scenario.services.map(({ name, checks }) => {
    const own = lanes.filter(({ service }) => service === name);
    const sum = own.reduce((total, lane) => total + lane.ratePerSecond, 0);
    const pending = checks.reduce((total, check) => total + pendingCount * check.ratePerSecond, 0);
    return {
      service: name,
      laneCount: own.length,
      pendingLaneCount: pendingCount * checks.length,
      ratePerSecond: sum + pending,
    };
  });
}

export function problemsOfPlan(
  scenario: Scenario,
  lanes: readonly Lane[],
  { loads, ratePerSecondMax }: { readonly loads: readonly Load[]; readonly ratePerSecondMax: number },
): readonly Problem[] {
  const problems: Problem[] = [];
  for (const { service, laneCount, pendingLaneCount, ratePerSecond } of loads) {
    if (ratePerSecond <= ratePerSecondMax) continue;
    const more = pendingLaneCount === 0 ? '' : ` and at least ${pendingLaneCount} more, looked up when the run starts,`;
    problems.push({
      where: `services.${service}`,
      text:
        `${laneCount} lanes${more} send ${round(ratePerSecond)} probes/s, more than the guard of ${ratePerSecondMax}/s ` +
        `per service; lower ratePerSecond, name fewer clients or resolvers, or raise --max-rate`,
    });
  }
  for (const service of scenario.services) problems.push(...unresolvable(service));
  if (lanes.length > laneCountMax) {
    problems.push({ where: 'services', text: `${lanes.length} lanes are more than a log can hold, ${laneCountMax}` });
  }
  return problems;
}

const limits = ['outageMsMax', 'downtimeMsMax'] as const;

/** A limit below the distance of two probes: an outage as long as that can fall between them. */
function unresolvable(service: Service): readonly Problem[] {
  return limits.flatMap((key) => {
    const limitMs = service.objectives[key];
    const slowest = slowestOf(service);
    if (limitMs === 0 || limitMs >= 1000 / slowest.ratePerSecond) return [];
    const text =
      `${limitMs} ms cannot be resolved at ${slowest.ratePerSecond} probes/s of ${slowest.name}, which sees no outage ` +
      `shorter than ${round(1000 / slowest.ratePerSecond)} ms for sure; probe at ${rateFor(limitMs)}/s, or set the limit ` +
      `to 0 (none seen) or to ${Math.ceil(2000 / slowest.ratePerSecond)}`;
    return [{ where: `services.${service.name}.objectives.${key}`, text }];
  });
}

/** The rate at which one failed probe, with its good neighbours, is within the limit. */
function rateFor(limitMs: number): number {
  return Math.ceil(20_000 / limitMs) / 10;
}

function slowestOf(service: Service): Check {
  return service.checks.reduce((slowest, check) => (check.ratePerSecond < slowest.ratePerSecond ? check : slowest));
}

export function warningsOfPlan(scenario: Scenario): readonly string[] {
  const { services, clients, change, sides: both } = scenario;
  const warnings = [...(scenario.warnings ?? [])];
  for (const service of services) {
    const slowest = slowestOf(service);
    const oneFailedMs = 2000 / slowest.ratePerSecond;
    // A limit below one interval is refused, not warned of.
    const tight = limits.filter((key) => {
      const limitMs = service.objectives[key];
      return limitMs >= oneFailedMs / 2 && limitMs < oneFailedMs;
    });
    if (tight.length > 0) {
      warnings.push(
        `${service.name}: at ${slowest.ratePerSecond} probes/s one failed probe means an outage of up to ` +
          `${round(oneFailedMs)} ms, more than ${tight.join(' and ')} of ${service.objectives[tight[0] ?? 'outageMsMax']} ms: ` +
          `the verdict would be inconclusive`,
      );
    }
    const slotCount = Math.floor(change.baselineS * slowest.ratePerSecond);
    if (slotCount < qualifyingSlotCount) {
      warnings.push(
        `${service.name}: a baseline of ${change.baselineS} s at ${slowest.ratePerSecond} probes/s has ${slotCount} probes ` +
          `a lane, and a lane is judged after ${qualifyingSlotCount} good ones in a row: nothing would be judged`,
      );
    }
  }
  warnings.push(...coldClients(scenario), ...laneless(scenario), ...unsaidWebSockets(scenario));
  const albs = sides.filter((side) => isAlb(scenario, side));
  const hasty = services.flatMap(({ checks }) => checks).filter(({ timeouts }) => timeouts.totalMs < albTotalMsMin);
  if (albs.length > 0 && hasty.length > 0) {
    warnings.push(
      `totalMs of ${hasty.map(({ name }) => name).join(', ')} is under ${albTotalMsMin / 1000} s, and the ` +
        `${albs.join(' and ')} side is an ALB: its 504 for a target that does not accept comes after 10 s, unseen`,
    );
  }
  if (!clients.some(({ archetype }) => archetype.judged)) {
    warnings.push('none of the clients is judged: the verdict can only be inconclusive');
  }
  if (change.via === 'dns' && sides.every((side) => both[side].addresses.length === 0)) {
    warnings.push(
      'no side has addresses: DNS answers say nothing about sides, and the sides have no lanes of their own',
    );
  }
  return warnings;
}

/** The longest that a browser keeps an answer by itself (domain facts, A.6). */
const warmSMin = 60;

/** Caches that the run itself has only just filled do not show when users leave. */
function coldClients({ clients, change }: Scenario): readonly string[] {
  const remembering = clients.filter(({ archetype: { resolve, connect } }) => {
    return resolve.kind !== 'pinned' && (resolve.kind !== 'per-connection' || connect.kind !== 'new');
  });
  const neededS = Math.max(warmSMin, change.ttlS ?? 0);
  const isMoving = change.via === 'dns' || change.via === 'cdn';
  if (!isMoving || remembering.length === 0 || change.baselineS >= neededS) return [];
  const names = remembering.map(({ name }) => name).join(', ');
  return [
    `a baseline of ${change.baselineS} s is shorter than ${neededS} s: ${names} would hold answers and connections that ` +
      'are newer than those of users, and not leave when users do',
  ];
}

/** Clients of which there may be no lane at all. */
function laneless({ clients, authorities, sides: both, change }: Scenario): readonly string[] {
  const leaving = change.direction === 'old-to-new' ? 'old' : 'new';
  const hasAddress = both[leaving].addresses.some(({ kind }) => kind !== 'network');
  const pinned = clients.filter(({ archetype: { resolve } }) => resolve.kind === 'pinned' && resolve.address === null);
  return [
    ...(hasAddress ? [] : pinned.map(({ name }) => `${name} has no lane: the ${leaving} side has no address or name`)),
    ...(authorities === 'none' && clients.some(({ name }) => name === authorityClient)
      ? [`${authorityClient} has no lane: the scenario has no authorities`]
      : []),
  ];
}

/** To whom a check answers as to a page, an upgrade may be refused: its lane would never be judged. */
function unsaidWebSockets({ clients, services }: Scenario): readonly string[] {
  const holding = clients.filter(({ archetype }) => archetype.connect.kind === 'held').map(({ name }) => name);
  const isSaid = services.some(({ checks }) => checks.some(({ isWebSocket }) => isWebSocket === true));
  if (holding.length === 0 || isSaid) return [];
  return [
    `${holding.join(', ')} would ask every check to upgrade to a WebSocket, since no url begins with ws: or wss:; ` +
      'where a server does not, the lane is never judged: give the service a check with the url of its WebSocket',
  ];
}

function isAlb(scenario: Scenario, side: Side): boolean {
  const { title, addresses } = scenario.sides[side];
  const isAlbName = addresses.some((entry) => entry.kind === 'name' && /\.elb\.amazonaws\.com\.?$/.test(entry.name));
  return isAlbName || /\balb\b/i.test(title);
}

/** At most two decimals. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
