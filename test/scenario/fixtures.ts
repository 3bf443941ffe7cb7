import { presets as allPresets } from '../../src/clients/presets.ts';
import type { Archetype, Scenario } from '../../src/core/scenario.ts';
import { type ParseContext, parseRehearsal, parseScenario, type Rehearsal } from '../../src/scenario/parse.ts';

const base: Archetype = {
  resolve: { kind: 'per-connection' },
  connect: { kind: 'new' },
  choose: 'first',
  families: [4, 6],
  retriesOnce: false,
  judged: true,
  standsFor: 'curl',
};

export const presets: Readonly<Record<string, Archetype>> = {
  fresh: base,
  'keep-alive': { ...base, connect: { kind: 'keep-alive', idleS: 90, maxAgeS: 0, maxRequests: 0 } },
  'jvm-30': { ...base, resolve: { kind: 'fixed', s: 30, graceS: 0 } },
  'jvm-forever': { ...base, resolve: { kind: 'once' }, judged: false },
  chrome: { ...base, resolve: { kind: 'fixed', s: 60, graceS: 0 }, connect: { kind: 'http2', idleS: 300 } },
};

const files: Readonly<Record<string, string>> = {
  'certificate.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  'key.pem': '-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n',
  'encrypted.pem': '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
};

export function contextOf(env: ParseContext['env'] = {}, file = 'shop.yaml'): ParseContext {
  return {
    file,
    env,
    presets,
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error(`ENOENT: no such file, open '${path}'`);
      return text;
    },
  };
}

export function parsed(text: string, env: ParseContext['env'] = {}): Scenario {
  return parseScenario(text, contextOf(env));
}

/** These lines and whatever of name, services and sides they leave out. */
export function linesOf(lines: string): string {
  const rest = [
    ['name', 'name: shop'],
    ['services', 'services: [{ name: orders, url: https://orders.example/ready }]'],
    ['sides', 'sides: { old: { addresses: ["dns:old.example"] }, new: { addresses: ["dns:new.example"] } }'],
  ].filter(([key]) => !new RegExp(`^${key}:`, 'm').test(lines));
  return [...rest.map(([, text]) => text), lines].join('\n');
}

export function scenarioOf(lines: string, env: ParseContext['env'] = {}): Scenario {
  return parsed(linesOf(lines), env);
}

/** With the presets that people have, and not only the few above. */
export function presetScenarioOf(lines: string): Scenario {
  return parseScenario(linesOf(lines), { ...contextOf(), presets: allPresets });
}

export function rehearsalOf(lines: string, env: ParseContext['env'] = {}): Rehearsal {
  return parseRehearsal(linesOf(lines), contextOf(env));
}

/** The problems as people read them, one a line. */
export function problemsIn(text: string, env: ParseContext['env'] = {}, file = 'shop.yaml'): readonly string[] {
  try {
    parseScenario(text, contextOf(env, file));
    return [];
  } catch (error) {
    if (!(error instanceof Error && 'problems' in error)) throw error;
    return error.message.split('\n');
  }
}
