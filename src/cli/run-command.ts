/** `cutwatch run`: wires the real ports, follows signals, writes the reports, and knows the exit status. */
import { randomBytes } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import type { RunMode } from '../core/entry.ts';
import { UserError } from '../core/errors.ts';
import type { Scenario } from '../core/scenario.ts';
import { nsToMs } from '../core/time.ts';
import type { RunWriter } from '../evidence/run-folder.ts';
import type { ListenAddress } from '../live/listen-address.ts';
import { newClock } from '../net/clock.ts';
import { newDnsPort } from '../net/dns-port.ts';
import { run, type RunPorts, type RunResult } from '../run/run.ts';
import { lanesForSideAddress, lanesOf } from '../scenario/lanes.ts';
import { plan } from '../scenario/plan.ts';
import { laneWithoutSecrets, withoutSecrets } from '../scenario/secrets.ts';
import { tellCi } from './ci-system.ts';
import { newGuard } from './guard.ts';
import { markRun } from './mark-command.ts';
import { startListening, type Listening } from './listen.ts';
import { openRunFolder } from './own-folder.ts';
import { newOwnViewer, type OwnViewerFlags } from './own-viewer.ts';
import { startProbingThreads } from './probing-threads.ts';
import { finishRun, snapshotOf } from './write-reports.ts';
import { version } from './version.ts';
import { newViewers } from './viewers.ts';
import { checkCommand, readToken, startCommand } from './wrapped-command.ts';

export interface RunFlags extends OwnViewerFlags {
  readonly out?: string;
  readonly rollback?: boolean;
  readonly startAnyway?: boolean;
  readonly maxRate: number;
  readonly workers?: number;
  readonly listen?: ListenAddress;
  readonly stay?: number;
}

/** One probing thread up to so many probes a second; beyond, they share them. */
export const ratePerThread = 5000;

/** When a run begins, on all its clocks, and what it is called in trace ids. */
export interface RunStart {
  readonly startedAtMs: number;
  readonly startedAtHrNs: bigint;
  /** 8 hex digits. */
  readonly runId: string;
}

export function newRunStart(): RunStart {
  return {
    startedAtMs: Date.now(),
    startedAtHrNs: process.hrtime.bigint(),
    runId: randomBytes(4).toString('hex'),
  };
}

export async function runCommand(given: Scenario, command: readonly string[], flags: RunFlags): Promise<number> {
  const scenario = flags.rollback ? wayBack(given) : given;
  checkPlan(scenario, flags.maxRate);
  if (command.length > 0) checkCommand(command);
  await using listening = await startListening(flags);
  const start = newRunStart();
  const writer = openRunFolder({ out: flags.out, startedAtMs: start.startedAtMs, name: scenario.name });
  const result = await watchRun({ scenario, command, flags, start, writer, listening });
  const writeReport = (name: string, text: string): string | null => writer.report(name, text);
  const exitCode = finishRun(result, { path: writer.path, writeReport, json: flags.json ?? false });
  tellCi(() => snapshotOf(result).report, { exitCode, runPath: writer.path, isWritten: writer.failure === null });
  await listening?.stay();
  return exitCode;
}

/** Throws what the user has to mend, says what to know. */
export function checkPlan(scenario: Scenario, maxRate: number): void {
  const checked = plan(scenario, { ratePerSecondMax: maxRate });
  if (checked.problems.length > 0) throw new UserError(checked.problems);
  for (const warning of checked.warnings) process.stderr.write(`note: ${warning}\n`);
}

export interface WatchOptions {
  readonly scenario: Scenario;
  readonly command: readonly string[];
  readonly flags: OwnViewerFlags & Pick<RunFlags, 'rollback' | 'startAnyway' | 'maxRate' | 'workers'>;
  readonly start: RunStart;
  readonly writer: RunWriter;
  readonly listening: Listening | null;
  /** As of a run. */
  readonly startText?: string;
  /** The command writes nothing, so the live view need not make room for it. */
  readonly isCommandSilent?: boolean;
  /** Looks at platforms in the place of those who ask the real ones. */
  readonly observe?: RunPorts['observe'];
}

