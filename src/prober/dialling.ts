/** Opens one connection to one of several addresses, as the client's address policy says. */
import { addressOrder } from '../clients/address-order.ts';
import type { Cancel, Clock, Connection, DialDeadlines, Dialer, DialResult, TlsSettings } from '../core/ports.ts';
import type { AddressChoice } from '../core/scenario.ts';

export interface Dialling {
  readonly addresses: readonly string[];
  readonly port: number;
  readonly tls: TlsSettings | null;
  readonly choose: AddressChoice;
  /** Counts the connections of this lane. */
  readonly turn: number;
  /** Deadlines of one attempt that starts now. */
  readonly deadlines: (nowNs: number) => DialDeadlines;
}

export type DialFailure = Extract<DialResult, { kind: 'failed' }> & { readonly address: string };

export interface Dialled {
  /** null: every address failed. */
  readonly connection: Connection | null;
  /** In the order in which they failed; without the winner. */
  readonly failures: readonly DialFailure[];
}

/**
 * The next address is started when the one before failed, or has not answered within the client's stagger; the first
 * that connects wins, later ones are closed. Never rejects. `addresses` must not be empty.
 */
export function dialAny(
  ports: { readonly clock: Clock; readonly dialer: Dialer },
  dialling: Dialling,
): Promise<Dialled> {
  const { clock, dialer } = ports;
  const { addresses, staggerNs } = addressOrder(dialling.choose, dialling.addresses, dialling.turn);
  const failures: DialFailure[] = [];

  return new Promise((resolve) => {
    let startedCount = 0;
    let isDone = false;
    let cancelStagger: Cancel | null = null;

    function finish(connection: Connection | null): void {
      isDone = true;
      cancelStagger?.();
      resolve({ connection, failures });
    }

    function startNext(): void {
      cancelStagger?.();
      cancelStagger = null;
      const address = addresses[startedCount];
      if (address === undefined || isDone) return;
      startedCount += 1;
      const nowNs = clock.nowNs();
      if (startedCount < addresses.length && staggerNs !== Infinity) {
        cancelStagger = clock.at(nowNs + staggerNs, startNext);
      }
      void dialer
        .dial({ address, port: dialling.port, tls: dialling.tls }, dialling.deadlines(nowNs))
        .then((result) => ended(address, result));
    }

    function ended(address: string, result: DialResult): void {
      if (result.kind === 'connected') {
        if (isDone) result.connection.close();
        else finish(result.connection);
        return;
      }
      failures.push({ ...result, address });
      if (isDone) return;
      if (failures.length === addresses.length) finish(null);
      else if (failures.length === startedCount) startNext();
    }

    startNext();
  });
}
