/** Whole runs in virtual time: the real prober, watch, evidence, analysis and verdict; only clock and network are scripted. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { presets } from '../../src/clients/presets.ts';
import type { Analysis, LaneAnalysis } from '../../src/core/analysis.ts';
import type { RunMode } from '../../src/core/entry.ts';
import type { Cancel } from '../../src/core/ports.ts';
import { appendMark } from '../../src/evidence/append-mark.ts';
import { newRowBuffer } from '../../src/evidence/row-buffer.ts';
import { createRunFolder } from '../../src/evidence/run-folder.ts';
import { newProber } from '../../src/prober/prober.ts';
import { analyseFolder, run, type RunResult } from '../../src/run/run.ts';
import { lanesForSideAddress, lanesOf } from '../../src/scenario/lanes.ts';
import { parseScenario } from '../../src/scenario/parse.ts';
import { laneWithoutSecrets, withoutSecrets } from '../../src/scenario/secrets.ts';
import { exitCodeOf, judge } from '../../src/verdict/judge.ts';
import { newTestClock, newTestNetwork, type TestClock, type TestNetwork } from '../prober/kit.ts';

const folder = mkdtempSync(join(tmpdir(), 'cutwatch-run-'));
afterAll(() => rmSync(folder, { recursive: true }));
let runCount = 0;

const scenarioText = `
name: virtual
services:
  - { name: orders, url: "http://orders.test/ready" }
sides:
  old: { addresses: [127.0.1.1] }
  new: { addresses: [127.0.2.1] }
resolvers: [{ name: vpc, address: 127.0.0.1 }]
authorities: ["127.0.0.9:53"]
clients: [fresh, keep-alive, jvm-30, jvm-forever]
change: { ttlS: 20, baselineS: 30, waitS: 60, convergenceTimeoutS: 120, tailS: 40 }
`;

const startedAtMs = Date.UTC(2026, 10, 24, 8, 30);

interface Script {
  readonly text?: string;
  readonly mode?: RunMode;
  readonly command?: readonly string[];
  readonly startsAnyway?: boolean;
  /** Exit code of the wrapped command, which ends 3 s after it was started. */
  readonly exitCode?: number;
  /** DNS moves so long after the command was started; null = never. */
  readonly switchAfterS?: number | null;
  /** The old side stops serving so long after the switch. */
  readonly oldStopsAfterS?: number;
  /** The world, beyond that. */
  readonly world?: (network: TestNetwork, clock: TestClock) => void;
  readonly isUnwatched?: boolean;
  readonly during?: (clock: TestClock, path: string) => Promise<void>;
}

interface Played extends RunResult {
  readonly path: string;
  readonly startedAtS: number | null;
  readonly network: TestNetwork;
  /** How often the run was analysed while it went on. */
  readonly lookCount: number;
}

