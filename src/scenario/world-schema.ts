/** The shape of `world`: the place where a rehearsal plays, and what happens there. */
import type { Cause } from '../core/analysis.ts';
import {
  bool,
  list,
  map,
  name,
  number,
  oneOf,
  optional,
  boundedSeconds,
  sideName,
  someSeconds,
  text,
  ttl,
  whole,
} from './leaves.ts';
import {
  awsHealthCheck,
  controllerHealthCheck,
  defaultAlb,
  defaultIngressNginx,
  defaultSeed,
  defaultStale,
  defaultZone,
  resolverPresetNames,
} from './world-defaults.ts';
import { stepInput } from './world-script-schema.ts';
import type { ExpectedInput, PlatformInput, WorldInput, WorldResolverInput, ZoneInput } from './world-input.ts';
import { z } from 'zod';

// ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const nameServer = map('a map such as { name: ns-1, lagS: 25 }', {
  name: name('a name').meta({ description: 'How reports call it.' }),
  lagS: optional(boundedSeconds(), 'It serves a change so long after it was made.', 0),
});

const zone = map('a map such as { record: address, ttlS: 300 }', {
  nameServers: optional(
    list(nameServer, 'a list of name servers').max(100, 'expected at most 100 name servers'),
    'Authoritative servers, each with its own lag.',
    defaultZone.nameServers,
  ),
  record: optional(
    oneOf('address', 'cname', 'alias', 'weighted', 'failover'),
    'How a hostname points at a side. alias: as Route 53 has it, with a TTL of 60 that nobody can set. By default weighted where change.via is weights, else address.',
  ),
  ttlS: optional(
    ttl(),
    'TTL of the record when the world starts. By default as change says: ttlBeforeS where the script lowers it, else ttlS; else 60.',
  ),
  startsAt: optional(
    sideName(),
    'Where names point when the world starts; by default at the side that the change leaves.',
  ),
  soaTtlS: optional(ttl(), '"There is none" is kept for the lower of this and soaMinimumS.', defaultZone.soaTtlS),
  soaMinimumS: optional(ttl(), 'Minimum field of the SOA.', defaultZone.soaMinimumS),
  healthCheck: optional(
    map('a map such as { intervalS: 10, failureCount: 3 }', {
      intervalS: optional(
        someSeconds(),
        'From one check of a side to the next; Route 53 knows 30 and 10.',
        defaultZone.healthCheck.intervalS,
      ),
      failureCount: optional(
        whole({ min: 1, max: 10 }),
        'So many failures in a row until a side is unhealthy, and successes until it is healthy again.',
        defaultZone.healthCheck.failureCount,
      ),
    }),
    'Of a failover record: by these checks it follows the health of sides.',
  ),
});

const presetNames = resolverPresetNames;
const stale = z.union(
  [
    oneOf('never', 'unreachable', 'always'),
    z.strictObject({
      when: optional(
        oneOf('unreachable', 'always'),
        'unreachable: only while no authority answers (RFC 8767); always: at once, fetching anew afterwards.',
        'unreachable',
      ),
      replyTtlS: optional(ttl(), 'TTL of a stale answer.', defaultStale.replyTtlS),
      staleSMax: optional(boundedSeconds(), 'Not longer than this after its end.', defaultStale.staleSMax),
      saysSo: optional(bool(), 'With Extended DNS Error 3, "Stale Answer".', defaultStale.saysSo),
    }),
  ],
  { error: 'expected never, unreachable, always, or a map such as { when: unreachable, replyTtlS: 30 }' },
);

