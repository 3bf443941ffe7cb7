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
  { seed: 20, was: 'an ingress without endpoints was a side that is down' },
  { seed: 83, was: 'lanes went on failing with a DNS question that was asked while nobody answered' },
  { seed: 118, was: 'answers to a SYN that was sent again hid that our own network was lost' },
  { seed: 195, was: 'what a client remembers of a failed question failed for no reason known' },
  { seed: 835, was: 'a name server that answered nobody hid that the others went back' },
  { seed: 899, was: 'a return to the old side passed, for a TTL lowered was not logged at once' },
  { seed: 934, was: 'an address tried in vain before made an answer late, for no reason known' },
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
  expect(counts.causesRight).toBeGreaterThanOrEqual(0.97 * counts.causes);
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