async function play(script: Script): Promise<Played> {
  const clock = newTestClock();
  await clock.runUntilS(0.05);
  const network = newTestNetwork(clock);
  const scenario = parseScenario(script.text ?? scenarioText, {
    file: 'virtual.yaml',
    env: {},
    presets,
    readFile: () => '',
  });
  const path = join(folder, `run-${(runCount += 1)}`);
  let commandAtS: number | null = null;
  let tokenCount = 0;
  let lookCount = 0;
  const nowS = (): number => clock.nowNs() / 1e9;
  const switchedAtS = (): number =>
    commandAtS === null || script.switchAfterS === null ? Infinity : commandAtS + (script.switchAfterS ?? 1);
  // One honest cache in front of one authority, both behind the same scripted port.
  let cached = { address: '127.0.1.1', untilS: -1 };
  network.world.resolve = (_, type) => {
    if (type !== 'A') return { addresses: [] };
    if (cached.untilS <= nowS()) {
      cached = { address: nowS() >= switchedAtS() ? '127.0.2.1' : '127.0.1.1', untilS: nowS() + 20 };
    }
    return { addresses: [cached.address], ttlS: Math.max(0, Math.round(cached.untilS - nowS())) };
  };
  network.world.answer = (address) => {
    const isStopped = address === '127.0.1.1' && nowS() >= switchedAtS() + (script.oldStopsAfterS ?? Infinity);
    return isStopped ? { dial: 'connect-refused', outcome: 'reset' } : {};
  };
  script.world?.(network, clock);
  const dns: TestNetwork['dns'] = {
    query: async (server, question, options) => {
      const reply = await network.dns.query(server, question, options);
      if (options.recursionDesired || reply.kind === 'failed' || question.type !== 'A') return reply;
      return {
        ...reply,
        authoritative: true,
        addresses: [nowS() >= switchedAtS() ? '127.0.2.1' : '127.0.1.1'],
        ttlS: 20,
      };
    },
  };
  const stop = new AbortController();
  let result: RunResult | null = null;
  let failure: Error | null = null;
  run(
    {
      scenario,
      forLog: { scenario: withoutSecrets(scenario), lane: laneWithoutSecrets },
      lanesOf: (addresses) => ({ lanes: lanesOf(scenario, addresses), notes: [] }),
      lanesOfAddress: (found) => ({ lanes: lanesForSideAddress(scenario, found), notes: [] }),
      writer: createRunFolder(path),
      mode: script.mode ?? 'cutover',
      command: script.command ?? ['./switch.sh'],
      startsAnyway: script.startsAnyway ?? false,
      version: '0.1.0',
      runId: 'c0ffee42',
      startedAtMs,
      vantage: 'here',
      host: { node: '24', platform: 'test', cpuCount: 2 },
      stopSignal: stop.signal,
      isUnwatched: script.isUnwatched ?? false,
      progress: () => {
        lookCount += 1;
      },
      say: () => {},
    },
    {
      clock,
      wallNowMs: () => startedAtMs + clock.nowNs() / 1e6,
      dns,
      prober: ({ batch, entry }) => {
        const buffer = newRowBuffer({ worker: 0, onBatch: batch, nowNs: () => clock.nowNs() });
        const prober = newProber({
          clock,
          dialer: network.dialer,
          dns,
          sink: buffer,
          event: entry,
          run: { runId: 'c0ffee42', startedAtMs, version: '0.1.0' },
          markerNames: [],
        });
        let cancel: Cancel | null = null;
        function flush(): void {
          buffer.flush(clock.nowNs());
          cancel = clock.at(clock.nowNs() + 1e8, flush);
        }
        return {
          ready: Promise.resolve(),
          workerCount: 1,
          add: (lanes) => {
            prober.add(lanes);
            if (cancel === null) flush();
          },
          token: (name, value) => prober.token(name, value),
          withdraw: (lanes) => prober.withdraw(lanes),
          async stop(atNs) {
            await prober.stop(atNs);
            cancel?.();
            buffer.flush(clock.nowNs());
            return { definitionOverCapCount: 0 };
          },
        };
      },
      startCommand: () => {
        commandAtS = nowS();
        const ended = new Promise<{ exitCode: number; signal: null; error: string }>((resolve) => {
          clock.at(clock.nowNs() + 3e9, () => resolve({ exitCode: script.exitCode ?? 0, signal: null, error: '' }));
        });
        return { pid: 1, ended };
      },
      readToken: () => Promise.resolve(`t0k3n-${(tokenCount += 1)}`),
    },
  ).then(
    (ended) => (result = ended),
    (error: Error) => (failure = error),
  );
  await script.during?.(clock, path);
  for (let s = 1; result === null && failure === null && s < 500; s += 1) await clock.runUntilS(nowS() + 1);
  if (failure !== null) throw failure;
  if (result === null) throw new Error('the run did not end');
  return { ...(result as RunResult), path, startedAtS: commandAtS, network, lookCount };
}

function laneOf(analysis: Analysis, client: string): LaneAnalysis {
  const lane = analysis.lanes.find((one) => one.client === client && one.series === 'raw');
  if (lane === undefined) throw new Error(`no lane ${client}`);
  return lane;
}

