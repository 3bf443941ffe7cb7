/**
 * What is left when the program is killed at any moment. The witness is nginx's own access log: what it answered long
 * enough before the kill must be in the evidence, and nothing may be there that it did not answer.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { analyseFolder } from '../../src/run/run.ts';
import type { ScenarioInput } from '../../src/scenario/input.ts';
import { judge } from '../../src/verdict/judge.ts';
import { judgeByCommand, readEvidence, startRun, traceEnd, type Evidence } from './cutwatch-run.ts';
import { describeReal } from './servers/describe-real.ts';
import type { AccessEntry } from './servers/nginx-conf.ts';
import { startNginx, type Nginx } from './servers/nginx.ts';
import { freePorts } from './servers/ports.ts';

/** The design's limit: a row is on disk so long after its probe ended. */
const writeWithinMs = 250;
/** nginx and the run read the same clock in whole ms. */
const clockMs = 2;

const killCount = 50;
/** Runs at once: enough to be done in a minute, few enough for two processors. */
const atOnceCount = 4;

const runOptions = { args: ['--max-rate', '80'] };

interface Killed {
  readonly path: string;
  readonly evidence: Evidence;
  readonly killedAtMs: number;
  /** How long this machine kept our own process waiting in the second before: so long the writer may have waited too. */
  readonly stallMs: number;
}

describeReal('killed by SIGKILL', ['nginx'], () => {
  const stack = new AsyncDisposableStack();
  let nginx: Nginx;
  let scenario: ScenarioInput;

  beforeAll(async () => {
    const [httpPort = 0] = await freePorts(1);
    nginx = stack.use(await startNginx({ addresses: ['127.0.1.1'], httpPort, side: 'old' }));
    scenario = {
      name: 'killed',
      defaults: { ratePerSecond: 37 },
      services: [{ name: 'shop', url: `http://127.0.1.1:${httpPort}/ready` }],
      sides: { old: { addresses: ['127.0.1.0/24'] }, new: { addresses: ['127.0.2.0/24'] } },
      authorities: 'none',
      clients: ['fresh', 'keep-alive'],
    };
  });
  afterAll(() => stack.disposeAsync());

  async function runAndKill(afterMs: number): Promise<Killed> {
    const run = stack.use(await startRun(scenario, runOptions));
    await run.probing();
    await sleepMs(Math.max(0, afterMs - 1000));
    const stall = watchForStalls();
    await sleepMs(Math.min(1000, afterMs));
    const killedAtMs = Date.now();
    run.signal('SIGKILL');
    const stallMs = stall();
    expect(await run.ended).toEqual({ exitCode: null, signal: 'SIGKILL' });
    return { path: run.path, evidence: readEvidence(run.path), killedAtMs, stallMs };
  }

  test(
    `after each of ${killCount} kills at random, what nginx answered long enough before has its row, and no row is made up`,
    { timeout: 240_000 },
    async () => {
      const waitsMs = Array.from({ length: killCount }, () => 100 + Math.random() * 2000);
      const killed: Killed[] = [];
      await Promise.all(
        Array.from({ length: atOnceCount }, async () => {
          for (let waitMs = waitsMs.pop(); waitMs !== undefined; waitMs = waitsMs.pop()) {
            killed.push(await runAndKill(waitMs));
          }
        }),
      );
      expect(killed).toHaveLength(killCount);
      const log = await nginx.accessLog();
      for (const one of killed) {
        expect(differences(one, log)).toEqual({ owed: [], madeUp: [] });
        const analysis = analyseFolder(one.path);
        expect(analysis.isWhole).toBe(false);
        expect(judge(analysis).value).toBe('inconclusive');
      }
    },
  );

  test('killed in the middle of an outage: judge is not satisfied, says so, and writes its report', async () => {
    const run = stack.use(await startRun(scenario, runOptions));
    await run.probing();
    await sleepMs(1500);
    await nginx.reload({ answer: 'return 503;' });
    await sleepMs(1200);
    run.signal('SIGKILL');
    await run.ended;

    const { exitCode, report } = await judgeByCommand(run.path);
    expect(exitCode).toBe(4);
    expect(report.verdict.value).toBe('inconclusive');
    expect(report.run).toMatchObject({ isWhole: false, endedBecause: '' });
    expect(report.lanes).toHaveLength(2);
    for (const lane of report.lanes) {
      // While nginx reloads, old and new workers answer side by side.
      const last = lane.outages.at(-1);
      expect(last).toMatchObject({ openAtEnd: true, firstGoodAt: null });
      expect(last?.downMsMin).toBeGreaterThan(500);
    }
  });
});

/** Requests that were answered long enough before the kill and have no row; rows of answers that nginx never gave. */
function differences({ evidence, killedAtMs, stallMs }: Killed, log: readonly AccessEntry[]) {
  const { runId } = evidence.started;
  const answered = log.filter((entry) => traceEndOf(entry).startsWith(runId));
  const requests = new Set(answered.map(traceEndOf));
  const rows = new Set(evidence.rows.map((row) => traceEnd(runId, row)));
  const delaysMs = evidence.entries.flatMap((entry) => (entry.type === 'write-delayed' ? [entry.delayMs] : []));
  const owedBeforeMs = killedAtMs - writeWithinMs - Math.max(stallMs, ...delaysMs) - clockMs;
  return {
    owed: answered.filter((entry) => entry.endedAtMs < owedBeforeMs && !rows.has(traceEndOf(entry))),
    madeUp: evidence.rows.filter((row) => row.status > 0 && !requests.has(traceEnd(runId, row))),
  };
}

function traceEndOf(entry: AccessEntry): string {
  return entry.traceId.slice(-24);
}

/** Tells the longest time for which this process did not run. */
function watchForStalls(): () => number {
  let ranAtMs = performance.now();
  let longestMs = 0;
  const look = (): void => {
    longestMs = Math.max(longestMs, performance.now() - ranAtMs - everyMs);
    ranAtMs = performance.now();
  };
  const everyMs = 5;
  const timer = setInterval(look, everyMs);
  return () => {
    clearInterval(timer);
    look();
    return Math.max(0, longestMs);
  };
}
