import type { Resolver, Scenario } from '../core/scenario.ts';
import type { Path } from './document.ts';
import type { ResolverInput } from './input.ts';
import { parseAddressAndPort } from './network.ts';
import { readPem } from './pem.ts';
import type { Report } from './problems.ts';

interface ResolverScope {
  readonly readFile: (path: string) => string;
  readonly report: Report;
}

/** `system` is two: what a stub resolver reads from `/etc/resolv.conf`, and the C library's own `getaddrinfo`. */
const system: readonly Resolver[] = [
  { name: 'system', server: { kind: 'system' } },
  { name: 'system:getaddrinfo', server: { kind: 'getaddrinfo' } },
];

export const defaultResolvers: readonly ResolverInput[] = [{ name: 'system' }];

/** The resolvers that the file calls by one name. */
export function resolversOf(
  input: ResolverInput,
  path: Path,
  { readFile, report }: ResolverScope,
): readonly Resolver[] {
  const caPem =
    input.ca === undefined
      ? {}
      : { caPem: readPem(input.ca, 'CERTIFICATE', { path: [...path, 'ca'], readFile, report }) };
  const { name } = input;
  if (input.doh !== undefined) return [{ name, server: { kind: 'https', url: input.doh, ...caPem } }];
  if (input.dot !== undefined) {
    const server = parseAddressAndPort(input.dot, 853);
    if (server === null) return [];
    return [{ name, server: { kind: 'tls', ...server, serverName: input.serverName ?? '', ...caPem } }];
  }
  if (input.address !== undefined) {
    const server = parseAddressAndPort(input.address, 53);
    return server === null ? [] : [{ name, server: { kind: 'udp', ...server } }];
  }
  return system;
}

export function authoritiesOf(input: 'auto' | 'none' | readonly string[]): Scenario['authorities'] {
  if (input === 'auto' || input === 'none') return input;
  return input.map((text) => parseAddressAndPort(text, 53)).filter((server) => server !== null);
}