describe('a clean cutover', () => {
  test('passes; fresh has moved within the TTL, kept and pinned clients are still on old and said so', async () => {
    const { analysis, differsFromLive } = await play({});
    expect(differsFromLive).toBe(false);
    const verdict = judge(analysis);
    expect(verdict.reasons.filter((reason) => reason.value !== 'pass' && reason.severity === 'fail')).toEqual([]);
    expect(verdict.value).toBe('pass');
    const change = analysis.services[0]?.changes[0];
    expect(change?.isEvident).toBe(true);
    const fresh = laneOf(analysis, 'fresh');
    const movedS = ((fresh.firstNewAtNs ?? 0) - (change?.authorityLastAtNs ?? 0)) / 1e9;
    expect(movedS).toBeLessThanOrEqual(20 + 0.5 + 1);
    expect(laneOf(analysis, 'keep-alive').firstNewAtNs).toBe(null);
    expect(laneOf(analysis, 'jvm-forever').oldAfterChange['application-cache']).toBeGreaterThan(0);
    expect(analysis.lanes.flatMap((lane) => lane.outages)).toEqual([]);
  });

  test('the log, read again, gives the same analysis and the same verdict', async () => {
    const { analysis, path } = await play({});
    expect(analyseFolder(path)).toEqual(analysis);
  });
});

test('the founding incident: the old side stops right after the switch, and the caches decide who is down how long', async () => {
  const { analysis } = await play({ oldStopsAfterS: 0.5 });
  const verdict = judge(analysis);
  expect(verdict.value).toBe('fail');
  expect(exitCodeOf(verdict, { commandFailed: false })).toBe(3);
  const fresh = laneOf(analysis, 'fresh');
  expect(fresh.outages.length).toBe(1);
  expect(fresh.outages[0]?.causes['stale-answer']).toBeGreaterThan(10);
  // A cache refilled just before the switch keeps the old address for up to 20 s.
  expect(fresh.downtimeMs.max).toBeLessThanOrEqual(20_500 + 1000);
  expect(laneOf(analysis, 'jvm-30').downtimeMs.min).toBeGreaterThan(fresh.downtimeMs.max);
});

test.for<{ claim: string; script: Script }>([
  { claim: 'a clean cutover', script: {} },
  { claim: 'the founding incident', script: { oldStopsAfterS: 0.5 } },
  { claim: 'a change that never comes', script: { switchAfterS: null } },
  { claim: 'a command that fails', script: { switchAfterS: null, exitCode: 3 } },
])('$claim: unwatched, it is analysed a few times and ends as it does when it is watched', async ({ script }) => {
  const [watched, unwatched] = [await play(script), await play({ ...script, isUnwatched: true })];
  expect(watched.lookCount).toBeGreaterThan(50);
  expect(unwatched.lookCount).toBeLessThan(20);
  expect(unwatched.differsFromLive).toBe(false);
  expect(unwatched.startedAtS ?? 0).toBeCloseTo(watched.startedAtS ?? 0, 0);
  expect(judge(unwatched.analysis).value).toBe(judge(watched.analysis).value);
  expect(unwatched.analysis.endedBecause).toBe(watched.analysis.endedBecause);
  expect(Math.abs(unwatched.analysis.endedAtNs - watched.analysis.endedAtNs)).toBeLessThan(2e9);
});

test('nothing changed at all is inconclusive', async () => {
  const { analysis } = await play({ switchAfterS: null });
  const verdict = judge(analysis);
  expect(verdict.value).toBe('inconclusive');
  expect(verdict.reasons.some((reason) => reason.objective === 'evidence-of-change')).toBe(true);
});

test('a failed command ends the watch soon, and its exit status is 5', async () => {
  const { analysis } = await play({ switchAfterS: null, exitCode: 3 });
  expect(analysis.command?.exitCode).toBe(3);
  expect(analysis.endedAtNs / 1e9).toBeLessThan(30 + 3 + 50 + 5);
  expect(exitCodeOf(judge(analysis), { commandFailed: true })).toBe(5);
});

