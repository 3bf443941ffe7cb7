/** `cutwatch rehearse`: a whole cutover in a world of its own, watched by a real run and held against what it should be. */
import type { Analysis } from '../core/analysis.ts';
import { UserError } from '../core/errors.ts';
import type { TruthEntry } from '../core/truth.ts';
import type { Verdict } from '../core/verdict.ts';
import { readRun } from '../evidence/read-run.ts';
import type { ListenAddress } from '../live/listen-address.ts';
import { toReport } from '../report/report-json.ts';
import { settingOf } from '../scenario/setting.ts';
import { defaultWorld } from '../scenario/world.ts';
import { comparisonText } from '../truth/comparison-text.ts';
import { compareWithTruth } from '../truth/compare.ts';
import { judge } from '../verdict/judge.ts';
import { builtInNames, scenarioFileOf } from './built-in-scenarios.ts';
import { tellCi } from './ci-system.ts';
import { loadRehearsal } from './load-scenario.ts';
import { discardFolder, openRunFolder } from './own-folder.ts';
import type { OwnViewerFlags } from './own-viewer.ts';
import { causesOf, commandsText, outcomeOf, storyText } from './rehearsal-story.ts';
import { rehearseOnSockets, type Rehearsed } from './rehearse-on-sockets.ts';
import { rehearseSimulated } from './rehearse-simulated.ts';

export interface RehearseFlags extends OwnViewerFlags {
  readonly out?: string;
  readonly seed?: number;
  readonly simulate?: boolean;
  readonly truth?: boolean;
  readonly keep?: boolean;
  readonly listen?: ListenAddress;
  readonly stay?: number;
}

const firstOne = { onSockets: 'founding-migration', simulated: 'founding-migration-full-scale' };

/** @param given a scenario file, or the name of one that comes with cutwatch */
export async function rehearseCommand(given: string | undefined, flags: RehearseFlags): Promise<number> {
  const name = given ?? (flags.simulate === true ? firstOne.simulated : firstOne.onSockets);
  const { scenario, world: ofScenario } = loadRehearsal(scenarioFileOf(name));
  const ofFile = ofScenario ?? defaultWorld(scenario);
  const world = flags.seed === undefined ? ofFile : { ...ofFile, seed: flags.seed };
  const setting = settingOf(scenario, world);
  // First of all, so that a folder that cannot be written is refused before the story.
  const writer = openRunFolder({ out: flags.out, startedAtMs: Date.now(), name: scenario.name });
  say(`${storyText({ scenario, world, setting }, { isVirtual: flags.simulate === true })}\n`);

  const tell = ({ analysis, truth, path, exitCode, isWhole }: Rehearsed): number => {
    const verdict = judge(analysis);
    const { expect } = world;
    const outcome = expect === null ? null : outcomeOf(expect, verdict, causesOf(analysis));
    if (flags.truth === true && isWhole) say(`\n${truthText({ analysis, verdict, truth, path }).trimEnd()}`);
    if (flags.truth === true && !isWhole) say('\nNot all was written, so the report is not held against the truth.');
    if (outcome !== null) say(`\n${outcome.text}`);
    say(`\n${commandsText('Try next', nextCommands(name, flags))}`);
    const status = statusOf(exitCode, outcome?.exitCode ?? null, isWhole);
    tellCi(() => toReport(analysis, verdict), { exitCode: status, runPath: path, isWritten: isWhole });
    return status;
  };
  const play = { scenario, world, setting, flags, writer };
  try {
    return flags.simulate === true ? tell(await rehearseSimulated(play)) : await rehearseOnSockets(play, tell);
  } catch (error) {
    // What the user has to mend is found before anything begins.
    if (error instanceof UserError) discardFolder(writer.path);
    throw error;
  }
}

/** A tool that is wrong about itself is no rehearsal, whatever came of it. */
function statusOf(exitCode: number, ofOutcome: number | null, isWhole: boolean): number {
  if (ofOutcome === null || exitCode === 1) return exitCode;
  return ofOutcome === 0 && !isWhole ? 4 : ofOutcome;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function truthText(given: {
  readonly analysis: Analysis;
  readonly verdict: Verdict;
  readonly truth: readonly TruthEntry[];
  readonly path: string;
}): string {
  const { path, ...rest } = given;
  const reading = readRun(path);
  const lanes = reading.entries.flatMap((entry) =>
    entry.type === 'run-started' || entry.type === 'lanes-added' ? entry.lanes : [],
  );
  return comparisonText(compareWithTruth({ ...rest, lanes, batches: reading.batches() }));
}

// ── what next ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** As it is called from here. */
const program = import.meta.url.endsWith('.ts') ? 'npm run -s cutwatch --' : 'cutwatch';

/** Three things to try that were not tried just now. */
function nextCommands(name: string, flags: RehearseFlags): readonly (readonly [string, string])[] {
  const again = `${program} rehearse ${name}`;
  const more: readonly (readonly [isDone: boolean | undefined, flag: string, why: string])[] = [
    [flags.truth, '--truth', 'holds the report against what was really so'],
    [flags.simulate, '--simulate --seed 2', 'another world of this kind, in virtual time'],
    [flags.keep, '--keep', 'leaves the world running for dig, curl, a browser'],
  ];
  const untried = more.filter(([isDone]) => isDone !== true).slice(0, 1);
  const others = builtInNames().filter((other) => !['minimal', 'shop-ecs-to-eks'].includes(other));
  const other = others[(others.indexOf(name) + 1) % others.length];
  return [
    ...untried.map(([, flag, why]) => [`${again} ${flag}`, why] as const),
    ...(other === undefined ? [] : [[`${program} rehearse ${other} --simulate`, 'another story'] as const]),
    [`${program} plan your.yaml`, 'what a run of your own would send, and where'],
  ];
}
