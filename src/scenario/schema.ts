/**
 * The shape of a scenario file. Structure and single values are checked here; what contradicts something elsewhere in the
 * file is found where the sections are built. Defaults are named for editors, and filled in where they are inherited.
 */
import { awsInput } from './aws-schema.ts';
import { clientsInput } from './client-schema.ts';
import { defaultChange, defaultClients, defaultObjectives, defaultPreflight, defaultProbe } from './defaults.ts';
import type {
  ChangeInput,
  ObjectivesInput,
  DefaultsInput,
  ResolverInput,
  ScenarioInput,
  ServiceInput,
  SideInput,
} from './input.ts';
import { kubernetesInput } from './kubernetes-schema.ts';
import {
  bool,
  certificateProblem,
  checkUrlProblem,
  checkedText,
  dohUrlProblem,
  fields,
  headerNameProblem,
  hostnameProblem,
  instantProblem,
  list,
  map,
  methodProblem,
  name,
  number,
  oneOf,
  optional,
  pathProblem,
  regexProblem,
  serverProblem,
  sideAddressProblem,
  text,
  urlProblem,
  whole,
} from './leaves.ts';
import { playbookInput } from './playbook.ts';
import { route53Input } from './route53.ts';
import { worldInput } from './world-schema.ts';
import { z } from 'zod';

const url = (): z.ZodString => checkedText('an http or https URL', urlProblem);
const checkUrl = (): z.ZodString => checkedText('an http or https URL', checkUrlProblem);
const file = (what: string): z.ZodString => text(`a path to ${what}`);

const token = map('a map with command and everyS', {
  command: list(text('a word'), 'a list of words: program, argument, …').meta({
    description: 'Its standard output is the token.',
  }),
  everyS: number({ above: 0 }).meta({ description: 'Seconds after which it is run again; below the life of a token.' }),
});

const request = map('a map such as { method: GET, headers: {} }', {
  method: optional(
    checkedText('a method such as GET', methodProblem),
    'HTTP method. Any but GET and HEAD needs writes: true.',
    'GET',
  ),
  headers: optional(
    fields('a map of header names and texts'),
    'Headers to send. Their values never reach the log. ${TOKEN} stands for what the token command printed.',
  ),
  cookies: optional(fields('a map of cookie names and texts'), 'Cookies to send; never in the log.'),
  body: optional(z.string({ error: 'expected a text' }), 'Body to send; never in the log.'),
  writes: optional(bool(), 'Says that sending this request again and again does no harm.', false),
  token: optional(token, 'A command that prints a credential that expires.'),
});

const status = whole({ min: 200, max: 599 });
const expect = map('a map such as { status: 200 }', {
  status: optional(status, 'The one good status.', 200),
  statusIn: optional(list(status, 'a list of statuses'), 'All good statuses; instead of status.'),
  bodyIncludes: optional(text('a text'), 'What the first 64 KiB of the body must contain.'),
  bodyMatches: optional(
    checkedText('a regular expression', regexProblem),
    'A regular expression (flag u) that the first 64 KiB of the body must match.',
  ),
  header: optional(fields('a map of header names and texts'), 'Headers of the answer that must be equal.'),
});

const timeoutMs = (): z.ZodNumber => whole({ min: 1, max: 600_000 });
const timeouts = map('a map such as { connectMs: 5000, totalMs: 12000 }', {
  connectMs: optional(timeoutMs(), 'To connect by TCP.', defaultProbe.connectMs),
  tlsMs: optional(timeoutMs(), 'For the TLS handshake.', defaultProbe.tlsMs),
  firstByteMs: optional(timeoutMs(), 'From sending to the first byte; by default as totalMs.'),
  totalMs: optional(
    timeoutMs(),
    "The whole probe. Under 12 s, an ALB's 504 for a target that does not accept (after 10 s) is never seen.",
    defaultProbe.totalMs,
  ),
});

