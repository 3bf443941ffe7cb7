/**
 * What a preflight sends to the sides' own addresses: each check again and again, old and new in turns, once each at every
 * address what users do besides, and what the scenario asks for.
 */
import type { ProbeKind } from '../checks/facts.ts';
import { slowMs } from '../checks/probe-sets.ts';
import { calibrationCountMin } from '../core/calibration.ts';
import type { Lane, Scenario, Service, Side } from '../core/scenario.ts';
import { lanesOf } from '../scenario/lanes.ts';
import type { SideAddresses } from './preflight-names.ts';

/** Of a side; a load balancer has eight in DNS at most. */
const addressCountMax = 64;
/** Of the side that is left, what takes long or writes is asked at so many addresses. */
const comparedCountMax = 2;

/** One request to be sent. */
export interface Task {
  readonly kind: ProbeKind;
  readonly side: Side;
  readonly lane: Lane;
  readonly address: string;
  readonly service: Service;
}

type Place = Omit<Task, 'kind'>;

/** Service by service. */
export function tasksOf(scenario: Scenario, { addresses }: SideAddresses): ReadonlyMap<string, readonly Task[]> {
  const lanes = lanesOf(scenario, addresses);
  const leaving = scenario.change.direction === 'old-to-new' ? 'old' : 'new';
  return new Map(
    scenario.services.map((service) => {
      const [old = [], target = []] = (['old', 'new'] as const).map((side) =>
        tasksOfSide(placesOf(side, service, lanes), side === leaving ? comparedCountMax : Infinity),
      );
      return [service.name, inTurns(old, target)];
    }),
  );
}

function inTurns(old: readonly Task[], target: readonly Task[]): readonly Task[] {
  return Array.from({ length: Math.max(old.length, target.length) }, (_, i) => [old[i], target[i]])
    .flat()
    .filter((task) => task !== undefined);
}

/** Every check at every address. */
function placesOf(side: Side, service: Service, lanes: readonly Lane[]): readonly Place[] {
  const all = lanes.flatMap((lane) =>
    lane.role === 'side' && lane.client === `side:${side}` && lane.service === service.name && lane.address !== null
      ? [{ side, lane, service, address: lane.address }]
      : [],
  );
  const known = new Set([...new Set(all.map(({ address }) => address))].slice(0, addressCountMax));
  return all.filter(({ address }) => known.has(address));
}

/** Slow ones first: the others are sent meanwhile. */
function tasksOfSide(places: readonly Place[], slowAndWritingMax: number): readonly Task[] {
  const [slow, quick] = [places.filter(isSlow), places.filter((one) => !isSlow(one))];
  const count = quick.length === 0 ? 0 : Math.max(calibrationCountMin, quick.length);
  const requests = Array.from({ length: count }, (_, i) => quick[i % quick.length]).flatMap((one) =>
    one === undefined ? [] : [{ ...one, kind: 'request' as const }],
  );
  const firsts = [...Map.groupBy(places, ({ address }) => address).values()].flatMap(([first]) => first ?? []);
  const asked = firsts.slice(0, slowAndWritingMax);
  return [
    ...asked.flatMap((one) => (one.service.preflight?.slow ? [{ ...one, kind: 'slow-path' as const }] : [])),
    ...slow.map((one) => ({ ...one, kind: 'slow' as const })),
    ...requests,
    ...firsts.flatMap((one) => kindsBesides(one).map((kind) => ({ ...one, kind }))),
    ...asked.flatMap((one) => (one.service.preflight?.upload ? [{ ...one, kind: 'upload' as const }] : [])),
  ];
}

function isSlow({ lane }: Place): boolean {
  return lane.check.timeouts.totalMs > slowMs;
}

/** Port 80 belongs to port 443; which plain port belongs to any other nobody knows. What writes is not sent for its headers. */
function kindsBesides({ lane: { check }, service: { preflight } }: Place): readonly ProbeKind[] {
  const isTls = check.scheme === 'https';
  const isReading = check.request.method === 'GET' || check.request.method === 'HEAD';
  const kinds: readonly (readonly [ProbeKind, boolean])[] = [
    ['unknown-path', true],
    ['http2', isTls],
    ['tls-1.2', isTls],
    ['tls-1.1', isTls],
    ['no-server-name', isTls],
    ['plain', isTls && check.port === 443],
    ['large-header', isReading],
    ['large-headers', isReading],
    ['asked-header', isReading && (preflight?.headerBytes ?? null) !== null],
    ['echo', (preflight?.echoPath ?? null) !== null],
  ];
  return kinds.flatMap(([kind, isSent]) => (isSent ? [kind] : []));
}

/** How long it may take at most. */
export function withinMs({ kind, lane, service }: Task): number {
  const slow = service.preflight?.slow ?? null;
  return kind === 'slow-path' && slow !== null ? slow.withinS * 1000 : lane.check.timeouts.totalMs;
}

/** What takes long though nothing hangs. */
export function slowestMs(tasks: readonly Task[]): number {
  return Math.max(0, ...tasks.filter(({ kind }) => kind === 'slow' || kind === 'slow-path').map(withinMs));
}
