/**
 * Faults whose beginning and end the test knows, because it makes them. One watch, several services, so that what one
 * suffers is seen not to touch another; each fault is then held against what the report says of it.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../src/report/report-json.ts';
import type { ScenarioInput } from '../../src/scenario/input.ts';
import { readEvidence, readReport, slotRows, startRun, type Evidence, type EvidenceRow } from './cutwatch-run.ts';
import {
  around,
  bracketOf,
  clockMs,
  hasFailed,
  isGood,
  isWithin,
  quietMs,
  truthOf,
  type Fault,
} from './fault-truth.ts';
import { makeCertificates } from './servers/certificates.ts';
import { describeReal } from './servers/describe-real.ts';
import { startNamed } from './servers/named.ts';
import { answerByReset, type NginxConf } from './servers/nginx-conf.ts';
import { startNginx, type Nginx } from './servers/nginx.ts';
import { canFilterPackets, filterPackets, startFullListener } from './servers/packets.ts';
import { freePorts } from './servers/ports.ts';
import { answers, startRawServer, truncates } from './servers/raw-server.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';

const goodWithinMs = 700;
/** Of the service whose every request takes 5 s. */
const slowAnswerMs = 5000;

/** What it is, for whom, and what most of its failures are called; '' = nobody fails. */
const kinds = {
  killed: { title: 'nginx is killed, and started again', service: 'plain', class: 'connect-refused' },
  pausedShort: { title: `nginx stands still for less than ${goodWithinMs} ms`, service: 'plain', class: '' },
  pausedLong: { title: `nginx stands still for longer than ${goodWithinMs} ms`, service: 'plain', class: 'too-slow' },
  error503: { title: 'every answer is 503', service: 'plain', class: '5xx-nginx' },
  reset: { title: 'every request is answered by RST', service: 'plain', class: 'reset' },
  truncated: { title: 'every body is shorter than it says', service: 'plain', class: 'truncated' },
  unanswered: { title: 'no packet is answered', service: 'plain', class: 'connect-timed-out' },
  certificate: { title: 'the certificate is for another name', service: 'secure', class: 'tls-failed' },
  slow: { title: 'requests of 5 s are cut by an outage of 2 s', service: 'slow', class: 'closed-before-answer' },
} as const;
type Kind = keyof typeof kinds;

