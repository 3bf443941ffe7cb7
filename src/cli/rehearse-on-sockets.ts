/** A rehearsal on real sockets: a lab in a thread of its own, and a real run whose wrapped command makes the change. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Analysis } from '../core/analysis.ts';
import type { Scenario } from '../core/scenario.ts';
import { nsToMs } from '../core/time.ts';
import type { TruthEntry } from '../core/truth.ts';
import type { Setting, World } from '../core/world.ts';
import type { RunWriter } from '../evidence/run-folder.ts';
import type { RunResult } from '../run/run.ts';
import { inWorld } from '../scenario/in-world.ts';
import { startLabInThread } from './lab-in-thread.ts';
import type { LabFacts } from './lab-thread.ts';
import type { OwnViewerFlags } from './own-viewer.ts';
import { startListening, type ListenFlags } from './listen.ts';
import { commandsText } from './rehearsal-story.ts';
import { checkPlan, newRunStart, watchRun } from './run-command.ts';
import { finishRun } from './write-reports.ts';
import { truthFile, writeTruth } from './write-truth.ts';

/** What is played, and how. */
export interface Play {
  readonly scenario: Scenario;
  readonly world: World;
  readonly setting: Setting;
  readonly flags: OwnViewerFlags & ListenFlags & { readonly keep?: boolean };
  readonly writer: RunWriter;
}

export interface Rehearsed {
  readonly analysis: Analysis;
  readonly truth: readonly TruthEntry[];
  /** The run folder. */
  readonly path: string;
  /** As of a run. */
  readonly exitCode: number;
  /** Evidence, truth and reports could all be written. */
  readonly isWhole: boolean;
}

/** The wrapped command is a program of ours, and what it is called tells nobody anything. */
export const changeText = 'making the change';

/** The lab answers in a thread of its own; later than this, and latencies are of this machine and not of the world. */
const lateMsMax = 50;
/** A rehearsal reaches nobody but this machine: the guard of a run has nothing to protect. */
const maxRate = 1000;

/** `told` runs once all is said and done but for `--keep`, with which the lab stays up until Ctrl-C. */
export async function rehearseOnSockets(
  { scenario, world, setting, flags, writer }: Play,
  told: (rehearsed: Rehearsed) => number,
): Promise<number> {
  await using listening = await startListening(flags);
  const start = newRunStart();
  const checks = [...scenario.services.flatMap((service) => service.checks), ...scenario.references];
  const isTls = checks.some(({ scheme }) => scheme === 'https');
  const broken = Promise.withResolvers<never>();
  const { startedAtHrNs, runId } = start;
  await using lab = await startLabInThread({ startedAtHrNs, runId, world, setting, isTls }, broken.reject);
  using stay = flags.keep === true ? keepUp(lab, setting, scenario, writer.path) : null;
  const moved = inWorld(scenario, setting, {
    http: lab.ports.http,
    ...(lab.ports.https === null ? {} : { https: lab.ports.https }),
    dns: () => lab.ports.dns,
    playsPlatforms: world.isObserved !== false,
    ...(lab.caPem === null ? {} : { caPem: lab.caPem, certificateSha256: lab.certificateSha256 }),
  });
  for (const note of moved.notes) process.stderr.write(`note: ${note}\n`);
  checkPlan(moved.scenario, maxRate);
  const command = changeCommand(lab.changeUrl);
  const watching = watchRun({
    scenario: moved.scenario,
    command,
    flags: { ...flags, maxRate },
    start,
    writer,
    listening,
    startText: changeText,
    isCommandSilent: true,
    observe: (entry) => lab.observe({ scenario: moved.scenario, startedAtMs: start.startedAtMs }, entry),
  });
  const watched = await Promise.race([watching, broken.promise]);
  const { truth, lateNsMax } = await lab.end();
  const lateMs = Math.round(nsToMs(lateNsMax));
  if (lateMs > lateMsMax) process.stderr.write(`note: the lab itself answered up to ${lateMs} ms late\n`);
  const exitCode = told(
    finishRehearsal(watched, { truth, truthFailure: writeTruth(writer.path, truth) }, writer, flags),
  );
  if (stay !== null) process.stderr.write('\nThe lab stays up until Ctrl-C.\n');
  await Promise.all([stay?.ended, listening?.stay()]);
  return exitCode;
}

/** Reports, summary, and what of it all could not be written. */
export function finishRehearsal(
  result: RunResult,
  { truth, truthFailure }: { readonly truth: readonly TruthEntry[]; readonly truthFailure: string | null },
  writer: RunWriter,
  { json = false }: Play['flags'],
): Rehearsed {
  const { path } = writer;
  const exitCode = finishRun(result, {
    path,
    json,
    writeReport: (name, text) => writer.report(name, text),
    unwritten: truthFailure === null ? [] : [{ file: truthFile, reason: truthFailure }],
  });
  const isWhole = writer.failure === null && truthFailure === null;
  return { analysis: result.analysis, truth, path, exitCode, isWhole };
}

function changeCommand(url: string): readonly string[] {
  const script = `process.exitCode = (await fetch('${url}', { method: 'POST' })).ok ? 0 : 1`;
  return [process.execPath, '--input-type=module', '--eval', script];
}

// ── --keep ───────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Stay extends Disposable {
  /** Ctrl-C, also one that came during the run. */
  readonly ended: Promise<void>;
}

/**
 * Says how to point other clients at the lab, and waits for Ctrl-C. The authority's certificate is in the run folder
 * meanwhile: whatever ends us, nothing is left elsewhere.
 */
function keepUp(lab: LabFacts, setting: Setting, scenario: Scenario, runPath: string): Stay {
  const caPath = join(runPath, 'ca.pem');
  if (lab.caPem !== null) writeFileSync(caPath, lab.caPem);
  const commands = clientCommands(lab, setting, scenario, caPath);
  process.stderr.write(`${commandsText('The lab stays up until Ctrl-C. Point anything at it:', commands)}\n\n`);
  const ended = Promise.withResolvers<void>();
  const end = (): void => ended.resolve();
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  return {
    ended: ended.promise,
    [Symbol.dispose]() {
      process.off('SIGINT', end);
      process.off('SIGTERM', end);
      rmSync(caPath, { force: true });
    },
  };
}

function clientCommands(
  { ports }: LabFacts,
  { places, sites }: Setting,
  scenario: Scenario,
  caPath: string,
): readonly (readonly [string, string])[] {
  const check = scenario.services[0]?.checks[0];
  if (check === undefined) return [];
  const hostname = sites[0]?.hostname ?? check.hostname;
  const ask = (address: string): string => `dig @${address} -p ${ports.dns} ${hostname}`;
  const isTls = check.scheme === 'https';
  const port = isTls ? ports.https : ports.http;
  const trust = isTls ? `--cacert ${caPath} ` : '';
  const get = (address: string): string =>
    `curl -i ${trust}--connect-to ::${address}: ${check.scheme}://${hostname}:${port}${check.path}`;
  return [
    ...Object.entries(places.resolvers).map(([name, address]) => [ask(address), `resolver ${name}`] as const),
    ...Object.entries(places.nameServers).map(
      ([name, address]) => [`${ask(address)} +norecurse`, `name server ${name}`] as const,
    ),
    ...(['old', 'new'] as const).flatMap((side) =>
      places.sides[side].slice(0, 1).map((address) => [get(address), `the ${side} side`] as const),
    ),
  ];
}
