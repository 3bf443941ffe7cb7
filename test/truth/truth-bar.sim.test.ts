/**
 * The truth bar over a few random worlds; `npm run truth -- --seeds 1000` is the whole of it. A world in which something
 * is wrong is shown by `npm run truth -- --seed <n>`.
 */
import { expect, test } from 'vitest';
import { newTally, type Rate } from './bar.ts';
import { runSeed } from './run-seed.ts';

const seeds = process.env['CUTWATCH_SEED'] === undefined ? range(1, 50) : [Number(process.env['CUTWATCH_SEED'])];

test(
  'over 50 random worlds nothing is missed, made up, bounded wrongly or judged against the truth',
  { timeout: 120_000 },
  async () => {
    const tally = newTally();
    const wrong: string[] = [];
    for (const seed of seeds) {
      const problem = tally.add(await runSeed(seed));
      if (problem !== null) wrong.push(`${problem}\n    npm run truth -- --seed ${String(seed)}`);
    }
    expect(
      tally.rates().filter(({ isMet }) => !isMet),
      wrong.join('\n'),
    ).toEqual([]);
    // A bar that measured nothing would be met.
    const counted = new Map(tally.rates().map(({ name, whole }: Rate) => [name, whole]));
    expect(counted.get('true outages reported')).toBeGreaterThan(100);
    expect(counted.get('failed probes with a true cause')).toBeGreaterThan(1000);
  },
);

/** Worlds in which something was once wrong, and what. */
test.for([
  { seed: 160, was: 'the end of one fault of a resolver ended another in the truth log' },
  { seed: 187, was: 'lanes went on failing with a DNS question asked while the network was lost' },
  { seed: 349, was: 'the seconds in which our own network was lost and came back were the side’s fault' },
  { seed: 24, was: 'our own network, lost for less than an interval, was the side’s fault' },
  { seed: 242, was: 'an ingress without endpoints was a side that is down' },
  { seed: 132, was: 'a few stale targets behind every address made one address down' },
  { seed: 1587, was: 'a resolver that breaks the TTL held up convergence by way of a kept connection' },
])('world $seed: $was', { timeout: 60_000 }, async ({ seed }) => {
  const { comparison } = await runSeed(seed);
  const { missedOutages, falseOutages, lengthsOutside, contradictions, oddRows, counts } = comparison;
  expect({ missedOutages, falseOutages, lengthsOutside, contradictions, oddRows }).toEqual({
    missedOutages: [],
    falseOutages: [],
    lengthsOutside: [],
    contradictions: [],
    oddRows: [],
  });
  expect(counts.causesRight).toBeGreaterThanOrEqual(0.98 * counts.causes);
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
