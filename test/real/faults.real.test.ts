/**
 * Faults whose beginning and end the test knows, because it makes them. One watch, several services, so that what one
 * suffers is seen not to touch another; each fault is then held against what the report says of it.
 *
 * A deed takes time: nginx is killed, or has reloaded, at some instant between our call and its return. So each edge of
 * a fault is a bracket of two instants, and slots due within it may go either way; all others may not.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../src/report/report-json.ts';
import type { ScenarioInput } from '../../src/scenario/input.ts';
import { readEvidence, readReport, slotRows, startRun, type Evidence, type EvidenceRow } from './cutwatch-run.ts';
import { makeCertificates } from './servers/certificates.ts';
import { describeReal } from './servers/describe-real.ts';
import { startNamed } from './servers/named.ts';
import { answerByReset, type NginxConf } from './servers/nginx-conf.ts';
import { startNginx, type Nginx } from './servers/nginx.ts';
import { canFilterPackets, filterPackets, startFullListener } from './servers/packets.ts';
import { freePorts } from './servers/ports.ts';
import { answers, startRawServer, truncates } from './servers/raw-server.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';

/** In wall clock ms, as the test reads it. */
type Bracket = readonly [from: number, to: number];

interface Fault {
  readonly service: string;
  readonly begins: Bracket;
  readonly ends: Bracket;
  /** What waits when the fault ends is answered then, and good for those who still have patience. */
  readonly isAnsweredAtEnd?: boolean;
}

/**
 * `Date.now` counts whole ms, in the test and at the start of the run; signals and closed sockets take effect when the
 * kernel gets round to it.
 */
const clockMs = 4;

const goodWithinMs = 700;
/** Of the service whose every request takes 5 s. */
const slowAnswerMs = 5000;
const patienceMs: Readonly<Record<string, number>> = { slow: 6000 };
/** Good slots between two faults: more than part two bursts (16), and a few more. */
const quietMs = 3000;

const names = {
  killed: 'nginx is killed, and started again',
  pausedShort: `nginx is stopped by SIGSTOP for less than ${goodWithinMs} ms`,
  pausedLong: `nginx is stopped by SIGSTOP for longer than ${goodWithinMs} ms`,
  error503: 'every answer is 503',
  reset: 'every request is answered by RST',
  truncated: 'every body is shorter than it says',
  unanswered: 'no packet is answered',
  certificate: 'the certificate is for another name',
  slow: 'requests of 5 s, cut by an outage of 2 s',
} as const;
type FaultName = keyof typeof names;

