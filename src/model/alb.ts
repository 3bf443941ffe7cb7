/** AWS Application Load Balancer as a client sees it (domain.md A.4, C.1 to C.3, D.2). */
import { newRandom } from '../core/random.ts';
import { msToNs, nsPerS, sToNs } from '../core/time.ts';
import type { AlbSpec } from '../core/world.ts';
import { errorPage, pageReason } from './error-pages.ts';
import { newConnectionAges, noChances, type ErrorStatus, type Front, type Page } from './front.ts';
import { receptionOf } from './replicas.ts';
import { newTargetGroup } from './target-group.ts';

/** "No connection to target within 10 s" is a 504 (domain.md C.1), seen after 10.0 to 10.1 s (D.2, S1). */
const connectTimeoutMs = 10_000;
const connectTimeoutSpreadMs = 100;
/** RST from a target's closed port, within a region (domain.md D.2, S2: about a round trip). */
const refusedAfterMs = 1;
/** "An HTTP/2 connection … after 10,000 requests" gets GOAWAY (AWS, "Troubleshoot your Application Load Balancers", 000). */
const http2RequestCountMax = 10_000;

export function newAlb(spec: AlbSpec, seed: number): Front {
  const turns = newRandom(seed, 'turns');
  const connectTimes = newRandom(seed, 'connect times');
  const ages = newConnectionAges(spec.clientKeepAliveS);
  return {
    newBackends: ({ name, later }) =>
      newTargetGroup({ spec, later, random: newRandom(seed, `health checks of ${name}`) }),
    // Round robin, but the requests of everybody else stand between ours, so that our turn is a draw. It does not try
    // another target after a failed connect: nothing documents that (domain.md D.2).
    route(backends) {
      const routable = backends.routable();
      const replica = routable[Math.floor(turns() * routable.length)];
      if (replica === undefined) return { kind: 'page', status: 503, afterNs: 0, fault: 'no-targets' };
      switch (receptionOf(replica)) {
        case 'serves':
          return { kind: 'to', replica, afterNs: 0, fault: null };
        case 'refuses':
          return { kind: 'page', status: 502, afterNs: msToNs(refusedAfterMs), fault: 'stale-target' };
        case 'silent': {
          const afterNs = msToNs(connectTimeoutMs + connectTimes() * connectTimeoutSpreadMs);
          return { kind: 'page', status: 504, afterNs, fault: 'stale-target' };
        }
      }
    },
    chances(backends) {
      const routable = backends.routable();
      if (routable.length === 0) return { ...noChances, fault: 'no-targets', failedRatio: 1 };
      const staleCount = routable.filter((replica) => !replica.isServing).length;
      if (staleCount === 0) return noChances;
      return { ...noChances, fault: 'stale-target', failedRatio: staleCount / routable.length };
    },
    // Connected, but no answer within the idle timeout: 504 (domain.md C.1).
    patience: () => ({ waitNs: sToNs(spec.idleTimeoutS), givesUpAfterNs: sToNs(spec.idleTimeoutS) }),
    page,
    // The default action that the AWS Load Balancer Controller makes: a fixed response without a body.
    unknownHost: () => ({
      status: 404,
      reason: pageReason(404),
      headers: ['Server', 'awselb/2.0', 'Content-Type', 'text/plain; charset=utf-8'],
      body: '',
    }),
    // On success it adds no header of its own (domain.md 0.2).
    extraHeaders: () => [],
    passesServerHeader: true,
    hearsAfterS: spec.controllerLagS,
    idleS: spec.idleTimeoutS,
    sessionIdleS: spec.idleTimeoutS,
    // What is still open when the deregistration delay has elapsed is cut (domain.md C.1, under 502).
    givesUp: (backends, replica) => !backends.holds(replica),
    oldProcessS: null,
    // After that age one more request is served (domain.md A.4).
    isLastRequest: ({ openedAtNs, requestCount, alpn }, nowNs) =>
      nowNs - openedAtNs >= ages.ofOpenedAt(openedAtNs) * nsPerS ||
      (alpn === 'h2' && requestCount + 1 >= http2RequestCountMax),
    setConnectionAge: (ageS, nowNs) => ages.set(ageS, nowNs),
    certificateOfUnknown: 'other-name',
  };
}

function page(status: ErrorStatus, userAgent: string): Page {
  return {
    status,
    reason: pageReason(status),
    headers: ['Server', 'awselb/2.0', 'Content-Type', 'text/html'],
    body: errorPage('alb', status, userAgent),
  };
}
