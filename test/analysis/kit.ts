/**
 * Logs in one string a lane, one slot a character, turned into the entries and batches that a run would have written.
 *
 * `.` good · failed: `x` connection refused, `5` 503 of the app, `r` reset, `d` dns-timed-out, `c` certificate, `b` wrong
 * body, `w` 404, `s` right but too late, `t` first byte timed out · unseen: `?` dropped, `!` our own machine, `l` sent too
 * late, `4` 403, `h` withheld, `_` no row. The address of each slot is said beside it, by `at`.
 */
import { newFold, type Fold } from '../../src/analysis/fold.ts';
import type { Analysis, LaneAnalysis } from '../../src/core/analysis.ts';
import type { Entry, EntryOf, RunMode } from '../../src/core/entry.ts';
import { checkBits, outcomeNumber, type Outcome } from '../../src/core/outcome.ts';
import type { DnsReply } from '../../src/core/ports.ts';
import { newColumns, rowColumns, type Definition, type Row, type RowBatch } from '../../src/core/row.ts';
import type { Archetype, Check, Lane, Scenario, Service, Side } from '../../src/core/scenario.ts';
import { dueAtNs } from '../../src/core/schedule.ts';
import { msToNs, nsPerS, sToNs } from '../../src/core/time.ts';

export const oldAddress = '127.0.1.1';
export const newAddress = '127.0.2.1';
export const hostname = 'orders.shop.example';

export const freshClient: Archetype = {
  resolve: { kind: 'per-connection' },
  connect: { kind: 'new' },
  choose: 'first',
  families: [4, 6],
  retriesOnce: false,
  judged: true,
  standsFor: 'scripts',
};

export const keepAliveClient: Archetype = {
  ...freshClient,
  connect: { kind: 'keep-alive', idleS: 90, maxAgeS: 0, maxRequests: 0 },
};
export const jvmForever: Archetype = { ...freshClient, resolve: { kind: 'once' }, judged: false };

/** What of one slot's row is not as in a good answer of `address`. */
export type Rows = Partial<Row>;

export interface LaneLog {
  readonly slots: string;
  /** By default 1/s, so that slot n is due at n seconds. */
  readonly ratePerSecond?: number;
  readonly goodWithinMs?: number;
  readonly client?: string;
  readonly role?: Lane['role'];
  readonly service?: string;
  readonly archetype?: Archetype;
  readonly judged?: boolean;
  /** Of a side lane. */
  readonly address?: string;
  readonly resolver?: string | null;
  /** One character a slot: `o` old, `n` new, digits from `addresses`; the last one repeats. */
  readonly at?: string;
  readonly latencyMs?: number | ((slot: number) => number);
  readonly worker?: number;
  /** Changes to single rows. */
  readonly rows?: (slot: number) => Rows;
  /** Rows that are not the slot's result. */
  readonly extra?: readonly Rows[];
  readonly startAtNs?: number;
  readonly staggerNs?: number;
}

export interface Log {
  readonly lanes: readonly LaneLog[];
  readonly entries?: readonly Entry[];
  readonly mode?: RunMode;
  readonly scenario?: (scenario: Scenario) => Scenario;
  /** Further addresses, for digits in `at`. */
  readonly addresses?: readonly string[];
  readonly definitions?: readonly Definition[];
  /** Default: run-ended when the last slot of the longest lane is over. null = the log has no end. */
  readonly probedUntilNs?: number | null;
  readonly batchRows?: number;
}

const goodChecks =
  checkBits.statusRight |
  checkBits.headerRight |
  checkBits.bodyRight |
  checkBits.bodyChecked |
  checkBits.framingComplete;
const totalMs = 12_000;

const failed = (outcome: Outcome): Rows => ({ outcome: outcomeNumber[outcome], status: 0, checks: 0, face: 0 });

