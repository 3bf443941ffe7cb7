/**
 * One run. Entries and batches go to the log and to the live fold as they come; at the end the log is read again and
 * analysed anew, and that is the truth: a difference from the live fold is a bug of ours, and is said.
 */
import { newFold, type Drawn, type Fold } from '../analysis/fold.ts';
import type { Analysis } from '../core/analysis.ts';
import { formatVersion, type Entry, type EntryOf, type RunMode } from '../core/entry.ts';
import { assert } from '../core/errors.ts';
import type { Picture } from '../core/picture.ts';
import type { Clock, DnsPort, Observers } from '../core/ports.ts';
import type { RowBatch } from '../core/row.ts';
import type { Lane, LookedUp, Scenario, Side, SocketAddress } from '../core/scenario.ts';
import { nsPerMs, nsToMs, sToNs } from '../core/time.ts';
import { newRenumberer } from '../evidence/intern.ts';
import { markEntry } from '../evidence/mark.ts';
import { readRun } from '../evidence/read-run.ts';
import type { RunWriter } from '../evidence/run-folder.ts';
import { newWatch } from '../watch/watch.ts';
import { decide, isReadyForChange, type RunFacts, type Step } from './decide.ts';

/** The probing threads, or one prober in this thread. */
export interface ProberHandle {
  /** Its threads run: a slot due from now on is not late by birth. */
  readonly ready: Promise<void>;
  /** Lane n is in thread n % workerCount. */
  readonly workerCount: number;
  add(lanes: readonly Lane[]): void;
  token(checkName: string, value: string): void;
  /** Lanes, by number, that send nothing from now on. */
  withdraw(lanes: readonly number[]): void;
  /** Hands over what there is; left out where that is done every moment anyway. */
  flush?(): void;
  /** Fires no slot due at or after `atNs`; resolves when every row has been handed over. */
  stop(atNs: number): Promise<{ readonly definitionOverCapCount: number }>;
}

export interface CommandHandle {
  readonly pid: number;
  readonly ended: Promise<{ readonly exitCode: number | null; readonly signal: string | null; readonly error: string }>;
}

export interface RunPorts {
  readonly clock: Clock;
  readonly wallNowMs: () => number;
  readonly dns: DnsPort;
  readonly prober: (handlers: {
    readonly batch: (batch: RowBatch) => void;
    readonly entry: (entry: Entry) => void;
  }) => ProberHandle;
  /** Platforms are looked at from when probing begins; left out: nobody looks at any. */
  readonly observe?: (entry: (entry: Entry) => void) => Observers;
  readonly startCommand: (words: readonly string[]) => CommandHandle;
  /** The stdout of a token command, trimmed. */
  readonly readToken: (words: readonly string[]) => Promise<string>;
}

export interface NewLanes {
  readonly lanes: readonly Lane[];
  /** What the reader of the report should know of them. */
  readonly notes: readonly string[];
}

export interface RunOptions {
  readonly scenario: Scenario;
  /** What of scenario and lanes may be logged. */
  readonly forLog: { readonly scenario: Scenario; readonly lane: (lane: Lane) => Lane };
  readonly lanesOf: (lookedUp: LookedUp) => NewLanes;
  /** The lanes of an address that a side's name got during the run. */
  readonly lanesOfAddress: (found: {
    readonly side: Side;
    readonly address: string;
    readonly startAtNs: number;
    readonly firstNumber: number;
  }) => NewLanes;
  readonly writer: RunWriter;
  readonly mode: RunMode;
  readonly command: readonly string[] | null;
  /** What is said as the command starts; left out: which program that is. */
  readonly startText?: string;
  readonly startsAnyway: boolean;
  readonly version: string;
  readonly runId: string;
  readonly startedAtMs: number;
  readonly vantage: string;
  readonly host: EntryOf<'run-started'>['host'];
  /** Asked to end: the first Ctrl-C. */
  readonly stopSignal: AbortSignal;
  /**
   * Nobody looks on, and nobody marks anything: it is analysed only when there may be something to do. In virtual time
   * all else is quicker than that.
   */
  readonly isUnwatched?: boolean;
  /** About twice a second, while running, and rarer where looking takes long. */
  readonly progress: (drawn: Drawn, nowNs: number) => void;
  /** What the operator must know at once: lanes left out, evidence that cannot be written. */
  readonly say: (text: string) => void;
}

