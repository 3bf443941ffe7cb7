/** `/metrics`, scraped by Prometheus as docs/live.md says, through a whole rehearsal. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prometheusText } from '../../src/live/prometheus-text.ts';
import type { Report } from '../../src/report/shape.ts';
import { readReport } from './cutwatch-run.ts';
import { startRehearsal, type Rehearsal } from './rehearsal.ts';
import { describeReal } from './servers/describe-real.ts';
import { programPath } from './servers/installed.ts';
import { startProcess } from './servers/own-process.ts';
import { freePorts } from './servers/ports.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';
import { waitUntil } from './servers/wait-until.ts';

const [, documented = ''] = /^```yaml\n(scrape_configs:.*?)^```$/ms.exec(readFileSync('docs/live.md', 'utf8')) ?? [];

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

function checkMetrics(text: string): string {
  const { status, stdout, stderr } = spawnSync(programPath('promtool'), ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  return `${String(status)} ${stdout}${stderr}`.trim();
}

describeReal('Prometheus scrapes a rehearsal', ['prometheus', 'promtool'], () => {
  const stack = new AsyncDisposableStack();
  let rehearsal: Rehearsal;
  let report: Report;
  let lastText = '';
  let query: (text: string) => Promise<readonly Sample[]>;

  beforeAll(async () => {
    rehearsal = stack.use(await startRehearsal('founding-migration', { stayS: 600 }));
    const folder = stack.use(await makeTemporaryFolder());
    const configPath = join(folder.path, 'prometheus.yaml');
    const config = documented.replace('127.0.0.1:8080', `127.0.0.1:${String(rehearsal.port)}`).replace('5s', '1s');
    expect(config).not.toBe(documented);
    writeFileSync(configPath, config);
    const [port = 0] = await freePorts(1);
    const words = [
      `--config.file=${configPath}`,
      `--storage.tsdb.path=${join(folder.path, 'data')}`,
      `--web.listen-address=127.0.0.1:${String(port)}`,
    ];
    stack.use(startProcess(programPath('prometheus'), words, { logPath: join(folder.path, 'prometheus.log') }));
    query = async (text) => {
      const url = `http://127.0.0.1:${String(port)}/api/v1/query?query=${encodeURIComponent(text)}`;
      const answer = (await (await fetch(url)).json()) as {
        readonly data?: {
          readonly result: readonly { readonly metric: Sample['metric']; readonly value: [number, string] }[];
        };
        readonly error?: string;
      };
      if (answer.data === undefined) throw new Error(answer.error);
      return answer.data.result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
    };
    await waitUntil('the run has ended', async () => !(await rehearsal.verdict()).isRunning, {
      withinMs: 120_000,
      everyMs: 500,
    });
    await waitUntil(
      'Prometheus has seen the end',
      async () => (await query('cutwatch_run_running == 0')).length === 1,
      {
        withinMs: 30_000,
        everyMs: 200,
      },
    );
    report = readReport(rehearsal.path);
    lastText = await (await fetch(`http://127.0.0.1:${String(rehearsal.port)}/metrics`)).text();
  }, 180_000);
  afterAll(() => stack.disposeAsync());

  test('promtool finds nothing wrong with it, whatever labels hold', () => {
    expect(checkMetrics(lastText)).toBe('0');
    const labels = { service: 'a"b\\c\nd} 7\n# TYPE x gauge', client: '\u202e\ud800é' };
    const samples = [{ labels, value: 7 }];
    expect(checkMetrics(prometheusText([{ name: 'probes_total', help: 'a\\b\nc', type: 'counter', samples }]))).toBe(
      '0',
    );
    expect(checkMetrics('probes_total 1\n')).toContain('no help text');
  });

  test('it was scraped many times, and no counter ever fell', async () => {
    expect((await query('min(count_over_time(cutwatch_run_running[10m]))'))[0]?.value).toBeGreaterThan(20);
    for (const type of ['probes_total', 'failed_probes_total', 'response_time_seconds_bucket', 'slots_due_total']) {
      const falls = await query(`max(resets(cutwatch_${type}[10m]))`);
      expect([type, falls[0]?.value]).toEqual([type, 0]);
    }
  });

  test('failed and good probes are those of the report: never fewer, and hardly more', async () => {
    const counts = await query('sum by (service, client, outcome) (cutwatch_probes_total)');
    const lanes = report.lanes.filter(({ series }) => series === 'raw');
    const [byClass] = await query('sum(cutwatch_failed_probes_total)');
    const failedCount = lanes.reduce((sum, { slots }) => sum + slots.failed, 0);
    expect(byClass?.value).toBeGreaterThanOrEqual(failedCount);
    expect(byClass?.value).toBeLessThanOrEqual(failedCount * 1.05 + 3);
    for (const service of ['orders', 'billing']) {
      for (const client of ['fresh', 'keep-alive', 'users-machines', 'side:old', 'side:new']) {
        const own = lanes.filter((lane) => lane.service === service && lane.client === client);
        for (const outcome of ['good', 'failed'] as const) {
          const sum = own.reduce((total, { slots }) => total + slots[outcome], 0);
          const found = counts.find(
            ({ metric }) =>
              metric['service'] === service && metric['client'] === client && metric['outcome'] === outcome,
          );
          // A probe whose side, or whose blindness, turned out later counts twice.
          const value = found?.value ?? 0;
          expect({ service, client, outcome, isEnough: value >= sum }).toEqual({
            service,
            client,
            outcome,
            isEnough: true,
          });
          expect(value).toBeLessThanOrEqual(sum * 1.05 + 3);
        }
      }
    }
  });

  test('downtime, verdict, sides of resolvers and response times are those of the report', async () => {
    for (const { name, impact } of report.services) {
      for (const bound of ['min', 'max'] as const) {
        const [found] = await query(`cutwatch_downtime_seconds{service="${name}",bound="${bound}"}`);
        expect(found?.value).toBeCloseTo(impact.downtimeMs[bound] / 1000, 6);
      }
    }
    expect((await query('cutwatch_verdict == 1')).map(({ metric }) => metric['value'])).toEqual(['fail']);
    const states = await query('cutwatch_resolver_state == 1');
    expect(new Set(states.map(({ metric }) => metric['state']))).toEqual(new Set(['new']));
    const sums = await query(
      'sum by (client) (cutwatch_response_time_seconds_count{service="orders",client="side:new"})',
    );
    const ofNew = report.lanes.filter(({ service, client }) => service === 'orders' && client === 'side:new');
    expect(sums[0]?.value).toBe(ofNew.reduce((total, { slots }) => total + slots.good, 0));
    const [p99] = await query(
      'histogram_quantile(0.99, sum by (le) (cutwatch_response_time_seconds_bucket{client="side:new"}))',
    );
    expect(p99?.value).toBeGreaterThan(0);
    expect(p99?.value).toBeLessThan(2);
  });
});