const probe = {
  ratePerSecond: optional(
    number({ min: 0.01, max: 50_000 }),
    'Probes per second of each lane.',
    defaultProbe.ratePerSecond,
  ),
  goodWithinMs: optional(
    whole({ min: 1, max: 600_000 }),
    "A user's patience: a later answer is too slow, and a failure.",
    defaultProbe.goodWithinMs,
  ),
  timeouts: optional(timeouts, 'When to give up.'),
  request: optional(request, 'What to send.'),
  expect: optional(expect, 'What a good answer is.'),
};

const path = (): z.ZodString => checkedText('a path such as /slow', pathProblem);
const preflight = map('a map such as { slowPath: /slow }', {
  slowPath: optional(path(), 'A path whose answer takes longer than 60 s, where proxies give up.'),
  slowWithinS: optional(number({ above: 0, max: 600 }), 'How long to wait for it.', defaultPreflight.slowWithinS),
  uploadPath: optional(path(), 'A path that takes a large body. Needs writes: true.'),
  uploadMethod: optional(oneOf('POST', 'PUT', 'PATCH'), 'How it is sent.', defaultPreflight.uploadMethod),
  uploadBytes: optional(
    whole({ min: 1, max: 50_000_000 }),
    'How large; the largest that users send.',
    defaultPreflight.uploadBytes,
  ),
  writes: optional(bool(), 'Says that the upload does no harm; it is sent a few times.', false),
  headerBytes: optional(whole({ min: 256, max: 60_000 }), 'The largest header that users send, such as a cookie.'),
  echoPath: optional(path(), 'A path that answers with the headers that the application got, as JSON or in lines.'),
});

const count = (): z.ZodNumber => whole({ min: 0 });
const objectives = map('a map such as { downtimeMsMax: 0 }', {
  outageMsMax: optional(number({ min: 0 }), 'The longest outage.', defaultObjectives.outageMsMax),
  downtimeMsMax: optional(number({ min: 0 }), 'All outages together.', defaultObjectives.downtimeMsMax),
  failedRatioMax: optional(
    number({ min: 0, max: 1 }),
    'Failed of all probes, above baseline; breached by 3 failures at least.',
    defaultObjectives.failedRatioMax,
  ),
  worstMinuteFailedRatioMax: optional(
    number({ min: 0, max: 1 }),
    'The same in the worst minute.',
    defaultObjectives.worstMinuteFailedRatioMax,
  ),
  burst5xxCountMax: optional(count(), 'Bursts of 5xx answers.', defaultObjectives.burst5xxCountMax),
  staleTargetCountMax: optional(
    count(),
    'Load balancer targets that nobody owns.',
    defaultObjectives.staleTargetCountMax,
  ),
  convergenceSMax: optional(
    z.union([z.literal('auto'), number({ min: 0 })], { error: 'expected auto or a number ≥ 0' }),
    'Until the last old answer; auto = 2 × TTL + 10, and what a client’s own cache adds.',
    'auto',
  ),
  flipBackCountMax: optional(count(), 'Returns to the side that was left.', defaultObjectives.flipBackCountMax),
  latencyP99RatioMax: optional(
    number({ above: 0 }),
    'p99 of the new side over that of the old; warns.',
    defaultObjectives.latencyP99RatioMax,
  ),
});

const defaults = map('a map', {
  ...probe,
  preflight: optional(preflight, 'What a preflight sends besides the checks, to the host of each service.'),
});

const check = map('a map such as { url: https://shop.example/ready }', {
  name: optional(name('a name'), 'How reports call it, after the name of the service.'),
  url: checkUrl().meta({
    description:
      'What to ask for. Redirects are not followed. With ws: or wss: the check of clients that hold a WebSocket.',
  }),
  ...probe,
});

