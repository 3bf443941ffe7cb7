/**
 * Cutovers that go well, one that is taken back, and one that flaps: each a run of its own beside the others, of services
 * with records of their own, on the same servers. The truth is what the scripts wrote down.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRun } from './cutwatch-run.ts';
import { deciding, finish, laneOf, ms, serviceOf, statesOf, unwrapped, type FinishedRun } from './finished-run.ts';
import { describeReal } from './servers/describe-real.ts';
import { cutwatch, keepInstant, readInstant, startStage, type Stage } from './stage.ts';

const ttlS = 5;
const intervalMs = 1000 / 3;
/** Lanes share a poll for so long; authorities are polled as often. */
const pollMs = 1000;
/** A slot may be sent late, and an instant in a report is rounded, on a machine that is busy. */
const roomMs = 400;

/** Clocks that count whole ms. */
const clockMs = 2;

const reportFiles = ['report.json', 'report.md', 'report.html', 'junit.xml'] as const;

describeReal('cutovers by DNS', ['nginx', 'named', 'nsupdate', 'unbound', 'openssl'], () => {
  const stack = new AsyncDisposableStack();
  let stage: Stage;
  let clean: FinishedRun;
  let takenBack: FinishedRun;
  let flapped: FinishedRun;
  let rollback: FinishedRun;

  async function startClean(): Promise<FinishedRun> {
    const names = ['orders', 'pay'];
    const script = await stage.script('switch.sh', [
      keepInstant('switch-begun'),
      ...stage.switchLines(names, 'new'),
      keepInstant('switched'),
    ]);
    const scenario = stage.scenario(
      [stage.service('orders'), stage.service('pay', 'https')],
      {},
      {
        clients: ['fresh', 'keep-alive', 'jvm-forever'],
      },
    );
    return finish(stack.use(await startRun(scenario, { args: ['--', script] })));
  }

  /** On the new side for some seconds, then back for good. */
  async function startTakenBack(): Promise<FinishedRun> {
    const script = await stage.script('there-and-back.sh', [
      ...stage.switchLines(['back'], 'new'),
      'sleep 7',
      keepInstant('back-begun'),
      ...stage.switchLines(['back'], 'old'),
      keepInstant('back'),
    ]);
    const scenario = stage.scenario([stage.service('back')], { tailS: 11 }, { clients: ['fresh'] });
    return finish(stack.use(await startRun(scenario, { args: ['--', script] })));
  }

  async function startFlapping(): Promise<FinishedRun> {
    const script = await stage.script('flap.sh', [
      ...stage.switchLines(['flap'], 'new'),
      'sleep 0.5',
      ...stage.switchLines(['flap'], 'old'),
      'sleep 0.5',
      ...stage.switchLines(['flap'], 'new'),
    ]);
    const scenario = stage.scenario([stage.service('flap')], {}, { clients: ['fresh'] });
    return finish(stack.use(await startRun(scenario, { args: ['--', script] })));
  }

  /** The way back of a service that is on the new side, from the very scenario of its cutover. */
  async function startRollback(): Promise<FinishedRun> {
    const script = await stage.script('roll-back.sh', [
      keepInstant('rollback-begun'),
      ...stage.switchLines(['rolled'], 'old'),
      keepInstant('rolled-back'),
    ]);
    const scenario = stage.scenario([stage.service('rolled')], {}, { clients: ['fresh'] });
    return finish(stack.use(await startRun(scenario, { args: ['--rollback', '--', script] })));
  }

  beforeAll(async () => {
    stage = stack.use(await startStage({ orders: 'old', pay: 'old', back: 'old', flap: 'old', rolled: 'new' }, ttlS));
    // It is taken back because the new side does not serve it.
    await stage.new.reload({ answer: 'if ($host = rolled.shop.test) { return 503; } return 200 "ok\\n";' });
    [clean, takenBack, flapped, rollback] = await Promise.all([
      startClean(),
      startTakenBack(),
      sleepMs(300).then(startFlapping),
      sleepMs(600).then(startRollback),
    ]);
  }, 120_000);
  afterAll(() => stack.disposeAsync());

  describe('at TTL 5, with every client healthy', () => {
    test('passes, with no outage anywhere', () => {
      expect(clean.output).toContain(
        'PASS All 2 services moved from ALB/ECS to nginx/EKS, and no judged client was down.',
      );
      expect(clean.exitCode).toBe(0);
      expect(clean.report.verdict.value).toBe('pass');
      expect(clean.report.run).toMatchObject({ mode: 'cutover', isWhole: true, endedBecause: 'tail-watched' });
      const troubles = clean.report.lanes.flatMap((lane) => [...lane.outages, ...lane.impaired, ...lane.bursts]);
      expect(troubles).toEqual([]);
      expect(clean.report.lanes.map((lane) => lane.slots.failed)).toEqual(clean.report.lanes.map(() => 0));
      // Two services, each with three clients and a lane for each side.
      expect(clean.report.lanes).toHaveLength(10);
      expect(clean.report.lanes.filter((lane) => lane.role === 'client' && !lane.qualified)).toEqual([]);
    });

    test.for(['orders', 'pay'])(
      '%s: the change is dated by four words, and the truth lies between them',
      async (name) => {
        const [begunMs, switchedMs] = await instants('switch-begun', 'switched');
        const service = serviceOf(clean, name);
        expect(service.outcome).toBe('completed');
        expect(service.changes).toHaveLength(1);
        const [change] = service.changes;
        if (change === undefined) return;
        expect(change).toMatchObject({ direction: 'old-to-new', markedAt: null, isEvident: true });
        expect(ms(change.commandFromAt)).toBeLessThanOrEqual(begunMs + clockMs);
        expect(ms(change.commandToAt)).toBeGreaterThanOrEqual(switchedMs - clockMs);
        // The authority changed in between, at the latest when nsupdate returned, and was heard at the next poll.
        for (const at of [change.authorityFirstAt, change.authorityLastAt]) {
          expect(ms(at)).toBeGreaterThanOrEqual(begunMs - clockMs);
          expect(ms(at)).toBeLessThan(switchedMs + pollMs + roomMs);
        }
        expect(ms(change.identityAt)).toBeGreaterThan(begunMs - roomMs);
        expect(change.usedBy).toBe('command');
        expect(change.usedAt).toBe(change.commandFromAt);
        expect(service.phases.map((phase) => phase.name)).toEqual(['baseline', 'switching', 'tail']);
        expect(service.tail).toMatchObject({ askedS: 6, isWhole: true });
        expect(service.ttlS.after).toBe(ttlS);
      },
    );

    test.for(['orders', 'pay'])('%s: fresh is on new within TTL, one interval and one poll', async (name) => {
      const [begunMs, switchedMs] = await instants('switch-begun', 'switched');
      const lane = laneOf(clean, name, 'fresh');
      const latestMs = switchedMs + ttlS * 1000 + intervalMs + pollMs + roomMs;
      expect(ms(lane.firstNewAt)).toBeGreaterThan(begunMs - roomMs);
      expect(ms(lane.firstNewAt)).toBeLessThan(latestMs);
      expect(ms(lane.lastOldAt)).toBeLessThan(latestMs);
      expect(ms(lane.lastOldAt)).toBeLessThanOrEqual(ms(lane.leavesOldBy.at));
      expect(lane.sides).toMatchObject({ unknown: 0, conflict: 0 });
      expect(Object.keys(lane.oldAfterChange).filter((reason) => reason !== 'within-ttl')).toEqual([]);
      expect(statesOf(lane)).toEqual(['old', 'new']);
    });

    test.for([
      { client: 'keep-alive', reason: 'kept-connection', why: 'not before the server closes its connection' },
      { client: 'jvm-forever', reason: 'application-cache', why: 'never by itself: it asks once and needs a restart' },
    ] as const)('$client stays on old to the end, and the report says so', ({ client, reason, why }) => {
      for (const name of ['orders', 'pay']) {
        const lane = laneOf(clean, name, client);
        expect(lane.sides).toMatchObject({ new: 0, unknown: 0, conflict: 0 });
        expect(lane.oldAfterChange[reason]).toBeGreaterThan(10);
        expect(lane.leavesOldBy).toEqual({ at: null, why });
        expect(clean.report.findings).toContainEqual(
          expect.objectContaining({ kind: 'stays-behind', service: name, text: expect.stringContaining(client) }),
        );
        expect(clean.markdown).toMatch(new RegExp(`Leave ALB/ECS running: at the end it still served .*${lane.name}`));
      }
      expect(clean.markdown).toContain(why);
    });

    test('a CI server reads no failure', async () => {
      const junit = await readFile(join(clean.path, 'junit.xml'), 'utf8');
      expect(junit).toMatch(/<testsuites name="cutover" tests="\d+" failures="0" errors="0"/);
      expect(junit).not.toContain('<failure');
    });

    test('the same evidence, judged or reported again, gives the same bytes', async () => {
      const { path } = clean;
      const read = (): Promise<readonly string[]> =>
        Promise.all(reportFiles.map((name) => readFile(join(path, name), 'utf8')));
      const first = await read();
      const judged = await cutwatch('judge', path, '--json');
      expect(judged).toMatchObject({ exitCode: 0, stdout: first[0] });
      expect(clean.output).toContain(unwrapped(judged.stderr));
      expect(await read()).toEqual(first);
      expect(await cutwatch('report', path)).toMatchObject({ exitCode: 0, stdout: '' });
      expect(await read()).toEqual(first);
      expect(await cutwatch('report', path, '--format', 'md')).toMatchObject({ exitCode: 0, stdout: first[1] });
    });
  });

  describe('a switchover that is taken back while it is watched', () => {
    test('fails, whatever its downtime', () => {
      expect(takenBack.exitCode).toBe(3);
      expect(takenBack.report.verdict.value).toBe('fail');
      expect(deciding(takenBack)).toEqual(['rolled-back']);
      expect(laneOf(takenBack, 'back', 'fresh').outages).toEqual([]);
      expect(takenBack.markdown).toContain('The switch was taken back: the service ended on the side it came from.');
    });

    test('is two changes, one each way, each dated around the truth', async () => {
      const [begunMs, backMs] = await instants('back-begun', 'back');
      const service = serviceOf(takenBack, 'back');
      expect(service.outcome).toBe('rolled-back');
      expect(service.changes.map((change) => change.direction)).toEqual(['old-to-new', 'new-to-old']);
      const back = service.changes[1];
      for (const at of [back?.authorityFirstAt, back?.authorityLastAt]) {
        expect(ms(at)).toBeGreaterThanOrEqual(begunMs - clockMs);
        expect(ms(at)).toBeLessThan(backMs + pollMs + roomMs);
      }
      // Nobody said beforehand that it would go back: it counts from the last poll on that did not show it.
      expect(ms(back?.usedAt)).toBeGreaterThan(begunMs - pollMs - roomMs);
      expect(ms(back?.usedAt)).toBeLessThanOrEqual(ms(back?.authorityFirstAt));
      expect(statesOf(laneOf(takenBack, 'back', 'fresh'))).toEqual(['old', 'new', 'old']);
    });
  });

  test('flapping for a second at the switch is one change, and no rollback', () => {
    expect(flapped.report.verdict).toMatchObject({ value: 'pass' });
    expect(flapped.exitCode).toBe(0);
    const service = serviceOf(flapped, 'flap');
    expect(service.outcome).toBe('completed');
    expect(service.changes.map((change) => change.direction)).toEqual(['old-to-new']);
  });

  test('a rollback goes the other way, by the scenario of its cutover, and waits for no baseline', async () => {
    const [begunMs, backMs] = await instants('rollback-begun', 'rolled-back');
    expect(rollback.exitCode).toBe(0);
    expect(rollback.report.run.mode).toBe('rollback');
    expect(rollback.markdown).toMatch(/rolled was taken back from nginx\/EKS to ALB\/ECS\b/);
    const { outcome, changes } = serviceOf(rollback, 'rolled');
    expect(outcome).toBe('completed');
    expect(changes.map((change) => change.direction)).toEqual(['new-to-old']);
    for (const at of [changes[0]?.authorityFirstAt, changes[0]?.authorityLastAt]) {
      expect(ms(at)).toBeGreaterThanOrEqual(begunMs - clockMs);
      expect(ms(at)).toBeLessThan(backMs + pollMs + roomMs);
    }
    expect(begunMs - ms(rollback.report.run.startedAt)).toBeLessThan(7000);
    expect(statesOf(laneOf(rollback, 'rolled', 'fresh'))).toEqual(['down', 'old']);
    expect(rollback.report.verdict.reasons).toContainEqual(
      expect.objectContaining({ objective: 'recovery', value: 'pass' }),
    );
  });

  async function instants(...names: readonly [string, string]): Promise<readonly [number, number]> {
    return [await readInstant(stage, names[0]), await readInstant(stage, names[1])];
  }
});
