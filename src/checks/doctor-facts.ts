/** What `cutwatch doctor` gathers: of this machine, of our credentials, and of who is to be asked. Plain data. */
import type { NotToldReason } from '../core/platform.ts';
import type { DnsReply } from '../core/ports.ts';
import type { Lane, Scenario } from '../core/scenario.ts';

export interface DoctorFacts {
  readonly scenario: Scenario;
  readonly nowMs: number;
  /** Of a run, with the addresses and authorities that were found. */
  readonly lanes: readonly Lane[];
  readonly tokens: readonly TokenFacts[];
  readonly platforms: readonly PlatformFacts[];
  readonly clock: ClockFacts;
  readonly resolvers: readonly ResolverFacts[];
  readonly authorities: readonly AuthorityFacts[];
  readonly machine: MachineFacts;
  /** Names of environment variables that are set and name a proxy. */
  readonly proxyVariables: readonly string[];
}

export interface TokenFacts {
  /** The program alone: its arguments may be secret. */
  readonly program: string;
  /** null: it gave a token. */
  readonly error: string | null;
}

export interface PlatformFacts {
  readonly platform: 'aws' | 'route53' | 'kubernetes';
  /** `AWS of the old side`, `Route 53`. */
  readonly whose: string;
  /** In the order of trying; the last may be one that makes all others useless. */
  readonly permissions: readonly PermissionFacts[];
  /** How many there were to try. */
  readonly neededCount: number;
  /** When the credentials end, where that is known; left out: it is not, or they renew themselves. */
  readonly expiresAtMs?: number;
}

export interface PermissionFacts {
  /** `ecs:ListTasks`, `watch pods`. */
  readonly permission: string;
  readonly result: 'allowed' | 'not-tried' | NotToldReason;
  /** A sentence where it is not allowed. */
  readonly why: string;
}

export interface ClockFacts {
  /** Of each server that was asked, what its `Date` said. */
  readonly readings: readonly ClockReading[];
  /** As the system says; null: it does not say. */
  readonly isSynchronized: boolean | null;
  /** By how much the wall clock went further than the monotonic one while the doctor looked. */
  readonly steppedMs: number;
}

export interface ClockReading {
  readonly server: string;
  /** A whole second, of which the fraction is not said. */
  readonly dateMs: number;
  /** By our wall clock. */
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

/** How a server was asked, for people: `UDP`, `TCP`, `TLS`, `HTTPS`, `files`, `C library`. */
export type DnsWay = 'UDP' | 'TCP' | 'TLS' | 'HTTPS' | 'resolv.conf' | 'getaddrinfo';

export interface ResolverFacts {
  readonly resolver: string;
  readonly way: DnsWay;
  readonly hostname: string;
  readonly reply: DnsReply;
}

export interface AuthorityFacts {
  readonly hostname: string;
  /** Why none were found; '' else. */
  readonly error: string;
  readonly servers: readonly { readonly server: string; readonly way: 'UDP' | 'TCP'; readonly reply: DnsReply }[];
}

/** null: this system does not say. */
export interface MachineFacts {
  readonly openFileCountMax: number | null;
  readonly localPortCount: number | null;
  readonly processorCount: number;
  readonly freeBytes: number | null;
  /** Where runs are written. */
  readonly folder: string;
  readonly ipv6: 'global' | 'loopback' | 'none';
  readonly mayRaisePriority: boolean;
  /** Probes that one thread sends in a second. */
  readonly ratePerThread: number;
}