test('where no lane qualified the command is not started', async () => {
  const { analysis, startedAtS } = await play({
    world: ({ world }) => {
      world.answer = () => ({ status: 503 });
    },
  });
  expect(startedAtS).toBe(null);
  expect(analysis.commandWithheldBecause).toContain('orders');
  expect(judge(analysis).value).not.toBe('pass');
});

test('a mark is seen by the running watch, and stands in journal and report', async () => {
  const { analysis, path } = await play({
    during: async (clock, at) => {
      await clock.runUntilS(12);
      appendMark(at, 'cron jobs off', startedAtMs + 12_000);
    },
  });
  expect(analysis.marks).toEqual([{ atNs: 12e9, text: 'cron jobs off' }]);
  expect(readFileSync(join(path, 'journal.ndjson'), 'utf8')).toContain('"marked"');
});

test('no secret of the scenario reaches the run folder', async () => {
  const { path } = await play({
    text: `${scenarioText}\ndefaults: { request: { headers: { authorization: "Bearer s3cr3t", x-api-key: k3y } } }\n`,
    command: ['./switch.sh', '--password=p4ss'],
  });
  for (const file of ['journal.ndjson', 'probes.arrows']) {
    expect(readFileSync(join(path, file), 'latin1')).not.toMatch(/s3cr3t|k3y|p4ss/);
  }
});

test('an address that the name of a side gets during the run has its own lane from then on', async () => {
  const text = scenarioText.replace('new: { addresses: [127.0.2.1] }', 'new: { addresses: ["dns:new.elb.test"] }');
  const { analysis } = await play({
    text,
    world: ({ world }, clock) => {
      const orders = world.resolve;
      world.resolve = (name, type, atS) => {
        if (name !== 'new.elb.test') return orders(name, type, atS);
        return { addresses: type === 'A' ? (clock.nowNs() > 20e9 ? ['127.0.2.1', '127.0.2.2'] : ['127.0.2.1']) : [] };
      };
    },
  });
  const side = analysis.lanes.filter((lane) => lane.client === 'side:new');
  expect(side.map((lane) => lane.address)).toEqual(['127.0.2.1', '127.0.2.2']);
  expect(side[1]?.slots.good).toBeGreaterThan(100);
  expect(judge(analysis).value).toBe('pass');
});

test('a rollback away from a dead side is judged by its recovery and what comes after, not by the downtime it ends', async () => {
  const { analysis } = await play({
    text: scenarioText
      .replace('ttlS: 20,', 'ttlS: 20, direction: new-to-old,')
      .replace(
        /sides:[^]*resolvers/,
        'sides:\n  old: { addresses: [127.0.2.1] }\n  new: { addresses: [127.0.1.1] }\nresolvers',
      ),
    mode: 'rollback',
    oldStopsAfterS: -20,
  });
  const verdict = judge(analysis);
  expect(laneOf(analysis, 'fresh').downtimeMs.min).toBeGreaterThan(1000);
  expect(verdict.reasons.find((reason) => reason.objective === 'recovery')?.value).toBe('pass');
  expect(verdict.value).toBe('pass');
});

test('a token command is run before the first probe and again before its token expires; no token is logged', async () => {
  const text = `${scenarioText}
defaults:
  request:
    headers: { authorization: "Bearer \${TOKEN}" }
    token: { command: [get-token, --secret, s3cr3t], everyS: 45 }
`;
  const { network, path } = await play({ text });
  const sent = network.requests.map(({ request }) => request.headers[request.headers.indexOf('authorization') + 1]);
  expect([...new Set(sent)]).toEqual(['Bearer t0k3n-1', 'Bearer t0k3n-2', 'Bearer t0k3n-3']);
  for (const file of ['journal.ndjson', 'probes.arrows', 'marks.ndjson'].filter((name) =>
    existsSync(join(path, name)),
  )) {
    expect(readFileSync(join(path, file), 'latin1')).not.toMatch(/t0k3n|s3cr3t/);
  }
});
