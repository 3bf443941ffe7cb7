/** The change script: what happens when, with what each step leaves out, and what it names that is not there. */
import type { ChangeSpec, Side } from '../core/scenario.ts';
import type { VerdictValue } from '../core/verdict.ts';
import type { PlatformSpec, RecordKind, Step, StepAction, ZoneSpec } from '../core/world.ts';
import type { Path } from './document.ts';
import { suggestion } from './nearest.ts';
import type { Item } from './sections.ts';
import { aliasTtlS, defaultFailStatus, defaultGoneHow } from './world-defaults.ts';
import type { StepInput } from './world-input.ts';
import type { Report } from './problems.ts';

/** What of the scenario its world is held against. */
export interface WorldScope {
  readonly change: ChangeSpec;
  readonly serviceNames: readonly string[];
  /** As the file has them: `system` is one resolver, however this machine is asked. */
  readonly resolverNames: readonly string[];
  /** Some check has an https URL, or may have. */
  readonly hasTls: boolean;
  readonly report: Report;
}

/** What steps are held against; null where that is broken itself, and nothing can be said. */
export interface ScriptScope extends WorldScope {
  readonly record: RecordKind | null;
  readonly nameServers: readonly string[] | null;
  readonly platforms: Readonly<Record<Side, PlatformSpec | null>>;
  /** False: some steps, or what is expected, are too broken to be here. */
  readonly isWhole: boolean;
  readonly verdict: VerdictValue | undefined;
}

/** A deployment leaves no side; it has one all the same. */
export function leavingSide({ direction }: ChangeSpec): Side {
  return direction === 'old-to-new' ? 'old' : 'new';
}

function comingSide({ direction }: ChangeSpec): Side {
  return direction === 'old-to-new' ? 'new' : 'old';
}

/** The change, as the operator makes it, and nothing else. */
export function defaultScript(change: ChangeSpec, { record, startsAt = 'old' }: ZoneSpec): readonly Step[] {
  const at = { from: 'change', s: 0 } as const;
  const to = comingSide(change);
  if (change.via === 'deploy') {
    return [{ at, does: { kind: 'deploy', side: startsAt, services: null, deregisters: 'in-time', lateS: 0 } }];
  }
  if (change.via === 'weights' && record === 'weighted') {
    return [{ at, does: { kind: 'shift-weights', newRatio: to === 'new' ? 1 : 0 } }];
  }
  // A world has no CDN; from outside, its switch looks like that of the names.
  return [{ at, does: { kind: 'switch-dns', to, services: null } }];
}

export function scriptOf(items: readonly Item<StepInput>[], scope: ScriptScope): readonly Step[] {
  for (const { input, path } of items) reportStep(input, path, scope);
  reportUnchanged(items, scope);
  return items.map(({ input }) => ({
    at: input.atS === undefined ? { from: 'change', s: input.afterChangeS ?? 0 } : { from: 'start', s: input.atS },
    does: actionOf(input, scope.change),
  }));
}

function actionOf(input: StepInput, change: ChangeSpec): StepAction {
  const services = 'services' in input ? (input.services ?? null) : null;
  const forS = 'forS' in input ? (input.forS ?? null) : null;
  switch (input.do) {
    case 'lower-ttl':
      return { kind: input.do, ttlS: input.ttlS };
    case 'switch-dns':
      return { kind: input.do, to: input.to ?? comingSide(change), services };
    case 'shift-weights':
      return { kind: input.do, newRatio: input.newRatio };
    case 'delete-and-create-record':
      return { kind: input.do, to: input.to ?? comingSide(change), gapS: input.gapS };
    case 'lower-connection-age':
      return { kind: input.do, side: input.side, clientKeepAliveS: input.clientKeepAliveS };
    case 'deploy':
      return {
        kind: input.do,
        side: input.side,
        services,
        deregisters: input.deregisters ?? 'in-time',
        lateS: input.lateS ?? 0,
      };
    case 'remove-load-balancer':
      return { kind: input.do, side: input.side, how: input.how ?? defaultGoneHow, forS };
    case 'suspend-schedules':
    case 'resume-schedules':
      return { kind: input.do, side: input.side };
    case 'lose-targets':
      return { kind: input.do, side: input.side, services, forS };
    case 'lose-zone':
      return { kind: input.do, side: input.side, zone: input.zone, how: input.how ?? defaultGoneHow, forS };
    case 'fail-app': {
      const status = input.status ?? defaultFailStatus;
      return { kind: input.do, side: input.side, services, status, ratio: input.ratio ?? 1, forS };
    }
    case 'slow-app':
      return { kind: input.do, side: input.side, services, byMs: input.byMs, forS };
    case 'throttle-cpu':
      return { kind: input.do, side: input.side, quotaMs: input.quotaMs, demandMs: input.demandMs, forS };
    case 'show-wrong-certificate':
      return { kind: input.do, side: input.side, certificate: input.certificate ?? 'default', forS };
    case 'cut-off-resolver':
      return { kind: input.do, resolver: input.resolver, forS };
    case 'fail-resolver':
      return { kind: input.do, resolver: input.resolver, how: input.how ?? 'servfail', forS };
    case 'fail-name-server':
      return { kind: input.do, nameServer: input.nameServer, forS };
    case 'degrade-network': {
      const { side, lossRatio = 0, resetRatio = 0, addedMs = 0 } = input;
      return { kind: input.do, side, lossRatio, resetRatio, addedMs, forS };
    }
    case 'lose-own-network':
      return { kind: input.do, forS };
    case 'fail-platform-api':
      return { kind: input.do, side: input.side, api: input.api ?? null, forS };
  }
}

