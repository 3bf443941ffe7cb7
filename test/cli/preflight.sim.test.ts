/** Preflights in virtual time: names whose TTL is lowered at different times, and what may be wrong with the new side. */
import { describe, expect, test } from 'vitest';
import type { Route53Facts } from '../../src/checks/facts.ts';
import { emptyMemory, remember, type Memory } from '../../src/checks/memory.ts';
import type { Preflight } from '../../src/checks/preflight.ts';
import { headline } from '../../src/checks/preflight-text.ts';
import { wallClock } from '../../src/cli/preflight-names.ts';
import { runPreflight } from '../../src/cli/preflight.ts';
import { settle } from '../../src/cli/settle.ts';
import type { Scenario } from '../../src/core/scenario.ts';
import { presets } from '../../src/clients/presets.ts';
import { inWorld } from '../../src/scenario/in-world.ts';
import { parseRehearsal } from '../../src/scenario/parse.ts';
import { settingOf } from '../../src/scenario/setting.ts';
import { defaultWorld } from '../../src/scenario/world.ts';
import { certificateSha256Of } from '../../src/sim/certificates.ts';
import { newSimClock } from '../../src/sim/clock.ts';
import { newSimDnsPort } from '../../src/sim/dns-port.ts';
import { newSimNetwork } from '../../src/sim/network.ts';
import { newWorld } from '../../src/model/world.ts';

const startedAtMs = Date.UTC(2026, 10, 24, 8, 30);

const sides = `
sides:
  old: { title: ALB/ECS, addresses: ["dns:shop-1.elb.test"], marker: { x-served-by: ecs } }
  new: { title: nginx/EKS, addresses: ["dns:k8s-shop.elb.test"], marker: { x-served-by: eks } }
`;

function scenarioText(parts: { readonly change: string; readonly world: string; readonly sides?: string }): string {
  return `
name: preflight
services:
  - { name: orders, url: "https://orders.shop.test/ready" }
${parts.sides ?? sides}
resolvers: [{ name: vpc, address: 10.0.0.2 }]
change: ${parts.change}
world:
${parts.world}
  expect: { verdict: inconclusive }
`;
}

interface Flown {
  readonly found: Preflight | null;
  /** Everything that was shown, in order. */
  readonly shown: readonly Preflight[];
  readonly memory: Memory;
  readonly requestCount: number;
  readonly dialledAtNs: readonly number[];
  readonly announced: readonly string[];
}

async function fly(
  text: string,
  options: {
    readonly waits?: boolean;
    readonly isRollback?: boolean;
    readonly startS?: number;
    readonly stopAtS?: number;
    readonly memory?: Memory;
    readonly edit?: (scenario: Scenario) => Scenario;
    /** What Route 53 says at `nowS`; left out: it is not asked. */
    readonly route53?: (nowS: number) => Route53Facts;
  } = {},
): Promise<Flown> {
  const { scenario, world } = parseRehearsal(text, { file: 'it.yaml', env: {}, presets, readFile: () => '' });
  const played = world ?? defaultWorld(scenario);
  const setting = settingOf(scenario, played);
  const sha256 = (side: 'old' | 'new'): string => certificateSha256Of({ side, kind: 'right' });
  const moved = inWorld(scenario, setting, {
    dns: () => 53,
    certificateSha256: { old: sha256('old'), new: sha256('new') },
  });
  const clock = newSimClock(settle);
  const model = newWorld({ world: played, setting, record: () => {} });
  const network = newSimNetwork({ clock, world: model });
  const stop = new AbortController();
  const { route53 } = options;
  const shown: Preflight[] = [];
  let memory = options.memory ?? emptyMemory(scenario.name);
  const dialledAtNs: number[] = [];
  const announced: string[] = [];
  const run = async (): Promise<Preflight | null> => {
    await new Promise<void>((resolve) => clock.at((options.startS ?? 0) * 1e9, resolve));
    if (options.stopAtS !== undefined) clock.at(options.stopAtS * 1e9, () => stop.abort());
    return runPreflight(
      options.edit?.(moved.scenario) ?? moved.scenario,
      { waits: options.waits ?? false, isRollback: options.isRollback ?? false },
      {
        clock,
        dns: newSimDnsPort({ clock, world: model }),
        dialer: {
          dial: (...words) => {
            dialledAtNs.push(clock.nowNs());
            return network.dialer.dial(...words);
          },
        },
        wallMs: wallClock(startedAtMs),
        readToken: () => Promise.resolve(''),
        run: { runId: '0badcafe', startedAtMs, version: '0' },
        stopSignal: stop.signal,
        memory: {
          remember(seen) {
            memory = seen.reduce(remember, memory);
            return memory;
          },
        },
        ...(route53 === undefined
          ? {}
          : {
              route53: { ready: Promise.resolve(), facts: () => route53(clock.nowNs() / 1e9), stop() {} },
            }),
        announce: (said) => announced.push(said),
        show: (one) => shown.push(one),
      },
    );
  };
  const found = await clock.runUntil(run());
  return { found, shown, memory, requestCount: dialledAtNs.length, dialledAtNs, announced };
}

