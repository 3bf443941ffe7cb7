/** `cutwatch rehearse`: a whole cutover in a world of this machine, watched by a real run and held against what it should be. */
import { existsSync, globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { userError } from '../core/errors.ts';
import { defaultWorld } from '../scenario/world.ts';
import { settingOf } from '../scenario/setting.ts';
import { judge } from '../verdict/judge.ts';
import { loadRehearsal } from './load-scenario.ts';
import { causesOf, commandsText, outcomeOf, storyText } from './rehearsal-story.ts';
import { rehearseOnSockets, type Rehearsed } from './rehearse-on-sockets.ts';

export interface RehearseFlags {
  readonly out?: string;
  readonly json?: boolean;
  readonly seed?: number;
  readonly keep?: boolean;
}

/** In a checkout and in the published package alike. */
const builtIn = join(import.meta.dirname, '../../scenarios');
const firstOne = 'founding-migration';

/** @param name a scenario file, or the name of one that comes with cutwatch */
export async function rehearseCommand(name: string = firstOne, flags: RehearseFlags): Promise<number> {
  const { scenario, world: given } = loadRehearsal(fileOf(name));
  const ofFile = given ?? defaultWorld(scenario);
  const world = flags.seed === undefined ? ofFile : { ...ofFile, seed: flags.seed };
  const setting = settingOf(scenario, world);
  process.stderr.write(`${storyText({ scenario, world, setting }, 'on real sockets of this machine')}\n\n`);

  const told = ({ analysis, exitCode }: Rehearsed): number => {
    const { expect } = world;
    const outcome = expect === null ? null : outcomeOf(expect, judge(analysis), causesOf(analysis));
    if (outcome !== null) process.stderr.write(`\n${outcome.text}\n`);
    process.stderr.write(`\n${commandsText('Try next', nextCommands(name, flags))}\n`);
    // A tool that is wrong about itself is no rehearsal, whatever came of it.
    return outcome === null || exitCode === 1 ? exitCode : outcome.exitCode;
  };
  return rehearseOnSockets({ scenario, world, setting, flags }, told);
}

function fileOf(name: string): string {
  if (existsSync(name) || name !== basename(name, '.yaml')) return name;
  const path = join(builtIn, `${name}.yaml`);
  if (!existsSync(path))
    throw userError(name, `there is no such scenario file, and none comes with cutwatch by that name`);
  return path;
}

/** As it is called from here. */
const program = import.meta.url.endsWith('.ts') ? 'npm run -s cutwatch --' : 'cutwatch';

function nextCommands(name: string, flags: RehearseFlags): readonly (readonly [string, string])[] {
  const names = globSync('*.yaml', { cwd: builtIn })
    .map((file) => basename(file, '.yaml'))
    .toSorted();
  const other = names[(names.indexOf(name) + 1) % names.length];
  return [
    ...(flags.keep === true
      ? []
      : [[`${program} rehearse ${name} --keep`, 'leaves it running for dig, curl, a browser'] as const]),
    ...(other === undefined ? [] : [[`${program} rehearse ${other}`, 'another one'] as const]),
    [`${program} plan ${name === firstOne ? 'your.yaml' : name}`, 'what a run of your own would send, and where'],
  ];
}
