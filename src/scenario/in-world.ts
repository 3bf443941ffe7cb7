/**
 * The same scenario, moved into a world: every address, port, resolver and certificate that would lead out of it is
 * replaced, every hostname and everything that is measured or judged stays. Nothing of it may reach a real server, and no
 * credential may leave the scenario: a rehearsal has no use for one.
 */
import { assert } from '../core/errors.ts';
import type { Check, Client, Expectation, RequestSpec, Scenario, Service, Side, SideSpec } from '../core/scenario.ts';
import type { GoodAnswer, Setting } from '../core/world.ts';
import { isHarmlessHeader } from './secrets.ts';
import { framingHeaders, hostnameInWorld, placeOfAddress } from './setting.ts';
import { isAddress } from './network.ts';

/** Where the world's servers listen; what is left out stays as the scenario has it. */
export interface WorldPorts {
  readonly http?: number;
  readonly https?: number;
  /** Of the resolver or name server at this address. */
  readonly dns: (address: string) => number;
  /** What signs the world's certificates. */
  readonly caPem?: string;
  readonly certificateSha256?: Readonly<Record<Side, string>>;
  /** AWS and Kubernetes are played by the world, for sides that name them. */
  readonly playsPlatforms?: boolean;
}

export interface MovedScenario {
  readonly scenario: Scenario;
  /** What is not as in the real world, in sentences. */
  readonly notes: readonly string[];
}

/** What is sent in the place of a credential. */
const harmless = 'rehearsal';

interface Move {
  readonly from: Scenario;
  readonly setting: Setting;
  readonly ports: WorldPorts;
  readonly note: (sentence: string) => void;
}

/** @param setting of this scenario in its world */
export function inWorld(scenario: Scenario, setting: Setting, ports: WorldPorts): MovedScenario {
  const notes = new Set<string>();
  const { route53, ...given } = scenario;
  if (route53 !== undefined) notes.add('Route 53 is not asked in a rehearsal: the world has its own name servers');
  const move: Move = { from: scenario, setting, ports, note: (sentence) => notes.add(sentence) };
  const { places } = setting;
  const isGetaddrinfo = new Set(
    scenario.resolvers.filter(({ server }) => server.kind === 'getaddrinfo').map(({ name }) => name),
  );
  if (isGetaddrinfo.size > 0) {
    move.note('getaddrinfo asks this machine, not the world: system is one resolver here, and it is asked by DNS');
  }
  const moved: Scenario = {
    ...given,
    services: scenario.services.map((service) => serviceInWorld(service, isGetaddrinfo, move)),
    sides: { old: sideInWorld(scenario.sides.old, move), new: sideInWorld(scenario.sides.new, move) },
    resolvers: scenario.resolvers
      .filter(({ name }) => !isGetaddrinfo.has(name))
      .map(({ name }) => {
        const address = places.resolvers[name];
        assert(address !== undefined, `the world has a resolver ${name}`);
        return { name, server: { kind: 'udp', address, port: ports.dns(address) } };
      }),
    authorities:
      scenario.authorities === 'none'
        ? 'none'
        : Object.values(places.nameServers).map((address) => ({ address, port: ports.dns(address) })),
    clients: scenario.clients.map((client) => clientInWorld(client, move)),
    references: scenario.references.map((check) => ({
      ...check,
      ...urlInWorld(check, isAddress(check.hostname) ? (places.references[check.hostname] ?? null) : null, move),
    })),
    ...(ports.caPem === undefined ? {} : { referenceTls: { caPem: ports.caPem, certificatePem: null, keyPem: null } }),
  };
  return { scenario: moved, notes: [...notes] };
}

function clientInWorld(client: Client, { from, setting, note }: Move): Client {
  const { archetype } = client;
  // One that is pinned to a side gets an address of the world when lanes are made.
  if (archetype.resolve.kind !== 'pinned' || archetype.resolve.address === null) return client;
  const address = placeOfAddress(archetype.resolve.address, from, setting.places);
  note(`${client.name} is pinned to ${address}, in the place of ${archetype.resolve.address}`);
  return { ...client, archetype: { ...archetype, resolve: { kind: 'pinned', address } } };
}