function failed(found: Preflight | null): readonly string[] {
  return [
    ...new Set(
      (found?.checks ?? []).filter(({ decides, result }) => decides && result === 'fail').map(({ check }) => check),
    ),
  ];
}

function sinceStartS(found: Preflight | undefined): number {
  return ((found?.atMs ?? NaN) - startedAtMs) / 1000;
}

const known = '{ ttlBeforeS: 60, ttlS: 60 }';
const quiet = '  zone: { ttlS: 60 }';

describe('where all is well', () => {
  test('it is safe to switch', async () => {
    const { found } = await fly(scenarioText({ change: known, world: quiet }));
    expect(found && headline(found)).toBe('SAFE TO SWITCH');
    expect(failed(found)).toEqual([]);
  });
});

/** Three name servers, the TTL lowered at 20.3 s; they serve it at 20.3 s, 37.3 s and 61.3 s. */
const lowered = {
  change: '{ ttlS: 60 }',
  world: `
  zone: { ttlS: 307, nameServers: [{ name: ns-1 }, { name: ns-2, lagS: 17 }, { name: ns-3, lagS: 41 }] }
  script:
    - { atS: 20.3, do: lower-ttl, ttlS: 60 }`,
};
const lowAtS = 20.3 + 41;
const safeAtS = lowAtS + 307 + 1;

describe('three name servers whose TTL is lowered at different times', () => {
  test('it is not yet safe until the last one and the old TTL have passed, and safe then, to the second', async () => {
    const { found, shown } = await fly(scenarioText(lowered), { waits: true });
    expect(found?.safeToSwitch.safe).toBe('yes');
    for (const one of shown.slice(0, -1)) expect(one.safeToSwitch.safe).toBe('no');
    // A server that has not lowered it is asked once a second: T_low is known to that second.
    expect(sinceStartS(found ?? undefined)).toBeGreaterThanOrEqual(safeAtS);
    expect(sinceStartS(found ?? undefined)).toBeLessThan(safeAtS + 1.2);
  });

  test('the time said is the same from the last lowering on, and comes true', async () => {
    const { found, shown } = await fly(scenarioText(lowered), { waits: true });
    const said = shown.filter(({ safeToSwitch: { atMs, isEarliest } }) => atMs !== null && !isEarliest);
    expect(said.length).toBeGreaterThan(5);
    const times = new Set(said.map(({ safeToSwitch }) => safeToSwitch.atMs));
    expect(times.size).toBe(1);
    expect(Math.abs((found?.atMs ?? 0) - ([...times][0] ?? 0))).toBeLessThan(100);
  });

  test('while one lags it is not yet safe, and the earliest time is said', async () => {
    const { found } = await fly(scenarioText(lowered), { startS: 33 });
    expect(found && headline(found)).toMatch(/^NOT YET: not before 08:3\d:\d\d UTC .*127\.0\.3\.3:53 serves/);
    expect(found?.safeToSwitch.isEarliest).toBe(true);
  });

  test('where nobody has lowered it, that is what has to be done', async () => {
    const { found } = await fly(scenarioText(lowered));
    expect(found && headline(found)).toMatch(/^NO, because 127\.0\.3\.1:53 serves .* \(and 2 more like it\)/);
  });

  test('a look of today knows from one of before what the TTL was; without it nobody does', async () => {
    const before = await fly(scenarioText(lowered), { startS: 1 });
    const after = await fly(scenarioText(lowered), { startS: 100, memory: before.memory });
    // Between the two looks it was lowered: the later one counts.
    expect(after.found?.safeToSwitch.atMs).toBeGreaterThanOrEqual(startedAtMs + (100 + 307 + 1) * 1000);
    expect(after.found?.safeToSwitch.atMs).toBeLessThan(startedAtMs + (100 + 10 + 307 + 1) * 1000);
    const late = await fly(scenarioText(lowered), { startS: 430, memory: after.memory });
    expect(late.found?.safeToSwitch.safe).toBe('yes');
    const alone = await fly(scenarioText(lowered), { startS: 430 });
    expect(alone.found?.safeToSwitch.safe).toBe('unknown');
    expect(alone.found?.canWait).toBe(false);
  });

  test('what the sides answered at first is not trusted at the end: they are asked again just before', async () => {
    const world = `${lowered.world}\n    - { atS: 211, do: fail-app, side: new, status: 500 }`;
    const { found, shown } = await fly(scenarioText({ ...lowered, world }), { waits: true });
    expect(shown.slice(0, -1).every(({ canWait }) => canWait)).toBe(true);
    expect(found && headline(found)).toMatch(/^NO, because .* not as the check expects: status 500/);
    // In time for somebody to mend it.
    expect(sinceStartS(found ?? undefined)).toBeLessThan(safeAtS);
  });

  test('Ctrl-C ends the waiting in order, and says what was known by then', async () => {
    const { found, shown } = await fly(scenarioText(lowered), { waits: true, stopAtS: 90.5 });
    expect(found).toBe(shown.at(-1));
    expect(found?.safeToSwitch.safe).toBe('no');
    expect(sinceStartS(found ?? undefined)).toBeLessThan(91);
    expect((await fly(scenarioText(lowered), { stopAtS: 0.01 })).found).toBe(null);
  });
});

