/**
 * What a failed probe looks like from outside, by the table of signatures (domain facts D.2): who answered, with what, and
 * after how long. It accuses nobody: the same 502 is a stale target's while one is registered, and a keep-alive race where
 * nothing was rolled out.
 */
import type { FailureClass } from '../core/analysis.ts';
import type { StaleSignature } from '../core/stale-target.ts';

export interface FailureLook {
  readonly failureClass: FailureClass;
  readonly status: number;
  /** From when it was due to its end. */
  readonly tookMs: number;
  /** What stands before the targets, where that is known: `network` passes TCP through, and then a probe fails without HTTP. */
  readonly front: 'application' | 'nginx' | 'network' | null;
  /** A rollout, or the end of a pod or task, shortly before. */
  readonly isRolloutNear: boolean;
  /** Of the load balancer, ms. */
  readonly idleTimeoutMs: number;
  /** It was sent before a target was deregistered, and ended as that one's deregistration delay did. */
  readonly isDrainExpired: boolean;
}

/** "No connection to target within 10 s": seen after 10.0 to 10.1 s, and what the way there takes. */
const connectTimeoutMs = { min: 9800, max: 11_500 };
/** ICMP's "host unreachable" comes within three seconds, a refused connect within a round trip. */
const refusedMsMax = 1000;
const unreachableMsMax = 3500;
/** `proxy_connect_timeout` of ingress-nginx, and what the answer after it takes. */
const nginxConnectMs = 5000;
const nginxRestMs = 1000;

/** null: as nothing in the table. */
export function signatureOf(look: FailureLook): StaleSignature | null {
  const { failureClass, status, tookMs, front } = look;
  switch (failureClass) {
    case '5xx-alb':
      return status === 503 ? 'S6' : status === 504 ? ofTimeout(look) : status === 502 ? ofBadGateway(look) : null;
    case '5xx-nginx':
      return status === 503 ? 'S10' : status === 502 || status === 504 ? 'S9' : null;
    case '4xx':
    case 'unexpected-status':
    case 'header-mismatch':
    case 'body-mismatch':
      return 'S8';
    case 'connect-timed-out':
    case 'connect-refused':
    case 'reset':
    case 'closed-before-answer':
    case 'tls-failed':
    case 'tls-timed-out':
      return front === 'network' ? 'S11' : null;
    case 'first-byte-timed-out':
    case 'body-timed-out':
      // The limit was ours: what the load balancer would have said nobody knows.
      return 'S13';
    case 'too-slow':
      // nginx tried one endpoint in vain, or two, and the next one answered.
      return front === 'nginx' && tookMs >= nginxConnectMs && tookMs % nginxConnectMs < nginxRestMs ? 'S9' : null;
    case 'dns-nxdomain':
    case 'dns-servfail':
    case 'dns-timed-out':
    case 'dns-failed':
    case 'connect-failed':
    case 'truncated':
    case 'malformed-answer':
    case 'goaway':
    case 'refused-stream':
    case '5xx-app':
      return null;
  }
}

function ofTimeout({ tookMs, idleTimeoutMs }: FailureLook): StaleSignature | null {
  if (tookMs >= connectTimeoutMs.min && tookMs <= connectTimeoutMs.max) return 'S1';
  return tookMs >= idleTimeoutMs ? 'S7' : null;
}

/** Near no rollout, nobody had to go: then the target closed the connection that the load balancer kept to it. */
function ofBadGateway({ tookMs, isRolloutNear, isDrainExpired }: FailureLook): StaleSignature {
  if (!isRolloutNear && tookMs <= refusedMsMax) return 'S12';
  if (tookMs <= refusedMsMax) return 'S2';
  if (tookMs <= unreachableMsMax) return 'S3';
  return isDrainExpired ? 'S5' : 'S4';
}

/** Those of a target that does not answer; S12 and S13 are never among them. */
const ofDeadTarget: ReadonlySet<StaleSignature> = new Set(['S1', 'S2', 'S3', 'S4', 'S5']);

export function isOfDeadTarget(signature: StaleSignature | null): signature is StaleSignature {
  return signature !== null && ofDeadTarget.has(signature);
}