describeReal('faults with a known beginning and end', ['nginx', 'named', 'nsupdate', 'openssl'], () => {
  const stack = new AsyncDisposableStack();
  const faults = new Map<FaultName, Fault>();
  let dead: { readonly begins: Bracket; readonly ends: Bracket } = { begins: [0, 0], ends: [0, 0] };
  let evidence: Evidence;
  let report: Report;

  beforeAll(async () => {
    const folder = stack.use(await makeTemporaryFolder());
    const { leaves, caPath } = await makeCertificates(folder.path, {
      right: ['secure.shop.test'],
      wrong: ['other.test'],
    });
    const [plainPort = 0, securePort = 0, tlsPort = 0, slowPort = 0, pairPort = 0] = await freePorts(5);
    const named = stack.use(
      await startNamed({
        zone: 'shop.test',
        records: [
          'plain 60 A 127.0.1.1',
          'secure 60 A 127.0.1.2',
          'slow 60 A 127.0.1.3',
          'pair 60 A 127.0.1.4',
          'pair 60 A 127.0.1.5',
        ],
      }),
    );
    const cutBodies = stack.use(await startRawServer(truncates));
    const late = stack.use(await startRawServer(answers('late', { afterMs: slowAnswerMs })));
    const plain = stack.use(await startNginx({ addresses: ['127.0.1.1'], httpPort: plainPort, side: 'old' }));
    const secure = stack.use(
      await startNginx({
        addresses: ['127.0.1.2'],
        httpPort: securePort,
        tlsPort,
        certificate: leaves.right,
        side: 'old',
      }),
    );
    const slow = stack.use(
      await startNginx({
        addresses: ['127.0.1.3'],
        httpPort: slowPort,
        side: 'old',
        answer: `proxy_pass http://127.0.0.1:${late.port};`,
      }),
    );
    stack.use(await startNginx({ addresses: ['127.0.1.4'], httpPort: pairPort, side: 'old' }));
    const second = stack.use(await startNginx({ addresses: ['127.0.1.5'], httpPort: pairPort, side: 'old' }));

    const scenario: ScenarioInput = {
      name: 'faults',
      defaults: { ratePerSecond: 7, goodWithinMs, timeouts: { connectMs: 900, totalMs: 3000 } },
      services: [
        { name: 'plain', url: `http://plain.shop.test:${plainPort}/ready` },
        { name: 'secure', url: `https://secure.shop.test:${tlsPort}/ready`, tls: { ca: caPath } },
        {
          name: 'slow',
          url: `http://slow.shop.test:${slowPort}/report`,
          goodWithinMs: patienceMs['slow'] ?? 0,
          timeouts: { totalMs: 12_000 },
        },
        { name: 'pair', url: `http://pair.shop.test:${pairPort}/ready`, ratePerSecond: 11 },
      ],
      // Networks, so that there is no lane for each address: nothing but the clients is probed.
      sides: { old: { addresses: ['127.0.1.0/24'] }, new: { addresses: ['127.0.2.0/24'] } },
      resolvers: [{ name: 'dns', address: `127.0.0.1:${named.port}` }],
      authorities: 'none',
      clients: {
        'keep-alive': 1,
        turns: { weight: 1, resolve: 'per-connection', connect: 'new', choose: 'round-robin' },
      },
    };
    const run = stack.use(await startRun(scenario));
    await run.probing();
    await Promise.all([
      onPlain(plain, cutBodies.port),
      sleepMs(quietMs).then(async () => {
        const begins = await bracketOf(() => reload(secure, { certificate: leaves.wrong }));
        await sleepMs(1700);
        const ends = await bracketOf(() => reload(secure, { certificate: leaves.right }));
        faults.set('certificate', { service: 'secure', begins, ends });
      }),
      sleepMs(2 * slowAnswerMs).then(async () => {
        const begins = await bracketOf(() => slow.stop('SIGKILL'));
        await sleepMs(2000);
        const ends = await bracketOf(() => slow.start());
        faults.set('slow', { service: 'slow', begins, ends });
      }),
      sleepMs(quietMs).then(async () => {
        const begins = await bracketOf(() => second.stop('SIGKILL'));
        await sleepMs(30_000);
        dead = { begins, ends: await bracketOf(() => second.start()) };
        await sleepMs(quietMs);
      }),
    ]);
    // Nothing changed, so the run may say no more than that.
    expect(await run.interrupt()).toEqual({ exitCode: 4, signal: null });
    evidence = readEvidence(run.path);
    report = readReport(run.path);
  }, 120_000);
  afterAll(() => stack.disposeAsync());

  /** One after the other, on the service without TLS. */
  async function onPlain(nginx: Nginx, cutBodiesPort: number): Promise<void> {
    const { answer = 'return 200 "ok\\n";' } = nginx.conf;
    async function fault(
      name: FaultName,
      lengthMs: number,
      deeds: { readonly begin: () => void | Promise<void>; readonly end: () => unknown },
      more: Partial<Fault> = {},
    ): Promise<void> {
      await sleepMs(quietMs);
      const begins = await bracketOf(deeds.begin);
      await sleepMs(lengthMs);
      faults.set(name, { service: 'plain', begins, ends: await bracketOf(deeds.end), ...more });
    }
    const reloaded = (other: string): { begin: () => Promise<void>; end: () => Promise<void> } => ({
      begin: () => reload(nginx, { answer: other }),
      end: () => reload(nginx, { answer }),
    });
    const [address = '', port] = [nginx.conf.addresses[0], nginx.conf.httpPort];
    const paused = {
      begin: () => nginx.pause(),
      end: async () => {
        // Waits behind all others, so that when it is answered they are.
        const lastInLine = fetch(`http://${address}:${port}/`);
        await sleepMs(20);
        nginx.resume();
        await lastInLine;
      },
    };
    await fault('killed', 1300, { begin: () => nginx.stop('SIGKILL'), end: () => nginx.start() });
    await fault('pausedShort', goodWithinMs - 230, paused, { isAnsweredAtEnd: true });
    await fault('pausedLong', goodWithinMs + 1190, paused, { isAnsweredAtEnd: true });
    await fault('error503', 1210, reloaded('return 503;'));
    await fault('reset', 1090, reloaded(answerByReset));
    await fault('truncated', 970, reloaded(`proxy_pass http://127.0.0.1:${cutBodiesPort};`));
    let unfilter: AsyncDisposable | null = null;
    await fault(
      'unanswered',
      2300,
      (await canFilterPackets())
        ? {
            begin: async () => {
              unfilter = await filterPackets('drop', address, port);
            },
            end: () => unfilter?.[Symbol.asyncDispose](),
          }
        : {
            begin: async () => {
              await nginx.stop('SIGKILL');
              unfilter = await startFullListener(address, port);
            },
            end: async () => {
              await unfilter?.[Symbol.asyncDispose]();
              await nginx.start();
            },
          },
    );
    await sleepMs(quietMs);
  }

  /** Evidence and report of one lane; `slots` in order of their due instants. */
  function laneOf(service: string, client: string) {
    const lane = evidence.lanes.find((one) => one.service === service && one.client === client);
    const reported = report.lanes.find((one) => one.service === service && one.client === client);
    if (lane === undefined || reported === undefined) throw new Error(`no lane of ${service} and ${client}`);
    return { intervalMs: 1000 / lane.ratePerSecond, slots: slotRows(evidence, lane), reported };
  }

  function faultOf(name: FaultName): Fault {
    const fault = faults.get(name);
    if (fault === undefined) throw new Error(`${names[name]}: not made`);
    return fault;
  }

  const clients = [
    { client: 'turns', connections: 'new' },
    { client: 'keep-alive', connections: 'kept' },
  ] as const;
  const cases = (Object.keys(names) as FaultName[]).flatMap((name) =>
    clients.map((one) => ({ name, fault: names[name], ...one })),
  );

  test.for(cases)(
    '$fault: just the slots whose requests would fail did, on $connections connections',
    ({ name, client }) => {
      const fault = faultOf(name);
      const { slots } = laneOf(fault.service, client);
      const { surely, possibly } = truthOf(fault, slots);
      const [first, last] = [possibly[0] - quietMs / 2, possibly[1] + quietMs / 2];
      const near = slots.filter(({ dueMs }) => dueMs > first && dueMs < last);
      const wrong = near.filter((row) => {
        if (isWithin(row.dueMs, surely)) return row.what !== 'dropped' && !hasFailed(row, fault.service);
        return !isWithin(row.dueMs, possibly) && hasFailed(row, fault.service);
      });
      expect(wrong).toEqual([]);
      if (name !== 'pausedShort') expect(near.filter((row) => isWithin(row.dueMs, surely)).length).toBeGreaterThan(4);
    },
  );

  test.for(cases.filter(({ name }) => name !== 'pausedShort'))(
    '$fault: one outage, its bounds hold the truth and are no wider than they must be, on $connections connections',
    ({ name, client }) => {
      const fault = faultOf(name);
      const { slots, reported, intervalMs } = laneOf(fault.service, client);
      const { surely, possibly } = truthOf(fault, slots);
      const found = reported.outages.filter(
        (one) => Date.parse(one.lastFailedAt) > possibly[0] && Date.parse(one.firstFailedAt) < possibly[1],
      );
      expect(found).toHaveLength(1);
      const [outage] = found;
      if (outage === undefined) return;

      // The truth, as far as the test can know it, is some length between these two.
      expect(outage.downMsMin).toBeLessThan(possibly[1] - possibly[0]);
      expect(outage.downMsMax).toBeGreaterThan(surely[1] - surely[0]);
      expect(outage.faultMsMin).toBeLessThan(fault.ends[1] - fault.begins[0] + clockMs);
      expect(outage.faultMsMax).toBeGreaterThan(fault.ends[0] - fault.begins[1] - clockMs);

      const failed = slots.filter((row) => isWithin(row.dueMs, possibly) && hasFailed(row, fault.service));
      const [firstFailed, lastFailed] = [failed[0] as EvidenceRow, failed.at(-1) as EvidenceRow];
      const isGood = (row: EvidenceRow): boolean => row.what === 'answered' && !hasFailed(row, fault.service);
      const lastGood = slots.findLast((row) => row.dueMs < firstFailed.dueMs && isGood(row)) as EvidenceRow;
      const firstGood = slots.find((row) => row.dueMs > lastFailed.dueMs && isGood(row)) as EvidenceRow;
      expect(outage.downMsMin).toBeCloseTo(lastFailed.dueMs - firstFailed.dueMs, 2);
      expect(outage.downMsMax).toBeCloseTo(firstGood.dueMs - lastGood.dueMs, 2);
      expect(outage.faultMsMin).toBeCloseTo(Math.max(0, lastFailed.dueMs - firstFailed.endedMs), 2);
      expect(outage.faultMsMax).toBeCloseTo(firstGood.endedMs - lastGood.dueMs, 2);
      // Where every slot was sent, that is one interval on each side.
      const unseenCount = outage.slotCount - outage.failedCount;
      if (unseenCount === 0) expect(outage.downMsMax - outage.downMsMin).toBeLessThan(2.01 * intervalMs);
      expect(outage.failedCount).toBe(failed.length);
      expect(outage.openAtEnd).toBe(false);
      expect(Object.keys(outage.classes)[0]).toBe(classOf[name]);
    },
  );

  test('nothing fails outside of a fault, and what one service suffers no other does', () => {
    for (const service of ['plain', 'secure', 'slow']) {
      for (const { client } of clients) {
        const { slots } = laneOf(service, client);
        const truths = [...faults.values()].filter((one) => one.service === service).map((one) => truthOf(one, slots));
        const astray = slots.filter(
          (row) => hasFailed(row, service) && !truths.some(({ possibly }) => isWithin(row.dueMs, possibly)),
        );
        expect(astray).toEqual([]);
      }
    }
  });

  test('one of two addresses dead for 30 s is one impaired span that names it, and not 150 outages', () => {
    const { reported, intervalMs } = laneOf('pair', 'turns');
    expect(reported.outages).toEqual([]);
    expect(reported.impaired).toMatchObject([{ failedAddresses: ['127.0.1.5'] }]);
    const [span] = reported.impaired;
    if (span === undefined) return;
    expect(span.failedCount).toBeGreaterThan(120);
    expect(span.failedShare).toBeGreaterThan(0.4);
    expect(span.failedShare).toBeLessThan(0.6);
    // Every other connection goes there, or two in a row where the order of the answer changes.
    const noiseMs = clockMs + 4 * intervalMs;
    expect(Math.abs(Date.parse(span.fromAt) - dead.begins[0])).toBeLessThan(noiseMs);
    expect(Math.abs(Date.parse(span.toAt) - dead.ends[1])).toBeLessThan(noiseMs);
    expect(Object.keys(span.causes)).toEqual(['address-down']);
    expect(reported.byAddress.map(({ address, failed }) => [address, failed > 0])).toEqual([
      ['127.0.1.4', false],
      ['127.0.1.5', true],
    ]);
  });
});

