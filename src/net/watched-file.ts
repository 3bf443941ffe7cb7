import { readFileSync, statSync } from 'node:fs';
import type { Clock } from '../core/ports.ts';
import { nsPerS } from '../core/time.ts';

/**
 * A small file that somebody may edit while we run, parsed again when it changed; looked at no more than once a second.
 * A missing file is an empty one. While it cannot be read for another reason (no free file descriptor), what it said
 * before holds.
 */
export class WatchedFile<T> {
  readonly #clock: Clock;
  readonly #path: string;
  readonly #parse: (text: string) => T;
  #value: T;
  #lookedAtNs: number | null = null;
  #seen = '';

  constructor(clock: Clock, path: string, parse: (text: string) => T) {
    this.#clock = clock;
    this.#path = path;
    this.#parse = parse;
    this.#value = parse('');
  }

  read(): T {
    const nowNs = this.#clock.nowNs();
    if (this.#lookedAtNs !== null && nowNs - this.#lookedAtNs < nsPerS) return this.#value;
    this.#lookedAtNs = nowNs;
    try {
      const { mtimeMs, size, ino } = statSync(this.#path);
      const seen = `${mtimeMs} ${size} ${ino}`;
      if (seen === this.#seen) return this.#value;
      this.#value = this.#parse(readFileSync(this.#path, 'utf8'));
      this.#seen = seen;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
        this.#value = this.#parse('');
        this.#seen = '';
      }
    }
    return this.#value;
  }
}
