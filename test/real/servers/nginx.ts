import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { programPath } from './installed.ts';
import { nginxConf, parseAccessLog, type AccessEntry, type NginxConf } from './nginx-conf.ts';
import { isAlive, readProc, startProcess, type OwnProcess } from './own-process.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';
import { waitUntil } from './wait-until.ts';

export interface Nginx extends AsyncDisposable {
  readonly conf: NginxConf;
  /** SIGTERM: at once, requests are cut by FIN. SIGQUIT: answers what it has first. SIGKILL: master and workers die. */
  stop(signal?: 'SIGTERM' | 'SIGQUIT' | 'SIGKILL'): Promise<void>;
  /** Again, on the same ports, with the same logs. */
  start(): Promise<void>;
  /** New workers with what is changed here; returns when the old ones accept no more. */
  reload(change: Partial<NginxConf>): Promise<void>;
  /** SIGSTOP to master and workers: the kernel still accepts connections, nobody answers. */
  pause(): void;
  resume(): void;
  readonly pids: readonly number[];
  /** From the first start on. */
  accessLog(): Promise<readonly AccessEntry[]>;
  errorLog(): Promise<string>;
}

/** An nginx of our own, with its own folder; returns when it accepts connections. */
export async function startNginx(first: NginxConf): Promise<Nginx> {
  const folder = await makeTemporaryFolder();
  const confPath = join(folder.path, 'nginx.conf');
  const log = (name: string): Promise<string> => readFile(join(folder.path, name), 'utf8').catch(() => '');
  let conf = first;
  let master: OwnProcess | null = null;
  let isPaused = false;

  const pids = (): readonly number[] => (master?.isRunning === true ? [master.pid, ...childrenOf(master.pid)] : []);
  const signalAll = (signal: NodeJS.Signals): void => {
    for (const pid of pids()) process.kill(pid, signal);
  };

  const start = async (): Promise<void> => {
    await writeFile(confPath, nginxConf(conf));
    const logPath = join(folder.path, 'output.log');
    const args = ['-p', folder.path, '-c', confPath, '-e', join(folder.path, 'error.log')];
    const started = startProcess(programPath('nginx'), args, { logPath, orphanSignal: 'TERM' });
    master = started;
    await waitUntil(`nginx accepts connections on ${conf.addresses.join(', ')}`, async () => {
      if (!started.isRunning) throw new Error(`nginx ended: ${started.output()}${await log('error.log')}`);
      const accepts = await Promise.all(conf.addresses.map((address) => isAccepting(address, conf.httpPort)));
      return accepts.every(Boolean);
    });
  };

  const stop = async (signal: 'SIGTERM' | 'SIGQUIT' | 'SIGKILL' = 'SIGTERM'): Promise<void> => {
    if (master === null) return;
    if (isPaused) resume();
    const workers = pids().slice(1);
    if (signal === 'SIGKILL') signalAll(signal);
    await master.stop(signal);
    await waitUntil('the nginx workers are gone', () => workers.every((pid) => !isAlive(pid)));
  };

  const resume = (): void => {
    signalAll('SIGCONT');
    isPaused = false;
  };

  await start().catch(async (error: unknown) => {
    await stop('SIGKILL');
    await folder[Symbol.asyncDispose]();
    throw error;
  });
  return {
    get conf() {
      return conf;
    },
    get pids() {
      return pids();
    },
    start,
    stop,
    reload: async (change) => {
      conf = { ...conf, ...change };
      await writeFile(confPath, nginxConf(conf));
      const before = new Set(pids().slice(1));
      master?.signal('SIGHUP');
      await waitUntil(`nginx has reloaded: ${conf.answer}`, () => {
        const now = pids().slice(1);
        return now.some((pid) => !before.has(pid)) && now.every((pid) => !before.has(pid) || isShuttingDown(pid));
      });
    },
    pause: () => {
      isPaused = true;
      signalAll('SIGSTOP');
    },
    resume,
    accessLog: async () => parseAccessLog(await log('access.log')),
    errorLog: () => log('error.log'),
    [Symbol.asyncDispose]: async () => {
      await stop('SIGKILL');
      await folder[Symbol.asyncDispose]();
    },
  };
}

function childrenOf(pid: number): readonly number[] {
  return (readProc(pid, `task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number);
}

/** An old worker names itself so just before it closes its listening sockets. */
function isShuttingDown(pid: number): boolean {
  return readProc(pid, 'cmdline')?.includes('shutting down') ?? true;
}

function isAccepting(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
