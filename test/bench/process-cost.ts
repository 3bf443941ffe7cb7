/** What a process costs, as Linux counts it: processor time of all its threads, and the most memory it ever had. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { readProc } from '../real/servers/own-process.ts';

/** `/proc` counts processor time in hundredths of a second on every Linux that Node runs on (USER_HZ). */
const usPerTick = 10_000;

/** User and system time of a process and of the children it has waited for; 0 once it is gone. */
export function cpuUs(pid: number): number {
  const stat = readProc(pid, 'stat');
  if (stat === null) return 0;
  // The program's name stands in brackets and may hold anything; utime, stime, cutime, cstime are fields 14 to 17.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * usPerTick;
}

/** Peak of resident memory so far; 0 once the process is gone. */
export function peakMemoryKb(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readProc(pid, 'status') ?? '')?.[1] ?? 0);
}

/** Processor time that everybody on this machine used, the hypervisor's share (steal) apart. */
export function machineCpuUs(): { readonly busyUs: number; readonly stolenUs: number } {
  const line = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? '';
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, stolen = 0] = line.split(/\s+/).slice(1).map(Number);
  return { busyUs: (user + nice + system + irq + softIrq) * usPerTick, stolenUs: stolen * usPerTick };
}

export function machineText(): string {
  const [model = { model: 'unknown' }] = cpus();
  const load = loadavg()
    .map((value) => value.toFixed(2))
    .join(' ');
  return `${cpus().length} × ${model.model}, load average ${load}`;
}
