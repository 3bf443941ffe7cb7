/**
 * Preloaded by `node --import`: at SIGUSR2 the main thread stands still for 2 s, as in a long garbage collection or a
 * library that computes. Probing threads inherit the preload, and must not be touched by it.
 */
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  process.on('SIGUSR2', () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
  });
}
