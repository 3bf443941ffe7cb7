/**
 * Each archetype beside the thing it stands for: one flip of DNS, real clients and resolvers on real sockets, all at once;
 * our own prober in virtual time, from the last question before the flip on. docs/clients.md has the table.
 * Chromium and a JDK are held against theirs only where they are installed.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { presets } from '../../src/clients/presets.ts';
import type { Archetype } from '../../src/core/scenario.ts';
import { nsToS } from '../../src/core/time.ts';
import { laneOf, newBench } from '../prober/kit.ts';
import { absentMs, cutAfterMs, ttlS, watchedMs, type StageLine } from './leaving/script.ts';
import { describeReal } from './servers/describe-real.ts';
import { findProgram } from './servers/installed.ts';
import { startProcess } from './servers/own-process.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';

/** `connect: new` where the servers close after each answer: then only the resolve policy is left to be seen. */
interface Likeness {
  readonly client: string;
  readonly archetype: string;
  readonly change?: Partial<Archetype>;
  readonly everyS?: number;
  readonly needs?: string;
}

const anew: Partial<Archetype> = { connect: { kind: 'new' } };
const keptS = (idleS: number): Partial<Archetype> => ({
  connect: { kind: 'keep-alive', idleS, maxAgeS: 0, maxRequests: 0 },
});

const likenesses: readonly Likeness[] = [
  { client: 'curl', archetype: 'fresh', needs: 'curl' },
  { client: 'http-busy', archetype: 'node-default' },
  { client: 'http-idle', archetype: 'node-default', everyS: 6 },
  { client: 'fetch-idle', archetype: 'node-default', change: keptS(4), everyS: 4.7 },
  { client: 'websocket', archetype: 'websocket' },
  { client: 'websocket-cut', archetype: 'websocket' },
  { client: 'undici-dns', archetype: 'undici-dns', change: anew },
  { client: 'java', archetype: 'jvm-30', needs: 'javac' },
  { client: 'absent-java', archetype: 'jvm-30', needs: 'javac' },
  { client: 'java-forever', archetype: 'jvm-forever', needs: 'javac' },
  { client: 'chromium', archetype: 'chrome', change: { ...anew, families: [4] }, needs: 'chromium' },
  { client: 'nginx', archetype: 'nginx-static' },
  { client: 'unbound-plain', archetype: 'ttl-honest' },
  { client: 'unbound-min-60', archetype: 'isp-clamp-60' },
  { client: 'unbound-5-30', archetype: 'k8s-pod' },
  { client: 'unbound-expired', archetype: 'stale-resolver' },
  { client: 'dnsmasq-stale', archetype: 'stale-resolver' },
];
// Port 53 and resolv.conf of its own: namespaces, which not every machine gives.
const isolation = ['--mount', '--net', '--pid', '--fork', '--mount-proc', '--kill-child'];
const mayIsolate = spawnSync('unshare', [...isolation, 'true']).status === 0;
const here = likenesses.filter(({ needs }) => mayIsolate && (needs === undefined || findProgram(needs) !== null));
const absent = likenesses.filter((one) => !here.includes(one)).map(({ client }) => client);
if (absent.length > 0)
  process.stderr.write(`not installed here, or not allowed, so not looked at: ${absent.join(', ')}\n`);

/** Between which two requests it left, s since its last question before the flip; null = never. */
interface Leaving {
  readonly lastOldS: number;
  readonly firstNewS: number | null;
}

