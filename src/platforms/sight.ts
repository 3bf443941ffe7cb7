/**
 * Whether an observer sees. What it tells is worth nothing without the times in which it told nothing because it could not
 * look, so these are in the journal: `observer-started`, `observer-blinded` at once, `observer-recovered`.
 */
import type { Entry } from '../core/entry.ts';
import type { Clock } from '../core/ports.ts';
import type { Side } from '../core/scenario.ts';

export interface SightOptions {
  readonly clock: Clock;
  readonly entry: (entry: Entry) => void;
  /** `route53`, `elbv2:old`, `kubernetes:new` … */
  readonly observer: string;
  readonly side: Side | null;
  /** What it looks at, for people. */
  readonly what: string;
}

export interface Sight {
  /** What was so at `asOfNs`, when the question was sent, is known; left out: now, as of a stream that is open. */
  sees(asOfNs?: number): void;
  /** Nothing is known since the last `sees`. Said once, until it sees again. `isLasting`: waiting mends nothing. */
  cannotSee(why: string, isLasting?: boolean): void;
}

/** Says at once that the observer has begun. */
export function newSight({ clock, entry, observer, side, what }: SightOptions): Sight {
  let seenAtNs = clock.nowNs();
  let isBlind = false;
  entry({ type: 'observer-started', atNs: seenAtNs, observer, side, what });
  return {
    sees(asOfNs = clock.nowNs()) {
      seenAtNs = asOfNs;
      if (!isBlind) return;
      isBlind = false;
      entry({ type: 'observer-recovered', atNs: clock.nowNs(), observer });
    },
    cannotSee(why, isLasting = false) {
      if (isBlind) return;
      isBlind = true;
      const more = isLasting ? { isLasting: true as const } : {};
      entry({ type: 'observer-blinded', atNs: clock.nowNs(), observer, sinceNs: seenAtNs, why, ...more });
    },
  };
}
