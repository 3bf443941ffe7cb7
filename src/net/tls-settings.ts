import { isIP } from 'node:net';
import { checkServerIdentity, createSecureContext, type ConnectionOptions, type SecureContext } from 'node:tls';
import type { TlsSettings } from '../core/ports.ts';

/**
 * What Node needs for a connection by these settings, made once for each `TlsSettings` object: a secure context costs
 * 800 µs, two thirds of a whole TLS connection. Sessions are never resumed, since only a full handshake shows the
 * certificate. A certificate that is refused is refused by the dialer and not by Node, which would not show it to us.
 */
export function tlsOptions(settings: TlsSettings): ConnectionOptions {
  const known = prepared.get(settings);
  if (known !== undefined) return known;
  const options: ConnectionOptions = {
    secureContext: secureContextOf(settings),
    // A name only: SNI has no addresses (RFC 6066).
    servername: isIP(settings.serverName) === 0 ? settings.serverName : '',
    ALPNProtocols: [...settings.alpn],
    rejectUnauthorized: false,
    checkServerIdentity: (_dialledHost, certificate) => checkServerIdentity(settings.serverName, certificate),
  };
  prepared.set(settings, options);
  return options;
}

const prepared = new WeakMap<TlsSettings, ConnectionOptions>();
let defaultContext: SecureContext | null = null;

function secureContextOf(settings: TlsSettings): SecureContext {
  const { caPem, certificatePem, keyPem } = settings;
  if (caPem === undefined && certificatePem === undefined && keyPem === undefined) {
    defaultContext ??= createSecureContext({});
    return defaultContext;
  }
  return createSecureContext({ ca: caPem, cert: certificatePem, key: keyPem });
}
