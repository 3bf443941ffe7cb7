/**
 * The file in which preflights of a scenario remember what they saw. Written whole and renamed into its place, so that a
 * crash at any instant leaves the old one or the new one; a lock beside it lets two preflights at once take turns. What
 * could not be written is written with the next look that can.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { emptyMemory, memoryText, parseMemory, remember, type Memory, type Seen } from '../checks/memory.ts';

export interface MemoryFile {
  /** Adds what was seen to what the file has by now, and gives all of it. */
  remember(seen: readonly Seen[], nowMs: number): Memory;
}

/** Writing takes milliseconds: whoever has held the lock for so long is gone. */
const lockStaleMs = 5000;
const lockPatienceMs = 1000;
const lockPollMs = 20;

/** Below reports/, beside the run folders. */
export function memoryPath(scenarioName: string): string {
  return join('reports', 'preflight', `${scenarioName}.json`);
}

/** `say`: why the file is not trusted or cannot be written, each once. A file that is not ours is left as it is. */
export function openMemory(path: string, scenarioName: string, say: (text: string) => void): MemoryFile {
  let known = emptyMemory(scenarioName);
  let unwritten: readonly Seen[] = [];
  const said = new Set<string>();
  const complain = (text: string): void => {
    if (!said.has(text)) say(`${path} ${text}`);
    said.add(text);
  };

  return {
    remember(seen, nowMs) {
      known = seen.reduce(remember, known);
      unwritten = withoutRepeats([...unwritten, ...seen]);
      const refresh = (): string | null => {
        const before = read(path, scenarioName, nowMs);
        if (typeof before === 'string') return `${before}: it is not used, and ${lostText}`;
        known = unwritten.reduce(remember, before);
        return null;
      };
      const lock = takeLock(path);
      // Where nothing can be written, what earlier looks saw can be read all the same.
      const problem = refresh() ?? lock.problem ?? write(path, memoryText(known));
      lock.release();
      if (problem !== null) {
        complain(problem);
        return known;
      }
      unwritten = [];
      if (said.size > 0) say(`${path} is written again, with what was seen meanwhile.`);
      said.clear();
      return known;
    },
  };
}

/** Of looks that saw the same, the first and the last say all: for hours without a disk they stay few. */
function withoutRepeats(looks: readonly Seen[]): readonly Seen[] {
  // While a resolver counts down, what it shows ends at one instant.
  const endOf = (atMs: number, ttlS: number): number => Math.round((atMs / 1000 + ttlS) / 4);
  const whatOf = ({ servers, resolvers = [] }: Seen): string =>
    JSON.stringify([
      servers,
      resolvers.map(({ server, atMs, sets }) => [
        server,
        sets.map((set) => [set.name, set.type, endOf(atMs, set.ttlS)]),
      ]),
    ]);
  return [...Map.groupBy(looks, ({ hostname }) => hostname).values()].flatMap((of) =>
    of.filter((look, i) => {
      const [before, after] = [of[i - 1], of[i + 1]];
      if (before === undefined || after === undefined) return true;
      return whatOf(before) !== whatOf(look) || whatOf(after) !== whatOf(look);
    }),
  );
}

function read(path: string, scenarioName: string, nowMs: number): Memory | string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = codeOf(error);
    return code === 'ENOENT' ? emptyMemory(scenarioName) : `cannot be read (${reasonText(code)})`;
  }
  return parseMemory(text, scenarioName, nowMs);
}

/** null: it is written. */
function write(path: string, text: string): string | null {
  const beside = `${path}.new`;
  try {
    const file = openSync(beside, 'w');
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
    return null;
  } catch (error) {
    remove(beside);
    return unwrittenText(error);
  }
}

interface Lock {
  /** Why it could not be had; null: it is held. */
  readonly problem: string | null;
  release(): void;
}

/** So that nobody writes between our reading and our writing. */
function takeLock(path: string): Lock {
  const lock = `${path}.lock`;
  const refused = (problem: string): Lock => ({ problem, release: () => {} });
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    return refused(unwrittenText(error));
  }
  const untilMs = performance.now() + lockPatienceMs;
  do {
    try {
      closeSync(openSync(lock, 'wx'));
      return { problem: null, release: () => remove(lock) };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') return refused(unwrittenText(error));
    }
    if (isStale(lock)) remove(lock);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lockPollMs);
  } while (performance.now() < untilMs);
  return refused(`is being written by another preflight (${lock}): what is seen now is written when that is gone.`);
}

function isStale(lock: string): boolean {
  try {
    return Date.now() - statSync(lock).mtimeMs > lockStaleMs;
  } catch {
    // It is free by now.
    return false;
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // A folder that became read-only meanwhile: the next one finds it stale.
  }
}

const lostText = 'what is seen now is lost when this ends. Mend it, or name another file with --memory.';

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'a part of its path is no folder',
  ENOTDIR: 'a part of its path is no folder',
  EISDIR: 'it is a folder',
};

function unwrittenText(error: unknown): string {
  return `cannot be written (${reasonText(codeOf(error))}): ${lostText}`;
}

function reasonText(code: string): string {
  const reason = reasons[code];
  return reason === undefined ? code : `${reason}, ${code}`;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
