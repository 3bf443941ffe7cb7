/**
 * When the caches behind a resolver really left the old data, by the log of the authority that they asked; and how closely
 * a run looked, by its own evidence: on a busy machine polls are farther apart than they should be.
 */
import type { Entry } from '../../src/core/entry.ts';
import { parts } from '../../src/core/row.ts';
import { nsToMs } from '../../src/core/time.ts';
import type { Evidence } from './cutwatch-run.ts';
import type { NamedEvent } from './servers/named-log.ts';

export interface Move {
  /** When the authority had the new record. */
  readonly changedMs: number;
  /** For each of the addresses that asked: its first question that met the new record; null = none did. */
  readonly fetchedMs: readonly (number | null)[];
}

/** Of the last change of a name's A record. Wall clock, ms since 1970. */
export function moveOf(log: readonly NamedEvent[], hostname: string, clients: readonly string[]): Move | null {
  const isOf = (event: NamedEvent): boolean => event.name === hostname && event.type === 'A';
  const changedAt = log.findLastIndex((event) => event.kind === 'added' && isOf(event));
  const change = log[changedAt];
  if (change === undefined) return null;
  const after = log.slice(changedAt).filter((event) => event.kind === 'asked' && isOf(event));
  return {
    changedMs: change.atMs,
    fetchedMs: clients.map(
      (client) => after.find((event) => event.kind === 'asked' && event.client === client)?.atMs ?? null,
    ),
  };
}

export interface Looks {
  /** Longest way from one question to the next, and to its answer, in a stretch of time. */
  readonly apartMs: number;
  readonly answerMs: number;
}

/** What the lane of a service asked a resolver, from `fromMs` to `toMs`. */
export function looksAtResolver(
  evidence: Evidence,
  { resolver, service }: { readonly resolver: string; readonly service: string },
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Looks {
  const lane = evidence.lanes.find((one) => one.resolver?.name === resolver && one.service === service);
  const asked = evidence.rows
    .filter(
      (row) => row.lane === lane?.number && row.part === parts.slot && row.answerAgeMs === 0 && row.resolvedUs > 0,
    )
    .toSorted((a, b) => a.sentMs - b.sentMs);
  const within = asked.filter(
    (_, i) => (asked[i + 1]?.sentMs ?? Infinity) > fromMs && (asked[i - 1]?.sentMs ?? -Infinity) < toMs,
  );
  return {
    apartMs: Math.max(...within.map(({ sentMs }, i) => sentMs - (within[i - 1]?.sentMs ?? sentMs))),
    answerMs: Math.max(...within.map(({ resolvedUs }) => resolvedUs / 1000)),
  };
}

/** How far apart those polls of the authority were, in ms, between which the name got this address. */
export function authorityPollMs(entries: readonly Entry[], hostname: string, address: string): number {
  for (const entry of entries) {
    if (entry.type !== 'dns-answered' || entry.watch !== 'authority' || entry.name !== hostname) continue;
    const { reply, previousSentAtNs } = entry;
    if (reply.kind === 'answered' && reply.addresses.includes(address) && previousSentAtNs !== null)
      return nsToMs(reply.endedAtNs - previousSentAtNs);
  }
  return NaN;
}
