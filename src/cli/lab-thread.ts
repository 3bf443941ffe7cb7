/**
 * The entry of the lab's thread: a world on loopback sockets that no analysis, page or write of the main thread can make
 * late. The truth goes to the main thread.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { assert, UserError, type Problem } from '../core/errors.ts';
import type { Setting, World } from '../core/world.ts';
import type { TruthEntry } from '../core/truth.ts';
import { startLab, type Lab } from '../lab/lab.ts';
import { newWorld } from '../model/world.ts';
import { newClock } from '../net/clock.ts';

export interface LabThreadData {
  readonly startedAtHrNs: bigint;
  readonly runId: string;
  readonly world: World;
  readonly setting: Setting;
  readonly isTls: boolean;
}

/** What of a lab crosses to another thread. */
export type LabFacts = Pick<Lab, 'ports' | 'caPem' | 'certificateSha256' | 'changeUrl'>;

export type ToLabThread = { readonly kind: 'end' | 'stop' };

export type FromLabThread =
  | { readonly kind: 'started'; readonly facts: LabFacts }
  | { readonly kind: 'not-started'; readonly problems: readonly Problem[] }
  | { readonly kind: 'truth'; readonly entries: readonly TruthEntry[] }
  /** All of the truth has been sent. */
  | { readonly kind: 'ended'; readonly lateNsMax: number };

const truthEveryMs = 100;

assert(parentPort !== null, 'the lab runs in a worker');
const port = parentPort;
const data = workerData as LabThreadData;

function send(message: FromLabThread): void {
  port.postMessage(message);
}

let unsent: TruthEntry[] = [];
let isEnded = false;

function sendTruth(): void {
  if (unsent.length > 0) send({ kind: 'truth', entries: unsent });
  unsent = [];
}

async function startFromData(): Promise<Lab | null> {
  const { world, setting, isTls, runId } = data;
  const record = (entry: TruthEntry): void => {
    if (!isEnded) unsent.push(entry);
  };
  const model = newWorld({ world, setting, record });
  try {
    return await startLab({ world: model, setting, isTls, clock: newClock(data.startedAtHrNs), runId });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    send({ kind: 'not-started', problems: error.problems });
    return null;
  }
}

const lab = await startFromData();
if (lab === null) {
  port.close();
} else {
  const { ports, caPem, certificateSha256, changeUrl } = lab;
  const sending = setInterval(sendTruth, truthEveryMs);
  port.on('message', ({ kind }: ToLabThread) => {
    lab.end();
    isEnded = true;
    sendTruth();
    send({ kind: 'ended', lateNsMax: lab.lateNsMax });
    if (kind === 'end') return;
    clearInterval(sending);
    port.close();
    void lab[Symbol.asyncDispose]();
  });
  send({ kind: 'started', facts: { ports, caPem, certificateSha256, changeUrl } });
}
