import { describe, expect, test } from 'vitest';
import type { CheckResult } from '../../src/checks/check.ts';
import type { Facts } from '../../src/checks/facts.ts';
import { livesAfter, type Life } from '../../src/checks/lives.ts';
import { remember } from '../../src/checks/memory.ts';
import { resolverHolds } from '../../src/checks/resolver-holds.ts';
import { ageOf, ttlAgedOut } from '../../src/checks/ttl-aged-out.ts';
import { ttlLowered } from '../../src/checks/ttl-lowered.ts';
import { factsOf, hostname, memoryOf, nameFacts, nowMs, oldAddress, scenarioOf, server, type Look } from './kit.ts';

function run(check: typeof ttlLowered, over: Partial<Facts>): readonly CheckResult[] {
  const facts = factsOf(over);
  return facts.scenario.services.flatMap((service) => check(facts, service));
}

describe('T_safe = T_low + T_old + ε', () => {
  test.for<{ name: string; looks: readonly Look[]; change?: string; safeAtS: number | null }>([
    {
      name: 'counts from the last server that lowered it, and by what was seen before',
      looks: [
        { atS: -100, ttls: { a: 3600, b: 3600 } },
        { atS: -90, ttls: { a: 60, b: 3600 } },
        { atS: -73, ttls: { a: 60, b: 60 } },
      ],
      safeAtS: -73 + 3600 + 1,
    },
    {
      name: 'takes the largest TTL of any server',
      looks: [
        { atS: -100, ttls: { a: 300, b: 3600 } },
        { atS: -73, ttls: { a: 60, b: 60 } },
      ],
      safeAtS: -73 + 3600 + 1,
    },
    {
      name: 'does not count what had aged out before the last lowering',
      looks: [
        { atS: -99_999, ttls: { a: 86_400 } },
        { atS: -90_000, ttls: { a: 300 } },
        { atS: -73, ttls: { a: 60 } },
      ],
      safeAtS: -73 + 300 + 1,
    },
    {
      name: 'counts what had not aged out by then',
      looks: [
        { atS: -99_999, ttls: { a: 86_400 } },
        { atS: -80_000, ttls: { a: 300 } },
        { atS: -73, ttls: { a: 60 } },
      ],
      safeAtS: -73 + 86_400 + 1,
    },
    { name: 'is not known while a server is high', looks: [{ atS: -73, ttls: { a: 60, b: 3600 } }], safeAtS: null },
    { name: 'is not known when nothing is known of before', looks: [{ atS: -73, ttls: { a: 60 } }], safeAtS: null },
    {
      name: 'takes the word of the scenario for what was before',
      looks: [{ atS: -73, ttls: { a: 60 } }],
      change: 'change: { ttlS: 60, ttlBeforeS: 1800 }',
      safeAtS: -73 + 1800 + 1,
    },
    {
      name: 'takes its word for when it was lowered, and a second more for its clock',
      looks: [{ atS: -73, ttls: { a: 60 } }],
      change: `change: { ttlS: 60, ttlBeforeS: 1800, ttlLoweredAt: ${new Date(nowMs - 400_000).toISOString()} }`,
      safeAtS: -400 + 1800 + 1 + 1,
    },
    {
      name: 'goes by what it saw where that is later than the word of the scenario',
      looks: [
        { atS: -100, ttls: { a: 1800 } },
        { atS: -73, ttls: { a: 60 } },
      ],
      change: `change: { ttlS: 60, ttlBeforeS: 1800, ttlLoweredAt: ${new Date(nowMs - 400_000).toISOString()} }`,
      safeAtS: -73 + 1800 + 1,
    },
    {
      name: 'takes the word of the scenario where it is between two looks that saw the lowering',
      looks: [
        { atS: -9000, ttls: { a: 1800 } },
        { atS: -73, ttls: { a: 60 } },
      ],
      change: `change: { ttlS: 60, ttlLoweredAt: ${new Date(nowMs - 400_000).toISOString()} }`,
      safeAtS: -400 + 1800 + 1 + 1,
    },
    {
      name: 'is at once where nothing was ever above',
      looks: [{ atS: -73, ttls: { a: 60 } }],
      change: 'change: { ttlS: 60, ttlBeforeS: 60 }',
      safeAtS: -73,
    },
    {
      name: 'counts a server that is one no more until it was seen gone',
      looks: [
        { atS: -100, ttls: { a: 60, b: 3600 } },
        { atS: -73, ttls: { a: 60 } },
      ],
      safeAtS: -73 + 3600 + 1,
    },
  ])('$name', ({ looks, change, safeAtS }) => {
    const facts = factsOf({ memory: memoryOf(looks), scenario: scenarioOf(change) });
    const { safeAtMs } = ageOf(facts, hostname);
    expect(safeAtMs === null ? null : (safeAtMs - nowMs) / 1000).toBe(safeAtS);
  });

  test('a millisecond before it the check fails, at it it passes', () => {
    const memory = memoryOf([
      { atS: -100, ttls: { 'ns-1': 307 } },
      { atS: -73, ttls: { 'ns-1': 60 } },
    ]);
    const at = (ms: number): CheckResult | undefined => run(ttlAgedOut, { memory, nowMs: ms })[0];
    const safeAtMs = nowMs + (-73 + 307 + 1) * 1000;
    expect(at(safeAtMs - 1)).toMatchObject({ result: 'fail', heals: { atMs: safeAtMs, isEarliest: false } });
    expect(at(safeAtMs)).toMatchObject({ result: 'pass' });
  });

  test('after seven days nobody keeps anything, whatever it was', () => {
    const day = 86_400;
    const seen = (atS: number): CheckResult | undefined =>
      run(ttlAgedOut, { memory: memoryOf([{ atS, ttls: { 'ns-1': 60 } }]) })[0];
    expect(seen(-6 * day)).toMatchObject({ result: 'unknown', decides: true, heals: null });
    expect(seen(-8 * day)).toMatchObject({ result: 'pass' });
  });
});

