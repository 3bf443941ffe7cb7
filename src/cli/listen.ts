/** `--listen`: the live server of a run, as one of its viewers. */
import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { userError } from '../core/errors.ts';
import type { Scenario } from '../core/scenario.ts';
import { hostText, isEveryAddress, type ListenAddress } from '../live/listen-address.ts';
import { livePage } from '../live/live-page.ts';
import { startLiveServer, type LiveServer } from '../live/live-server.ts';
import { markRun } from './mark-command.ts';
import type { Viewer } from './viewers.ts';

export interface ListenFlags {
  readonly listen?: ListenAddress;
  readonly stay?: number;
}

export interface Listening extends AsyncDisposable {
  readonly viewer: Viewer;
  /** For the operator: the URL with its token, and who else can reach it. */
  readonly where: readonly string[];
  /** Whose marks are taken: before the run begins. */
  follow(run: { readonly path: string; readonly scenario: Scenario }): void;
  /** After everything else: for those who look on, and for gates that ask again. */
  stay(): Promise<void>;
}

/** Those who look on fetch the end at once. */
const lastSeenMs = 2000;

/** Null: nobody asked for it. A port that is not to be had throws, before anything begins. */
export async function startListening({ listen, stay: stayS }: ListenFlags): Promise<Listening | null> {
  if (listen === undefined) {
    if (stayS !== undefined) throw userError('--stay', 'says how long --listen goes on, and that is missing');
    return null;
  }
  let run: { readonly path: string; readonly scenario: Scenario } | null = null;
  const server = await startLiveServer({
    listen,
    token: tokenOf(process.env),
    page: livePage,
    mark: (text) => {
      if (run === null) throw userError('mark', 'the run has not begun');
      return markRun(run, text);
    },
    nowMs: () => performance.now(),
  });
  return {
    where: whereText(server, listen),
    viewer: { show: (snapshot) => server.show(snapshot), say: () => {}, end: () => {} },
    follow: (followed) => {
      run = followed;
    },
    async stay() {
      await server.lastSeen(lastSeenMs);
      if (stayS !== undefined) await untilAskedOr(stayS);
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

function whereText(server: LiveServer, { address, isLoopback }: ListenAddress): string[] {
  if (isLoopback) return [`live page: ${server.url()}`];
  return [
    `live page: ${server.url(isEveryAddress(address) ? outerAddress() : address)}`,
    `warning: others can reach ${hostText(address)}. They need the token of this URL, and there is no TLS: who reads the network reads it.`,
  ];
}

/** One that others may know us by. */
function outerAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((interfaces) => interfaces ?? []);
  return all.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1';
}

const tokenVariable = 'CUTWATCH_TOKEN';

/** A gate that was set up before the run must know it. */
function tokenOf(env: NodeJS.ProcessEnv): string {
  const given = env[tokenVariable];
  if (given === undefined || given === '') return randomBytes(16).toString('base64url');
  if (/^[\w.~-]{16,128}$/.test(given)) return given;
  throw userError(tokenVariable, 'expected 16 to 128 letters, digits, or any of - . _ ~');
}

function untilAskedOr(s: number): Promise<void> {
  process.stderr.write(`still listening for ${String(s)} s; Ctrl-C ends that\n`);
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      process.off('SIGINT', end);
      process.off('SIGTERM', end);
      resolve();
    };
    const timer = setTimeout(end, s * 1000);
    process.on('SIGINT', end);
    process.on('SIGTERM', end);
  });
}