const conduct = z.union(
  [
    oneOf(...presetNames),
    z.strictObject({
      like: optional(oneOf(...presetNames), 'What is not said here is as this one does it.', 'honest'),
      minTtlS: optional(ttl(), 'A lower TTL is raised to this.'),
      maxTtlS: optional(ttl(), 'A higher TTL is lowered to this.'),
      negativeTtlSMax: optional(ttl(), '"There is none" is kept for this at most.'),
      caches: optional(
        whole({ min: 1, max: 100 }),
        'Independent caches behind the one address; each query meets one of them.',
      ),
      prefetch: optional(
        oneOf('never', 'last-tenth', 'last-2-s'),
        'When an entry is fetched anew before its end: last-tenth as unbound does, last-2-s as BIND.',
      ),
      serveStale: optional(stale, 'Whether expired answers are served.'),
      countsDown: optional(bool(), 'false: every answer has the TTL as received, however old it is.'),
      latencyMs: optional(number({ min: 0 }), 'Until an answer from its cache.'),
    }),
  ],
  {
    error: `expected one of ${presetNames.join(', ')}, or a map such as { like: unbound, minTtlS: 300 }`,
  },
);

// ── platforms ────────────────────────────────────────────────────────────────────────────────────────────────────────

const replica = map('a map such as { startS: 20, preStopS: 25 }', {
  startS: optional(boundedSeconds(), 'From its start until it is ready.', defaultAlb.replica.startS),
  preStopS: optional(
    boundedSeconds(),
    'Goes on serving so long after it was told to end.',
    defaultAlb.replica.preStopS,
  ),
  exitS: optional(boundedSeconds(), 'From SIGTERM to its exit.', defaultAlb.replica.exitS),
  whenGone: optional(
    oneOf('silent', 'refused'),
    'What a connect to one that has gone meets: nobody, or a closed port.',
    defaultAlb.replica.whenGone,
  ),
  serviceMs: optional(
    number({ min: 0 }),
    'A request takes so long; half of it to one and a half.',
    defaultAlb.replica.serviceMs,
  ),
  server: optional(
    text('a text'),
    'Its own Server header; an ALB passes it on, ingress-nginx hides it. By default it sends none.',
  ),
});

const healthCheck = z.union(
  [
    oneOf('aws', 'controller'),
    z.strictObject({
      intervalS: optional(someSeconds(), 'From one check to the next.', awsHealthCheck.intervalS),
      timeoutS: optional(someSeconds(), 'A later answer is a failure.', awsHealthCheck.timeoutS),
      healthyCount: optional(whole({ min: 1 }), 'Successes in a row until it is healthy.', awsHealthCheck.healthyCount),
      unhealthyCount: optional(whole({ min: 1 }), 'Failures in a row until it is not.', awsHealthCheck.unhealthyCount),
    }),
  ],
  { error: 'expected aws, controller, or a map such as { intervalS: 15, unhealthyCount: 2 }' },
);

const spoken = ({ intervalS, timeoutS, healthyCount, unhealthyCount }: typeof awsHealthCheck): string =>
  `${intervalS} s, timeout ${timeoutS} s, ${healthyCount} to be healthy, ${unhealthyCount} not to be`;