// ── sides ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Each way in which a side is given stays what it is, so that the same lanes come of it. */
function sideInWorld({ aws, kubernetes, ...spec }: SideSpec, { setting, ports, note }: Move): SideSpec {
  const isPlayed = ports.playsPlatforms === true;
  for (const [name, asked] of [['AWS', aws] as const, ['Kubernetes', kubernetes] as const]) {
    if (asked === undefined) continue;
    note(isPlayed ? `${name} is played by the world: no real one is asked` : `${name} is not asked in this rehearsal`);
  }
  const places = setting.places.sides[spec.side];
  const kinds = new Set(spec.addresses.map(({ kind }) => kind));
  const addresses = [
    ...spec.addresses.filter(({ kind }) => kind === 'name'),
    ...(kinds.has('address') ? places.map((address) => ({ kind: 'address', address }) as const) : []),
    ...(kinds.has('network') ? places.map((address) => ({ kind: 'network', cidr: `${address}/32` }) as const) : []),
  ];
  const certificate = spec.certificateSha256.length > 0 ? ports.certificateSha256?.[spec.side] : undefined;
  const certificateSha256 = certificate === undefined ? [] : [certificate];
  const isKnown = addresses.length > 0 || spec.marker.length > 0 || certificateSha256.length > 0;
  if (!isKnown)
    note(`the ${spec.side} side is told by its addresses here: its certificates do not exist in this world`);
  return {
    ...spec,
    addresses: isKnown ? addresses : places.map((address) => ({ kind: 'network', cidr: `${address}/32` })),
    certificateSha256,
    ...(isPlayed && aws !== undefined ? { aws: { ...aws, profile: null } } : {}),
    ...(isPlayed && kubernetes !== undefined ? { kubernetes: { ...kubernetes, kubeconfig: null, context: null } } : {}),
  };
}

// ── services ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function serviceInWorld(service: Service, isGetaddrinfo: ReadonlySet<string>, move: Move): Service {
  if (service.tls.certificatePem !== null) move.note(`${service.name}: no client certificate is shown`);
  return {
    ...service,
    checks: service.checks.map((check) => checkInWorld(check, move)),
    resolvers: service.resolvers.filter((name) => !isGetaddrinfo.has(name)),
    tls: { caPem: move.ports.caPem ?? service.tls.caPem, certificatePem: null, keyPem: null },
  };
}

function checkInWorld(check: Check, move: Move): Check {
  const { from, setting, note } = move;
  const hostname = hostnameInWorld(check.hostname, from, setting.places);
  if (hostname !== check.hostname) note(`${check.name}: ${check.hostname} is an address; ${hostname} stands for it`);
  const answer = setting.sites.find((site) => site.hostname === hostname)?.answers[check.path];
  assert(answer !== undefined, `the world has an answer for ${check.name}`);
  return {
    ...check,
    ...urlInWorld(check, hostname, move),
    request: requestInWorld(check, move),
    expect: expectationInWorld(check, answer, move),
  };
}

/** @param hostname null: as it is */
function urlInWorld(check: Check, hostname: string | null, { ports }: Move): Pick<Check, 'url' | 'hostname' | 'port'> {
  const port = ports[check.scheme] ?? check.port;
  const url = new URL(check.url);
  if (hostname !== null) url.hostname = hostname;
  url.port = String(port);
  return { url: url.href, hostname: hostname ?? check.hostname, port };
}

function requestInWorld({ name, request }: Check, { note }: Move): RequestSpec {
  const secret = request.headers.filter(([header]) => !isHarmlessHeader(header)).map(([header]) => header);
  if (secret.length > 0) note(`${name}: ${secret.join(', ')} sent with a text of no meaning`);
  if (request.body !== null) note(`${name}: the body is a text of no meaning`);
  if (request.token !== null) note(`${name}: the token command is not run`);
  return {
    method: request.method,
    headers: request.headers.map(([header, value]) => [header, isHarmlessHeader(header) ? value : harmless]),
    body: request.body === null ? null : harmless,
    token: null,
  };
}

/** What the world's good answer cannot be asked for is not expected of it. */
function expectationInWorld({ name, expect }: Check, answer: GoodAnswer, { note }: Move): Expectation {
  if (expect.bodyMatches !== null) note(`${name}: bodyMatches is not looked at, as a world cannot make up such a text`);
  const isStatusGiven = expect.statusIn.includes(answer.status);
  if (!isStatusGiven) {
    note(`${name}: expects ${answer.status}, as another check of this path does; a world has one answer for each path`);
  }
  const { bodyIncludes } = expect;
  const isBodyGiven = bodyIncludes === null || answer.body.includes(bodyIncludes);
  if (!isBodyGiven) note(`${name}: bodyIncludes is not looked at, as an answer of ${answer.status} has no body`);
  const given = new Map(answer.headers);
  const isHeaderGiven = (header: string, value: string): boolean =>
    !framingHeaders.has(header) && (!given.has(header) || given.get(header) === value);
  const missing = expect.headers.filter(([header, value]) => !isHeaderGiven(header, value)).map(([header]) => header);
  if (missing.length > 0) note(`${name}: ${missing.join(', ')} of the answer is not looked at`);
  return {
    statusIn: isStatusGiven ? expect.statusIn : [answer.status],
    bodyIncludes: isBodyGiven ? bodyIncludes : null,
    bodyMatches: null,
    headers: expect.headers.filter(([header, value]) => isHeaderGiven(header, value)),
  };
}