export interface RunResult {
  readonly analysis: Analysis;
  readonly picture: Picture;
  /** The log, read again, said something else than the live fold did: our bug. */
  readonly differsFromLive: boolean;
}

const stepEveryNs = sToNs(0.5);
/** A long wait that is not sure is looked at again when half of it is over. */
const longWaitNs = sToNs(30);
/** Slots begin so long after the lanes are known, so that none of them is late by birth. */
const leadNs = sToNs(0.1);
/** A busy probing thread must hear of the end before it comes, or slots after it would be sent. */
const stopLeadNs = sToNs(0.5);
const writeDelayMsMax = 250;
const clockStepMsMax = 100;
/** A page has room for so many bins of a picture; what goes on is looked at more coarsely, and again and again. */
const binCountMax = { ended: 720, running: 240 } as const;

export async function run(options: RunOptions, ports: RunPorts): Promise<RunResult> {
  const { scenario, writer } = options;
  const { clock } = ports;
  // First, so that a token command that fails leaves nothing running.
  const tokens = await firstTokens(scenario, ports);
  const fold = newFold();
  const log = newLog(writer, fold, clock, options.say);

  // Sides' addresses come first: side lanes, and with them the list of lanes, depend on them.
  const early: Entry[] = [];
  let isLogOpen = false;
  const addresses: Record<Side, string[]> = { old: literals(scenario, 'old'), new: literals(scenario, 'new') };
  const entry = (one: Entry): void => (isLogOpen ? log.entry(one) : void early.push(one));
  const prober = ports.prober({ batch: log.batch, entry });
  const allLanes: Lane[] = [];
  const watch = newWatch({
    clock,
    dns: ports.dns,
    scenario,
    entry,
    sideAddress: (side, address) => {
      if (addresses[side].includes(address)) return;
      addresses[side].push(address);
      if (!isLogOpen) return;
      addLanes(
        options.lanesOfAddress({ side, address, startAtNs: clock.nowNs() + leadNs, firstNumber: allLanes.length }),
      );
    },
    sideAddressGone: (side, address) => {
      if (literals(scenario, side).includes(address)) return;
      addresses[side] = addresses[side].filter((one) => one !== address);
      const client = `side:${side}`;
      prober.withdraw(
        allLanes.filter((lane) => lane.client === client && lane.address === address).map(({ number }) => number),
      );
      note([`${client} at ${address} is no longer probed: the side's name has not had this address for 5 min`]);
    },
  });
  await Promise.all([watch.start(), prober.ready]);
  const probingSinceNs = clock.nowNs() + leadNs;
  const { lanes: unstarted, notes } = options.lanesOf({ ...addresses, authorities: authoritiesIn(early) });
  const lanes = unstarted.map((lane) => ({ ...lane, startAtNs: probingSinceNs }));
  allLanes.push(...lanes);
  log.entry({
    type: 'run-started',
    atNs: 0,
    formatVersion,
    version: options.version,
    runId: options.runId,
    startedAtMs: options.startedAtMs,
    mode: options.mode,
    vantage: options.vantage,
    scenario: options.forLog.scenario,
    lanes: lanes.map(options.forLog.lane),
    host: options.host,
    workerCount: prober.workerCount,
    command: options.command === null ? null : programOf(options.command),
  });
  isLogOpen = true;
  for (const one of early) log.entry(one);
  note(notes);
  prober.add(lanes);
  for (const [checkName, token] of tokens) prober.token(checkName, token);
  const stopTokens = renewTokens(scenario, ports, prober, log.entry);
  const observers = ports.observe?.(log.entry);

  function note(texts: readonly string[]): void {
    for (const text of texts) {
      log.entry({ type: 'noted', atNs: clock.nowNs(), text });
      options.say(text);
    }
  }

  function addLanes(added: NewLanes): void {
    note(added.notes);
    if (added.lanes.length === 0) return;
    allLanes.push(...added.lanes);
    log.entry({ type: 'lanes-added', atNs: clock.nowNs(), lanes: added.lanes.map(options.forLog.lane) });
    prober.add(added.lanes);
  }

  const why = await drive(options, ports, { log, fold, prober, observers, probingSinceNs });

  observers?.stop();
  watch.stop();
  stopTokens();
  const probedUntilNs = clock.nowNs() + stopLeadNs;
  const { definitionOverCapCount } = await prober.stop(probedUntilNs);
  logNewMarks(options, log, observers);
  log.end({
    type: 'run-ended',
    atNs: clock.nowNs(),
    why,
    probedUntilNs,
    rowCount: log.rowCount(),
    definitionOverCapCount: definitionOverCapCount + log.overCapCount(),
  });
  const live = fold.result();
  writer.close();
  if (writer.rewriteFailure !== null) {
    options.say(`the rows stay in the small batches they were written in: ${writer.rewriteFailure}`);
  }
  if (writer.failure !== null) {
    // The live fold knows more than the log, and that the log is not whole: here at the latest.
    if (!log.isFailureSaid()) fold.problem(writer.failure);
    return { ...fold.drawn(binCountMax.ended), differsFromLive: false };
  }
  const { analysis, picture } = drawFolder(writer.path);
  return { analysis, picture, differsFromLive: JSON.stringify(analysis) !== JSON.stringify(live) };
}

