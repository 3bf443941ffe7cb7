/**
 * The incident that cutwatch was written for: the records are switched, and the old side is turned off at once, while
 * caches still lead to it. How long each client must be down follows from who caches what; the test asks unbound itself,
 * again and again, and so knows when its answer expired.
 */
import { Resolver } from 'node:dns/promises';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../src/report/report-json.ts';
import { startRun } from './cutwatch-run.ts';
import { deciding, finish, laneOf, ms, serviceOf, statesOf, type FinishedRun } from './finished-run.ts';
import { describeReal } from './servers/describe-real.ts';
import { keepInstant, readInstant, startStage, type Stage } from './stage.ts';

const ttlS = 20;
const intervalMs = 1000 / 3;
/** Lanes share an answer of the resolver for so long. */
const pollMs = 1000;
/** A slot may be sent late, and an instant in a report is rounded, on a machine that is busy. */
const roomMs = 400;

type Outage = Report['lanes'][number]['outages'][number];
/** In wall clock ms: not before and not after. */
type Bracket = readonly [from: number, to: number];

describeReal('the old side is turned off right after the switch', ['nginx', 'named', 'nsupdate', 'unbound'], () => {
  const stack = new AsyncDisposableStack();
  let run: FinishedRun;
  let stopped: Bracket;
  let expired: Bracket;

  beforeAll(async () => {
    const stage = stack.use(await startStage({ orders: 'old' }, ttlS));
    const [masterPid = 0] = stage.old.pids;
    const script = await stage.script('switch-and-stop.sh', [
      ...stage.switchLines(['orders'], 'new'),
      keepInstant('stop-begun'),
      `kill -TERM ${masterPid}`,
      `while kill -0 ${masterPid} 2>/dev/null; do sleep 0.02; done`,
      keepInstant('stopped'),
    ]);
    const scenario = stage.scenario(
      [stage.service('orders')],
      {},
      { name: 'founding', clients: ['fresh', 'keep-alive', 'jvm-30', 'jvm-forever'] },
    );
    const started = stack.use(await startRun(scenario, { args: ['--', script] }));
    const watched = watchExpiry(stage);
    run = await finish(started);
    expired = await watched.end();
    stopped = [await readInstant(stage, 'stop-begun'), await readInstant(stage, 'stopped')];
  }, 150_000);
  afterAll(() => stack.disposeAsync());

  test('misses its objectives: exit 3, and the verdict says by what', () => {
    expect(run.exitCode).toBe(3);
    expect(run.report.verdict.value).toBe('fail');
    expect(deciding(run)).toEqual(expect.arrayContaining(['outageMsMax', 'downtimeMsMax']));
    // The move itself went well, and everybody who follows DNS arrived.
    const service = serviceOf(run, 'orders');
    expect(service).toMatchObject({ outcome: 'completed', verdict: 'fail' });
    expect(service.ttlS.after).toBe(ttlS);
    expect(service.tail.isWhole).toBe(true);
  });

  test('fresh and keep-alive are down from the stop until the answer in unbound expires', () => {
    expect(expired[1] - stopped[1]).toBeGreaterThan(2 * roomMs);
    for (const client of ['fresh', 'keep-alive']) {
      const lane = laneOf(run, 'orders', client);
      expect(statesOf(lane)).toEqual(['old', 'down', 'new']);
      const outage = onlyOutageOf(client);
      // An answer may be a poll older than unbound's.
      const truth = { min: expired[0] - stopped[1], max: expired[1] + pollMs - stopped[0] };
      expect(outage.downMsMin).toBeLessThanOrEqual(truth.max + roomMs);
      expect(outage.downMsMax).toBeGreaterThanOrEqual(truth.min);
      expect(outage.faultMsMax).toBeGreaterThanOrEqual(truth.min);
      expect(outage.downMsMax - outage.downMsMin).toBeLessThanOrEqual((2.1 + unseenCountOf(client)) * intervalMs);
      expect(ms(outage.lastGoodAt)).toBeLessThanOrEqual(stopped[1]);
      expect(ms(outage.firstFailedAt)).toBeGreaterThanOrEqual(stopped[0] - roomMs);
      expect(ms(outage.lastFailedAt)).toBeLessThanOrEqual(expired[1] + pollMs + roomMs);
      expect(ms(outage.firstGoodAt)).toBeGreaterThanOrEqual(expired[0]);
      expect(outage).toMatchObject({ openAtEnd: false, side: 'old', phase: 'switching' });
      expect(Object.keys(outage.causes).filter((cause) => cause !== 'kept-connection')).toEqual(['stale-answer']);
    }
  });

  test('jvm-30 is down longer, until 30 s after it asked', () => {
    const outage = onlyOutageOf('jvm-30');
    expect(outage.downMsMin).toBeGreaterThan(onlyOutageOf('fresh').downMsMax);
    const baseline = serviceOf(run, 'orders').phases.find((phase) => phase.name === 'baseline');
    const askedMs = ms(baseline?.fromAt);
    expect(ms(outage.firstGoodAt)).toBeGreaterThanOrEqual(askedMs + 30_000);
    expect(ms(outage.lastFailedAt)).toBeLessThanOrEqual(askedMs + 30_000 + pollMs + intervalMs + roomMs);
    expect(outage.causes).toEqual({ 'stale-answer': outage.failedCount });
    expect(statesOf(laneOf(run, 'orders', 'jvm-30'))).toEqual(['old', 'down', 'new']);
  });

  test('jvm-forever is down to the end, is not judged, and is told from those with a stale answer', () => {
    const outage = onlyOutageOf('jvm-forever');
    expect(outage).toMatchObject({ openAtEnd: true, firstGoodAt: null, causes: { pinned: outage.failedCount } });
    expect(laneOf(run, 'orders', 'jvm-forever').judged).toBe(false);
  });

  test('the sides themselves are told apart: the old one is down, the new one never was', () => {
    expect(statesOf(laneOf(run, 'orders', 'side:old'))).toEqual(['old', 'down']);
    expect(statesOf(laneOf(run, 'orders', 'side:new'))).toEqual(['new']);
  });

  test('the impact on the service is that of the client hit worst', () => {
    const { impact } = serviceOf(run, 'orders');
    const { downMsMin, downMsMax } = onlyOutageOf('jvm-30');
    expect(impact.downtimeMs).toEqual({ min: downMsMin, max: downMsMax });
    expect(impact.userWeightedMs.min).toBeLessThan(downMsMin);
    expect(impact.userWeightedMs.min).toBeGreaterThan(onlyOutageOf('keep-alive').downMsMin);
    expect(impact.weightsAssumed).toBe(true);
  });

  test('people read who was down, how long, why, and what should have been done', () => {
    for (const text of [run.output, run.markdown]) {
      expect(text).toContain(
        'Clients of orders were down while it moved from ALB/ECS to nginx/EKS: the one hit worst for',
      );
      expect(text).toContain('3 of 3 judged lanes of orders were down: orders jvm-30 via unbound,');
      expect(text).toMatch(/orders fresh via unbound: between [\d.]+ s and [\d.]+ s, from /);
      expect(text).toContain('Java and Kotlin services with the default DNS cache of OpenJDK');
      expect(text).toContain('the DNS answer they held still named the side left (ALB/ECS), which no longer answered');
      expect(text).toMatch(
        /Keep ALB\/ECS answering after the switch until the last cached answer has expired: here until [\d:.]+ UTC, at least 50 s after the switch: TTL 20 s and 30 s that jvm-30 keeps an answer\. Turn it off only then/,
      );
      expect(text).toMatch(/old [\d.]+ s · DOWN [\d.]+ s · new [\d.]+ s/);
    }
  });

  test('had the old side been left on for as long as the report says, nobody would have been down', () => {
    const leftByMs = Math.max(...['fresh', 'jvm-30'].map((client) => ms(laneOf(run, 'orders', client).leavesOldBy.at)));
    for (const client of ['fresh', 'keep-alive', 'jvm-30']) {
      expect(ms(onlyOutageOf(client).firstGoodAt)).toBeLessThanOrEqual(leftByMs);
    }
  });

  function onlyOutageOf(client: string): Outage {
    const { outages } = laneOf(run, 'orders', client);
    const [outage] = outages;
    expect(outages).toHaveLength(1);
    if (outage === undefined) throw new Error(`${client} had no outage`);
    return outage;
  }

  function unseenCountOf(client: string): number {
    const { due, good, failed } = laneOf(run, 'orders', client).slots;
    return due - good - failed;
  }
});

/** Asks unbound for the record every few ms, from now on. */
function watchExpiry({ unbound }: Stage): { end(): Promise<Bracket> } {
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([`${unbound.address}:${unbound.port}`]);
  let isOver = false;
  let lastOldMs = NaN;
  let firstNewMs = NaN;
  const done = (async () => {
    while (!isOver && Number.isNaN(firstNewMs)) {
      const askedMs = Date.now();
      const [address] = await resolver.resolve4('orders.shop.test');
      if (address === '127.0.1.1') lastOldMs = askedMs;
      else firstNewMs = Date.now();
      await sleepMs(25);
    }
  })();
  return {
    end: async () => {
      isOver = true;
      await done;
      return [lastOldMs, firstNewMs];
    },
  };
}
