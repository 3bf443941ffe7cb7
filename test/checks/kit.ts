/** Facts for one service, built from the little that a test is about: by default all is well. */
import type { Asked, Facts, NameFacts, Probe, ServerFacts } from '../../src/checks/facts.ts';
import { emptyMemory, remember, type Memory } from '../../src/checks/memory.ts';
import { presets } from '../../src/clients/presets.ts';
import { chainOf } from '../../src/core/dns-chain.ts';
import type { DnsRecord, DnsReply } from '../../src/core/ports.ts';
import type { Scenario } from '../../src/core/scenario.ts';
import { parseScenario } from '../../src/scenario/parse.ts';

export const nowMs: number = Date.UTC(2026, 10, 24, 8, 30);
export const hostname = 'orders.shop.test';
export const oldAddress = '192.0.2.1';
export const newAddress = '198.51.100.1';

export function scenarioOf(more = 'change: { ttlS: 60 }', sides = ''): Scenario {
  const text = `
name: checks
services: [{ name: orders, url: "https://${hostname}/ready" }]
${
  sides ||
  `sides:
  old: { title: ALB/ECS, addresses: ["${oldAddress}"], marker: { x-served-by: ecs } }
  new: { title: nginx/EKS, addresses: ["${newAddress}"], marker: { x-served-by: eks } }`
}
resolvers: [{ name: vpc, address: 10.0.0.2 }]
${more}
`;
  return parseScenario(text, { file: 'checks.yaml', env: {}, presets, readFile: () => '' });
}

/** Zone-file lines, `orders.shop.test 60 A 192.0.2.1`; those that answer the question make the reply. */
export function reply(type: Asked['type'], lines: readonly string[], over: Partial<DnsReply> = {}): DnsReply {
  const all = lines.map((line): DnsRecord => {
    const [name = '', ttl = '', of = '', ...data] = line.split(' ');
    return { name, ttlS: Number(ttl), type: of, data: data.join(' ') };
  });
  const answers = all.filter((record) => record.type === type || record.type === 'CNAME');
  const authority = answers.length > 0 ? [] : all.filter((record) => record.type === 'SOA');
  const followed = chainOf({ name: hostname, type }, { rcode: 'NOERROR', answers, authority });
  if (typeof followed === 'string') throw new Error(followed);
  const times = { sentAtNs: 0, endedAtNs: 0 };
  const said = { kind: 'answered', rcode: 'NOERROR', authoritative: true, ede: 0, answers, authority } as const;
  return { ...said, ...followed, ...times, ...over } as DnsReply;
}

export const soa = 'shop.test 900 SOA ns.shop.test hostmaster.shop.test 1 7200 900 1209600 300';

export function asked(lines: readonly string[], over: Partial<DnsReply> = {}): readonly Asked[] {
  return (['A', 'AAAA', 'HTTPS'] as const).map((type) => {
    const said = reply(type, [...lines, soa], over);
    const none = said.kind === 'answered' && said.addresses.length === 0 && said.chain.length === 0;
    return { type, reply: said, endedAtMs: nowMs, side: none ? 'none' : 'old' };
  });
}

export function server(name: string, lines: readonly string[], over: Partial<DnsReply> = {}): ServerFacts {
  return { server: name, asked: asked(lines, over) };
}

const record = `${hostname} 60 A ${oldAddress}`;

export function nameFacts(over: Partial<NameFacts> = {}): NameFacts {
  return {
    hostname,
    authorities: [server('ns-1', [record]), server('ns-2', [record])],
    links: [],
    areGiven: false,
    authoritiesError: '',
    resolvers: [server('vpc', [record], { authoritative: false })],
    ...over,
  };
}

export function probe(over: Partial<Probe> & Pick<Probe, 'side'>): Probe {
  const isOld = over.side === 'old';
  return {
    kind: 'request',
    service: 'orders',
    check: 'orders',
    address: isOld ? oldAddress : newAddress,
    addressSide: over.side,
    outcome: 'answered',
    error: '',
    certificateSha256: isOld ? 'aa' : 'bb',
    certificateName: '',
    certificateToMs: nowMs + 90 * 86_400_000,
    alpn: 'http/1.1',
    tlsVersion: 'TLSv1.3',
    tookMs: 13,
    answer: {
      status: 200,
      headers: [
        ['content-type', 'application/json'],
        ['x-served-by', isOld ? 'ecs' : 'eks'],
      ],
      body: { kind: 'json', keys: ['status'] },
      isRight: true,
      isLate: false,
      isBlocked: false,
    },
    ...over,
  };
}

export function goodProbes(): readonly Probe[] {
  return Array.from({ length: 51 }, () => [probe({ side: 'old' }), probe({ side: 'new' })]).flat();
}

export interface Look {
  readonly atS: number;
  /** TTL by server; null: it does not answer; left out: there is no such server. */
  readonly ttls: Readonly<Record<string, number | null>>;
}

/** What earlier looks saw of the A record, in seconds relative to now. */
export function memoryOf(looks: readonly Look[]): Memory {
  return looks.reduce(
    (memory, { atS, ttls }) =>
      remember(memory, {
        hostname,
        atMs: nowMs + atS * 1000,
        servers: Object.entries(ttls).map(([name, ttlS]) => ({
          server: name,
          sets: ttlS === null ? null : [{ name: hostname, type: 'A', ttlS }],
        })),
      }),
    emptyMemory('checks'),
  );
}

/** Long low, after a TTL that nobody knew. */
export const agedOut: Memory = memoryOf([
  { atS: -9000, ttls: { 'ns-1': 3600, 'ns-2': 3600 } },
  { atS: -7000, ttls: { 'ns-1': 60, 'ns-2': 60 } },
  { atS: 0, ttls: { 'ns-1': 60, 'ns-2': 60 } },
]);

export function factsOf(over: Partial<Facts> = {}): Facts {
  return {
    nowMs,
    scenario: scenarioOf(),
    isRollback: false,
    names: [nameFacts()],
    sideNames: [],
    addresses: { old: [oldAddress], new: [newAddress] },
    probes: goodProbes(),
    memory: agedOut,
    ...over,
  };
}