export function analyseFolder(path: string): Analysis {
  return drawFolder(path).analysis;
}

/** Reads a run folder and analyses it: what `judge`, `report` and the end of a run have in common. */
export function drawFolder(path: string): Drawn {
  const reading = readRun(path);
  const fold = newFold();
  for (const entry of reading.entries) fold.entry(entry);
  for (const batch of reading.batches()) fold.batch(batch);
  for (const problem of reading.problems) fold.problem(problem);
  return fold.drawn(binCountMax.ended);
}

/** By hostname, from what the watch found before there were lanes. */
function authoritiesIn(entries: readonly Entry[]): ReadonlyMap<string, readonly SocketAddress[]> {
  const found = entries.flatMap((entry) => (entry.type === 'authorities-found' ? [entry] : []));
  const place = (server: string): SocketAddress => {
    const [, address = '', port = ''] = /^\[?([^\]]*?)\]?:(\d+)$/.exec(server) ?? [];
    return { address, port: Number(port) };
  };
  return new Map(found.map(({ name, servers }) => [name, servers.map(place)]));
}

// ── the steps of a run ───────────────────────────────────────────────────────────────────────────────────────────────

interface Driven {
  readonly log: Log;
  readonly fold: Fold;
  readonly prober: ProberHandle;
  readonly observers: Observers | undefined;
  readonly probingSinceNs: number;
}

