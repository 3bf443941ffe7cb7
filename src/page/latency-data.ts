/** Response times as uPlot wants them: one list of instants, and for each line a value or none at each. */
import type { PictureLatency } from '../core/picture.ts';

export interface LatencyData {
  /** In the middle of bins, rising. */
  readonly atMs: number[];
  readonly oldP50: (number | null)[];
  readonly oldP99: (number | null)[];
  readonly newP50: (number | null)[];
  readonly newP99: (number | null)[];
}

type Bin = PictureLatency['bins'][number];

export function latencyData(
  oldSide: PictureLatency | undefined,
  newSide: PictureLatency | undefined,
  binMs: number,
): LatencyData {
  const [oldBins, newBins] = [byInstant(oldSide, binMs), byInstant(newSide, binMs)];
  const stepMs = Math.max(oldSide?.binCount ?? 1, newSide?.binCount ?? 1) * binMs;
  const atMs = withGaps(
    [...new Set([...oldBins.keys(), ...newBins.keys()])].toSorted((a, b) => a - b),
    stepMs,
  );
  const column = (bins: ReadonlyMap<number, Bin>, field: 2 | 3): (number | null)[] =>
    atMs.map((ms) => bins.get(ms)?.[field] ?? null);
  return {
    atMs,
    oldP50: column(oldBins, 2),
    oldP99: column(oldBins, 3),
    newP50: column(newBins, 2),
    newP99: column(newBins, 3),
  };
}

/** Where neither side gave a good answer there is an instant without any, or a line would lead straight over an outage. */
function withGaps(atMs: readonly number[], stepMs: number): number[] {
  return atMs.flatMap((ms, i) => {
    const next = atMs[i + 1];
    return next !== undefined && next - ms > 1.5 * stepMs ? [ms, (ms + next) / 2] : [ms];
  });
}

function byInstant(side: PictureLatency | undefined, binMs: number): ReadonlyMap<number, Bin> {
  const { bins = [], binCount = 1 } = side ?? {};
  return new Map(bins.map((bin) => [(bin[0] + binCount / 2) * binMs, bin]));
}

/** The bin that an instant lies in. */
export function latencyAt(side: PictureLatency | undefined, binMs: number, ms: number): Bin | undefined {
  const { bins = [], binCount = 1 } = side ?? {};
  return bins.find(([bin]) => ms >= bin * binMs && ms < (bin + binCount) * binMs);
}
