/** `cutwatch rehearse`: the smallest cutover, on real sockets of this machine, watched by a real run. */
import { presets } from '../clients/presets.ts';
import { startSmallCutover } from '../lab/small-cutover.ts';
import { parseScenario } from '../scenario/parse.ts';
import { runCommand, type RunFlags } from './run-command.ts';

export async function rehearseCommand(flags: Omit<RunFlags, 'maxRate'>): Promise<number> {
  await using lab = await startSmallCutover();
  process.stderr.write(`${lab.story}\n\n`);
  const scenario = parseScenario(lab.scenario, { file: 'rehearsal', env: {}, presets, readFile: () => '' });
  // Awaited here: the lab ends with this block.
  return await runCommand(scenario, lab.switchCommand, { ...flags, maxRate: 30 });
}
