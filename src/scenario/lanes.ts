/**
 * The lanes of a scenario: which streams of probes there are, and when each begins. A lane's number is its index.
 * Only clients that resolve and connect anew for every probe cross all resolvers: any other kind tells little more about
 * a resolver, and would multiply what the service has to bear.
 */
import {
  authorityClient,
  type Archetype,
  type Check,
  type Client,
  type Lane,
  type LookedUp,
  type Resolver,
  type Scenario,
  type Service,
  type Side,
  type TlsSpec,
} from '../core/scenario.ts';
import { nsPerS } from '../core/time.ts';
import { isAddress, isIpv6 } from './network.ts';

type Unnumbered = Omit<Lane, 'number' | 'staggerNs' | 'startAtNs'>;

const sides: readonly Side[] = ['old', 'new'];
const noTls: TlsSpec = { caPem: null, certificatePem: null, keyPem: null };

/**
 * Service by service and check by check: its clients, then its sides; the references last. Addresses that the
 * scenario itself gives are added to those that were looked up.
 */
export function lanesOf(scenario: Scenario, lookedUp: LookedUp): Lane[] {
  const lanes = scenario.services.flatMap((service) =>
    service.checks.flatMap((check) => [
      ...clientLanes(scenario, { service, check, lookedUp }),
      ...sides.flatMap((side) =>
        addressesOf(scenario, side, lookedUp[side]).map((address) => sideLane(service, check, side, address)),
      ),
    ]),
  );
  return numbered([...lanes, ...referenceLanes(scenario)], { firstNumber: 0, startAtNs: 0 });
}

/** For an address that a side's name got during the run: one lane for each check. */
export function lanesForSideAddress(
  scenario: Scenario,
  found: {
    readonly side: Side;
    readonly address: string;
    readonly startAtNs: number;
    readonly firstNumber: number;
  },
): Lane[] {
  const lanes = scenario.services.flatMap((service) =>
    service.checks.map((check) => sideLane(service, check, found.side, found.address)),
  );
  return numbered(lanes, found);
}

// ── the kinds of lanes ───────────────────────────────────────────────────────────────────────────────────────────────

interface Place {
  readonly service: Service;
  readonly check: Check;
  readonly lookedUp: LookedUp;
}

function clientLanes(scenario: Scenario, place: Place): readonly Unnumbered[] {
  const { service, check } = place;
  return scenario.clients.flatMap((client) => {
    if (!isMeantFor(client, check, scenario)) return [];
    const archetype = settled(client, scenario, place.lookedUp);
    return resolversFor({ ...client, archetype }, scenario, place).map((resolver): Unnumbered => ({
      role: 'client',
      service: service.name,
      client: client.name,
      resolver,
      address: null,
      judged: archetype.judged,
      ...common(check, archetype, service.tls),
    }));
  });
}

/** Whoever holds a WebSocket asks for one where the scenario says that there is one; where it does not say, everywhere. */
function isMeantFor({ archetype }: Client, check: Check, { services }: Scenario): boolean {
  if (archetype.connect.kind !== 'held' || check.isWebSocket === true) return true;
  return !services.some(({ checks }) => checks.some(({ isWebSocket }) => isWebSocket === true));
}

/** Whoever has written down an address of the side that is left has the first one, as it is when the run starts. */
function settled({ archetype }: Client, scenario: Scenario, lookedUp: LookedUp): Archetype {
  if (archetype.resolve.kind !== 'pinned' || archetype.resolve.address !== null) return archetype;
  const leaving = scenario.change.direction === 'old-to-new' ? 'old' : 'new';
  const address = addressesOf(scenario, leaving, lookedUp[leaving])[0] ?? null;
  return { ...archetype, resolve: { kind: 'pinned', address } };
}

function resolversFor(
  { name, archetype }: Client,
  scenario: Scenario,
  { service, check, lookedUp }: Place,
): readonly (Resolver | null)[] {
  // Of a side that has no address yet there is nobody to be pinned to.
  if (archetype.resolve.kind === 'pinned') return archetype.resolve.address === null ? [] : [null];
  // In the order of the service, whose first resolver is the one that most clients ask.
  const resolvers = service.resolvers.flatMap((one) => scenario.resolvers.filter((resolver) => resolver.name === one));
  if (name === authorityClient) return authoritiesFor(scenario, check, { lookedUp, beyond: resolvers[0] });
  // An address resolves to itself whoever is asked.
  const isCrossing = archetype.resolve.kind === 'per-connection' && archetype.connect.kind === 'new';
  return isCrossing && !isAddress(check.hostname) ? resolvers : resolvers.slice(0, 1);
}

