/** When the caches behind a resolver really left the old data, by the log of the authority that they asked. */
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
