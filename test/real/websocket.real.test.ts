/**
 * One held WebSocket through a real nginx: its reload, its end, its standing still, and a server behind it that closes, or
 * falls silent. What the server behind saw is the truth.
 */
import type { Socket } from 'node:net';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isRight } from '../../src/core/outcome.ts';
import type { Report } from '../../src/report/report-json.ts';
import { controlFrame } from '../../src/wire/websocket-frame.ts';
import { answerFrame, startWebSocketServer, type WebSocketServer } from '../net/websocket-server.ts';
import {
  readEvidence,
  readReport,
  slotRows,
  startRun,
  traceEnd,
  type Evidence,
  type EvidenceRow,
} from './cutwatch-run.ts';
import { makeCertificates } from './servers/certificates.ts';
import { describeReal } from './servers/describe-real.ts';
import { startNginx } from './servers/nginx.ts';
import { freePorts } from './servers/ports.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';
import { waitUntil } from './servers/wait-until.ts';

const ratePerSecond = 20;
const totalMs = 2100;
const goodWithinMs = 1900;
const pausedMs = 1200;
const downMs = 600;

type Span = readonly [fromMs: number, toMs: number];

describeReal('a WebSocket through nginx', ['nginx', 'openssl'], () => {
  const stack = new AsyncDisposableStack();
  let server: WebSocketServer;
  let evidence: Evidence;
  let report: Report;
  let rows: readonly EvidenceRow[];
  /** When each was done, until all was over, wall clock. */
  const spans: Record<'reloaded' | 'closed' | 'down' | 'paused' | 'silent', Span> = {
    reloaded: [0, 0],
    closed: [0, 0],
    down: [0, 0],
    paused: [0, 0],
    silent: [0, 0],
  };

  async function during(name: keyof typeof spans, act: () => unknown): Promise<void> {
    const fromMs = Date.now();
    await act();
    spans[name] = [fromMs, Date.now()];
    await sleepMs(1100);
  }

  beforeAll(async () => {
    const folder = stack.use(await makeTemporaryFolder());
    const address = '127.0.1.1';
    const { leaves, caPath } = await makeCertificates(folder.path, { side: [address] });
    const [httpPort = 0, tlsPort = 0] = await freePorts(2);
    const muted = new WeakSet<Socket>();
    server = stack.use(
      await startWebSocketServer({
        head: (right) => ({ 'X-App': 'live', ...right }),
        onFrame: (frame, socket) => void (muted.has(socket) || answerFrame(frame, socket)),
      }),
    );
    const pass = 'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;';
    const nginx = stack.use(
      await startNginx({
        addresses: [address],
        httpPort,
        tlsPort,
        certificate: leaves.side,
        side: 'old',
        answer: `if ($http_upgrade = "") { return 426; } ${pass} proxy_pass http://127.0.0.1:${server.port};`,
      }),
    );
    const url = `wss://${address}:${tlsPort}/live`;
    const run = stack.use(
      await startRun(
        {
          name: 'held',
          defaults: { ratePerSecond, goodWithinMs, timeouts: { connectMs: 500, totalMs } },
          services: [
            { name: 'shop', url, tls: { ca: caPath }, expect: { header: { 'x-app': 'live', 'x-served-by': 'old' } } },
          ],
          sides: { old: { addresses: ['127.0.1.0/24'] }, new: { addresses: ['127.0.2.0/24'] } },
          authorities: 'none',
          clients: { feed: { connect: 'held' } },
        },
        { args: ['--max-rate', '60'] },
      ),
    );
    await run.probing();
    await sleepMs(1100);
    await during('reloaded', () => nginx.reload({}));
    await during('closed', async () => {
      for (const socket of server.openSockets) socket.write(controlFrame('close', Buffer.from([0x03, 0xf4]), null));
      await waitUntil('the session is another', () => server.requests.length === 2);
    });
    await during('down', async () => {
      await nginx.stop('SIGTERM');
      await sleepMs(downMs);
      await nginx.start();
    });
    await during('paused', async () => {
      nginx.pause();
      await sleepMs(pausedMs);
      nginx.resume();
    });
    await during('silent', async () => {
      const countBefore = server.requests.length;
      for (const socket of server.openSockets) muted.add(socket);
      await waitUntil('the session is given up', () => server.requests.length > countBefore, { withinMs: 10_000 });
      // Those under way have their own time.
      await sleepMs(totalMs);
    });
    await run.interrupt();
    evidence = readEvidence(run.path);
    report = readReport(run.path);
    const [lane] = evidence.lanes;
    rows = lane === undefined ? [] : slotRows(evidence, lane);
  }, 60_000);
  afterAll(() => stack.disposeAsync());

  const inSpan = (row: EvidenceRow, [fromMs, toMs]: Span): boolean => row.endedMs >= fromMs && row.sentMs <= toMs + 150;
  const isOpening = (row: EvidenceRow): boolean => row.connectionAgeMs === 0 && row.status === 101;

  test('each slot that was good is a ping that the server saw, or the upgrade of a session', () => {
    expect(rows.length).toBeGreaterThan(150);
    const { runId } = evidence.started;
    const pings = new Set(server.frames.flatMap(({ kind, text }) => (kind === 'ping' ? [text.slice(-24)] : [])));
    const good = rows.filter((row) => row.what === 'answered');
    expect(good.filter((row) => !isOpening(row) && !pings.has(traceEnd(runId, row)))).toEqual([]);
    expect(good.every((row) => row.status === 101 && isRight(row.checks))).toBe(true);
    // All of one run, and none twice.
    expect(pings.size).toBe(server.frames.filter(({ kind }) => kind === 'ping').length);
  });

  test('the server saw as many upgrades as there are sessions and fresh checks, and no other request', () => {
    const opened = evidence.rows.filter((row) => row.status === 101 && row.connectionAgeMs === 0);
    expect(server.requests.length).toBe(opened.length);
    expect(server.requests.every((head) => head.startsWith('GET /live HTTP/1.1'))).toBe(true);
    // First, after the close frame, after nginx was gone, after the silence.
    expect(rows.filter(isOpening).length).toBe(4);
  });

  test('a reload keeps the session: no slot fails, and it grows older', () => {
    const around = rows.filter((row) => inSpan(row, [spans.reloaded[0] - 700, spans.reloaded[1] + 700]));
    expect(around.every((row) => row.what === 'answered' && row.connectionAgeMs > 0)).toBe(true);
    expect(new Set(around.map((row) => row.localPort)).size).toBe(1);
  });

  test('a close frame ends it, said in the journal or by the pings under way; the next slot opens another', () => {
    const around = rows.filter((row) => inSpan(row, spans.closed));
    const failed = around.filter((row) => row.what !== 'answered');
    const closed = evidence.entries.filter((entry) => entry.type === 'connection-closed');
    expect(failed.every((row) => row.what === 'closed-before-answer')).toBe(true);
    expect(failed.length + closed.length).toBeGreaterThan(0);
    expect(around.filter(isOpening).length).toBe(1);
  });

  test('an nginx that is gone ends it, and refuses until it is back', () => {
    const around = rows.filter((row) => inSpan(row, spans.down));
    expect(new Set(around.map(({ what }) => what))).toContain('connect-refused');
    expect(around.filter(isOpening).length).toBe(1);
    const refused = around.filter((row) => row.what === 'connect-refused');
    expect(refused.length).toBeGreaterThan((downMs / 1000) * ratePerSecond - 4);
  });

  test('pings that wait for a paused nginx are answered late, on the same session', () => {
    const around = rows.filter((row) => inSpan(row, spans.paused));
    expect(around.every((row) => row.what === 'answered' && row.connectionAgeMs > 0)).toBe(true);
    expect(Math.max(...around.map((row) => row.responseMs))).toBeGreaterThan(pausedMs - 300);
  });

  test('a server that falls silent: each ping has its own time, then it is called a kept connection', () => {
    const hung = rows.filter((row) => inSpan(row, spans.silent) && row.what === 'first-byte-timed-out');
    expect(hung.length).toBeGreaterThan(totalMs / (1000 / ratePerSecond) - 6);
    for (const row of hung) expect(row.responseMs).toBeGreaterThanOrEqual(totalMs);
    const [lane] = report.lanes;
    const causes = lane?.outages.flatMap((outage) => Object.keys(outage.causes)) ?? [];
    expect(causes).toContain('kept-connection');
    expect(lane?.sides).toMatchObject({ new: 0, conflict: 0 });
  });
});