/** By character. */
const kinds: Readonly<Record<string, Rows>> = {
  '.': {},
  x: failed('connect-refused'),
  r: failed('reset'),
  d: { ...failed('dns-timed-out'), address: 0, answer: 0 },
  c: { ...failed('tls-failed') },
  t: { ...failed('first-byte-timed-out'), endedUs: totalMs * 1000 },
  '5': { status: 503, checks: goodChecks & ~checkBits.statusRight },
  w: { status: 404, checks: goodChecks & ~checkBits.statusRight },
  b: { checks: goodChecks & ~checkBits.bodyRight },
  s: { endedUs: 3_000_000 },
  '?': { ...failed('dropped'), endedUs: 0, address: 0, answer: 0 },
  h: { ...failed('withheld'), endedUs: 0, address: 0, answer: 0 },
  '!': { ...failed('own-trouble'), endedUs: 0 },
  l: { lateUs: 1_500_000 },
  '4': { status: 403, checks: goodChecks & ~checkBits.statusRight },
};

export function scenarioOf(services: readonly string[] = ['orders']): Scenario {
  const objectives: Scenario['objectives'] = {
    outageMsMax: 2000,
    downtimeMsMax: 5000,
    failedRatioMax: 0.001,
    worstMinuteFailedRatioMax: 0.05,
    burst5xxCountMax: 0,
    staleTargetCountMax: 0,
    convergenceSMax: null,
    flipBackCountMax: 0,
    latencyP99RatioMax: 1.5,
  };
  const service = (name: string): Service => ({
    name,
    checks: [checkOf(name, {})],
    resolvers: ['vpc'],
    tls: { caPem: null, certificatePem: null, keyPem: null },
    objectives,
  });
  return {
    name: 'test',
    services: services.map(service),
    sides: {
      old: {
        side: 'old',
        title: 'old',
        addresses: [{ kind: 'network', cidr: '127.0.1.0/24' }],
        marker: [['x-served-by', 'ecs']],
        certificateSha256: ['aa'],
      },
      new: {
        side: 'new',
        title: 'new',
        addresses: [{ kind: 'network', cidr: '127.0.2.0/24' }],
        marker: [['x-served-by', 'eks']],
        certificateSha256: ['bb'],
      },
    },
    resolvers: [{ name: 'vpc', server: { kind: 'udp', address: '127.0.0.53', port: 53 } }],
    authorities: 'auto',
    clients: [{ name: 'fresh', weightRatio: 1, archetype: freshClient }],
    weightsGiven: false,
    change: {
      via: 'dns',
      direction: 'old-to-new',
      ttlBeforeS: null,
      ttlS: null,
      ttlLoweredAt: null,
      baselineS: 10,
      waitS: 60,
      convergenceTimeoutS: 60,
      tailS: 10,
    },
    references: [],
    objectives,
  };
}

function checkOf(service: string, log: Partial<LaneLog>): Check {
  const name = service === 'orders' ? hostname : `${service}.shop.example`;
  return {
    name: service,
    url: `http://${name}/ready`,
    scheme: 'http',
    hostname: name,
    port: 80,
    path: '/ready',
    request: { method: 'GET', headers: [], body: null, token: null },
    expect: { statusIn: [200], bodyIncludes: null, bodyMatches: null, headers: [] },
    goodWithinMs: log.goodWithinMs ?? 2000,
    timeouts: { connectMs: 5000, tlsMs: 5000, firstByteMs: totalMs, totalMs },
    ratePerSecond: log.ratePerSecond ?? 1,
  };
}

export function laneOf(log: LaneLog, number: number): Lane {
  const service = log.service ?? 'orders';
  const role = log.role ?? 'client';
  return {
    number,
    role,
    service: role === 'reference' ? '' : service,
    check: checkOf(service, log),
    client: log.client ?? (role === 'reference' ? 'reference' : 'fresh'),
    resolver:
      role === 'client' && log.resolver !== null ? { name: log.resolver ?? 'vpc', server: { kind: 'system' } } : null,
    address: log.address ?? null,
    archetype: log.archetype ?? freshClient,
    tls: { caPem: null, certificatePem: null, keyPem: null },
    judged: log.judged ?? role === 'client',
    inFlightMax: 26,
    ratePerSecond: log.ratePerSecond ?? 1,
    staggerNs: log.staggerNs ?? 0,
    startAtNs: log.startAtNs ?? 0,
  };
}