/** What most of the fault's failures are. */
const classOf: Readonly<Record<FaultName, string>> = {
  killed: 'connect-refused',
  pausedShort: '',
  pausedLong: 'too-slow',
  error503: '5xx-nginx',
  reset: 'reset',
  truncated: 'truncated',
  unanswered: 'connect-timed-out',
  certificate: 'tls-failed',
  slow: 'closed-before-answer',
};

/** An old worker says that it shuts down a moment before it closes the connections on which nothing is under way. */
async function reload(nginx: Nginx, change: Partial<NginxConf>): Promise<void> {
  await nginx.reload(change);
  await sleepMs(20);
}

async function bracketOf(deed: () => unknown): Promise<Bracket> {
  const from = Date.now();
  await deed();
  return [from, Date.now()];
}

function isWithin(ms: number, [from, to]: Bracket): boolean {
  return ms >= from && ms <= to;
}

/** By the test's own reading of a row. Only what was sent can fail. */
function hasFailed(row: EvidenceRow, service: string): boolean {
  if (row.what === 'dropped') return false;
  return row.what !== 'answered' || row.status !== 200 || row.responseMs > (patienceMs[service] ?? goodWithinMs);
}

/**
 * The due instants whose requests surely fail, and those whose requests possibly do. A request fails if it is under way
 * when the fault begins, or begins while it lasts; where the fault ends with an answer for all who wait, only if that is
 * too late for it. How long a request takes, and how late the prober was, is taken from the slots themselves.
 */
function truthOf(
  fault: Fault,
  slots: readonly EvidenceRow[],
): { readonly surely: Bracket; readonly possibly: Bracket } {
  const { begins, ends } = fault;
  const before = slots.filter((row) => isWithin(row.endedMs, [begins[0] - quietMs / 2, begins[0]]));
  const responsesMs = before.map((row) => row.responseMs);
  const around = slots.filter((row) => isWithin(row.dueMs, [begins[0] - quietMs / 2, ends[1] + quietMs / 2]));
  const noiseMs = clockMs + Math.max(...around.map((row) => row.lateUs / 1000));
  const answeredMs = fault.isAnsweredAtEnd === true ? (patienceMs[fault.service] ?? goodWithinMs) : 0;
  return {
    surely: [begins[1] - Math.min(...responsesMs) + noiseMs, ends[0] - answeredMs - noiseMs],
    possibly: [begins[0] - Math.max(...responsesMs) - noiseMs, ends[1] - answeredMs + noiseMs],
  };
}