/** Asks `decide` again and again until it says stop; starts the wrapped command; looks for marks and clock steps. */
function drive(
  options: RunOptions,
  ports: RunPorts,
  { log, fold, prober, observers, probingSinceNs }: Driven,
): Promise<EntryOf<'run-ended'>['why']> {
  const { clock } = ports;
  const { scenario } = options;
  let command: RunFacts['command'] = options.command === null ? 'none' : 'not-started';
  let commandEndedAtNs: number | null = null;
  let clockOffsetMs = ports.wallNowMs() - options.startedAtMs - nsToMs(clock.nowNs());

  function startCommand(words: readonly string[], ended: () => void): void {
    options.say(options.startText ?? `starting ${words[0]?.split('/').at(-1)}`);
    const handle = ports.startCommand(words);
    command = 'running';
    log.entry({ type: 'command-started', atNs: clock.nowNs(), command: programOf(words), pid: handle.pid });
    void handle.ended.then(({ exitCode, signal, error }) => {
      commandEndedAtNs = clock.nowNs();
      command = exitCode === 0 ? 'ended' : 'failed';
      log.entry({ type: 'command-ended', atNs: commandEndedAtNs, exitCode, signal, error });
      ended();
    });
  }

  /** Whoever makes the change may want to mend that first: what was so before it will not be known. */
  function sayUnseen({ observers = [], targetWatch = [] }: Analysis): void {
    for (const { name, hasSeen, gaps } of observers) {
      if (!hasSeen) options.say(`${name} has seen nothing so far: ${gaps[0]?.why ?? 'it has not answered'}`);
    }
    const unread = targetWatch.filter(({ sides }) => sides.length === 0).map(({ service }) => service);
    if (unread.length > 0) {
      options.say(`targets behind ${unread.join(', ')} have not been read yet: a longer baseline leaves time for that`);
    }
  }

  return new Promise((resolve) => {
    let isDone = false;
    let isInvited = false;
    const end = (why: EntryOf<'run-ended'>['why']): void => {
      isDone = true;
      resolve(why);
    };
    const step = (): void => {
      if (isDone) return;
      logNewMarks(options, log, observers);
      const offsetMs = ports.wallNowMs() - options.startedAtMs - nsToMs(clock.nowNs());
      if (Math.abs(offsetMs - clockOffsetMs) > clockStepMsMax) {
        log.entry({ type: 'clock-stepped', atNs: clock.nowNs(), stepMs: Math.round(offsetMs - clockOffsetMs) });
        clockOffsetMs = offsetMs;
      }
      prober.flush?.();
      const fromNs = clock.nowNs();
      const drawn = fold.drawn(binCountMax.running);
      const { analysis } = drawn;
      options.progress(drawn, fromNs);
      const costNs = clock.nowNs() - fromNs;
      const facts: RunFacts = {
        nowNs: clock.nowNs(),
        probingSinceNs,
        mode: options.mode,
        command,
        commandEndedAtNs,
        isStopAsked: options.stopSignal.aborted,
        startsAnyway: options.startsAnyway,
      };
      if (!isInvited && isReadyForChange(analysis, scenario.change, facts)) {
        isInvited = true;
        sayUnseen(analysis);
        options.say('the baseline is good: make the change now');
      }
      const next = decide(analysis, scenario.change, facts);
      switch (next.kind) {
        case 'wait':
          break;
        case 'start-command':
          assert(options.command !== null, 'only a wrapped command can be started');
          sayUnseen(analysis);
          startCommand(options.command, () => {
            if (options.isUnwatched) stepNow();
          });
          break;
        case 'withhold-command':
          log.entry({ type: 'command-withheld', atNs: clock.nowNs(), why: next.why });
          end('not-qualified');
          return;
        case 'stop':
          if (command === 'running') {
            const text = 'the command was still running when the watch ended; it was left alone';
            log.entry({ type: 'noted', atNs: clock.nowNs(), text });
          }
          end(next.why);
          return;
      }
      // An analysis of a long run costs more, and so does its picture; they may take a tenth of this thread, not more.
      const leastNs = Math.max(stepEveryNs, 10 * costNs);
      const waitNs = options.isUnwatched && next.kind === 'wait' ? unwatchedNs(next, clock.nowNs()) : 0;
      cancel = clock.at(clock.nowNs() + Math.max(leastNs, waitNs), step);
    };
    let cancel = clock.at(clock.nowNs() + stepEveryNs, step);
    const stepNow = (): void => {
      cancel();
      step();
    };
    options.stopSignal.addEventListener('abort', stepNow);
  });
}

function unwatchedNs({ untilNs, isSure }: Extract<Step, { kind: 'wait' }>, nowNs: number): number {
  const waitNs = untilNs - nowNs;
  return isSure ? waitNs : Math.min(waitNs, Math.max(longWaitNs, waitNs / 2));
}

/** What of a command may be logged: its arguments may hold secrets. */
function programOf(words: readonly string[]): readonly string[] {
  return words.slice(0, 1);
}

