/**
 * What a world must know of a scenario to stand in for the real one: the hostnames and what a good answer of each is, the
 * names and markers of the sides, and where everything has its address. A hostname is one site, however many services have
 * checks on it; its tasks or pods belong to the first of them.
 */
import type { Check, Expectation, Scenario, Side } from '../core/scenario.ts';
import type { GoodAnswer, Places, Setting, Site, World } from '../core/world.ts';
import { isAddress, overlap, parseNetwork } from './network.ts';

export function settingOf(scenario: Scenario, world: World): Setting {
  const places = placesOf(scenario, world);
  return {
    sites: sitesOf(scenario, places),
    loadBalancerNames: { old: loadBalancerNamesOf(scenario, 'old'), new: loadBalancerNamesOf(scenario, 'new') },
    markers: { old: scenario.sides.old.marker, new: scenario.sides.new.marker },
    referenceHostnames: referenceHostnamesOf(scenario),
    places,
  };
}

// ── places ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** All within 127.0.0.0/8: the third byte says what it is, the fourth which; past 254 the second byte counts on. */
function placesOf(scenario: Scenario, { sides, zone, resolvers }: World): Places {
  const place = (block: number, i: number): string => `127.${Math.floor(i / 254)}.${block}.${(i % 254) + 1}`;
  const named = (block: number, names: readonly string[]): Readonly<Record<string, string>> =>
    Object.fromEntries(names.map((name, i) => [name, place(block, i)]));
  const ofSide = (block: number, side: Side): readonly string[] =>
    Array.from({ length: sides[side].addressCount }, (_, i) => place(block, i));
  return {
    sides: { old: ofSide(1, 'old'), new: ofSide(2, 'new') },
    nameServers: named(
      3,
      zone.nameServers.map(({ name }) => name),
    ),
    resolvers: named(4, Object.keys(resolvers)),
    references: named(5, referenceHostnamesOf(scenario)),
  };
}

function referenceHostnamesOf({ references }: Scenario): readonly string[] {
  return [...new Set(references.map(({ hostname }) => hostname))];
}

/** Where an address of the real world is: at the side that has it; what neither has, at the old one. */
export function placeOfAddress(address: string, { sides }: Scenario, places: Places): string {
  const network = parseNetwork(address);
  const isNew =
    network !== null &&
    sides.new.addresses.some((entry) => {
      if (entry.kind === 'name') return false;
      const other = parseNetwork(entry.kind === 'address' ? entry.address : entry.cidr);
      return other !== null && overlap(network, other);
    });
  return places.sides[isNew ? 'new' : 'old'][0] ?? address;
}

/** A name stays as it is; an address in a URL would lead out of the world. */
export function hostnameInWorld(hostname: string, scenario: Scenario, places: Places): string {
  return isAddress(hostname) ? placeOfAddress(hostname, scenario, places) : hostname;
}

// ── sites ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function sitesOf(scenario: Scenario, places: Places): readonly Site[] {
  const checks = scenario.services.flatMap(({ name, checks: own }) => own.map((check) => ({ service: name, check })));
  const byHostname = Map.groupBy(checks, ({ check }) => hostnameInWorld(check.hostname, scenario, places));
  const markers = new Set([...scenario.sides.old.marker, ...scenario.sides.new.marker].map(([name]) => name));
  return [...byHostname].map(([hostname, onIt]) => {
    const byPath = Map.groupBy(onIt, ({ check }) => check.path);
    const answers = [...byPath].map(([path, same]): [string, GoodAnswer] => [
      path,
      goodAnswer(same.map(({ check }) => check) as [Check, ...Check[]], markers),
    ]);
    return { service: onIt[0]?.service ?? '', hostname, answers: Object.fromEntries(answers) };
  });
}

/** Answers with these statuses have no body (RFC 9110, 15.3.5, 15.3.6, 15.4.5). */
const bodiless = new Set([204, 205, 304]);

/** Headers that follow from how an answer is sent, which no scenario can ask for. */
export const framingHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'transfer-encoding',
]);

/** One answer that is good for all checks of a path, as far as there is one; else good for the first. */
function goodAnswer(checks: readonly [Check, ...Check[]], markers: ReadonlySet<string>): GoodAnswer {
  const expectations: readonly Expectation[] = checks.map(({ expect }) => expect);
  const ofFirst = checks[0].expect.statusIn;
  const ofAll = ofFirst.filter((status) => expectations.every(({ statusIn }) => statusIn.includes(status)));
  const statuses = ofAll.length > 0 ? ofAll : ofFirst;
  const texts = [...new Set(expectations.flatMap(({ bodyIncludes }) => bodyIncludes ?? []))];
  const withBody = texts.length > 0 ? statuses.find((status) => !bodiless.has(status)) : undefined;
  const status = withBody ?? statuses[0] ?? 200;
  const headers = new Map([['content-type', 'text/plain; charset=utf-8']]);
  for (const [name, value] of expectations.toReversed().flatMap((expect) => expect.headers)) {
    // A side's marker tells the sides apart: it comes from the side, not from the application.
    if (!framingHeaders.has(name) && !markers.has(name)) headers.set(name, value);
  }
  return { status, headers: [...headers], body: bodiless.has(status) ? '' : `${['ok', ...texts].join('\n')}\n` };
}

// ── sides ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A name that is itself under test (a load balancer watched while something is deployed behind it) is a site's. */
function loadBalancerNamesOf({ sides, services }: Scenario, side: Side): readonly string[] {
  const underTest = new Set(services.flatMap(({ checks }) => checks.map(({ hostname }) => hostname)));
  const names = sides[side].addresses
    .flatMap((entry) => (entry.kind === 'name' ? [entry.name.replace(/\.$/, '')] : []))
    .filter((name) => !underTest.has(name));
  return names.length > 0 ? names : [`${side}.load-balancer.test`];
}