describe('the TTL of every server, type and link', () => {
  const rows = (lines: readonly string[], more: Partial<Facts> = {}): readonly string[] =>
    run(ttlLowered, { names: [nameFacts({ authorities: [server('ns-1', lines)] })], ...more }).map(
      ({ subject, result }) => `${result} ${subject}`,
    );

  test('each type has its own', () => {
    expect(
      rows([`${hostname} 60 A ${oldAddress}`, `${hostname} 300 AAAA 2001:db8::1`, `${hostname} 3600 HTTPS 1 .`]),
    ).toEqual([`pass ${hostname} A on ns-1`, `fail ${hostname} AAAA on ns-1`, `fail ${hostname} HTTPS on ns-1`]);
  });

  const withNames = scenarioOf(
    'change: { ttlS: 20 }',
    `sides: { old: { addresses: ["dns:alb.elb.test"] }, new: { addresses: ["dns:nlb.elb.test"] } }`,
  );

  test("each link of a chain counts, up to a side's own name, which does not change", () => {
    const lines = [
      `${hostname} 20 CNAME lb.shop.test`,
      'lb.shop.test 300 CNAME alb.elb.test',
      'alb.elb.test 60 A 192.0.2.7',
    ];
    expect(rows(lines, { scenario: withNames })).toEqual([
      `pass ${hostname} CNAME on ns-1`,
      'fail lb.shop.test CNAME on ns-1',
    ]);
  });

  test('an alias to a load balancer is known by its addresses and its 60 s; without them it is a TTL to lower', () => {
    const sideNames = [{ side: 'old' as const, name: 'alb.elb.test', addresses: ['192.0.2.7', '192.0.2.8'] }];
    const lines = [`${hostname} 60 A 192.0.2.7`];
    expect(rows(lines, { scenario: withNames, sideNames })).toEqual([`not-applicable ${hostname} A on ns-1`]);
    expect(rows([`${hostname} 61 A 192.0.2.7`], { scenario: withNames, sideNames })).toEqual([
      `fail ${hostname} A on ns-1`,
    ]);
    expect(rows([`${hostname} 60 A 192.0.2.9`], { scenario: withNames, sideNames })).toEqual([
      `fail ${hostname} A on ns-1`,
    ]);
  });

  test('a server that is silent, or knows nothing, makes it unknown; one of a list that has other zones does not', () => {
    const record = `${hostname} 60 A ${oldAddress}`;
    const lame = server('ns-2', [], { rcode: 'REFUSED', authoritative: false });
    const both = (areGiven: boolean): readonly CheckResult[] =>
      run(ttlLowered, { names: [nameFacts({ authorities: [server('ns-1', [record]), lame], areGiven })] });
    expect(both(false)[1]).toMatchObject({ result: 'unknown', decides: true });
    expect(both(true)[1]).toMatchObject({ result: 'not-applicable' });
    expect(run(ttlLowered, { names: [nameFacts({ authorities: [], authoritiesError: 'none' })] })[0]).toMatchObject({
      result: 'unknown',
      decides: true,
    });
  });

  test('a name server without a route from here is no matter where it is heard at another address', () => {
    const v4 = server('192.0.2.53:53', [`${hostname} 60 A ${oldAddress}`]);
    const failed = { kind: 'failed', reason: 'unreachable', error: 'ENETUNREACH', sentAtNs: 0, endedAtNs: 0 } as const;
    const v6 = { ...v4, server: '[2001:db8::53]:53', asked: v4.asked.map((one) => ({ ...one, reply: failed })) };
    const both = (alsoAt: readonly string[]) =>
      run(ttlLowered, { names: [nameFacts({ authorities: [v4, { ...v6, alsoAt }] })] })[1];
    expect(both(['192.0.2.53:53'])).toMatchObject({ result: 'not-applicable' });
    expect(both([])).toMatchObject({ result: 'unknown', decides: true });
  });

  test('a name server whose address could not be looked up is not known, and is no server that is gone', () => {
    const found = run(ttlLowered, { names: [nameFacts({ unfound: ['ns2.other.test'] })] });
    expect(found.at(-1)).toMatchObject({ result: 'unknown', subject: `${hostname} on ns2.other.test` });
    const memory = memoryOf([{ atS: -100, ttls: { 'ns-1': 60, 'ns-2': 3600 } }]);
    const sets = [{ name: hostname, type: 'A', ttlS: 60 }];
    const seen = { hostname, atMs: nowMs, servers: [{ server: 'ns-1', sets }] };
    const highAfter = (isPartial: boolean) =>
      ageOf(factsOf({ memory: remember(memory, { ...seen, isPartial }) }), hostname).highServers;
    expect(highAfter(true)).toEqual(['ns-2']);
    expect(highAfter(false)).toEqual([]);
  });

  test('a link in another zone is asked of its own servers', () => {
    const authorities = [server('ns-1', [`${hostname} 60 CNAME shop.cdn.test`])];
    const link = { name: 'shop.cdn.test', error: '', servers: [server('cdn-1', ['shop.cdn.test 900 A 192.0.2.7'])] };
    const found = run(ttlLowered, { names: [nameFacts({ authorities, links: [link] })] });
    expect(found.map(({ result, subject }) => `${result} ${subject}`)).toEqual([
      `pass ${hostname} CNAME on ns-1`,
      'fail shop.cdn.test A on cdn-1',
    ]);
    expect(found[1]?.text).toContain('give it as dns:shop.cdn.test in sides');
  });

  test('a change that changes no record asks nothing of TTLs', () => {
    const scenario = scenarioOf('change: { via: deploy }');
    expect(run(ttlLowered, { scenario })).toMatchObject([{ result: 'not-applicable' }]);
    expect(run(ttlAgedOut, { scenario })).toEqual([]);
  });
});

