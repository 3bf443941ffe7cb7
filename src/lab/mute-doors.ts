/**
 * Doors at which no SYN is answered. Linux drops a SYN to a listener whose queue is full, so a thread listens with the
 * shortest queue there is and then stands still, and we fill the queue. Elsewhere a door that should be mute lets everybody
 * in and says nothing.
 */
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { isReusable, type Door } from './door.ts';

export interface MuteDoors extends AsyncDisposable {
  /** These are mute, and no others. Takes effect within about 50 ms: a thread has to start. */
  set(doors: readonly Door[]): void;
}

/** Listens at all places, says so, and stands still until it is told to end. */
const listener = `
const { createServer } = require('node:net');
const { parentPort, workerData: { places, flag } } = require('node:worker_threads');
let waiting = places.length;
const servers = places.map((place) => {
  const server = createServer();
  server.listen({ ...place, backlog: 1, exclusive: true, reusePort: true }, () => {
    waiting -= 1;
    if (waiting > 0) return;
    parentPort.postMessage('listening');
    Atomics.wait(flag, 0, 0);
    for (const one of servers) one.close();
  });
  return server;
});
`;
/** A queue of length 1 holds two connections; more do no harm. */
const fillerCount = 4;

interface Group {
  readonly doors: readonly Door[];
  fill(): void;
  end(): Promise<void>;
}

export function newMuteDoors(): MuteDoors {
  let key = '';
  let current: Group | null = null;
  let changing = Promise.resolve();

  async function change(doors: readonly Door[]): Promise<void> {
    if (current !== null) {
      await Promise.all(current.doors.map((door) => door.mute(false)));
      await current.end();
      current = null;
    }
    if (doors.length === 0 || !isReusable) return;
    current = await startGroup(doors);
    await Promise.all(doors.map((door) => door.mute(true)));
    current.fill();
  }

  return {
    set(doors) {
      const wanted = doors.map(({ address, port }) => `${address}:${port}`).join();
      if (wanted === key) return;
      key = wanted;
      changing = changing.then(() => change(doors));
    },
    async [Symbol.asyncDispose]() {
      await changing;
      await current?.end();
    },
  };
}

async function startGroup(doors: readonly Door[]): Promise<Group> {
  const flag = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const places = doors.map(({ address, port }) => ({ host: address, port }));
  const worker = new Worker(listener, { eval: true, workerData: { places, flag } });
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const fillers: Socket[] = [];
  await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return {
    doors,
    fill() {
      for (const place of places) {
        for (let i = 0; i < fillerCount; i += 1) fillers.push(connect(place).on('error', () => {}));
      }
    },
    async end() {
      for (const filler of fillers) filler.destroy();
      Atomics.store(flag, 0, 1);
      Atomics.notify(flag, 0);
      await exited;
    },
  };
}
