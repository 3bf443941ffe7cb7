import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { parseObjectives, parseScenario } from '../../src/scenario/parse.ts';
import { contextOf, parsed, presets, problemsIn, scenarioOf } from './fixtures.ts';

const ready = 'url: https://orders.example/ready';
const tokenHere = '${TOKEN}';

describe('defaults', () => {
  test('a name, a service and two sides are enough', () => {
    const scenario = scenarioOf('');
    expect(scenario).toEqual({
      name: 'shop',
      services: [
        {
          name: 'orders',
          checks: [
            {
              name: 'orders',
              url: 'https://orders.example/ready',
              scheme: 'https',
              hostname: 'orders.example',
              port: 443,
              path: '/ready',
              request: { method: 'GET', headers: [], body: null, token: null },
              expect: { statusIn: [200], bodyIncludes: null, bodyMatches: null, headers: [] },
              goodWithinMs: 2000,
              timeouts: { connectMs: 5000, tlsMs: 5000, firstByteMs: 12_000, totalMs: 12_000 },
              ratePerSecond: 2,
            },
          ],
          resolvers: ['system', 'system:getaddrinfo'],
          tls: { caPem: null, certificatePem: null, keyPem: null },
          objectives: scenario.objectives,
        },
      ],
      sides: {
        old: {
          side: 'old',
          title: 'old',
          addresses: [{ kind: 'name', name: 'old.example' }],
          marker: [],
          certificateSha256: [],
        },
        new: {
          side: 'new',
          title: 'new',
          addresses: [{ kind: 'name', name: 'new.example' }],
          marker: [],
          certificateSha256: [],
        },
      },
      resolvers: [
        { name: 'system', server: { kind: 'system' } },
        { name: 'system:getaddrinfo', server: { kind: 'getaddrinfo' } },
      ],
      authorities: 'auto',
      clients: ['fresh', 'keep-alive', 'jvm-30', 'chrome'].map((name) => ({
        name,
        weightRatio: 0.25,
        archetype: presets[name],
      })),
      weightsGiven: false,
      change: {
        via: 'dns',
        direction: 'old-to-new',
        ttlBeforeS: null,
        ttlS: null,
        ttlLoweredAt: null,
        baselineS: 60,
        waitS: 3600,
        convergenceTimeoutS: 900,
        tailS: 600,
      },
      references: [],
      objectives: {
        outageMsMax: 2000,
        downtimeMsMax: 5000,
        failedRatioMax: 0.001,
        worstMinuteFailedRatioMax: 0.05,
        burst5xxCountMax: 0,
        staleTargetCountMax: 0,
        convergenceSMax: null,
        flipBackCountMax: 0,
        latencyP99RatioMax: 1.5,
      },
    });
  });

  test('a short total shortens the steps that nobody set, and patience', () => {
    const [check] = scenarioOf('defaults: { timeouts: { totalMs: 1300 } }').services[0]?.checks ?? [];
    expect(check?.timeouts).toEqual({ connectMs: 1300, tlsMs: 1300, firstByteMs: 1300, totalMs: 1300 });
    expect(check?.goodWithinMs).toBe(1300);
  });

  test('the innermost of defaults, service and check wins, header by header', () => {
    const scenario = scenarioOf(`
defaults:
  ratePerSecond: 3
  request: { headers: { Accept: text/html, x-team: shop } }
  expect: { statusIn: [200, 204], header: { X-Kind: page } }
services:
  - name: orders
    ratePerSecond: 5
    request: { headers: { accept: application/json } }
    checks:
      - { ${ready} }
      - { name: ping, ${ready}, ratePerSecond: 7, expect: { status: 301 }, request: { headers: { X-Team: other } } }`);
    const [first, second] = scenario.services[0]?.checks ?? [];
    expect([first?.name, first?.ratePerSecond, first?.expect.statusIn]).toEqual(['orders/1', 5, [200, 204]]);
    expect(first?.request.headers).toEqual([
      ['accept', 'application/json'],
      ['x-team', 'shop'],
    ]);
    expect([second?.name, second?.ratePerSecond, second?.expect.statusIn]).toEqual(['orders/ping', 7, [301]]);
    expect(second?.request.headers).toEqual([
      ['accept', 'application/json'],
      ['X-Team', 'other'],
    ]);
    expect(second?.expect.headers).toEqual([['x-kind', 'page']]);
  });

  test('a check that names its method does not inherit the body of another', () => {
    const scenario = scenarioOf(`
defaults: { request: { method: POST, body: '{}', writes: true } }
services: [{ name: orders, checks: [{ ${ready} }, { ${ready}, request: { method: GET } }] }]`);
    const checks = scenario.services[0]?.checks ?? [];
    expect(checks.map(({ request }) => [request.method, request.body])).toEqual([
      ['POST', '{}'],
      ['GET', null],
    ]);
  });

  test('references get a bare GET: what defaults send is for the services alone', () => {
    const scenario = scenarioOf(`
defaults: { ratePerSecond: 3, request: { headers: { authorization: Bearer x } }, expect: { status: 204 } }
references: [https://status.example/ping, https://other.example/, https://other.example/two]`);
    expect(scenario.references.map(({ name }) => name)).toEqual(['status.example', 'other.example', 'other.example/2']);
    for (const { request, expect: wanted, ratePerSecond } of scenario.references) {
      expect(request.headers).toEqual([]);
      expect(wanted.statusIn).toContain(301);
      expect(ratePerSecond).toBe(3);
    }
  });

  test("a service's objectives stand over the scenario's, which stand over the defaults", () => {
    const scenario = scenarioOf(`
objectives: { downtimeMsMax: 700, convergenceSMax: 130 }
services:
  - { name: a, ${ready}, objectives: { downtimeMsMax: 0 } }
  - { name: b, ${ready}, objectives: { convergenceSMax: auto } }`);
    const [a, b] = scenario.services.map(({ objectives }) => objectives);
    expect([a?.downtimeMsMax, a?.outageMsMax, a?.convergenceSMax]).toEqual([0, 2000, 130]);
    expect([b?.downtimeMsMax, b?.convergenceSMax]).toEqual([700, null]);
  });
});