const withinS = 2;
describeReal('one flip of DNS', ['nginx', 'unbound', 'dnsmasq'], () => {
  let lines: readonly StageLine[] = [];

  beforeAll(async () => {
    if (!mayIsolate) return;
    await using folder = await makeTemporaryFolder();
    const stage = new URL('leaving/stage.ts', import.meta.url).pathname;
    const logPath = join(folder.path, 'stage.log');
    const words = [...isolation, process.execPath, stage, folder.path, here.map(({ client }) => client).join()];
    await using process_ = startProcess(findProgram('unshare') ?? '', words, { logPath });
    await process_.ended;
    lines = readFileSync(logPath, 'utf8')
      .split('\n')
      .flatMap((line) => (line.startsWith('{"type"') ? [JSON.parse(line) as StageLine] : []));
  }, 120_000);

  test('what cannot be looked at here is named', () => {
    expect(here.length + absent.length).toBe(likenesses.length);
  });

  test.for(here)('$client leaves as $archetype does', async (likeness) => {
    const { flippedMs, questionsMs, requests } = seenOf(lines, likeness.client);
    const questionMs = questionsMs.findLast((atMs) => atMs < flippedMs) ?? Number.NaN;
    const after = requests.filter(({ atMs }) => atMs >= questionMs);
    const real = leavingOf(after.map(({ atMs, side }) => ({ atS: (atMs - questionMs) / 1000, side })));
    const ours = leavingOf(await oursOf(likeness, { flippedS: (flippedMs - questionMs) / 1000, absentS: 0 }));
    expect(distanceS(real, ours), JSON.stringify({ real, ours })).toBeLessThanOrEqual(withinS);
  });

  const absentees = here.filter(({ client }) => client.startsWith('absent-'));
  test.for(absentees)('$client comes back from a name that was not there as $archetype does', async (likeness) => {
    const { questionsMs, requests } = seenOf(lines, likeness.client);
    const realS = ((requests[0]?.atMs ?? Number.NaN) - (questionsMs[0] ?? 0)) / 1000;
    const [ours] = await oursOf(likeness, { flippedS: 30, absentS: absentMs / 1000 });
    expect(Math.abs(realS - (ours?.atS ?? Number.NaN)), String(realS)).toBeLessThanOrEqual(withinS);
  });
});

interface Request {
  readonly atS: number;
  readonly side: 'old' | 'new';
}

interface Seen {
  readonly flippedMs: number;
  /** Of the client, as they reached the authoritative server. */
  readonly questionsMs: readonly number[];
  readonly requests: readonly Extract<StageLine, { type: 'request' }>[];
}

function seenOf(lines: readonly StageLine[], client: string): Seen {
  const flippedMs = lines.find(({ type }) => type === 'flipped')?.atMs ?? Number.NaN;
  const questionsMs = lines.flatMap((line) => (line.type === 'asked' && line.client === client ? [line.atMs] : []));
  const requests = lines.flatMap((line) => (line.type === 'request' && line.client === client ? [line] : []));
  return { flippedMs, questionsMs, requests };
}

/** The requests of our own prober that were answered, in virtual time. */
async function oursOf(
  { client, archetype, change, everyS = 0.5 }: Likeness,
  { flippedS, absentS }: { readonly flippedS: number; readonly absentS: number },
): Promise<readonly Request[]> {
  const preset = presets[archetype];
  if (preset === undefined) throw new Error(`no preset ${archetype}`);
  const lane = { archetype: { ...preset, ...change }, ratePerSecond: 1 / everyS };
  const bench = newBench([laneOf(0, archetype, lane)]);
  bench.world.resolve = (_, type, atS) => {
    if (atS < absentS) return { rcode: 'NXDOMAIN' };
    return { addresses: type === 'A' ? [atS < flippedS ? 'old' : 'new'] : [], ttlS };
  };
  const cutS = client.endsWith('-cut') ? flippedS + cutAfterMs / 1000 : Infinity;
  bench.world.answer = (address, atS) => (address === 'old' && atS >= cutS ? { outcome: 'closed-before-answer' } : {});
  await bench.clock.runUntilS(flippedS + watchedMs / 1000);
  return bench.rows.flatMap(({ part, outcomeName, sentNs, addressText }) =>
    part === 0 && outcomeName === 'answered'
      ? [{ atS: nsToS(sentNs), side: addressText === 'old' ? ('old' as const) : ('new' as const) }]
      : [],
  );
}

function leavingOf(requests: readonly Request[]): Leaving {
  const lastOldS = requests.findLast(({ side }) => side === 'old')?.atS ?? Number.NaN;
  return { lastOldS, firstNewS: requests.find(({ side }) => side === 'new')?.atS ?? null };
}

/** Between the two spans in which it left; 0 where they meet. One that never leaves was still there at the end. */
function distanceS(real: Leaving, ours: Leaving): number {
  if (ours.firstNewS === null) return real.firstNewS === null ? Math.abs(ours.lastOldS - real.lastOldS) : Infinity;
  if (real.firstNewS === null) return Infinity;
  return Math.max(0, real.lastOldS - ours.firstNewS, ours.lastOldS - real.firstNewS);
}
