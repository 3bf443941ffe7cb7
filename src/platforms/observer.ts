/**
 * The frame of an observer that asks again and again. It runs beside the probes and never waits for them, nor they for it;
 * whatever fails in it is a blind interval in the journal, and never an exception.
 */
import type { Entry } from '../core/entry.ts';
import type { Random } from '../core/ports.ts';
import { sToNs } from '../core/time.ts';
import { newSight, type SightOptions } from './sight.ts';
import { readable, type NotTold, type Told } from './told.ts';

export interface ObserverOptions extends SightOptions {
  readonly random: Random;
  /** From the beginning of a look to that of the next; one that takes longer is waited for. */
  readonly everyNs: number;
  /**
   * Looks once: tells what it finds as entries, whose `atNs` is when we heard of it, and whether it saw all it should.
   * Ends soon after `signal` is aborted.
   */
  readonly look: (options: LookOptions) => Promise<Told<unknown>>;
}

export interface LookOptions {
  readonly tell: (entry: Entry) => void;
  readonly signal: AbortSignal;
}

export interface Observer {
  /** Looks out of turn, as soon as the look that is under way has ended. */
  lookNow(): void;
  /** Nothing is told afterwards; what is under way is given up. */
  stop(): void;
}

/** What waiting does not mend. */
const lasting: ReadonlySet<NotTold['reason']> = new Set(['no-credentials', 'no-region', 'denied']);
/** Observers of the same kind do not look in step for long. */
const jitterRatio = 0.1;
/** After each look in a row that saw too little the next waits twice as long, so many times: who throttles us is to be left alone. */
const doublingCountMax = 4;
/** Longer than so the wait does not become by that. */
const backedOffS = 30;

export function startObserver(options: ObserverOptions): Observer {
  const { clock, random, everyNs } = options;
  const stopped = new AbortController();
  const { signal } = stopped;
  const tell = (entry: Entry): void => {
    if (!signal.aborted) options.entry(entry);
  };
  const sight = newSight({ ...options, entry: tell });

  let isLooking = false;
  let isWantedNow = false;
  let failedCount = 0;

  async function look(): Promise<void> {
    isLooking = true;
    isWantedNow = false;
    const askedAtNs = clock.nowNs();
    const seen = await readable(() => options.look({ tell, signal }));
    isLooking = false;
    if (signal.aborted) return;
    if (seen.kind === 'told') sight.sees(askedAtNs);
    else sight.cannotSee(seen.why, lasting.has(seen.reason));
    failedCount = seen.kind === 'told' ? 0 : failedCount + 1;
    const waitNs = Math.max(
      everyNs,
      Math.min(sToNs(backedOffS), everyNs * 2 ** Math.min(failedCount, doublingCountMax)),
    );
    const nextAtNs = askedAtNs + Math.ceil(waitNs * (1 + jitterRatio * random()));
    cancel = clock.at(isWantedNow ? clock.nowNs() : Math.max(nextAtNs, clock.nowNs()), () => void look());
  }
  let cancel = clock.at(clock.nowNs(), () => void look());

  return {
    lookNow() {
      if (signal.aborted) return;
      isWantedNow = true;
      if (isLooking) return;
      cancel();
      cancel = clock.at(clock.nowNs(), () => void look());
    },
    stop() {
      stopped.abort();
      cancel();
    },
  };
}
