/** One GET of the Kubernetes API: an answer whose body is still coming, or a sentence why there is none. */
import type { Clock } from '../core/ports.ts';
import { sToNs } from '../core/time.ts';
import type { KubernetesLogin, Way } from './kubernetes-login.ts';
import { notTold, told, type NotTold, type Told } from './told.ts';

export interface Answer {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
  /** From now on: as long as until here, or end. */
  endAfter(ns: number): void;
  /** null while it is under way, or was ended by the server. */
  readonly endedBy: 'stop' | 'deadline' | null;
  /** Closes the connection; the body breaks off. */
  end(): void;
}

export interface RequestPorts {
  readonly login: KubernetesLogin;
  readonly clock: Clock;
}

export interface RequestOptions {
  /** With query, below the server's own path. */
  readonly path: string;
  readonly accept: string;
  readonly signal: AbortSignal;
}

const answerWithinS = 15;

export async function request(
  { login, clock }: RequestPorts,
  { path, accept, signal }: RequestOptions,
): Promise<Told<Answer>> {
  const found = await wayUntil(login, signal);
  if (found.kind === 'not-told') return found;
  const way = found.value;

  let endedBy: Answer['endedBy'] = null;
  let cancel = (): void => undefined;
  const end = (): void => {
    cancel();
    signal.removeEventListener('abort', stop);
    // What is under way on it fails at once, a connect too, which an AbortSignal would not end.
    void way.dispatcher.destroy().catch(() => undefined);
  };
  const endBy = (by: 'stop' | 'deadline'): void => {
    endedBy ??= by;
    end();
  };
  const stop = (): void => endBy('stop');
  const endAfter = (ns: number): void => {
    cancel();
    cancel = clock.at(clock.nowNs() + ns, () => endBy('deadline'));
  };

  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  endAfter(sToNs(answerWithinS));
  try {
    const { statusCode, body } = await send(way, path, accept);
    if (statusCode === 401) way.refused();
    return told({
      status: statusCode,
      body,
      endAfter,
      get endedBy() {
        return endedBy;
      },
      end,
    });
  } catch (error) {
    end();
    return notAnswered(endedBy, error);
  }
}

/** A plugin that logs us in takes as long as it takes; we do not wait for it when we stop. */
function wayUntil(login: KubernetesLogin, signal: AbortSignal): Promise<Told<Way>> {
  return new Promise((resolve) => {
    const stop = (): void => resolve(notTold('stopped', 'stopped'));
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    void login.way().then((found) => {
      signal.removeEventListener('abort', stop);
      resolve(found);
    });
  });
}

function send(
  { server, headers, dispatcher }: Way,
  path: string,
  accept: string,
): ReturnType<Way['dispatcher']['request']> {
  const url = new URL(`${server}${path}`);
  return dispatcher.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: 'GET',
    headers: { ...headers, accept },
    // Deadlines are ours: the library's are coarse, and a watch is silent for long.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

/** Why no answer came, or why it broke off. */
export function notAnswered(endedBy: Answer['endedBy'], error: unknown): NotTold {
  if (endedBy === 'stop') return notTold('stopped', 'stopped');
  if (endedBy === 'deadline') return notTold('timed-out', 'the API server of Kubernetes does not answer in time');
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  return notTold('unreachable', `the API server of Kubernetes cannot be reached${code === '' ? '' : ` (${code})`}`);
}
