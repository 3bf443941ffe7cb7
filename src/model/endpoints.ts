/** What every nginx of ingress-nginx knows of one service: its endpoints, from the controller, some time late. */
import { sToNs } from '../core/time.ts';
import type { IngressNginxSpec } from '../core/world.ts';
import type { Backends } from './front.ts';
import type { Later, Replica } from './replicas.ts';

export function newEndpoints({ spec, later }: { readonly spec: IngressNginxSpec; readonly later: Later }): Backends {
  let known: Replica[] = [];
  /** Ready, and not heard of yet. */
  const coming = new Set<Replica>();
  let isLost = false;
  return {
    begin(replicas) {
      known.push(...replicas);
    },
    // A Deployment counts a pod as available when it is ready, whatever nginx knows of it.
    add(replica, nowNs, inService) {
      coming.add(replica);
      later(nowNs + sToNs(spec.endpointLagS), () => {
        coming.delete(replica);
        known = [...known, replica];
      });
      inService(nowNs);
    },
    // It ends after it became ready, and so is heard to end after it was heard to be ready.
    remove(replica) {
      known = known.filter((one) => one !== replica);
    },
    // nginx has no health checks of its own.
    receptionChanged() {},
    lose() {
      isLost = true;
    },
    regain() {
      isLost = false;
      known = known.filter(({ state }) => state === 'ready');
    },
    routable: () => (isLost ? none : known),
    health: () => null,
    holds: (replica) => known.includes(replica) || coming.has(replica),
  };
}

const none: readonly Replica[] = [];
