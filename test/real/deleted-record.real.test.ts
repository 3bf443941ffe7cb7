/**
 * A cutover by DELETE and CREATE instead of one step: for 4 s there is no record, and resolvers remember that for as long as
 * the zone's SOA says. Unbound, BIND, dnsmasq and PowerDNS Recursor keep their users down for longer than the gap; the
 * report calls it what it is. Truth is in the authority's log.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReportLane } from '../../src/report/shape.ts';
import { startRun } from './cutwatch-run.ts';
import { finish, ms, type FinishedRun } from './finished-run.ts';
import { describeReal } from './servers/describe-real.ts';
import { startDnsmasq } from './servers/dnsmasq.ts';
import type { NamedEvent } from './servers/named-log.ts';
import { startNamedResolver } from './servers/named-resolver.ts';
import { startPdnsRecursor } from './servers/pdns-recursor.ts';
import { startUnbound } from './servers/unbound.ts';
import { startStage } from './stage.ts';

const zone = 'shop.test';
const hostname = `orders.${zone}`;
/** Shorter than the gap, so that every resolver asks in it. */
const ttlS = 3;
const gapMs = 4300;
const baselineS = 7;
/** The lesser of the two counts. */
const absenceS = { ttl: 17, minimum: 9 };
/** A look a second at the authority, as often at each resolver, and whole seconds in both. */
const roomMs = 3000;

describeReal(
  'a record that is deleted and created again',
  ['nginx', 'named', 'nsupdate', 'unbound', 'dnsmasq', 'pdns_recursor', 'openssl'],
  () => {
    const stack = new AsyncDisposableStack();
    const from = { unbound: '127.0.6.1', bind: '127.0.6.2', dnsmasq: '127.0.6.3', pdns: '127.0.6.4' };
    const names = Object.keys(from) as (keyof typeof from)[];
    let run: FinishedRun;
    let log: readonly NamedEvent[] = [];

    beforeAll(async () => {
      const stage = stack.use(await startStage({ orders: 'old' }, ttlS, absenceS));
      const authority = stage.named;
      const servers = {
        unbound: stack.use(
          await startUnbound({ zone, authorities: [authority], more: [`outgoing-interface: ${from.unbound}`] }),
        ),
        bind: stack.use(await startNamedResolver({ zone, authority, from: from.bind })),
        dnsmasq: stack.use(await startDnsmasq({ zone, authority, from: from.dnsmasq })),
        pdns: stack.use(await startPdnsRecursor({ zone, authority, from: from.pdns })),
      };
      const resolvers = names.map((name) => ({ name, address: `${servers[name].address}:${servers[name].port}` }));
      const scenario = stage.scenario([stage.service('orders')], { baselineS }, { resolvers, clients: ['fresh'] });
      const running = stack.use(await startRun(scenario));
      await running.probing();
      await sleepMs(baselineS * 1000 + 1000);
      await authority.update(`update delete ${hostname}. A`);
      await sleepMs(gapMs);
      await authority.update(`update add ${hostname}. ${ttlS} A 127.0.2.1`);
      run = await finish(running);
      log = await authority.log();
    }, 120_000);
    afterAll(() => stack.disposeAsync());

    const at = (kind: NamedEvent['kind']): number =>
      log.find((event) => event.kind === kind && event.name === hostname && event.type === 'A')?.atMs ?? NaN;
    const laneOf = (resolver: string): ReportLane => {
      const lane = run.report.lanes.find((one) => one.client === 'fresh' && one.resolver === resolver);
      if (lane === undefined) throw new Error(`no lane of ${resolver}: ${run.output}`);
      return lane;
    };

    test('is found, with the length of the gap and how long it is remembered', () => {
      const [gap, ...more] = run.report.findings.filter(({ kind }) => kind === 'record-gap');
      expect(more).toEqual([]);
      expect(gap?.service).toBe('orders');
      expect(gap?.text).toContain('for up to 9 s more');
      const [, saidS] = /at most ([\d.]+) s,/.exec(gap?.text ?? '') ?? [];
      const trueMs = at('added') - at('deleted');
      expect(Number(saidS) * 1000).toBeGreaterThan(trueMs - 100);
      expect(Number(saidS) * 1000).toBeLessThan(trueMs + roomMs);
      expect(run.markdown).toContain(gap?.text);
    });

    test.for(names)('%s keeps its users down from the gap on, until what it remembers has ended', (name) => {
      const inGap = log.filter(
        (event) => event.kind === 'asked' && event.client === from[name] && event.name === hostname,
      );
      const askedMs = inGap.find(({ atMs }) => atMs > at('deleted') && atMs < at('added'))?.atMs ?? NaN;
      const endsMs = askedMs + absenceS.minimum * 1000;
      const { outages } = laneOf(name);
      expect(outages).toHaveLength(1);
      const [outage] = outages;
      expect(Object.keys(outage?.causes ?? {})).toEqual(['dns-failed']);
      expect(Object.keys(outage?.classes ?? {})).toEqual(['dns-nxdomain']);
      expect(ms(outage?.firstFailedAt) - askedMs).toBeGreaterThan(-roomMs);
      expect(ms(outage?.firstFailedAt) - askedMs).toBeLessThan(roomMs);
      expect(ms(outage?.firstGoodAt) - endsMs).toBeGreaterThan(-roomMs);
      expect(ms(outage?.firstGoodAt) - endsMs).toBeLessThan(roomMs);
      expect(ms(outage?.firstGoodAt)).toBeGreaterThan(at('added'));
      const resolver = run.report.resolvers.find((one) => one.name === name);
      expect(resolver?.findings.map(({ kind }) => kind)).toEqual(['resolver-remembers-absence']);
      expect(resolver?.findings[0]?.text).toContain('remembered for 9 s');
    });

    test('is what the verdict fails for', () => {
      expect(run.report.verdict.value).toBe('fail');
    });
  },
);
