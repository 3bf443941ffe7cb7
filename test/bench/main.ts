/**
 * `npm run bench`: what cutwatch costs and how punctual it is, beside the tools that people know, on this machine.
 * Progress on standard error, Markdown on standard output. `--quick`: short and coarse. `--only kept|tls|judge|export|simulate`.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { missingPackages } from '../real/servers/installed.ts';
import { makeTemporaryFolder } from '../real/servers/temporary-folder.ts';
import { buildVegeta } from './build-vegeta.ts';
import { measure, type Measured } from './measure.ts';
import { measureExports } from './measure-export.ts';
import { measureJudge, type Judged } from './measure-judge.ts';
import { measureSimulation, type Simulated } from './measure-simulation.ts';
import { machineText } from './process-cost.ts';
import { startServer, type Server } from './server.ts';
import { exportTable, judgeTable, loadTable, simulationTable } from './table.ts';
import { findTools, type Load, type Tools } from './tools.ts';

const sections = ['kept', 'tls', 'judge', 'export', 'simulate'] as const;

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
});
const only = flags.only ?? sections;
for (const name of only) {
  if (!sections.some((section) => section === name)) {
    throw new Error(`--only ${name}: expected one of ${sections.join(', ')}`);
  }
}

const seconds = flags.quick ? 3 : 20;
const keptRates = flags.quick ? [100, 1000, 10_000] : [100, 1000, 5000, 10_000, 20_000];
const tlsRates = flags.quick ? [200] : [200, 500];
const recordedRowCount = flags.quick ? 1_000_000 : 10_000_000;

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function measureLoads(
  kind: 'kept' | 'tls',
  { tools, server, folder }: { readonly tools: Tools; readonly server: Server; readonly folder: string },
): Promise<void> {
  const rates = kind === 'kept' ? keptRates : tlsRates;
  const { paced, fastest } = tools;
  const plans = [
    ...rates.flatMap((ratePerSecond) => paced.map((tool) => ({ tool, ratePerSecond }))),
    ...(fastest === null ? [] : [{ tool: fastest, ratePerSecond: null }]),
  ];
  const rows: Measured[] = [];
  for (const [i, { tool, ratePerSecond }] of plans.entries()) {
    say(`${kind} ${i + 1} of ${plans.length}: ${tool.name} at ${ratePerSecond ?? 'full'} speed for ${seconds} s`);
    const load: Load = {
      url: urlOf(server, kind, tool.isPaced),
      caPath: server.caPath,
      ratePerSecond,
      connections: kind === 'kept' ? 'kept' : 'new',
      secondsMax: seconds + 30,
      folder: join(folder, `${kind}-${i}`),
    };
    rows.push(await measure(tool, load, server, seconds));
  }
  const title = kind === 'kept' ? 'Kept connections, plain HTTP' : 'A new TLS 1.3 connection for each probe';
  print(`### ${title}, ${seconds} s each`, loadTable(rows));
}

function urlOf(server: Server, kind: 'kept' | 'tls', isPaced: boolean): string {
  if (kind === 'kept') return isPaced ? server.url : server.quietUrl;
  return isPaced ? server.tlsUrl : server.tlsQuietUrl;
}

async function measureJudging(folder: string): Promise<void> {
  const rows: Judged[] = [];
  for (const kind of ['fast', 'cut-off', 'cutover'] as const) {
    say(`judge: ${recordedRowCount} rows, ${kind}`);
    rows.push(await measureJudge(kind, recordedRowCount, folder));
  }
  print('### `cutwatch judge` or `report`, from start to exit', judgeTable(rows));
}

async function measureExporting(folder: string): Promise<void> {
  say(`export: ${recordedRowCount} rows`);
  print('### `cutwatch export`, from start to exit', exportTable(await measureExports(recordedRowCount, folder)));
}

async function measureSimulating(folder: string): Promise<void> {
  const rows: Simulated[] = [];
  for (const seed of [1, 2, 3]) {
    say(`simulate: an hour, seed ${seed}`);
    rows.push(await measureSimulation(seed, folder));
  }
  print('### A run in virtual time, one after the other in one process', simulationTable(rows));
}

function print(...texts: readonly string[]): void {
  process.stdout.write(`${texts.join('\n\n')}\n\n`);
}

await using folder = await makeTemporaryFolder();
print(`Node ${process.versions.node}, ${machineText()} at the start.`);
if (only.includes('kept') || only.includes('tls')) {
  const missing = missingPackages().filter((name) => name === 'nginx' || name === 'openssl');
  if (missing.length > 0) {
    say(`nothing can be sent to: on Debian, apt-get install ${missing.join(' ')}`);
  } else {
    const tools = await findTools(await buildVegeta(say));
    for (const sentence of tools.missing) say(sentence);
    await using server = await startServer(folder.path);
    for (const kind of ['kept', 'tls'] as const) {
      if (only.includes(kind)) await measureLoads(kind, { tools, server, folder: folder.path });
    }
  }
}
if (only.includes('judge')) await measureJudging(folder.path);
if (only.includes('export')) await measureExporting(folder.path);
if (only.includes('simulate')) await measureSimulating(folder.path);
print(`At the end: ${machineText()}.`);
