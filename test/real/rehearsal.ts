/** A rehearsal on real sockets that is listened to, as a child process. */
import { join } from 'node:path';
import { startProcess, type OwnProcess } from './servers/own-process.ts';
import { freePorts } from './servers/ports.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';
import { waitUntil } from './servers/wait-until.ts';

const mainPath = new URL('../../src/cli/main.ts', import.meta.url).pathname;

export interface Rehearsal extends AsyncDisposable {
  readonly process: OwnProcess;
  /** The run folder. */
  readonly path: string;
  readonly port: number;
  /** As it was printed, with the token. */
  readonly url: string;
  readonly token: string;
  /** What `/verdict` says now. */
  verdict(): Promise<{ readonly value: string; readonly isRunning: boolean }>;
}

export async function startRehearsal(
  scenario: string,
  { stayS, address = '127.0.0.1' }: { readonly stayS: number; readonly address?: string },
): Promise<Rehearsal> {
  await using cleanUp = new AsyncDisposableStack();
  const folder = cleanUp.use(await makeTemporaryFolder());
  const path = join(folder.path, 'run');
  const [port = 0] = await freePorts(1);
  const listen = ['--listen', `${address}:${String(port)}`, '--stay', String(stayS)];
  const words = [mainPath, 'rehearse', scenario, '--out', path, ...listen];
  const child = cleanUp.use(startProcess(process.execPath, words, { logPath: join(folder.path, 'output.log') }));
  const url = await waitUntil('the URL is printed', () => {
    if (!child.isRunning) throw new Error(`cutwatch ended: ${child.output()}`);
    return /^live page: (\S+)$/m.exec(child.output())?.[1];
  });
  const kept = cleanUp.move();
  return {
    process: child,
    path,
    port,
    url,
    token: new URL(url).searchParams.get('token') ?? '',
    verdict: async () => {
      const response = await fetch(`http://127.0.0.1:${String(port)}/verdict`);
      return (await response.json()) as { readonly value: string; readonly isRunning: boolean };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
