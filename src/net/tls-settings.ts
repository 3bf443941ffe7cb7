import { isIP } from 'node:net';
import {
  checkServerIdentity,
  createSecureContext,
  getCACertificates,
  type ConnectionOptions,
  type SecureContext,
  type SecureContextOptions,
} from 'node:tls';
import type { TlsSettings } from '../core/ports.ts';

/**
 * What Node needs for a connection by these settings, made once for each `TlsSettings` object: a secure context costs
 * 800 µs, two thirds of a whole TLS connection. Sessions are never resumed, since only a full handshake shows the
 * certificate. A certificate that is refused is refused by the dialer and not by Node, which would not show it to us.
 */
export function tlsOptions(settings: TlsSettings): ConnectionOptions {
  const before = prepared.get(settings);
  if (before !== undefined) return before;
  const options: ConnectionOptions = {
    secureContext: secureContextOf(settings),
    // A name only: SNI has no addresses (RFC 6066).
    servername: isIP(settings.serverName) === 0 && settings.sendsServerName !== false ? settings.serverName : '',
    ALPNProtocols: [...settings.alpn],
    rejectUnauthorized: false,
    checkServerIdentity: (_dialledHost, certificate) => checkServerIdentity(settings.serverName, certificate),
  };
  prepared.set(settings, options);
  return options;
}

/** OpenSSL refuses TLS 1.1 of itself, unless its bar for what is secure is lowered: it is offered to learn who takes it. */
function versionsOf(versionMax: TlsSettings['versionMax']): SecureContextOptions {
  if (versionMax === 'TLSv1.1') return { minVersion: 'TLSv1', maxVersion: versionMax, ciphers: 'DEFAULT:@SECLEVEL=0' };
  return versionMax === undefined ? {} : { maxVersion: versionMax };
}

const prepared = new WeakMap<TlsSettings, ConnectionOptions>();

function secureContextOf({ caPem, certificatePem, keyPem, versionMax }: TlsSettings): SecureContext {
  const isUsual = caPem === undefined && certificatePem === undefined && keyPem === undefined;
  if (isUsual && versionMax === undefined) return usualTrust().context;
  const own = { ca: caPem ?? usualTrust().roots, cert: certificatePem, key: keyPem };
  return createSecureContext({ ...own, ...versionsOf(versionMax) });
}

let known: { readonly roots: string[]; readonly context: SecureContext } | null = null;

/**
 * Node's own roots and this machine's: what `curl` trusts here, such as a company's own CA, is no outage. Reading them
 * takes about 50 ms once: better before the first probe than during it.
 */
export function usualTrust(): NonNullable<typeof known> {
  if (known === null) {
    const roots = [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
    known = { roots, context: createSecureContext({ ca: roots }) };
  }
  return known;
}
