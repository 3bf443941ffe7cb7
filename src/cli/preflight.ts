/**
 * Looks, concludes, and waits where time alone is missing. Names are looked at again and again: a server whose TTL is not
 * low yet once a second, so that T_low is known to a second, all else every ten; the sides before T_safe once more.
 */
import type { Facts, NameFacts, Probe, Route53Facts } from '../checks/facts.ts';
import type { Memory, Seen } from '../checks/memory.ts';
import { preflight, type Preflight } from '../checks/preflight.ts';
import { unsureResolvers } from '../checks/private-names.ts';
import { ageOf } from '../checks/ttl-aged-out.ts';
import type { Scenario } from '../core/scenario.ts';
import { countText } from '../core/quantity-text.ts';
import { msToNs, nsToMs, sToNs } from '../core/time.ts';
import type { MemoryFile } from './preflight-memory.ts';
import {
  isOutgrown,
  lookAtNames,
  lookAtSideNames,
  questionCount,
  resolversSeenOf,
  seenOf,
  watchedNames,
  type IsAsked,
  type NamePorts,
  type SideAddresses,
} from './preflight-names.ts';
import { pendingServer, type Route53Look } from './preflight-route53.ts';
import { lookAtSides, lookNs, type SidePorts } from './preflight-sides.ts';
import { slowestMs, tasksOf, type Task } from './preflight-tasks.ts';

export interface PreflightPorts extends NamePorts, SidePorts {
  readonly memory: MemoryFile;
  /** Left out: Route 53 is not asked. */
  readonly route53?: Route53Look;
  /** Before the first request to a side: how many of what will be sent. */
  readonly announce: (text: string) => void;
  /** After each look. */
  readonly show: (found: Preflight) => void;
}

const everythingEveryS = 10;
const highEveryS = 1;
/** What the sides answered longer ago than this is looked at again before it is said to be safe. */
const sidesFreshS = 60;
/** Their look is over before T_safe by so much. */
const sidesMarginS = 5;

interface SidesSeen {
  readonly addresses: SideAddresses;
  readonly probes: readonly Probe[];
  readonly atNs: number;
}

