/** The world of a rehearsal: `world` of the file with its defaults, and what in it contradicts something elsewhere. */
import type { Scenario, Side } from '../core/scenario.ts';
import type { AlbSpec, PlatformSpec, RecordKind, ResolverConduct, World, ZoneSpec } from '../core/world.ts';
import { suggestion } from './nearest.ts';
import type { Report } from './problems.ts';
import type { WorldSections } from './sections.ts';
import {
  aliasTtlS,
  awsHealthCheck,
  controllerHealthCheck,
  defaultAlb,
  defaultIngressNginx,
  defaultSeed,
  defaultStale,
  defaultZone,
  recordTtlS,
  resolverPresets,
} from './world-defaults.ts';
import type { ConductInput, PlatformInput, StaleInput, WorldResolverInput, ZoneInput } from './world-input.ts';
import { defaultScript, leavingSide, scriptOf, type WorldScope } from './world-script.ts';

const nothing: WorldSections = {
  seed: undefined,
  observed: undefined,
  zone: {},
  resolvers: {},
  sides: { old: {}, new: {} },
  script: undefined,
  isScriptWhole: true,
  expect: undefined,
};

/** Of a scenario that says nothing of it: honest resolvers, an ALB, an ingress-nginx, and the change. */
export function defaultWorld({ change, services, resolvers }: Scenario): World {
  const resolverNames = resolvers.filter(({ server }) => server.kind !== 'getaddrinfo').map(({ name }) => name);
  return worldOf(nothing, {
    change,
    serviceNames: services.map(({ name }) => name),
    resolverNames,
    hasTls: true,
    report: () => {},
  });
}

/** Where a part is broken, its defaults stand in: a problem has been said, and the world is not used. */
export function worldOf(sections: WorldSections, scope: WorldScope): World {
  const { change, resolverNames, report } = scope;
  for (const name of Object.keys(sections.resolvers)) {
    if (resolverNames.includes(name)) continue;
    report(['world', 'resolvers', name], `unknown resolver "${name}"${suggestion(name, resolverNames)}`, 'key');
  }
  const record = sections.zone?.record ?? (change.via === 'weights' ? 'weighted' : 'address');
  const sides = {
    old: platformOf('old', sections.sides.old ?? {}, report),
    new: platformOf('new', sections.sides.new ?? {}, report),
  };
  const zone = zoneOf(sections, record, scope);
  const script =
    sections.script === undefined
      ? defaultScript(change, zone)
      : scriptOf(sections.script, {
          ...scope,
          record: sections.zone === null ? null : record,
          nameServers: sections.zone === null ? null : zone.nameServers.map(({ name }) => name),
          platforms: {
            old: sections.sides.old === null ? null : sides.old,
            new: sections.sides.new === null ? null : sides.new,
          },
          isWhole: sections.isScriptWhole && sections.expect !== null,
          verdict: sections.expect?.verdict,
        });
  return {
    seed: sections.seed ?? defaultSeed,
    zone,
    resolvers: Object.fromEntries(
      resolverNames.map((name) => [
        name,
        conductOf(Object.hasOwn(sections.resolvers, name) ? (sections.resolvers[name] ?? {}) : {}, name, report),
      ]),
    ),
    sides,
    script,
    ...(sections.observed === false ? { isObserved: false } : {}),
    expect: sections.expect ? { causes: null, ...sections.expect } : null,
  };
}

// ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function zoneOf({ zone, script }: WorldSections, record: RecordKind, { change, report }: WorldScope): ZoneSpec {
  const input: ZoneInput = zone ?? {};
  if (record === 'alias' && input.ttlS !== undefined) {
    const sentence = `an alias has the TTL of the load balancer, ${aliasTtlS}, and nobody can set it; leave it out`;
    report(['world', 'zone', 'ttlS'], sentence, 'key');
  }
  if (record !== 'failover' && input.healthCheck !== undefined) {
    report(['world', 'zone', 'healthCheck'], `is of failover records; this record is ${record}`, 'key');
  }
  const seen = new Set<string>();
  for (const [i, { name }] of (input.nameServers ?? []).entries()) {
    if (seen.has(name)) report(['world', 'zone', 'nameServers', i, 'name'], `"${name}" is there twice`);
    seen.add(name);
  }
  const isLowered = script?.some((step) => step.input.do === 'lower-ttl') ?? false;
  const beforeS = isLowered ? change.ttlBeforeS : null;
  return {
    ...defaultZone,
    ...input,
    nameServers: input.nameServers?.map((server) => ({ lagS: 0, ...server })) ?? defaultZone.nameServers,
    healthCheck: { ...defaultZone.healthCheck, ...input.healthCheck },
    record,
    startsAt: input.startsAt ?? leavingSide(change),
    ttlS: record === 'alias' ? aliasTtlS : (input.ttlS ?? beforeS ?? change.ttlS ?? recordTtlS),
  };
}

function conductOf(input: WorldResolverInput, name: string, report: Report): ResolverConduct {
  if (typeof input === 'string') return resolverPresets[input];
  const { like, caches, serveStale, ...said } = input;
  const base = resolverPresets[like ?? 'honest'];
  const conduct: ResolverConduct = {
    ...base,
    ...said,
    cacheCount: caches ?? base.cacheCount,
    serveStale: serveStale === undefined ? base.serveStale : staleOf(serveStale, base.serveStale),
  };
  if (conduct.minTtlS > conduct.maxTtlS) {
    const path = ['world', 'resolvers', name];
    const { minTtlS, maxTtlS } = conduct;
    const of = (key: keyof ConductInput): string => (input[key] === undefined ? ` of ${like ?? 'honest'}` : '');
    if (said.minTtlS === undefined)
      report([...path, 'maxTtlS'], `${maxTtlS} is less than minTtlS${of('minTtlS')}, ${minTtlS}`);
    else report([...path, 'minTtlS'], `${minTtlS} is more than maxTtlS${of('maxTtlS')}, ${maxTtlS}`);
  }
  return conduct;
}

function staleOf(input: StaleInput, base: ResolverConduct['serveStale']): ResolverConduct['serveStale'] {
  if (input === 'never') return null;
  const around = base ?? { when: 'unreachable', ...defaultStale };
  return typeof input === 'string' ? { ...around, when: input } : { ...around, ...input };
}

// ── platforms ────────────────────────────────────────────────────────────────────────────────────────────────────────

const defaultKind: Readonly<Record<Side, PlatformSpec['kind']>> = { old: 'alb', new: 'ingress-nginx' };

function platformOf(side: Side, input: PlatformInput, report: Report): PlatformSpec {
  const kind = input.kind ?? defaultKind[side];
  const { kind: _, addresses, replicas, replica, healthCheck, ...said } = input;
  const base = kind === 'alb' ? defaultAlb : defaultIngressNginx;
  const foreign = kind === 'alb' ? defaultIngressNginx : defaultAlb;
  for (const key of Object.keys(input)) {
    if (!Object.hasOwn(foreign, key) || Object.hasOwn(base, key)) continue;
    report(['world', side, key], `is of ${foreign.kind}; this side is ${kind}`, 'key');
  }
  const common = {
    addressCount: addresses ?? base.addressCount,
    replicaCount: replicas ?? base.replicaCount,
    replica: { ...base.replica, ...replica },
  };
  if (kind === 'ingress-nginx') return { ...defaultIngressNginx, ...said, ...common };
  return { ...defaultAlb, ...said, ...common, healthCheck: healthCheckOf(side, healthCheck, report) };
}

function healthCheckOf(side: Side, input: PlatformInput['healthCheck'], report: Report): AlbSpec['healthCheck'] {
  if (input === 'controller') return controllerHealthCheck;
  if (input === undefined || input === 'aws') return awsHealthCheck;
  const check = { ...awsHealthCheck, ...input };
  if (check.timeoutS >= check.intervalS) {
    const key = input.timeoutS === undefined ? 'intervalS' : 'timeoutS';
    const sentence = `a timeout of ${check.timeoutS} is not less than the interval, ${check.intervalS}`;
    report(['world', side, 'healthCheck', key], sentence);
  }
  return check;
}
