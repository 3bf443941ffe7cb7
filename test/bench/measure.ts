import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { startProcess } from '../real/servers/own-process.ts';
import { waitUntil } from '../real/servers/wait-until.ts';
import { cpuUs, machineCpuUs, peakMemoryKb } from './process-cost.ts';
import type { Server } from './server.ts';
import { spacingErrorsMs, spreadOf, type Spread } from './spread.ts';
import type { Load, Tool } from './tools.ts';

export interface Measured {
  readonly tool: string;
  readonly load: Load;
  readonly achievedPerSecond: number;
  /** User and system time of the whole process, start and end aside. */
  readonly cpuUsPerProbe: number;
  readonly peakMemoryMb: number;
  /** As the tool's own records have it; null where it keeps none. */
  readonly latenessMs: Spread | null;
  /** As the server's log has it. */
  readonly spacingMs: Spread | null;
  readonly droppedCount: number | null;
  readonly failedCount: number | null;
  /** Processor time of everybody else on the machine, in processors: how much the row can be trusted. */
  readonly elsewhere: number;
  /** From the signal to stop to the end of the process. */
  readonly endedAfterS: number;
}

/** Connections are open and code is compiled after so long. */
const warmUpMs = 1000;
const endWithinMs = 120_000;

/**
 * Lets a tool send for a while and looks at it from outside: the server's counter and the kernel's, both read at the
 * same two instants, so that what it costs to start and to end is in no number of a probe.
 */
export async function measure(tool: Tool, load: Load, server: Server, seconds: number): Promise<Measured> {
  await mkdir(load.folder, { recursive: true });
  const words = await tool.command(load);
  const beforeCount = await server.answeredCount();
  const [program = '', ...args] = words;
  const outputPath = join(load.folder, 'output.log');
  await using running = startProcess(program, args, { logPath: outputPath });
  const fail = (what: string): Error => new Error(`${tool.name} ${what}:\n${running.output().slice(-2000)}`);
  await waitUntil(`${tool.name} sends`, async () => {
    if (!running.isRunning) throw fail('ended by itself');
    return (await server.answeredCount()) > beforeCount;
  });
  await sleepMs(warmUpMs);

  const look = async () => ({
    atMs: performance.now(),
    count: await server.answeredCount(),
    cpuUs: cpuUs(running.pid),
    ownCpuUs: process.cpuUsage().user + process.cpuUsage().system + sum(server.pids.map(cpuUs)),
    machine: machineCpuUs(),
  });
  const from = await look();
  await sleepMs(seconds * 1000);
  const to = await look();
  if (!running.isRunning) throw fail('ended by itself');

  const stoppedAtMs = performance.now();
  running.signal('SIGINT');
  let memoryKb = 0;
  await waitUntil(
    `${tool.name} ends`,
    () => {
      memoryKb = Math.max(memoryKb, peakMemoryKb(running.pid));
      return !running.isRunning;
    },
    { withinMs: endWithinMs },
  );
  const endedAfterS = (performance.now() - stoppedAtMs) / 1000;

  const count = to.count - from.count;
  const lengthMs = to.atMs - from.atMs;
  const usedCpuUs = to.cpuUs - from.cpuUs;
  const elsewhereUs =
    to.machine.busyUs -
    from.machine.busyUs +
    to.machine.stolenUs -
    from.machine.stolenUs -
    usedCpuUs -
    (to.ownCpuUs - from.ownCpuUs);
  const own = tool.ownWord === undefined ? null : await tool.ownWord(load);
  const arrivalsMs = tool.isPaced ? await server.takeArrivalsMs() : new Float64Array();
  return {
    tool: tool.name,
    load,
    achievedPerSecond: (count / lengthMs) * 1000,
    cpuUsPerProbe: usedCpuUs / count,
    peakMemoryMb: memoryKb / 1024,
    latenessMs: own === null ? null : spreadOf(own.latenessUs.map((us) => us / 1000)),
    spacingMs: spreadOf(spacingErrorsMs(arrivalsMs)),
    droppedCount: own?.droppedCount ?? null,
    failedCount: own?.failedCount ?? null,
    elsewhere: Math.max(0, elsewhereUs / 1000 / lengthMs),
    endedAfterS,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
