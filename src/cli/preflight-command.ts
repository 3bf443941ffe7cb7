/** `cutwatch preflight`: the real ports, Ctrl-C, what is printed, and the exit status. */
import { styleText } from 'node:util';
import { exitCodeOf, preflightJson, type Preflight } from '../checks/preflight.ts';
import { headline, preflightText, type Paint, type Plain } from '../checks/preflight-text.ts';
import { UserError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import type { Scenario } from '../core/scenario.ts';
import { newClock } from '../net/clock.ts';
import { newDialer } from '../net/dialer.ts';
import { newDnsPort } from '../net/dns-port.ts';
import { plainText } from '../report/escape.ts';
import { plan } from '../scenario/plan.ts';
import { withoutValues } from '../scenario/variable-values.ts';
import { memoryPath, openMemory } from './preflight-memory.ts';
import { wallClock } from './preflight-names.ts';
import { newRoute53Look, type Route53Look } from './preflight-route53.ts';
import { runPreflight } from './preflight.ts';
import { newRunStart, wayBack } from './run-command.ts';
import { version } from './version.ts';
import { readToken } from './wrapped-command.ts';

export interface PreflightFlags {
  readonly rollback?: boolean;
  readonly wait?: boolean;
  readonly json?: boolean;
  readonly memory?: string;
}

export async function preflightCommand(given: Scenario, flags: PreflightFlags): Promise<number> {
  const isRollback = flags.rollback ?? false;
  const scenario = isRollback ? wayBack(given) : given;
  const { problems } = plan(scenario, { ratePerSecondMax: Infinity });
  if (problems.length > 0) throw new UserError(problems);
  const { startedAtMs, startedAtHrNs, runId } = newRunStart();
  const clock = newClock(startedAtHrNs);
  const stop = new AbortController();
  const unfollow = followSignals(stop);
  // A path that came from the environment may be a credential.
  const secretValues = scenario.services.flatMap(({ checks }) => checks.flatMap((check) => check.secretValues ?? []));
  const plain: Plain = (text) => withoutValues(plainText(text), secretValues);
  const countdown = newCountdown(process.stderr, plain);
  const say = (text: string): void => {
    countdown.end();
    process.stderr.write(`${text.split('\n').map(plain).join('\n')}\n`);
  };
  const route53 = await lookAtRoute53(scenario, clock);
  try {
    const found = await runPreflight(
      scenario,
      { waits: flags.wait ?? false, isRollback },
      {
        clock,
        dns: newDnsPort({ clock }),
        dialer: newDialer({ clock }),
        wallMs: wallClock(startedAtMs),
        readToken,
        run: { runId, startedAtMs, version },
        stopSignal: stop.signal,
        ...(route53 === null ? {} : { route53 }),
        memory: openMemory(flags.memory ?? memoryPath(scenario.name), scenario.name, (text) => say(`note: ${text}`)),
        announce: (text) => say(text),
        show: (one) => (flags.wait === true && one.canWait ? countdown.show(one) : undefined),
      },
    );
    countdown.end();
    if (found === null) {
      process.stderr.write('stopped before anything was known\n');
      return 4;
    }
    if (flags.json === true) process.stdout.write(withoutValues(preflightJson(found), secretValues));
    const stream = flags.json === true ? process.stderr : process.stdout;
    const paint: Paint = (text, mark) => styleText(colours[mark], text, { stream });
    const columns = stream.isTTY ? { columns: stream.columns } : {};
    stream.write(`${preflightText(found, { paint, plain, ...columns })}\n`);
    return exitCodeOf(found);
  } finally {
    unfollow();
    countdown.end();
    route53?.stop();
  }
}

/** Who does not ask for it loads nothing of the SDK. */
export async function lookAtRoute53(scenario: Scenario, clock: Clock): Promise<Route53Look | null> {
  if (scenario.route53 === undefined) return null;
  const { startRoute53 } = await import('../platforms/platforms.ts');
  return newRoute53Look({
    clock,
    scenario,
    observe: (entry) => startRoute53({ clock, random: Math.random, scenario, entry }),
  });
}

const colours = {
  pass: 'green',
  fail: 'red',
  wait: 'yellow',
  unknown: 'yellow',
  warn: 'yellow',
  info: 'dim',
  'not-applicable': 'dim',
} as const;

export function followSignals(stop: AbortController): () => void {
  const handlers = (['SIGINT', 'SIGTERM'] as const).map((signal) => {
    const handle = (): void => {
      if (stop.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
      process.stderr.write('\nstopping: requests under way are waited for (again: quit now)\n');
      stop.abort();
    };
    process.on(signal, handle);
    return () => process.off(signal, handle);
  });
  return () => {
    for (const off of handlers) off();
  };
}

const quietEveryMs = 10_000;

/** Counts down in one line on a terminal; elsewhere a line in 10 s. */
function newCountdown(stream: NodeJS.WriteStream, plain: Plain): { show(found: Preflight): void; end(): void } {
  const isLive = stream.isTTY && process.env['TERM'] !== 'dumb' && !process.env['CI'];
  let timer: NodeJS.Timeout | null = null;
  let shownAtMs = -Infinity;
  let isOnLine = false;

  function line(found: Preflight): void {
    if (isLive) {
      stream.write(`\r${plain(headline(found)).slice(0, Math.max(20, stream.columns - 1))}\u001b[K`);
      isOnLine = true;
    } else if (found.atMs - shownAtMs >= quietEveryMs) {
      shownAtMs = found.atMs;
      stream.write(`${plain(headline(found))}\n`);
    }
  }

  function stopCounting(): void {
    if (timer !== null) clearInterval(timer);
    timer = null;
  }

  return {
    show(found) {
      stopCounting();
      line(found);
      const beganMs = performance.now();
      if (isLive) timer = setInterval(() => line({ ...found, atMs: found.atMs + performance.now() - beganMs }), 1000);
    },
    end() {
      stopCounting();
      if (isOnLine) stream.write('\n');
      isOnLine = false;
    },
  };
}
