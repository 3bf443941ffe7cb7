/** How the load balancer of the side that is left ends connections that clients would keep. */
import { sToNs } from '../core/time.ts';
import type { ConnectPolicy } from '../core/scenario.ts';
import { newAlb } from '../model/alb.ts';
import type { Front } from '../model/front.ts';
import { newIngressNginx } from '../model/ingress-nginx.ts';
import type { Held } from '../model/world-model.ts';
import type { ForecastPlan } from './forecast-plan.ts';

export interface ServerKeeping {
  readonly idleNs: number;
  /** A connection is ended at this age, however much it is used. Infinity = at none. As the script begins. */
  readonly ageNs: number;
  /** The request now arriving is the connection's last. */
  isLast(held: Held, nowNs: number): boolean;
}

/** No load balancer that we know lets a connection live longer: 604800 s is the most an ALB can be set to (domain.md, A.4). */
const ageSMax = 604_800;

export function serverKeepingOf({ platform, leaving, steps }: ForecastPlan): ServerKeeping {
  const front: Front = platform.kind === 'alb' ? newAlb(platform, 0) : newIngressNginx(platform, 0);
  const isEndedAt = (ageS: number): boolean => {
    const held: Held = { address: '', openedAtNs: -sToNs(ageS), requestCount: 0 };
    return front.isLastRequest(held, 0);
  };
  const ageNs = isEndedAt(ageSMax) ? sToNs(leastS(isEndedAt)) : Infinity;
  for (const { action, atNs } of steps) {
    if (action.kind === 'lower-connection-age' && action.side === leaving) {
      front.setConnectionAge(action.clientKeepAliveS, atNs);
    }
  }
  return { idleNs: sToNs(front.idleS), ageNs, isLast: (held, nowNs) => front.isLastRequest(held, nowNs) };
}

/** Pings keep a WebSocket from being idle, and it has no next request: what ends connections does not end it. */
export function keepingOf(connect: ConnectPolicy, server: ServerKeeping): ServerKeeping {
  return connect.kind === 'held' ? { idleNs: Infinity, ageNs: Infinity, isLast: () => false } : server;
}

/** The least whole number of seconds of which it is so, by halving: the front says when, not after how long. */
function leastS(isSo: (s: number) => boolean): number {
  let [low, high] = [0, ageSMax];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isSo(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
