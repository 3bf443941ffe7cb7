/**
 * The entry of a probing thread. It does nothing but probe: rows go into columns, and filled columns to the main thread,
 * which writes and folds them.
 */
import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../core/errors.ts';
import type { Entry } from '../core/entry.ts';
import type { Cancel } from '../core/ports.ts';
import type { RowBatch } from '../core/row.ts';
import type { Lane } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import { newRowBuffer, transferablesOf } from '../evidence/row-buffer.ts';
import { newClock } from '../net/clock.ts';
import { newDialer } from '../net/dialer.ts';
import { newDnsPort } from '../net/dns-port.ts';
import { watchForStalls } from '../net/stall.ts';
import { newProber, type ProberOptions } from '../prober/prober.ts';

export interface ThreadData {
  readonly worker: number;
  readonly startedAtHrNs: bigint;
  readonly run: ProberOptions['run'];
  readonly markerNames: readonly string[];
}

export type ToThread =
  | { readonly kind: 'add'; readonly lanes: readonly Lane[] }
  | { readonly kind: 'token'; readonly checkName: string; readonly value: string }
  | { readonly kind: 'withdraw'; readonly lanes: readonly number[] }
  | { readonly kind: 'stop'; readonly atNs: number };

export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'batch'; readonly batch: RowBatch }
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'stopped'; readonly definitionOverCapCount: number };

/** A row waits at most so long for its batch; with the write it must be on disk within 250 ms. */
const flushEveryNs = sToNs(0.1);

/**
 * Ahead of whatever else is busy on this machine, where we may (root, CAP_SYS_NICE): on Linux it holds for this thread
 * alone, which sleeps nearly all the time. With two processes burning both cores, lateness p99 fell from 19 to 7 ms.
 */
try {
  setPriority(0, constants.priority.PRIORITY_HIGH);
} catch {
  // Then it is as late as everybody else, and says so.
}

assert(parentPort !== null, 'the probing thread runs in a worker');
const port = parentPort;
const data = workerData as ThreadData;
const clock = newClock(data.startedAtHrNs);

function send(message: FromThread, transferables: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, transferables);
}

const buffer = newRowBuffer({
  worker: data.worker,
  onBatch: (batch) => send({ kind: 'batch', batch }, transferablesOf(batch)),
  nowNs: () => clock.nowNs(),
});
const event = (entry: Entry): void => send({ kind: 'entry', entry });
const dialer = newDialer({ clock });
const dns = newDnsPort({ clock });
const prober = newProber({ clock, dialer, dns, sink: buffer, event, run: data.run, markerNames: data.markerNames });

let cancelFlush: Cancel | null = null;
function flush(): void {
  const nowNs = clock.nowNs();
  buffer.flush(nowNs);
  cancelFlush = clock.at(nowNs + flushEveryNs, flush);
}

const stopStalls = watchForStalls(clock, (fromNs, toNs) =>
  event({ type: 'prober-stalled', atNs: toNs, worker: data.worker, fromNs, toNs }),
);

async function stop(atNs: number): Promise<void> {
  await prober.stop(atNs);
  cancelFlush?.();
  stopStalls();
  buffer.flush(clock.nowNs());
  send({ kind: 'stopped', definitionOverCapCount: buffer.definitionOverCapCount });
  port.close();
}

port.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'add':
      prober.add(message.lanes);
      cancelFlush ??= clock.at(clock.nowNs() + flushEveryNs, flush);
      break;
    case 'token':
      prober.token(message.checkName, message.value);
      break;
    case 'withdraw':
      prober.withdraw(message.lanes);
      break;
    case 'stop':
      void stop(message.atNs);
      break;
  }
});
send({ kind: 'ready' });
