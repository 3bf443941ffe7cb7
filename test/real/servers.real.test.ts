import { execFile } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { makeCertificates } from './servers/certificates.ts';
import { describeReal } from './servers/describe-real.ts';
import { findProgram, programPath } from './servers/installed.ts';
import { isAlive } from './servers/own-process.ts';
import { addLoopbackAddress } from './servers/loopback-address.ts';
import { startNamed } from './servers/named.ts';
import { answerByReset } from './servers/nginx-conf.ts';
import { startNginx } from './servers/nginx.ts';
import { canFilterPackets, filterPackets, startFullListener } from './servers/packets.ts';
import { freePorts } from './servers/ports.ts';
import {
  answers,
  closesWithoutAnswer,
  neverAnswers,
  neverEnds,
  resets,
  startRawServer,
  truncates,
} from './servers/raw-server.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';
import { startUnbound } from './servers/unbound.ts';
import { waitUntil } from './servers/wait-until.ts';

const hostname = 'orders.shop.test';

describeReal('two sides', ['nginx', 'openssl'], () => {
  test('answer on the same ports of two addresses, by HTTP and TLS, each by its name', async () => {
    await using folder = await makeTemporaryFolder();
    const { leaves, caPem } = await makeCertificates(folder.path, { right: [hostname], wrong: ['other.test'] });
    const [httpPort = 0, tlsPort = 0] = await freePorts(2);
    const ports = { httpPort, tlsPort };
    await using old = await startNginx({ ...ports, addresses: ['127.0.1.1'], certificate: leaves.right, side: 'old' });
    await using _new = await startNginx({ ...ports, addresses: ['127.0.2.1'], certificate: leaves.wrong, side: 'new' });

    expect(await get('127.0.1.1', httpPort)).toEqual({ status: 200, servedBy: 'old', body: 'ok from old\n' });
    expect(await get('127.0.2.1', httpPort)).toEqual({ status: 200, servedBy: 'new', body: 'ok from new\n' });
    expect(await get('127.0.1.1', tlsPort, { caPem })).toMatchObject({ servedBy: 'old' });
    await expect(get('127.0.2.1', tlsPort, { caPem })).rejects.toThrow('ERR_TLS_CERT_ALTNAME_INVALID');

    // nginx writes the line after the answer.
    const [entry] = await waitUntil('the log has a line', async () => {
      const log = await old.accessLog();
      return log.length >= 2 && log;
    });
    expect(entry).toMatchObject({
      status: 200,
      request: 'GET /ready HTTP/1.1',
      traceId: 'Root=1-00000000-000000000000000000000001',
      connectionRequests: 1,
      isComplete: true,
    });
    expect(Math.abs((entry?.arrivedAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
  });
});

describeReal('nginx', ['nginx'], () => {
  test('stops, starts, pauses and changes its answers, and leaves nothing behind', async () => {
    const [httpPort = 0] = await freePorts(1);
    const address = '127.0.1.1';
    let pids: readonly number[] = [];
    {
      await using nginx = await startNginx({ addresses: [address], httpPort, side: 'old' });
      const { answer = 'return 204;' } = nginx.conf;

      await nginx.reload({ answer: 'return 503;' });
      expect(await get(address, httpPort)).toMatchObject({ status: 503, servedBy: 'old' });
      await nginx.reload({ answer: answerByReset });
      await expect(get(address, httpPort)).rejects.toThrow('ECONNRESET');
      await using cut = await startRawServer(truncates);
      await nginx.reload({ answer: `proxy_pass http://${cut.address}:${cut.port};` });
      await expect(get(address, httpPort)).rejects.toThrow('aborted');
      await nginx.reload({ answer });

      nginx.pause();
      await expect(get(address, httpPort, { withinMs: 300 })).rejects.toThrow('no answer within');
      nginx.resume();
      expect(await get(address, httpPort)).toMatchObject({ status: 204 });

      for (const signal of ['SIGTERM', 'SIGQUIT', 'SIGKILL'] as const) {
        await nginx.stop(signal);
        await expect(get(address, httpPort)).rejects.toThrow('ECONNREFUSED');
        await nginx.start();
      }
      expect(await get(address, httpPort)).toMatchObject({ status: 204 });
      pids = nginx.pids;
      // A paused one must not survive either: it takes no signal but SIGKILL.
      nginx.pause();
    }
    expect(pids).toHaveLength(2);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('an old worker that still owes an answer is not waited for', async () => {
    const [httpPort = 0] = await freePorts(1);
    await using slow = await startRawServer(answers('late', { afterMs: 1500 }));
    const answer = `proxy_pass http://${slow.address}:${slow.port};`;
    await using nginx = await startNginx({ addresses: ['127.0.1.1'], httpPort, side: 'old', answer });
    const late = get('127.0.1.1', httpPort);
    await waitUntil('the request is under way', () => slow.requestCount === 1);
    await nginx.reload({ answer: 'return 204;' });
    expect(await get('127.0.1.1', httpPort)).toMatchObject({ status: 204 });
    expect(await late).toMatchObject({ status: 200, body: 'late' });
  });
});

describeReal('DNS', ['named', 'nsupdate', 'unbound'], () => {
  test('a record that nsupdate has changed is seen through unbound when its TTL is over, and not before', async () => {
    await using named = await startNamed({ zone: 'shop.test', records: ['orders 5 A 127.0.1.1'] });
    const zone = { zone: 'shop.test', authorities: [named] };
    await using unbound = await startUnbound(zone);
    await using violator = await startUnbound({ ...zone, cacheTtlSMin: 20 });

    const before = await ask(unbound);
    expect(before).toMatchObject({ address: '127.0.1.1' });
    expect(before.ttl).toBeGreaterThan(2);
    expect(await ask(violator)).toMatchObject({ address: '127.0.1.1', ttl: 20 });

    await named.setAddresses(hostname, ['127.0.2.1'], 7);
    const changedAtMs = performance.now();
    expect(await ask(named)).toEqual({ address: '127.0.2.1', ttl: 7 });
    expect(await ask(unbound)).toMatchObject({ address: '127.0.1.1' });
    await waitUntil('unbound has it', async () => (await ask(unbound)).address === '127.0.2.1', { everyMs: 50 });
    // To the second below, since unbound counts whole ones; room above, for a busy machine.
    expect(performance.now() - changedAtMs).toBeGreaterThan(2000);
    expect(performance.now() - changedAtMs).toBeLessThan(6000);
    expect(await ask(violator)).toMatchObject({ address: '127.0.1.1' });
  });

  test('a script can switch it, as a wrapped command does', async () => {
    await using named = await startNamed({ zone: 'shop.test', records: ['orders 5 A 127.0.1.1'] });
    const nsupdate = promisify(execFile)(programPath('nsupdate'));
    nsupdate.child.stdin?.end(`${named.switchLines(hostname, ['127.0.2.1', '127.0.2.2'], 5).join('\n')}\n`);
    await nsupdate;
    expect(['127.0.2.1', '127.0.2.2']).toContain((await ask(named)).address);
  });

  test.skipIf(process.getuid?.() !== 0 || findProgram('ip') === null)(
    'an authority listens on a second address',
    async () => {
      await using _address = await addLoopbackAddress('127.0.3.1');
      await using named = await startNamed({
        zone: 'shop.test',
        records: ['orders 5 A 127.0.1.1'],
        address: '127.0.3.1',
      });
      expect(await ask(named)).toEqual({ address: '127.0.1.1', ttl: 5 });
    },
  );
});

test.for([
  { conduct: truncates, seen: 'aborted' },
  { conduct: resets, seen: 'ECONNRESET' },
  { conduct: closesWithoutAnswer, seen: 'ECONNRESET' },
  { conduct: neverAnswers, seen: 'no answer within' },
  { conduct: neverEnds, seen: 'no answer within' },
])('a raw server $conduct.name, and a client sees: $seen', async ({ conduct, seen }) => {
  await using server = await startRawServer(conduct);
  await expect(get(server.address, server.port, { withinMs: 300 })).rejects.toThrow(seen);
  expect(server.requestCount).toBe(1);
});

test('dropped packets get no answer, on a connection that is open too; reset ones a RST; then all is as before', async (context) => {
  if (!(await canFilterPackets())) return context.skip('needs nftables and the right to use it');
  await using server = await startRawServer(answers('ok'), '127.0.1.1');
  const { address, port } = server;
  {
    await using _dropped = await filterPackets('drop', address, port);
    await expect(get(address, port, { withinMs: 300 })).rejects.toThrow('no answer within');
  }
  {
    await using _reset = await filterPackets('reset', address, port);
    await expect(get(address, port)).rejects.toThrow('ECONNREFUSED');
  }
  expect(await get(address, port)).toMatchObject({ status: 200 });
});

test('a full listener lets nobody connect, and does not say no', async () => {
  const [port = 0] = await freePorts(1);
  {
    await using _full = await startFullListener('127.0.1.1', port);
    await expect(get('127.0.1.1', port, { withinMs: 300 })).rejects.toThrow('no answer within');
  }
  await expect(get('127.0.1.1', port)).rejects.toThrow('ECONNREFUSED');
});

interface Got {
  readonly status: number;
  readonly servedBy: string | undefined;
  readonly body: string;
}

/** One request on a connection of its own; rejects with the error's code or text. */
function get(
  address: string,
  port: number,
  { caPem, withinMs = 10_000 }: { readonly caPem?: string; readonly withinMs?: number } = {},
): Promise<Got> {
  const headers = { host: hostname, 'x-amzn-trace-id': 'Root=1-00000000-000000000000000000000001' };
  const options = { host: address, port, path: '/ready', headers, agent: false };
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(new Error(error.code ?? error.message));
    const request =
      caPem === undefined ? httpRequest(options) : httpsRequest({ ...options, ca: caPem, servername: hostname });
    // Not request.setTimeout, which starts only when it is connected.
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${withinMs} ms`)), withinMs);
    request.on('close', () => clearTimeout(timer));
    request.on('error', fail);
    request.on('response', (response) => {
      let body = '';
      response.on('data', (bytes: Buffer) => (body += bytes.toString()));
      response.on('error', (error) => reject(error));
      response.on('end', () => {
        const servedBy = response.headers['x-served-by'];
        resolve({ status: response.statusCode ?? 0, servedBy: servedBy?.toString(), body });
      });
    });
    request.end();
  });
}

async function ask(server: {
  readonly address: string;
  readonly port: number;
}): Promise<{ address: string; ttl: number }> {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  resolver.setServers([`${server.address}:${server.port}`]);
  const [first] = await resolver.resolve4(hostname, { ttl: true });
  if (first === undefined) throw new Error('no address');
  return first;
}
