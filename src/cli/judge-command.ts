/** `judge` and `report`: the same evidence, analysed again. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Drawn } from '../analysis/fold.ts';
import { userError } from '../core/errors.ts';
import { reasonOf } from '../evidence/append-file.ts';
import { drawFolder } from '../run/run.ts';
import { parseObjectives } from '../scenario/parse.ts';
import { judge } from '../verdict/judge.ts';
import { tellCi } from './ci-system.ts';
import { readText } from './load-scenario.ts';
import { finish, formats, renderAs, snapshotOf } from './write-reports.ts';

export interface JudgeFlags {
  readonly objectives?: string | undefined;
  readonly json?: boolean | undefined;
  /** Files, folders or patterns. */
  readonly albLog?: readonly string[] | undefined;
}

/** Access logs become evidence of the run: whatever is asked of it from then on knows them. */
export async function judgeWithLogs(path: string, flags: JudgeFlags): Promise<number> {
  if (flags.albLog !== undefined) {
    const { addAlbLogs } = await import('./alb-logs.ts');
    await addAlbLogs(path, flags.albLog, (text) => process.stderr.write(`${text}\n`));
  }
  return judgeCommand(path, flags);
}

/** By limits other than its own a run is judged for the reader only: its report stays what the run said. */
export function judgeCommand(path: string, { objectives: file, json = false }: JudgeFlags): number {
  if (file === undefined) {
    const drawn = drawAgain(path);
    const { exitCode, isWritten } = finishAgain(path, drawn, json);
    tellCi(() => snapshotOf(drawn).report, { exitCode, runPath: path, isWritten });
    return exitCode;
  }
  const objectives = parseObjectives(readText(file, 'objectives file'), { file, env: process.env });
  const drawn = drawAgain(path);
  const exitCode = finish(drawn, { path, writeReport: null, json, other: { objectives, file } });
  const verdict = judge(drawn.analysis, objectives);
  tellCi(() => snapshotOf(drawn, verdict).report, { exitCode, runPath: path, isWritten: false });
  return exitCode;
}

/**
 * Nearly all that an analysis allocates is dead at once. V8 would make room for it, 100 MB of ten million rows; without,
 * it takes a tenth more of time. Nothing is probed meanwhile that would wait.
 */
function drawAgain(path: string): Drawn {
  setFlagsFromString('--semi-space-growth-factor=1');
  return drawFolder(path);
}

function finishAgain(path: string, drawn: Drawn, json: boolean): { exitCode: number; isWritten: boolean } {
  let isWritten = true;
  const writeReport = (name: string, text: string): string | null => {
    const reason = write(join(path, name), text);
    isWritten &&= reason === null;
    return reason;
  };
  const exitCode = finish(drawn, { path, writeReport, json });
  return { exitCode, isWritten };
}

/** The report of before stands until the new one is whole. */
function write(path: string, text: string): string | null {
  const newPath = `${path}.new`;
  try {
    writeFileSync(newPath, text, { flush: true });
    renameSync(newPath, path);
    return null;
  } catch (error) {
    rmSync(newPath, { force: true, recursive: true });
    return reasonOf(error);
  }
}

export function reportCommand(path: string, flags: { readonly format?: string | undefined }): number {
  if (flags.format === undefined) return finishAgain(path, drawAgain(path), false).exitCode;
  const format = formats.find((one) => one === flags.format);
  if (format === undefined) {
    throw userError('--format', `found "${flags.format}", expected one of ${formats.join(', ')}`);
  }
  process.stdout.write(renderAs(format, snapshotOf(drawAgain(path))));
  return 0;
}
