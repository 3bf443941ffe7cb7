/**
 * Worlds in which something is wrong with authoritative servers, and worlds in which nothing is, in virtual time and over
 * some seeds: what is wrong is found, and nothing else is.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { simulateRun } from '../../src/cli/simulated-run.ts';
import { presets } from '../../src/clients/presets.ts';
import type { Analysis, Finding } from '../../src/core/analysis.ts';
import { inWorld } from '../../src/scenario/in-world.ts';
import { parseRehearsal } from '../../src/scenario/parse.ts';
import { settingOf } from '../../src/scenario/setting.ts';

const seeds = [3, 17, 29];

/** All kinds that findings about authorities have. */
const kinds = [
  'answers-drawn',
  'answers-went-back',
  'authorities-disagree',
  'authority-lags',
  'authority-lame',
  'authority-no-route',
  'authority-ttls-differ',
  'authority-unreachable',
  'https-hint-old-side',
  'ns-sets-differ',
  'record-gap',
];

interface WorldText {
  readonly via?: 'weights';
  readonly change?: string;
  readonly zone: string;
  readonly script: readonly string[];
}

async function analysisOf({ via, change = '', zone, script }: WorldText, seed: number): Promise<Analysis> {
  const text = [
    'name: authorities',
    'services: [{ name: orders, url: "http://orders.shop.example/ready" }]',
    'sides:',
    '  old: { addresses: ["dns:shop-1.elb.example"], marker: { x-served-by: ecs } }',
    '  new: { addresses: ["dns:k8s-shop.elb.example"], marker: { x-served-by: eks } }',
    'resolvers: [{ name: vpc, address: "10.0.0.2:53" }]',
    'clients: [fresh]',
    `change: { via: ${via ?? 'dns'}, ttlS: 7, baselineS: 11, convergenceTimeoutS: 60, tailS: 41${change} }`,
    'world:',
    `  zone: { ${zone} }`,
    '  script:',
    ...script.map((step) => `    - { ${step} }`),
    '',
  ].join('\n');
  const { scenario, world } = parseRehearsal(text, { file: 'test', env: {}, presets, readFile: () => '' });
  if (world === null) throw new Error('it has a world');
  const setting = settingOf(scenario, world);
  const moved = inWorld(scenario, setting, { dns: () => 53 });
  const folder = mkdtempSync(join(tmpdir(), 'cutwatch-authorities-'));
  try {
    return (await simulateRun({ scenario: moved.scenario, setting, world, seed, folder })).analysis;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function ofAuthorities({ findings }: Analysis): readonly Finding[] {
  return findings.filter(({ kind }) => kinds.includes(kind));
}

const switched = 'afterChangeS: 0, do: switch-dns, to: new';
const twoServers = 'nameServers: [{ name: ns-1 }, { name: ns-2 }]';

describe.for([
  { what: 'a record of addresses', zone: `ttlS: 7, ${twoServers}`, script: [switched] },
  { what: 'an alias of another name', zone: `record: cname, ttlS: 7, ${twoServers}`, script: [switched] },
  { what: 'an ALIAS of 60 s', zone: `record: alias, ${twoServers}`, script: [switched] },
  { what: 'failover records that stay', zone: `record: failover, ttlS: 7, ${twoServers}`, script: [switched] },
  {
    what: 'a TTL lowered on all servers at once',
    zone: `ttlS: 300, ${twoServers}`,
    script: ['atS: 3, do: lower-ttl, ttlS: 7', switched],
  },
])('with $what, switched at once,', (world) => {
  test.for(seeds)('nothing is found about authorities (seed %i)', async (seed) => {
    expect(ofAuthorities(await analysisOf(world, seed))).toEqual([]);
  });
});

interface Troubled extends WorldText {
  readonly what: string;
  readonly found: readonly string[];
  readonly says: RegExp;
}

const troubled: readonly Troubled[] = [
  {
    what: 'a name server that is 23 s late',
    zone: 'ttlS: 7, nameServers: [{ name: ns-1 }, { name: ns-2, lagS: 23 }]',
    script: [switched],
    found: ['authority-lags'],
    says: /^warn: .*127\.0\.3\.2.* changed between 2[123].* s and 2[345].* s after the first one/,
  },
  {
    what: 'a name server that is 23 s late, of an alias',
    zone: 'record: cname, ttlS: 7, nameServers: [{ name: ns-1, lagS: 23 }, { name: ns-2 }]',
    script: [switched],
    found: ['authority-lags'],
    says: /^warn: .*127\.0\.3\.1.* changed between 2[123].* s and 2[345].* s after the first one/,
  },
  {
    what: 'a name server that never follows',
    zone: 'ttlS: 7, nameServers: [{ name: ns-1 }, { name: ns-2, lagS: 3000 }]',
    script: [switched],
    found: ['authority-lags'],
    says: /127\.0\.3\.2.* still answers with the old side, others with the new side/,
  },
  {
    what: 'a name server that falls silent',
    zone: `ttlS: 7, ${twoServers}`,
    script: [switched, 'afterChangeS: 5, do: fail-name-server, nameServer: ns-2'],
    found: ['authority-unreachable'],
    says: /127\.0\.3\.2:\d+ did not answer for orders.shop.example .*the last time too/,
  },
  {
    what: 'weights, the same on all servers',
    via: 'weights',
    zone: `record: weighted, ttlS: 7, ${twoServers}`,
    script: ['afterChangeS: 0, do: shift-weights, newRatio: 0.4', 'afterChangeS: 35, do: shift-weights, newRatio: 1'],
    found: ['answers-drawn'],
    says: /^info: .*drawn anew for each query/,
  },
  {
    what: 'weights that one server does not draw by',
    via: 'weights',
    zone: 'record: weighted, ttlS: 7, nameServers: [{ name: ns-1 }, { name: ns-2, lagS: 3000 }]',
    script: ['afterChangeS: 0, do: shift-weights, newRatio: 0.6'],
    found: ['answers-drawn', 'authorities-disagree'],
    says: /^warn: .*do not draw the answers .* by the same weights/,
  },
  {
    what: 'failover records whose primary is unwell for a while',
    // Seen within 10 s, both ways.
    zone: `record: failover, ttlS: 7, healthCheck: { intervalS: 10, failureCount: 1 }, ${twoServers}`,
    script: [switched, 'afterChangeS: 9, do: remove-load-balancer, side: new, how: refused, forS: 13'],
    found: ['answers-went-back'],
    says: /went back to the old side after they had answered with the new side/,
  },
  {
    what: 'a record that is deleted, and created 9 s later',
    zone: `ttlS: 7, soaMinimumS: 31, ${twoServers}`,
    script: ['afterChangeS: 0, do: delete-and-create-record, to: new, gapS: 9'],
    found: ['record-gap'],
    says: /was gone for a while, at most (9|10|11).* s, .* for up to 31 s more/,
  },
  {
    what: 'a TTL that one server lowers 29 s late',
    zone: 'ttlS: 300, nameServers: [{ name: ns-1 }, { name: ns-2, lagS: 29 }]',
    script: ['atS: 3, do: lower-ttl, ttlS: 7', 'afterChangeS: 37, do: switch-dns, to: new'],
    change: ', ttlBeforeS: 300',
    found: ['authority-lags', 'authority-ttls-differ'],
    says: /the same TTL; a resolver keeps it as long as the one it asked says: up to 300 s/,
  },
];

describe.for(troubled)('with $what', (world) => {
  test.for(seeds)('that is found, and nothing else (seed %i)', async (seed) => {
    const findings = ofAuthorities(await analysisOf(world, seed));
    expect([...new Set(findings.map(({ kind }) => kind))].toSorted()).toEqual(world.found);
    expect(findings.map(({ severity, text }) => `${severity}: ${text}`).join('\n')).toMatch(
      new RegExp(world.says, 'm'),
    );
    for (const { service, evidence } of findings) {
      expect(service).toBe('orders');
      expect(evidence.length).toBeGreaterThan(0);
    }
  });
});

test('the last server to change decides when a change was seen, the first is said too', async () => {
  const zone =
    'record: cname, ttlS: 7, nameServers: [{ name: ns-1, lagS: 13 }, { name: ns-2 }, { name: ns-3, lagS: 5 }]';
  const { services, authorities } = await analysisOf({ zone, script: [switched] }, 5);
  const change = services[0]?.changes[0];
  const firsts = authorities.map(({ firstNewAtNs }) => firstNewAtNs ?? 0);
  expect(change?.authorityFirstAtNs).toBe(Math.min(...firsts));
  expect(change?.authorityLastAtNs).toBe(Math.max(...firsts));
  expect((Math.max(...firsts) - Math.min(...firsts)) / 1e9).toBeCloseTo(13, -0.5);
  expect(authorities.map(({ soaSerial }) => soaSerial)).toEqual([1, 1, 1]);
});