// ── what does not fit ────────────────────────────────────────────────────────────────────────────────────────────────

function reportStep(input: StepInput, path: Path, scope: ScriptScope): void {
  const { report, change } = scope;
  const unknown = (what: string, name: string, known: readonly string[], at: Path): void => {
    if (!known.includes(name)) report(at, `unknown ${what} "${name}"${suggestion(name, known)}`);
  };
  if ('services' in input) {
    for (const [i, name] of (input.services ?? []).entries()) {
      unknown('service', name, scope.serviceNames, [...path, 'services', i]);
    }
  }
  if ('resolver' in input) unknown('resolver', input.resolver, scope.resolverNames, [...path, 'resolver']);
  if ('nameServer' in input && scope.nameServers !== null) {
    unknown('name server', input.nameServer, scope.nameServers, [...path, 'nameServer']);
  }
  const lastS = change.convergenceTimeoutS + change.tailS;
  if (input.afterChangeS !== undefined && input.afterChangeS > lastS) {
    const sentence = `a run ends ${lastS} s after its change at the latest (convergenceTimeoutS and tailS): this would not happen`;
    report([...path, 'afterChangeS'], sentence);
  }
  const why = mismatch(input, scope);
  if (why !== null) report([...path, why.key], why.sentence);
}

/** A step that its kind of record, platform or fault makes senseless. */
function mismatch(
  input: StepInput,
  { record, platforms, hasTls }: ScriptScope,
): { readonly key: string; readonly sentence: string } | null {
  switch (input.do) {
    case 'lower-ttl':
      if (record !== 'alias') return null;
      return { key: 'do', sentence: `the record is an alias: its TTL is ${aliasTtlS}, and nobody can set it` };
    case 'shift-weights':
      if (record === 'weighted' || record === null) return null;
      return { key: 'do', sentence: `the record is ${record}; give zone.record: weighted` };
    case 'lower-connection-age':
      if (platforms[input.side]?.kind !== 'ingress-nginx') return null;
      return { key: 'do', sentence: `the ${input.side} side is ingress-nginx; only an alb has a connection age` };
    case 'lose-zone': {
      const count = platforms[input.side]?.addressCount ?? Infinity;
      if (input.zone <= count) return null;
      return { key: 'zone', sentence: `the ${input.side} side has ${count} addresses, one for each zone` };
    }
    case 'deploy':
      if (input.deregisters === 'late' && input.lateS === undefined) {
        return { key: 'deregisters', sentence: 'late needs lateS: how much' };
      }
      if (input.deregisters === 'late' || input.lateS === undefined) return null;
      return { key: 'lateS', sentence: 'is for deregisters: late' };
    case 'degrade-network': {
      const { lossRatio = 0, resetRatio = 0, addedMs = 0 } = input;
      if (lossRatio + resetRatio > 1)
        return { key: 'resetRatio', sentence: 'lossRatio and resetRatio are over 1 together' };
      if (lossRatio + resetRatio + addedMs > 0) return null;
      return { key: 'do', sentence: 'does nothing: give lossRatio, resetRatio or addedMs' };
    }
    case 'show-wrong-certificate':
      return hasTls ? null : { key: 'do', sentence: 'no service has an https URL: nobody would see it' };
    case 'switch-dns':
    case 'delete-and-create-record':
    case 'remove-load-balancer':
    case 'suspend-schedules':
    case 'resume-schedules':
    case 'lose-targets':
    case 'fail-app':
    case 'slow-app':
    case 'throttle-cpu':
    case 'cut-off-resolver':
    case 'fail-resolver':
    case 'fail-name-server':
    case 'lose-own-network':
    case 'fail-platform-api':
      return null;
  }
}

const moving: ReadonlySet<StepInput['do']> = new Set(['switch-dns', 'shift-weights', 'delete-and-create-record']);

/**
 * The script replaces the default one, the change with it: forgotten, every run of it ends inconclusive. Whoever means
 * that says so in `expect`.
 */
function reportUnchanged(items: readonly Item<StepInput>[], { change, verdict, isWhole, report }: ScriptScope): void {
  const isByNames = change.via === 'dns' || change.via === 'weights';
  if (!isByNames || !isWhole || verdict === 'inconclusive' || items.some(({ input }) => moving.has(input.do))) return;
  const step = `{ afterChangeS: 0, do: ${change.via === 'dns' ? 'switch-dns' : 'shift-weights, newRatio: 1'} }`;
  const sentence = `nothing in it makes the change; add ${step}, or expect { verdict: inconclusive }`;
  report(['world', 'script'], sentence, 'key');
}