const service = map('a map such as { name: orders, url: https://orders.example/ready }', {
  name: name('a name').meta({ description: 'How reports call it.' }),
  url: optional(checkUrl(), 'What to ask for; instead of checks. Redirects are not followed.'),
  checks: optional(list(check, 'a list of checks'), 'Several URLs of one service; instead of url.'),
  resolvers: optional(
    list(text('the name of a resolver'), 'a list of names of resolvers'),
    'Which resolvers its clients ask; by default all.',
  ),
  tls: optional(
    map('a map with ca, certificate and key', {
      ca: optional(file('a PEM file'), "Certificates to trust instead of the system's."),
      certificate: optional(file('a PEM file'), 'Client certificate.'),
      key: optional(file('a PEM file'), 'Its private key.'),
    }),
    'Private CA and client certificate. Verification cannot be turned off.',
  ),
  objectives: optional(objectives, "Limits of this service, over the scenario's."),
  preflight: optional(preflight, 'What a preflight sends besides the checks, to their host.'),
  ...probe,
}).superRefine((value, context) => {
  if ((value.url === undefined) !== (value.checks === undefined)) return;
  const which = value.url === undefined ? 'neither is there' : 'both are there';
  context.addIssue({ code: 'custom', message: `a service has either url or checks; ${which}` });
});

const side = map('a map such as { addresses: ["dns:lb.example"] }', {
  title: optional(text('a text'), 'What people call it, such as ALB/ECS.'),
  addresses: optional(
    list(checkedText('an address, a network or dns:name', sideAddressProblem), 'a list of addresses'),
    'Addresses, networks, and dns:name for names whose addresses are looked up again and again.',
  ),
  marker: optional(fields('a map of header names and texts'), 'Headers that only this side sends.'),
  certificateSha256: optional(
    list(checkedText('a SHA-256 fingerprint', certificateProblem), 'a list of fingerprints'),
    'Certificates that only this side shows.',
  ),
  aws: optional(
    awsInput,
    'What AWS says of this side: load balancers and their targets, ECS, schedules, traffic. Credentials are those of the environment or the profile.',
  ),
  kubernetes: optional(
    kubernetesInput,
    'What Kubernetes says of this side: endpoints, pods, rollouts, CronJobs. Who we are there is said by the kubeconfig.',
  ),
}).superRefine((value, context) => {
  const hasMarker = Object.keys(value.marker ?? {}).length > 0;
  if (hasMarker || value.addresses !== undefined || value.certificateSha256 !== undefined) return;
  const message = 'nothing tells this side from the other: give addresses, marker or certificateSha256';
  context.addIssue({ code: 'custom', message });
});

const resolver = map('a map such as { name: vpc, address: "10.0.0.2:53" }', {
  name: name('a name').meta({ description: 'system is this machine: /etc/resolv.conf, and getaddrinfo beside it.' }),
  address: optional(checkedText('an address', serverProblem), 'UDP, and TCP when truncated. Port 53 by default.'),
  doh: optional(checkedText('an https URL', dohUrlProblem), 'DNS over HTTPS.'),
  dot: optional(checkedText('an address', serverProblem), 'DNS over TLS. Port 853 by default.'),
  serverName: optional(checkedText('a host name', hostnameProblem), 'The name in the certificate of a dot server.'),
  ca: optional(file('a PEM file'), "Certificates to trust instead of the system's, for doh and dot."),
}).superRefine((value, context) => {
  const ways = [value.address, value.doh, value.dot].filter((way) => way !== undefined).length;
  const say = (message: string): void => context.addIssue({ code: 'custom', message });
  if (value.name === 'system' && ways > 0) say("system is this machine's own resolver; give the server another name");
  if (value.name !== 'system' && ways !== 1) {
    say(`a resolver has one of address, doh and dot (or is called system); found ${ways === 0 ? 'none' : ways}`);
  }
  if (value.serverName !== undefined && value.dot === undefined) say('serverName is for dot');
  if (value.ca !== undefined && value.dot === undefined && value.doh === undefined) say('ca is for doh and dot');
});

