import { lookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import type { Clock } from '../core/ports.ts';
import { failureOf, malformed, plainAnswer, timedOut, unreachable } from './dns-exchange.ts';
import type { Ask, Asked } from './dns-exchange.ts';
import { codeOf } from './trouble.ts';

type Looked = readonly LookupAddress[] | Error;

/**
 * Resolves through the C library, with all that this machine has in between (nsswitch, caches, VPN agents).
 *
 * Node runs at most four such calls at a time and none can be cancelled. So a look-up that is under way is shared by all
 * who ask for the same name, in either family, and a name that hangs holds one of the four, not all.
 */
export function newGetaddrinfo(clock: Clock): (ask: Ask) => Promise<Asked> {
  const underWay = new Map<string, Promise<Looked>>();

  return (ask) => {
    if (ask.type !== 'A' && ask.type !== 'AAAA') return Promise.resolve(malformed('getaddrinfo knows only addresses'));
    const { promise, resolve } = Promise.withResolvers<Asked>();
    const cancelDeadline = clock.at(ask.deadlineNs, () => resolve(timedOut));
    void shared(ask.name).then((looked) => {
      cancelDeadline();
      resolve(conclude(looked, ask));
    });
    return promise;
  };

  function shared(name: string): Promise<Looked> {
    const known = underWay.get(name);
    if (known !== undefined) return known;
    const { promise, resolve } = Promise.withResolvers<Looked>();
    underWay.set(name, promise);
    lookup(name, { all: true, order: 'verbatim' }, (error, addresses) => {
      underWay.delete(name);
      resolve(error ?? addresses);
    });
    return promise;
  }
}

function conclude(looked: Looked, ask: Ask): Asked {
  if (looked instanceof Error) {
    const code = codeOf(looked);
    if (code === 'ENOTFOUND') return plainAnswer('NXDOMAIN', [], ask);
    return code === 'EAI_AGAIN' ? unreachable(code) : failureOf(looked);
  }
  const family = ask.type === 'A' ? 4 : 6;
  const addresses = looked.filter((found) => found.family === family).map((found) => found.address);
  return plainAnswer('NOERROR', addresses, ask);
}