describe('services', () => {
  test('a plain request to a WebSocket is well answered as its server does, unless something else is said', () => {
    const statusIn = (lines: string): readonly number[] | undefined =>
      scenarioOf(lines).services[0]?.checks[0]?.expect.statusIn;
    const url = 'wss://a.example/live';
    expect(statusIn(`services: [{ name: a, url: ${url} }]`)).toEqual([400, 426]);
    expect(statusIn(`services: [{ name: a, url: ${url}, expect: { status: 404 } }]`)).toEqual([404]);
    expect(statusIn(`defaults: { expect: { status: 200 } }\nservices: [{ name: a, url: ${url} }]`)).toEqual([200]);
  });

  test.for([
    ['http://orders.example', 'http', 'orders.example', 80, '/'],
    ['https://Orders.Example:8443/a?b=c', 'https', 'orders.example', 8443, '/a?b=c'],
    ['http://[FD00::1]:8080/x', 'http', 'fd00::1', 8080, '/x'],
    ['http://127.0.1.7:18080/ready', 'http', '127.0.1.7', 18_080, '/ready'],
    ['https://bücher.example/', 'https', 'xn--bcher-kva.example', 443, '/'],
  ] as const)('%s is taken apart', ([url, scheme, hostname, port, path]) => {
    const [check] = scenarioOf(`services: [{ name: orders, url: "${url}" }]`).services[0]?.checks ?? [];
    expect([check?.scheme, check?.hostname, check?.port, check?.path]).toEqual([scheme, hostname, port, path]);
  });

  test('cookies of all levels become one header', () => {
    const scenario = scenarioOf(`
defaults: { request: { cookies: { a: one, b: two } } }
services: [{ name: orders, ${ready}, request: { cookies: { b: three } } }]`);
    expect(scenario.services[0]?.checks[0]?.request.headers).toEqual([['cookie', 'a=one; b=three']]);
  });

  test('what a preflight sends besides is said in defaults and by a service, key by key', () => {
    const [a, b] = scenarioOf(`
defaults: { preflight: { slowPath: /slow, uploadPath: /up, writes: true, echoPath: /echo } }
services:
  - { name: a, ${ready} }
  - { name: b, ${ready}, preflight: { slowPath: /b, slowWithinS: 7, uploadBytes: 9, uploadMethod: PUT, headerBytes: 300 } }`).services;
    const upload = { path: '/up', method: 'POST', bytes: 1_500_000 };
    expect(a?.preflight).toEqual({
      slow: { path: '/slow', withinS: 90 },
      upload,
      headerBytes: null,
      echoPath: '/echo',
    });
    expect(b?.preflight).toEqual({
      slow: { path: '/b', withinS: 7 },
      upload: { ...upload, method: 'PUT', bytes: 9 },
      headerBytes: 300,
      echoPath: '/echo',
    });
    expect(scenarioOf(`services: [{ name: a, ${ready} }]`).services[0]).not.toHaveProperty('preflight');
  });

  test('certificates and keys are read where the scenario names them', () => {
    const scenario = scenarioOf(
      `services: [{ name: orders, ${ready}, tls: { ca: certificate.pem, certificate: certificate.pem, key: key.pem } }]`,
    );
    const { caPem, certificatePem, keyPem } = scenario.services[0]?.tls ?? {};
    expect([caPem, certificatePem]).toEqual([certificatePem, expect.stringContaining('BEGIN CERTIFICATE')]);
    expect(keyPem).toContain('BEGIN EC PRIVATE KEY');
  });
});

