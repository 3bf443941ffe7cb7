/** The live view in a real terminal (tmux): what stands on it, the keys, and that it is given back however a run ends. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll, test } from 'vitest';
import { columnsOf } from '../../src/report/text-width.ts';
import { describeReal } from './servers/describe-real.ts';
import { startPane, type Pane } from './servers/pane.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';
import { waitUntil } from './servers/wait-until.ts';

const mainPath = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const program = `${process.execPath} ${mainPath}`;

describeReal('the live view', ['tmux'], () => {
  const stack = new AsyncDisposableStack();
  let server: Server;
  beforeAll(async () => {
    server = createServer((_request, response) => response.end('ok'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    await stack.disposeAsync();
    server.close();
    server.closeAllConnections();
  });

  interface Watched {
    readonly pane: Pane;
    /** The run folder. */
    readonly run: string;
  }

  interface Given {
    readonly columns?: number;
    readonly rows?: number;
    readonly env?: Readonly<Record<string, string>>;
    /** Files beside the run, by name. */
    readonly files?: Readonly<Record<string, string>>;
    readonly after?: string;
  }

  /** Files that were given are named by themselves: the terminal is in their folder. */
  async function start(
    words: string,
    { columns = 80, rows = 24, env = {}, files = {}, after = '' }: Given = {},
  ): Promise<Watched> {
    const { path: folder } = stack.use(await makeTemporaryFolder());
    const run = join(folder, 'run');
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o755 });
    const shellLine = `${program} ${words.replace('OUT', `--out ${run}`)} ${after}`;
    return { pane: stack.use(await startPane({ folder, columns, rows, env, shellLine })), run };
  }

  /** As it was before: the normal screen, the cursor, lines that are typed and echoed. */
  async function isGivenBack(pane: Pane): Promise<boolean> {
    const facts = await pane.fact('#{alternate_on} #{cursor_flag} #{bracket_paste_flag}');
    const text = await pane.screen({ hasHistory: true });
    return facts.startsWith('0 1') && / icanon /.test(text) && / echo /.test(text);
  }

  /** The last below the shell. */
  async function pidOf(pane: Pane): Promise<number> {
    let pid = await pane.fact('#{pane_pid}');
    for (;;) {
      const [child = ''] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ');
      if (child === '') return Number(pid);
      pid = child;
    }
  }

  test.concurrent('takes marks and filters, fits any size, and ends with the report on Ctrl-C', async ({ expect }) => {
    const { pane, run } = await start('rehearse founding-migration OUT');
    await pane.sees(/▸ orders +o/);
    expect(await pane.screen({ isStyled: true })).toContain('[48;5;60mo');
    expect(await pane.fact('#{alternate_on} #{cursor_flag}')).toBe('1 0');

    // What was typed before the view stood is not for it, and it takes a moment to be sure.
    await sleepMs(500);
    await pane.type('mcron jobs off, 漢');
    await pane.sees(/^mark: cron jobs off, 漢 *$/m);
    expect(await pane.fact('#{cursor_flag} #{cursor_y}')).toBe('1 23');
    await pane.press('Enter');
    await pane.sees(/news.* mark: cron jobs off, 漢/);
    expect(await readFile(join(run, 'marks.ndjson'), 'utf8')).toContain('"text":"cron jobs off, 漢"');
    await pane.sees(/^marked "cron jobs off, 漢": a note/m);

    await pane.type('/billing fre');
    await pane.press('Enter');
    const filtered = await pane.sees(/filter: billing fre/);
    expect(filtered).toMatch(/^▸ billing/m);
    expect(filtered).not.toMatch(/orders {2}|keep-alive/);
    await pane.press('Escape');
    await pane.sees(/^▸ orders/m);

    for (const [columns, rows] of [
      [60, 15],
      [37, 9],
      [132, 40],
    ] as const) {
      await pane.resize(columns, rows);
      const isRedrawn = async (): Promise<boolean> => {
        const lines = (await pane.screen()).split('\n');
        return (
          lines.slice(0, rows).every((line) => columnsOf(line) <= columns) && /help +q stop/.test(lines[rows - 1] ?? '')
        );
      };
      await waitUntil(`it is drawn on ${columns} × ${rows}`, isRedrawn, { everyMs: 100 });
    }
    await pane.type('?');
    await pane.sees(/answered by nginx\/EKS/);
    await pane.type('x');
    await pane.type('q');
    await pane.sees(/Stop the watch, judge and report\?/);
    await pane.type('n');
    await pane.sees(/help +q stop/);
    await pane.press('C-c');
    const end = await pane.sees(/ended with \d+/);
    await waitUntil('it is given back', () => isGivenBack(pane));
    // The normal screen has all that was said, and no frame.
    expect(end).toMatch(/^ *before *$/m);
    expect(end).toMatch(/^stopping: probes under way/m);
    expect(end).toMatch(/^ {2}report .*report\.html$/m);
    expect(end).not.toMatch(/help +q stop/);
  });

  test.concurrent('has no colour with NO_COLOR, no other character with --ascii, and needs no keyboard', async ({
    expect,
  }) => {
    const { pane } = await start('rehearse clean-cutover OUT --ascii', {
      env: { NO_COLOR: '1' },
      after: '< /dev/null',
    });
    await pane.sees(/^> \S+ +o+ /m);
    const styled = await pane.screen({ isStyled: true });
    expect(styled).toMatch(/^[\n -~]*$/);
    expect(styled).toContain('Ctrl-C stops the watch, judges and reports');
    process.kill(await pidOf(pane), 'SIGTERM');
    await pane.sees(/Stopping: probes under way|ended with/);
    await pane.sees(/ended with \d+/);
    await waitUntil('it is given back', () => isGivenBack(pane));
  });

  test.concurrent('steps aside for the wrapped command, and comes back', async ({ expect }) => {
    const { port } = server.address() as AddressInfo;
    const scenario = {
      name: 'aside',
      services: [{ name: 'orders', url: `http://localhost:${port}/ready`, resolvers: ['system'] }],
      sides: { old: { addresses: ['127.0.0.1'] }, new: { addresses: ['127.0.0.2'] } },
      authorities: 'none',
      resolvers: [{ name: 'system' }],
      clients: ['fresh'],
      change: { via: 'dns', baselineS: 6, waitS: 4, tailS: 2 },
    };
    const script = '#!/bin/sh\nfor i in 1 2 3 4; do echo "switching part $i"; sleep 1; done\n';
    const { pane } = await start('run scenario.yaml OUT -- ./switch.sh', {
      files: { 'scenario.yaml': JSON.stringify(scenario), 'switch.sh': script },
    });
    await pane.sees(/▸ orders +o/);
    const aside = await pane.sees(/switching part 2/);
    expect(aside).toMatch(/^starting switch\.sh\nswitching part 1\n/m);
    expect(await pane.fact('#{alternate_on} #{cursor_flag}')).toBe('0 1');
    await pane.sees(/switch\.sh ended: exit status 0/);
    expect(await pane.fact('#{alternate_on}')).toBe('1');
    const end = await pane.sees(/ended with 4/);
    expect(end.match(/^switching part \d$/gm)).toEqual([1, 2, 3, 4].map((i) => `switching part ${i}`));
    await waitUntil('it is given back', () => isGivenBack(pane));
  });

  test.concurrent('is given back before an error that nobody caught is printed', async ({ expect }) => {
    const options = `--import=data:text/javascript,${encodeURIComponent(boom)}`;
    const { pane } = await start('rehearse founding-migration OUT', { env: { NODE_OPTIONS: options } });
    await pane.sees(/▸ orders/);
    const end = await pane.sees(/ended with [1-9]/);
    expect(end).toContain('Error: nobody expected this');
    expect(end).toMatch(/^before *$/m);
    await waitUntil('it is given back', () => isGivenBack(pane));
  });

  test.concurrent('is none with --plain: one line, on the normal screen', async ({ expect }) => {
    const { pane } = await start('rehearse clean-cutover OUT --plain', { columns: 132, rows: 40 });
    await pane.sees(/^00:0\d baseline · \d+ of \d+ lanes qualified/m);
    expect(await pane.fact('#{alternate_on} #{cursor_flag}')).toBe('0 1');
    await pane.press('C-c');
    expect(await pane.sees(/ended with \d+/)).toMatch(/^stopping: probes under way/m);
  });
});

/** In the main thread only, once the view stands. */
const boom = `
import { isMainThread } from 'node:worker_threads';
if (isMainThread) setTimeout(() => { throw new Error('nobody expected this'); }, 9000).unref();
`;
