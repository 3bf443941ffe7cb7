/** Every check of every service, and on top of them whether it is safe to switch now, or when. Unknown is never safe. */
import { listText } from '../core/quantity-text.ts';
import { sentencesOf, type CheckResult } from './check.ts';
import { edges } from './edges.ts';
import type { Facts } from './facts.ts';
import { identity } from './identity.ts';
import { enteringSide } from './entering-side.ts';
import { records, sidesOf } from './records.ts';
import { route53 } from './route53.ts';
import { resolverHolds } from './resolver-holds.ts';
import { ttlAgedOut } from './ttl-aged-out.ts';
import { ttlLowered } from './ttl-lowered.ts';

export interface Preflight {
  readonly scenario: string;
  readonly isRollback: boolean;
  /** Titles of the side that is left and of the one that is moved to. */
  readonly from: string;
  readonly to: string;
  readonly atMs: number;
  readonly checks: readonly CheckResult[];
  readonly safeToSwitch: SafeToSwitch;
  /** Time alone may make it safe; false once it is, and where something has to be mended. */
  readonly canWait: boolean;
}

export interface SafeToSwitch {
  readonly safe: 'yes' | 'no' | 'unknown';
  /** When it will be, as far as time alone is missing (wall clock); null: safe now, or nobody knows. */
  readonly atMs: number | null;
  /** `atMs` holds only if nothing comes between. */
  readonly isEarliest: boolean;
  /** Sentences; none when it is safe. */
  readonly because: readonly string[];
}

export function preflight(facts: Facts): Preflight {
  const checks = facts.scenario.services.flatMap((service) =>
    [ttlLowered, ttlAgedOut, resolverHolds, records, route53, enteringSide, edges, identity].flatMap((check) =>
      check(facts, service),
    ),
  );
  const deciding = checks.filter(({ decides, result }) => decides && (result === 'fail' || result === 'unknown'));
  const { entering, leaving } = sidesOf(facts);
  const { sides } = facts.scenario;
  return {
    scenario: facts.scenario.name,
    isRollback: facts.isRollback,
    from: sides[leaving].title,
    to: sides[entering].title,
    atMs: facts.nowMs,
    checks,
    safeToSwitch: safeToSwitch(deciding, facts.scenario.services.length),
    canWait: deciding.length > 0 && deciding.every(({ heals }) => heals !== null),
  };
}

/** What has to be mended comes before what has to be waited for, and that before what is not known. */
function safeToSwitch(deciding: readonly CheckResult[], serviceCount: number): SafeToSwitch {
  const sentences = (rows: readonly CheckResult[]): readonly string[] =>
    serviceCount === 1 ? sentencesOf(rows) : sentencesByService(rows);
  const failed = deciding.filter(({ result }) => result === 'fail');
  const unknown = deciding.filter(({ result }) => result === 'unknown');
  const none = { atMs: null, isEarliest: false };
  if (deciding.length === 0) return { safe: 'yes', ...none, because: [] };
  if (failed.length === 0) return { safe: 'unknown', ...none, because: sentences(unknown) };

  const timeless = failed.filter(({ heals }) => heals === null || heals.atMs === null);
  if (timeless.length > 0) return { safe: 'no', ...none, because: sentences([...timeless, ...unknown]) };
  const healings = failed.flatMap(({ heals }) => (heals === null ? [] : [heals]));
  return {
    safe: 'no',
    atMs: Math.max(...healings.map(({ atMs }) => atMs ?? 0)),
    isEarliest: unknown.length > 0 || healings.some(({ isEarliest }) => isEarliest),
    because: sentences([...failed, ...unknown]),
  };
}

/** `orders: …`; what is so of several, such as a name that they share, is said once. */
function sentencesByService(rows: readonly CheckResult[]): readonly string[] {
  const said = [...Map.groupBy(rows, ({ service }) => service)].flatMap(([service, own]) =>
    sentencesOf(own).map((text) => ({ service, text })),
  );
  return [...Map.groupBy(said, ({ text }) => text)].map(
    ([text, alike]) => `${listText(alike.map(({ service }) => service))}: ${text}`,
  );
}

/** 0 safe, 3 no or not yet, 4 not known. */
export function exitCodeOf({ safeToSwitch: { safe } }: Preflight): number {
  return safe === 'yes' ? 0 : safe === 'no' ? 3 : 4;
}

/** The contract of `--json`: more may be added, nothing renamed. */
export function preflightJson({
  scenario,
  isRollback,
  from,
  to,
  atMs,
  checks,
  safeToSwitch: { safe, atMs: safeAtMs, because },
}: Preflight): string {
  const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  const json = {
    schemaVersion: 1,
    scenario,
    mode: isRollback ? 'rollback' : 'cutover',
    from,
    to,
    at: iso(atMs),
    safeToSwitch: { safe, at: iso(safeAtMs), because },
    checks: checks.map(({ heals, ...check }) => ({ ...check, healsAt: iso(heals?.atMs ?? null) })),
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}
