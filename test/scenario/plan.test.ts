import { describe, expect, test } from 'vitest';
import { lanesOf } from '../../src/scenario/lanes.ts';
import { plan } from '../../src/scenario/plan.ts';
import { presetScenarioOf, scenarioOf } from './fixtures.ts';

describe('what a plan shows', () => {
  test('every lane, the rate and sum of requests per host, the polls and the length', async () => {
    const scenario = scenarioOf(`
name: shop
defaults: { ratePerSecond: 1.5 }
services:
  - { name: orders, url: "https://orders.example/ready?token=hunter2", resolvers: [vpc] }
  - { name: billing, checks: [{ url: http://127.0.1.7:18080/ }, { url: "https://[fd00::7]/x", expect: { bodyIncludes: pong } }] }
sides:
  old: { title: ALB/ECS, addresses: ["dns:old.example", 127.0.1.1, 127.0.9.0/24] }
  new: { title: nginx/EKS, addresses: ["dns:new.example", "dns:new-2.example"] }
resolvers: [{ name: vpc, address: 10.0.0.2 }, { name: system }]
authorities: ["127.0.0.5:5300"]
clients: { fresh: 1, jvm-forever: 2 }
references: [https://status.example/, https://other.example/]
change: { baselineS: 61, waitS: 0, convergenceTimeoutS: 3725.5, tailS: 0 }`);
    await expect(plan(scenario).text).toMatchFileSnapshot('goldens/plan.txt');
  });

  test('once the sides are looked up, their lanes stand there by address', () => {
    const scenario = scenarioOf('');
    const lanes = lanesOf(scenario, { old: ['127.0.1.1', '127.0.1.2'], new: ['127.0.2.1'] });
    const { text } = plan(scenario, { lanes });
    expect(text).toContain('Service orders, 16 probes/s');
    expect(text).toContain('orders side:old at 127.0.1.2');
    expect(text).not.toContain('looked up when the run starts');
  });

  test("what the parser warned of is in the plan's warnings", () => {
    const { warnings, text } = plan(scenarioOf('references: [https://status.example/ping]'));
    const about = 'there is one reference: when it fails alone';
    expect(warnings).toEqual([expect.stringContaining(about)]);
    expect(text).toContain(`Note\n  - ${about}`);
  });
});

describe('what a plan warns of', () => {
  const warningsOf = (lines: string): readonly string[] => plan(presetScenarioOf(lines)).warnings;
  const cold = /would hold answers and connections/;

  test.for([
    { clients: '[chrome]', change: '{ baselineS: 59 }', isCold: true },
    { clients: '[chrome]', change: '{ baselineS: 60 }', isCold: false },
    { clients: '[go-busy]', change: '{ baselineS: 60, ttlS: 61 }', isCold: true },
    { clients: '[go-busy]', change: '{ baselineS: 30, via: deploy }', isCold: false },
    // Neither remembers anything: one asks each time, the other never.
    { clients: '[fresh, authority]', change: '{ baselineS: 30 }', isCold: false },
  ])('$clients with $change: cold $isCold', ({ clients, change, isCold }) => {
    expect(warningsOf(`clients: ${clients}\nchange: ${change}`).some((text) => cold.test(text))).toBe(isCold);
  });

  test('that clients who hold a WebSocket would ask everybody for one, where no url is said to have it', () => {
    const said = 'services: [{ name: a, url: wss://a.example/live }]';
    const about = 'websocket would ask every check to upgrade to a WebSocket, since no url begins with ws: or wss:';
    const change = 'change: { baselineS: 60 }';
    expect(warningsOf(`clients: [fresh, websocket]\n${change}`)).toEqual([expect.stringContaining(about)]);
    expect(warningsOf(`clients: [fresh, websocket]\n${change}\n${said}`)).toEqual([]);
    const { text } = plan(presetScenarioOf(`clients: [fresh, websocket]\n${change}\n${said}`));
    expect(text).toMatch(/^ +a: GET https:\/\/a\.example\/live, good is 400 or 426 within/m);
    expect(text).toMatch(/^ +a websocket via system +2\/s +pings on one WebSocket: good is 101$/m);
    expect(warningsOf(`clients: [fresh]\n${change}\n${said}`)).toEqual([]);
  });

  test('clients of which there is no lane', () => {
    const networks = 'sides: { old: { addresses: [127.0.1.0/24] }, new: { addresses: [127.0.2.1] } }';
    expect(warningsOf(`clients: [fresh, pinned-ip, authority]\nauthorities: none\n${networks}`)).toEqual([
      'pinned-ip has no lane: the old side has no address or name',
      'authority has no lane: the scenario has no authorities',
    ]);
    expect(warningsOf('clients: [fresh, pinned-ip, authority]')).toEqual([]);
  });
});

