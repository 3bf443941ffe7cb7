/**
 * ingress-nginx behind a Network Load Balancer that passes TCP through (domain.md 0.1, A.4, C.2, D.2 S9 to S11). One
 * nginx in each zone; all know the same endpoints.
 */
import { newRandom } from '../core/random.ts';
import { nsPerS, sToNs, nsToMs } from '../core/time.ts';
import type { IngressNginxSpec } from '../core/world.ts';
import { newEndpoints } from './endpoints.ts';
import { errorPage, pageReason } from './error-pages.ts';
import { newConnectionAges, noChances, type ErrorStatus, type Front, type Page } from './front.ts';
import { receptionOf, type Replica } from './replicas.ts';

/** nginx's `keepalive_time`: after that age the connection ends with the next answer (nginx.org, ngx_http_core_module). */
const keepAliveTimeS = 3600;
/** `proxy_read_timeout` (domain.md A.4). */
const readTimeoutS = 60;
/** `worker-shutdown-timeout` (domain.md A.4): so long do the old workers keep what is open after a reload. */
const workerShutdownS = 240;
/** Once sent, these are not sent again to the next endpoint (nginx.org, `proxy_next_upstream`). */
const notIdempotent: ReadonlySet<string> = new Set(['POST', 'LOCK', 'PATCH']);
/** Of the certificate for names that it has none for, "Kubernetes Ingress Controller Fake Certificate" (domain.md C.4, T2). */
export const fakeCertificateName = 'ingress.local';
/** On TLS, by default (domain.md 0.9). */
const strictTransport = ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains'] as const;

/** One request's way along the endpoints. */
interface Way {
  readonly replica: Replica | null;
  readonly silentCount: number;
  readonly isLastSilent: boolean;
}

export function newIngressNginx(spec: IngressNginxSpec, seed: number): Front {
  const turns = newRandom(seed, 'turns');
  const ages = newConnectionAges(keepAliveTimeS);

  /**
   * From its turn on, one endpoint after the other, and the first again where they are fewer than the tries:
   * `balancer.lua` asks its round robin anew for each try, and remembers none.
   */
  function wayFrom(turn: number, endpoints: readonly Replica[]): Way {
    let silentCount = 0;
    let isLastSilent = false;
    for (let tryCount = 0; tryCount < spec.tryCountMax; tryCount += 1) {
      const replica = endpoints[(turn + tryCount) % endpoints.length];
      if (replica?.isServing === true) return { replica, silentCount, isLastSilent };
      isLastSilent = replica !== undefined && receptionOf(replica) === 'silent';
      if (isLastSilent) silentCount += 1;
    }
    return { replica: null, silentCount, isLastSilent };
  }
  const delayNs = ({ silentCount }: Way): number => silentCount * sToNs(spec.connectTimeoutS);

  return {
    newBackends: ({ later }) => newEndpoints({ spec, later }),
    // Each worker has a round robin of its own, and others' requests stand between ours: our turn is a draw.
    route(backends) {
      const endpoints = backends.routable();
      if (endpoints.length === 0) return { kind: 'page', status: 503, afterNs: 0, fault: 'no-targets' };
      const way = wayFrom(Math.floor(turns() * endpoints.length), endpoints);
      const afterNs = delayNs(way);
      if (way.replica === null)
        return { kind: 'page', status: way.isLastSilent ? 504 : 502, afterNs, fault: 'stale-endpoints' };
      return { kind: 'to', replica: way.replica, afterNs, fault: afterNs > 0 ? 'stale-endpoints' : null };
    },
    chances(backends) {
      const endpoints = backends.routable();
      if (endpoints.length === 0) return { ...noChances, fault: 'no-targets', failedRatio: 1 };
      if (endpoints.every(({ isServing }) => isServing)) return noChances;
      const ways = endpoints.map((_, turn) => wayFrom(turn, endpoints));
      const answered = ways.filter(({ replica }) => replica !== null);
      const delayed = answered.filter(({ silentCount }) => silentCount > 0);
      const failedRatio = (ways.length - answered.length) / ways.length;
      if (failedRatio === 0 && delayed.length === 0) return noChances;
      return {
        fault: 'stale-endpoints',
        failedRatio,
        delayedPart:
          delayed.length === 0
            ? null
            : { ratio: delayed.length / answered.length, delayMs: nsToMs(Math.min(...delayed.map(delayNs))) },
      };
    },
    patience: (method) => {
      const tryCount = notIdempotent.has(method) ? 1 : spec.tryCountMax;
      return { waitNs: sToNs(readTimeoutS), givesUpAfterNs: tryCount * sToNs(readTimeoutS) };
    },
    page,
    unknownHost: (userAgent) => page(404, userAgent),
    extraHeaders: (isSecure) => (isSecure ? strictTransport : []),
    // It clears its own `Server` and hides the application's (domain.md 0.1).
    passesServerHeader: false,
    hearsAfterS: spec.endpointLagS,
    idleS: spec.keepAliveTimeoutS,
    sessionIdleS: readTimeoutS,
    // Endpoints change without a reload, and what is open to one that has gone from the list stays.
    givesUp: () => false,
    oldProcessS: workerShutdownS,
    isLastRequest: ({ openedAtNs, requestCount }, nowNs) =>
      requestCount + 1 >= spec.keepAliveRequestCount || nowNs - openedAtNs >= ages.ofOpenedAt(openedAtNs) * nsPerS,
    setConnectionAge: (ageS, nowNs) => ages.set(ageS, nowNs),
    certificateOfUnknown: 'default',
  };
}

function page(status: ErrorStatus, userAgent: string): Page {
  return {
    status,
    reason: pageReason(status),
    headers: ['Content-Type', 'text/html'],
    body: errorPage('nginx', status, userAgent),
  };
}
