/** `cutwatch playbook`: the real ports, Ctrl-C, what is printed, and the exit status. */
import { styleText } from 'node:util';
import {
  playbook,
  playbookExitCode,
  playbookJson,
  stepsOf,
  type PlannedStep,
  type Playbook,
} from '../checks/playbook.ts';
import { playbookText } from '../checks/playbook-text.ts';
import { UserError, userError } from '../core/errors.ts';
import type { StepSaid } from '../core/playbook.ts';
import type { Scenario } from '../core/scenario.ts';
import { msToNs } from '../core/time.ts';
import { newClock } from '../net/clock.ts';
import { newDialer } from '../net/dialer.ts';
import { newDnsPort } from '../net/dns-port.ts';
import { plainText } from '../report/escape.ts';
import { plan } from '../scenario/plan.ts';
import { withoutValues } from '../scenario/variable-values.ts';
import { newLooker, partsFor } from './playbook-look.ts';
import { newCount, newLines, newMarker, runStepCommand } from './playbook-operator.ts';
import { newPlatformReader } from './playbook-platforms.ts';
import { openReadings, readingsPath } from './playbook-readings.ts';
import { walk } from './playbook-walk.ts';
import { watchPlaybook } from './playbook-watch.ts';
import { followSignals, lookAtRoute53 } from './preflight-command.ts';
import { memoryPath, openMemory } from './preflight-memory.ts';
import { wallClock } from './preflight-names.ts';
import { newRunStart, wayBack } from './run-command.ts';
import { version } from './version.ts';
import { checkCommand, readToken } from './wrapped-command.ts';

export interface PlaybookFlags {
  readonly rollback?: boolean;
  readonly json?: boolean;
  readonly only?: string;
  readonly step?: boolean;
  readonly from?: string;
  readonly acceptUnknown?: readonly string[];
  readonly watch?: boolean;
  readonly patience: number;
  readonly state?: string;
  readonly memory?: string;
}

/** Of AWS: a run, which goes on for hours, takes one. */
const callsPerSecond = { once: 4, watch: 1 };

