/** `judge` and `report`: the same evidence, analysed again. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { userError } from '../core/errors.ts';
import { reasonOf } from '../evidence/append-file.ts';
import { drawFolder } from '../run/run.ts';
import { parseObjectives } from '../scenario/parse.ts';
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
    return finish(drawFolder(path), { path, writeReport: (name, text) => write(join(path, name), text), json });
  }
  const objectives = parseObjectives(readText(file, 'objectives file'), { file, env: process.env });
  return finish(drawFolder(path), { path, writeReport: null, json, other: { objectives, file } });
}

function write(path: string, text: string): string | null {
  try {
    writeFileSync(path, text);
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

export function reportCommand(path: string, flags: { readonly format?: string | undefined }): number {
  if (flags.format === undefined) return judgeCommand(path, {});
  const format = formats.find((one) => one === flags.format);
  if (format === undefined) {
    throw userError('--format', `found "${flags.format}", expected one of ${formats.join(', ')}`);
  }
  process.stdout.write(renderAs(format, snapshotOf(drawFolder(path))));
  return 0;
}