test('for machines: the same sums, without secrets', () => {
  const scenario = presetScenarioOf(`
services: [{ name: orders, url: "https://orders.shop.example/ready?token=hunter2" }]
clients: [fresh, keep-alive]
change: { baselineS: 7, waitS: 0, convergenceTimeoutS: 11, tailS: 13 }
`);
  const { facts, problems, warnings } = plan(scenario);
  expect(facts).toMatchObject({ problems, warnings, durationS: { min: 20, max: 31 } });
  const [service] = facts.services;
  const rates = service?.lanes.map(({ ratePerSecond }) => ratePerSecond) ?? [];
  const toCome = (service?.lanesToCome.length ?? 0) * 2;
  const ratePerSecond = rates.reduce((sum, rate) => sum + rate, 0) + toCome;
  expect(service?.ratePerSecond).toBe(ratePerSecond);
  expect(facts.requests).toEqual([
    {
      host: 'orders.shop.example:443',
      ratePerSecond,
      isLeast: toCome > 0,
      countMin: ratePerSecond * 20,
      countMax: ratePerSecond * 31,
    },
  ]);
  expect(JSON.stringify(facts)).not.toContain('hunter2');
});

test('lanes of name servers that are found when the run starts are counted, and shown', () => {
  const { text } = plan(presetScenarioOf('clients: [fresh, authority]'));
  expect(text).toContain('orders authority via each name server');
});

describe('what a plan refuses', () => {
  const problemsOf = (lines: string, ratePerSecondMax?: number): readonly string[] =>
    plan(scenarioOf(lines), ratePerSecondMax === undefined ? {} : { ratePerSecondMax }).problems.map(
      ({ where, text }) => `${where}: ${text}`,
    );

  test.for([
    { ratePerSecond: 2, limitMs: 0, isRefused: false, warns: false },
    { ratePerSecond: 2, limitMs: 499, isRefused: true, warns: false },
    { ratePerSecond: 2, limitMs: 500, isRefused: false, warns: true },
    { ratePerSecond: 2, limitMs: 999, isRefused: false, warns: true },
    { ratePerSecond: 2, limitMs: 1000, isRefused: false, warns: false },
    { ratePerSecond: 3, limitMs: 333, isRefused: true, warns: false },
    { ratePerSecond: 3, limitMs: 334, isRefused: false, warns: true },
  ])('a limit of $limitMs ms at $ratePerSecond/s: refused $isRefused, warned of $warns', (row) => {
    const scenario = scenarioOf(
      `defaults: { ratePerSecond: ${row.ratePerSecond} }\nobjectives: { outageMsMax: ${row.limitMs} }`,
    );
    const { problems, warnings } = plan(scenario);
    expect(problems.length > 0).toBe(row.isRefused);
    expect(warnings.some((text) => text.includes('one failed probe'))).toBe(row.warns);
  });

  test('a limit that the rate cannot resolve, in words that say what to do', () => {
    expect(problemsOf('objectives: { downtimeMsMax: 300 }')).toEqual([
      'services.orders.objectives.downtimeMsMax: 300 ms cannot be resolved at 2 probes/s of orders, which sees no outage ' +
        'shorter than 500 ms for sure; probe at 6.7/s, or set the limit to 0 (none seen) or to 1000',
    ]);
  });

  test('more probes than the guard allows, counting the lanes that the sides will have', () => {
    const lines = 'defaults: { ratePerSecond: 3 }\nclients: [fresh, keep-alive]\nobjectives: { outageMsMax: 0 }';
    // 2 resolvers for fresh, 1 for keep-alive, and one lane at least for each side: 5 × 3.
    expect(problemsOf(lines, 15)).toEqual([]);
    expect(problemsOf(lines, 14.9)).toEqual([
      'services.orders: 3 lanes and at least 2 more, looked up when the run starts, send 15 probes/s, more than the guard of 14.9/s per service; ' +
        'lower ratePerSecond, name fewer clients or resolvers, or raise --max-rate',
    ]);
  });

  test('30/s for a service is the guard unless said otherwise', () => {
    expect(problemsOf('defaults: { ratePerSecond: 4 }')).toEqual([]);
    expect(problemsOf('defaults: { ratePerSecond: 5 }')).toHaveLength(1);
  });
});

describe('what a plan warns of', () => {
  const warningsOf = (lines: string): string => plan(scenarioOf(lines)).warnings.join('\n');

  test.for([
    { sides: 'old: { title: "ALB/ECS", addresses: [127.0.1.1] }', warns: true },
    { sides: 'old: { addresses: ["dns:shop-1.us-west-1.elb.amazonaws.com"] }', warns: true },
    { sides: 'old: { title: Albatross, addresses: [127.0.1.1] }', warns: false },
  ])('a total under 12 s with $sides: $warns', ({ sides, warns }) => {
    const lines = (totalMs: number): string =>
      `sides: { ${sides}, new: { addresses: [127.0.2.1] } }\ndefaults: { timeouts: { totalMs: ${totalMs} } }`;
    expect(warningsOf(lines(11_999)).includes('504')).toBe(warns);
    expect(warningsOf(lines(12_000))).not.toContain('504');
  });

  test('a baseline too short for any lane to be judged', () => {
    expect(warningsOf('change: { baselineS: 4.5 }')).toContain('has 9 probes a lane');
    expect(warningsOf('change: { baselineS: 5 }')).not.toContain('probes a lane');
  });

  test('clients of which none is judged, and sides that DNS answers cannot be mapped to', () => {
    const text = warningsOf('clients: [jvm-forever]\nsides: { old: { marker: { a: b } }, new: { marker: { a: c } } }');
    expect(text).toContain('none of the clients is judged');
    expect(text).toContain('no side has addresses');
  });
});
