/**
 * The command that makes the change, and what may befall it and us: it fails, cannot be started, changes nothing, is not
 * started at all; we are interrupted or killed while it runs. Each is a run of its own beside the others, of a service
 * with a record of its own.
 */
import { Resolver } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServiceInput } from '../../src/scenario/input.ts';
import { readEvidence, startRun, type CutwatchRun } from './cutwatch-run.ts';
import { deciding, finish, laneOf, ms, serviceOf, statesOf, type FinishedRun } from './finished-run.ts';
import { describeReal } from './servers/describe-real.ts';
import { startNginx } from './servers/nginx.ts';
import { isAlive, readProc } from './servers/own-process.ts';
import { freePorts } from './servers/ports.ts';
import { waitUntil } from './servers/wait-until.ts';
import { cutwatch, startStage, type Said, type Stage } from './stage.ts';

const ttlS = 5;
const pollMs = 1000;
/** A slot may be sent late, and an instant in a report is rounded, on a machine that is busy. */
const roomMs = 400;
/** Clocks that count whole ms. */
const clockMs = 2;

const names = [
  'moved',
  'idle',
  'absent',
  'untouched',
  'sick',
  'sickly',
  'left',
  'killed',
  'quit',
  'marked',
  'unmarked',
];

describeReal('the command that makes the change', ['nginx', 'named', 'nsupdate', 'unbound', 'openssl'], () => {
  const stack = new AsyncDisposableStack();
  let stage: Stage;

  /** With one client, which is enough here. A change that does not come is waited for 3 s. */
  async function start(services: readonly ServiceInput[], ...args: readonly string[]): Promise<CutwatchRun> {
    const [first] = services;
    const scenario = stage.scenario(services, { waitS: 3 }, { name: first?.name ?? '', clients: ['fresh'] });
    return stack.use(await startRun(scenario, { args }));
  }

  beforeAll(async () => {
    stage = stack.use(await startStage(Object.fromEntries(names.map((name) => [name, 'old' as const])), ttlS));
    await stage.old.reload({ answer: 'if ($host ~ "^sick") { return 503; } return 200 "ok\\n";' });
  });
  afterAll(() => stack.disposeAsync());

  const isThere = (name: string): boolean => existsSync(join(stage.folder, name));

  describe.concurrent('that', () => {
    test('fails after it has made the change: exit 5, and the service is judged all the same', async ({ expect }) => {
      const script = await stage.script('move-and-fail.sh', [...stage.switchLines(['moved'], 'new'), 'exit 7']);
      const run = await finish(await start([stage.service('moved')], '--', script));
      expect(run.exitCode).toBe(5);
      expect(run.report.run).toMatchObject({ endedBecause: 'tail-watched', command: { program: script, exitCode: 7 } });
      expect(run.report.verdict.value).toBe('pass');
      expect(serviceOf(run, 'moved').outcome).toBe('completed');
      for (const text of [run.output, run.markdown]) expect(text).toContain('The command failed with exit status 7.');
    });

    test('fails and changes nothing: exit 5', async ({ expect }) => {
      const run = await finish(await start([stage.service('idle')], '--', await stage.script('fail.sh', ['exit 7'])));
      expect(run.exitCode).toBe(5);
      expect(run.report.run).toMatchObject({ endedBecause: 'command-failed', command: { exitCode: 7, signal: null } });
      expect(run.report.verdict.value).toBe('inconclusive');
      expect(deciding(run)).toContain('evidence-of-change');
      expect(run.output).toContain('The command failed with exit status 7.');
    });

    test('cannot be started: exit 5', async ({ expect }) => {
      // It is there and may be run; its interpreter is not.
      const path = join(stage.folder, 'no-interpreter.sh');
      await writeFile(path, '#!/no/such/shell\n', { mode: 0o755 });
      const run = await finish(await start([stage.service('absent')], '--', path));
      expect(run.exitCode).toBe(5);
      expect(run.report.run.command).toMatchObject({ exitCode: null, error: 'could not be started: ENOENT' });
      expect(run.report.verdict.value).toBe('inconclusive');
      expect(run.output).toContain('The command could not be started: ENOENT.');
    });

    test('is not there: exit 2 before the first probe', async ({ expect }) => {
      const path = join(stage.folder, 'no-such-script.sh');
      const run = await start([stage.service('absent')], '--', path);
      expect((await run.ended).exitCode).toBe(2);
      expect(run.output()).toContain(`-- ${path}: there is no such command`);
      expect(existsSync(run.path)).toBe(false);
    });

    test('changes nothing: inconclusive, exit 4', async ({ expect }) => {
      const run = await finish(await start([stage.service('untouched')], '--', 'true'));
      expect(run.exitCode).toBe(4);
      expect(run.report.run).toMatchObject({ endedBecause: 'nothing-changed', command: { exitCode: 0 } });
      expect(deciding(run)).toEqual(['evidence-of-change', 'tail-watched']);
      expect(serviceOf(run, 'untouched').outcome).toBe('none');
      expect(laneOf(run, 'untouched', 'fresh').qualified).toBe(true);
      expect(run.output).toContain(
        'INCONCLUSIVE Nobody can say whether this cutover was clean: no whole change was seen',
      );
    });

    test('is not started where no client is healthy before: inconclusive, exit 4', async ({ expect }) => {
      const run = await finish(await start([stage.service('sick')], '--', 'touch', join(stage.folder, 'sick.started')));
      expect(run.exitCode).toBe(4);
      expect(isThere('sick.started')).toBe(false);
      expect(run.report.run).toMatchObject({
        endedBecause: 'not-qualified',
        command: { exitCode: null, fromAt: null },
      });
      expect(run.report.run.commandWithheldBecause).toMatch(/^no lane of sick had 10 good answers in a row in \d+ s/);
      expect(deciding(run)).toEqual(expect.arrayContaining(['command-withheld', 'qualified-lanes']));
      expect(statesOf(laneOf(run, 'sick', 'fresh'))).toEqual(['down']);
      expect(run.output).toMatch(
        /The switch was not started: no lane of sick had 10 good[^]*Mend what the probes met \(.* × \d+\), and run it again\./,
      );
    });

    test('is started there with --start-anyway, and even a good change does not pass', async ({ expect }) => {
      const script = await stage.script('anyway.sh', stage.switchLines(['sickly'], 'new'));
      const run = await finish(await start([stage.service('sickly')], '--start-anyway', '--', script));
      expect(run.exitCode).toBe(4);
      expect(run.report.run).toMatchObject({ endedBecause: 'tail-watched', command: { exitCode: 0 } });
      expect(serviceOf(run, 'sickly').changes).toMatchObject([{ direction: 'old-to-new', isEvident: true }]);
      expect(deciding(run)).toContain('qualified-lanes');
    });

    test('runs on when we are interrupted: the report is written, and does not pass', async ({ expect }) => {
      const script = await stage.script('left.sh', ['sleep 4', 'touch left.done']);
      const started = await start([stage.service('left')], '--', script);
      const pid = await commandPid(started);
      // What a terminal signals by Ctrl-C is the process group in the foreground: ours, and not the command's.
      expect(processGroupOf(pid)).toBe(pid);
      started.signal('SIGINT');
      const run = await finish(started);
      expect(isThere('left.done')).toBe(false);
      expect(run.exitCode).toBe(4);
      expect(run.output).toContain('stopping: probes under way are waited for, then the report is written');
      expect(run.report.run).toMatchObject({ endedBecause: 'interrupted', isWhole: true });
      expect(run.report.run.command).toMatchObject({ exitCode: null, toAt: null });
      expect(deciding(run)).toContain('tail-watched');
      expect(run.markdown).toContain('the command was still running when the watch ended; it was left alone');
      await waitUntil('the command is done', () => isThere('left.done'));
      expect(isAlive(started.pid)).toBe(false);
    });

    test('runs on when we are killed, and judge does not pass what is left', async ({ expect }) => {
      const script = await stage.script('killed.sh', ['sleep 4', 'echo a line for nobody >&2', 'touch killed.done']);
      const started = await start([stage.service('killed')], '--', script);
      await commandPid(started);
      started.signal('SIGKILL');
      expect(await started.ended).toEqual({ exitCode: null, signal: 'SIGKILL' });
      expect(isThere('killed.done')).toBe(false);
      expect(await cutwatch('judge', started.path)).toMatchObject({ exitCode: 4 });
      const run = await finish(started);
      expect(run.report.verdict.value).toBe('inconclusive');
      expect(run.report.run.isWhole).toBe(false);
      expect(deciding(run)).toContain('whole-log');
      await waitUntil('the command is done', () => isThere('killed.done'));
    });
  });

  describe.concurrent('without one', () => {
    test('a second Ctrl-C ends a watch that still waits for answers: 130', async ({ expect }) => {
      const [httpPort = 0] = await freePorts(1);
      const hanging = stack.use(await startNginx({ addresses: ['127.0.1.1'], httpPort, side: 'old' }));
      const started = await start([{ name: 'quit', url: `http://quit.shop.test:${httpPort}/ready` }]);
      await started.probing();
      hanging.pause();
      await sleepMs(1000);
      started.signal('SIGINT');
      await waitUntil('it says that it stops', () => started.output().includes('stopping:'));
      await sleepMs(500);
      expect(started.isRunning).toBe(true);
      started.signal('SIGINT');
      expect(await started.ended).toEqual({ exitCode: 130, signal: null });
      expect(await cutwatch('judge', started.path)).toMatchObject({ exitCode: 4 });
    });

    describe('a change made by hand', () => {
      let run: FinishedRun;
      let markedMs: readonly [number, number];
      let changedMs: readonly [number, number];

      beforeAll(async () => {
        // Given time for the change to be made.
        const services = ['marked', 'unmarked'].map((name) => stage.service(name));
        const scenario = stage.scenario(services, {}, { name: 'by-hand', clients: ['fresh'] });
        const started = stack.use(await startRun(scenario));
        await started.probing();
        await sleepMs(7000);
        expect((await cutwatch('mark', started.path, 'cron jobs off')).exitCode).toBe(0);
        // Then clients stay where they were for some seconds, and not for none.
        await untilCachedAnew(stage, 'marked');
        const startMs = Date.now();
        expect((await cutwatch('mark', started.path, 'switch marked')).exitCode).toBe(0);
        markedMs = [startMs, Date.now()];
        const switchMs = Date.now();
        await stage.switch(['marked', 'unmarked'], 'new');
        changedMs = [switchMs, Date.now()];
        run = await finish(started);
      }, 60_000);

      test('is seen by what the authority says and by who answers', ({ expect }) => {
        expect(run.exitCode).toBe(0);
        expect(run.report.run.command).toBeNull();
        for (const name of ['marked', 'unmarked']) {
          const { outcome, changes } = serviceOf(run, name);
          expect(outcome).toBe('completed');
          expect(changes).toMatchObject([{ direction: 'old-to-new', commandFromAt: null, isEvident: true }]);
          for (const at of [changes[0]?.authorityFirstAt, changes[0]?.authorityLastAt]) {
            expect(ms(at)).toBeGreaterThanOrEqual(changedMs[0] - clockMs);
            expect(ms(at)).toBeLessThan(changedMs[1] + pollMs + roomMs);
          }
          expect(ms(changes[0]?.identityAt)).toBeGreaterThan(changedMs[0] - roomMs);
          expect(statesOf(laneOf(run, name, 'fresh'))).toEqual(['old', 'new']);
        }
      });

      test('is dated by its mark where there is one, for the services that it names', ({ expect }) => {
        const [marked] = serviceOf(run, 'marked').changes;
        expect(marked).toMatchObject({ usedBy: 'mark', usedAt: marked?.markedAt });
        expect(ms(marked?.markedAt)).toBeGreaterThanOrEqual(markedMs[0] - clockMs);
        expect(ms(marked?.markedAt)).toBeLessThanOrEqual(markedMs[1] + clockMs);
        const [unmarked] = serviceOf(run, 'unmarked').changes;
        expect(unmarked).toMatchObject({ markedAt: null });
        expect(['authority', 'identity']).toContain(unmarked?.usedBy);
        expect(ms(unmarked?.usedAt)).toBeGreaterThan(changedMs[0] - pollMs - roomMs);
        expect(ms(unmarked?.usedAt)).toBeLessThan(changedMs[1] + pollMs + roomMs);
        expect(run.report.marks.map((mark) => mark.text)).toEqual(['cron jobs off', 'switch marked']);
        expect(run.markdown).toMatch(
          /## Marks\n\n.*\n.*\n\| [\d:.]+ \| cron jobs off \|\n\| [\d:.]+ \| switch marked \|/,
        );
      });

      test('judged by a stricter file gives another verdict, and by its own the same bytes again', async ({
        expect,
      }) => {
        const report = (): Promise<string> => readFile(join(run.path, 'report.json'), 'utf8');
        const first = await report();
        const strict = join(stage.folder, 'strict.yaml');
        await writeFile(strict, 'convergenceSMax: 0\n');
        const judged = await cutwatch('judge', run.path, '--objectives', strict, '--json');
        expect(judged).toMatchObject({ exitCode: 3 });
        expect(JSON.parse(judged.stdout)).toMatchObject({ verdict: { value: 'fail' } });
        expect(judged.stderr).toContain(`judged by ${strict}; the report of the run is unchanged`);
        expect(await report()).toBe(first);
        expect(failedObjectives(judged)).toEqual(['convergenceSMax']);
        expect(await cutwatch('judge', run.path)).toMatchObject({ exitCode: 0 });
        expect(await report()).toBe(first);
      });
    });
  });
});

