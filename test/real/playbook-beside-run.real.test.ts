/**
 * The playbook beside a run, as on the evening of a cutover: a run that probes, `playbook --watch` in a second window, and
 * an operator at a real terminal who goes through the steps. What they say ends up in the report of the run.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ScenarioInput } from '../../src/scenario/input.ts';
import { readEvidence, readReport } from './cutwatch-run.ts';
import { describeReal } from './servers/describe-real.ts';
import { startProcess, type OwnProcess } from './servers/own-process.ts';
import { startPane, type Pane } from './servers/pane.ts';
import { waitUntil } from './servers/wait-until.ts';
import { startStage, type Stage } from './stage.ts';

const mainPath = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const ttlS = 3;

describeReal('the playbook beside a run', ['nginx', 'named', 'nsupdate', 'unbound', 'openssl', 'tmux'], () => {
  const stack = new AsyncDisposableStack();
  let stage: Stage;
  let line: (...words: readonly string[]) => string;

  beforeAll(async () => {
    stage = stack.use(await startStage({ orders: 'old' }, ttlS));
    // It asks on the terminal, as a command that wants a second look does.
    const switchNames = await stage.script('switch.sh', [
      'printf "really? "',
      'read word',
      '[ "$word" = yes ] || exit 7',
      ...stage.switchLines(['orders'], 'new'),
    ]);
    const scenario: ScenarioInput = {
      ...stage.scenario([stage.service('orders')], { ttlS, convergenceTimeoutS: 120 }),
      name: 'beside',
      playbook: [
        { title: 'Tell everybody', note: 'In #operations.' },
        { step: 'dns-switched', command: [switchNames] },
        'converged',
        'old-drained',
      ],
    };
    const path = join(stage.folder, 'beside.yaml');
    await writeFile(path, JSON.stringify(scenario));
    line = (command, ...words) => [process.execPath, mainPath, command, path, ...words].join(' ');
  }, 60_000);
  afterAll(() => stack.disposeAsync());

  function start(name: string, shellLine: string): OwnProcess {
    const words = ['-c', `cd ${stage.folder} && exec ${shellLine}`];
    return stack.use(startProcess('/bin/sh', words, { logPath: join(stage.folder, `${name}.log`) }));
  }

  function startOperator(shellLine: string): Promise<Pane> {
    return startPane({ folder: stage.folder, columns: 180, rows: 50, shellLine });
  }

  async function answer(terminal: Pane, text: string): Promise<void> {
    if (text !== '') await terminal.type(text);
    await terminal.press('Enter');
  }

  test('each step is in the report: by the watch as it changes, by the operator as it is taken', async () => {
    const watch = start('watch', line('playbook', '--watch'));
    const runPath = join(stage.folder, 'reports', 'beside');
    const run = start('run', line('run', '--out', runPath));
    const said = (): readonly string[] => {
      try {
        return readEvidence(runPath).entries.flatMap((entry) =>
          entry.type === 'step-checked' ? [`${entry.step} ${entry.result}${entry.isAccepted ? ' accepted' : ''}`] : [],
        );
      } catch {
        return [];
      }
    };
    // The watch was there first, and tells the run how things are.
    await waitUntil('the watch has told the run', () => said().includes('dns-switched fail'), { withinMs: 60_000 });

    await using terminal = await startOperator(line('playbook', '--step'));
    await terminal.sees(/Do it, then press Enter:/);
    await answer(terminal, '');
    await terminal.sees(/really\?/);
    await answer(terminal, 'yes');
    await terminal.sees(/type accept old-drained/);
    await answer(terminal, 'accept old-drained');
    const screen = await terminal.sees(/ended with \d/);
    expect(screen).toContain('✓ dns-switched');
    expect(screen).toContain('✓ converged');
    expect(screen).toContain('The playbook is done. Not known, and accepted: old-drained.');
    expect(screen).toContain('ended with 0');

    await waitUntil('the watch has seen it', () => watch.output().includes('converged: fail → pass'), {
      withinMs: 60_000,
    });
    expect(watch.output()).toMatch(/✓ step 2, dns-switched: fail → pass/);
    expect((await run.ended).exitCode).toBe(0);
    await watch.stop('SIGINT');
    expect((await watch.ended).exitCode).toBe(4);

    const report = readReport(runPath);
    const told = report.playbook.map(({ step, result, accepted }) => `${step} ${result}${accepted ? ' accepted' : ''}`);
    expect(told).toEqual(said());
    for (const one of [
      'dns-switched fail',
      'converged fail',
      'old-drained unknown',
      'tell-everybody not-applicable',
      'dns-switched pass',
      'converged pass',
      'old-drained unknown accepted',
    ]) {
      expect(told).toContain(one);
    }
    expect(report.playbook.find(({ step, result }) => step === 'dns-switched' && result === 'pass')).toMatchObject({
      check: 'dns-switched',
      observedAt: expect.stringMatching(/Z$/) as string,
      evidence: [expect.stringContaining('leads to nginx/EKS') as string],
    });
    // The mark of the switch itself is one, and results are none.
    expect(report.marks.map(({ text }) => text)).toContain('switch by the playbook');
    expect(report.marks.filter(({ text }) => /passed|failed|not known/.test(text))).toEqual([]);
    expect(report.services[0]?.changes[0]?.markedAt).not.toBeNull();
  }, 240_000);

  test('Ctrl-C at a question ends it, and says how to go on; a command that is refused stops it with 5', async () => {
    await stage.switch(['orders'], 'old');
    await using terminal = await startOperator(line('playbook', '--step'));
    await terminal.sees(/Do it, then press Enter:/);
    await terminal.press('C-c');
    expect(await terminal.sees(/ended with 4/)).toContain('To go on from here: --step --from tell-everybody');
    await terminal[Symbol.asyncDispose]();

    await using again = await startOperator(line('playbook', '--step', '--from', 'dns-switched'));
    await again.sees(/really\?/);
    await answer(again, 'no');
    expect(await again.sees(/ended with 5/)).toContain('the command of dns-switched ended with status 7');
  }, 120_000);
});
