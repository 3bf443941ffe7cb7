/** Whole runs in virtual time over a model of the world. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { simulateRun, type SimulatedRun } from '../../src/cli/simulated-run.ts';
import { formats, renderAs, snapshotOf } from '../../src/cli/write-reports.ts';
import { presets } from '../../src/clients/presets.ts';
import { inWorld } from '../../src/scenario/in-world.ts';
import { parseRehearsal } from '../../src/scenario/parse.ts';
import { settingOf } from '../../src/scenario/setting.ts';
import { defaultWorld } from '../../src/scenario/world.ts';
import { certificateSha256Of } from '../../src/sim/certificates.ts';
import { judge } from '../../src/verdict/judge.ts';

const folder = mkdtempSync(join(tmpdir(), 'cutwatch-simulated-'));
afterAll(() => rmSync(folder, { recursive: true }));
let runCount = 0;

const text = `
name: simulated
defaults: { ratePerSecond: 3 }
services:
  - { name: orders, url: "https://orders.shop.test/ready" }
  - { name: billing, url: "http://billing.shop.test/ready", expect: { bodyIncludes: pong } }
sides:
  old: { addresses: ["dns:shop-1.elb.test"], certificateSha256: ["${'a'.repeat(64)}"] }
  new: { addresses: ["dns:k8s-shop.elb.test"], marker: { x-served-by: eks } }
resolvers: [{ name: vpc, address: 10.0.0.2 }, { name: office, address: 10.0.0.3 }]
clients: [fresh, keep-alive, jvm-30, chrome]
references: ["https://status.elsewhere.test/ping", "https://other.elsewhere.test/"]
change: { ttlS: 23, baselineS: 17, waitS: 60, convergenceTimeoutS: 120, tailS: 41 }
`;

interface Play {
  readonly text?: string;
  readonly seed?: number;
}

async function play({ text: yaml = text, seed = 7 }: Play = {}): Promise<SimulatedRun> {
  const context = { file: 'simulated.yaml', env: {}, presets, readFile: () => '' };
  const { scenario, world } = parseRehearsal(yaml, context);
  const played = world ?? defaultWorld(scenario);
  const setting = settingOf(scenario, played);
  const sha256 = (side: 'old' | 'new'): string => certificateSha256Of({ side, kind: 'right' });
  const moved = inWorld(scenario, setting, {
    dns: () => 53,
    certificateSha256: { old: sha256('old'), new: sha256('new') },
  });
  runCount += 1;
  const run = await simulateRun({
    scenario: moved.scenario,
    setting,
    world: played,
    seed,
    folder: join(folder, `run-${runCount}`),
  });
  const snapshot = snapshotOf(run);
  for (const format of formats) expect(run.writeReport(`report.${format}`, renderAs(format, snapshot))).toBe(null);
  return run;
}

function bytesOf({ path }: SimulatedRun): Record<string, string> {
  const files = readdirSync(path).toSorted();
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(path, file), 'latin1')]));
}

describe('a clean cutover', () => {
  test('passes, and its log says the same when it is read again', async () => {
    const { analysis, differsFromLive } = await play();
    expect(differsFromLive).toBe(false);
    const verdict = judge(analysis);
    expect(verdict.reasons.filter(({ value, severity }) => value !== 'pass' && severity === 'fail')).toEqual([]);
    expect(verdict.value).toBe('pass');
    expect(analysis.endedBecause).toBe('tail-watched');
  });

  test('is seen from all sides: certificates, markers, HTTP/2, side lanes, references', async () => {
    const { analysis } = await play();
    expect(analysis.services.map(({ outcome }) => outcome)).toEqual(['completed', 'completed']);
    const names = new Set(analysis.lanes.map(({ client }) => client));
    expect([...names].toSorted()).toEqual(
      ['chrome', 'fresh', 'jvm-30', 'keep-alive', 'reference', 'side:new', 'side:old'].toSorted(),
    );
    for (const lane of analysis.lanes) {
      expect(lane.slots.good, `${lane.service} ${lane.client}`).toBeGreaterThan(10);
      expect(lane.slots.failed + lane.slots.dropped + lane.slots.blind).toBe(0);
      if (lane.role !== 'reference') expect(lane.sides.unknown + lane.sides.conflict).toBe(0);
    }
  });

  test('ends with the truth beside the evidence', async () => {
    const { truth, path, analysis } = await play();
    expect(readFileSync(join(path, 'truth.ndjson'), 'utf8')).toBe(
      truth.map((entry) => `${JSON.stringify(entry)}\n`).join(''),
    );
    expect(truth[0]?.type).toBe('world-started');
    expect(truth.at(-1)).toEqual({ type: 'world-ended', atNs: analysis.endedAtNs });
    expect(truth.find(({ type }) => type === 'change-made')?.atNs).toBe(analysis.command?.fromAtNs);
    expect((analysis.command?.toAtNs ?? 0) - (analysis.command?.fromAtNs ?? 0)).toBe(0.2e9);
  });
});

test('the same seed gives the same bytes of every file; another seed gives others', async () => {
  const [one, same, other] = [await play(), await play(), await play({ seed: 8 })];
  const files = bytesOf(one);
  expect(Object.keys(files)).toEqual([
    'journal.ndjson',
    'probes.arrows',
    'report.html',
    'report.json',
    'report.junit',
    'report.md',
    'report.postmortem',
    'report.svg',
    'truth.ndjson',
  ]);
  expect(bytesOf(same)).toEqual(files);
  const differing = Object.entries(bytesOf(other)).filter(([file, bytes]) => bytes !== files[file]);
  expect(differing.map(([file]) => file)).toContain('probes.arrows');
  expect(other.analysis.runId).not.toBe(one.analysis.runId);
  expect(other.truth[0]).toMatchObject({ world: { seed: 8 } });
  // Whenever it is played.
  expect(one.analysis.startedAtMs).toBe(Date.UTC(2026, 10, 24, 8, 30));
});

/** The old side is refused from 11 s after the switch on, while caches still have it for 23 s. */
const removed = `${text}
world:
  script:
    - { afterChangeS: 0, do: switch-dns, to: new }
    - { afterChangeS: 3, do: remove-load-balancer, side: old, how: refused }
`;

