/**
 * The network between the prober and a model of the world: connections open, carry requests and end as the real ones of
 * `net` do, in virtual time. The prober cannot tell.
 */
import type { Outcome } from '../core/outcome.ts';
import type {
  Clock,
  ConnectionFacts,
  DialDeadlines,
  Dialer,
  DialResult,
  DialTarget,
  TlsSettings,
} from '../core/ports.ts';
import { sToNs } from '../core/time.ts';
import type { WorldModel } from '../model/world-model.ts';
import { certificateSha256Of, certificateToMs, whyRefused } from './certificates.ts';
import { newSimConnection, type SimConnection } from './connection.ts';

export interface SimNetwork {
  readonly dialer: Dialer;
  /** The operator makes the change. */
  change(): void;
}

/** Linux gives out these (net.ipv4.ip_local_port_range); here one after the other. */
const localPorts = { first: 32_768, last: 60_999 } as const;

/**
 * A SYN that nobody answers is sent again after 1 s, and then after twice as long each time (RFC 6298, 2.1 and 5.5), so that
 * a dial begun in a silent time is answered late when the silence ends. Linux from 6.5 on waits 1 s the first few times
 * (`tcp_syn_linear_timeouts`): there it is answered a little less late.
 */
const firstRetryNs = sToNs(1);

interface Syn {
  /** Of the dial. */
  readonly startedAtNs: number;
  readonly sentAtNs: number;
  readonly waitNs: number;
}

type Failed = Extract<DialResult, { kind: 'failed' }>;

export function newSimNetwork({ clock, world }: { readonly clock: Clock; readonly world: WorldModel }): SimNetwork {
  const open = new Set<SimConnection>();
  let localPort: number = localPorts.last;
  let armedForNs = Infinity;

  function dial(target: DialTarget, deadlines: DialDeadlines): Promise<DialResult> {
    const startedAtNs = clock.nowNs();
    return attempt(target, deadlines, { startedAtNs, sentAtNs: startedAtNs, waitNs: firstRetryNs });
  }

  /** One SYN; where none answers it, the next one goes out after `waitNs`. */
  function attempt(target: DialTarget, deadlines: DialDeadlines, syn: Syn): Promise<DialResult> {
    const { address, tls } = target;
    const { startedAtNs, sentAtNs, waitNs } = syn;
    const dialled = world.dial(address, sentAtNs);
    const never = { startedAtNs, connectedAtNs: 0, localPort: 0 };
    const againAtNs = sentAtNs + waitNs;
    if (dialled.kind === 'silent' && againAtNs < deadlines.connectAtNs) {
      const next = { startedAtNs, sentAtNs: againAtNs, waitNs: 2 * waitNs };
      return after(againAtNs, () => attempt(target, deadlines, next));
    }
    const answeredAtNs = dialled.kind === 'silent' ? Infinity : sentAtNs + world.rttNs(address) + dialled.afterNs;
    if (answeredAtNs > deadlines.connectAtNs) {
      return after(deadlines.connectAtNs, () => failed('connect-timed-out', '', never));
    }
    if (dialled.kind === 'refused') {
      return after(answeredAtNs, () => failed('connect-refused', 'ECONNREFUSED', never));
    }
    localPort = localPort === localPorts.last ? localPorts.first : localPort + 1;
    const facts: ConnectionFacts = {
      dialledAtNs: startedAtNs,
      connectedAtNs: answeredAtNs,
      securedAtNs: 0,
      localPort,
      address,
      certificateSha256: '',
      alpn: '',
      tlsVersion: '',
    };
    return tls === null ? after(answeredAtNs, () => connected(facts)) : secure(facts, tls, deadlines.secureAtNs);
  }

  /** TLS 1.3 takes one more round trip. */
  function secure(facts: ConnectionFacts, tls: TlsSettings, deadlineNs: number): Promise<DialResult> {
    const { dialledAtNs: startedAtNs, connectedAtNs, localPort: ownPort, address } = facts;
    const securedAtNs = connectedAtNs + world.rttNs(address);
    const half = { startedAtNs, connectedAtNs, localPort: ownPort };
    if (securedAtNs > deadlineNs) return after(deadlineNs, () => failed('tls-timed-out', '', half));
    return after(securedAtNs, () => {
      const certificate = world.certificate(address, tls.serverName, securedAtNs);
      const certificateSha256 = certificateSha256Of(certificate);
      const why = whyRefused[certificate.kind];
      if (why !== '') return failed('tls-failed', why, { ...half, certificateSha256 });
      // Both kinds of side speak HTTP/2 with whoever offers it.
      const alpn = tls.alpn.includes('h2') ? 'h2' : (tls.alpn[0] ?? '');
      return connected({ ...facts, securedAtNs, certificateSha256, certificateToMs, alpn, tlsVersion: 'TLSv1.3' });
    });
  }

  function after(atNs: number, result: () => DialResult | Promise<DialResult>): Promise<DialResult> {
    return new Promise((resolve) => {
      clock.at(atNs, () => resolve(result()));
    });
  }

  function failed(
    outcome: Outcome,
    error: string,
    facts: Pick<Failed, 'startedAtNs' | 'connectedAtNs' | 'localPort'> & Partial<Failed>,
  ): Failed {
    return { kind: 'failed', outcome, error, endedAtNs: clock.nowNs(), certificateSha256: '', ...facts };
  }

  function connected(facts: ConnectionFacts): DialResult {
    const connection = newSimConnection({ clock, world, facts, onOver: (over) => open.delete(over) });
    open.add(connection);
    return { kind: 'connected', connection };
  }

  // ── what happens by itself ─────────────────────────────────────────────────────────────────────────────────────────

  /** Connections are cut when what they lead to ends, whether or not anybody asks anything just then. */
  function cutConnections(): void {
    const nowNs = clock.nowNs();
    for (const connection of open) {
      const how = world.cut(connection.held, nowNs);
      if (how !== null) connection.cut(how);
    }
    arm();
  }

  function arm(): void {
    const nextNs = world.nextEventNs() ?? Infinity;
    if (nextNs >= armedForNs) return;
    armedForNs = nextNs;
    clock.at(nextNs, () => {
      if (armedForNs !== nextNs) return;
      armedForNs = Infinity;
      world.advance(nextNs);
      cutConnections();
    });
  }

  arm();
  return {
    dialer: { dial },
    change() {
      world.change(clock.nowNs());
      cutConnections();
    },
  };
}