describe('a change made through the API of Route 53', () => {
  const change = '{ ttlS: 60 }';
  const world = `
  zone: { ttlS: 307 }
  script:
    - { atS: 20.3, do: lower-ttl, ttlS: 60 }`;
  const spec = { profile: null, region: null, zoneId: null, changeId: 'C1' };
  const edit = (scenario: Scenario): Scenario => ({ ...scenario, route53: spec });
  const insyncAtS = 58.7;
  const route53 = (nowS: number): Route53Facts => ({
    policies: [{ name: 'orders.shop.test', hostname: 'orders.shop.test', policies: [] }],
    health: [],
    change: { id: 'C1', status: nowS < insyncAtS ? 'PENDING' : 'INSYNC' },
    blind: [],
  });

  test('the old TTL ages out from when all name servers have it, also those that cannot be asked from here', async () => {
    const alone = await fly(scenarioText({ change, world }), { waits: true });
    expect(sinceStartS(alone.found ?? undefined)).toBeLessThan(20.3 + 307 + 1 + 1.2);
    const { found } = await fly(scenarioText({ change, world }), { waits: true, edit, route53 });
    expect(found?.safeToSwitch.safe).toBe('yes');
    expect(sinceStartS(found ?? undefined)).toBeGreaterThanOrEqual(insyncAtS + 307 + 1);
    expect(sinceStartS(found ?? undefined)).toBeLessThan(insyncAtS + 307 + 1 + 2.2);
  });

  test('that is remembered: a look of later knows from one before that it was PENDING', async () => {
    const text = scenarioText({ change: '{ ttlS: 60, ttlBeforeS: 307 }', world });
    const before = await fly(text, { startS: 25, edit, route53 });
    expect(before.found?.safeToSwitch.safe).toBe('no');
    const after = await fly(text, { startS: 90, edit, route53, memory: before.memory });
    // It got there between the two looks: the later one counts.
    expect(after.found?.safeToSwitch.atMs).toBeGreaterThanOrEqual(startedAtMs + (90 + 307 + 1) * 1000);
    expect(after.found?.safeToSwitch.atMs).toBeLessThan(startedAtMs + (90 + 10 + 307 + 1) * 1000);
  });
});

describe('what is sent', () => {
  test('is what was announced: fifty requests to each side, and a few besides, at most 20 a second', async () => {
    const { requestCount, dialledAtNs, announced } = await fly(scenarioText({ change: known, world: quiet }));
    expect(announced).toEqual([expect.stringContaining('orders: 66 requests to ALB/ECS, 66 to nginx/EKS')]);
    expect(requestCount).toBe(132);
    dialledAtNs.forEach((atNs, i) => {
      const inSecond = dialledAtNs.filter((other) => other >= atNs && other < atNs + 1e9);
      expect(inSecond.length, `from request ${i}`).toBeLessThanOrEqual(20);
    });
  });

  test('is little where an address gives no answer', async () => {
    const steps = '  script:\n    - { atS: 0, do: remove-load-balancer, side: new, how: silent }';
    const { requestCount, found } = await fly(scenarioText({ change: known, world: `${quiet}\n${steps}` }));
    expect(failed(found)).toContain('answer');
    expect(requestCount).toBeLessThan(66 + 30);
  });
});