const seconds = (): z.ZodNumber => number({ min: 0 });
const change = map('a map such as { via: dns, ttlS: 60 }', {
  via: optional(oneOf('dns', 'cdn', 'weights', 'deploy'), 'How it is made; decides what is evidence of it.', 'dns'),
  direction: optional(oneOf('old-to-new', 'new-to-old'), 'Where it goes.', 'old-to-new'),
  ttlBeforeS: optional(whole({ min: 0 }), 'TTL of the record before it was lowered.'),
  ttlS: optional(whole({ min: 0 }), 'TTL of the record at the change.'),
  ttlLoweredAt: optional(checkedText('an instant', instantProblem), 'When it was lowered.'),
  baselineS: optional(seconds(), 'Watched before the change.', defaultChange.baselineS),
  waitS: optional(seconds(), 'How long to wait for a change that nobody marks.', defaultChange.waitS),
  convergenceTimeoutS: optional(
    seconds(),
    'How long to wait for the last old answer.',
    defaultChange.convergenceTimeoutS,
  ),
  tailS: optional(seconds(), 'Watched after the last old answer.', defaultChange.tailS),
  side: optional(oneOf('old', 'new'), 'Of a deployment: the side whose tasks or pods are replaced; by default either.'),
  replicaHeader: optional(
    checkedText('the name of a header', headerNameProblem),
    'Of a deployment: a response header whose value names the task, the pod or the build that answered.',
  ),
});

const authorities = z.union(
  [oneOf('auto', 'none'), list(checkedText('an address', serverProblem), 'a list of addresses')],
  {
    error: 'expected auto, none, or a list of addresses such as ["10.0.0.2:53"]',
  },
);
const references = list(url(), 'a list of URLs');

/** Each section by itself, so that one broken section does not hide what is wrong with another. */
export const defaultsInput: z.ZodType<DefaultsInput> = defaults;
export const serviceInput: z.ZodType<ServiceInput> = service;
export const sideInput: z.ZodType<SideInput> = side;
export const resolverInput: z.ZodType<ResolverInput> = resolver;
export const authoritiesInput: z.ZodType<NonNullable<ScenarioInput['authorities']>> = authorities;
export const changeInput: z.ZodType<ChangeInput> = change;
export const referencesInput: z.ZodType<readonly string[]> = references;
export const objectivesInput: z.ZodType<ObjectivesInput> = objectives;
/** A file of objectives may name its block as a scenario does. */
export const objectivesBlockInput: z.ZodType<{ readonly objectives: ObjectivesInput }> = map('a map with objectives', {
  objectives,
});

export const scenarioInput: z.ZodType<ScenarioInput> = map('a map with name, services and sides', {
  name: name('a name').meta({ description: 'Of the scenario; in the name of every run folder.' }),
  defaults: optional(defaults, 'For every check that does not say otherwise.'),
  services: list(service, 'a list of services').meta({ description: 'What is moved.' }),
  sides: map('a map with old and new', {
    old: optional(side, 'May be left out where nothing moves (via: deploy), or new may.'),
    new: optional(side, 'May be left out where nothing moves (via: deploy), or old may.'),
  }).meta({
    description: 'The platforms. Address, certificate and marker decide which side an answer came from.',
  }),
  resolvers: optional(list(resolver, 'a list of resolvers'), 'Recursive DNS servers to ask; by default system.'),
  authorities: optional(
    authorities,
    'Authoritative servers: found by NS look-up, none (private zones), or these.',
    'auto',
  ),
  clients: optional(
    clientsInput,
    'Kinds of clients: names, or names with weights. Side lanes are always there.',
    defaultClients,
  ),
  change: optional(change, 'The switch, and how long to watch.'),
  route53: optional(
    route53Input,
    'Asks Route 53, by the AWS SDK, what it has for the hostnames: policies, health checks, and how far a change is.',
    false,
  ),
  playbook: optional(
    playbookInput,
    'What is done for the switchover, step by step, each with its check; by default every check that there is.',
  ),
  references: optional(references, 'Endpoints in other networks, to know our own network; two or more.'),
  objectives: optional(objectives, 'Limits for each service and judged client.'),
  world: optional(worldInput, 'Where a rehearsal plays, and what happens there. A run takes no notice of it.'),
});

export function scenarioJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = jsonSchemaOf(scenarioInput);
  return {
    $schema,
    title: 'cutwatch scenario',
    description: 'What to watch while services move from one platform to another.',
    ...rest,
  };
}

/** Draft 7, the newest that editors' YAML servers read. */
export function jsonSchemaOf(schema: z.ZodType): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(schema, { target: 'draft-07', io: 'input' });
}