test('what the world does to users is what the report says of them', async () => {
  const { analysis, truth } = await play({ text: removed });
  const goneAtNs = truth.find((entry) => entry.type === 'step-done' && entry.index === 1)?.atNs ?? 0;
  const fresh = analysis.lanes.filter(({ client, service }) => client === 'fresh' && service === 'billing');
  const down = fresh.flatMap(({ outages }) => outages);
  expect(down.length).toBeGreaterThan(0);
  for (const outage of down) {
    expect(outage.firstFailedAtNs).toBeGreaterThanOrEqual(goneAtNs);
    expect(outage.lastGoodAtNs).toBeLessThanOrEqual(goneAtNs);
    expect(Object.keys(outage.causes)).toEqual(['stale-answer']);
  }
  expect(judge(analysis).value).toBe('fail');
});

test('a wrong certificate on the new side is a TLS failure with the fingerprint of what was shown', async () => {
  const { analysis, path } = await play({
    text: `${text}
world:
  script:
    - { afterChangeS: 0, do: switch-dns, to: new }
    - { atS: 1, do: show-wrong-certificate, side: new, certificate: default }
`,
  });
  expect(judge(analysis).value).toBe('fail');
  const fresh = analysis.lanes.find(({ client, service }) => client === 'fresh' && service === 'orders');
  expect(Object.keys(fresh?.classes ?? {})).toEqual(['tls-failed']);
  const rows = readFileSync(join(path, 'probes.arrows'), 'latin1');
  expect(rows).toContain('self-signed');
  expect(rows).toContain(certificateSha256Of({ side: 'new', kind: 'default' }));
});

test('a run that is asked to stop ends in order', async () => {
  const stop = new AbortController();
  stop.abort();
  const context = { file: 'simulated.yaml', env: {}, presets, readFile: () => '' };
  const { scenario } = parseRehearsal(text, context);
  const world = defaultWorld(scenario);
  const setting = settingOf(scenario, world);
  const { analysis } = await simulateRun({
    scenario: inWorld(scenario, setting, { dns: () => 53 }).scenario,
    setting,
    world,
    seed: 1,
    folder: join(folder, 'stopped'),
    stopSignal: stop.signal,
  });
  expect(analysis.endedBecause).toBe('interrupted');
});
