/**
 * The entry of the lab's thread: a world on loopback sockets that no analysis, page or write of the main thread can make
 * late. The truth goes to the main thread.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Entry } from '../core/entry.ts';
import { assert, UserError, type Problem } from '../core/errors.ts';
import type { Observers } from '../core/ports.ts';
import type { Scenario } from '../core/scenario.ts';
import type { Setting, World } from '../core/world.ts';
import type { TruthEntry } from '../core/truth.ts';
import { startLab, type Lab } from '../lab/lab.ts';
import { newWorld } from '../model/world.ts';
import type { WorldModel } from '../model/world-model.ts';
import { newClock } from '../net/clock.ts';
import { startSimObservers } from '../sim/platform-observers.ts';

export interface LabThreadData {
  readonly startedAtHrNs: bigint;
  readonly runId: string;
  readonly world: World;
  readonly setting: Setting;
  readonly isTls: boolean;
}

/** What of a lab crosses to another thread. */
export type LabFacts = Pick<Lab, 'ports' | 'caPem' | 'certificateSha256' | 'changeUrl'>;

export type ToLabThread =
  | { readonly kind: 'end' | 'stop' }
  /** Its platforms are to be told of from now on, as AWS and Kubernetes would; until `unobserve`. */
  | { readonly kind: 'observe'; readonly sides: Scenario['sides']; readonly startedAtMs: number }
  | { readonly kind: 'unobserve' };

export type FromLabThread =
  | { readonly kind: 'started'; readonly facts: LabFacts }
  | { readonly kind: 'not-started'; readonly problems: readonly Problem[] }
  | { readonly kind: 'truth'; readonly entries: readonly TruthEntry[] }
  | { readonly kind: 'platform'; readonly entry: Entry }
  /** All of the truth has been sent. */
  | { readonly kind: 'ended'; readonly lateNsMax: number };

const truthEveryMs = 100;

assert(parentPort !== null, 'the lab runs in a worker');
const port = parentPort;
const data = workerData as LabThreadData;

function send(message: FromLabThread): void {
  port.postMessage(message);
}

const clock = newClock(data.startedAtHrNs);
let model: WorldModel | null = null;
let observers: Observers | null = null;
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
  model = newWorld({ world, setting, record });
  try {
    return await startLab({ world: model, setting, isTls, clock, runId });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    send({ kind: 'not-started', problems: error.problems });
    return null;
  }
}

function observe({ sides, startedAtMs }: Extract<ToLabThread, { kind: 'observe' }>): void {
  assert(model !== null, 'the lab is up before anybody looks at it');
  const entry = (one: Entry): void => send({ kind: 'platform', entry: one });
  const { world, setting } = data;
  observers = startSimObservers({ clock, model, world, setting, scenario: { sides }, startedAtMs, entry });
}

const lab = await startFromData();
if (lab === null) {
  port.close();
} else {
  const { ports, caPem, certificateSha256, changeUrl } = lab;
  const sending = setInterval(sendTruth, truthEveryMs);
  port.on('message', (message: ToLabThread) => {
    const { kind } = message;
    if (kind === 'observe') return observe(message);
    observers?.stop();
    if (kind === 'unobserve') return;
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