/** Address numbers 2 old, 3 new, 4 … further ones; face 2 says nothing; answers 2 old, 3 new. */
function definitionsOf(log: Log): Definition[] {
  const addresses = [oldAddress, newAddress, ...(log.addresses ?? [])];
  const answer = (number: number, address: string): Definition => ({
    kind: 'answer',
    number,
    value: {
      server: 'vpc',
      name: hostname,
      rcode: 'NOERROR',
      ede: 0,
      authoritative: false,
      chain: [],
      addresses: [address],
    },
  });
  return [
    ...addresses.map((value, i): Definition => ({ kind: 'address', number: i + 2, value })),
    {
      kind: 'face',
      number: 2,
      value: { certificateSha256: '', alpn: '', tlsVersion: '', headers: [], unexpectedBody: '' },
    },
    answer(2, oldAddress),
    answer(3, newAddress),
    ...(log.definitions ?? []),
  ];
}

const noRow: Row = Object.fromEntries(rowColumns.map(([name]) => [name, 0])) as Row;

export function rowsOf(log: LaneLog, lane: Lane): Row[] {
  const rows: Row[] = [];
  [...log.slots].forEach((character, slot) => {
    if (character === '_') return;
    const kind = kinds[character];
    if (kind === undefined) throw new Error(`no slot is written ${character}`);
    const where = log.at?.[Math.min(slot, log.at.length - 1)] ?? 'o';
    const number = where === 'o' ? 2 : where === 'n' ? 3 : 4 + Number(where);
    const latencyMs = typeof log.latencyMs === 'function' ? log.latencyMs(slot) : (log.latencyMs ?? 5);
    rows.push({
      ...noRow,
      lane: lane.number,
      slot,
      lateUs: 300,
      endedUs: Math.round(latencyMs * 1000),
      outcome: outcomeNumber.answered,
      status: 200,
      checks: goodChecks,
      address: number,
      face: 2,
      answer: lane.resolver === null ? 0 : Math.min(number, 3),
      answerTtlS: lane.resolver === null ? 0 : 5,
      ...kind,
      ...log.rows?.(slot),
    });
  });
  for (const extra of log.extra ?? [])
    rows.push({ ...noRow, lane: lane.number, outcome: outcomeNumber.answered, ...extra });
  return rows;
}

export interface Evidence {
  readonly started: EntryOf<'run-started'>;
  readonly entries: readonly Entry[];
  readonly batches: readonly RowBatch[];
}

export function evidenceOf(log: Log): Evidence {
  const lanes = log.lanes.map(laneOf);
  const scenario = (log.scenario ?? ((same) => same))(
    scenarioOf([
      ...new Set(log.lanes.filter((lane) => lane.role !== 'reference').map((lane) => lane.service ?? 'orders')),
    ]),
  );
  const ends = lanes.map((lane, i) => dueAtNs(lane, log.lanes[i]?.slots.length ?? 0));
  const probedUntilNs = log.probedUntilNs === undefined ? Math.max(...ends) : log.probedUntilNs;
  const batches: RowBatch[] = [];
  let rowCount = 0;
  lanes.forEach((lane, i) => {
    const laneLog = log.lanes[i] as LaneLog;
    const rows = rowsOf(laneLog, lane);
    rowCount += rows.length;
    const size = log.batchRows ?? rows.length;
    for (let from = 0; from < rows.length; from += size) {
      const part = rows.slice(from, from + size);
      // Without an end of the run, what is known of a lane ends after its last row, not with its last batch's neighbour.
      const atNs = Math.max(...part.map((row) => dueAtNs(lane, row.slot))) + 1;
      batches.push(batchOf(part, batches.length === 0 ? definitionsOf(log) : [], laneLog.worker ?? 0, atNs));
    }
  });
  const entries: Entry[] = [...(log.entries ?? [])];
  if (probedUntilNs !== null) {
    entries.push({
      type: 'run-ended',
      atNs: probedUntilNs + sToNs(12),
      why: 'tail-watched',
      probedUntilNs,
      rowCount,
      definitionOverCapCount: 0,
    });
  }
  return { started: startedOf(lanes, scenario, log.mode ?? 'cutover'), entries, batches };
}