describe('sides, resolvers, clients, change', () => {
  test('addresses, names and fingerprints come out in the form in which they are seen', () => {
    const { old, new: now } = scenarioOf(`
sides:
  old: { addresses: ["dns:LB.example", 127.0.1.0/24, 10.1.2.3, "FD00:0:0::1"], marker: { X-Served-By: ECS } }
  new: { certificateSha256: ["${'AB:'.repeat(31)}CD"] }`).sides;
    expect(old.addresses).toEqual([
      { kind: 'name', name: 'lb.example' },
      { kind: 'network', cidr: '127.0.1.0/24' },
      { kind: 'address', address: '10.1.2.3' },
      { kind: 'address', address: 'fd00::1' },
    ]);
    expect(old.marker).toEqual([['x-served-by', 'ECS']]);
    expect(now.certificateSha256).toEqual([`${'ab'.repeat(31)}cd`]);
  });

  test('a resolver is UDP, DNS over HTTPS or over TLS; a service asks those that it names', () => {
    const scenario = scenarioOf(`
resolvers:
  - { name: vpc, address: "10.0.0.2:5353" }
  - { name: six, address: "fd00::2" }
  - { name: https, doh: https://dns.example/dns-query, ca: certificate.pem }
  - { name: tls, dot: "[fd00::3]", serverName: dns.example }
  - { name: system }
services: [{ name: a, ${ready} }, { name: b, ${ready}, resolvers: [system, vpc] }]`);
    const caPem = expect.stringContaining('BEGIN CERTIFICATE') as string;
    expect(scenario.resolvers).toEqual([
      { name: 'vpc', server: { kind: 'udp', address: '10.0.0.2', port: 5353 } },
      { name: 'six', server: { kind: 'udp', address: 'fd00::2', port: 53 } },
      { name: 'https', server: { kind: 'https', url: 'https://dns.example/dns-query', caPem } },
      { name: 'tls', server: { kind: 'tls', address: 'fd00::3', port: 853, serverName: 'dns.example' } },
      { name: 'system', server: { kind: 'system' } },
      { name: 'system:getaddrinfo', server: { kind: 'getaddrinfo' } },
    ]);
    expect(scenario.services.map(({ resolvers }) => resolvers)).toEqual([
      ['vpc', 'six', 'https', 'tls', 'system', 'system:getaddrinfo'],
      ['system', 'system:getaddrinfo', 'vpc'],
    ]);
  });

  test.for([
    ['auto', 'auto'],
    ['none', 'none'],
    [
      '["10.0.0.2", "[fd00::2]:5300"]',
      [
        { address: '10.0.0.2', port: 53 },
        { address: 'fd00::2', port: 5300 },
      ],
    ],
  ] as const)('authorities: %s', ([text, wanted]) => {
    expect(scenarioOf(`authorities: ${text}`).authorities).toEqual(wanted);
  });

  test('weights become shares of users', () => {
    const { clients, weightsGiven } = scenarioOf(
      'clients: { fresh: 1, jvm-30: 2, chrome: { weight: 4, judged: false } }',
    );
    expect(clients.map(({ name, weightRatio }) => [name, weightRatio])).toEqual([
      ['fresh', 1 / 7],
      ['jvm-30', 2 / 7],
      ['chrome', 4 / 7],
    ]);
    expect(weightsGiven).toBe(true);
    expect(clients.map(({ archetype }) => archetype.judged)).toEqual([true, true, false]);
  });

  test('an own client is described by its policies; one that never asks again is not judged by default', () => {
    const { clients, weightsGiven } = scenarioOf(`
clients:
  plain: { connect: keep-alive }
  honest: { resolve: ttl, families: [6], choose: round-robin, retriesOnce: true }
  partner: { resolve: { kind: pinned, address: "FD00::7" }, connect: { kind: keep-alive, idleS: 7 } }
  strict: { resolve: once, judged: true }
  feed: { connect: held }
  desk: { connect: { kind: held, maxAgeS: 3600 } }`);
    expect(weightsGiven).toBe(false);
    expect(
      clients.map(({ name, archetype: { resolve, connect, judged } }) => [name, resolve, connect, judged]),
    ).toEqual([
      ['plain', { kind: 'per-connection' }, { kind: 'keep-alive', idleS: 0, maxAgeS: 0, maxRequests: 0 }, true],
      ['honest', { kind: 'ttl', minS: 0, maxS: 604_800 }, { kind: 'new' }, true],
      [
        'partner',
        { kind: 'pinned', address: 'fd00::7' },
        { kind: 'keep-alive', idleS: 7, maxAgeS: 0, maxRequests: 0 },
        false,
      ],
      ['strict', { kind: 'once' }, { kind: 'new' }, true],
      ['feed', { kind: 'per-connection' }, { kind: 'held', maxAgeS: 0 }, true],
      ['desk', { kind: 'per-connection' }, { kind: 'held', maxAgeS: 3600 }, true],
    ]);
    expect(clients[1]?.archetype).toMatchObject({ families: [6], choose: 'round-robin', retriesOnce: true });
  });

  test('when the TTL was lowered is kept as UTC', () => {
    expect(scenarioOf('change: { ttlLoweredAt: 2026-11-20T12:30:00+02:00 }').change.ttlLoweredAt).toBe(
      '2026-11-20T10:30:00.000Z',
    );
  });

  test.for([
    { text: '', expected: undefined },
    { text: 'route53: false', expected: undefined },
    { text: 'route53: true', expected: { profile: null, region: null, zoneId: null, changeId: null } },
    {
      text: 'route53: { profile: prod, region: cn-north-1, zoneId: Z0123, changeId: /change/C0123456789ABC }',
      expected: { profile: 'prod', region: 'cn-north-1', zoneId: 'Z0123', changeId: 'C0123456789ABC' },
    },
    {
      text: 'route53: { zoneId: /hostedzone/Z0123 }',
      expected: { profile: null, region: null, zoneId: 'Z0123', changeId: null },
    },
  ])('Route 53 is asked where the scenario says so: "$text"', ({ text, expected }) => {
    expect(scenarioOf(text).route53).toEqual(expected);
  });

  test('a side says what of AWS is looked at; the least is nothing but the name of its load balancer', () => {
    const { sides } = scenarioOf(`
sides:
  old:
    addresses: [127.0.1.1]
    aws: { region: us-west-1, profile: prod, loadBalancer: shop-1, ecs: { cluster: shop, services: [orders] }, schedules: [nightly-*] }
  new: { addresses: ["dns:k8s-shop.elb.us-west-2.amazonaws.com"], aws: {} }`);
    expect(sides.old.aws).toEqual({
      region: 'us-west-1',
      profile: 'prod',
      loadBalancers: ['shop-1'],
      ecs: { cluster: 'shop', services: ['orders'] },
      schedules: ['nightly-*'],
    });
    expect(sides.new.aws).toEqual({ region: null, profile: null, loadBalancers: [], ecs: null, schedules: [] });
  });

  test('a side says what of Kubernetes is looked at; the least is the namespace default of the current context', () => {
    const { sides } = scenarioOf(`
sides:
  old: { addresses: [127.0.1.1], kubernetes: {} }
  new:
    addresses: [127.0.2.1]
    kubernetes: { kubeconfig: prod.yaml, context: prod, namespace: shop, services: [orders], cronJobs: [nightly.report] }`);
    expect(sides.old.kubernetes).toEqual({
      kubeconfig: null,
      context: null,
      namespace: 'default',
      services: [],
      cronJobs: [],
    });
    expect(sides.new.kubernetes).toEqual({
      kubeconfig: 'prod.yaml',
      context: 'prod',
      namespace: 'shop',
      services: ['orders'],
      cronJobs: ['nightly.report'],
    });
  });

  test('what is given and does nothing is accepted, and said', () => {
    const { warnings } = scenarioOf(`
sides:
  old: { addresses: [127.0.1.1] }
  new: { addresses: [127.0.2.1] }
references: [https://status.example/]
services: [{ name: orders, url: http://orders.example/, tls: { ca: certificate.pem } }]`);
    expect(warnings).toEqual([
      'there is one reference: when it fails alone, nobody can tell our network from its own; give two',
      'the tls of orders is not used: none of its URLs is https',
    ]);
  });
});