export async function watchRun(options: WatchOptions): Promise<RunResult> {
  const { scenario, command, flags, writer, listening, startText } = options;
  const { startedAtMs, startedAtHrNs, runId } = options.start;
  const clock = newClock(startedAtHrNs);
  const guard = newGuard(flags.maxRate);
  const stop = new AbortController();
  const own = newOwnViewer({
    flags,
    nowMs: () => nsToMs(clock.nowNs()),
    mark: (text) => markRun({ path: writer.path, scenario }, text),
    stopSignal: stop.signal,
  });
  const viewers = newViewers([own.viewer, ...(listening === null ? [] : [listening.viewer])]);
  listening?.follow({ path: writer.path, scenario });
  for (const text of listening?.where ?? []) viewers.say(text);
  const unfollow = followSignals(stop, (text) => viewers.say(text));
  const broken = Promise.withResolvers<never>();
  // Who asks for no platform loads nothing of their SDKs.
  const isAsked = options.observe === undefined && hasObservers(scenario);
  const platforms = isAsked ? await import('../platforms/platforms.ts') : null;

  const started = run(
    {
      scenario,
      forLog: { scenario: withoutSecrets(scenario), lane: laneWithoutSecrets },
      lanesOf: (addresses) => guard.admit(lanesOf(scenario, addresses), 0),
      lanesOfAddress: (found) => guard.admit(lanesForSideAddress(scenario, found), found.firstNumber),
      writer,
      mode: modeOf(scenario, flags),
      command: command.length === 0 ? null : command,
      ...(startText === undefined ? {} : { startText }),
      startsAnyway: flags.startAnyway ?? false,
      version,
      runId,
      startedAtMs,
      vantage: hostname(),
      host: { node: process.versions.node, platform: process.platform, cpuCount: availableParallelism() },
      stopSignal: stop.signal,
      progress: (drawn, nowNs) => viewers.show(drawn, { nowNs, isRunning: true }),
      say: (text) => viewers.say(text),
    },
    {
      clock,
      wallNowMs: Date.now,
      dns: newDnsPort({ clock }),
      prober: (handlers) =>
        startProbingThreads(
          flags.workers ?? threadCount(scenario),
          { startedAtHrNs, run: { runId, startedAtMs, version }, markerNames: markerNames(scenario) },
          handlers,
          broken.reject,
        ),
      ...(options.observe === undefined ? {} : { observe: options.observe }),
      ...(platforms === null
        ? {}
        : { observe: (entry) => platforms.startObservers({ clock, random: Math.random, scenario, entry }) }),
      startCommand: options.isCommandSilent === true ? startCommand : own.besides(startCommand),
      readToken,
    },
  );
  try {
    const result = await Promise.race([started, broken.promise]);
    viewers.show(result, { nowNs: result.analysis.endedAtNs, isRunning: false });
    return result;
  } finally {
    unfollow();
    viewers.end();
  }
}

function hasObservers({ route53, sides }: Scenario): boolean {
  if (route53 !== undefined) return true;
  return Object.values(sides).some(({ aws, kubernetes }) => aws !== undefined || kubernetes !== undefined);
}

function threadCount(scenario: Scenario): number {
  const rate = lanesOf(scenario, { old: [], new: [] }).reduce((sum, lane) => sum + lane.ratePerSecond, 0);
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(rate / ratePerThread)));
}

/** A cutover's own scenario serves its rollback, which always goes to the old side. */
export function wayBack(scenario: Scenario): Scenario {
  return { ...scenario, change: { ...scenario.change, direction: 'new-to-old' } };
}

export function modeOf(scenario: Scenario, flags: Pick<RunFlags, 'rollback'>): RunMode {
  if (flags.rollback) return 'rollback';
  switch (scenario.change.via) {
    case 'dns':
    case 'cdn':
      return 'cutover';
    case 'weights':
      return 'weights';
    case 'deploy':
      return 'deploy';
  }
}

export function markerNames({ sides, change: { replicaHeader } }: Scenario): string[] {
  const markers = [...sides.old.marker, ...sides.new.marker].map(([name]) => name);
  return replicaHeader === undefined ? markers : [...markers, replicaHeader];
}

/** The first Ctrl-C or SIGTERM ends the watch in order, judges and reports; the second ends the program. */
export function followSignals(stop: AbortController, say: (text: string) => void): () => void {
  const handlers = (['SIGINT', 'SIGTERM'] as const).map((signal) => {
    const handle = (): void => {
      if (stop.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
      say('stopping: probes under way are waited for, then the report is written (again: quit now)');
      stop.abort();
    };
    process.on(signal, handle);
    return () => process.off(signal, handle);
  });
  return () => {
    for (const off of handlers) off();
  };
}
