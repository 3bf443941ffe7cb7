/** Gathers what a diagnosis is made of, each thing once, over ports. */
import type { DoctorFacts, MachineFacts, TokenFacts } from '../checks/doctor-facts.ts';
import { UserError } from '../core/errors.ts';
import type { Lane, Scenario } from '../core/scenario.ts';
import { lanesOf } from '../scenario/lanes.ts';
import { readDates, type DoctorClockPorts } from './doctor-clock.ts';
import { lookAtAuthorities, lookAtResolvers, type DoctorNamePorts } from './doctor-names.ts';
import { tryPlatforms, type DoctorPlatformPorts } from './doctor-platforms.ts';
import { lookAtSideNames } from './preflight-names.ts';

export interface DoctorPorts extends DoctorNamePorts, DoctorClockPorts, DoctorPlatformPorts {
  readonly readToken: (command: readonly string[]) => Promise<string>;
  readonly isClockSynchronized: () => Promise<boolean | null>;
  readonly machine: () => MachineFacts;
  readonly proxyVariables: readonly string[];
}

export async function examine(scenario: Scenario, ports: DoctorPorts): Promise<DoctorFacts> {
  const trying = tryPlatforms(scenario, ports);
  const [{ tokens, facts: tokenFacts }, side, authorities, resolvers, isSynchronized] = await Promise.all([
    readTokens(ports, scenario),
    lookAtSideNames(ports, scenario),
    lookAtAuthorities(ports, scenario),
    lookAtResolvers(ports, scenario),
    ports.isClockSynchronized(),
  ]);
  const lanes = lanesOf(scenario, { ...side.addresses, authorities: authorities.found });
  const readings = await readDates(ports, scenario, { lanes, tokens });
  const platforms = await trying;
  const { clock, wallMs, wallNowMs } = ports;
  const nowMs = wallNowMs();
  return {
    scenario,
    nowMs,
    lanes,
    tokens: tokenFacts,
    platforms,
    clock: { readings, isSynchronized, steppedMs: nowMs - wallMs(clock.nowNs()) },
    resolvers,
    authorities: authorities.facts,
    machine: ports.machine(),
    proxyVariables: ports.proxyVariables,
  };
}

interface TokensRead {
  /** By their command, as JSON. */
  readonly tokens: ReadonlyMap<string, string>;
  readonly facts: readonly TokenFacts[];
}

async function readTokens({ readToken }: DoctorPorts, scenario: Scenario): Promise<TokensRead> {
  const tokens = new Map<string, string>();
  const facts = [...commandsOf(lanesOf(scenario, { old: [], new: [] }))].map(
    async ([key, command]): Promise<TokenFacts> => {
      const [program = ''] = command;
      try {
        tokens.set(key, await readToken(command));
        return { program, error: null };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return { program, error: error.problems[0]?.text ?? '' };
      }
    },
  );
  return { facts: await Promise.all(facts), tokens };
}

function commandsOf(lanes: readonly Lane[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    lanes.flatMap(({ check: { request } }) =>
      request.token === null ? [] : [[JSON.stringify(request.token.command), request.token.command] as const],
    ),
  );
}
