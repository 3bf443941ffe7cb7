import { statSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess } from '../real/servers/own-process.ts';
import { waitUntil } from '../real/servers/wait-until.ts';
import { cpuUs, peakMemoryKb } from './process-cost.ts';
import { runToEnd } from './run-to-end.ts';

export interface Judged {
  readonly kind: 'fast' | 'cut-off' | 'cutover';
  readonly rowCount: number;
  readonly fileMb: number;
  /** report.html. */
  readonly pageMb: number;
  readonly judgedAfterS: number;
  readonly cpuS: number;
  readonly peakMemoryMb: number;
}

const recorderPath = fileURLToPath(new URL('record-run.ts', import.meta.url));
const cutoverRecorderPath = fileURLToPath(new URL('record-cutover.ts', import.meta.url));
const mainPath = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** `cutwatch judge` on a recorded run, from start to exit, reports written; the run folder is removed afterwards. */
export async function measureJudge(kind: Judged['kind'], rowCount: number, folder: string): Promise<Judged> {
  const path = join(folder, kind);
  const logPath = join(folder, `${kind}.log`);
  const words = kind === 'cutover' ? [cutoverRecorderPath, path] : [recorderPath, path, kind];
  await runToEnd([process.execPath, ...words, String(rowCount)]);
  const fileMb = statSync(join(path, 'probes.arrows')).size / 1e6;
  const startedAtMs = performance.now();
  await using judging = startProcess(process.execPath, [mainPath, 'judge', path], { logPath });
  let memoryKb = 0;
  let usedCpuUs = 0;
  await waitUntil(
    'the run is judged',
    () => {
      memoryKb = Math.max(memoryKb, peakMemoryKb(judging.pid));
      usedCpuUs = Math.max(usedCpuUs, cpuUs(judging.pid));
      return !judging.isRunning;
    },
    { withinMs: 300_000 },
  );
  const judgedAfterS = (performance.now() - startedAtMs) / 1000;
  const report = await readFile(join(path, 'report.json'), 'utf8').catch(() => '{}');
  const { prober } = JSON.parse(report) as { readonly prober?: { readonly dueCount: number } };
  const dueCount = prober?.dueCount ?? 0;
  if (Math.abs(dueCount - rowCount) > rowCount / 1000) {
    throw new Error(`the report is of ${dueCount} slots, not of ${rowCount}: ${judging.output()}`);
  }
  const pageMb = statSync(join(path, 'report.html')).size / 1e6;
  await rm(path, { recursive: true });
  return { kind, rowCount, fileMb, pageMb, judgedAfterS, cpuS: usedCpuUs / 1e6, peakMemoryMb: memoryKb / 1024 };
}