function startedOf(lanes: readonly Lane[], scenario: Scenario, mode: RunMode): EntryOf<'run-started'> {
  return {
    type: 'run-started',
    atNs: 0,
    formatVersion: 1,
    version: '0.1.0',
    runId: '00c0ffee',
    startedAtMs: Date.UTC(2026, 10, 20, 10),
    mode,
    vantage: 'here',
    scenario,
    lanes,
    host: { node: 'v24', platform: 'linux', cpuCount: 2 },
    command: null,
  };
}

export function batchOf(
  rows: readonly Row[],
  definitions: readonly Definition[],
  worker: number,
  atNs: number,
): RowBatch {
  const columns = newColumns(rows.length);
  rows.forEach((row, i) => {
    for (const [name] of rowColumns) columns[name][i] = row[name];
  });
  return { rowCount: rows.length, columns, definitions, worker, atNs };
}

export function foldOf({ started, entries, batches }: Evidence): Fold {
  const fold = newFold();
  fold.entry(started);
  for (const entry of entries) fold.entry(entry);
  for (const batch of batches) fold.batch(batch);
  return fold;
}

export function analysisOf(log: Log): Analysis {
  return foldOf(evidenceOf(log)).result();
}

/** The analysis of one lane alone. */
export function laneAnalysisOf(lane: LaneLog, log: Partial<Log> = {}): LaneAnalysis {
  return analysisOf({ ...log, lanes: [lane] }).lanes[0] as LaneAnalysis;
}

// ── entries ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export function mark(atS: number, text = 'switch'): Entry {
  return { type: 'marked', atNs: sToNs(atS), text };
}

/** One poll's answer, sent `atS` and received 10 ms later; the poll before was sent a second earlier. */
export function authority(
  atS: number,
  addresses: readonly string[] | null,
  options: { server?: string; ttlS?: number; isFirst?: boolean; name?: string } = {},
): Entry {
  const { server = '127.0.0.1:53', ttlS = 5, isFirst = false, name = hostname } = options;
  const sentAtNs = sToNs(atS);
  return {
    type: 'dns-answered',
    atNs: sentAtNs + msToNs(10),
    watch: 'authority',
    server,
    name,
    question: 'A',
    side: null,
    reply: replyOf(addresses, sentAtNs, ttlS),
    previousSentAtNs: isFirst ? null : sentAtNs - nsPerS,
    sameCount: 0,
  };
}

export function sideAnswered(atS: number, side: Side, addresses: readonly string[]): Entry {
  const sentAtNs = sToNs(atS);
  return {
    type: 'dns-answered',
    atNs: sentAtNs + msToNs(10),
    watch: 'side',
    server: 'vpc',
    name: `${side}.elb.example`,
    question: 'A',
    side,
    reply: replyOf(addresses, sentAtNs, 60),
    previousSentAtNs: null,
    sameCount: 0,
  };
}

function replyOf(addresses: readonly string[] | null, sentAtNs: number, ttlS: number): DnsReply {
  const endedAtNs = sentAtNs + msToNs(10);
  if (addresses === null) return { kind: 'failed', reason: 'timed-out', error: '', sentAtNs, endedAtNs };
  return {
    kind: 'answered',
    rcode: 'NOERROR',
    authoritative: true,
    ede: 0,
    answers: [],
    authority: [],
    chain: [],
    addresses,
    ttlS,
    sentAtNs,
    endedAtNs,
  };
}
