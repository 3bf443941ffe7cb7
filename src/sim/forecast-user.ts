/**
 * One user: what his client remembers of DNS, the connection it holds, and where a request of now would go. Asking that
 * changes nothing; only his own requests do, and what his client does by itself.
 */
import { newResolveCache, type HeldAnswer, type ResolveDecision } from '../clients/resolve-cache.ts';
import type { Archetype, Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import type { Held } from '../model/world-model.ts';
import type { NamesAnswer, WarmResolver } from './forecast-names.ts';
import type { ServerKeeping } from './forecast-server.ts';

/** Why a user is where he is; of those on the side that is left, what holds them there. */
export const holders = ['resolver-cache', 'name-server', 'own-cache', 'kept-connection', 'never-asks'] as const;
export type Holder = (typeof holders)[number];

export interface Reach {
  /** Null: nowhere, because his resolver knows no address. */
  readonly side: Side | null;
  readonly by: Holder;
}

export interface User {
  request(nowNs: number): void;
  /** Where a request of now would go. */
  reach(nowNs: number): Reach;
  /** To which side he connects whenever he connects anew from now on; null = that may change. */
  settledOn(nowNs: number): Side | null;
}

export interface UserOptions {
  readonly archetype: Archetype;
  /** Null: asks nobody, the address is written down. */
  readonly names: WarmResolver | null;
  readonly sideOf: (addresses: readonly string[]) => Side | null;
  readonly leaving: Side;
  /** Where names lead in the end. */
  readonly settledSide: Side | null;
  readonly server: ServerKeeping;
  /** When the side that is left is removed: from then on nothing answers there. Infinity = never. */
  readonly removedAtNs: number;
}

interface Kept extends Held {
  readonly side: Side;
  usedAtNs: number;
  requestCount: number;
  /** The server ended it with its last answer. */
  isEnded: boolean;
}

export function newUser(options: UserOptions): User {
  const { archetype, names, sideOf, leaving, settledSide, server, removedAtNs } = options;
  const { resolve, connect } = archetype;
  const cache = newResolveCache(resolve);
  const neverAsks = resolve.kind === 'once' || names === null;
  const keeps = connect.kind !== 'new';
  const { idleS, maxAgeS, maxRequests } = { idleS: 0, maxAgeS: 0, maxRequests: 0, ...connect };
  const idleNsMax = Math.min(server.idleNs, idleS === 0 ? Infinity : sToNs(idleS));
  const ageNsMax = maxAgeS === 0 ? Infinity : sToNs(maxAgeS);
  const requestsMax = maxRequests === 0 ? Infinity : maxRequests;
  let kept: Kept | null = null;

  function isGone(side: Side, nowNs: number): boolean {
    return side === leaving && nowNs >= removedAtNs;
  }

  /** The server's end of a connection counts as a break: gRPC asks again after a GOAWAY. The client's own end does not. */
  function howEnded(one: Kept, nowNs: number): 'stands' | 'left' | 'broken' {
    if (one.isEnded || isGone(one.side, nowNs) || nowNs - one.usedAtNs >= server.idleNs) return 'broken';
    const isOver =
      nowNs - one.usedAtNs >= idleNsMax || nowNs - one.openedAtNs >= ageNsMax || one.requestCount >= requestsMax;
    return isOver ? 'left' : 'stands';
  }

  function learn(answer: NamesAnswer, nowNs: number): HeldAnswer {
    const held: HeldAnswer = { answer: 0, addresses: answer.addresses, ttlS: answer.ttlS, receivedAtNs: nowNs };
    if (answer.addresses.length > 0) cache.learn(held);
    return held;
  }

  /** What the client has asked by itself since his last request. Whoever is no longer told of an address leaves it. */
  function catchUp(nowNs: number): void {
    const dueNs = cache.askDueAtNs(nowNs);
    if (dueNs === null || names === null) return;
    const { addresses } = learn(names.ask(dueNs), dueNs);
    if (resolve.kind === 'on-break' && kept !== null && !addresses.includes(kept.address)) kept = null;
  }

  /** The addresses for a new connection, and what the client remembers from now on. */
  function lookUp(nowNs: number): readonly string[] {
    const decision = cache.decide(nowNs);
    const held = heldIn(decision);
    const asked = decision.kind === 'use' || names === null ? null : learn(names.ask(nowNs), nowNs);
    return held?.addresses ?? asked?.addresses ?? [];
  }

  /** Without remembering. */
  function led(nowNs: number): Reach {
    const held = heldIn(cache.decide(nowNs));
    if (held !== null) return { side: sideOf(held.addresses), by: neverAsks ? 'never-asks' : 'own-cache' };
    const answer = names?.ask(nowNs);
    // What the cache got after the switch, a name server still said: it lags, or names were led back.
    const by = (answer?.fetchedAtNs ?? 0) >= 0 ? 'name-server' : 'resolver-cache';
    return { side: sideOf(answer?.addresses ?? []), by };
  }

  return {
    request(nowNs) {
      catchUp(nowNs);
      if (kept !== null) {
        const ended = howEnded(kept, nowNs);
        if (ended === 'stands') {
          kept.isEnded = server.isLast(kept, nowNs);
          kept.usedAtNs = nowNs;
          kept.requestCount += 1;
          return;
        }
        if (ended === 'broken') cache.broke();
        kept = null;
      }
      const addresses = lookUp(nowNs);
      const side = sideOf(addresses);
      if (side === null) return;
      if (isGone(side, nowNs)) cache.broke();
      else if (keeps)
        kept = {
          address: addresses[0] ?? '',
          side,
          openedAtNs: nowNs,
          usedAtNs: nowNs,
          requestCount: 1,
          isEnded: false,
        };
    },
    reach(nowNs) {
      catchUp(nowNs);
      if (kept !== null && howEnded(kept, nowNs) === 'stands') {
        return { side: kept.side, by: neverAsks ? 'never-asks' : 'kept-connection' };
      }
      return led(nowNs);
    },
    settledOn(nowNs) {
      const remembered = heldIn(cache.decide(nowNs));
      const held = remembered === null ? null : sideOf(remembered.addresses);
      if (neverAsks) return held;
      if (settledSide === null || !names.isSettled(nowNs)) return null;
      return held === null || held === settledSide ? settledSide : null;
    },
  };
}

function heldIn(decision: ResolveDecision): HeldAnswer | null {
  return decision.kind === 'use' || decision.kind === 'use-and-ask' ? decision.held : null;
}
