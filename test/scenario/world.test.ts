/** What a file says of its world, with every default, and the world of a file that says nothing. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Step, World } from '../../src/core/world.ts';
import { parseScenario } from '../../src/scenario/parse.ts';
import { defaultWorld } from '../../src/scenario/world.ts';
import { resolverPresetNames, resolverPresets } from '../../src/scenario/world-defaults.ts';
import { contextOf, linesOf, problemsIn, rehearsalOf, scenarioOf } from './fixtures.ts';

function worldOf(lines: string): World {
  const { world } = rehearsalOf(lines);
  if (world === null) throw new Error('this file has a world');
  return world;
}

const vpc = 'resolvers: [{ name: vpc, address: 10.0.0.2 }, { name: isp, address: 10.0.0.3 }]';

describe('a file and its world', () => {
  test('a file without a world has none', () => {
    expect(rehearsalOf('').world).toBeNull();
  });

  test('an empty world is the default one', () => {
    const { scenario, world } = rehearsalOf('world: {}');
    expect(world).toEqual(defaultWorld(scenario));
  });

  test.for([
    '',
    vpc,
    'change: { via: weights, direction: new-to-old, ttlS: 7 }',
    'change: { via: deploy }',
    `change: { via: cdn }\n${vpc}`,
  ])('so it is with %j', (lines) => {
    const { scenario, world } = rehearsalOf(`${lines}\nworld: {}`);
    expect(world).toEqual(defaultWorld(scenario));
  });

  test('the scenario is the same with a world and without: nothing of it may reach a log', () => {
    const world = 'world: { seed: 7, zone: { ttlS: 17 }, expect: { verdict: fail } }';
    expect(scenarioOf(world)).toEqual(scenarioOf(''));
  });

  test('a run is told what is wrong with a world that it does not use', () => {
    expect(problemsIn(linesOf('world: { seeed: 7 }'))).toEqual([
      'shop.yaml:4:10: world.seeed: unknown key; did you mean "seed"?',
    ]);
    expect(() => parseScenario(linesOf('world: 3'), contextOf())).toThrow('world: expected a map');
  });

  test('a variable is a number where a number belongs', () => {
    const lines = linesOf('world: { seed: "${SEED}" }');
    expect(rehearsalOf(lines, { SEED: '23' }).world?.seed).toBe(23);
    expect(problemsIn(lines, { SEED: 'many' })).toEqual([
      'shop.yaml:4:16: world.seed: expected a whole number from 0 to 4294967295, found the value of "${SEED}"',
    ]);
  });
});

describe('the zone', () => {
  test.for<[lines: string, ttlS: number]>([
    ['world: {}', 60],
    ['world: { zone: { ttlS: 17 } }', 17],
    ['change: { ttlS: 7, ttlBeforeS: 3600 }\nworld: {}', 7],
    ['change: { ttlS: 7 }\nworld: { zone: { ttlS: 17 } }', 17],
    // Where the script lowers it, the world starts with the TTL before.
    [
      'change: { ttlS: 7, ttlBeforeS: 3600 }\nworld: { script: [{ atS: 3, do: lower-ttl, ttlS: 7 }, { afterChangeS: 0, do: switch-dns }] }',
      3600,
    ],
    ['change: { ttlS: 7 }\nworld: { zone: { record: alias } }', 60],
  ])('%j starts with a TTL of %i', ([lines, ttlS]) => {
    expect(worldOf(lines).zone.ttlS).toBe(ttlS);
  });

  test.for<[lines: string, record: string, startsAt: string]>([
    ['world: {}', 'address', 'old'],
    ['change: { direction: new-to-old }\nworld: {}', 'address', 'new'],
    ['change: { via: weights }\nworld: {}', 'weighted', 'old'],
    ['change: { via: weights }\nworld: { zone: { record: cname, startsAt: new } }', 'cname', 'new'],
  ])('%j has a record of kind %s that points at the %s side first', ([lines, record, startsAt]) => {
    expect(worldOf(lines).zone).toMatchObject({ record, startsAt });
  });

  test('name servers serve a change at once where no lag is given', () => {
    expect(worldOf('world: { zone: { nameServers: [{ name: a }, { name: b, lagS: 25 }] } }').zone.nameServers).toEqual([
      { name: 'a', lagS: 0 },
      { name: 'b', lagS: 25 },
    ]);
  });

  test.for([
    { lines: 'world: {}', intervalS: 30, failureCount: 3 },
    { lines: 'world: { zone: { record: failover, healthCheck: { intervalS: 10 } } }', intervalS: 10, failureCount: 3 },
    {
      lines: 'world: { zone: { record: failover, healthCheck: { failureCount: 7 } } }',
      intervalS: 30,
      failureCount: 7,
    },
  ])('$lines checks sides every $intervalS s, $failureCount times', ({ lines, ...healthCheck }) => {
    expect(worldOf(lines).zone.healthCheck).toEqual(healthCheck);
  });
});

describe('resolvers', () => {
  test('every resolver of the scenario behaves in some way, honestly where nothing is said', () => {
    expect(worldOf(`${vpc}\nworld: { resolvers: { isp: bind9 } }`).resolvers).toEqual({
      vpc: resolverPresets.honest,
      isp: resolverPresets.bind9,
    });
  });

  test('system is one resolver, however this machine is asked', () => {
    expect(Object.keys(worldOf('world: {}').resolvers)).toEqual(['system']);
  });

  test.for(resolverPresetNames)('%s is itself, and one that is like it', (name) => {
    expect(resolverPresets[name].minTtlS).toBeLessThan(resolverPresets[name].maxTtlS);
    const { resolvers } = worldOf(`${vpc}\nworld: { resolvers: { vpc: ${name}, isp: { like: ${name} } } }`);
    expect(resolvers).toEqual({ vpc: resolverPresets[name], isp: resolverPresets[name] });
  });

  test('what is said goes over what it is like', () => {
    const said = '{ like: unbound, caches: 3, minTtlS: 17, serveStale: { staleSMax: 7 } }';
    expect(worldOf(`${vpc}\nworld: { resolvers: { vpc: ${said} } }`).resolvers['vpc']).toEqual({
      ...resolverPresets.unbound,
      cacheCount: 3,
      minTtlS: 17,
      serveStale: { when: 'unreachable', replyTtlS: 30, staleSMax: 7, saysSo: false },
    });
  });

  test.for<[text: string, stale: unknown]>([
    ['{ like: vpc, serveStale: never }', null],
    ['{ serveStale: always }', { when: 'always', replyTtlS: 30, staleSMax: 86_400, saysSo: false }],
    [
      '{ like: dnsmasq-stale, serveStale: unreachable }',
      { when: 'unreachable', replyTtlS: 0, staleSMax: 86_400, saysSo: true },
    ],
  ])('%s serves stale answers as %j', ([text, stale]) => {
    expect(worldOf(`${vpc}\nworld: { resolvers: { vpc: ${text} } }`).resolvers['vpc']?.serveStale).toEqual(stale);
  });
});

describe('platforms', () => {
  test('the old side is an ALB, the new one ingress-nginx, where nothing else is said', () => {
    const { sides } = worldOf(
      'world: { old: { addresses: 3, replica: { startS: 7 } }, new: { kind: alb, replicas: 5 } }',
    );
    expect(sides.old).toMatchObject({
      kind: 'alb',
      addressCount: 3,
      replicaCount: 3,
      replica: { startS: 7, exitS: 1 },
    });
    expect(sides.new).toMatchObject({ kind: 'alb', addressCount: 2, replicaCount: 5 });
    expect(worldOf('world: {}').sides.new.kind).toBe('ingress-nginx');
  });

  test.for<[text: string, check: readonly number[]]>([
    ['aws', [30, 5, 5, 2]],
    ['controller', [15, 5, 2, 2]],
    ['{ intervalS: 7, timeoutS: 2 }', [7, 2, 5, 2]],
  ])('a health check of %s is %j', ([text, [intervalS, timeoutS, healthyCount, unhealthyCount]]) => {
    const { old } = worldOf(`world: { old: { healthCheck: ${text} } }`).sides;
    expect(old).toMatchObject({ healthCheck: { intervalS, timeoutS, healthyCount, unhealthyCount } });
  });
});

describe('the script', () => {
  const does = (lines: string): readonly unknown[] => worldOf(lines).script.map((step) => step.does);

  test.for<[change: string, action: unknown]>([
    ['{}', { kind: 'switch-dns', to: 'new', services: null }],
    ['{ direction: new-to-old }', { kind: 'switch-dns', to: 'old', services: null }],
    ['{ via: cdn }', { kind: 'switch-dns', to: 'new', services: null }],
    ['{ via: weights }', { kind: 'shift-weights', newRatio: 1 }],
    ['{ via: weights, direction: new-to-old }', { kind: 'shift-weights', newRatio: 0 }],
    ['{ via: weights }\nworld: { zone: { record: cname } }', { kind: 'switch-dns', to: 'new', services: null }],
    ['{ via: deploy }', { kind: 'deploy', side: 'old', services: null, deregisters: 'in-time', lateS: 0 }],
  ])('where there is none, a change of %s is one step', ([change, action]) => {
    const { script } = worldOf(`change: ${change}${change.includes('world:') ? '' : '\nworld: {}'}`);
    expect(script).toEqual([{ at: { from: 'change', s: 0 }, does: action }]);
  });

  test('a step counts from the start or from the change, and stands where the file has it', () => {
    const steps = [
      '{ afterChangeS: 3.5, do: suspend-schedules, side: new }',
      '{ atS: 17, do: resume-schedules, side: old }',
      '{ afterChangeS: 0, do: switch-dns, to: old, services: [orders] }',
    ];
    expect(worldOf(`world: { script: [${steps.join(', ')}] }`).script).toEqual<readonly Step[]>([
      { at: { from: 'change', s: 3.5 }, does: { kind: 'suspend-schedules', side: 'new' } },
      { at: { from: 'start', s: 17 }, does: { kind: 'resume-schedules', side: 'old' } },
      { at: { from: 'change', s: 0 }, does: { kind: 'switch-dns', to: 'old', services: ['orders'] } },
    ]);
  });

  test.for<[step: string, action: object]>([
    ['do: lower-ttl, ttlS: 5', { kind: 'lower-ttl', ttlS: 5 }],
    ['do: switch-dns', { kind: 'switch-dns', to: 'new', services: null }],
    ['do: shift-weights, newRatio: 0.3', { kind: 'shift-weights', newRatio: 0.3 }],
    ['do: delete-and-create-record, gapS: 3', { kind: 'delete-and-create-record', to: 'new', gapS: 3 }],
    [
      'do: lower-connection-age, side: old, clientKeepAliveS: 60',
      { kind: 'lower-connection-age', side: 'old', clientKeepAliveS: 60 },
    ],
    [
      'do: deploy, side: new, deregisters: late, lateS: 7',
      { kind: 'deploy', side: 'new', services: null, deregisters: 'late', lateS: 7 },
    ],
    ['do: remove-load-balancer, side: old', { kind: 'remove-load-balancer', side: 'old', how: 'silent', forS: null }],
    ['do: lose-targets, side: new, forS: 3', { kind: 'lose-targets', side: 'new', services: null, forS: 3 }],
    [
      'do: lose-zone, side: new, zone: 2, how: refused',
      { kind: 'lose-zone', side: 'new', zone: 2, how: 'refused', forS: null },
    ],
    [
      'do: fail-app, side: new, services: [orders]',
      { kind: 'fail-app', side: 'new', services: ['orders'], status: 500, ratio: 1, forS: null },
    ],
    ['do: slow-app, side: new, byMs: 70', { kind: 'slow-app', side: 'new', services: null, byMs: 70, forS: null }],
    [
      'do: throttle-cpu, side: new, quotaMs: 30, demandMs: 7',
      { kind: 'throttle-cpu', side: 'new', quotaMs: 30, demandMs: 7, forS: null },
    ],
    [
      'do: show-wrong-certificate, side: new',
      { kind: 'show-wrong-certificate', side: 'new', certificate: 'default', forS: null },
    ],
    ['do: cut-off-resolver, resolver: vpc', { kind: 'cut-off-resolver', resolver: 'vpc', forS: null }],
    ['do: fail-resolver, resolver: isp', { kind: 'fail-resolver', resolver: 'isp', how: 'servfail', forS: null }],
    ['do: fail-name-server, nameServer: ns-2', { kind: 'fail-name-server', nameServer: 'ns-2', forS: null }],
    [
      'do: degrade-network, side: new, addedMs: 30',
      { kind: 'degrade-network', side: 'new', lossRatio: 0, resetRatio: 0, addedMs: 30, forS: null },
    ],
    ['do: lose-own-network, forS: 3', { kind: 'lose-own-network', forS: 3 }],
    ['do: fail-platform-api, side: new', { kind: 'fail-platform-api', side: 'new', api: null, forS: null }],
  ])('{ %s } is %j', ([step, action]) => {
    const zone = step.includes('weights') ? 'zone: { record: weighted }, ' : '';
    const script = `script: [{ afterChangeS: 1, ${step} }, { afterChangeS: 0, do: switch-dns }]`;
    expect(does(`${vpc}\nworld: { ${zone}${script} }`)[0]).toEqual(action);
  });

  test('a script without the change is one that expects to end inconclusive, or is about a deployment', () => {
    const script = 'script: [{ afterChangeS: 1, do: lose-own-network }]';
    expect(problemsIn(linesOf(`world: { ${script} }`))).toHaveLength(1);
    expect(problemsIn(linesOf(`world: { ${script}, expect: { verdict: fail } }`))).toHaveLength(1);
    expect(problemsIn(linesOf(`world: { ${script}, expect: { verdict: inconclusive } }`))).toEqual([]);
    // What is meant is not known then.
    expect(problemsIn(linesOf(`world: { ${script}, expect: { verdict: inconclusiv } }`))).toHaveLength(1);
    expect(problemsIn(linesOf(`change: { via: deploy }\nworld: { ${script} }`))).toEqual([]);
  });
});

test('what is expected of a rehearsal is a verdict, and causes where some are given', () => {
  expect(worldOf('world: { expect: { verdict: pass } }').expect).toEqual({ verdict: 'pass', causes: null });
  expect(worldOf('world: { expect: { verdict: fail, causes: [] } }').expect).toEqual({ verdict: 'fail', causes: [] });
  expect(worldOf('world: {}').expect).toBeNull();
});

test('whatever stands in a world, the answer is a world or a list of problems, each with its place', () => {
  const keys = [
    'seed',
    'zone',
    'resolvers',
    'old',
    'new',
    'script',
    'expect',
    'kind',
    'do',
    'atS',
    'side',
    'like',
    'system',
    'ttlS',
  ];
  const words = [
    'alb',
    'ingress-nginx',
    'switch-dns',
    'lose-zone',
    'old',
    'new',
    'bind9',
    'never',
    'pass',
    'constructor',
    '__proto__',
  ];
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(...words),
      fc.constantFrom(null, true, 0, -1, 3, 1e9),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys, 'constructor', 'toString'), tie('any'), { maxKeys: 4 }),
    ),
  })).any;
  fc.assert(
    fc.property(value, (world) => {
      const problems = problemsIn(linesOf(`world: ${JSON.stringify(world)}`));
      for (const problem of problems) expect(problem).toMatch(/^shop\.yaml:\d+:\d+: world/);
    }),
    { numRuns: 500 },
  );
});
