/** What this machine says of itself: files of /proc, and calls that change nothing that is not set back. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, constants, getPriority, networkInterfaces, setPriority } from 'node:os';
import { promisify } from 'node:util';
import type { MachineFacts } from '../checks/doctor-facts.ts';
import { ratePerThread } from './run-command.ts';

/** Below the folder that we are started in, as runs are. */
const folder = 'reports';
const synchronizedWithinMs = 3000;

export function lookAtMachine(): MachineFacts {
  return {
    openFileCountMax: openFileCountMax(readOrNull('/proc/self/limits')),
    localPortCount: localPortCount(readOrNull('/proc/sys/net/ipv4/ip_local_port_range')),
    processorCount: availableParallelism(),
    freeBytes: freeBytes(existsSync(folder) ? folder : '.'),
    folder: `${folder}/`,
    ipv6: ipv6(),
    mayRaisePriority: mayRaisePriority(),
    ratePerThread,
  };
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** The soft limit, which Node has raised to the hard one by now. */
export function openFileCountMax(limits: string | null): number | null {
  const soft = /^Max open files\s+(\S+)/m.exec(limits ?? '')?.[1];
  if (soft === undefined) return null;
  return soft === 'unlimited' ? Infinity : Number(soft);
}

export function localPortCount(range: string | null): number | null {
  const [from, to] = (range ?? '').split(/\s+/).filter(Boolean).map(Number);
  return from === undefined || to === undefined ? null : to - from + 1;
}

function freeBytes(path: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return null;
  }
}

function ipv6(): MachineFacts['ipv6'] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const own = all.filter(({ family, address }) => family === 'IPv6' && !address.startsWith('fe80'));
  if (own.some(({ internal }) => !internal)) return 'global';
  return own.length > 0 ? 'loopback' : 'none';
}

/** Tried on this thread and set back: a lower priority is always allowed. */
function mayRaisePriority(): boolean {
  const before = getPriority(0);
  try {
    setPriority(0, constants.priority.PRIORITY_HIGH);
    setPriority(0, before);
    return true;
  } catch {
    return false;
  }
}

/** As systemd says; null where it does not. */
export async function isClockSynchronized(): Promise<boolean | null> {
  try {
    const words = ['show', '--property=NTPSynchronized', '--value'];
    const { stdout } = await promisify(execFile)('timedatectl', words, { timeout: synchronizedWithinMs });
    const said = stdout.trim();
    return said === 'yes' || said === 'no' ? said === 'yes' : null;
  } catch {
    return null;
  }
}

/** By the names that most programs follow, in both ways of writing them. */
export function proxyVariablesOf(environment: NodeJS.ProcessEnv): readonly string[] {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
  return names.filter((name) => (environment[name] ?? '') !== '');
}