test('a resolver that raises TTLs is named, and not waited for', async () => {
  const world = `
  zone: { ttlS: 60 }
  resolvers: { vpc: { minTtlS: 313 } }`;
  // At first sight it may be what was served before, and the scenario's word is wrong.
  const once = await fly(scenarioText({ change: known, world }));
  expect(once.found?.safeToSwitch.safe).toBe('no');
  const { found } = await fly(scenarioText({ change: known, world }), { startS: 320, memory: once.memory });
  expect(found?.safeToSwitch.safe).toBe('yes');
  const told = found?.checks.find(({ check }) => check === 'resolver');
  expect(told).toMatchObject({ result: 'fail', decides: false });
  expect(told?.text).toMatch(/vpc fetched .* shows 313 s .* raises TTLs/);
});

test('a name server that does not answer makes it unknown, and is waited for', async () => {
  const world = `
  zone: { ttlS: 60, nameServers: [{ name: ns-1 }, { name: ns-2 }] }
  script:
    - { atS: 0, do: fail-name-server, nameServer: ns-2, forS: 43 }`;
  const once = await fly(scenarioText({ change: known, world }));
  expect(once.found?.safeToSwitch.safe).toBe('unknown');
  const { found } = await fly(scenarioText({ change: known, world }), { waits: true });
  expect(found?.safeToSwitch.safe).toBe('yes');
  expect(sinceStartS(found ?? undefined)).toBeGreaterThan(43);
  expect(sinceStartS(found ?? undefined)).toBeLessThan(43 + 20);
});

test('an alias to a load balancer has a TTL that nobody can lower, and is safe all the same', async () => {
  const { found } = await fly(
    scenarioText({ change: '{ ttlS: 20, ttlBeforeS: 60 }', world: '  zone: { record: alias }' }),
  );
  expect(found?.safeToSwitch.safe).toBe('yes');
  const ttls = found?.checks.filter(({ check }) => check === 'ttl-lowered').map(({ result }) => result);
  expect(new Set(ttls)).toEqual(new Set(['not-applicable']));
  // A record with addresses of its own looks the same, and may have been lowered just now.
  const alone = await fly(scenarioText({ change: '{ ttlS: 20 }', world: '  zone: { record: alias }' }));
  expect(alone.found && headline(alone.found)).toMatch(
    /^UNKNOWN, because .*If it has always been an alias to a load balancer/,
  );
});