export async function playbookCommand(given: Scenario, flags: PlaybookFlags): Promise<number> {
  const isRollback = flags.rollback ?? false;
  const scenario = isRollback ? wayBack(given) : given;
  const { problems } = plan(scenario, { ratePerSecondMax: Infinity });
  if (problems.length > 0) throw new UserError(problems);
  const steps = wantedSteps(scenario, isRollback, flags);
  if (flags.step === true) for (const { command } of steps) if (command !== null) checkCommand(command);

  const { startedAtMs, startedAtHrNs, runId } = newRunStart();
  const clock = newClock(startedAtHrNs);
  const stop = new AbortController();
  const unfollow = followSignals(stop);
  // A path that came from the environment may be a credential.
  const secretValues = scenario.services.flatMap(({ checks }) => checks.flatMap((check) => check.secretValues ?? []));
  const plain = (text: string): string => withoutValues(plainText(text), secretValues);
  const count = newCount(process.stderr);
  const say = (text: string): void => {
    count.end();
    process.stderr.write(`${text.split('\n').map(plain).join('\n')}\n`);
  };
  const note = (text: string): void => say(`note: ${text}`);
  const wallMs = wallClock(startedAtMs);
  const nowMs = (): number => wallMs(clock.nowNs());
  const route53 = await lookAtRoute53(scenario, clock);
  const looker = newLooker(
    {
      clock,
      dns: newDnsPort({ clock }),
      dialer: newDialer({ clock }),
      wallMs,
      readToken,
      run: { runId, startedAtMs, version },
      stopSignal: stop.signal,
      memory: openMemory(flags.memory ?? memoryPath(scenario.name), scenario.name, note),
      readings: openReadings(flags.state ?? readingsPath(scenario.name), scenario.name, note),
      readPlatform: newPlatformReader(
        {
          clock,
          wallNowMs: nowMs,
          stopSignal: stop.signal,
          callsPerSecond: flags.watch === true ? callsPerSecond.watch : callsPerSecond.once,
        },
        scenario,
      ),
      ...(route53 === null ? {} : { route53 }),
    },
    scenario,
    isRollback,
  );
  const marker = newMarker('reports', Date.now, note);
  const mark = (said: string | StepSaid): void =>
    marker.mark(typeof said === 'string' ? plain(said) : { ...said, evidence: said.evidence.map(plain) });
  const wait = (ms: number): Promise<void> => waitFor(clock, ms, stop.signal);

  using atEnd = new DisposableStack();
  try {
    if (flags.step === true) {
      const lines = newLines(process.stdin, process.stderr, stop.signal);
      atEnd.defer(() => lines.close());
      const options = {
        isRollback,
        from: flags.from ?? null,
        all: stepsOf(scenario, isRollback),
        acceptUnknown: flags.acceptUnknown ?? [],
        patienceMs: flags.patience * 1000,
      };
      return await walk(steps, options, {
        look: (parts) => looker.look(parts),
        ask: (question) => {
          count.end();
          return lines.read(plain(question));
        },
        run: (command) => runStepCommand(command, stop.signal),
        mark,
        say,
        count: (text) => count.show(plain(text)),
        nowMs,
        wait,
        stopSignal: stop.signal,
      });
    }
    const found =
      flags.watch === true
        ? await watchPlaybook(
            steps,
            { isRollback },
            {
              look: (parts) => looker.look(parts),
              say,
              mark,
              run: () => marker.run(),
              nowMs,
              wait,
              stopSignal: stop.signal,
            },
          )
        : playbook(await looker.look(partsFor(steps.map(({ check }) => check))), steps, isRollback);
    // Whatever was not looked at to its end is not known.
    if (found === null || (flags.watch !== true && stop.signal.aborted)) {
      say('stopped before everything was looked at');
      return 4;
    }
    print(found, flags.json ?? false, plain, secretValues);
    return playbookExitCode(found);
  } finally {
    unfollow();
    count.end();
    route53?.stop();
  }
}

function wantedSteps(scenario: Scenario, isRollback: boolean, flags: PlaybookFlags): readonly PlannedStep[] {
  const all = stepsOf(scenario, isRollback);
  const known = all.map(({ name }) => name);
  for (const [flag, names] of [
    ['--only', flags.only === undefined ? [] : [flags.only]],
    ['--from', flags.from === undefined ? [] : [flags.from]],
    ['--accept-unknown', flags.acceptUnknown ?? []],
  ] as const) {
    for (const name of names) {
      if (!known.includes(name)) throw userError(flag, `there is no step "${name}"; there are ${known.join(', ')}`);
    }
  }
  if (flags.from !== undefined && flags.step !== true) throw userError('--from', 'is for --step');
  if (flags.from !== undefined && flags.only !== undefined && flags.from !== flags.only) {
    throw userError('--from', `"${flags.from}" is not among the steps of --only ${flags.only}`);
  }
  if (flags.acceptUnknown !== undefined && flags.step !== true) throw userError('--accept-unknown', 'is for --step');
  return flags.only === undefined ? all : all.filter(({ name }) => name === flags.only);
}

function print(
  found: Playbook,
  isJson: boolean,
  plain: (text: string) => string,
  secretValues: readonly string[],
): void {
  if (isJson) process.stdout.write(withoutValues(playbookJson(found), secretValues));
  const stream = isJson ? process.stderr : process.stdout;
  const colours = { pass: 'green', fail: 'red', unknown: 'yellow', 'not-applicable': 'dim' } as const;
  stream.write(
    `${playbookText(found, { paint: (text, state) => styleText(colours[state], text, { stream }), plain })}\n`,
  );
}

function waitFor(clock: ReturnType<typeof newClock>, ms: number, stopSignal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      stopSignal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.at(clock.nowNs() + msToNs(ms), end);
    stopSignal.addEventListener('abort', end);
    if (stopSignal.aborted) end();
  });
}
