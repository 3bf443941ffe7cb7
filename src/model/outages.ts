/** When addresses of a load balancer were not to be reached, and what that does to connections that lead to them. */
import type { FaultName } from '../core/truth.ts';
import type { Held } from './world-model.ts';

export interface Outage {
  readonly addresses: readonly string[];
  readonly how: 'refused' | 'silent';
  readonly fault: FaultName;
  readonly fromNs: number;
  /** Infinity while it goes on. */
  untilNs: number;
}

export interface Outages {
  /** The outage is known by `key` until its end. */
  begin(key: unknown, outage: Omit<Outage, 'fromNs' | 'untilNs'>, nowNs: number): void;
  end(key: unknown, nowNs: number): void;
  /** In force now; of several the first. */
  now(address: string): Outage | null;
  /** That this connection did not survive. */
  cutting(held: Held, nowNs: number): Outage | null;
}

export function newOutages(): Outages {
  const all: (Outage & { readonly key: unknown })[] = [];
  const isOver = (outage: Outage): boolean => outage.untilNs !== Infinity;
  return {
    begin: (key, outage, nowNs) => void all.push({ key, ...outage, fromNs: nowNs, untilNs: Infinity }),
    end(key, nowNs) {
      const ending = all.find((outage) => outage.key === key && !isOver(outage));
      if (ending !== undefined) ending.untilNs = nowNs;
    },
    now: (address) => all.find((outage) => !isOver(outage) && outage.addresses.includes(address)) ?? null,
    // None can have been opened while it lasted: those that were dialled just before are cut as well.
    cutting: ({ address, openedAtNs }, nowNs) =>
      all.find(
        (outage) => outage.fromNs <= nowNs && openedAtNs < outage.untilNs && outage.addresses.includes(address),
      ) ?? null,
  };
}
