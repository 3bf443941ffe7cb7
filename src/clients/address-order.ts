/** In which order a client tries the addresses of an answer, and when it starts the next one. Pure. */
import type { AddressChoice } from '../core/scenario.ts';
import { nsPerMs } from '../core/time.ts';

export interface AddressOrder {
  readonly addresses: readonly string[];
  /** Start the next address when the one before has neither connected nor failed for this long; Infinity = only on failure. */
  readonly staggerNs: number;
}

/** RFC 8305 §5: the recommended Connection Attempt Delay is 250 ms. */
const attemptDelayNs = 250 * nsPerMs;

function isIpv6(address: string): boolean {
  return address.includes(':');
}

/** RFC 8305 §4: the families take turns, the preferred one (that of the first address) first. */
function interleaved(addresses: readonly string[]): readonly string[] {
  const first = addresses.filter((address) => isIpv6(address) === isIpv6(addresses[0] ?? ''));
  const other = addresses.filter((address) => isIpv6(address) !== isIpv6(addresses[0] ?? ''));
  const order: string[] = [];
  for (let i = 0; i < Math.max(first.length, other.length); i += 1) {
    order.push(...first.slice(i, i + 1), ...other.slice(i, i + 1));
  }
  return order;
}

/** `turn` counts the connections this client has opened, for `round-robin`. */
export function addressOrder(choice: AddressChoice, addresses: readonly string[], turn: number): AddressOrder {
  switch (choice) {
    case 'first':
      return { addresses: addresses.slice(0, 1), staggerNs: Infinity };
    case 'round-robin': {
      const chosen = addresses[turn % Math.max(1, addresses.length)];
      return { addresses: chosen === undefined ? [] : [chosen], staggerNs: Infinity };
    }
    case 'next-on-failure':
      return { addresses, staggerNs: Infinity };
    case 'happy-eyeballs':
      return { addresses: interleaved(addresses), staggerNs: attemptDelayNs };
  }
}
