/** Many more mutated replies than a test has time for: `npm run mutate -- [count] [seed]`. */
import { decodeMutated } from './mutated-replies.ts';

const [count = 2_000_000, seed = 1] = process.argv.slice(2).map(Number);
const partCount = 100_000;
for (let done = 0, part = seed; done < count; done += partCount, part += 1) {
  const { kinds, wrong, slowestMs } = decodeMutated(Math.min(partCount, count - done), part);
  process.stdout.write(`seed ${part}: ${JSON.stringify(kinds)}, slowest ${slowestMs.toFixed(1)} ms\n`);
  for (const line of wrong.slice(0, 10)) process.stdout.write(`  ${line}\n`);
  if (wrong.length > 0) process.exitCode = 1;
}
