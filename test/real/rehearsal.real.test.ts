/**
 * Conformance of the lab and the simulator: every scenario that ships and that fits in half a minute comes to the same
 * verdict on real sockets as in virtual time, and by the causes that it says, if it says any (exit status 0). Needs no
 * servers but our own, only time.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { leastS } from '../../src/cli/rehearsal-story.ts';
import { play, readScenario, scenariosFolder } from '../scenarios/simulated.ts';
import { readReport } from './cutwatch-run.ts';
import { startProcess } from './servers/own-process.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';

const mainPath = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const names = readdirSync(scenariosFolder)
  .map((file) => file.replace('.yaml', ''))
  .filter((name) => {
    const { scenario, world } = readScenario(name);
    return world !== null && leastS(scenario, world) <= 30;
  });

test('there are scenarios that fit', () => {
  expect(names.length).toBeGreaterThan(12);
});

// Up to five at once (vitest's maxConcurrency), each with a lab of its own.
describe.concurrent('on sockets as in virtual time', () => {
  test.for(names)('%s', async (name, { expect: expectHere }) => {
    const simulated = await play(name);
    await using folder = await makeTemporaryFolder();
    const path = join(folder.path, 'run');
    const words = [mainPath, 'rehearse', name, '--out', path];
    await using lab = startProcess(process.execPath, words, { logPath: join(folder.path, 'output.log') });
    const { exitCode } = await lab.ended;
    expectHere(exitCode, lab.output()).toBe(0);
    expectHere(readReport(path).verdict.value).toBe(simulated.verdict.value);
  });
});
