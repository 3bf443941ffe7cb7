/** The clients of a scenario: presets by name, and own ones described. */
import {
  authorityClient,
  type Archetype,
  type Client,
  type ConnectPolicy,
  type ResolvePolicy,
} from '../core/scenario.ts';
import type { Path } from './document.ts';
import type { ClientInput, ClientsInput, ConnectInput, ResolveInput } from './input.ts';
import { suggestion } from './nearest.ts';
import { canonicalAddress } from './network.ts';
import type { Report } from './problems.ts';

export interface ClientScope {
  readonly presets: Readonly<Record<string, Archetype>>;
  readonly report: Report;
}

export interface Clients {
  readonly clients: readonly Client[];
  readonly weightsGiven: boolean;
}

interface Named {
  readonly name: string;
  readonly path: Path;
  readonly weight: number | null;
  readonly archetype: Archetype;
}

export function clientsOf(input: ClientsInput, scope: ClientScope): Clients {
  const named = isList(input) ? byName(input, scope) : described(input, scope);
  const weightsGiven = named.some(({ weight }) => weight !== null);
  for (const { name, weight, path } of named) {
    if (name === authorityClient) {
      if (weight !== null) scope.report(path, 'stands for no users, so it has no weight: write authority: {}');
    } else if (weightsGiven && weight === null) {
      scope.report(path, 'has no weight, but others have: give one to each or to none');
    }
  }
  const sum = named.reduce((total, one) => total + shareOf(one), 0);
  const clients = named.map((one) => ({
    name: one.name,
    weightRatio: sum === 0 ? 0 : shareOf(one) / sum,
    archetype: one.archetype,
  }));
  return { clients, weightsGiven };
}

function shareOf({ name, weight }: Named): number {
  return name === authorityClient ? 0 : (weight ?? 1);
}

function isList(input: ClientsInput): input is readonly string[] {
  return Array.isArray(input);
}

function byName(names: readonly string[], scope: ClientScope): readonly Named[] {
  const seen = new Set<string>();
  return names.flatMap((name, i) => {
    const path = ['clients', i];
    if (seen.has(name)) scope.report(path, `"${name}" is there twice`);
    seen.add(name);
    const archetype = presetOf(name, path, scope);
    return archetype === null ? [] : [{ name, path, weight: null, archetype }];
  });
}

function presetOf(name: string, path: Path, { presets, report }: ClientScope, at?: 'key'): Archetype | null {
  // By own name only: `constructor` is no client.
  if (Object.hasOwn(presets, name)) return presets[name] ?? null;
  report(path, `unknown client "${name}"${suggestion(name, Object.keys(presets))}`, at);
  return null;
}

/** Lanes of these names mean something else. */
const reservedNames = new Set(['reference']);

function described(input: Readonly<Record<string, number | ClientInput>>, scope: ClientScope): readonly Named[] {
  return Object.entries(input).flatMap(([name, description]) => {
    const path = ['clients', name];
    const weight = typeof description === 'number' ? description : (description.weight ?? null);
    const archetype =
      typeof description === 'number'
        ? presetOf(name, path, scope, 'key')
        : archetypeOf(name, description, path, scope);
    return archetype === null ? [] : [{ name, path, weight, archetype }];
  });
}

function archetypeOf(name: string, input: ClientInput, path: Path, scope: ClientScope): Archetype | null {
  const isPreset = Object.hasOwn(scope.presets, name);
  const isAdjusted = Object.keys(input).every((key) => key === 'weight' || key === 'judged');
  if (isAdjusted) {
    const preset = presetOf(name, path, scope, 'key');
    return preset === null ? null : { ...preset, judged: input.judged ?? preset.judged };
  }
  if (isPreset) {
    scope.report(
      path,
      'is a preset, of which only weight and judged can be set; give your own client another name',
      'key',
    );
  }
  if (reservedNames.has(name)) scope.report(path, 'this name means a lane of ours; choose another', 'key');
  const resolve = resolveOf(input.resolve ?? 'per-connection');
  return {
    resolve,
    connect: connectOf(input.connect ?? 'new'),
    choose: input.choose ?? 'first',
    families: input.families ?? [4, 6],
    retriesOnce: input.retriesOnce ?? false,
    // Who never asks again fails for ever by construction once the old side is gone.
    judged: input.judged ?? !(resolve.kind === 'once' || resolve.kind === 'pinned'),
    standsFor: input.standsFor ?? 'clients as this scenario describes them',
  };
}

const weekS = 604_800;

function resolveOf(input: ResolveInput): ResolvePolicy {
  if (input === 'per-connection' || input === 'once') return { kind: input };
  if (input === 'ttl') return { kind: 'ttl', minS: 0, maxS: weekS };
  switch (input.kind) {
    case 'per-connection':
    case 'once':
    case 'refresh':
      return input;
    case 'ttl':
      return { minS: 0, maxS: weekS, ...input };
    case 'fixed':
      return { graceS: 0, ...input };
    case 'on-break':
      return { minS: 30, ...input };
    case 'pinned':
      return { kind: 'pinned', address: input.address === undefined ? null : canonicalAddress(input.address) };
  }
}

function connectOf(input: ConnectInput): ConnectPolicy {
  const policy = typeof input === 'string' ? { kind: input } : input;
  switch (policy.kind) {
    case 'new':
      return { kind: 'new' };
    case 'keep-alive':
      return { idleS: 0, maxAgeS: 0, maxRequests: 0, ...policy, kind: 'keep-alive' };
    case 'http2':
      return { idleS: 0, ...policy, kind: 'http2' };
    case 'held':
      return { maxAgeS: 0, ...policy, kind: 'held' };
  }
}
