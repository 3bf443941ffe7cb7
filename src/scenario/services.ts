/** Services with their checks, and the references. */
import type { Check, Objectives, Service, TlsSpec } from '../core/scenario.ts';
import { objectivesOf } from './change.ts';
import type { Path } from './document.ts';
import type { CheckInput, DefaultsInput, ProbeInput, ServiceInput, TlsInput } from './input.ts';
import { suggestion } from './nearest.ts';
import { withoutWebSocketScheme } from './leaves.ts';
import { unbracketed } from './network.ts';
import { readPem } from './pem.ts';
import { preflightOf } from './preflight-asked.ts';
import type { Report } from './problems.ts';
import { type Level, probingOf, reportLevel } from './requests.ts';

export interface ServiceScope {
  readonly defaults: DefaultsInput;
  /** Names as the file has them, each with the names of the resolvers that it stands for. */
  readonly resolverNames: ReadonlyMap<string, readonly string[]>;
  readonly objectives: Objectives;
  readonly readFile: (path: string) => string;
  readonly report: Report;
}

export function serviceOf(input: ServiceInput, path: Path, scope: ServiceScope): Service {
  const { report } = scope;
  const levels: Level[] = [
    { input: scope.defaults, path: ['defaults'] },
    { input, path },
  ];
  const isTokenGiven = (more: readonly Level[]): boolean =>
    more.some((level) => level.input.request?.token !== undefined);
  const checkLevels = (input.checks ?? []).map((check, i) => ({ input: check, path: [...path, 'checks', i] }));
  reportLevel({ input, path }, isTokenGiven([...levels, ...checkLevels]), report);
  for (const level of checkLevels) reportLevel(level, isTokenGiven([...levels, level]), report);

  const preflight = preflightOf(scope.defaults.preflight, input.preflight, { path, report });
  return {
    name: input.name,
    checks: checksOf(input, checkLevels, levels, report),
    resolvers: resolversOf(input.resolvers, [...path, 'resolvers'], scope),
    tls: tlsOf(input.tls ?? {}, [...path, 'tls'], scope),
    objectives: objectivesOf(input.objectives ?? {}, scope.objectives),
    ...(preflight === null ? {} : { preflight }),
  };
}

function checksOf(
  service: ServiceInput,
  checkLevels: readonly { readonly input: CheckInput; readonly path: Path }[],
  levels: readonly Level[],
  report: Report,
): readonly Check[] {
  if (service.url !== undefined) return [checkOf(service.name, service.url, levels, report)];
  const names = new Set<string>();
  return checkLevels.map((level, i) => {
    const isOnly = checkLevels.length === 1 && level.input.name === undefined;
    const name = isOnly ? service.name : `${service.name}/${level.input.name ?? i + 1}`;
    if (names.has(name)) report([...level.path, 'name'], `another check of this service is called ${name}`);
    names.add(name);
    return checkOf(name, level.input.url, [...levels, level], report);
  });
}

function checkOf(name: string, url: string, levels: readonly Level[], report: Report): Check {
  const parts = partsOf(url);
  const all = parts.isWebSocket === true ? [plainOfWebSocket, ...levels] : levels;
  return { name, ...parts, ...probingOf(all, report) };
}

/** What servers of WebSockets say to a plain request, where nobody has said otherwise: "Bad Request", "Upgrade Required". */
const plainOfWebSocket: Level = { input: { expect: { statusIn: [400, 426] } }, path: [] };

/** The hostname of an IPv6 URL is without brackets, as sockets and resolvers want it. */
function partsOf(text: string): Pick<Check, 'url' | 'isWebSocket' | 'scheme' | 'hostname' | 'port' | 'path'> {
  const httpText = withoutWebSocketScheme(text);
  const url = new URL(httpText);
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  return {
    url: url.href,
    ...(httpText === text ? {} : { isWebSocket: true }),
    scheme,
    hostname: unbracketed(url.hostname),
    port: url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
  };
}

function resolversOf(names: readonly string[] | undefined, path: Path, scope: ServiceScope): readonly string[] {
  if (names === undefined) return [...scope.resolverNames.values()].flat();
  const seen = new Set<string>();
  return names.flatMap((name, i) => {
    const known = scope.resolverNames.get(name);
    if (known === undefined) {
      const sentence = `unknown resolver "${name}"${suggestion(name, [...scope.resolverNames.keys()])}`;
      scope.report([...path, i], sentence);
    }
    if (seen.has(name)) scope.report([...path, i], `"${name}" is there twice`);
    seen.add(name);
    return known ?? [];
  });
}

function tlsOf(input: TlsInput, path: Path, { readFile, report }: ServiceScope): TlsSpec {
  if ((input.certificate === undefined) !== (input.key === undefined)) {
    report(path, 'a client certificate needs both certificate and key');
  }
  const pem = (key: keyof TlsInput, label: 'CERTIFICATE' | 'PRIVATE KEY'): string | null =>
    input[key] === undefined ? null : readPem(input[key], label, { path: [...path, key], readFile, report });
  return {
    caPem: pem('ca', 'CERTIFICATE'),
    certificatePem: pem('certificate', 'CERTIFICATE'),
    keyPem: pem('key', 'PRIVATE KEY'),
  };
}

/** A reference shows that our own network works: any answer that is not an error does. */
const referenceStatuses: readonly number[] = [200, 204, 301, 302, 303, 307, 308];

/** References get a bare GET: what `defaults` sends (credentials) is for the services alone. */
export function referencesOf(
  urls: readonly string[],
  path: Path,
  { defaults, report }: Pick<ServiceScope, 'defaults' | 'report'>,
): readonly Check[] {
  const { request: _, preflight: __, ...pace } = defaults;
  const input: ProbeInput = { ...pace, expect: { statusIn: referenceStatuses } };
  const seen = new Map<string, number>();
  const urlsSeen = new Set<string>();
  return urls.map((url, i) => {
    const { hostname, url: href } = partsOf(url);
    if (urlsSeen.has(href)) report([...path, i], 'is there twice');
    urlsSeen.add(href);
    const number = (seen.get(hostname) ?? 0) + 1;
    seen.set(hostname, number);
    const name = number === 1 ? hostname : `${hostname}/${number}`;
    // What is wrong with the pace of `defaults` is said where services use it.
    return checkOf(name, url, [{ input, path: ['defaults'] }], () => {});
  });
}
