/** What the codes of Node and OpenSSL mean in our words. */
import type { Outcome } from '../core/outcome.ts';

/** A code that says our own machine ran out of something: blind, never downtime. */
const ownTrouble: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

/** Why a certificate was refused. What is not here is told by its code. */
const certificateReasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not-yet-valid',
  CERT_REVOKED: 'revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed',
  ERR_TLS_CERT_ALTNAME_INVALID: 'wrong-name',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown-issuer',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown-issuer',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown-issuer',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown-issuer',
};

export function certificateReason(code: string): string {
  return certificateReasons[code] ?? code.toLowerCase().replaceAll('_', '-');
}

export function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

export function isOwnTrouble(code: string): boolean {
  return ownTrouble.has(code);
}

/** OpenSSL's own words ("sslv3 alert handshake failure", "wrong version number"); '' if it was not OpenSSL. */
export function tlsReason(error: Error): string {
  if (!codeOf(error).startsWith('ERR_SSL_')) return '';
  return 'reason' in error && typeof error.reason === 'string'
    ? error.reason.toLowerCase()
    : codeOf(error).slice('ERR_SSL_'.length).toLowerCase().replaceAll('_', ' ');
}

/** How a failed `connect` is called. The kernel's own ETIMEDOUT comes after minutes, ours long before. */
export function connectOutcome(code: string): Outcome {
  if (isOwnTrouble(code)) return 'own-trouble';
  if (code === 'ECONNREFUSED') return 'connect-refused';
  if (code === 'ETIMEDOUT') return 'connect-timed-out';
  return 'connect-failed';
}
