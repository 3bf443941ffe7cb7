/** The prober of a run in worker threads. One is enough up to several thousand probes a second. */
import { Worker } from 'node:worker_threads';
import type { Entry } from '../core/entry.ts';
import type { RowBatch } from '../core/row.ts';
import type { Lane } from '../core/scenario.ts';
import type { ProberHandle } from '../run/run.ts';
import type { FromThread, ThreadData, ToThread } from './probing-thread.ts';

/** Type stripping works on `.ts` in a checkout; the published package has `.js`. */
const entryUrl = new URL(
  import.meta.url.endsWith('.ts') ? './probing-thread.ts' : './probing-thread.js',
  import.meta.url,
);

export function startProbingThreads(
  count: number,
  data: Omit<ThreadData, 'worker'>,
  handlers: { readonly batch: (batch: RowBatch) => void; readonly entry: (entry: Entry) => void },
  /** A thread died: our bug, and the end of the run. */
  broke: (error: Error) => void,
): ProberHandle {
  const workers = Array.from(
    { length: count },
    (_, worker) => new Worker(entryUrl, { workerData: { ...data, worker } }),
  );
  const threads = workers.map((worker) => {
    const ready = Promise.withResolvers<void>();
    const stopped = Promise.withResolvers<number>();
    worker.on('message', (message: FromThread) => {
      switch (message.kind) {
        case 'ready':
          ready.resolve();
          break;
        case 'batch':
          handlers.batch(message.batch);
          break;
        case 'entry':
          handlers.entry(message.entry);
          break;
        case 'stopped':
          stopped.resolve(message.definitionOverCapCount);
          break;
      }
    });
    worker.on('error', broke);
    return { ready: ready.promise, stopped: stopped.promise };
  });

  function send(worker: Worker | undefined, message: ToThread): void {
    worker?.postMessage(message);
  }

  return {
    ready: Promise.all(threads.map((thread) => thread.ready)).then(() => {}),
    workerCount: count,
    add(lanes: readonly Lane[]) {
      workers.forEach((worker, i) => {
        const own = lanes.filter((lane) => lane.number % count === i);
        if (own.length > 0) send(worker, { kind: 'add', lanes: own });
      });
    },
    token(checkName, value) {
      for (const worker of workers) send(worker, { kind: 'token', checkName, value });
    },
    withdraw(lanes) {
      for (const worker of workers) send(worker, { kind: 'withdraw', lanes });
    },
    async stop(atNs) {
      for (const worker of workers) send(worker, { kind: 'stop', atNs });
      const counts = await Promise.all(threads.map((thread) => thread.stopped));
      return { definitionOverCapCount: counts.reduce((sum, overCap) => sum + overCap, 0) };
    },
  };
}
