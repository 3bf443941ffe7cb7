/**
 * A whole run in virtual time: the real prober, watch, evidence and analysis, on a simulated clock, network and DNS over a
 * model of the world. An hour takes about a second, and the same seed gives the same bytes of everything.
 */
import type { RunMode } from '../core/entry.ts';
import { newRandom } from '../core/random.ts';
import type { Scenario } from '../core/scenario.ts';
import { nsToMs, sToNs } from '../core/time.ts';
import type { TruthEntry } from '../core/truth.ts';
import type { Setting, World } from '../core/world.ts';
import { newRowBuffer } from '../evidence/row-buffer.ts';
import { createRunFolder, type RunWriter } from '../evidence/run-folder.ts';
import { newWorld } from '../model/world.ts';
import { newProber } from '../prober/prober.ts';
import { run, type ProberHandle, type RunPorts, type RunResult } from '../run/run.ts';
import { lanesForSideAddress, lanesOf } from '../scenario/lanes.ts';
import { laneWithoutSecrets, withoutSecrets } from '../scenario/secrets.ts';
import { newSimClock } from '../sim/clock.ts';
import { newSimDnsPort } from '../sim/dns-port.ts';
import { newSimNetwork } from '../sim/network.ts';
import { startSimObservers } from '../sim/platform-observers.ts';
import { markerNames, modeOf } from './run-command.ts';
import { settle } from './settle.ts';
import { version } from './version.ts';
import { writeTruth } from './write-truth.ts';

export interface SimulationOptions {
  /** Already moved into the world (`inWorld`). */
  readonly scenario: Scenario;
  readonly setting: Setting;
  /** Its seed is replaced. */
  readonly world: World;
  readonly seed: number;
  /** The run folder, or the path of one to be made; that must be empty if it is there. */
  readonly folder: string | RunWriter;
  /** Left out: as the scenario's change is made. */
  readonly mode?: RunMode;
  readonly stopSignal?: AbortSignal;
  readonly say?: (text: string) => void;
  /** What is said as the change is made. */
  readonly startText?: string;
  /** Called all the time while it is played, with the virtual time reached. */
  readonly reached?: (nowNs: number) => void;
}

export interface SimulatedRun extends RunResult {
  /** Everything that was really so; also in `truth.ndjson`. */
  readonly truth: readonly TruthEntry[];
  /** Why `truth.ndjson` is not whole, or null. */
  readonly truthFailure: string | null;
  readonly path: string;
  /** Puts a file beside the evidence; says why it could not, or null. */
  readonly writeReport: (name: string, text: string) => string | null;
}

/** The wall clock of every simulation starts here: a morning before a switchover. */
const startedAtMs = Date.UTC(2026, 10, 24, 8, 30);
/** What the operator's command takes. */
const commandNs = sToNs(0.2);

export async function simulateRun(options: SimulationOptions): Promise<SimulatedRun> {
  const { scenario, setting, seed, folder } = options;
  const clock = newSimClock(() => {
    options.reached?.(clock.nowNs());
    return settle();
  });
  const truth: TruthEntry[] = [];
  const world = newWorld({ world: { ...options.world, seed }, setting, record: (entry) => truth.push(entry) });
  const network = newSimNetwork({ clock, world });
  const dns = newSimDnsPort({ clock, world });
  const runId = runIdOf(seed);
  const writer = typeof folder === 'string' ? createRunFolder(folder) : folder;

  const prober: RunPorts['prober'] = ({ batch, entry }): ProberHandle => {
    const buffer = newRowBuffer({ worker: 0, onBatch: batch, nowNs: () => clock.nowNs() });
    const one = newProber({
      clock,
      dialer: network.dialer,
      dns,
      sink: buffer,
      event: entry,
      run: { runId, startedAtMs, version },
      markerNames: markerNames(scenario),
    });
    const flush = (): void => buffer.flush(clock.nowNs());
    return {
      ...one,
      ready: Promise.resolve(),
      workerCount: 1,
      flush,
      async stop(atNs) {
        await one.stop(atNs);
        flush();
        return { definitionOverCapCount: buffer.definitionOverCapCount };
      },
    };
  };

  const result = await clock.runUntil(
    run(
      {
        scenario,
        forLog: { scenario: withoutSecrets(scenario), lane: laneWithoutSecrets },
        lanesOf: (addresses) => ({ lanes: lanesOf(scenario, addresses), notes: [] }),
        lanesOfAddress: (found) => ({ lanes: lanesForSideAddress(scenario, found), notes: [] }),
        writer,
        mode: options.mode ?? modeOf(scenario, {}),
        command: ['make the change'],
        ...(options.startText === undefined ? {} : { startText: options.startText }),
        startsAnyway: false,
        version,
        runId,
        startedAtMs,
        vantage: 'simulator',
        host: { node: 'simulated', platform: 'simulated', cpuCount: 1 },
        stopSignal: options.stopSignal ?? new AbortController().signal,
        isUnwatched: true,
        progress: () => {},
        say: options.say ?? (() => {}),
      },
      {
        clock,
        wallNowMs: () => startedAtMs + nsToMs(clock.nowNs()),
        dns,
        prober,
        observe: (entry) =>
          startSimObservers({
            clock,
            model: world,
            world: { ...options.world, seed },
            setting,
            scenario,
            startedAtMs,
            entry,
          }),
        startCommand() {
          network.change();
          const ended = new Promise<{ exitCode: number; signal: null; error: string }>((resolve) => {
            clock.at(clock.nowNs() + commandNs, () => resolve({ exitCode: 0, signal: null, error: '' }));
          });
          return { pid: 1, ended };
        },
        // A scenario that was moved into a world has no token command.
        readToken: () => Promise.resolve(''),
      },
    ),
  );
  world.end(clock.nowNs());
  return {
    ...result,
    truth,
    truthFailure: writeTruth(writer.path, truth),
    path: writer.path,
    writeReport: (name, text) => writer.report(name, text),
  };
}

/** 8 hex digits. */
function runIdOf(seed: number): string {
  const random = newRandom(seed, 'run id');
  return Array.from({ length: 8 }, () => Math.floor(random() * 16).toString(16)).join('');
}
