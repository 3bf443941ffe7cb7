/**
 * What a playbook looks at: names, the sides' own addresses and the platforms, as much of it as the steps need. What was
 * read is put beside earlier readings, for what only time tells.
 */
import type { Facts, Probe } from '../checks/facts.ts';
import { readingOf } from '../checks/playbook.ts';
import type { PlatformFacts, PlaybookFacts } from '../checks/playbook-facts.ts';
import type { Reading } from '../checks/playbook-readings.ts';
import type { PlaybookCheck } from '../core/playbook.ts';
import type { Scenario, Side } from '../core/scenario.ts';
import type { MemoryFile } from './preflight-memory.ts';
import {
  lookAtNames,
  lookAtSideNames,
  resolversSeenOf,
  seenOf,
  watchedNames,
  type NamePorts,
  type WatchedName,
} from './preflight-names.ts';
import { pendingServer, type Route53Look } from './preflight-route53.ts';
import { lookAtSides, type SidePorts } from './preflight-sides.ts';

export interface ReadingsFile {
  /** Adds it where it is news, and gives all readings with it as the last. */
  add(reading: Reading): readonly Reading[];
}

export interface LookPorts extends NamePorts, SidePorts {
  readonly memory: MemoryFile;
  readonly readings: ReadingsFile;
  /** Left out: Route 53 is not asked. */
  readonly route53?: Route53Look;
  readonly readPlatform: (side: Side) => Promise<PlatformFacts>;
}

/** Names are always looked at: that is cheap, and when they were switched is worth knowing. */
export type Part = 'sides' | 'platforms';

const partsOfCheck: Partial<Readonly<Record<PlaybookCheck, readonly Part[]>>> = {
  'ttl-lowered': [],
  'ttl-aged-out': [],
  'dns-switched': [],
  converged: [],
  'new-side-answers': ['sides'],
  'rollback-ready': ['sides'],
};

export function partsFor(checks: readonly (PlaybookCheck | null)[]): ReadonlySet<Part> {
  return new Set(checks.flatMap((check) => (check === null ? [] : (partsOfCheck[check] ?? (['platforms'] as const)))));
}

const nothing: PlatformFacts = { readAtMs: 0, aws: null, kubernetes: null };

export interface Looker {
  /** What is not among the parts is as it was looked at before. */
  look(parts: ReadonlySet<Part>): Promise<PlaybookFacts>;
}

export function newLooker(ports: LookPorts, scenario: Scenario, isRollback: boolean): Looker {
  const { clock, wallMs, memory, readings, readPlatform, route53 } = ports;
  let watched: readonly WatchedName[] | null = null;
  let sides: { readonly probes: readonly Probe[]; readonly atMs: number } = { probes: [], atMs: 0 };
  let platforms: Readonly<Record<Side, PlatformFacts>> = { old: nothing, new: nothing };

  async function lookAtAllNames(): Promise<Facts> {
    const [addresses, found] = await Promise.all([
      lookAtSideNames(ports, scenario),
      watched ?? watchedNames(ports, scenario),
      route53?.ready,
    ]);
    watched = found;
    const names = await lookAtNames(ports, watched, { side: addresses });
    const nowMs = Math.ceil(wallMs(clock.nowNs()));
    const ofRoute53 = route53?.facts();
    const before = memory.remember([], nowMs);
    const seen = names.map((name) => {
      const own = seenOf(name, nowMs, () => true);
      const pending =
        ofRoute53 === undefined ? [] : pendingServer(ofRoute53, scenario, { hostname: name.hostname, before });
      const resolvers = scenario.authorities === 'none' ? { resolvers: resolversSeenOf(name, () => true) } : {};
      return { ...own, servers: [...own.servers, ...pending], ...resolvers };
    });
    return {
      nowMs,
      scenario,
      isRollback,
      names,
      sideNames: addresses.sideNames,
      addresses: addresses.addresses,
      probes: sides.probes,
      memory: memory.remember(seen, nowMs),
      ...(ofRoute53 === undefined ? {} : { route53: ofRoute53 }),
    };
  }

  return {
    async look(parts) {
      if (parts.has('sides')) {
        const probes = await lookAtSides(ports, scenario, await lookAtSideNames(ports, scenario));
        sides = { probes, atMs: wallMs(clock.nowNs()) };
      }
      if (parts.has('platforms')) {
        const [old, now] = await Promise.all([readPlatform('old'), readPlatform('new')]);
        platforms = { old, new: now };
      }
      const facts = { look: await lookAtAllNames(), sidesReadAtMs: sides.atMs, platforms };
      // A platform that was not looked at now is not known to be so now.
      const seenNow = parts.has('platforms') ? facts : { ...facts, platforms: { old: nothing, new: nothing } };
      return { ...facts, readings: readings.add(readingOf(seenNow, parts.has('sides'))) };
    },
  };
}
