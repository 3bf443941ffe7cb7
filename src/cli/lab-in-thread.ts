/** A lab in a thread of its own, as the main thread sees it. */
import { Worker } from 'node:worker_threads';
import { UserError } from '../core/errors.ts';
import type { TruthEntry } from '../core/truth.ts';
import type { FromLabThread, LabFacts, LabThreadData, ToLabThread } from './lab-thread.ts';

export interface LabInThread extends LabFacts, AsyncDisposable {
  /** Closes the truth log and gives it whole; the servers go on until this is disposed of. */
  end(): Promise<{ readonly truth: readonly TruthEntry[]; readonly lateNsMax: number }>;
}

/** Type stripping works on `.ts` in a checkout; the published package has `.js`. */
const entryUrl = new URL(import.meta.url.endsWith('.ts') ? './lab-thread.ts' : './lab-thread.js', import.meta.url);

/** `broke`: the thread died, our bug. */
export async function startLabInThread(data: LabThreadData, broke: (error: Error) => void): Promise<LabInThread> {
  const worker = new Worker(entryUrl, { workerData: data });
  const truth: TruthEntry[] = [];
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
