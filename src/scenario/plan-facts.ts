/** What a run would do, as values: `plan --json`, and the numbers of the text. */
import type { Problem } from '../core/errors.ts';
import { nameOfLane } from '../core/lane-name.ts';
import type { ChangeVia, Check, Direction, Lane, Scenario } from '../core/scenario.ts';
import type { Load } from './plan-limits.ts';
import { checkWithoutSecrets } from './secrets.ts';

export interface PlanFacts {
  readonly scenario: string;
  readonly via: ChangeVia;
  readonly direction: Direction;
  readonly services: readonly {
    readonly name: string;
    readonly ratePerSecond: number;
    /** More lanes come with addresses and name servers that are looked up when the run starts. */
    readonly isLeast: boolean;
    readonly checks: readonly { readonly name: string; readonly method: string; readonly url: string }[];
    readonly lanes: readonly {
      readonly name: string;
      readonly ratePerSecond: number;
      readonly client: string;
      readonly resolver: string | null;
      readonly address: string | null;
      readonly judged: boolean;
    }[];
    /** One lane for each address that these turn out to have. */
    readonly lanesToCome: readonly string[];
  }[];
  readonly requests: readonly HostTotal[];
  readonly durationS: {
    readonly min: number;
    readonly max: number;
    readonly baseline: number;
    readonly waitMax: number;
    readonly convergenceMax: number;
    readonly tail: number;
  };
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

/** What one host gets from all lanes together. */
export interface HostTotal {
  /** `orders.shop.example:443`. */
  readonly host: string;
  readonly ratePerSecond: number;
  readonly isLeast: boolean;
  /** Over the shortest and the longest that the run may take. */
  readonly countMin: number;
  readonly countMax: number;
}

interface Planned {
  readonly pending: readonly string[];
  readonly loads: readonly Load[];
  readonly requests: readonly HostTotal[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

export function planFacts(scenario: Scenario, lanes: readonly Lane[], planned: Planned): PlanFacts {
  const { name, change, services } = scenario;
  const { pending, loads, requests, problems, warnings } = planned;
  const { leastS, mostS } = durationOf(scenario);
  return {
    scenario: name,
    via: change.via,
    direction: change.direction,
    services: services.map((service, i) => ({
      name: service.name,
      ratePerSecond: loads[i]?.ratePerSecond ?? 0,
      isLeast: pending.length > 0,
      checks: service.checks.map((check) => {
        const { url, request } = checkWithoutSecrets(check);
        return { name: check.name, method: request.method, url };
      }),
      lanes: lanes
        .filter((lane) => lane.service === service.name)
        .map((lane) => ({
          name: nameOfLane(lane),
          ratePerSecond: lane.ratePerSecond,
          client: lane.client,
          resolver: lane.resolver?.name ?? null,
          address: lane.address,
          judged: lane.judged,
        })),
      lanesToCome: pending,
    })),
    requests,
    durationS: {
      min: leastS,
      max: mostS,
      baseline: change.baselineS,
      waitMax: change.waitS,
      convergenceMax: change.convergenceTimeoutS,
      tail: change.tailS,
    },
    problems,
    warnings,
  };
}

/** @param pendingCount lanes of each check that are not known yet. */
export function hostTotals(scenario: Scenario, lanes: readonly Lane[], pendingCount: number): readonly HostTotal[] {
  const { leastS, mostS } = durationOf(scenario);
  const perSecond = new Map<string, { rate: number; pendingRate: number }>();
  const add = ({ hostname, port, ratePerSecond }: Check, count: number, key: 'rate' | 'pendingRate'): void => {
    const host = `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`;
    const sums = perSecond.get(host) ?? { rate: 0, pendingRate: 0 };
    sums[key] += ratePerSecond * count;
    perSecond.set(host, sums);
  };
  for (const { check } of lanes) add(check, 1, 'rate');
  for (const check of scenario.services.flatMap(({ checks }) => checks)) add(check, pendingCount, 'pendingRate');
  return [...perSecond].map(([host, { rate, pendingRate }]) => {
    const ratePerSecond = rate + pendingRate;
    return {
      host,
      ratePerSecond,
      isLeast: pendingRate > 0,
      countMin: Math.round(ratePerSecond * leastS),
      countMax: Math.round(ratePerSecond * mostS),
    };
  });
}

export function durationOf({ change }: Scenario): { readonly leastS: number; readonly mostS: number } {
  const leastS = change.baselineS + change.tailS;
  return { leastS, mostS: leastS + change.waitS + change.convergenceTimeoutS };
}