test('the tls of a service is used where its one URL is wss', () => {
  const { warnings } = scenarioOf(`
sides: { old: { addresses: [127.0.1.1] }, new: { addresses: [127.0.2.1] } }
clients: { mine: { weight: 1, connect: held } }
services: [{ name: live, url: wss://live.example/, tls: { ca: certificate.pem } }]`);
  expect(warnings ?? []).toEqual([]);
});

describe('environment', () => {
  test('a variable in a number field is a number, quoted or not; true is true', () => {
    const env = { RATE: '3.5', LIMIT: '0', WRITES: 'true', AUTO: '130' };
    const scenario = scenarioOf(
      `
defaults: { ratePerSecond: "\${RATE}", request: { writes: "\${WRITES}" } }
objectives:
  downtimeMsMax: \${LIMIT}
  outageMsMax: \${UNSET:-700}
  convergenceSMax: \${AUTO}`,
      env,
    );
    expect(scenario.services[0]?.checks[0]?.ratePerSecond).toBe(3.5);
    expect(scenario.objectives).toMatchObject({ downtimeMsMax: 0, outageMsMax: 700, convergenceSMax: 130 });
  });

  test('a number in quotes that no variable made stays a text, and wrong', () => {
    expect(() => scenarioOf('objectives: { downtimeMsMax: "0" }')).toThrow('expected a number ≥ 0, found "0"');
  });

  test('a variable cannot change the structure of the file', () => {
    const env = { TITLE: 'x\nnew: { title: evil }' };
    const scenario = scenarioOf(
      'sides: { old: { title: "${TITLE}", marker: { a: b } }, new: { marker: { a: c } } }',
      env,
    );
    expect(scenario.sides.old.title).toBe(env.TITLE);
    expect(scenario.sides.new.title).toBe('new');
  });

  test('${TOKEN} in a header is the place of the token where a token command is given, and a variable elsewhere', () => {
    const request = `{ headers: { authorization: "Bearer ${tokenHere}" }, token: { command: [get], everyS: 300 } }`;
    const waiting = scenarioOf(`defaults: { request: ${request} }`, { TOKEN: 'from-env' });
    expect(waiting.services[0]?.checks[0]?.request).toMatchObject({
      headers: [['authorization', `Bearer ${tokenHere}`]],
      token: { command: ['get'], everyS: 300 },
    });
    const plain = scenarioOf(`defaults: { request: { headers: { authorization: "Bearer ${tokenHere}" } } }`, {
      TOKEN: 'from-env',
    });
    expect(plain.services[0]?.checks[0]?.request.headers).toEqual([['authorization', 'Bearer from-env']]);
  });
});

