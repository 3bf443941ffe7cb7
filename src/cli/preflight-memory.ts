/** The file in which preflights of a scenario remember what they saw. Written whole, and renamed into its place. */
import { mkdirSync, openSync, closeSync, fsyncSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { emptyMemory, memoryText, parseMemory, remember, type Memory, type Seen } from '../checks/memory.ts';

export interface MemoryFile {
  /** Adds what was seen to what the file has by now, and gives all of it. */
  remember(seen: readonly Seen[], nowMs: number): Memory;
}

/** Below reports/, beside the run folders. */
export function memoryPath(scenarioName: string): string {
  return join('reports', 'preflight', `${scenarioName}.json`);
}

/** `say`: why the file is not trusted or cannot be written, each once. A file that is not ours is left as it is. */
export function openMemory(path: string, scenarioName: string, say: (text: string) => void): MemoryFile {
  /** What the file had and was seen since, for when it cannot be read or written any more. */
  let own = emptyMemory(scenarioName);
  let isUnwritten = false;
  const said = new Set<string>();
  const complain = (text: string): void => {
    if (!said.has(text)) say(`${path} ${text}`);
    said.add(text);
  };

  return {
    remember(seen, nowMs) {
      own = seen.reduce(remember, own);
      const before = read(path, scenarioName, nowMs);
      if (typeof before === 'string') {
        complain(`${before}: it is not used, and what is seen now is not kept. Remove it to begin anew.`);
        return own;
      }
      if (!isUnwritten) own = seen.reduce(remember, before);
      const problem = write(path, memoryText(own));
      isUnwritten = problem !== null;
      if (isUnwritten) complain(`cannot be written (${problem}): what is seen now is not kept.`);
      return own;
    },
  };
}

function read(path: string, scenarioName: string, nowMs: number): Memory | string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? emptyMemory(scenarioName) : `cannot be read (${code})`;
  }
  return parseMemory(text, scenarioName, nowMs);
}

function write(path: string, text: string): string | null {
  const beside = `${path}.${process.pid}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const file = openSync(beside, 'w');
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
    return null;
  } catch (error) {
    rmSync(beside, { force: true });
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
