/** The first scenario of somebody who begins: what was said and found, and beside it, commented out, what comes next. */
import { stringify } from 'yaml';
import { unbracketed } from './network.ts';

export interface FirstScenario {
  readonly name: string;
  /** What to probe; one service for each hostname. */
  readonly urls: readonly string[];
  /** As the scenario has them: `dns:name`, addresses, networks. */
  readonly old: readonly string[];
  readonly new: readonly string[];
  /** `address:port`; '' = this machine's own. */
  readonly resolver: string;
  /** By hostname. */
  readonly found: ReadonlyMap<string, NameFound>;
}

/** What DNS says of a hostname today. */
export interface NameFound {
  /** The names that its alias leads to, then its addresses. */
  readonly leadsTo: readonly string[];
  /** Of the record, from an authoritative server; null = none could be asked. */
  readonly ttlS: number | null;
  readonly zone: string;
  readonly authorityCount: number;
  /** Why something is missing; '' else. */
  readonly error: string;
}

/** A TTL of a minute is as low as most resolvers keep to (docs/preflight.md). */
const lowTtlS = 60;

export function firstScenarioText(first: FirstScenario, file: string): string {
  const services = [...Map.groupBy(first.urls, hostnameOf)];
  const names = serviceNames(services.map(([hostname]) => hostname));
  return `${[
    '# yaml-language-server: $schema=./scenario.schema.json',
    '# Written by cutwatch init. All keys: docs/scenario.md. So that an editor completes and checks this file:',
    '#   cutwatch schema > scenario.schema.json',
    '# What it would do, whether it is safe to switch, and the switch itself under watch:',
    `#   cutwatch plan ${file}`,
    `#   cutwatch preflight ${file}`,
    `#   cutwatch run ${file} -- ./switch-dns.sh`,
    `name: ${value(first.name)}`,
    '',
    'services:',
    ...services.flatMap(([hostname, urls], i) => [
      ...foundComment(hostname, first.found.get(hostname)),
      ...serviceLines(names[i] ?? hostname, urls),
    ]),
    '',
    '# Which side answered is told by its addresses. A header that only one side sends, or its certificate, makes it sure',
    '# where both share addresses.',
    'sides:',
    ...sideLines('old', first.old, '{ x-served-by: ecs }'),
    ...sideLines('new', first.new, '{ x-served-by: eks }'),
    '',
    ...resolverLines(first.resolver),
    '',
    '# Who your users are: each kind of client holds answers and connections in its own way (docs/clients.md). With weights,',
    '# downtime is weighed as users are.',
    '# clients: { fresh: 20, keep-alive: 20, jvm-30: 10, chrome: 50 }',
    '',
    ...changeLines(ttlsOf(first)),
    '',
    '# Two or more endpoints in other networks, so that trouble of our own network is known as that.',
    '# references: [https://status.example/ping, https://other.example/]',
    '',
    '# When to say that it failed: per service and kind of client. These are the defaults.',
    '# objectives: { outageMsMax: 2000, downtimeMsMax: 5000, failedRatioMax: 0.001 }',
  ].join('\n')}\n`;
}

/** `orders.shop.example` → `orders-shop-example`: what the scenario is called where nobody says it. */
export function nameFor(hostname: string): string {
  const name = hostname
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replaceAll('.', '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
  return name === '' ? 'cutover' : name;
}

export function hostnameOf(url: string): string {
  return unbracketed(new URL(url).hostname);
}

/** The first label of each, or the whole where two have the same. */
function serviceNames(hostnames: readonly string[]): readonly string[] {
  const labels = hostnames.map((hostname) =>
    nameFor(hostname.includes(':') ? hostname : (hostname.split('.')[0] ?? '')),
  );
  const isTwice = new Set(labels.filter((label, i) => labels.indexOf(label) !== i));
  return hostnames.map((hostname, i) => {
    const label = labels[i] ?? '';
    return isTwice.has(label) || /^\d+$/.test(label) ? nameFor(hostname) : label;
  });
}

function foundComment(hostname: string, found: NameFound | undefined): readonly string[] {
  if (found === undefined) return [];
  const { leadsTo, ttlS, zone, authorityCount, error } = found;
  const servers = authorityCount === 1 ? '1 name server' : `${authorityCount} name servers`;
  const parts = [
    ...(leadsTo.length === 0 ? [] : [`leads to ${leadsTo.join(', ')} today`]),
    ...(ttlS === null ? [] : [`TTL ${ttlS} s at the ${servers} of ${zone}`]),
    ...(error === '' ? [] : [error]),
  ];
  return [`  # ${comment(`${hostname}: ${parts.join('; ')}`)}`];
}

function serviceLines(name: string, urls: readonly string[]): readonly string[] {
  const [first = '', ...more] = urls;
  if (more.length === 0) return [`  - { name: ${value(name)}, url: ${value(first)} }`];
  return [`  - name: ${value(name)}`, '    checks:', ...urls.map((url) => `      - { url: ${value(url)} }`)];
}

function sideLines(side: 'old' | 'new', addresses: readonly string[], marker: string): readonly string[] {
  return [
    `  ${side}:`,
    `    # title: ${side === 'old' ? 'ALB/ECS' : 'nginx/EKS'}`,
    `    addresses: [${addresses.map(value).join(', ')}]`,
    `    # marker: ${marker}`,
  ];
}

function resolverLines(resolver: string): readonly string[] {
  const why = '# Each is asked and watched by itself: name those that your users are behind.';
  if (resolver !== '') return [why, 'resolvers:', `  - { name: given, address: ${value(resolver)} }`];
  return [
    why,
    '# resolvers:',
    '#   - { name: system }',
    '#   - { name: vpc, address: "10.0.0.2:53" }',
    '#   - { name: public, doh: https://dns.example/dns-query }',
  ];
}

function ttlsOf({ found }: FirstScenario): readonly number[] {
  return [...found.values()].flatMap(({ ttlS }) => (ttlS === null ? [] : [ttlS]));
}

/** Of several records the highest: it is the last that caches forget. */
function changeLines(ttls: readonly number[]): readonly string[] {
  const head = ['# The switch, and how long to watch: these lengths are the defaults.', 'change:', '  via: dns'];
  const lengths = ['  baselineS: 60', '  tailS: 600'];
  const highestS = Math.max(...ttls);
  if (ttls.length === 0) {
    return [
      ...head,
      '  # The TTL of the record was not found. Say what it was, and what it is when you switch:',
      '  # ttlBeforeS: 3600',
      `  # ttlS: ${lowTtlS}`,
      ...lengths,
    ];
  }
  if (highestS <= lowTtlS)
    return [...head, `  ttlS: ${Math.max(1, highestS)} # as it is now, which is low enough`, ...lengths];
  return [
    ...head,
    `  ttlBeforeS: ${highestS} # as it is now`,
    `  ttlS: ${lowTtlS} # lower it to this, and wait ${highestS} s before you switch: cutwatch preflight says when`,
    ...lengths,
  ];
}

/** As YAML has it within a flow, quoted where it must be. */
function value(text: string): string {
  return stringify([text], { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trim().slice(1, -1);
}

/** What came from a name server stays a comment. */
function comment(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}
