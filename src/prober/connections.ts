/** The kept connections of one lane: most recently used first, as client pools do, so that idle ones can die. */
import type { Connection } from '../core/ports.ts';
import type { ConnectPolicy } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';

export interface Kept {
  readonly connection: Connection;
  /** What its connection was resolved with; travels into each row that uses it. */
  readonly answer: number;
  readonly answerTtlS: number;
  readonly answerReceivedAtNs: number;
  idleSinceNs: number;
  requestCount: number;
  /** Exchanges on it now: on HTTP/2 and on a WebSocket there may be several. */
  underWayCount: number;
}

export interface Connections {
  /** One that may carry a request now, or null. On HTTP/2 it stays shared, and so does a held one. */
  take(nowNs: number): Kept | null;
  /** Gives one back after a whole exchange. */
  put(kept: Kept, nowNs: number): void;
  /** Closes one that is not given back; where others still use it, the last of them does. No request may end another. */
  end(kept: Kept): void;
  /** Closes what has been idle or alive for too long. */
  sweep(nowNs: number): void;
  /** From now on those to any other address may not serve. */
  keepOnly(addresses: readonly string[], nowNs: number): void;
  closeAll(): void;
}

export function newConnections(policy: ConnectPolicy): Connections {
  const idle: Kept[] = [];
  const idleS = policy.kind === 'keep-alive' || policy.kind === 'http2' ? policy.idleS : 0;
  const idleNsMax = idleS === 0 ? Infinity : sToNs(idleS);
  const maxAgeS = policy.kind === 'keep-alive' || policy.kind === 'held' ? policy.maxAgeS : 0;
  const ageNsMax = maxAgeS === 0 ? Infinity : sToNs(maxAgeS);
  let listed: readonly string[] | null = null;
  const requestsMax = policy.kind === 'keep-alive' && policy.maxRequests > 0 ? policy.maxRequests : Infinity;

  function mayServe(kept: Kept, nowNs: number): boolean {
    return (
      kept.connection.isOpen &&
      nowNs - kept.idleSinceNs < idleNsMax &&
      nowNs - kept.connection.connectedAtNs < ageNsMax &&
      kept.requestCount < requestsMax &&
      (listed === null || listed.includes(kept.connection.address))
    );
  }

  function isShared({ connection }: Kept): boolean {
    return connection.alpn === 'h2' || policy.kind === 'held';
  }

  function end(kept: Kept): void {
    if (kept.underWayCount === 0) kept.connection.close();
  }

  function sweep(nowNs: number): void {
    for (let i = idle.length - 1; i >= 0; i -= 1) {
      const kept = idle[i] as Kept;
      if (mayServe(kept, nowNs)) continue;
      idle.splice(i, 1);
      end(kept);
    }
  }

  return {
    end,
    take(nowNs) {
      for (;;) {
        const kept = idle.at(-1);
        if (kept === undefined) return null;
        if (!mayServe(kept, nowNs)) {
          idle.pop();
          end(kept);
          continue;
        }
        kept.requestCount += 1;
        if (!isShared(kept)) idle.pop();
        else kept.idleSinceNs = nowNs;
        return kept;
      }
    },
    put(kept, nowNs) {
      kept.idleSinceNs = nowNs;
      // A shared connection is in the list already, until `take` or `sweep` finds that it may not serve.
      if (isShared(kept) && idle.includes(kept)) return;
      if (mayServe(kept, nowNs)) idle.push(kept);
      else end(kept);
    },
    sweep,
    keepOnly(addresses, nowNs) {
      listed = addresses;
      sweep(nowNs);
    },
    closeAll() {
      for (const kept of idle.splice(0)) kept.connection.close();
    },
  };
}
