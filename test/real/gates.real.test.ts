/** The job of docs/gates.md: its own script, by a real shell and curl, against every run that it may find. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { showAt, token } from '../live/kit.ts';
import { jobMetrics } from '../live/recipes.ts';
import { runs, type RunName } from '../live/runs.ts';
import { describeReal } from './servers/describe-real.ts';

const elsewhere = { listen: { address: '127.0.0.1', port: 0, isLoopback: false } };
const [job] = jobMetrics;

/** Exit status of the job, with a `sleep` that takes no time: between two questions `asked` shows another run. */
async function statusOf(port: number, given: { readonly token?: string } = {}): Promise<number | null> {
  const [shell = '', ...options] = job?.command ?? [];
  const [script = ''] = job?.args ?? [];
  const url = job?.env.find(({ name }) => name === 'URL')?.value ?? '';
  const filled = url.replace('{{args.cutwatch}}', `127.0.0.1:${String(port)}`).replace('{{args.service}}', 'orders');
  const env = { ...process.env, URL: filled, TOKEN: given.token ?? token };
  const child = spawn(shell, [...options, script.replace('sleep 10', 'sleep 0.1')], { env, stdio: 'ignore' });
  await once(child, 'exit');
  return child.exitCode;
}

describeReal('the job that waits for the verdict', ['curl'], () => {
  test.for<{ readonly run: RunName; readonly status: number }>([
    { run: 'passed', status: 0 },
    { run: 'failed', status: 1 },
    { run: 'goingBadly', status: 1 },
    { run: 'unknown', status: 1 },
    { run: 'commandFailed', status: 1 },
  ])('$run: exit status $status', async ({ run, status }) => {
    await using shown = await showAt('127.0.0.1:0', elsewhere);
    shown.server.show(runs[run]);
    expect(await statusOf(shown.port)).toBe(status);
  });

  test('it waits while the run goes on, and takes what comes of it', async () => {
    await using shown = await showAt('127.0.0.1:0', elsewhere);
    shown.server.show(runs.beforeChange);
    let isOver = false;
    const status = statusOf(shown.port).finally(() => (isOver = true));
    await expect
      .poll(() => isOver, { timeout: 700 })
      .toBe(true)
      .catch(() => {});
    expect(isOver).toBe(false);
    shown.server.show(runs.passed);
    expect(await status).toBe(0);
  });

  test('no answer, or one for somebody else, is no pass', async () => {
    const shown = await showAt('127.0.0.1:0', elsewhere);
    shown.server.show(runs.passed);
    expect(await statusOf(shown.port, { token: 'not-the-token' })).toBe(1);
    await shown.server.close();
    expect(await statusOf(shown.port)).toBe(1);
  });
});