describe('all problems at once', () => {
  test('one broken section does not hide what is wrong in another', () => {
    const problems = problemsIn(`name: shop
services:
  - { name: orders, url: nonsense, ratePerSecond: -1, resolvers: [nowhere] }
  - { name: billing, url: https://billing.example/, request: { method: PUT }, resolvers: [vpc, google] }
sides: { old: { marker: { a: b } }, new: { marker: { a: b }, titel: x } }
resolvers: [{ name: vpc, address: 10.0.0 }, { name: cloud, doh: https://dns.example/q }]
clients: [frehs]
change: { via: magic, ttlBeforeS: 60, ttlS: 600 }`);
    expect(problems.map((line) => line.replace(/^(\S+): (\S+): .*/, '$1 $2'))).toEqual([
      'shop.yaml:3:26 services[0].url',
      'shop.yaml:3:51 services[0].ratePerSecond',
      'shop.yaml:4:72 services[1].request.method',
      'shop.yaml:4:96 services[1].resolvers[1]',
      'shop.yaml:5:54 sides.new.marker.a',
      'shop.yaml:5:62 sides.new.titel',
      'shop.yaml:6:35 resolvers[0].address',
      'shop.yaml:7:11 clients[0]',
      'shop.yaml:8:16 change.via',
      'shop.yaml:8:35 change.ttlBeforeS',
    ]);
  });

  test('whatever the text, the answer is a scenario or a list of problems, each with its place', () => {
    const full = `name: shop
defaults: { ratePerSecond: 2, request: { headers: { a: "\${B:-c}" } }, expect: { status: 200 } }
services: [{ name: orders, url: https://orders.example/ready, resolvers: [vpc] }]
sides: { old: { addresses: ["dns:old.example"] }, new: { addresses: [10.0.0.0/8] } }
resolvers: [{ name: vpc, address: "10.0.0.2:53" }]
clients: { fresh: 40, mine: { weight: 2, resolve: { kind: ttl, maxS: 7 } } }
objectives: { convergenceSMax: auto }
`;
    const insertion = fc.constantFrom(
      '[',
      '{',
      '}',
      ': ',
      '\n',
      '- ',
      '&a ',
      '*a ',
      '${',
      '~',
      '"',
      '__proto__: 1, ',
      '0',
    );
    fc.assert(
      fc.property(
        fc.nat(full.length),
        fc.nat(12),
        fc.oneof(insertion, fc.string({ maxLength: 4 })),
        (at, cut, text) => {
          const broken = full.slice(0, at) + text + full.slice(at + cut);
          try {
            parseScenario(broken, contextOf());
          } catch (error) {
            expect(error).toBeInstanceOf(UserError);
            const { problems } = error as UserError;
            expect(problems.length).toBeGreaterThan(0);
            for (const { where } of problems) expect(where).toMatch(/^shop\.yaml:\d+:\d+$/);
          }
        },
      ),
      { numRuns: 700 },
    );
  });
});

