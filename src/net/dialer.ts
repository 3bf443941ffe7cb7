import type { X509Certificate } from 'node:crypto';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { assert } from '../core/errors.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Clock, ConnectionFacts, DialDeadlines, Dialer, DialResult, DialTarget } from '../core/ports.ts';
import { atDeadline } from './deadline.ts';
import { newHttp1Connection } from './http1-connection.ts';
import { newHttp2Connection } from './http2-connection.ts';
import { tlsOptions, usualTrust } from './tls-settings.ts';
import { certificateReason, codeOf, connectOutcome, isOwnTrouble, tlsReason } from './trouble.ts';

/**
 * Opens connections, each once, by deadlines of our own clock: Node's and undici's timers are too coarse, and neither
 * tells when TCP was connected. Certificates are always checked; a refused one is reported, never used.
 */
export function newDialer({ clock }: { readonly clock: Clock }): Dialer {
  usualTrust();
  return {
    dial: (target, deadlines) =>
      new Promise((resolve) => {
        dial(clock, target, deadlines, resolve);
      }),
  };
}

function dial(clock: Clock, target: DialTarget, deadlines: DialDeadlines, resolve: (result: DialResult) => void): void {
  assert(isIP(target.address) !== 0, `the dialer is given addresses, not names: ${target.address}`);
  const { address, tls } = target;
  const startedAtNs = clock.nowNs();
  let connectedAtNs = 0;
  let localPort = 0;
  let isDone = false;
  let socket: Socket;

  const fail = (outcome: Outcome, error: string, certificate?: X509Certificate): void => {
    if (isDone) return;
    isDone = true;
    cancelDeadline();
    socket?.destroy();
    const endedAtNs = clock.nowNs();
    const named = certificate === undefined ? {} : { certificateName: commonName(certificate) };
    resolve({
      kind: 'failed',
      outcome,
      error,
      startedAtNs,
      connectedAtNs,
      endedAtNs,
      localPort,
      certificateSha256: fingerprint(certificate),
      ...named,
    });
  };

  let cancelDeadline = atDeadline(clock, deadlines.connectAtNs, () => {
    fail('connect-timed-out', '');
  });

  try {
    const to = { host: address, port: target.port, noDelay: true, autoSelectFamily: false };
    socket = tls === null ? connectTcp(to) : connectTls({ ...tlsOptions(tls), ...to });
  } catch (error) {
    // A private CA or client certificate that cannot be read.
    fail('own-trouble', error instanceof Error ? codeOf(error) : String(error));
    return;
  }

  // Stays for the life of the socket: after the dial it swallows what the connection has heard as well.
  socket.on('error', (error) => {
    const code = codeOf(error);
    if (connectedAtNs === 0) fail(connectOutcome(code), code);
    else if (isOwnTrouble(code)) fail('own-trouble', code);
    else fail('tls-failed', handshakeReason(error));
  });

  socket.once('connect', () => {
    if (isDone) return;
    connectedAtNs = clock.nowNs();
    localPort = socket.localPort ?? 0;
    cancelDeadline();
    if (tls === null) {
      isDone = true;
      resolve({ kind: 'connected', connection: newHttp1Connection(facts(), socket, clock) });
      return;
    }
    cancelDeadline = atDeadline(clock, deadlines.secureAtNs, () => {
      fail('tls-timed-out', '');
    });
  });

  socket.once('secureConnect', () => {
    if (isDone || !(socket instanceof TLSSocket)) return;
    const certificate = socket.getPeerX509Certificate();
    if (!socket.authorized) {
      fail('tls-failed', certificateReason(String(socket.authorizationError)), certificate);
      return;
    }
    isDone = true;
    cancelDeadline();
    const secured: ConnectionFacts = {
      ...facts(),
      securedAtNs: clock.nowNs(),
      certificateSha256: fingerprint(certificate),
      ...(certificate === undefined ? {} : { certificateToMs: certificate.validToDate.getTime() }),
      alpn: socket.alpnProtocol === false ? '' : (socket.alpnProtocol ?? ''),
      tlsVersion: socket.getProtocol() ?? '',
    };
    const connection =
      secured.alpn === 'h2' ? newHttp2Connection(secured, socket, clock) : newHttp1Connection(secured, socket, clock);
    resolve({ kind: 'connected', connection });
  });

  const facts = (): ConnectionFacts => ({
    dialledAtNs: startedAtNs,
    connectedAtNs,
    securedAtNs: 0,
    localPort,
    address,
    certificateSha256: '',
    alpn: '',
    tlsVersion: '',
  });
}

/** Lower-case hex without colons. */
function fingerprint(certificate: X509Certificate | undefined): string {
  return certificate?.fingerprint256.replaceAll(':', '').toLowerCase() ?? '';
}

/** '' where it has none. */
function commonName({ subject }: X509Certificate): string {
  return /^CN=(.*)$/m.exec(subject ?? '')?.[1] ?? '';
}

/** OpenSSL's words, or how the peer went away. Node calls a FIN in the handshake ECONNRESET too, but no system call failed. */
function handshakeReason(error: Error): string {
  const reason = tlsReason(error);
  if (reason !== '') return reason;
  const isFin = codeOf(error) === 'ECONNRESET' && !('syscall' in error && error.syscall !== undefined);
  return isFin ? 'closed in the handshake' : codeOf(error);
}