describe('a resolver', () => {
  const told = (ttlBeforeS: number): Partial<Facts> => ({
    scenario: scenarioOf(`change: { ttlS: 60, ttlBeforeS: ${ttlBeforeS} }`),
  });
  const shows = (ttlS: number, over: Partial<Facts> = {}): CheckResult | undefined =>
    run(resolverHolds, {
      names: [
        nameFacts({ resolvers: [server('vpc', [`${hostname} ${ttlS} A ${oldAddress}`], { authoritative: false })] }),
      ],
      ...over,
    })[0];
  const young = memoryOf([
    { atS: -100, ttls: { 'ns-1': 3600 } },
    { atS: -73, ttls: { 'ns-1': 60 } },
  ]);

  test('that holds it for long is waited for until it shows a low TTL', () => {
    expect(shows(1800, { memory: young })).toMatchObject({
      result: 'fail',
      decides: true,
      heals: { atMs: nowMs + (1800 - 60) * 1000 },
    });
  });

  test('is not waited for longer than what was served can be kept: the rest is its own doing', () => {
    const safeAtMs = nowMs + (-73 + 3600 + 1) * 1000;
    expect(shows(3599, { memory: young })?.heals?.atMs).toBe(Math.min(safeAtMs, nowMs + (3599 - 60) * 1000));
  });

  test('that shows a long life when all has aged out raises TTLs: named, and no reason to wait', () => {
    const found = shows(300);
    expect(found).toMatchObject({ result: 'fail', decides: false });
    expect(found?.text).toMatch(/keeps answers beyond their life, or makes it longer/);
  });

  const low = memoryOf([{ atS: -20, ttls: { 'ns-1': 60, 'ns-2': 60 } }]);

  test('that holds more than was told can have left disproves what was told, and is waited for', () => {
    const found = shows(86_394, { memory: low, ...told(60) });
    expect(found).toMatchObject({
      result: 'fail',
      decides: true,
      heals: { atMs: nowMs + (86_394 - 60) * 1000, isEarliest: false },
    });
    expect(found?.text).toMatch(/more than a TTL of 60 s before can have left/);
    expect(shows(50_000, { memory: young })).toMatchObject({
      decides: true,
      heals: { atMs: nowMs + (50_000 - 60) * 1000 },
    });
  });

  test('that was seen to fetch it anew with a long life raises TTLs: named, and no reason to wait', () => {
    const set = (ttlS: number) => [{ name: hostname, type: 'A', ttlS }];
    const looks = [
      { server: 'vpc', atMs: nowMs - 10_000, sets: set(2) },
      { server: 'vpc', atMs: nowMs, sets: set(300) },
    ];
    const memory = { ...low, resolvers: { [hostname]: looks.reduce<readonly Life[]>(livesAfter, []) } };
    const found = shows(300, { memory, ...told(60) });
    expect(found).toMatchObject({ result: 'fail', decides: false });
    expect(found?.text).toMatch(/raises TTLs/);
    // Before the TTL was low, that is no wonder.
    expect(
      shows(300, {
        memory: { ...memory, hostnames: memoryOf([{ atS: -1, ttls: { 'ns-1': 60 } }]).hostnames },
        ...told(60),
      }),
    ).toMatchObject({ decides: true });
  });

  test('that leads to the side moved to is answered by another view, or by what was before', () => {
    const vpc = server('vpc', [`${hostname} 60 A ${oldAddress}`], { authoritative: false });
    const resolvers = [
      { ...vpc, asked: vpc.asked.map((one) => (one.side === 'old' ? { ...one, side: 'new' as const } : one)) },
    ];
    const leading = (over: Partial<Facts>): readonly CheckResult[] =>
      run(resolverHolds, { names: [nameFacts({ resolvers })], ...over }).slice(1);
    expect(leading({})).toMatchObject([{ result: 'unknown', decides: true, observed: 'new' }]);
    expect(leading({ isRollback: true })).toEqual([]);
    expect(leading({ scenario: scenarioOf('change: { via: weights, ttlS: 60 }') })).toEqual([]);
  });

  test('that remembers that there is nothing is waited for as long as it does', () => {
    const resolvers = [server('vpc', [], { authoritative: false })];
    const [found] = run(resolverHolds, { names: [nameFacts({ resolvers })] });
    expect(found).toMatchObject({ result: 'fail', observed: 'no address', heals: { atMs: nowMs + 300_000 } });
  });

  test('that does not answer is not known', () => {
    const resolvers = [server('vpc', [], { rcode: 'SERVFAIL', authoritative: false })];
    const [found] = run(resolverHolds, { names: [nameFacts({ resolvers })] });
    expect(found).toMatchObject({ result: 'unknown', observed: 'SERVFAIL' });
  });
});