/** One lane for each server: they may differ, and then each must be told apart. */
function authoritiesFor(
  { authorities }: Scenario,
  { hostname }: Check,
  { lookedUp, beyond }: { readonly lookedUp: LookedUp; readonly beyond: Resolver | undefined },
): readonly Resolver[] {
  if (authorities === 'none' || isAddress(hostname)) return [];
  const servers = authorities === 'auto' ? (lookedUp.authorities?.get(hostname) ?? []) : authorities;
  return servers.map(({ address, port }) => ({
    name: isIpv6(address) ? `[${address}]:${port}` : `${address}:${port}`,
    server: { kind: 'udp', address, port },
    authority: { beyond: beyond?.server ?? null },
  }));
}

/** A side's own address, with the service's Host and SNI and without DNS: shows whether the side itself is well. */
function sideLane(service: Service, check: Check, side: Side, address: string): Unnumbered {
  const archetype: Archetype = {
    resolve: { kind: 'pinned', address },
    connect: { kind: 'new' },
    choose: 'first',
    families: [isIpv6(address) ? 6 : 4],
    retriesOnce: false,
    judged: false,
    standsFor: `the ${side} side itself, whatever DNS says`,
  };
  return {
    role: 'side',
    service: service.name,
    client: `side:${side}`,
    resolver: null,
    address,
    judged: false,
    ...common(check, archetype, service.tls),
  };
}

function addressesOf(scenario: Scenario, side: Side, lookedUp: readonly string[]): readonly string[] {
  const given = scenario.sides[side].addresses.flatMap((entry) => (entry.kind === 'address' ? [entry.address] : []));
  return [...new Set([...given, ...lookedUp])];
}

function referenceLanes(scenario: Scenario): readonly Unnumbered[] {
  const archetype: Archetype = {
    resolve: { kind: 'per-connection' },
    connect: { kind: 'new' },
    choose: 'first',
    families: [4, 6],
    retriesOnce: false,
    judged: false,
    standsFor: 'our own network',
  };
  return scenario.references.map((check): Unnumbered => ({
    role: 'reference',
    service: '',
    client: 'reference',
    resolver: scenario.resolvers[0] ?? null,
    address: null,
    judged: false,
    ...common(check, archetype, scenario.referenceTls ?? noTls),
  }));
}

function common(
  check: Check,
  archetype: Archetype,
  tls: TlsSpec,
): Pick<Lane, 'check' | 'archetype' | 'tls' | 'ratePerSecond' | 'inFlightMax'> {
  const { ratePerSecond, timeouts } = check;
  // A target that hangs holds rate × total at once; two more, so that it never makes drops.
  const inFlightMax = Math.ceil((ratePerSecond * timeouts.totalMs) / 1000) + 2;
  return { check, archetype, tls, ratePerSecond, inFlightMax };
}

// ── numbers and stagger ──────────────────────────────────────────────────────────────────────────────────────────────

function numbered(
  lanes: readonly Unnumbered[],
  { firstNumber, startAtNs }: { readonly firstNumber: number; readonly startAtNs: number },
): Lane[] {
  const staggers = staggersNs(lanes);
  return lanes.map((lane, i) => ({ number: firstNumber + i, ...lane, staggerNs: staggers[i] ?? 0, startAtNs }));
}

/**
 * Lanes of one rate share the interval evenly, so that no two of them are ever due at once. Services take turns in it: the
 * lanes of one service are spread across the whole interval, which spares the service and sees a short outage sooner.
 */
function staggersNs(lanes: readonly Unnumbered[]): readonly number[] {
  const staggers = lanes.map(() => 0);
  const byRate = Map.groupBy(lanes.keys(), (i) => lanes[i]?.ratePerSecond ?? 0);
  for (const [ratePerSecond, indexes] of byRate) {
    const inTurns = [...Map.groupBy(indexes, (i) => lanes[i]?.service).values()]
      .flatMap((ofService) => ofService.map((index, turn) => ({ index, turn: turn / ofService.length })))
      .toSorted((a, b) => a.turn - b.turn);
    for (const [place, { index }] of inTurns.entries()) {
      staggers[index] = Math.floor((place * nsPerS) / ratePerSecond / inTurns.length);
    }
  }
  return staggers;
}
