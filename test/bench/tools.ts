/** The tools side by side: how each is told to send a load, and what it knows itself of how late it was. */
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { outcomeNumber } from '../../src/core/outcome.ts';
import { parts } from '../../src/core/row.ts';
import { readRun } from '../../src/evidence/read-run.ts';
import { findProgram } from '../real/servers/installed.ts';
import { runToEnd } from './run-to-end.ts';

export interface Load {
  readonly url: string;
  readonly caPath: string;
  /** null: as fast as it goes, which is all that wrk can do. */
  readonly ratePerSecond: number | null;
  readonly connections: 'kept' | 'new';
  /** It is stopped before; a tool must not end by itself. */
  readonly secondsMax: number;
  /** For what the tool writes. */
  readonly folder: string;
}

/** What a tool's own records say of the whole run. */
export interface OwnWord {
  /** sent − due, in µs. */
  readonly latenessUs: Float64Array;
  readonly droppedCount: number;
  readonly failedCount: number;
}

export interface Tool {
  readonly name: string;
  readonly isPaced: boolean;
  /** The program and its arguments; writes the files they name. */
  command(load: Load): Promise<readonly string[]>;
  /** Once it has ended; left out where the tool keeps no record of single requests. */
  ownWord?(load: Load): Promise<OwnWord>;
}

/** As many as hey and autocannon take turns on; the others open as many as they need. */
const connectionCount = 50;
const mainPath = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export const cutwatch: Tool = {
  name: 'cutwatch',
  isPaced: true,
  async command(load) {
    const path = join(load.folder, 'scenario.yaml');
    await writeFile(path, scenarioText(load));
    const out = join(load.folder, 'run');
    return [process.execPath, mainPath, 'run', path, '--max-rate', '100000', '--out', out];
  },
  async ownWord(load) {
    const latenessUs: number[] = [];
    let droppedCount = 0;
    let failedCount = 0;
    for (const { columns, rowCount } of readRun(join(load.folder, 'run')).batches()) {
      for (let i = 0; i < rowCount; i += 1) {
        if (columns.part[i] !== parts.slot) continue;
        if (columns.outcome[i] === outcomeNumber.dropped) {
          droppedCount += 1;
          continue;
        }
        latenessUs.push(columns.lateUs[i] ?? 0);
        if (columns.status[i] !== 200) failedCount += 1;
      }
    }
    return { latenessUs: Float64Array.from(latenessUs), droppedCount, failedCount };
  },
};

/** One lane: the sides are networks, and no name has to be resolved. Nothing changes, so it goes on until it is stopped. */
function scenarioText({ url, caPath, ratePerSecond, connections }: Load): string {
  const tls = url.startsWith('https:') ? `, tls: { ca: ${caPath} }` : '';
  return [
    'name: bench',
    `defaults: { ratePerSecond: ${ratePerSecond} }`,
    `services: [{ name: bench, url: "${url}"${tls} }]`,
    `clients: [${connections === 'kept' ? 'keep-alive' : 'fresh'}]`,
    'authorities: none',
    'sides: { old: { addresses: [127.0.1.0/24] }, new: { addresses: [127.0.2.0/24] } }',
    '',
  ].join('\n');
}

export function vegeta(path: string): Tool {
  return {
    name: 'vegeta',
    isPaced: true,
    async command(load) {
      const targetsPath = join(load.folder, 'targets');
      await writeFile(targetsPath, `GET ${load.url}\n`);
      return [
        path,
        'attack',
        `-targets=${targetsPath}`,
        `-rate=${load.ratePerSecond}/1s`,
        `-duration=${load.secondsMax}s`,
        `-output=${join(load.folder, 'results.bin')}`,
        `-keepalive=${load.connections === 'kept'}`,
        `-root-certs=${load.caPath}`,
      ];
    },
    async ownWord(load) {
      const csvPath = join(load.folder, 'results.csv');
      await runToEnd([path, 'encode', '-to=csv', `-output=${csvPath}`, join(load.folder, 'results.bin')]);
      const periodNs = 1e9 / (load.ratePerSecond ?? 1);
      let beganAtNs = 0n;
      const offsetsNs: number[] = [];
      let failedCount = 0;
      for await (const line of createInterface({ input: createReadStream(csvPath) })) {
        // Timestamp, status, …, sequence number, method, URL, headers.
        const fields = line.split(',');
        const atNs = BigInt(fields[0] ?? 0);
        if (beganAtNs === 0n) beganAtNs = atNs;
        offsetsNs.push(Number(atNs - beganAtNs) - Number(fields.at(-4)) * periodNs);
        if (fields[1] !== '200') failedCount += 1;
      }
      // When its first request was due it does not say: the least late one counts as on time.
      const earliestNs = offsetsNs.reduce((least, offsetNs) => Math.min(least, offsetNs), Infinity);
      return {
        latenessUs: Float64Array.from(offsetsNs, (offsetNs) => (offsetNs - earliestNs) / 1000),
        droppedCount: 0,
        failedCount,
      };
    },
  };
}

export function hey(path: string): Tool {
  return {
    name: 'hey',
    isPaced: true,
    async command({ url, ratePerSecond, connections, secondsMax }) {
      // Its rate is that of each of its workers.
      const workers = Math.min(connectionCount, (ratePerSecond ?? 0) / 10);
      return [
        path,
        '-z',
        `${secondsMax}s`,
        '-c',
        `${workers}`,
        '-q',
        `${(ratePerSecond ?? 0) / workers}`,
        ...(connections === 'kept' ? [] : ['-disable-keepalive']),
        url,
      ];
    },
  };
}

export const autocannon: Tool = {
  name: 'autocannon',
  isPaced: true,
  async command({ url, ratePerSecond, connections, secondsMax, caPath }) {
    return [
      process.execPath,
      fileURLToPath(import.meta.resolve('autocannon')),
      '-n',
      '-d',
      `${secondsMax}`,
      '-c',
      `${connectionCount}`,
      '-R',
      `${ratePerSecond}`,
      ...(connections === 'kept' ? [] : ['-D', '1']),
      ...(url.startsWith('https:') ? ['--ca', caPath] : []),
      url,
    ];
  },
};

export function wrk(path: string): Tool {
  return {
    name: 'wrk, as fast as it goes',
    isPaced: false,
    async command({ url, connections, secondsMax }) {
      return [
        path,
        '-t',
        '1',
        '-c',
        `${connectionCount}`,
        '-d',
        `${secondsMax}s`,
        ...(connections === 'kept' ? [] : ['-H', 'Connection: close']),
        url,
      ];
    },
  };
}

export interface Tools {
  readonly paced: readonly Tool[];
  readonly fastest: Tool | null;
  /** A sentence for each tool that is not here. */
  readonly missing: readonly string[];
}

/** Those that are installed; vegeta is built first where Go is. */
export async function findTools(vegetaPath: string | null): Promise<Tools> {
  const heyPath = findProgram('hey');
  const wrkPath = findProgram('wrk');
  return {
    paced: [
      cutwatch,
      ...(vegetaPath === null ? [] : [vegeta(vegetaPath)]),
      ...(heyPath === null ? [] : [hey(heyPath)]),
      autocannon,
    ],
    fastest: wrkPath === null ? null : wrk(wrkPath),
    missing: [
      ...(vegetaPath === null ? ['vegeta is left out: it is built with Go, which is not installed'] : []),
      ...(heyPath === null ? ['hey is left out; on Debian: apt-get install hey'] : []),
      ...(wrkPath === null ? ['wrk is left out; on Debian: apt-get install wrk'] : []),
    ],
  };
}
