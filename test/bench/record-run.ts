/**
 * Writes a run folder as a run of many hours would leave it, without the hours: `node record-run.ts <folder> <kind> <rows>`.
 * `fast`: ended in order, so that its rows were rewritten in big batches. `cut-off`: at 100 rows a second, 25 rows to a
 * batch, and killed. A process of its own, since only the end of a process leaves a log without an end.
 */
import { presets } from '../../src/clients/presets.ts';
import { checkBits, outcomeNumber } from '../../src/core/outcome.ts';
import { type Definition, newColumns, type RowColumns } from '../../src/core/row.ts';
import { dueAtNs } from '../../src/core/schedule.ts';
import type { Lane } from '../../src/core/scenario.ts';
import { nsPerMs, nsPerUs } from '../../src/core/time.ts';
import { createRunFolder } from '../../src/evidence/run-folder.ts';
import { lanesOf } from '../../src/scenario/lanes.ts';
import { parseScenario } from '../../src/scenario/parse.ts';
import { newDraw, runStarted } from './recorded.ts';

const [path = '', kind = '', rowCountText = ''] = process.argv.slice(2);
const rowCount = Number(rowCountText);
const isCutOff = kind === 'cut-off';
const batchRows = isCutOff ? 25 : 65_536;

const serviceCount = 10;
const ratePerSecond = isCutOff ? 5 : 500;
const scenario = parseScenario(
  [
    'name: recorded',
    `defaults: { ratePerSecond: ${ratePerSecond} }`,
    'services:',
    ...Array.from({ length: serviceCount }, (_, i) => `  - { name: service-${i}, url: "http://service-${i}.test/" }`),
    'clients: [fresh, keep-alive]',
    'authorities: none',
    'resolvers: [{ name: recursive, address: 127.0.0.1 }]',
    'sides: { old: { addresses: [127.0.1.0/24] }, new: { addresses: [127.0.2.0/24] } }',
  ].join('\n'),
  { file: 'recorded', env: {}, presets, readFile: () => '' },
);
const lanes = lanesOf(scenario, { old: [], new: [] });
const slotCount = Math.ceil(rowCount / lanes.length);
const changeSlot = Math.floor(slotCount / 2);

const face = { certificateSha256: '', alpn: '', tlsVersion: '', unexpectedBody: '' };
const definitions: readonly Definition[] = [
  { kind: 'address', number: 2, value: '127.0.1.1' },
  { kind: 'address', number: 3, value: '127.0.2.1' },
  { kind: 'face', number: 2, value: { ...face, headers: [['server', 'nginx/1.22.1']] } },
  { kind: 'face', number: 3, value: { ...face, headers: [['server', 'nginx/1.25.3']] } },
  { kind: 'error', number: 2, value: 'ECONNREFUSED' },
];
const right = checkBits.statusRight | checkBits.headerRight | checkBits.framingComplete;

const writer = createRunFolder(path);
writer.entry(runStarted(scenario, lanes));
const changedAtNs = dueAtNs(lanes[0] as Lane, changeSlot);
writer.entry({ type: 'marked', atNs: changedAtNs, text: 'switch' });

const random = newDraw();

function fill(columns: RowColumns, i: number, lane: Lane, slot: number): void {
  const isKept = lane.client === 'keep-alive';
  // Who keeps a connection stays on the old side a while; each lane is down for its first moments on the new one.
  const sideSlot = isKept ? changeSlot + 40 : changeSlot;
  const isNew = slot >= sideSlot;
  const isDown = (isNew && slot < sideSlot + 7) || random(10_007) === 0;
  columns.lane[i] = lane.number;
  columns.slot[i] = slot;
  columns.lateUs[i] = 20 + random(900);
  columns.connectedUs[i] = isKept ? 0 : 60 + random(300);
  columns.firstByteUs[i] = isDown ? 0 : 400 + random(4000);
  columns.endedUs[i] = 420 + random(5000);
  columns.outcome[i] = isDown ? outcomeNumber['connect-refused'] : outcomeNumber.answered;
  columns.status[i] = isDown ? 0 : 200;
  columns.error[i] = isDown ? 2 : 0;
  columns.checks[i] = isDown ? 0 : right;
  columns.bodyBytes[i] = isDown ? 0 : 3;
  columns.address[i] = isNew ? 3 : 2;
  columns.localPort[i] = 32_768 + random(28_000);
  columns.face[i] = isDown ? 0 : isNew ? 3 : 2;
  columns.connectionAgeMs[i] = isKept ? 1 + random(60_000) : 0;
}

for (let from = 0; from < rowCount; from += batchRows) {
  const count = Math.min(batchRows, rowCount - from);
  const columns = newColumns(count);
  for (let i = 0; i < count; i += 1) {
    const lane = lanes[(from + i) % lanes.length] as Lane;
    fill(columns, i, lane, Math.floor((from + i) / lanes.length));
  }
  const lastSlot = Math.floor((from + count) / lanes.length) - 1;
  const atNs = Math.max(0, dueAtNs(lanes.at(-1) as Lane, lastSlot) + 10 * nsPerMs);
  writer.batch({ rowCount: count, columns, definitions: from === 0 ? definitions : [], worker: 0, atNs });
}

if (!isCutOff) {
  const probedUntilNs = dueAtNs(lanes.at(-1) as Lane, slotCount - 1) + nsPerUs;
  writer.entry({
    type: 'run-ended',
    atNs: probedUntilNs + 20 * nsPerMs,
    why: 'interrupted',
    probedUntilNs,
    rowCount,
    definitionOverCapCount: 0,
  });
  writer.close();
}
if (writer.failure !== null) throw new Error(writer.failure);
