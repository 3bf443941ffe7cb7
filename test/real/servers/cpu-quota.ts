import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from './wait-until.ts';

const root = '/sys/fs/cgroup';
let groupCount = 0;

/**
 * The kernel's CPU bandwidth control, as a container's CPU limit sets it: the process may use so many ms of each 100. Null
 * where this machine lets nobody make control groups. `dispose` when the process has ended.
 */
export function limitCpu(pid: number, quotaMs: number): AsyncDisposable | null {
  groupCount += 1;
  const name = `cutwatch-${String(process.pid)}-${String(groupCount)}`;
  return (
    limited(join(root, 'cpu', name), pid, [
      ['cpu.cfs_period_us', '100000'],
      ['cpu.cfs_quota_us', String(quotaMs * 1000)],
    ]) ?? limited(join(root, name), pid, [['cpu.max', `${String(quotaMs * 1000)} 100000`]])
  );
}

function limited(path: string, pid: number, settings: readonly (readonly [string, string])[]): AsyncDisposable | null {
  try {
    mkdirSync(path);
  } catch {
    return null;
  }
  const remove = async (): Promise<void> => {
    await waitUntil('the control group is empty', () => {
      try {
        rmdirSync(path);
        return true;
      } catch {
        return false;
      }
    });
  };
  try {
    for (const [file, value] of settings) writeFileSync(join(path, file), value);
    writeFileSync(join(path, 'cgroup.procs'), String(pid));
    return { [Symbol.asyncDispose]: remove };
  } catch {
    rmdirSync(path);
    return null;
  }
}
