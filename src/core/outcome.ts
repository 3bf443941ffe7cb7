/**
 * How a probe ended, as seen on the wire. The number is what `probes.arrows` holds, so a number never changes its
 * meaning; new outcomes are added at the end. Whether an outcome is good, too slow, blocked or somebody's fault is
 * concluded later, by `analysis`.
 */
export const outcomes = [
  /** 0 never appears in the log: an unwritten row must not read as an answer. */
  'none',
  /** A whole HTTP answer (or as much as we wanted of it): see `status` and `checks`. */
  'answered',
  'dns-nxdomain',
  /** Any rcode but NOERROR and NXDOMAIN; its name is in `error`. */
  'dns-servfail',
  'dns-timed-out',
  /** NOERROR without an address, a malformed reply, or a resolver that cannot be reached; `error` says which. */
  'dns-failed',
  'connect-refused',
  'connect-timed-out',
  /** Unreachable network or host, reset while connecting, and what else `connect` returns; its code is in `error`. */
  'connect-failed',
  /** `error` has the reason: expired, wrong name, unknown issuer, handshake failure … */
  'tls-failed',
  'tls-timed-out',
  /** The peer reset the connection before the whole head of an answer was here. */
  'reset',
  /** The peer closed in order, before any byte of an answer. */
  'closed-before-answer',
  /** The head of an answer came, its body ended before its framing said so. */
  'truncated',
  'first-byte-timed-out',
  'body-timed-out',
  /** Bytes that are not HTTP; `error` says what the parser found. */
  'malformed-answer',
  /** HTTP/2: the server said GOAWAY and did not serve this request. */
  'goaway',
  /** HTTP/2: the server reset this stream with REFUSED_STREAM. */
  'refused-stream',
  /** Our machine had no port, file or buffer (EADDRNOTAVAIL, EMFILE, ENOBUFS): blind, never downtime. */
  'own-trouble',
  /** Due, never sent: as many were in flight as the lane may have. */
  'dropped',
  /** Due, not sent: the lane was blocked ten times in a row and has slowed itself down. */
  'withheld',
] as const;

export type Outcome = (typeof outcomes)[number];

export const outcomeNumber: Readonly<Record<Outcome, number>> = Object.fromEntries(
  outcomes.map((outcome, i) => [outcome, i]),
) as Record<Outcome, number>;

/** Bits of the `checks` column. */
export const checkBits = {
  statusRight: 1,
  headerRight: 2,
  bodyRight: 4,
  /** The scenario asked for something of the body, and it was looked at. */
  bodyChecked: 8,
  /** We closed before the body was whole: more than 64 KiB. */
  cutByUs: 16,
  /** The body was as long as its framing (Content-Length, chunks, END_STREAM) said. */
  framingComplete: 32,
  /** The server ended the connection with this answer (`Connection: close`, GOAWAY, FIN). */
  serverClosed: 64,
  /** An informational answer (1xx) came before. */
  informationalSeen: 128,
} as const;

/** What was looked at of the body was as expected; a body that nobody asked about is. */
export function isBodyRight(checks: number): boolean {
  return (checks & checkBits.bodyChecked) === 0 || (checks & checkBits.bodyRight) !== 0;
}

/** Status, headers and body were as expected. */
export function isRight(checks: number): boolean {
  return (checks & checkBits.statusRight) !== 0 && (checks & checkBits.headerRight) !== 0 && isBodyRight(checks);
}
