import { statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess } from '../real/servers/own-process.ts';
import { waitUntil } from '../real/servers/wait-until.ts';
import { cpuUs, peakMemoryKb } from './process-cost.ts';
import { runToEnd } from './run-to-end.ts';

export interface Exported {
  readonly format: string;
  readonly rowCount: number;
  readonly fileMb: number;
  readonly tookS: number;
  readonly cpuS: number;
  readonly peakMemoryMb: number;
}

const recorderPath = fileURLToPath(new URL('record-cutover.ts', import.meta.url));
const mainPath = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** `cutwatch export` of a recorded cutover in each format, from start to exit; everything is removed afterwards. */
export async function measureExports(rowCount: number, folder: string): Promise<readonly Exported[]> {
  const path = join(folder, 'cutover');
  await runToEnd([process.execPath, recorderPath, path, String(rowCount)]);
  const exported: Exported[] = [];
  for (const format of ['parquet', 'csv', 'ndjson']) {
    const file = join(folder, `probes.${format}`);
    const startedAtMs = performance.now();
    const words = [mainPath, 'export', path, '--format', format, '--out', file];
    await using exporting = startProcess(process.execPath, words, { logPath: join(folder, `${format}.log`) });
    let memoryKb = 0;
    let usedCpuUs = 0;
    await waitUntil(
      `the rows are ${format}`,
      () => {
        memoryKb = Math.max(memoryKb, peakMemoryKb(exporting.pid));
        usedCpuUs = Math.max(usedCpuUs, cpuUs(exporting.pid));
        return !exporting.isRunning;
      },
      { withinMs: 600_000 },
    );
    const tookS = (performance.now() - startedAtMs) / 1000;
    const fileMb = statSync(file).size / 1e6;
    exported.push({ format, rowCount, fileMb, tookS, cpuS: usedCpuUs / 1e6, peakMemoryMb: memoryKb / 1024 });
    await rm(file);
  }
  await rm(path, { recursive: true });
  return exported;
}
