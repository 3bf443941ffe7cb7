/**
 * Writes a run folder as the cutover of fourteen services leaves it after two hours: `node record-cutover.ts <folder>
 * <rows>`. Of each service twenty lanes. After an hour the names are switched; resolvers and clients follow within three
 * minutes, some never; the old side stops sooner. The new side is deployed every ten minutes, and answers 503 meanwhile.
 */
import { presets } from '../../src/clients/presets.ts';
import type { Entry } from '../../src/core/entry.ts';
import { checkBits, outcomeNumber } from '../../src/core/outcome.ts';
import { type Definition, newColumns, type RowColumns } from '../../src/core/row.ts';
import type { Lane } from '../../src/core/scenario.ts';
import { dueAtNs } from '../../src/core/schedule.ts';
import { msToNs, nsToS, sToNs } from '../../src/core/time.ts';
import { createRunFolder } from '../../src/evidence/run-folder.ts';
import { lanesOf } from '../../src/scenario/lanes.ts';
import { parseScenario } from '../../src/scenario/parse.ts';
import { newDraw, runStarted } from './recorded.ts';

const [path = '', rowCountText = ''] = process.argv.slice(2);
const rowCount = Number(rowCountText);
const batchRows = 65_536;

const services = Array.from({ length: 14 }, (_, i) => `service-${i}`);
const resolvers = ['office', 'vpc', 'public', 'mobile'];
const clients = ['keep-alive', 'ttl-honest', 'go-busy', 'node-default', 'undici-dns', 'dotnet-factory'].concat([
  'jvm-30',
  'jvm-forever',
  'chrome',
  'firefox',
  'envoy-dns',
  'nginx-static',
]);
const stayers = ['jvm-forever', 'nginx-static'];
const addresses = ['127.0.1.1', '127.0.1.2', '127.0.2.1', '127.0.2.2'];
const nameServers = ['127.0.3.1:53', '127.0.3.2:53'];
const [lengthS, changeS, oldStopsS, ttlS] = [7200, 3600, 3690, 60];
const [deployEveryS, deployS] = [600, 20];
const [oldSide, newSide] = [0, 1] as const;

const laneCount = services.length * (resolvers.length + clients.length + addresses.length);
const scenario = parseScenario(
  [
    'name: recorded-cutover',
    `defaults: { ratePerSecond: ${rowCount / laneCount / lengthS} }`,
    'services:',
    ...services.map((name) => `  - { name: ${name}, url: "http://${name}.test/" }`),
    `clients: [fresh, ${clients.join(', ')}]`,
    'authorities: none',
    `resolvers: [${resolvers.map((name, i) => `{ name: ${name}, address: 127.0.4.${i + 1} }`).join(', ')}]`,
    `sides: { old: { addresses: [${addresses.slice(0, 2).join()}] }, new: { addresses: [${addresses.slice(2).join()}] } }`,
    `change: { ttlS: ${ttlS} }`,
  ].join('\n'),
  { file: 'recorded-cutover', env: {}, presets, readFile: () => '' },
);
const lanes = lanesOf(scenario, { old: [], new: [] });
if (lanes.length !== laneCount) throw new Error(`${lanes.length} lanes, not ${laneCount}`);
const laneFacts = lanes.map(({ service, client, resolver, address, role }, number) => ({
  service: services.indexOf(service),
  resolver: resolvers.indexOf(resolver?.name ?? ''),
  isFresh: client === 'fresh',
  isSide: role === 'side',
  address: addresses.indexOf(address ?? ''),
  leavesS: stayers.includes(client) ? Infinity : changeS + 11 + ((number * 37) % 173),
}));

const answerNumber = (service: number, resolver: number, side: number): number =>
  2 + (service * resolvers.length + resolver) * 2 + side;
const face = { certificateSha256: '', alpn: '', tlsVersion: '', unexpectedBody: '' };
const definitions: readonly Definition[] = [
  ...addresses.map((value, i): Definition => ({ kind: 'address', number: 2 + i, value })),
  { kind: 'face', number: 2, value: { ...face, headers: [['server', 'nginx/1.22.1']] } },
  { kind: 'face', number: 3, value: { ...face, headers: [['server', 'nginx/1.25.3']] } },
  { kind: 'error', number: 2, value: 'ECONNREFUSED' },
  ...services.flatMap((name, service) =>
    resolvers.flatMap((server, resolver) =>
      [oldSide, newSide].map((side): Definition => ({
        kind: 'answer',
        number: answerNumber(service, resolver, side),
        value: { server, name: `${name}.test`, ...answerOf(side) },
      })),
    ),
  ),
];