function logNewMarks({ writer, startedAtMs }: RunOptions, log: Log, observers: Observers | undefined): void {
  for (const mark of writer.readNewMarks()) {
    log.entry(markEntry(mark, startedAtMs));
    if (mark.step === undefined) observers?.marked(mark.text);
  }
}

interface Log {
  /** What comes after the end (a command that ends at last, a token that could not be renewed) belongs to no log. */
  readonly entry: (entry: Entry) => void;
  readonly end: (entry: EntryOf<'run-ended'>) => void;
  readonly batch: (batch: RowBatch) => void;
  readonly rowCount: () => number;
  /** What could not be written is in the log, or in the live fold at least. */
  readonly isFailureSaid: () => boolean;
  /** Definitions of several threads that were beyond the caps of the run. */
  readonly overCapCount: () => number;
}

/** One way in for everything: to the folder first, then to the live fold; what cannot be written is said, once. */
function newLog(writer: RunWriter, fold: Fold, clock: Clock, say: (text: string) => void): Log {
  const renumberer = newRenumberer();
  let rowCount = 0;
  let isFailureSaid = false;
  let isEnded = false;

  function entry(one: Entry): void {
    if (isEnded) return;
    writer.entry(one);
    fold.entry(one);
    sayFailure();
  }

  function sayFailure(): void {
    if (writer.failure === null || isFailureSaid) return;
    isFailureSaid = true;
    say(`${writer.failure}; the run goes on, and will end inconclusive`);
    entry({ type: 'write-failed', atNs: clock.nowNs(), what: writer.path, error: writer.failure });
  }

  return {
    entry,
    end(one) {
      entry(one);
      isEnded = true;
    },
    batch(local) {
      const batch = renumberer.renumber(local);
      rowCount += batch.rowCount;
      writer.batch(batch);
      fold.batch(batch);
      const delayMs = (clock.nowNs() - batch.atNs) / nsPerMs;
      if (delayMs > writeDelayMsMax) entry({ type: 'write-delayed', atNs: clock.nowNs(), delayMs: Math.ceil(delayMs) });
      sayFailure();
    },
    rowCount: () => rowCount,
    isFailureSaid: () => isFailureSaid,
    overCapCount: () => renumberer.overCapCount,
  };
}

function literals(scenario: Scenario, side: Side): string[] {
  return scenario.sides[side].addresses.flatMap((address) => (address.kind === 'address' ? [address.address] : []));
}

// ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function tokenChecks(
  scenario: Scenario,
): { readonly name: string; readonly command: readonly string[]; readonly everyS: number }[] {
  const checks = [...scenario.services.flatMap((service) => service.checks), ...scenario.references];
  return checks.flatMap(({ name, request }) => (request.token === null ? [] : [{ name, ...request.token }]));
}

/** Before the first probe: a token command that fails now is the user's to mend, and rejects. */
async function firstTokens(scenario: Scenario, ports: RunPorts): Promise<ReadonlyMap<string, string>> {
  const tokens = new Map<string, string>();
  for (const { name, command } of tokenChecks(scenario)) tokens.set(name, await ports.readToken(command));
  return tokens;
}

/** Later, a token that cannot be renewed is noted and the old one goes on. */
function renewTokens(
  scenario: Scenario,
  ports: RunPorts,
  prober: ProberHandle,
  entry: (entry: Entry) => void,
): () => void {
  const { clock } = ports;
  const cancels = tokenChecks(scenario).map(({ name, command, everyS }) => {
    const everyNs = sToNs(everyS);
    const renew = (): void => {
      cancel = clock.at(clock.nowNs() + everyNs, renew);
      ports.readToken(command).then(
        (token) => prober.token(name, token),
        (error: Error) =>
          entry({ type: 'noted', atNs: clock.nowNs(), text: `${name}: no new token: ${error.message}` }),
      );
    };
    let cancel = clock.at(clock.nowNs() + everyNs, renew);
    return () => cancel();
  });
  return () => {
    for (const cancel of cancels) cancel();
  };
}