describe('a private zone, of which only resolvers tell', () => {
  const privately = (change: string, world: string): string =>
    `${scenarioText({ change, world })}\nauthorities: none\n`;
  const loweredAt = (atS: number): string => `
  zone: { ttlS: 307 }
  script:
    - { atS: ${atS}, do: lower-ttl, ttlS: 60 }`;

  test('is not known at first sight, and what would make it known is said', async () => {
    const { found } = await fly(privately('{ ttlS: 60, ttlBeforeS: 307 }', loweredAt(20.3)), { startS: 100 });
    expect(found?.safeToSwitch.safe).not.toBe('yes');
    const told = found?.checks.find(({ check }) => check === 'ttl-lowered');
    expect(told).toMatchObject({ result: 'unknown', subject: 'orders.shop.test by vpc' });
    expect(told?.text).toMatch(/--wait waits for it\. Name a server of the zone \(authorities: \["10\.0\.0\.2:53"\]\)/);
    expect(found?.canWait).toBe(true);
  });

  test('with the TTL before from the scenario: from when a resolver fetched it low, by the same rule', async () => {
    const { found, shown } = await fly(privately('{ ttlS: 60, ttlBeforeS: 307 }', loweredAt(20.3)), { waits: true });
    expect(found && headline(found)).toBe('SAFE TO SWITCH');
    // What vpc held at first ends after 307 s, then it is seen to fetch it low, and then the old TTL has to pass.
    expect(sinceStartS(found ?? undefined)).toBeGreaterThan(307 + 307);
    expect(sinceStartS(found ?? undefined)).toBeLessThan(307 + 307 + 20);
    expect(shown.slice(0, -1).every(({ safeToSwitch: { safe } }) => safe !== 'yes')).toBe(true);
    const asked = new Set(shown.map(({ atMs }) => Math.floor(atMs / 1000)));
    expect(asked.size).toBe(shown.length);
  });

  test('with the instant too, when it is lowered is taken from there, and no resolver may still hold more', async () => {
    const at = new Date(startedAtMs + 20_300).toISOString();
    const change = `{ ttlS: 60, ttlBeforeS: 307, ttlLoweredAt: "${at}" }`;
    const { found } = await fly(privately(change, loweredAt(20.3)), { waits: true });
    expect(found?.safeToSwitch.safe).toBe('yes');
    expect(sinceStartS(found ?? undefined)).toBeGreaterThan(20.3 + 307);
    expect(sinceStartS(found ?? undefined)).toBeLessThan(20.3 + 307 + 60 + 30);
  });

  test('a TTL that was seen from its beginning needs no word of the scenario', async () => {
    const { found } = await fly(privately('{ ttlS: 60 }', loweredAt(400.7)), { waits: true });
    expect(found?.safeToSwitch.safe).toBe('yes');
    // Held until 614 s, since it was fetched just before 400.7 s at the latest.
    expect(sinceStartS(found ?? undefined)).toBeGreaterThan(400.7 + 307);
    const aged = found?.checks.find(({ check }) => check === 'ttl-aged-out');
    expect(aged?.observed).toMatch(/^TTL 3[01]\d s before, as resolvers showed/);
  });

  test('where nobody has seen it nor said it, it is not known, and waiting is of no use', async () => {
    const { found } = await fly(privately('{ ttlS: 60 }', '  zone: { ttlS: 60 }'), { waits: true });
    expect(found && headline(found)).toMatch(/^UNKNOWN, because Nothing is known of the TTL .*Say change\.ttlBeforeS/);
    expect(found?.canWait).toBe(false);
  });

  test('a TTL that was never lowered is never taken for low', async () => {
    const { found } = await fly(privately('{ ttlS: 60, ttlBeforeS: 307 }', '  zone: { ttlS: 307 }'), {
      waits: true,
      stopAtS: 700,
    });
    expect(found?.safeToSwitch.safe).not.toBe('yes');
  });

  test('names that lead to the new side already are seen there too', async () => {
    const world = `${quiet}\n  script:\n    - { atS: 1, do: switch-dns, to: new }`;
    const { found } = await fly(privately(known, world), { startS: 5 });
    expect(found?.checks.find(({ check }) => check === 'record')?.text).toMatch(/nothing to switch/);
  });
});

describe('what has to be mended', () => {
  const withScript = (steps: string): string => scenarioText({ change: known, world: `${quiet}\n  script:\n${steps}` });

  test('a wrong certificate on the new side', async () => {
    const text = withScript('    - { atS: 0, do: show-wrong-certificate, side: new, certificate: default }');
    const { found } = await fly(text, { waits: true });
    expect(found && headline(found)).toMatch(
      /^NO, because .*does not show a good certificate for orders\.shop\.test: tls-failed \(self-signed\)/,
    );
    expect(failed(found)).toContain('certificate');
  });

  test('a record that is not there: for how long that is remembered is said', async () => {
    const text = withScript('    - { atS: 3, do: delete-and-create-record, to: old, gapS: 900 }');
    const { found } = await fly(text, { startS: 5 });
    expect(found && headline(found)).toMatch(
      /^NO, because .*has no address; resolvers that ask it remember that for \d+ s/,
    );
    expect(failed(found)).toContain('record');
  });

  test('sides that nothing in the scenario tells apart: one load balancer has both', async () => {
    const shared = (scenario: Scenario): Scenario => {
      const addresses = [{ kind: 'address', address: '127.0.1.1' } as const];
      const { old, new: target } = scenario.sides;
      return {
        ...scenario,
        sides: { old: { ...old, addresses, marker: [] }, new: { ...target, addresses, marker: [] } },
      };
    };
    const { found } = await fly(scenarioText({ change: known, world: quiet }), { edit: shared });
    expect(failed(found)).toEqual(['identity']);
    expect(found && headline(found)).toMatch(/^NO, because Nothing in the scenario always tells the sides apart/);
  });

  test('names that lead to the new side already', async () => {
    const { found } = await fly(withScript('    - { atS: 1, do: switch-dns, to: new }'), { startS: 5 });
    expect(found && headline(found)).toMatch(/leads to nginx\/EKS already: there is nothing to switch/);
  });
});
