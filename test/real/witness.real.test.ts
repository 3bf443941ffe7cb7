/** The prober's own word, checked by nginx's access log; and whether anything in the main thread can disturb it. */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../src/report/report-json.ts';
import { readEvidence, readReport, startRun, traceEnd, type Evidence, type EvidenceRow } from './cutwatch-run.ts';
import { describeReal } from './servers/describe-real.ts';
import type { AccessEntry } from './servers/nginx-conf.ts';
import { startNginx } from './servers/nginx.ts';
import { freePorts } from './servers/ports.ts';

const blockerUrl = new URL('./servers/block-main-thread.ts', import.meta.url).href;
const blockedForMs = 2000;
/** Both logs are in whole ms at one end. */
const clockMs = 2;

describeReal('a watch, and nginx as its witness', ['nginx'], () => {
  const stack = new AsyncDisposableStack();
  let blockedAtMs = 0;
  let evidence: Evidence;
  let report: Report;
  let log: readonly AccessEntry[];

  beforeAll(async () => {
    const [httpPort = 0] = await freePorts(1);
    const nginx = stack.use(await startNginx({ addresses: ['127.0.1.1'], httpPort, side: 'old' }));
    const run = stack.use(
      await startRun(
        {
          name: 'witnessed',
          defaults: { ratePerSecond: 37 },
          services: [{ name: 'shop', url: `http://127.0.1.1:${httpPort}/ready` }],
          sides: { old: { addresses: ['127.0.1.0/24'] }, new: { addresses: ['127.0.2.0/24'] } },
          authorities: 'none',
          clients: ['fresh', 'keep-alive'],
        },
        { args: ['--max-rate', '80'], nodeArgs: ['--import', blockerUrl] },
      ),
    );
    await run.probing();
    await sleepMs(3000);
    blockedAtMs = Date.now();
    run.signal('SIGUSR2');
    await sleepMs(blockedForMs + 3000);
    await run.interrupt();
    evidence = readEvidence(run.path);
    report = readReport(run.path);
    log = await nginx.accessLog();
  });
  afterAll(() => stack.disposeAsync());

  /** The log line of a row's request. */
  function requestOf(row: EvidenceRow): AccessEntry {
    const end = traceEnd(evidence.started.runId, row);
    const entry = log.find((one) => one.traceId.endsWith(end));
    if (entry === undefined) throw new Error(`nginx saw no request of slot ${row.slot} in lane ${row.lane}`);
    return entry;
  }

  test('each row is a request that nginx saw, and each request has its row', () => {
    expect(evidence.rows.length).toBeGreaterThan(500);
    expect(evidence.rows.filter((row) => row.what !== 'answered' && row.what !== 'dropped')).toEqual([]);
    const sent = evidence.rows.filter((row) => row.what === 'answered');
    const traces = sent.map((row) => traceEnd(evidence.started.runId, row));
    expect(log.map((entry) => entry.traceId.slice(-24)).toSorted()).toEqual(traces.toSorted());
  });

  test('by our word each was sent before it reached nginx, and its answer was here after nginx had given it', () => {
    const sent = evidence.rows.filter((row) => row.what === 'answered');
    const onTheWayMs = sent.map((row) => requestOf(row).arrivedAtMs - row.sentMs - row.connectedUs / 1000);
    const onTheWayBackMs = sent.map((row) => row.endedMs - requestOf(row).endedAtMs);
    // nginx looks at the clock once for all that it finds when it wakes up, so on a busy machine one may seem early.
    expect(percentile(onTheWayMs, 0.01)).toBeGreaterThan(-clockMs);
    expect(percentile(onTheWayBackMs, 0.01)).toBeGreaterThan(-clockMs);
    // And neither took longer than the whole.
    const slowestMs = Math.max(...sent.map((row) => row.endedUs / 1000));
    expect(Math.max(...onTheWayMs)).toBeLessThan(slowestMs + clockMs);
    expect(Math.max(...onTheWayBackMs)).toBeLessThan(slowestMs + clockMs);
  });

  test('while the main thread stands still for 2 s, slots are sent as before', () => {
    const isBlocked = (row: EvidenceRow): boolean => row.dueMs > blockedAtMs && row.dueMs < blockedAtMs + blockedForMs;
    const blocked = evidence.rows.filter(isBlocked);
    const others = evidence.rows.filter((row) => !isBlocked(row));
    // Two lanes at 37/s.
    expect(blocked.length).toBeGreaterThan(140);
    const lateMs = (rows: readonly EvidenceRow[]): number =>
      percentile(
        rows.map((row) => row.lateUs / 1000),
        0.99,
      );
    expect(lateMs(blocked)).toBeLessThan(lateMs(others) + 50);
  });

  test('that their rows were written late is in the log and in the report', () => {
    const delaysMs = evidence.entries.flatMap((entry) => (entry.type === 'write-delayed' ? [entry.delayMs] : []));
    const delayMsMax = Math.max(0, ...delaysMs);
    // A batch is handed over every 100 ms.
    expect(delayMsMax).toBeGreaterThan(blockedForMs - 300);
    expect(report.prober.writeDelayMsMax).toBe(delayMsMax);
    expect(report.run.isWhole).toBe(true);
  });
});

/** So many of the values, as a share, are less. */
function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}
