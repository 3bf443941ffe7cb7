import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { Certificate } from './certificates.ts';
import type { DialResult, TlsSettings } from '../../src/core/ports.ts';
import { makeCertificates } from './certificates.ts';
import { clock, connectTo, dial, get, inMs } from './dialling.ts';
import { startFaultServer, type Conduct } from './fault-server.ts';

const certificates = makeCertificates();
const { caPem } = certificates;
const ok: Conduct = (socket, requestIndex) => {
  if (requestIndex !== null) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
};

function settings(more: Partial<TlsSettings> = {}): TlsSettings {
  return { serverName: 'shop.example', alpn: ['http/1.1'], caPem, ...more };
}

function failed(result: DialResult): Extract<DialResult, { kind: 'failed' }> {
  if (result.kind === 'connected') expect.fail('connected');
  return result;
}

describe('over TCP', () => {
  test('a connection knows where and when it came from', async () => {
    await using server = await startFaultServer(ok);
    const beforeNs = clock.nowNs();
    const connection = await connectTo(server.port);
    expect(connection).toMatchObject({
      address: '127.0.0.1',
      securedAtNs: 0,
      certificateSha256: '',
      alpn: '',
      tlsVersion: '',
    });
    expect(connection.dialledAtNs).toBeGreaterThanOrEqual(beforeNs);
    expect(connection.connectedAtNs).toBeGreaterThan(connection.dialledAtNs);
    expect([...server.openSockets][0]?.remotePort).toBe(connection.localPort);
    connection.close();
  });

  test('refused is refused, at once', async () => {
    const { port } = await startFaultServer(ok).then(async (server) => {
      await server[Symbol.asyncDispose]();
      return server;
    });
    const result = failed(await dial(port));
    expect(result).toMatchObject({
      outcome: 'connect-refused',
      error: 'ECONNREFUSED',
      connectedAtNs: 0,
      certificateSha256: '',
    });
    expect(result.endedAtNs).toBeGreaterThan(result.startedAtNs);
  });

  test('IPv6 is dialled by its address', async ({ skip }) => {
    const result = await dial(9, { address: '::1' });
    if (result.kind === 'failed' && result.error !== 'ECONNREFUSED') skip('this machine has no IPv6');
    expect(failed(result).outcome).toBe('connect-refused');
  });

  test('a network that cannot be reached is said by its code', async () => {
    expect(failed(await dial(9, { address: '255.255.255.255' }))).toMatchObject({
      outcome: 'connect-failed',
      error: /^E/,
    });
  });

  test('a listener that accepts nothing is timed out, not early', async () => {
    // Its queue holds two, and it never looks at them: the kernel drops whatever else knocks.
    const program = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
      require('fs').writeSync(1, String(this.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    })`;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [printed] = (await once(child.stdout, 'data')) as [Buffer];
      const port = Number(printed.toString());
      const queued = await Promise.all([connectTo(port), connectTo(port)]);
      const startNs = clock.nowNs();
      const result = failed(await dial(port, { connectMs: 83 }));
      expect(result).toMatchObject({ outcome: 'connect-timed-out', connectedAtNs: 0 });
      expect(result.endedAtNs - startNs).toBeGreaterThanOrEqual(83e6);
      for (const connection of queued) connection.close();
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  test('no file left for a socket is our own trouble', async () => {
    const program = `
      import { newClock } from './src/net/clock.ts';
      import { newDialer } from './src/net/dialer.ts';
      import { createServer } from 'node:net';
      const clock = newClock(process.hrtime.bigint());
      const dialer = newDialer({ clock });
      const server = createServer().listen(0, '127.0.0.1', async () => {
        const target = { address: '127.0.0.1', port: server.address().port, tls: null };
        for (let result = { kind: 'connected' }; ; ) {
          const atNs = clock.nowNs() + 5e9;
          result = await dialer.dial(target, { connectAtNs: atNs, secureAtNs: atNs });
          if (result.kind === 'failed') { console.log(result.outcome, result.error); process.exit(); }
        }
      });`;
    const run = `ulimit -n 60; exec "${process.execPath}" --input-type=module-typescript -e "$PROGRAM"`;
    const { promise, resolve } = Promise.withResolvers<string>();
    execFile('sh', ['-c', run], { env: { ...process.env, PROGRAM: program } }, (_error, stdout) =>
      resolve(stdout.trim()),
    );
    expect(await promise).toBe('own-trouble EMFILE');
  });
});

describe('over TLS', () => {
  test('the certificate, the protocol and the time are known', async () => {
    await using server = await startFaultServer(ok, { ...certificates.good, ALPNProtocols: ['http/1.1'] });
    const tls = settings();
    for (let i = 0; i < 3; i += 1) {
      // Each connection shows its certificate: nothing is resumed.
      const connection = await connectTo(server.port, { tls });
      expect(connection).toMatchObject({
        certificateSha256: certificates.good.sha256,
        alpn: 'http/1.1',
        tlsVersion: 'TLSv1.3',
      });
      expect(connection.securedAtNs).toBeGreaterThan(connection.connectedAtNs);
      expect(await connection.exchange(get(), inMs())).toMatchObject({ outcome: 'answered', status: 200 });
      connection.close();
    }
  });

  test('an address as server name is checked too, and never sent as SNI', async () => {
    const names: unknown[] = [];
    await using server = await startFaultServer((socket, requestIndex) => {
      if (requestIndex === 0) names.push('servername' in socket && socket.servername);
      ok(socket, requestIndex);
    }, certificates.good);
    for (const serverName of ['127.0.0.1', 'shop.example']) {
      const connection = await connectTo(server.port, { tls: settings({ serverName }) });
      await connection.exchange(get(), inMs());
      connection.close();
    }
    expect(names).toEqual([false, 'shop.example']);
    expect(failed(await dial(server.port, { tls: settings({ serverName: '127.0.0.2' }) })).error).toBe('wrong-name');
  });

  test('SNI and certificate are of the name, whatever address is dialled', async () => {
    await using server = await startFaultServer(ok, certificates.good);
    expect(failed(await dial(server.port, { tls: settings({ serverName: 'other.example' }) }))).toMatchObject({
      outcome: 'tls-failed',
      error: 'wrong-name',
    });
  });

  const refused: readonly { readonly error: string; readonly certificate: Certificate }[] = [
    { error: 'expired', certificate: certificates.expired },
    { error: 'wrong-name', certificate: certificates.wrongName },
    { error: 'self-signed', certificate: certificates.selfSigned },
    { error: 'unknown-issuer', certificate: certificates.unknownIssuer },
  ];
  test.for(refused)('a certificate that is $error is refused, and known', async ({ error, certificate }) => {
    await using server = await startFaultServer(ok, certificate);
    const result = failed(await dial(server.port, { tls: settings() }));
    expect(result).toMatchObject({ outcome: 'tls-failed', error, certificateSha256: certificate.sha256 });
    expect(result.certificateName).toMatch(/^(?:expired|wrong|unknown|\S*example)$/);
    expect(result.connectedAtNs).toBeGreaterThan(0);
    expect(result.localPort).toBeGreaterThan(0);
    expect(server.requests).toEqual([]);
  });

  test('without a private CA the usual ones count', async () => {
    await using server = await startFaultServer(ok, certificates.good);
    const result = failed(await dial(server.port, { tls: { serverName: 'shop.example', alpn: ['http/1.1'] } }));
    expect(result).toMatchObject({ outcome: 'tls-failed', error: 'unknown-issuer' });
  });

  test('a handshake that is never answered is timed out', async () => {
    await using server = await startFaultServer(() => undefined);
    const startNs = clock.nowNs();
    const result = failed(await dial(server.port, { tls: settings(), secureMs: 83 }));
    expect(result).toMatchObject({ outcome: 'tls-timed-out' });
    expect(result.connectedAtNs).toBeGreaterThan(startNs);
    expect(result.endedAtNs - startNs).toBeGreaterThanOrEqual(83e6);
  });

  const brokenHandshakes: readonly { readonly claim: string; readonly conduct: Conduct; readonly error: string }[] = [
    { claim: 'closed', conduct: (socket) => socket.end(), error: 'closed in the handshake' },
    { claim: 'reset', conduct: (socket) => socket.once('data', () => socket.resetAndDestroy()), error: 'ECONNRESET' },
    {
      claim: 'answered in plain text',
      conduct: (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
      error: 'wrong version number',
    },
  ];
  test.for(brokenHandshakes)('a handshake that is $claim', async ({ conduct, error }) => {
    await using server = await startFaultServer(conduct);
    expect(failed(await dial(server.port, { tls: settings() }))).toMatchObject({ outcome: 'tls-failed', error });
  });

  test('an alert of the server is said in its words', async () => {
    await using old = await startFaultServer(ok, {
      ...certificates.good,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    });
    expect(failed(await dial(old.port, { tls: settings() })).error).toMatch(/protocol version|unsupported protocol/);
    await using other = await startFaultServer(ok, { ...certificates.good, ALPNProtocols: ['spdy/1'] });
    expect(failed(await dial(other.port, { tls: settings() })).error).toContain('no application protocol');
  });

  test.for(['TLSv1.1', 'TLSv1.2'] as const)('%s is spoken with who offers nothing newer', async (version) => {
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.2', ciphers: 'ALL:@SECLEVEL=0' } as const;
    await using server = await startFaultServer(ok, { ...certificates.good, ...old });
    const connection = await connectTo(server.port, { tls: settings({ versionMax: version }) });
    expect(connection.tlsVersion).toBe(version);
    connection.close();
    await using modern = await startFaultServer(ok, { ...certificates.good, minVersion: 'TLSv1.3' });
    const result = failed(await dial(modern.port, { tls: settings({ versionMax: version }) }));
    expect(result).toMatchObject({ outcome: 'tls-failed', error: expect.stringMatching(/protocol version/) });
  });

  test('a server that is not told for whom it is still has to show the right certificate', async () => {
    const names: unknown[] = [];
    await using server = await startFaultServer((socket, requestIndex) => {
      if (requestIndex === 0) names.push('servername' in socket && socket.servername);
      ok(socket, requestIndex);
    }, certificates.good);
    const connection = await connectTo(server.port, { tls: settings({ sendsServerName: false }) });
    await connection.exchange(get(), inMs());
    connection.close();
    expect(names).toEqual([false]);
    const other = settings({ sendsServerName: false, serverName: 'other.example' });
    expect(failed(await dial(server.port, { tls: other })).error).toBe('wrong-name');
  });

  test('a client certificate is shown, and its absence is a TLS failure', async () => {
    const server = { ...certificates.good, requestCert: true, rejectUnauthorized: true, ca: caPem };
    await using strict = await startFaultServer(ok, server);
    const { cert, key } = certificates.good;
    const connection = await connectTo(strict.port, { tls: settings({ certificatePem: cert, keyPem: key }) });
    expect((await connection.exchange(get(), inMs())).outcome).toBe('answered');
    connection.close();
    // In TLS 1.3 the client is done before the server looks at its certificate.
    const without = await connectTo(strict.port, { tls: settings() });
    expect(await without.exchange(get(), inMs())).toMatchObject({
      outcome: 'tls-failed',
      error: /certificate required/,
    });
  });

  test('a CA that cannot be read is our own trouble', async () => {
    await using server = await startFaultServer(ok, certificates.good);
    const result = failed(
      await dial(server.port, { tls: settings({ caPem: 'nonsense', certificatePem: 'nonsense' }) }),
    );
    expect(result.outcome).toBe('own-trouble');
    expect(server.connectionCount).toBe(0);
  });
});
