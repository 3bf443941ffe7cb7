/**
 * Cutovers of 21 hostnames, each at an instant of its own, with Unbound, BIND, dnsmasq, PowerDNS Recursor and dnsdist side by
 * side as resolvers, each with a conduct of its own. Each resolver and hostname is a trial: the resolver is called what its
 * configuration makes it, those that do as they should are accused of nothing, and it left the old side when the authority's
 * log says so. With CUTWATCH_LONG=1 twenty runs instead of one.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReportResolver } from '../../src/report/shape.ts';
import { keepApart, startCast, type Cast } from './resolver-cast.ts';
import { readEvidence, startRun } from './cutwatch-run.ts';
import { finish, ms, type FinishedRun } from './finished-run.ts';
import { authorityPollMs, looksAtResolver, moveOf, type Looks, type Move } from './resolver-truth.ts';
import { askPlainly } from './servers/ask-plainly.ts';
import { describeReal } from './servers/describe-real.ts';
import { startStage, type Stage } from './stage.ts';

const zone = 'shop.test';
const services = Array.from({ length: 21 }, (_, i) => ({ name: `s${String(i + 1)}`, ttlS: 6 + ((i * 4) % 7) }));
const ttlSOf = (name: string): number => services.find((service) => service.name === name)?.ttlS ?? 0;
/** TTLs are raised to this by those that do so. */
const raisedS = 17;
const baselineS = 33;
/** From one service's change to the next one's. */
const nextS = 0.93;
/** Some lose their way to the authority before the changes, and find it again between them. */
const cutOffS = { from: baselineS - 6, to: baselineS + 14 };
/** What lanes ask is shared for a second from its answer on: at this rate each slot asks. */
const ratePerSecond = 0.7;
const newAddress = '127.0.2.1';
const runCount = process.env['CUTWATCH_LONG'] === '1' ? 20 : 1;

interface Trial {
  readonly title: string;
  readonly resolver: ReportResolver;
  readonly move: Move;
  readonly looks: Looks;
  readonly authorityPollMs: number;
  /** Reasons why its lane was on the old side after the change. */
  readonly reasons: readonly string[];
}

describeReal(
  'what real resolvers do with TTLs',
  ['nginx', 'named', 'nsupdate', 'unbound', 'dnsmasq', 'pdns_recursor', 'dnsdist', 'openssl'],
  () => {
    const stack = new AsyncDisposableStack();
    const trials: Trial[] = [];

    beforeAll(async () => {
      const names = services.map(({ name }) => name);
      const stage = stack.use(await startStage(Object.fromEntries(names.map((name) => [name, 'old'])), ttlSOf));
      const cast = await startCast(stack, stage, { zone, raisedS });
      stack.use(
        keepApart(
          cast.apart,
          services.map(({ name, ttlS }) => ({ hostname: `${name}.${zone}`, ttlS })),
        ),
      );
      for (let i = 1; i <= runCount; i += 1) {
        trials.push(...(await play(stage, cast, i)));
        if (i === runCount) break;
        await stage.switch(names, 'old');
        await sleepMs((raisedS + 3) * 1000);
        // Those that give what has ended once more before they ask do so now.
        await Promise.all(
          cast.plain.flatMap((server) =>
            names.map((name) => askPlainly(server, { name: `${name}.${zone}`, type: 'A' }, 1000)),
          ),
        );
      }
    }, 200_000 * runCount);
    afterAll(() => stack.disposeAsync());

    async function play(stage: Stage, { actors, door }: Cast, number: number): Promise<Trial[]> {
      const lines = services.flatMap(({ name }) => [...stage.switchLines([name], 'new'), `sleep ${nextS}`]);
      const scenario = stage.scenario(
        services.map(({ name }) => stage.service(name)),
        { baselineS, tailS: 7 },
        { defaults: { ratePerSecond }, resolvers: actors.map(({ input }) => input), clients: ['fresh'] },
      );
      await using running = await startRun(scenario, { args: ['--', await stage.script('switch.sh', lines)] });
      await running.probing();
      await sleepMs(cutOffS.from * 1000);
      await door.shut();
      await sleepMs((cutOffS.to - cutOffS.from) * 1000);
      await door.open();
      const run = await finish(running);
      const log = await stage.named.log();
      const evidence = readEvidence(run.path);
      return actors.flatMap(({ name, from }) =>
        services.map(({ name: service }): Trial => {
          const hostname = `${service}.${zone}`;
          const move = moveOf(log, hostname, from);
          if (move === null) throw new Error(`${hostname} was never changed: ${run.output}`);
          const lane = run.report.lanes.find((one) => one.resolver === name && one.service === service);
          if (lane === undefined) throw new Error(`no lane of ${service} and ${name}`);
          const span = { fromMs: move.changedMs, toMs: Math.max(...move.fetchedMs.map((atMs) => atMs ?? NaN)) };
          return {
            title: `run ${number}, ${hostname}`,
            resolver: resolverOf(run, name, hostname),
            move,
            looks: looksAtResolver(evidence, { resolver: name, service }, span),
            authorityPollMs: authorityPollMs(evidence.entries, hostname, newAddress),
            reasons: Object.keys(lane.oldAfterChange),
          };
        }),
      );
    }

    const trialsOf = (name: string): readonly Trial[] => {
      const found = trials.filter(({ resolver }) => resolver.name === name);
      expect(found).toHaveLength(services.length * runCount);
      return found;
    };

    test.for([
      ['unbound', 'honest', 1, []],
      ['unbound-tls', 'honest', 1, []],
      ['unbound-https', 'honest', 1, []],
      ['unbound-cut-off', 'honest', 1, []],
      ['bind', 'honest', 1, []],
      ['dnsmasq', 'honest', 1, []],
      ['pdns', 'honest', 1, []],
      ['dnsdist', 'honest', 2, []],
      ['dnsdist-cached', 'honest', 1, []],
      ['unbound-min', 'raises-ttl', 1, ['resolver-raises-ttl']],
      ['dnsmasq-min', 'raises-ttl', 1, ['resolver-raises-ttl']],
      ['unbound-original', 'constant-ttl', null, []],
      ['unbound-stale-first', 'serves-stale', 1, []],
      ['unbound-stale', 'serves-stale', 1, []],
      ['bind-stale', 'serves-stale', 1, []],
      ['dnsmasq-stale', 'serves-stale', 1, []],
    ] as [string, ReportResolver['conduct']['kind'], number | null, string[]][])(
      '%s: %s, of every hostname',
      ([name, kind, caches, warned]) => {
        // Whether an entry ended just after the change, so that it was given once more or kept too long, is chance.
        const isChance: Readonly<Record<string, string>> = {
          'raises-ttl': 'resolver-violates-ttl',
          'serves-stale': 'resolver-serves-stale',
        };
        const wrong = trialsOf(name).flatMap(({ title, resolver, reasons }) => {
          const kinds = resolver.findings.filter(({ severity }) => severity === 'warn').map((finding) => finding.kind);
          const found = {
            kind: resolver.conduct.kind,
            caches: resolver.caches,
            warned: kinds.filter((one) => one !== isChance[kind]),
            reasons: kind === 'honest' ? reasons.filter((reason) => reason !== 'within-ttl') : [],
          };
          const isRight = JSON.stringify(found) === JSON.stringify({ kind, caches, warned, reasons: [] });
          return isRight ? [] : [`${title}: ${JSON.stringify(found)}`];
        });
        expect(wrong).toEqual([]);
      },
    );

    test('by how much TTLs are raised; dnsmasq passes on what it fetches as it came, and its own TTL is seen a poll later', () => {
      const clamps = (name: string): readonly (number | null)[] => [
        ...new Set(trialsOf(name).map(({ resolver }) => resolver.conduct.clampS)),
      ];
      expect(clamps('unbound-min')).toEqual([raisedS]);
      for (const clampS of clamps('dnsmasq-min')) {
        expect(clampS).toBeGreaterThanOrEqual(raisedS - 2);
        expect(clampS).toBeLessThanOrEqual(raisedS);
      }
    });

    // Of dnsdist with a cache of its own the authority's log does not tell when that cache asked.
    test.for([
      'unbound',
      'unbound-tls',
      'unbound-https',
      'unbound-min',
      'unbound-original',
      'unbound-stale-first',
      'unbound-stale',
      'unbound-cut-off',
      'bind',
      'bind-stale',
      'dnsmasq',
      'dnsmasq-min',
      'dnsmasq-stale',
      'pdns',
      'dnsdist',
    ])('%s left the old side when the authority’s log says so', (name) => {
      const wrong = trialsOf(name).flatMap((trial) => differences(trial).map((text) => `${trial.title}: ${text}`));
      expect(wrong).toEqual([]);
    });
  },
);

