/**
 * The WebSockets through one side's load balancer. Each leads to one task or pod from its upgrade on and ends when that
 * exits, when the load balancer gives the target up, or when the process that carries it is replaced. Pongs come from the
 * server's protocol stack: what is wrong with its answers does not show in them.
 */
import { sToNs } from '../core/time.ts';
import type { Backends, Front } from './front.ts';
import type { Replica } from './replicas.ts';
import type { Held, Served } from './world-model.ts';

export interface Sessions {
  /** The replica took an upgrade: what `Held.session` is from then on. */
  begin(backends: Backends, replica: Replica): string;
  isOver(held: Held, nowNs: number): boolean;
  /** The load balancer's processes are replaced by new ones. Returns when the old ones end; null = it has none to replace. */
  reload(nowNs: number): number | null;
}

export function newSessions(front: Front): Sessions {
  const ends = new Map<string, { readonly backends: Backends; readonly replica: Replica }>();
  const reloads: { readonly atNs: number; readonly endsAtNs: number }[] = [];
  return {
    begin(backends, replica) {
      ends.set(replica.target, { backends, replica });
      return replica.target;
    },
    isOver({ session, openedAtNs }, nowNs) {
      const end = session === undefined ? undefined : ends.get(session);
      if (end === undefined) return false;
      return (
        end.replica.state === 'gone' ||
        front.givesUp(end.backends, end.replica) ||
        reloads.some(({ atNs, endsAtNs }) => openedAtNs < atNs && nowNs >= endsAtNs)
      );
    },
    reload(nowNs) {
      if (front.oldProcessS === null) return null;
      const endsAtNs = nowNs + sToNs(front.oldProcessS);
      reloads.push({ atNs: nowNs, endsAtNs });
      return endsAtNs;
    },
  };
}

export const pong: Served = {
  kind: 'answered',
  afterNs: 0,
  status: 101,
  reason: '',
  headers: [],
  body: '',
  closes: false,
  fault: null,
};
