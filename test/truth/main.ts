/** `npm run truth -- --seeds 1000 [--from n] [--seed n]`: the truth bar over many random worlds. */
import { parseArgs } from 'node:util';
import { comparisonText } from '../../src/truth/comparison-text.ts';
import { barText, newTally } from './bar.ts';
import { randomWorld } from './random-world.ts';
import { runSeed } from './run-seed.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
  },
});

if (values.seed === undefined) process.exitCode = await sweep(Number(values.from), Number(values.seeds));
else process.exitCode = await showOne(Number(values.seed));

async function sweep(from: number, count: number): Promise<number> {
  const tally = newTally();
  for (let seed = from; seed < from + count; seed += 1) {
    const result = await runSeed(seed);
    const problem = tally.add(result);
    if (problem !== null) process.stdout.write(`${problem}\n    npm run truth -- --seed ${String(seed)}\n`);
    if ((seed - from + 1) % 50 === 0) process.stderr.write(`${String(seed - from + 1)} of ${String(count)} worlds\n`);
  }
  process.stdout.write(barText(tally));
  return tally.isPassed() ? 0 : 1;
}

async function showOne(seed: number): Promise<number> {
  process.stdout.write(`${JSON.stringify(JSON.parse(randomWorld(seed)), null, 1)}\n`);
  const result = await runSeed(seed);
  const tally = newTally();
  const problem = tally.add(result);
  for (const { service, objective, value, text } of result.verdict.reasons) {
    if (value !== 'pass') process.stdout.write(`${value}: ${service ?? ''} ${objective}: ${text}\n`);
  }
  process.stdout.write(`\n${comparisonText(result.comparison)}\n${problem ?? 'agrees with the truth'}\n`);
  return problem === null ? 0 : 1;
}