function failedObjectives({ stdout }: Said): readonly string[] {
  const { verdict } = JSON.parse(stdout) as FinishedRun['report'];
  return [...new Set(verdict.reasons.filter(({ value }) => value === 'fail').map(({ objective }) => objective))];
}

/** Waits until the run has started its command. */
function commandPid(run: CutwatchRun): Promise<number> {
  const started = (): number | null => {
    if (!run.isRunning) throw new Error(`cutwatch ended: ${run.output()}`);
    const { entries } = readEvidence(run.path);
    return entries.find((entry) => entry.type === 'command-started')?.pid ?? null;
  };
  return run.probing().then(() => waitUntil('the command is started', started, { withinMs: 30_000, everyMs: 100 }));
}

/** The fifth field; the second is the name in brackets, which may hold anything. */
function processGroupOf(pid: number): number {
  return Number(readProc(pid, 'stat')?.split(') ').at(-1)?.split(' ')[2]);
}

async function untilCachedAnew({ unbound }: Stage, name: string): Promise<void> {
  const resolver = new Resolver({ timeout: 1000, tries: 2 });
  resolver.setServers([`${unbound.address}:${unbound.port}`]);
  await waitUntil('unbound has asked again', async () => {
    const [record] = await resolver.resolve4(`${name}.shop.test`, { ttl: true });
    return record !== undefined && record.ttl >= ttlS;
  });
}