/** null: it was stopped before anything was known. */
export async function runPreflight(
  scenario: Scenario,
  options: { readonly waits: boolean; readonly isRollback: boolean },
  ports: PreflightPorts,
): Promise<Preflight | null> {
  const { clock, wallMs, memory, stopSignal } = ports;
  let watched = await watchedNames(ports, scenario);
  let sides: SidesSeen | null = null;
  let names: readonly NameFacts[] = [];
  let askedAtNs = -Infinity;
  let found: Preflight | null = null;
  let high: ReadonlySet<string> = new Set();

  while (!stopSignal.aborted) {
    const addresses: SideAddresses = sides?.addresses ?? (await lookAtSideNames(ports, scenario));
    if (sides === null) ports.announce(announcement(scenario, addresses, questionCount(watched)));
    if (sides === null || isDue(sides, found)) {
      const probes = await lookAtSides(ports, scenario, addresses);
      if (stopSignal.aborted) break;
      sides = { addresses, probes, atNs: clock.nowNs() };
    }
    await ports.route53?.ready;
    const route53 = ports.route53?.facts();
    const isWhole = clock.nowNs() - askedAtNs >= sToNs(everythingEveryS) || isOver(found);
    if (isWhole) askedAtNs = clock.nowNs();
    // A name server that was not found, or a chain that leads elsewhere by now.
    if (isWhole && isOutgrown(scenario, watched, names)) watched = await watchedNames(ports, scenario);
    const asked = high;
    const isAsked: IsAsked = (hostname, server) => isWhole || asked.has(`${hostname} ${server}`);
    names = await lookAtNames(ports, watched, { side: addresses, before: names, isAsked });
    // Whole, as the memory keeps it: what was seen just now was not seen later than now.
    const nowMs = Math.ceil(wallMs(clock.nowNs()));
    const seen = names.map((name) => ({
      ...seenOf(name, nowMs, isAsked),
      resolvers: resolversSeenOf(name, isAsked),
    }));
    const facts: Facts = {
      nowMs,
      scenario,
      isRollback: options.isRollback,
      names,
      sideNames: addresses.sideNames,
      addresses: addresses.addresses,
      probes: sides.probes,
      memory: memory.remember(
        route53 === undefined ? seen : withPending(seen, route53, memory.remember([], nowMs)),
        nowMs,
      ),
      ...(route53 === undefined ? {} : { route53 }),
    };
    found = preflight(facts);
    high = new Set([
      ...names.flatMap(({ hostname }) => ageOf(facts, hostname).highServers.map((one) => `${hostname} ${one}`)),
      ...unsureResolvers(facts).map(({ hostname, server }) => `${hostname} ${server}`),
    ]);
    ports.show(found);
    const isStale = clock.nowNs() - sides.atNs > sToNs(sidesFreshS);
    if (found.safeToSwitch.safe === 'yes' && isStale) continue;
    if (!options.waits || !found.canWait) return found;
    await wait(nextLookNs(found, high.size > 0));
  }
  return found;

  function withPending(seen: readonly Seen[], route53: Route53Facts, before: Memory): readonly Seen[] {
    return seen.map((one) => {
      const pending = pendingServer(route53, scenario, { hostname: one.hostname, before });
      return { ...one, servers: [...one.servers, ...pending] };
    });
  }

  /** Safe, as far as is known, but the sides were asked long ago; or soon safe. */
  function isDue({ atNs }: SidesSeen, before: Preflight | null): boolean {
    if (clock.nowNs() - atNs <= sToNs(sidesFreshS) || before === null) return false;
    const { safe, atMs } = before.safeToSwitch;
    if (safe === 'yes') return true;
    return atMs !== null && atMs - wallMs(clock.nowNs()) <= nsToMs(leadNs());
  }

  function leadNs(): number {
    return sides === null ? 0 : lookNs(scenario, sides.addresses) + sToNs(sidesMarginS);
  }

  function isOver(before: Preflight | null): boolean {
    const atMs = before?.safeToSwitch.atMs ?? null;
    return atMs !== null && atMs <= wallMs(clock.nowNs());
  }

  function nextLookNs({ safeToSwitch: { atMs, isEarliest } }: Preflight, isHigh: boolean): number {
    const nowNs = clock.nowNs();
    const pollNs = nowNs + sToNs(isHigh ? highEveryS : everythingEveryS);
    if (atMs === null || isEarliest) return pollNs;
    const safeNs = nowNs + msToNs(atMs - wallMs(nowNs));
    // It should be over, and is not: nobody is asked more than once a second for that.
    if (safeNs <= nowNs) return nowNs + sToNs(highEveryS);
    // A look at the sides begins so that it is over by then.
    const beforeNs = safeNs - leadNs();
    return Math.min(pollNs, beforeNs > nowNs ? beforeNs : safeNs);
  }

  function wait(untilNs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        stopSignal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = clock.at(untilNs, end);
      stopSignal.addEventListener('abort', end);
    });
  }
}

/** What costs more than a request. */
function askedText(tasks: readonly Task[]): string {
  const upload = tasks.find(({ kind }) => kind === 'upload')?.service.preflight?.upload ?? null;
  const uploadCount = tasks.filter(({ kind }) => kind === 'upload').length;
  const slowS = slowestMs(tasks) / 1000;
  return [
    upload === null ? '' : `; ${uploadCount} of them with a body of ${countText(upload.bytes)} bytes`,
    slowS === 0 ? '' : `; some may take up to ${slowS} s`,
  ].join('');
}

function announcement(scenario: Scenario, addresses: SideAddresses, questions: number): string {
  const lines = [...tasksOf(scenario, addresses)].map(([service, tasks]) => {
    const count = (side: 'old' | 'new'): number => tasks.filter((task) => task.side === side).length;
    const sides = `${count('old')} requests to ${scenario.sides.old.title}, ${count('new')} to ${scenario.sides.new.title}`;
    return `  ${service}: ${sides}${askedText(tasks)}`;
  });
  const within = `${questions} DNS questions, and within ${Math.ceil(lookNs(scenario, addresses) / 1e9)} s:`;
  const route53 = scenario.route53 === undefined ? [] : ['  Route 53: a few calls for each name, one a second'];
  return [within, ...lines, ...route53].join('\n');
}