function answerOf(side: number): {
  rcode: string;
  ede: number;
  authoritative: boolean;
  chain: string[];
  addresses: string[];
} {
  return {
    rcode: 'NOERROR',
    ede: 0,
    authoritative: false,
    chain: [],
    addresses: addresses.slice(side * 2, side * 2 + 2),
  };
}

const random = newDraw();
const right = checkBits.statusRight | checkBits.headerRight | checkBits.framingComplete;

function fill(columns: RowColumns, i: number, lane: Lane, slot: number): void {
  const facts = laneFacts[lane.number] as (typeof laneFacts)[number];
  const atS = nsToS(dueAtNs(lane, slot));
  const side = facts.isSide ? Math.floor(facts.address / 2) : atS >= facts.leavesS ? newSide : oldSide;
  const isRefused = (side === oldSide && atS >= oldStopsS) || random(10_007) === 0;
  const isDeployed = side === newSide && atS >= changeS && atS % deployEveryS < deployS;
  const is503 = !isRefused && isDeployed && random(4) === 0;
  const isKept = !facts.isFresh && !facts.isSide;
  // One question a second is shared by the slots of it.
  const sharedMs = Math.round((atS % 1) * 1000);
  const asks = facts.isFresh && sharedMs < 1000 / lane.ratePerSecond;
  columns.lane[i] = lane.number;
  columns.slot[i] = slot;
  columns.lateUs[i] = 20 + random(900);
  columns.resolvedUs[i] = asks ? 300 + random(900) : 0;
  columns.connectedUs[i] = isKept ? 0 : 1500 + random(300);
  columns.firstByteUs[i] = isRefused ? 0 : 9000 + random(40_000);
  columns.endedUs[i] = isRefused ? 1800 : 9000 + random(45_000) + (random(97) === 0 ? random(300_000) : 0);
  columns.outcome[i] = isRefused ? outcomeNumber['connect-refused'] : outcomeNumber.answered;
  columns.status[i] = isRefused ? 0 : is503 ? 503 : 200;
  columns.error[i] = isRefused ? 2 : 0;
  columns.checks[i] = isRefused ? 0 : is503 ? right & ~checkBits.statusRight : right;
  columns.bodyBytes[i] = isRefused ? 0 : 3;
  columns.address[i] = 2 + (facts.isSide ? facts.address : side * 2 + random(2));
  columns.localPort[i] = 32_768 + random(28_000);
  columns.face[i] = isRefused ? 0 : 2 + side;
  columns.connectionAgeMs[i] = isKept ? 1 + random(60_000) : 0;
  if (facts.isSide) return;
  columns.answer[i] = answerNumber(facts.service, facts.resolver, side);
  columns.answerTtlS[i] = facts.isFresh ? ttlS - (Math.floor(atS) % ttlS) : ttlS;
  columns.answerAgeMs[i] = asks ? 0 : facts.isFresh ? sharedMs : 2000 + random(58_000);
}

/** Asked every second; told every 10 s, and at the change. */
function dnsAnswered(server: string, name: string, atS: number): Entry {
  const endedAtNs = sToNs(atS) + msToNs(2);
  const reply = { kind: 'answered', answers: [], authority: [], ttlS, sentAtNs: sToNs(atS), endedAtNs } as const;
  return {
    type: 'dns-answered',
    atNs: endedAtNs,
    watch: 'authority',
    server,
    name: `${name}.test`,
    question: 'A',
    side: null,
    reply: { ...answerOf(atS < changeS ? oldSide : newSide), ...reply, authoritative: true },
    previousSentAtNs: atS === 0 ? null : sToNs(atS - 1),
    sameCount: atS === 0 ? 0 : 9,
  };
}

const writer = createRunFolder(path);
writer.entry(runStarted(scenario, lanes));
writer.entry({ type: 'marked', atNs: sToNs(changeS), text: 'switch' });
for (let atS = 0; atS < lengthS; atS += 10) {
  for (const server of nameServers) for (const name of services) writer.entry(dnsAnswered(server, name, atS));
}
for (let from = 0; from < rowCount; from += batchRows) {
  const count = Math.min(batchRows, rowCount - from);
  const columns = newColumns(count);
  for (let i = 0; i < count; i += 1) {
    fill(columns, i, lanes[(from + i) % lanes.length] as Lane, Math.floor((from + i) / lanes.length));
  }
  const atNs = dueAtNs(lanes.at(-1) as Lane, Math.floor((from + count) / lanes.length));
  writer.batch({ rowCount: count, columns, definitions: from === 0 ? definitions : [], worker: 0, atNs });
}
writer.entry({
  type: 'run-ended',
  atNs: sToNs(lengthS) + msToNs(20),
  why: 'tail-watched',
  probedUntilNs: sToNs(lengthS),
  rowCount,
  definitionOverCapCount: 0,
});
writer.close();
if (writer.failure !== null) throw new Error(writer.failure);