test('objectives alone are read as the section is', () => {
  expect(parseObjectives('downtimeMsMax: 0\nconvergenceSMax: auto\n', { file: 'o.yaml', env: {} })).toEqual({
    downtimeMsMax: 0,
    convergenceSMax: null,
  });
  expect(parseObjectives('objectives:\n  downtimeMsMax: 0\n', { file: 'o.yaml', env: {} })).toEqual({
    downtimeMsMax: 0,
  });
  expect(() => parseObjectives('objectives: { downtimMsMax: 1s }\nname: shop\n', { file: 'o.yaml', env: {} })).toThrow(
    /o\.yaml:1:15: objectives\.downtimMsMax: unknown key; did you mean "downtimeMsMax"\?[^]*o\.yaml:2:1: name: unknown key/,
  );
  expect(() => parseObjectives('downtimMsMax: 1s\n', { file: 'o.yaml', env: {} })).toThrow(
    'o.yaml:1:1: downtimMsMax: unknown key; did you mean "downtimeMsMax"?',
  );
});

test('names from prototypes are no clients, headers or keys', () => {
  expect(() => parsed('__proto__: { name: x }')).toThrow(UserError);
  const { marker } = scenarioOf('sides: { old: { marker: { constructor: a } }, new: { marker: { b: c } } }').sides.old;
  expect(marker).toEqual([['constructor', 'a']]);
});
