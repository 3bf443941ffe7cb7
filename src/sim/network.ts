/**
 * The network between the prober and a model of the world: connections open, carry requests and end as the real ones of
 * `net` do, in virtual time. The prober cannot tell.
 */
import type { Outcome } from '../core/outcome.ts';
import type { Clock, DialDeadlines, Dialer, DialResult, DialTarget, TlsSettings } from '../core/ports.ts';
import type { WorldModel } from '../model/world-model.ts';
import { certificateSha256Of, certificateToMs, whyRefused } from './certificates.ts';
import { newSimConnection, type ConnectionFacts, type SimConnection } from './connection.ts';

export interface SimNetwork {
  readonly dialer: Dialer;
  /** The operator makes the change. */
  change(): void;
}

/** Linux gives out these (net.ipv4.ip_local_port_range); here one after the other. */
const localPorts = { first: 32_768, last: 60_999 } as const;

type Failed = Extract<DialResult, { kind: 'failed' }>;

export function newSimNetwork({ clock, world }: { readonly clock: Clock; readonly world: WorldModel }): SimNetwork {
  const open = new Set<SimConnection>();
  let localPort: number = localPorts.last;
  let armedForNs = Infinity;

  function dial({ address, tls }: DialTarget, deadlines: DialDeadlines): Promise<DialResult> {
    const startedAtNs = clock.nowNs();
    const dialled = world.dial(address, startedAtNs);
    const answeredAtNs = dialled.kind === 'silent' ? Infinity : startedAtNs + world.rttNs(address) + dialled.afterNs;
    const never = { startedAtNs, connectedAtNs: 0, localPort: 0 };
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

  function after(atNs: number, result: () => DialResult): Promise<DialResult> {
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
