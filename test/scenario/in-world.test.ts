/** A scenario that was moved into a world: what stays, and that nothing leads out. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lanesOf } from '../../src/scenario/lanes.ts';
import type { Scenario } from '../../src/core/scenario.ts';
import { inWorld, type MovedScenario, type WorldPorts } from '../../src/scenario/in-world.ts';
import { settingOf } from '../../src/scenario/setting.ts';
import { defaultWorld } from '../../src/scenario/world.ts';
import { scenarioOf } from './fixtures.ts';

const labPorts: WorldPorts = {
  http: 18_080,
  https: 18_443,
  dns: (address) => 5300 + Number(address.split('.')[3]),
  caPem: 'CA of the world',
  certificateSha256: { old: 'aa', new: 'bb' },
};
const simPorts: WorldPorts = { dns: () => 53 };

function moved(scenario: Scenario, ports: WorldPorts = labPorts): MovedScenario {
  return inWorld(scenario, settingOf(scenario, defaultWorld(scenario)), ports);
}

describe('where things are', () => {
  test('AWS, Kubernetes and Route 53 stay outside', () => {
    const { scenario, notes } = moved(
      scenarioOf(`
sides:
  old: { addresses: [127.0.1.1], aws: { loadBalancer: shop-1 } }
  new: { addresses: [127.0.2.1], kubernetes: { context: prod } }
route53: true`),
    );
    expect(scenario).not.toHaveProperty('route53');
    expect(scenario.sides.old).not.toHaveProperty('aws');
    expect(scenario.sides.new).not.toHaveProperty('kubernetes');
    expect(notes).toEqual(
      expect.arrayContaining([expect.stringMatching(/^AWS/), expect.stringMatching(/^Kubernetes/)]),
    );
  });

  test('hostnames stay; ports are the world’s', () => {
    const { scenario } = moved(
      scenarioOf(`
services: [{ name: a, checks: [{ url: "https://a.example/x?y=1" }, { url: "http://a.example:8080/z" }] }]
references: [https://one.example/, http://two.example/ping]`),
    );
    const of = (checks: Scenario['references']): unknown =>
      checks.map(({ url, hostname, port, path }) => [url, hostname, port, path]);
    expect(of(scenario.services[0]?.checks ?? [])).toEqual([
      ['https://a.example:18443/x?y=1', 'a.example', 18_443, '/x?y=1'],
      ['http://a.example:18080/z', 'a.example', 18_080, '/z'],
    ]);
    expect(of(scenario.references)).toEqual([
      ['https://one.example:18443/', 'one.example', 18_443, '/'],
      ['http://two.example:18080/ping', 'two.example', 18_080, '/ping'],
    ]);
  });

  test('without ports of its own, a world has those of the scenario', () => {
    const scenario = scenarioOf(`
services: [{ name: a, url: "https://a.example:8443/x" }]
resolvers: [{ name: vpc, address: 10.0.0.2 }]`);
    expect(moved(scenario, simPorts).scenario.services).toEqual(scenario.services);
  });

  test('resolvers keep their names and are asked over UDP in the world', () => {
    const { scenario } = moved(
      scenarioOf(`resolvers:
  - { name: vpc, address: "10.0.0.2:5353" }
  - { name: doh, doh: https://dns.example/dns-query }
  - { name: dot, dot: 1.1.1.1, serverName: dns.example }`),
    );
    expect(scenario.resolvers).toEqual([
      { name: 'vpc', server: { kind: 'udp', address: '127.0.4.1', port: 5301 } },
      { name: 'doh', server: { kind: 'udp', address: '127.0.4.2', port: 5302 } },
      { name: 'dot', server: { kind: 'udp', address: '127.0.4.3', port: 5303 } },
    ]);
  });

  test('system is one resolver, wherever it is named', () => {
    const { scenario, notes } = moved(scenarioOf(''));
    expect(scenario.resolvers.map(({ name }) => name)).toEqual(['system']);
    expect(scenario.services.map(({ resolvers }) => resolvers)).toEqual([['system']]);
    expect(notes).toHaveLength(1);
  });

  test.for<[authorities: string, expected: unknown]>([
    [
      'auto',
      [
        { address: '127.0.3.1', port: 5301 },
        { address: '127.0.3.2', port: 5302 },
      ],
    ],
    [
      '["10.0.0.2:53"]',
      [
        { address: '127.0.3.1', port: 5301 },
        { address: '127.0.3.2', port: 5302 },
      ],
    ],
    ['none', 'none'],
  ])('authorities: %s', ([authorities, expected]) => {
    expect(moved(scenarioOf(`authorities: ${authorities}`)).scenario.authorities).toEqual(expected);
  });

  test('a side given by name keeps it, one given by addresses or networks has the world’s', () => {
    const { scenario } = moved(
      scenarioOf(
        'sides: { old: { addresses: ["dns:old.example", 10.0.0.0/8] }, new: { addresses: [192.0.2.7, 192.0.2.8, 192.0.2.9] } }',
      ),
    );
    expect(scenario.sides.old.addresses).toEqual([
      { kind: 'name', name: 'old.example' },
      { kind: 'network', cidr: '127.0.1.1/32' },
      { kind: 'network', cidr: '127.0.1.2/32' },
    ]);
    expect(scenario.sides.new.addresses).toEqual([
      { kind: 'address', address: '127.0.2.1' },
      { kind: 'address', address: '127.0.2.2' },
    ]);
  });

  test('an address in a URL would lead out: the address of its side stands for it', () => {
    const { scenario, notes } = moved(
      scenarioOf(`
services: [{ name: a, url: "https://192.0.2.7/x" }, { name: b, url: "http://10.1.2.3:8080/y" }, { name: c, url: "http://[2001:db8::1]/" }]
sides: { old: { addresses: [10.0.0.0/8] }, new: { addresses: [192.0.2.0/24] } }
references: [https://198.51.100.7/]`),
    );
    expect(scenario.services.map(({ checks }) => checks[0]?.url)).toEqual([
      'https://127.0.2.1:18443/x',
      'http://127.0.1.1:18080/y',
      'http://127.0.1.1:18080/',
    ]);
    expect(scenario.references[0]).toMatchObject({ url: 'https://127.0.5.1:18443/', hostname: '127.0.5.1' });
    expect(notes).toContain('a: 192.0.2.7 is an address; 127.0.2.1 stands for it');
  });

  test('a client that is pinned to an address is pinned to one of the world', () => {
    const { scenario } = moved(
      scenarioOf(`
sides: { old: { addresses: [10.0.0.0/8] }, new: { addresses: [192.0.2.0/24] } }
clients: { fresh: 1, a: { weight: 1, resolve: { kind: pinned, address: 192.0.2.9 } }, b: { weight: 1, resolve: { kind: pinned, address: 10.1.1.1 } } }`),
    );
    expect(scenario.clients.map(({ archetype }) => archetype.resolve)).toEqual([
      { kind: 'per-connection' },
      { kind: 'pinned', address: '127.0.2.1' },
      { kind: 'pinned', address: '127.0.1.1' },
    ]);
  });
});

describe('certificates', () => {
  const own = scenarioOf(`
services: [{ name: a, url: https://a.example/, tls: { ca: certificate.pem, certificate: certificate.pem, key: key.pem } }]
sides: { old: { certificateSha256: ["${'0'.repeat(64)}"] }, new: { certificateSha256: ["${'1'.repeat(64)}"], marker: { x-side: new } } }
references: [https://one.example/]`);

  test('those of the world are trusted, also at references, and none of ours is shown', () => {
    const { scenario } = moved(own);
    const tls = { caPem: 'CA of the world', certificatePem: null, keyPem: null };
    expect(scenario.services[0]?.tls).toEqual(tls);
    const lanes = lanesOf(scenario, { old: ['127.0.1.1'], new: [] });
    expect(lanes.map((lane) => lane.tls)).toEqual(lanes.map(() => tls));
    expect(new Set(lanes.map(({ role }) => role))).toEqual(new Set(['client', 'side', 'reference']));
  });

  test('a side that is told by its certificate is told by the world’s', () => {
    const { scenario } = moved(own);
    expect(scenario.sides.old).toMatchObject({ certificateSha256: ['aa'], addresses: [] });
    expect(scenario.sides.new).toMatchObject({ certificateSha256: ['bb'], addresses: [] });
  });

  test('where a world has none, a side that nothing else tells is told by its addresses', () => {
    const { scenario, notes } = moved(own, simPorts);
    expect(scenario.sides.old.certificateSha256).toEqual([]);
    expect(scenario.sides.old.addresses).toEqual([
      { kind: 'network', cidr: '127.0.1.1/32' },
      { kind: 'network', cidr: '127.0.1.2/32' },
    ]);
    expect(scenario.sides.new).toMatchObject({ certificateSha256: [], addresses: [] });
    expect(notes).toContain('the old side is told by its addresses here: its certificates do not exist in this world');
  });

  test('a side that has no certificate in the scenario gets none', () => {
    expect(moved(scenarioOf('')).scenario.sides.old.certificateSha256).toEqual([]);
  });
});

describe('what is sent', () => {
  const { scenario, notes } = moved(
    scenarioOf(
      `
services:
  - name: a
    url: https://a.example/
    request:
      method: POST
      writes: true
      headers: { Authorization: "Bearer \${TOKEN}", X-Api-Key: "\${KEY}", Accept: text/html, User-Agent: probe/1 }
      cookies: { session: hunter2 }
      body: hunter2
      token: { command: [vault, read, hunter2], everyS: 300 }`,
      { KEY: 'hunter2' },
    ),
  );

  test('no credential goes into a rehearsal, and no command is run for one', () => {
    expect(scenario.services[0]?.checks[0]?.request).toEqual({
      method: 'POST',
      headers: [
        ['Authorization', 'rehearsal'],
        ['X-Api-Key', 'rehearsal'],
        ['Accept', 'text/html'],
        ['User-Agent', 'probe/1'],
        ['cookie', 'rehearsal'],
      ],
      body: 'rehearsal',
      token: null,
    });
  });

  test('notes say so, without the credential', () => {
    expect(notes).toEqual(
      expect.arrayContaining([
        'a: Authorization, X-Api-Key, cookie sent with a text of no meaning',
        'a: the body is a text of no meaning',
        'a: the token command is not run',
      ]),
    );
    expect(notes.join()).not.toContain('hunter2');
  });
});

describe('what is expected', () => {
  const expectOf = (checks: string): readonly [Scenario['services'][number]['checks'], readonly string[]] => {
    const { scenario, notes } = moved(
      scenarioOf(`resolvers: [{ name: r, address: 10.0.0.2 }]\nservices: [{ name: a, checks: [${checks}] }]`),
    );
    return [scenario.services[0]?.checks ?? [], notes];
  };

  test('what a world can give stays', () => {
    const expected = '{ statusIn: [200, 204], bodyIncludes: pong, header: { x-version: "7" } }';
    const [checks, notes] = expectOf(`{ url: "https://a.example/", expect: ${expected} }`);
    expect(checks[0]?.expect).toEqual({
      statusIn: [200, 204],
      bodyIncludes: 'pong',
      bodyMatches: null,
      headers: [['x-version', '7']],
    });
    expect(notes).toEqual([]);
  });

  test.for<[expected: string, kept: object, note: string]>([
    [
      '{ bodyMatches: "^[0-9]+$" }',
      { bodyMatches: null },
      'a: bodyMatches is not looked at, as a world cannot make up such a text',
    ],
    [
      '{ status: 204, bodyIncludes: pong }',
      { bodyIncludes: null },
      'a: bodyIncludes is not looked at, as an answer of 204 has no body',
    ],
    [
      '{ header: { content-length: "3", x-a: "1" } }',
      { headers: [['x-a', '1']] },
      'a: content-length of the answer is not looked at',
    ],
  ])('of %s what it cannot give is dropped, and a note says so', ([expected, kept, note]) => {
    const [checks, notes] = expectOf(`{ url: "https://a.example/", expect: ${expected} }`);
    expect(checks[0]?.expect).toMatchObject(kept);
    expect(notes).toEqual([note]);
  });

  test('two checks of one path that expect different answers cannot both be right: the first is', () => {
    const [checks, notes] = expectOf(`
      { url: "https://a.example/", expect: { status: 200, header: { x-a: "1" } } },
      { url: "https://a.example/", expect: { status: 201, header: { x-a: "2", x-b: "3" } } }`);
    expect(checks.map(({ expect: one }) => [one.statusIn, one.headers])).toEqual([
      [[200], [['x-a', '1']]],
      [[200], [['x-b', '3']]],
    ]);
    expect(notes).toEqual([
      'a/2: expects 200, as another check of this path does; a world has one answer for each path',
      'a/2: x-a of the answer is not looked at',
    ]);
  });

  test('a marker stays expected: it is the sides’ business who sends it', () => {
    const { scenario } = moved(
      scenarioOf(`
services: [{ name: a, url: https://a.example/, expect: { header: { x-side: new } } }]
sides: { old: { marker: { x-side: old } }, new: { marker: { x-side: new } } }`),
    );
    expect(scenario.services[0]?.checks[0]?.expect.headers).toEqual([['x-side', 'new']]);
  });
});

// ── whatever the scenario ────────────────────────────────────────────────────────────────────────────────────────────

const host = fc.constantFrom('a.example', 'b.example', '10.1.2.3', '192.0.2.7', '[2001:db8::7]', '203.0.113.9');
const url = fc
  .tuple(fc.constantFrom('http', 'https'), host, fc.constantFrom('', ':8443'), fc.constantFrom('/', '/x?y=1'))
  .map(([scheme, name, port, path]) => `${scheme}://${name}${port}${path}`);
const expectation = fc.constantFrom(
  '',
  ', expect: { status: 204 }',
  ', expect: { statusIn: [200, 201], bodyIncludes: pong }',
  ', expect: { header: { date: x, x-a: "1" } }',
);
const address = fc.constantFrom('dns:old.example', '10.0.0.0/8', '10.9.9.9', '2001:db8::/32');
const resolver = fc.constantFrom('address: 10.0.0.2', 'doh: https://dns.example/q', 'dot: 10.0.0.4');

const anyScenario = fc
  .record({
    checks: fc.array(fc.tuple(url, expectation), { minLength: 1, maxLength: 4 }),
    addresses: fc
      .uniqueArray(address, { minLength: 1, maxLength: 2 })
      .filter((some) => !(some.includes('10.0.0.0/8') && some.includes('10.9.9.9'))),
    resolvers: fc.array(resolver, { maxLength: 3 }),
    pinned: fc.boolean(),
  })
  .map(({ checks, addresses, resolvers, pinned }) =>
    scenarioOf(`
services: [{ name: s, checks: [${checks.map(([text, expected]) => `{ url: "${text}"${expected} }`).join(', ')}] }]
sides: { old: { addresses: ${JSON.stringify(addresses)} }, new: { addresses: [192.0.2.0/24, "dns:new.example"] } }
resolvers: [${['{ name: system }', ...resolvers.map((text, i) => `{ name: r${i}, ${text} }`)].join(', ')}]
references: [https://ref.example/, http://198.51.100.9/]
clients: { fresh: 1${pinned ? ', mine: { weight: 2, resolve: { kind: pinned, address: 10.7.7.7 } }' : ''} }`),
  );

test('whatever the scenario, no address in it leads out of the world', () => {
  fc.assert(
    fc.property(anyScenario, (scenario) => {
      // A name is only a name: nobody connects to it.
      const text = JSON.stringify(moved(scenario).scenario, (key, value: unknown) => (key === 'name' ? '' : value));
      const addresses = text.match(/\b\d{1,3}(\.\d{1,3}){3}\b/g) ?? [];
      for (const found of addresses) expect(found).toMatch(/^127\./);
      expect(text).not.toMatch(/2001:db8/);
      expect(text).not.toMatch(/"kind":"(https|tls|system|getaddrinfo)"/);
    }),
  );
});

test('whatever the scenario, its lanes are the same but for getaddrinfo, and are judged as before', () => {
  fc.assert(
    fc.property(anyScenario, (scenario) => {
      const lanesIn = (one: Scenario): unknown =>
        lanesOf(one, { old: [], new: [] })
          .filter(({ resolver: asked, role }) => asked?.name !== 'system:getaddrinfo' && role !== 'side')
          .map(({ role, service, client, check, judged, resolver: asked }) => [
            role,
            service,
            client,
            check.name,
            judged,
            asked?.name,
          ]);
      expect(lanesIn(moved(scenario).scenario)).toEqual(lanesIn(scenario));
    }),
  );
});

test('a scenario in the world is of this world: its setting is the same, and moving it again changes nothing', () => {
  fc.assert(
    fc.property(anyScenario, (scenario) => {
      const world = defaultWorld(scenario);
      const setting = settingOf(scenario, world);
      const once = inWorld(scenario, setting, labPorts).scenario;
      const again = settingOf(once, world);
      expect(again.sites.map(({ hostname }) => hostname)).toEqual(setting.sites.map(({ hostname }) => hostname));
      expect({ ...again.places, references: {} }).toEqual({ ...setting.places, references: {} });
      expect(inWorld(once, again, labPorts).scenario).toEqual(once);
    }),
  );
});
