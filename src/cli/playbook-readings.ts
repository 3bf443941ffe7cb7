/** The file of a scenario's playbook readings: lines are only ever added, each in one write, so that several may add at once. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isNews, parseReadings, readingLine, type Reading } from '../checks/playbook-readings.ts';
import type { ReadingsFile } from './playbook-look.ts';

/** Below reports/, beside the run folders. */
export function readingsPath(scenarioName: string): string {
  return join('reports', 'playbook', `${scenarioName}.ndjson`);
}

/** `say`: why it cannot be read or written, each once. What cannot be written is known until this ends. */
export function openReadings(path: string, scenarioName: string, say: (text: string) => void): ReadingsFile {
  const said = new Set<string>();
  const complain = (text: string): void => {
    if (!said.has(text)) say(`${path} ${text}`);
    said.add(text);
  };
  let unwritten: readonly Reading[] = [];

  function read(): readonly Reading[] {
    try {
      const { readings, badCount } = parseReadings(readFileSync(path, 'utf8'), scenarioName);
      if (badCount > 0) complain(`has lines that are torn or of something else (${badCount}): they are not used.`);
      return readings;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') complain(`cannot be read (${codeOf(error)}): earlier readings are not known.`);
      return [];
    }
  }

  return {
    add(reading) {
      const before = [...read(), ...unwritten].filter(({ atMs }) => atMs <= reading.atMs);
      if (!isNews(before.at(-1), reading)) return [...before, reading];
      const lines = [...unwritten, reading].map((one) => readingLine(scenarioName, one)).join('');
      try {
        mkdirSync(dirname(path), { recursive: true });
        // After a torn line a new one begins.
        writeFileSync(path, isTorn(path) ? `\n${lines}` : lines, { flag: 'a', flush: true });
        unwritten = [];
      } catch (error) {
        complain(
          `cannot be written (${codeOf(error)}): what is seen now is lost when this ends. Name another with --state.`,
        );
        unwritten = [...unwritten, reading];
      }
      return [...before, reading];
    },
  };
}

function isTorn(path: string): boolean {
  try {
    const text = readFileSync(path, 'utf8');
    return text !== '' && !text.endsWith('\n');
  } catch {
    return false;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
