/**
 * One cutover, and Unbound, BIND and dnsmasq side by side as its resolvers, each with a conduct of its own: each is called
 * what its configuration makes it, and those that do as they should are accused of nothing.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReportResolver } from '../../src/report/shape.ts';
import { startRun } from './cutwatch-run.ts';
import { finish, type FinishedRun } from './finished-run.ts';
import { describeReal } from './servers/describe-real.ts';
import { startDnsDoor } from './servers/dns-door.ts';
import { startDnsmasq } from './servers/dnsmasq.ts';
import { startNamedResolver } from './servers/named-resolver.ts';
import { startUnbound } from './servers/unbound.ts';
import { startStage } from './stage.ts';

const zone = 'shop.test';
const ttlS = 7;
/** The record's TTL is raised to this by those that do so. */
const raisedS = 17;
const baselineS = 3 * raisedS;
/** Some lose their way to the authority before the change, and find it again after. */
const cutOffS = { from: baselineS - 6, to: baselineS + 14 };

describeReal(
  'what real resolvers do with TTLs',
  ['nginx', 'named', 'nsupdate', 'unbound', 'dnsmasq', 'openssl'],
  () => {
    const stack = new AsyncDisposableStack();
    let run: FinishedRun;

    beforeAll(async () => {
      const stage = stack.use(await startStage({ orders: 'old' }, ttlS));
      const door = stack.use(await startDnsDoor(stage.named));
      const unbound = async (...more: string[]) =>
        stack.use(await startUnbound({ zone, authorities: [stage.named], more }));
      const unboundBehind = async (...more: string[]) =>
        stack.use(await startUnbound({ zone, authorities: [door], more }));
      const dnsmasq = async (...more: string[]) =>
        stack.use(await startDnsmasq({ zone, authority: stage.named, more }));
      const servers = {
        unbound: await unbound(),
        'unbound-min': await unbound(`cache-min-ttl: ${raisedS}`),
        'unbound-original': await unbound('serve-original-ttl: yes'),
        'unbound-stale-first': await unbound('serve-expired: yes'),
        'unbound-stale': await unboundBehind('serve-expired: yes', 'serve-expired-client-timeout: 300'),
        'unbound-cut-off': await unboundBehind(),
        bind: stack.use(await startNamedResolver({ zone, authority: stage.named })),
        'bind-stale': stack.use(
          await startNamedResolver({
            zone,
            authority: door,
            more: ['stale-cache-enable yes;', 'stale-answer-enable yes;'],
          }),
        ),
        dnsmasq: await dnsmasq(),
        'dnsmasq-min': await dnsmasq(`--min-cache-ttl=${raisedS}`),
        'dnsmasq-stale': await dnsmasq('--use-stale-cache'),
      };
      const resolvers = Object.entries(servers).map(([name, { address, port }]) => ({
        name,
        address: `${address}:${port}`,
      }));
      const script = await stage.script('switch.sh', stage.switchLines(['orders'], 'new'));
      const scenario = stage.scenario(
        [stage.service('orders')],
        { baselineS, tailS: 9 },
        { defaults: { ratePerSecond: 1.3 }, resolvers, clients: ['fresh'] },
      );
      const running = stack.use(await startRun(scenario, { args: ['--', script] }));
      await running.probing();
      await sleepMs(cutOffS.from * 1000);
      await door.shut();
      await sleepMs((cutOffS.to - cutOffS.from) * 1000);
      await door.open();
      run = await finish(running);
    }, 240_000);
    afterAll(() => stack.disposeAsync());

    function resolverOf(name: string): ReportResolver {
      const found = run.report.resolvers.find((resolver) => resolver.name === name);
      if (found === undefined)
        throw new Error(`no resolver ${name}: ${run.report.resolvers.map((one) => one.name).join()}`);
      return found;
    }

    test.for([
      ['unbound', 'honest', []],
      ['unbound-cut-off', 'honest', []],
      ['bind', 'honest', []],
      ['dnsmasq', 'honest', []],
      ['unbound-min', 'raises-ttl', ['resolver-raises-ttl']],
      ['dnsmasq-min', 'raises-ttl', ['resolver-raises-ttl']],
      ['unbound-original', 'constant-ttl', []],
      ['unbound-stale-first', 'serves-stale', []],
      ['unbound-stale', 'serves-stale', ['resolver-serves-stale']],
      ['bind-stale', 'serves-stale', ['resolver-serves-stale']],
      ['dnsmasq-stale', 'serves-stale', []],
    ] as [string, ReportResolver['conduct']['kind'], string[]][])('%s: %s', ([name, kind, warned]) => {
      const { conduct, caches, findings } = resolverOf(name);
      expect({ name, kind: conduct.kind, caches }).toEqual({ name, kind, caches: kind === 'constant-ttl' ? null : 1 });
      const kinds = findings.filter(({ severity }) => severity === 'warn').map((finding) => finding.kind);
      // Whether an entry ended just after the change, so that it was given once more or kept too long, is chance.
      const isChance: Readonly<Record<string, string>> = {
        'raises-ttl': 'resolver-violates-ttl',
        'serves-stale': 'resolver-serves-stale',
      };
      expect(kinds.filter((one) => one !== isChance[kind] || warned.includes(one))).toEqual(warned);
    });

    test('by how much TTLs are raised; dnsmasq passes on what it fetches as it came, and its own TTL is seen a poll later', () => {
      expect(resolverOf('unbound-min').conduct.clampS).toBe(raisedS);
      expect(resolverOf('dnsmasq-min').conduct.clampS).toBeGreaterThanOrEqual(raisedS - 2);
      expect(resolverOf('dnsmasq-min').conduct.clampS).toBeLessThanOrEqual(raisedS);
    });

    test('nobody who was cut off and gave no stale answers is told to have kept the old side', () => {
      const reasons = run.report.lanes
        .filter(({ resolver }) => ['unbound', 'unbound-cut-off', 'bind', 'dnsmasq'].includes(resolver ?? ''))
        .flatMap((lane) => Object.keys(lane.oldAfterChange));
      expect(reasons.filter((reason) => reason !== 'within-ttl')).toEqual([]);
    });
  },
);
