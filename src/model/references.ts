/** Endpoints in other networks: always well. */
import { msToNs } from '../core/time.ts';
import type { Places } from '../core/world.ts';
import type { Dialled, Served } from './world-model.ts';

export interface References {
  dial(address: string): Dialled;
  serve(): Served;
}

export function newReferences(places: Places): References {
  const addresses = new Set(Object.values(places.references));
  return {
    // Nobody is at any other address: a port that is closed.
    dial: (address) =>
      addresses.has(address)
        ? { kind: 'accepted', afterNs: 0 }
        : { kind: 'refused', afterNs: 0, fault: 'load-balancer-removed' },
    serve: () => ({
      kind: 'answered',
      afterNs: msToNs(1),
      status: 200,
      reason: 'OK',
      headers: ['Content-Type', 'text/plain'],
      body: 'ok\n',
      closes: false,
      fault: null,
    }),
  };
}
