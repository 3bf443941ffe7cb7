/**
 * The lanes of a scenario: which streams of probes there are, and when each begins. A lane's number is its index.
 * Only clients that resolve and connect anew for every probe cross all resolvers: any other kind tells little more about
 * a resolver, and would multiply what the service has to bear.
 */
import type { Archetype, Check, Client, Lane, Resolver, Scenario, Service, Side, TlsSpec } from '../core/scenario.ts';
import { nsPerS } from '../core/time.ts';
import { isAddress, isIpv6 } from './network.ts';

type Unnumbered = Omit<Lane, 'number' | 'staggerNs' | 'startAtNs'>;

const sides: readonly Side[] = ['old', 'new'];
const noTls: TlsSpec = { caPem: null, certificatePem: null, keyPem: null };

/**
 * Service by service and check by check: its clients, then its sides; the references last. `sideAddresses` are those that
 * the sides' names have now; addresses that the scenario itself gives are added.
 */
export function lanesOf(scenario: Scenario, sideAddresses: Readonly<Record<Side, readonly string[]>>): Lane[] {
  const lanes = scenario.services.flatMap((service) =>
    service.checks.flatMap((check) => [
      ...clientLanes(scenario, service, check),
      ...sides.flatMap((side) =>
        addressesOf(scenario, side, sideAddresses[side]).map((address) => sideLane(service, check, side, address)),
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

function clientLanes(scenario: Scenario, service: Service, check: Check): readonly Unnumbered[] {
  const resolvers = scenario.resolvers.filter(({ name }) => service.resolvers.includes(name));
  // In the order of the service, whose first resolver is the one that most clients ask.
  const inOrder = service.resolvers.flatMap((name) => resolvers.filter((resolver) => resolver.name === name));
  return scenario.clients.flatMap((client) =>
    resolversFor(client, check, inOrder).map((resolver): Unnumbered => ({
      role: 'client',
      service: service.name,
      client: client.name,
      resolver,
      address: null,
      judged: client.archetype.judged,
      ...common(check, client.archetype, service.tls),
    })),
  );
}

function resolversFor(
  { archetype }: Client,
  { hostname }: Check,
  resolvers: readonly Resolver[],
): readonly (Resolver | null)[] {
  if (archetype.resolve.kind === 'pinned') return [null];
  // An address resolves to itself whoever is asked.
  const isCrossing = archetype.resolve.kind === 'per-connection' && archetype.connect.kind === 'new';
  return isCrossing && !isAddress(hostname) ? resolvers : resolvers.slice(0, 1);
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
