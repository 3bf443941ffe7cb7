/**
 * Time and network as ports, low enough that resolve caches, kept connections, address choice and retries live above
 * them and can be simulated. No library type in a signature. A port never rejects for what the world does: failure is a
 * value.
 */
import type { Outcome } from './outcome.ts';
import type { Definition, DefinitionKind, Row } from './row.ts';

export type Cancel = () => void;

export interface Clock {
  /** Monotonic, whole ns since the start of the run. */
  nowNs(): number;
  /** Calls `run` once, never before `atNs`. */
  at(atNs: number, run: () => void): Cancel;
}

/** Uniform in [0, 1). */
export type Random = () => number;

export interface TlsSettings {
  /** SNI, and the name the certificate must be for. */
  readonly serverName: string;
  /** False: the server is not told the name, as by the oldest clients. Left out: it is. */
  readonly sendsServerName?: false;
  /** The newest TLS that is offered; left out: TLS 1.3. */
  readonly versionMax?: 'TLSv1.1' | 'TLSv1.2';
  /** Which protocols to offer by ALPN, in order of preference. */
  readonly alpn: readonly ('http/1.1' | 'h2')[];
  /** PEM; replaces the system's roots. */
  readonly caPem?: string;
  readonly certificatePem?: string;
  readonly keyPem?: string;
}

/** Where to connect. `tls` objects are compared by identity: pass the same one to share a secure context. */
export interface DialTarget {
  readonly address: string;
  readonly port: number;
  readonly tls: TlsSettings | null;
}

export interface DialDeadlines {
  /** When TCP must be connected, in ns since run start. */
  readonly connectAtNs: number;
  /** When TLS must be done. */
  readonly secureAtNs: number;
}

export type DialResult =
  | { readonly kind: 'connected'; readonly connection: Connection }
  | {
      readonly kind: 'failed';
      readonly outcome: Outcome;
      /** The code or the reason, without addresses and numbers. */
      readonly error: string;
      readonly startedAtNs: number;
      /** When TCP was connected; 0 if it never was. */
      readonly connectedAtNs: number;
      readonly endedAtNs: number;
      readonly localPort: number;
      /** Of a certificate that was refused; '' when none was seen. */
      readonly certificateSha256: string;
      /** Its common name, which nobody vouches for; left out when none was seen. */
      readonly certificateName?: string;
    };

export interface HttpRequest {
  readonly method: string;
  /** With query, as sent. */
  readonly path: string;
  /** `host:port` as in the URL, port left out where it is the scheme's default. */
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  /** Flat: name, value, name, value … without Host. */
  readonly headers: readonly string[];
  readonly body: string | null;
}

/** What came back. Times are ns since run start, 0 = did not happen. */
export interface Exchange {
  readonly outcome: Outcome;
  readonly error: string;
  readonly status: number;
  /** Flat: name, value, … as received, at most 256 pairs. */
  readonly headers: readonly string[];
  readonly bodyBytes: number;
  /** The first up to 64 KiB; `null` when no body came. */
  readonly bodyStart: Uint8Array | null;
  readonly sentAtNs: number;
  readonly firstByteAtNs: number;
  readonly endedAtNs: number;
  readonly informationalSeen: boolean;
  readonly framingComplete: boolean;
  readonly serverClosed: boolean;
  readonly cutByUs: boolean;
}

/** How many bytes of a body are read before we close it. */
export const bodyBytesMax: number = 64 * 1024;

/** One TCP (and TLS) connection. Nothing replaces it silently when it dies. */
export interface Connection {
  readonly dialledAtNs: number;
  readonly connectedAtNs: number;
  /** 0 without TLS. */
  readonly securedAtNs: number;
  readonly localPort: number;
  readonly address: string;
  /** Lower-case hex; '' without TLS. */
  readonly certificateSha256: string;
  /** When the certificate ends, wall clock; left out without TLS. */
  readonly certificateToMs?: number;
  /** 'h2', 'http/1.1', or '' when none was negotiated. */
  readonly alpn: string;
  /** 'TLSv1.3' …; '' without TLS. */
  readonly tlsVersion: string;
  /**
   * One at a time on HTTP/1.1; on h2 as many as the server allows. Ends by `deadlineNs`, and already at `firstByteAtNs`
   * (the deadline where left out) when no byte of an answer has come by then.
   */
  exchange(request: HttpRequest, deadlineNs: number, firstByteAtNs?: number): Promise<Exchange>;
  /**
   * HTTP/1.1 only: asks to go on as a WebSocket (RFC 6455), as an exchange. After an answered 101 each exchange is a ping
   * and its pong, with the status and the headers of that 101, and several may be under way.
   */
  upgrade?(request: HttpRequest, deadlineNs: number, firstByteAtNs?: number): Promise<Exchange>;
  /** False once either side has closed: no further exchange may be started. */
  readonly isOpen: boolean;
  /** Called at most once, when the connection ends while no exchange is under way (idle close, GOAWAY); for the log. */
  onClosed: ((why: 'server-closed' | 'reset' | 'goaway') => void) | null;
  close(): void;
}

