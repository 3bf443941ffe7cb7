/**
 * One model, two bodies: every scenario that fits in half a minute comes to the same verdict and the same causes on real
 * sockets as in the simulator.
 */
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { causesOf } from '../../src/cli/rehearsal-story.ts';
import { nsToS } from '../../src/core/time.ts';
import { analyseFolder } from '../../src/run/run.ts';
import { judge } from '../../src/verdict/judge.ts';
import { play, readScenario, scenariosFolder } from '../scenarios/simulated.ts';
import { startProcess } from './servers/own-process.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';

const mainPath = join(import.meta.dirname, '../../src/cli/main.ts');
const secondsMax = 30;

const names = globSync('*.yaml', { cwd: scenariosFolder })
  .map((file) => basename(file, '.yaml'))
  .filter((name) => name !== 'founding-migration-full-scale' && readScenario(name).world !== null)
  .toSorted();
const played = await Promise.all(names.map(async (name) => ({ name, simulated: await play(name) })));
const fitting = played.filter(({ simulated }) => nsToS(simulated.analysis.endedAtNs) <= secondsMax);

test('most scenarios fit in half a minute', () => {
  expect(fitting.length).toBeGreaterThanOrEqual(14);
});

describe.concurrent('on real sockets', () => {
  test.for(fitting)('$name', async ({ name, simulated }, { expect: own }) => {
    await using folder = await makeTemporaryFolder();
    const path = join(folder.path, 'run');
    await using child = startProcess(process.execPath, [mainPath, 'rehearse', name, '--out', path], {
      logPath: join(folder.path, 'output.log'),
    });
    const { exitCode } = await child.ended;
    own(exitCode, child.output()).toBe(0);
    const analysis = analyseFolder(path);
    own({ verdict: judge(analysis).value, causes: causesOf(analysis) }).toEqual({
      verdict: simulated.verdict.value,
      causes: simulated.causes,
    });
  });
});
