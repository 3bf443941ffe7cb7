/**
 * HTTP/2 through reloads of nginx. Clients and libraries like to send again, unasked, what a GOAWAY or a REFUSED_STREAM
 * turned away; a prober that does so hides what users of plainer clients see.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkBits } from '../../src/core/outcome.ts';
import { parts } from '../../src/core/row.ts';
import { readEvidence, readReport, startRun, traceEnd, type Evidence, type EvidenceRow } from './cutwatch-run.ts';
import { makeCertificates } from './servers/certificates.ts';
import { describeReal } from './servers/describe-real.ts';
import type { AccessEntry } from './servers/nginx-conf.ts';
import { startNginx } from './servers/nginx.ts';
import { freePorts } from './servers/ports.ts';
import { answers, startRawServer } from './servers/raw-server.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';
import { waitUntil } from './servers/wait-until.ts';

const reloadCount = 5;
const streamCountMax = 8;

describeReal('HTTP/2 through reloads of nginx', ['nginx', 'openssl'], () => {
  const stack = new AsyncDisposableStack();
  let path = '';
  let evidence: Evidence;
  let log: readonly AccessEntry[];
  let errorLog: string;

  beforeAll(async () => {
    const folder = stack.use(await makeTemporaryFolder());
    const address = '127.0.1.1';
    const { leaves, caPath } = await makeCertificates(folder.path, { side: [address] });
    const [httpPort = 0, tlsPort = 0] = await freePorts(2);
    // Slow enough that requests are under way whenever a reload comes.
    const app = stack.use(await startRawServer(answers('ok', { afterMs: 37 })));
    const nginx = stack.use(
      await startNginx({
        addresses: [address],
        httpPort,
        tlsPort,
        certificate: leaves.side,
        isHttp2Offered: true,
        side: 'old',
        answer: `proxy_pass http://127.0.0.1:${app.port};`,
        more: `http2_max_concurrent_streams ${streamCountMax}; error_log error.log info;`,
      }),
    );
    nginx.pause();
    const run = stack.use(
      await startRun(
        {
          name: 'http2',
          defaults: { ratePerSecond: 50 },
          services: [{ name: 'shop', url: `https://${address}:${tlsPort}/ready`, tls: { ca: caPath } }],
          sides: { old: { addresses: ['127.0.1.0/24'] }, new: { addresses: ['127.0.2.0/24'] } },
          authorities: 'none',
          clients: { multiplexing: { resolve: 'once', connect: 'http2', judged: true } },
        },
        { args: ['--max-rate', '60'] },
      ),
    );
    // All slots of the first moment wait for one handshake, and then come at once: more streams than nginx allows, before
    // it could say so.
    await waitUntil('the run has begun', () => {
      try {
        return readEvidence(run.path).started !== null;
      } catch {
        return false;
      }
    });
    await sleepMs(700);
    nginx.resume();
    for (let i = 0; i < reloadCount; i += 1) {
      await sleepMs(1700);
      await nginx.reload({});
    }
    await sleepMs(1700);
    await run.interrupt();
    path = run.path;
    evidence = readEvidence(path);
    await nginx.stop('SIGQUIT');
    log = await nginx.accessLog();
    errorLog = await nginx.errorLog();
  });
  afterAll(() => stack.disposeAsync());

  test('no request is sent twice, and what was turned away was not sent again', () => {
    const { runId } = evidence.started;
    const requests = log.map((entry) => entry.traceId.slice(-24));
    expect(new Set(requests).size).toBe(requests.length);
    const rows = new Map(evidence.rows.map((row) => [traceEnd(runId, row), row]));
    expect(requests.filter((request) => !rows.has(request))).toEqual([]);

    const seen = new Set(requests);
    const answered = evidence.rows.filter((row) => row.what === 'answered');
    expect(answered.length).toBeGreaterThan(400);
    expect(answered.filter((row) => !seen.has(traceEnd(runId, row)))).toEqual([]);
    const turnedAway = evidence.rows.filter((row) => row.what === 'goaway' || row.what === 'refused-stream');
    expect(turnedAway.filter((row) => seen.has(traceEnd(runId, row)))).toEqual([]);
  });

  test('each connection ends with the GOAWAY of a reload, and each GOAWAY is seen', () => {
    const slots = evidence.rows.filter((row) => row.part === parts.slot && row.localPort !== 0);
    const connections = Map.groupBy(slots, (row) => row.localPort);
    expect(connections.size).toBe(reloadCount + 1);
    // With a request under way its row says so, without one the journal does.
    const saysSo = (row: EvidenceRow): boolean => row.what === 'goaway' || (row.checks & checkBits.serverClosed) !== 0;
    const saidByRows = [...connections.values()].filter((rows) => rows.some(saysSo));
    const closed = evidence.entries.filter((entry) => entry.type === 'connection-closed');
    expect(closed.filter((entry) => entry.why !== 'goaway')).toEqual([]);
    expect(saidByRows.length + closed.length).toBe(reloadCount);
  });

  test('what a GOAWAY still covers is waited for', () => {
    // nginx logs 499 for a request whose client has gone.
    expect(log.filter((entry) => entry.status === 499)).toEqual([]);
  });

  test('each REFUSED_STREAM is a failed slot', () => {
    const refusedCount = errorLog.split('concurrent streams exceeded').length - 1;
    expect(refusedCount).toBeGreaterThan(5);
    expect(evidence.rows.filter((row) => row.what === 'refused-stream')).toHaveLength(refusedCount);
    const [lane] = readReport(path).lanes;
    expect(lane?.classes['refused-stream']).toBe(refusedCount);
  });
});
