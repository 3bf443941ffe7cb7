/** `cutwatch doctor`: the real ports, what is printed, and the exit status. */
import { styleText } from 'node:util';
import { diagnose, diagnosisJson, exitCodeOfDiagnosis } from '../checks/doctor.ts';
import { diagnosisText, type DoctorMark } from '../checks/doctor-text.ts';
import { UserError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import type { Scenario } from '../core/scenario.ts';
import { newClock } from '../net/clock.ts';
import { newDialer } from '../net/dialer.ts';
import { newDnsPort } from '../net/dns-port.ts';
import { askTcp } from '../net/dns-stream.ts';
import { newBudget } from '../platforms/budget.ts';
import { plainText } from '../report/escape.ts';
import { plan } from '../scenario/plan.ts';
import { withoutValues } from '../scenario/variable-values.ts';
import { isClockSynchronized, lookAtMachine, proxyVariablesOf } from './doctor-machine.ts';
import { examine, type DoctorPorts } from './doctor.ts';
import { wallClock } from './preflight-names.ts';
import { newRunStart } from './run-command.ts';
import { version } from './version.ts';
import { readToken } from './wrapped-command.ts';

export interface DoctorFlags {
  readonly json?: boolean;
}

export async function doctorCommand(scenario: Scenario, flags: DoctorFlags): Promise<number> {
  const { problems } = plan(scenario, { ratePerSecondMax: Infinity });
  if (problems.length > 0) throw new UserError(problems);
  const { startedAtMs, startedAtHrNs, runId } = newRunStart();
  const clock = newClock(startedAtHrNs);
  if (namesAws(scenario)) process.stderr.write('asking AWS, one call a second\n');
  const facts = await examine(scenario, {
    clock,
    dns: newDnsPort({ clock }),
    dnsOverTcp: dnsOverTcp(clock),
    dialer: newDialer({ clock }),
    wallMs: wallClock(startedAtMs),
    wallNowMs: Date.now,
    budget: newBudget({ clock, random: Math.random }),
    environment: process.env,
    readToken,
    run: { runId, startedAtMs, version },
    // Ctrl-C ends it as any program: there is nothing to finish.
    stopSignal: new AbortController().signal,
    isClockSynchronized,
    machine: lookAtMachine,
    proxyVariables: proxyVariablesOf(process.env),
  });
  const found = diagnose(facts);
  const secretValues = scenario.services.flatMap(({ checks }) => checks.flatMap((check) => check.secretValues ?? []));
  const plain = (text: string): string => withoutValues(plainText(text), secretValues);
  if (flags.json === true) process.stdout.write(withoutValues(diagnosisJson(found), secretValues));
  const stream = flags.json === true ? process.stderr : process.stdout;
  const paint = (text: string, mark: DoctorMark): string => styleText(colours[mark], text, { stream });
  const columns = stream.isTTY ? { columns: stream.columns } : {};
  stream.write(`${diagnosisText(found, { paint, plain, ...columns })}\n`);
  return exitCodeOfDiagnosis(found);
}

function namesAws({ route53, sides }: Scenario): boolean {
  return route53 !== undefined || sides.old.aws !== undefined || sides.new.aws !== undefined;
}

function dnsOverTcp(clock: Clock): DoctorPorts['dnsOverTcp'] {
  return async (server, question, options) => {
    const sentAtNs = clock.nowNs();
    const asked = await askTcp(clock, server, { ...question, ...options });
    return { ...asked, sentAtNs, endedAtNs: clock.nowNs() };
  };
}

const colours = { pass: 'green', fail: 'red', unknown: 'yellow', warn: 'yellow', info: 'dim' } as const;
