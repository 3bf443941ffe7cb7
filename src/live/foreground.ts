import { readFileSync } from 'node:fs';

/**
 * Whether the terminal is ours now: one that is set to another mode from the background stops whoever does it, and a watch
 * that is stopped probes nothing. Where it cannot be read (not Linux), it is taken to be.
 */
export function isInForeground(stat: () => string = ownStat): boolean {
  try {
    const [, , group, , , foreground] = (stat().split(') ').at(-1) ?? '').split(' ');
    return group === foreground;
  } catch {
    return true;
  }
}

function ownStat(): string {
  return readFileSync('/proc/self/stat', 'utf8');
}
