/** What may go into a log: everything that tells what was probed, nothing that would let a reader in. */
import type { Check, Lane, RequestSpec, Resolver, Scenario, TlsSpec } from '../core/scenario.ts';
import { secretMark, withoutUrlSecrets } from './secret-names.ts';
import { withoutValues, withoutValuesInUrl } from './variable-values.ts';

/** Headers whose values are never secret, and which help to understand an answer. */
const harmlessHeaders = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'content-type',
  'pragma',
  'user-agent',
]);

export function isHarmlessHeader(name: string): boolean {
  return harmlessHeaders.has(name.toLowerCase());
}

export function withoutSecrets(given: Scenario): Scenario {
  // A run takes no notice of a playbook, whose commands may hold credentials.
  const { playbook: _, ...scenario } = given;
  return {
    ...scenario,
    // A run sends nothing of what is for a preflight.
    services: scenario.services.map((service) => {
      const { preflight: _, ...rest } = service;
      return { ...rest, checks: rest.checks.map(checkWithoutSecrets), tls: tlsWithoutSecrets(rest.tls) };
    }),
    resolvers: scenario.resolvers.map(resolverWithoutSecrets),
    references: scenario.references.map(checkWithoutSecrets),
  };
}

export function laneWithoutSecrets(lane: Lane): Lane {
  return {
    ...lane,
    check: checkWithoutSecrets(lane.check),
    resolver: lane.resolver === null ? null : resolverWithoutSecrets(lane.resolver),
    tls: tlsWithoutSecrets(lane.tls),
  };
}

function shownUrl(url: string, secretValues?: readonly string[]): string {
  return withoutUrlSecrets(withoutValuesInUrl(url, secretValues));
}

export function checkWithoutSecrets({ secretValues, ...check }: Check): Check {
  const { expect } = check;
  const shown = (text: string): string => withoutValues(text, secretValues);
  return {
    ...check,
    url: shownUrl(check.url, secretValues),
    path: shownUrl(check.path, secretValues),
    expect: {
      ...expect,
      bodyIncludes: expect.bodyIncludes === null ? null : shown(expect.bodyIncludes),
      bodyMatches: expect.bodyMatches === null ? null : shown(expect.bodyMatches),
      headers: expect.headers.map(([name, value]) => [name, shown(value)]),
    },
    request: requestWithoutSecrets(check.request),
  };
}

function requestWithoutSecrets({ method, headers, body, token }: RequestSpec): RequestSpec {
  return {
    method,
    headers: headers.map(([name, value]) => [name, isHarmlessHeader(name) ? value : secretMark]),
    body: body === null ? null : secretMark,
    token: token === null ? null : { ...token, command: token.command.map((word, i) => (i === 0 ? word : secretMark)) },
  };
}

function tlsWithoutSecrets(tls: TlsSpec): TlsSpec {
  return { ...tls, keyPem: tls.keyPem === null ? null : secretMark };
}

function resolverWithoutSecrets({ secretValues, ...resolver }: Resolver): Resolver {
  const { server } = resolver;
  if (server.kind !== 'https') return resolver;
  return { ...resolver, server: { ...server, url: shownUrl(server.url, secretValues) } };
}