const platform = map('a map such as { kind: alb, replicas: 3 }', {
  kind: optional(oneOf('alb', 'ingress-nginx'), 'By default alb for the old side, ingress-nginx for the new.'),
  addresses: optional(whole({ min: 1, max: 16 }), 'Of its load balancer, one for each zone.', defaultAlb.addressCount),
  rttMs: optional(number({ min: 0 }), 'Round trip from the prober.', defaultAlb.rttMs),
  replicas: optional(whole({ min: 1, max: 1000 }), 'Tasks or pods of each service.', defaultAlb.replicaCount),
  replica: optional(replica, 'How a task or pod behaves.'),
  healthCheck: optional(
    healthCheck,
    `Of an alb. aws: ${spoken(awsHealthCheck)}. controller (what the AWS Load Balancer Controller sets): ${spoken(controllerHealthCheck)}.`,
    'aws',
  ),
  deregistrationDelayS: optional(
    boundedSeconds(),
    'Of an alb: how long a target drains.',
    defaultAlb.deregistrationDelayS,
  ),
  idleTimeoutS: optional(
    someSeconds(),
    'Of an alb: a connection without a request is closed after it.',
    defaultAlb.idleTimeoutS,
  ),
  clientKeepAliveS: optional(
    someSeconds(),
    'Of an alb: after this age a connection serves one more request.',
    defaultAlb.clientKeepAliveS,
  ),
  controllerLagS: optional(
    boundedSeconds(),
    'Of an alb: from when a task or pod is told to end until it is sent no new requests.',
    defaultAlb.controllerLagS,
  ),
  endpointLagS: optional(
    boundedSeconds(),
    'Of an ingress-nginx: from when a pod is told to end until nginx sends it no new requests.',
    defaultIngressNginx.endpointLagS,
  ),
  connectTimeoutS: optional(
    someSeconds(),
    'Of an ingress-nginx: proxy_connect_timeout.',
    defaultIngressNginx.connectTimeoutS,
  ),
  tryCountMax: optional(
    whole({ min: 1 }),
    'Of an ingress-nginx: proxy_next_upstream_tries.',
    defaultIngressNginx.tryCountMax,
  ),
  keepAliveTimeoutS: optional(
    someSeconds(),
    'Of an ingress-nginx: keepalive_timeout.',
    defaultIngressNginx.keepAliveTimeoutS,
  ),
  keepAliveRequestCount: optional(
    whole({ min: 1 }),
    'Of an ingress-nginx: keepalive_requests.',
    defaultIngressNginx.keepAliveRequestCount,
  ),
});

// ── what it must come to ─────────────────────────────────────────────────────────────────────────────────────────────

const isCause: Readonly<Record<Cause, true>> = {
  'stale-answer': true,
  'kept-connection': true,
  pinned: true,
  'stale-target': true,
  'no-target': true,
  'target-failed': true,
  'app-5xx': true,
  'side-down': true,
  'address-down': true,
  'side-impaired': true,
  'dns-failed': true,
  tls: true,
  'too-slow': true,
  'wrong-answer': true,
  'own-network-suspected': true,
  unattributed: true,
};

const expected = map('a map such as { verdict: pass }', {
  verdict: oneOf('pass', 'fail', 'inconclusive').meta({ description: 'Of the rehearsal.' }),
  causes: optional(
    z.array(oneOf(...(Object.keys(isCause) as Cause[])), { error: 'expected a list of causes' }),
    'Of failed probes of judged clients: these and no others. By default nothing is expected of them.',
  ),
});

const script = z.array(stepInput, { error: 'expected a list of steps' });

/** Each part by itself, so that one broken part does not hide what is wrong with another. */
export const zoneInput: z.ZodType<ZoneInput> = zone;
export const conductInput: z.ZodType<WorldResolverInput> = conduct;
export const platformInput: z.ZodType<PlatformInput> = platform;
export const expectedInput: z.ZodType<ExpectedInput> = expected;

export const worldInput: z.ZodType<WorldInput> = map('a map such as { zone: { ttlS: 60 }, script: [] }', {
  seed: optional(
    whole({ min: 0, max: 0xffff_ffff }),
    'Every draw of the world comes from it: same seed, same world.',
    defaultSeed,
  ),
  zone: optional(zone, 'The DNS zone of the services.'),
  resolvers: optional(
    z.record(z.string(), conduct, { error: 'expected a map such as { vpc: vpc, isp: { minTtlS: 300 } }' }),
    'How each resolver of the scenario behaves, by its name: as a known one, or as described. By default honest.',
  ),
  old: optional(platform, 'The old platform.'),
  new: optional(platform, 'The new platform.'),
  script: optional(script, 'What happens when. By default the change and nothing else.'),
  observed: optional(
    bool(),
    'Whether AWS and Kubernetes, played by the world, tell of the sides that name them (aws, kubernetes).',
    true,
  ),
  expect: optional(expected, 'What a rehearsal must come to.'),
});
