/**
 * The resolvers that are classified, side by side before one authority. Each asks it from an address of its own, so that the
 * authority's log tells them apart.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import type { ResolverInput } from '../../src/scenario/input.ts';
import { askPlainly } from './servers/ask-plainly.ts';
import { makeCertificates } from './servers/certificates.ts';
import { startDnsDoor, type DnsDoor } from './servers/dns-door.ts';
import { startDnsdist } from './servers/dnsdist.ts';
import { startDnsmasq } from './servers/dnsmasq.ts';
import { startNamedResolver } from './servers/named-resolver.ts';
import { startPdnsRecursor } from './servers/pdns-recursor.ts';
import { freePorts } from './servers/ports.ts';
import { startUnbound } from './servers/unbound.ts';
import type { Stage } from './stage.ts';

interface Server {
  readonly address: string;
  readonly port: number;
}

export interface Actor {
  readonly name: string;
  readonly input: ResolverInput;
  /** Where its caches ask from. */
  readonly from: readonly string[];
}

export interface Cast {
  readonly actors: readonly Actor[];
  /** Where those listen that are asked over UDP. */
  readonly plain: readonly Server[];
  /** The only way to the authority for those that shall lose it. */
  readonly door: DnsDoor;
  /** Each of the caches behind one address, with users of its own who asked at other times than those of the other. */
  readonly apart: readonly Server[];
}

/** @param raisedS what those that raise TTLs raise them to */
export async function startCast(
  stack: AsyncDisposableStack,
  stage: Stage,
  { zone, raisedS }: { readonly zone: string; readonly raisedS: number },
): Promise<Cast> {
  const authority = stage.named;
  const door = stack.use(await startDnsDoor(authority));
  const actors: Actor[] = [];
  const plain: Server[] = [];
  let addressCount = 0;
  const nextAddress = (): string => `127.0.6.${String((addressCount += 1))}`;

  function add(name: string, from: readonly string[], { address, port }: Server): void {
    actors.push({ name, from, input: { name, address: `${address}:${port}` } });
    plain.push({ address, port });
  }

  async function unbound(from: string, to: Server, more: readonly string[]): Promise<Server> {
    return stack.use(await startUnbound({ zone, authorities: [to], more: [`outgoing-interface: ${from}`, ...more] }));
  }

  for (const [name, to, more] of [
    ['unbound', authority, []],
    ['unbound-min', authority, [`cache-min-ttl: ${raisedS}`]],
    ['unbound-original', authority, ['serve-original-ttl: yes']],
    ['unbound-stale-first', authority, ['serve-expired: yes']],
    ['unbound-stale', door, ['serve-expired: yes', 'serve-expired-client-timeout: 300']],
    ['unbound-cut-off', door, []],
  ] as [string, Server, string[]][]) {
    const from = nextAddress();
    add(name, [from], await unbound(from, to, more));
  }

  const [tlsPort = 0, httpsPort = 0] = await freePorts(2);
  const { caPath, leaves } = await makeCertificates(stage.folder, { resolver: ['127.0.0.1'] });
  const secureFrom = nextAddress();
  await unbound(secureFrom, authority, [
    `interface: 127.0.0.1@${tlsPort}`,
    `interface: 127.0.0.1@${httpsPort}`,
    `tls-port: ${tlsPort}`,
    `https-port: ${httpsPort}`,
    `tls-service-pem: "${leaves.resolver.certificatePath}"`,
    `tls-service-key: "${leaves.resolver.keyPath}"`,
  ]);
  const secure = { from: [secureFrom], ca: caPath };
  actors.push(
    {
      name: 'unbound-tls',
      from: secure.from,
      input: { name: 'unbound-tls', dot: `127.0.0.1:${tlsPort}`, ca: secure.ca },
    },
    {
      name: 'unbound-https',
      from: secure.from,
      input: { name: 'unbound-https', doh: `https://127.0.0.1:${httpsPort}/dns-query`, ca: secure.ca },
    },
  );

  const staleLines = ['stale-cache-enable yes;', 'stale-answer-enable yes;'];
  for (const [name, to, more] of [
    ['bind', authority, []],
    ['bind-stale', door, staleLines],
  ] as [string, Server, string[]][]) {
    const from = nextAddress();
    add(name, [from], stack.use(await startNamedResolver({ zone, authority: to, from, more })));
  }

  for (const [name, more] of [
    ['dnsmasq', []],
    ['dnsmasq-min', [`--min-cache-ttl=${raisedS}`]],
    ['dnsmasq-stale', ['--use-stale-cache']],
  ] as [string, string[]][]) {
    const from = nextAddress();
    add(name, [from], stack.use(await startDnsmasq({ zone, authority, from, more })));
  }

  const pdnsFrom = nextAddress();
  add('pdns', [pdnsFrom], stack.use(await startPdnsRecursor({ zone, authority, from: pdnsFrom })));

  const apart: Server[] = [];
  for (const [name, more] of [
    ['dnsdist', inTurnForEachName],
    ['dnsdist-cached', ['getPool(""):setCache(newPacketCache(1000))']],
  ] as [string, string[]][]) {
    const from = [nextAddress(), nextAddress()];
    const resolvers = [await unbound(from[0] ?? '', authority, []), await unbound(from[1] ?? '', authority, [])];
    if (name === 'dnsdist') apart.push(...resolvers);
    add(name, from, stack.use(await startDnsdist({ zone, resolvers, more })));
  }
  return { actors, plain, door, apart };
}

/**
 * Plain round robin gives a name whichever is next: two names that are asked for at nearly the same time may take turns at
 * being first, and then each of them meets the same cache for as long as they do.
 */
const inTurnForEachName: readonly string[] = [
  'local turns = {}',
  'setServerPolicyLua("in turn for each name", function(servers, question)',
  '  local name = question.qname:toString()',
  '  turns[name] = (turns[name] or 0) + 1',
  '  return servers[turns[name] % #servers + 1]',
  'end)',
];

const usersAskEveryMs = 400;

/**
 * Other users of each server: they ask for all names again and again, those of each next server half a TTL later at first,
 * so that what the servers hold ends at different times. Until disposed.
 */
export function keepApart(
  servers: readonly Server[],
  names: readonly { readonly hostname: string; readonly ttlS: number }[],
): AsyncDisposable {
  let isOver = false;
  const asking = servers.flatMap((server, i) =>
    names.map(async ({ hostname, ttlS }) => {
      await sleepMs((i * ttlS * 1000) / servers.length);
      while (!isOver) {
        await askPlainly(server, { name: hostname, type: 'A' }, usersAskEveryMs);
        await sleepMs(usersAskEveryMs);
      }
    }),
  );
  return {
    async [Symbol.asyncDispose]() {
      isOver = true;
      await Promise.all(asking);
    },
  };
}