/** What the dialer knows of a connection. */
export type ConnectionFacts = Pick<
  Connection,
  | 'dialledAtNs'
  | 'connectedAtNs'
  | 'securedAtNs'
  | 'localPort'
  | 'address'
  | 'certificateSha256'
  | 'certificateToMs'
  | 'alpn'
  | 'tlsVersion'
>;

export interface Dialer {
  dial(target: DialTarget, deadlines: DialDeadlines): Promise<DialResult>;
}

export type DnsServer =
  /** UDP, and TCP when the answer is truncated. */
  | { readonly kind: 'udp'; readonly address: string; readonly port: number }
  /** DNS over TLS. `serverName` is checked against the certificate; '' = the address is. */
  | {
      readonly kind: 'tls';
      readonly address: string;
      readonly port: number;
      readonly serverName: string;
      readonly caPem?: string;
    }
  /** DNS over HTTPS, RFC 8484 POST. */
  | { readonly kind: 'https'; readonly url: string; readonly caPem?: string }
  /** `/etc/hosts`, then the servers, search list and options of `/etc/resolv.conf`. */
  | { readonly kind: 'system' }
  /** The C library, as most programs on this machine resolve: no TTL, no rcode but "not found". */
  | { readonly kind: 'getaddrinfo' };

export interface DnsQuestion {
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'CNAME' | 'NS' | 'SOA' | 'HTTPS';
}

export interface DnsQueryOptions {
  readonly recursionDesired: boolean;
  readonly deadlineNs: number;
}

export interface DnsRecord {
  readonly name: string;
  readonly type: string;
  readonly ttlS: number;
  /**
   * Address, or target name, as text; for SOA: "mname rname serial refresh retry expire minimum"; for HTTPS as RFC 9460
   * writes it: "1 . alpn=h2 ipv4hint=10.0.0.1,10.0.0.2".
   */
  readonly data: string;
}

export type DnsReply =
  | {
      readonly kind: 'answered';
      /** 'NOERROR', 'NXDOMAIN', 'SERVFAIL' … */
      readonly rcode: string;
      readonly authoritative: boolean;
      /** Extended DNS Error code + 1 (RFC 8914), 0 = none. */
      readonly ede: number;
      readonly answers: readonly DnsRecord[];
      readonly authority: readonly DnsRecord[];
      /** CNAME targets in order, from the question's name on. */
      readonly chain: readonly string[];
      /** Of the question's type at the end of the chain, in the order of the answer. */
      readonly addresses: readonly string[];
      /** The lowest TTL along the chain and its addresses; for a negative answer min(SOA TTL, SOA minimum); 0 unknown. */
      readonly ttlS: number;
      /** Which of the servers behind the address it was (RFC 5001), where it says so; only authorities are asked. */
      readonly nsid?: string;
      readonly sentAtNs: number;
      readonly endedAtNs: number;
    }
  | {
      readonly kind: 'failed';
      readonly reason: 'timed-out' | 'unreachable' | 'malformed' | 'own-trouble';
      readonly error: string;
      readonly sentAtNs: number;
      readonly endedAtNs: number;
    };

export interface DnsPort {
  query(server: DnsServer, question: DnsQuestion, options: DnsQueryOptions): Promise<DnsReply>;
}

/** Where rows go. `define` interns: the same value gives the same number, `definitionOverCap` beyond the cap. */
export interface RowSink {
  define<K extends DefinitionKind>(
    kind: K,
    key: string,
    value: () => Extract<Definition, { kind: K }>['value'],
  ): number;
  /** Copies the row; the caller may fill the same object again. */
  row(row: Row): void;
}

/** What looks at platforms beside the probes. It tells what it sees as entries, and waits for nobody. */
export interface Observers {
  /** Somebody marked the run: it may name a change that is to be followed. */
  marked(text: string): void;
  /** Nothing is told afterwards. */
  stop(): void;
}
