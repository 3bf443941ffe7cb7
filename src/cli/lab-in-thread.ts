/** A lab in a thread of its own, as the main thread sees it. */
import { Worker } from 'node:worker_threads';
import type { Entry } from '../core/entry.ts';
import { UserError } from '../core/errors.ts';
import type { Observers } from '../core/ports.ts';
import type { Scenario } from '../core/scenario.ts';
import type { TruthEntry } from '../core/truth.ts';
import type { FromLabThread, LabFacts, LabThreadData, ToLabThread } from './lab-thread.ts';

export interface LabInThread extends LabFacts, AsyncDisposable {
  /** Its platforms, told as AWS and Kubernetes would. */
  observe(
    about: { readonly scenario: Scenario; readonly startedAtMs: number },
    entry: (entry: Entry) => void,
  ): Observers;
  /** Closes the truth log and gives it whole; the servers go on until this is disposed of. */
  end(): Promise<{ readonly truth: readonly TruthEntry[]; readonly lateNsMax: number }>;
}

/** Type stripping works on `.ts` in a checkout; the published package has `.js`. */
const entryUrl = new URL(import.meta.url.endsWith('.ts') ? './lab-thread.ts' : './lab-thread.js', import.meta.url);

/** `broke`: the thread died, our bug. */
export async function startLabInThread(data: LabThreadData, broke: (error: Error) => void): Promise<LabInThread> {
  const worker = new Worker(entryUrl, { workerData: data });
  const truth: TruthEntry[] = [];
  let platform: ((entry: Entry) => void) | null = null;
  const started = Promise.withResolvers<LabFacts>();
  const ended = Promise.withResolvers<number>();
  worker.on('message', (message: FromLabThread) => {
    switch (message.kind) {
      case 'started':
        started.resolve(message.facts);
        break;
      case 'not-started':
        started.reject(new UserError(message.problems));
        break;
      case 'truth':
        for (const entry of message.entries) truth.push(entry);
        break;
      case 'platform':
        platform?.(message.entry);
        break;
      case 'ended':
        ended.resolve(message.lateNsMax);
        break;
    }
  });
  worker.on('error', (error) => {
    started.reject(error);
    broke(error instanceof Error ? error : new Error(String(error)));
  });
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  const send = (message: ToLabThread): void => worker.postMessage(message);
  const facts = await started.promise;
  return {
    ...facts,
    observe({ scenario: { sides }, startedAtMs }, entry) {
      platform = entry;
      send({ kind: 'observe', sides, startedAtMs });
      return {
        marked() {},
        stop() {
          platform = null;
          send({ kind: 'unobserve' });
        },
      };
    },
    async end() {
      send({ kind: 'end' });
      return { lateNsMax: await ended.promise, truth };
    },
    async [Symbol.asyncDispose]() {
      send({ kind: 'stop' });
      await exited;
    },
  };
}
