/** For how long a run has told nothing. Its analysis takes longer and longer, so that its own rhythm says what is too long. */
export interface Silence {
  readonly silentMs: number;
  readonly silentMsMax: number;
}

/** Silence that is longer than this, and than thrice the longest between two snapshots, means that the run is stuck. */
const silentMsMin = 60_000;

export function newSilence(nowMs: () => number): { heard(): void; now(): Silence } {
  let heardAtMs = nowMs();
  let isFirst = true;
  let silentMsMax = silentMsMin;
  return {
    heard() {
      const atMs = nowMs();
      // A run may take its time to begin.
      if (!isFirst) silentMsMax = Math.max(silentMsMax, 3 * (atMs - heardAtMs));
      isFirst = false;
      heardAtMs = atMs;
    },
    now: () => ({ silentMs: nowMs() - heardAtMs, silentMsMax }),
  };
}