function resolverOf({ report }: FinishedRun, name: string, hostname: string): ReportResolver {
  const found = report.resolvers.find((one) => one.name === name && one.hostname === hostname);
  if (found === undefined) throw new Error(`no resolver ${name} for ${hostname}`);
  return found;
}

/** What a busy machine adds to what the evidence knows. */
const busyMs = 500;

/**
 * Where a report is further from the authority's log than a poll of the authority and one of the resolver, of which every
 * other one meets the same cache where there are two.
 */
function differences({ resolver, move, looks, authorityPollMs: authorityMs }: Trial): readonly string[] {
  const { changedMs, fetchedMs } = move;
  const roomMs = authorityMs + fetchedMs.length * looks.apartMs + looks.answerMs + busyMs;
  const known = fetchedMs.filter((atMs) => atMs !== null).toSorted((a, b) => a - b);
  if (known.length < fetchedMs.length) return ['a cache that has never asked for the new record'];
  const [firstMs, lastMs] = [known[0] ?? NaN, known.at(-1) ?? NaN];
  const took = lastMs - changedMs;
  const { convergedMs, convergedMsMax, firstNewAt, lastOldAt, byCache } = resolver;
  // Between the end of what it had and its way back to the authority it gave neither side.
  const wasMute = resolver.name === 'unbound-cut-off';
  const gaps: readonly (readonly [what: string, ms: number, min: number, max: number])[] = [
    ['firstNewAt', ms(firstNewAt) - firstMs, -busyMs, roomMs],
    ['lastOldAt', ms(lastOldAt) - lastMs, wasMute ? -Infinity : -roomMs, busyMs],
    ['convergedMs', (convergedMs ?? NaN) - took, wasMute ? -Infinity : -roomMs, busyMs],
    ['convergedMsMax', (convergedMsMax ?? NaN) - took, -busyMs, roomMs],
    ...(known.length < 2 ? [] : byCache.map((cache) => ms(cache.firstNewAt)).toSorted((a, b) => a - b)).map(
      (newMs, i) => ['firstNewAt of a cache', newMs - (known[i] ?? NaN), -busyMs, roomMs] as const,
    ),
  ];
  return gaps
    .filter(([, gapMs, min, max]) => !(gapMs >= min && gapMs <= max))
    .map(([what, gapMs]) => `${what} ${Math.round(gapMs)} ms from the truth`);
}