describeReal('faults with a known beginning and end', ['nginx', 'named', 'nsupdate', 'openssl'], () => {
  const stack = new AsyncDisposableStack();
  const faults = new Map<Kind, Fault>();
  let deadAddress: Fault = { begins: [0, 0], ends: [0, 0] };
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
          goodWithinMs: slowAnswerMs + 1000,
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
        faults.set('certificate', { begins, ends });
      }),
      sleepMs(2 * slowAnswerMs).then(async () => {
        const begins = await bracketOf(() => slow.stop('SIGKILL'));
        await sleepMs(2000);
        const ends = await bracketOf(() => slow.start());
        faults.set('slow', { begins, ends });
      }),
      sleepMs(quietMs).then(async () => {
        const begins = await bracketOf(() => second.stop('SIGKILL'));
        await sleepMs(30_000);
        deadAddress = { begins, ends: await bracketOf(() => second.start()) };
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
      kind: Kind,
      lengthMs: number,
      deeds: { readonly begin: () => void | Promise<void>; readonly end: () => unknown },
      isAnsweredAtEnd = false,
    ): Promise<void> {
      await sleepMs(quietMs);
      const begins = await bracketOf(deeds.begin);
      await sleepMs(lengthMs);
      faults.set(kind, { begins, ends: await bracketOf(deeds.end), isAnsweredAtEnd });
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
    await fault('pausedShort', goodWithinMs - 230, paused, true);
    await fault('pausedLong', goodWithinMs + 1190, paused, true);
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
    return { lane, reported, slots: slotRows(evidence, lane), withinMs: lane.check.goodWithinMs };
  }

  function faultOf(kind: Kind): Fault {
    const fault = faults.get(kind);
    if (fault === undefined) throw new Error(`${kind}: not made`);
    return fault;
  }

  /** A stall of our own makes slots unseen: bounds are wider then, and still hold the truth. */
  function wasOurselvesStalled({ begins, ends }: Fault): boolean {
    const { startedAtMs } = evidence.started;
    return evidence.entries.some(
      (entry) =>
        entry.type === 'prober-stalled' &&
        startedAtMs + entry.toNs / 1e6 > begins[0] &&
        startedAtMs + entry.fromNs / 1e6 < ends[1] + quietMs / 2,
    );
  }

  const clients = [
    { client: 'turns', connections: 'new' },
    { client: 'keep-alive', connections: 'kept' },
  ] as const;
  const cases = (Object.keys(kinds) as Kind[]).flatMap((kind) =>
    clients.map((one) => ({ kind, ...kinds[kind], ...one })),
  );

  test.for(cases)(
    '$title, on $connections connections: just the slots whose requests would fail did',
    ({ kind, client, service, class: failureClass }) => {
      const fault = faultOf(kind);
      const { slots, withinMs } = laneOf(service, client);
      const { surely, possibly } = truthOf(fault, slots, withinMs);
      const near = around(fault, slots);
      const mustFail = near.filter((row) => isWithin(row.dueMs, surely));
      const mustBeGood = near.filter((row) => !isWithin(row.dueMs, possibly));
      expect(mustFail.filter((row) => isGood(row, withinMs))).toEqual([]);
      expect(mustBeGood.filter((row) => hasFailed(row, withinMs))).toEqual([]);
      if (failureClass !== '') expect(mustFail.length).toBeGreaterThan(1);
    },
  );

  test.for(cases.filter((one) => one.class !== ''))(
    '$title, on $connections connections: one outage, whose bounds hold the truth and are no wider than they must be',
    ({ kind, client, service, class: failureClass }) => {
      const fault = faultOf(kind);
      const { lane, slots, reported, withinMs } = laneOf(service, client);
      const { surely, possibly } = truthOf(fault, slots, withinMs);
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
      expect(outage.openAtEnd).toBe(false);
      expect(Object.keys(outage.classes)[0]).toBe(failureClass);
      if (wasOurselvesStalled(fault)) return;

      const failed = slots.filter((row) => isWithin(row.dueMs, possibly) && hasFailed(row, withinMs));
      const [firstFailed, lastFailed] = [failed[0] as EvidenceRow, failed.at(-1) as EvidenceRow];
      const good = slots.filter((row) => isGood(row, withinMs));
      const lastGood = good.findLast((row) => row.dueMs < firstFailed.dueMs) as EvidenceRow;
      const firstGood = good.find((row) => row.dueMs > lastFailed.dueMs) as EvidenceRow;
      expect(outage.failedCount).toBe(failed.length);
      expect(outage.downMsMin).toBeCloseTo(lastFailed.dueMs - firstFailed.dueMs, 2);
      expect(outage.downMsMax).toBeCloseTo(firstGood.dueMs - lastGood.dueMs, 2);
      expect(outage.faultMsMin).toBeCloseTo(Math.max(0, lastFailed.dueMs - firstFailed.endedMs), 2);
      expect(outage.faultMsMax).toBeCloseTo(firstGood.endedMs - lastGood.dueMs, 2);
      // Where every slot was sent, that is one interval on each side.
      const intervalMs = 1000 / lane.ratePerSecond;
      const isAllSent = slots.every(
        (row) => row.what !== 'dropped' || !isWithin(row.dueMs, [lastGood.dueMs, firstGood.dueMs]),
      );
      if (isAllSent) expect(outage.downMsMax - outage.downMsMin).toBeCloseTo(2 * intervalMs, 2);
    },
  );

  test('nothing fails outside of a fault, and what one service suffers no other does', () => {
    for (const service of ['plain', 'secure', 'slow']) {
      for (const { client } of clients) {
        const { slots, withinMs } = laneOf(service, client);
        const truths = [...faults]
          .filter(([kind]) => kinds[kind].service === service)
          .map(([, fault]) => truthOf(fault, slots, withinMs));
        const isInFault = (row: EvidenceRow): boolean => truths.some(({ possibly }) => isWithin(row.dueMs, possibly));
        expect(slots.filter((row) => hasFailed(row, withinMs) && !isInFault(row))).toEqual([]);
      }
    }
  });

  test('one of two addresses dead for 30 s is one impaired span that names it, and not 150 outages', () => {
    const { reported, lane } = laneOf('pair', 'turns');
    expect(reported.outages).toEqual([]);
    expect(reported.impaired).toMatchObject([{ failedAddresses: ['127.0.1.5'] }]);
    const [span] = reported.impaired;
    if (span === undefined) return;
    expect(span.failedCount).toBeGreaterThan(120);
    expect(span.failedShare).toBeGreaterThan(0.4);
    expect(span.failedShare).toBeLessThan(0.6);
    // Every other connection goes there, or two in a row where the order of the answer changes.
    const fewSlotsMs = 4 * (1000 / lane.ratePerSecond);
    const { begins, ends } = deadAddress;
    expect(isWithin(Date.parse(span.fromAt), [begins[0] - clockMs, begins[1] + fewSlotsMs])).toBe(true);
    expect(isWithin(Date.parse(span.toAt), [ends[0] - fewSlotsMs, ends[1] + clockMs])).toBe(true);
    expect(Object.keys(span.causes)).toEqual(['address-down']);
    expect(reported.byAddress.map(({ address, failed }) => [address, failed > 0])).toEqual([
      ['127.0.1.4', false],
      ['127.0.1.5', true],
    ]);
  });
});

/** An old worker says that it shuts down a moment before it closes the connections on which nothing is under way. */
async function reload(nginx: Nginx, change: Partial<NginxConf>): Promise<void> {
  await nginx.reload(change);
  await sleepMs(20);
}
