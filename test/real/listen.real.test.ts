/** `--listen` at every address of this machine: nobody is told anything without the token, from wherever he comes. */
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { ask } from '../live/kit.ts';
import { startRehearsal } from './rehearsal.ts';
import { describeReal } from './servers/describe-real.ts';
import { waitUntil } from './servers/wait-until.ts';

const hosts = [
  '127.0.0.1',
  '127.0.0.7',
  ...Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address),
];

describeReal('a run that listens at every address', [], () => {
  test('warns, and asks everybody for the token', async () => {
    await using rehearsal = await startRehearsal('founding-migration', { stayS: 7, address: '0.0.0.0' });
    const { port, token } = rehearsal;
    expect(rehearsal.process.output()).toContain('warning: others can reach 0.0.0.0. They need the token of this URL');
    for (const host of hosts) {
      const statuses = await Promise.all(
        ['/', '/snapshot', '/events', '/metrics', '/verdict', '/verdict?so-far', '/healthz'].map(
          async (path) => (await ask({ host, port, path })).status,
        ),
      );
      expect([host, new Set(statuses)]).toEqual([host, new Set([401])]);
      const headers = { authorization: `Bearer ${token}` };
      expect((await ask({ host, port, path: '/healthz' }, { headers })).status).toBe(200);
    }
  });

  test('ends as soon as it is asked to while it stays for others', async () => {
    await using rehearsal = await startRehearsal('founding-migration', { stayS: 600 });
    const { process: cutwatch } = rehearsal;
    cutwatch.signal('SIGINT');
    await waitUntil('it stays', () => cutwatch.output().includes('still listening for 600 s'), { withinMs: 60_000 });
    expect((await rehearsal.verdict()).isRunning).toBe(false);
    cutwatch.signal('SIGINT');
    // Inconclusive, as a rehearsal that was stopped is.
    expect(await cutwatch.ended).toEqual({ exitCode: 4, signal: null });
  });
});
