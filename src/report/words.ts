/**
 * Every word that more than one rendering says. Causes become sentences for somebody who was not there, and advice for
 * somebody who will do it again.
 */
import type { Cause, FailureClass, OldReason, PhaseName, Stretch } from '../core/analysis.ts';
import { durationText } from '../core/quantity-text.ts';
import type { VerdictValue } from '../core/verdict.ts';

/** What a sentence about a cause may need to know. */
export interface CauseContext {
  /** The title of the side that the change leaves, and of the one moved to. */
  readonly leaving: string;
  /** Of the side left that the failed probes still went to: after a rollback the one that had been moved to. */
  readonly left: string;
  readonly arriving: string;
  /** The title of the side that failed, or both. */
  readonly failing: string;
  readonly goodWithinMs: number;
  readonly ttlS: number | null;
  /** Until when the side left must answer, and why so long; null = not known. */
  readonly keepAnswering: string | null;
  readonly failedAddresses: readonly string[];
  readonly referenceCount: number;
}

export const verdictWords: Readonly<Record<VerdictValue, string>> = {
  pass: 'PASS',
  fail: 'FAIL',
  inconclusive: 'INCONCLUSIVE',
};

/** Follows "38 of 38 failed probes: ". */
export const causeWords: Readonly<Record<Cause, (context: CauseContext) => string>> = {
  'stale-answer': ({ left, leaving }) =>
    `the DNS answer they held still named the side left (${left}), which ${left === leaving ? 'no longer answered' : 'did not serve them'}`,
  'kept-connection': ({ left, leaving }) =>
    left === leaving
      ? `the connection they kept open still led to the side left (${left})`
      : `a connection they kept open to ${left} broke under the request, while a new one was served`,
  pinned: ({ leaving }) => `these clients never ask DNS again and stayed with ${leaving}`,
  'stale-target': () => 'the load balancer still sent them to a target that was gone',
  'no-target': () => 'the load balancer had no target to send them to',
  'target-failed': ({ failing }) =>
    `the load balancer or proxy of ${failing} gave a 502 or 504 of its own: what it sent them to did not answer`,
  'app-5xx': ({ failing }) => `the application itself answered with an error, on ${failing}`,
  'side-down': ({ failing }) => `${failing} did not answer at any of its addresses`,
  'address-down': ({ failing, failedAddresses }) =>
    `one address of ${failing} did not answer while others did${failedAddresses.length === 0 ? '' : ` (${failedAddresses.join(', ')})`}`,
  'side-impaired': ({ failing }) => `${failing} answered some requests and failed others, also without DNS`,
  'dns-failed': () => 'the name could not be resolved',
  tls: ({ failing }) => `TLS failed: no handshake, or not the right certificate, on ${failing}`,
  'too-slow': ({ goodWithinMs }) => `the answer came later than ${durationText(goodWithinMs)}, a user's patience`,
  'wrong-answer': () => 'an answer came, but not the expected one (status, header or body)',
  'own-network-suspected': () => 'everything failed at the same time, so our own network is suspected',
  unattributed: () => 'the evidence does not tell why',
};

export const adviceWords: Readonly<Record<Cause, (context: CauseContext) => string>> = {
  'stale-answer': ({ leaving, left, keepAnswering, ttlS }) =>
    left !== leaving
      ? `An answer that is cached cannot be called back, so users stay with ${left} after a rollback until their answers have expired: keep the TTL low until no way back is needed any more.`
      : `Keep ${leaving} answering after the switch until the last cached answer has expired${keepAnswering === null ? '' : `: ${keepAnswering}`}. Turn it off only then, and only when nothing reaches it any more.${
          ttlS !== null && ttlS > 60
            ? ` Lower the TTL of the record to 60 s or less, at least ${durationText(ttlS * 1000)} before the switch.`
            : ''
        }`,
  'kept-connection': ({ leaving, left }) =>
    left !== leaving
      ? `Look for what ends open connections to ${left}: idle timeouts shorter than those of clients, restarts without draining, the network between. A client that tries once more on a new connection is served.`
      : `Make clients drop their connections in time: lower the connection age of ${leaving} (on an ALB: client_keep_alive.seconds, 3600 by default) to 60 s, at least one old value before the switch, and keep it answering until they are gone.`,
  pinned: ({ leaving }) =>
    `Find the clients that never ask DNS again (an address in a hosts file, a JVM that caches for ever, nginx without a resolver) and restart or mend them before ${leaving} is turned off.`,
  'stale-target': () =>
    'Take targets out of the load balancer before their pods stop: a preStop wait (sleep) longer than the deregistration takes, 25 s to begin with; a deregistration delay shorter than that wait; a grace period longer than both; and readiness gates. Where targets stayed for as long as health checks let them, look at the controller: it did not deregister them.',
  'no-target': () =>
    'Have healthy targets registered before traffic comes, and in a rollout never remove the last one: readiness gates, enough replicas, a disruption budget.',
  'target-failed': ({ failing }) =>
    `Look at the targets behind ${failing} at these instants: rolled out, scaled or stopped while they were still registered? Deregister before they stop (a preStop wait longer than the deregistration takes), and let health checks find dead ones sooner.`,
  'app-5xx': ({ failing }) =>
    `Look for these instants in the application's own log on ${failing}; each probe carries X-Cutwatch-Run and a trace id.`,
  'side-down': ({ failing }) =>
    `Find out why ${failing} stopped answering before the next attempt. Its own lanes (side:…) show it without DNS: switch only while they are good.`,
  'address-down': ({ failedAddresses }) =>
    `Mend the dead address${failedAddresses.length === 0 ? '' : ` (${failedAddresses.join(', ')})`} or take it out of DNS. A zone without a ready pod and cross-zone balancing off is the usual reason.`,
  'side-impaired': ({ failing }) =>
    `Look at what ${failing} is made of: one replica, one zone, one path of the network fails while the others are well. Its own lanes (side:…) show which address.`,
  'dns-failed': () =>
    'Change records with one UPSERT, never by delete and create, and ask every authoritative server afterwards: a gap is cached as "no such name" for up to the minimum of the SOA.',
  tls: ({ failing }) =>
    `Install the certificate for this very name on ${failing}, and before the switch open a connection to each of its addresses with the right server name.`,
  'too-slow': ({ failing }) =>
    `Look at processor limits, cold starts and connection pools on ${failing}; send it warm-up traffic before users come.`,
  'wrong-answer': ({ failing }) =>
    `Compare the answers of both sides to this very request before the switch; on ${failing} look at host rules, paths, redirects and the version deployed.`,
  'own-network-suspected': ({ referenceCount }) =>
    referenceCount >= 2
      ? 'Probe from a second place, or over another network: then our own network can be told from the service for certain.'
      : 'Give the scenario two references in other networks, or probe from a second place: then our own network can be told from the service.',
  unattributed: () =>
    'Look for the trace ids of the failed probes in the access logs of both sides: the log of this run has them, one a probe.',
};

/** What to do about a reason that is not about failed probes. */
export const reasonAdvice: Readonly<Partial<Record<string, string>>> = {
  'whole-log': 'Run it again and let it end by itself. What the log shows up to its break stands.',
  clock: 'Keep the machine awake and its clock in step, and run it again.',
  'command-unfinished': 'Wait for the command to end, and look at what it did, before anything else is changed.',
  'command-failed':
    'Look at the output of the command for what it left undone, before anybody takes the change for finished.',
  'evidence-of-change':
    'Make sure that the change was really made, that the right authoritative servers are asked, and that addresses, certificate or marker tell the sides apart.',
  'rolled-back': 'Mend what made the rollback necessary, and rehearse before the next attempt.',
  'qualified-lanes': 'Let every client be good ten times in a row before the change; a baseline of 60 s gives it time.',
  'tail-watched': 'Let the run go on to its end: a good part of the trouble after a cutover comes late.',
  convergenceSMax:
    'Look at the last old answer of each lane: an authoritative server that lags, a second record, or a cache that nobody knew of.',
  flipBackCountMax:
    'Look for records that are weighted or duplicated, for authoritative servers that disagree, and for several caches behind one resolver.',
  burst5xxCountMax: 'Look at what was rolled out, scaled or deregistered at the instants of the bursts.',
};

/** Follows "Nobody can say whether … was clean: ". */
export const inconclusiveWords: Readonly<Partial<Record<string, string>>> = {
  'whole-log': 'the log is not whole',
  clock: 'the clock moved while it was watched',
  'command-unfinished': 'the command had not ended',
  'nothing-judged': 'nothing was judged',
  'evidence-of-change': 'no whole change was seen',
  'qualified-lanes': 'no client was healthy before the change',
  'no-judged-lane': 'no lane was judged',
  'tail-watched': 'its tail was not watched to the end',
};

const objectiveTitles: Readonly<Partial<Record<string, string>>> = {
  outageMsMax: 'longest outage',
  downtimeMsMax: 'downtime',
  failedRatioMax: 'failed share',
  worstMinuteFailedRatioMax: 'worst minute',
  burst5xxCountMax: 'bursts of 5xx',
  staleTargetCountMax: 'stale targets',
  convergenceSMax: 'convergence',
  flipBackCountMax: 'flip-backs',
  latencyP99RatioMax: 'p99, new against old',
  recovery: 'recovery',
  'whole-log': 'the log is whole',
  clock: 'the clocks agree',
  'command-withheld': 'the command was started',
  'command-unfinished': 'the command ended',
  'command-failed': 'the command',
  'nothing-judged': 'something was judged',
  'evidence-of-change': 'evidence of the change',
  'rolled-back': 'the switch stayed',
  'qualified-lanes': 'qualified lanes',
  'no-judged-lane': 'a judged lane',
  'tail-watched': 'the tail was watched',
};

export function objectiveTitle(objective: string): string {
  return objectiveTitles[objective] ?? objective;
}

export const stateWords: Readonly<Record<Stretch['state'], string>> = {
  old: 'old',
  new: 'new',
  unknown: 'unknown side',
  conflict: 'conflicting',
  down: 'DOWN',
  impaired: 'IMPAIRED',
  unseen: 'unseen',
};

export const phaseWords: Readonly<Record<PhaseName | 'before', string>> = {
  before: 'before the run began to judge',
  baseline: 'baseline',
  switching: 'switching',
  tail: 'tail',
};

/** Why an answer still came from the side left. */
export const oldReasonWords: Readonly<Record<OldReason, string>> = {
  'within-ttl': 'an answer within its TTL',
  'resolver-violates-ttl': 'a resolver broke the TTL',
  'resolver-lags': 'a resolver lagged',
  'application-cache': 'the client’s own cache',
  'kept-connection': 'a kept connection',
  pinned: 'pinned to it',
  'authority-lags': 'a name server lagged',
  unknown: 'not known why',
};

export const classWords: Readonly<Record<FailureClass, string>> = {
  'dns-nxdomain': 'no such name (NXDOMAIN)',
  'dns-servfail': 'DNS server failure (SERVFAIL)',
  'dns-timed-out': 'no DNS answer in time',
  'dns-failed': 'no usable DNS answer',
  'connect-refused': 'connection refused',
  'connect-timed-out': 'no connection in time',
  'connect-failed': 'no connection',
  'tls-failed': 'TLS failed',
  'tls-timed-out': 'no TLS handshake in time',
  reset: 'connection reset',
  'closed-before-answer': 'closed before an answer',
  truncated: 'answer cut short',
  'first-byte-timed-out': 'no answer in time',
  'body-timed-out': 'answer not finished in time',
  'malformed-answer': 'not HTTP',
  goaway: 'HTTP/2 GOAWAY',
  'refused-stream': 'HTTP/2 stream refused',
  'too-slow': 'answer too late',
  '4xx': '4xx',
  '5xx-alb': '5xx made by the ALB',
  '5xx-nginx': '5xx made by nginx',
  '5xx-app': '5xx of the application',
  'unexpected-status': 'unexpected status',
  'header-mismatch': 'wrong header',
  'body-mismatch': 'wrong body',
};

/** Printed under the numbers, so that nobody has to guess what was counted. */
export const definitions: readonly (readonly [term: string, meaning: string])[] = [
  [
    'Down',
    'Downtime is a set of due instants: those whose request would fail, or not be answered well in time. Its lower bound runs from the first to the last failed probe, its upper bound from the last good probe before to the first good one after. Probes are dated by the instant they were due, not by their answer.',
  ],
  [
    'Fault',
    'Bounds on the fault itself: a failed probe met it at some instant between being due and ending, a good one met none at some instant of its own. A fault can be longer than the downtime it causes, or shorter.',
  ],
  ['Outage', 'One run of failed probes in one lane, whatever kinds of failure are in it.'],
  ['Impaired', 'A stretch in which good and failed probes mix, as when one of two addresses is dead.'],
  ['Lane', 'One steady stream of probes: one check, one kind of client, one resolver. Lanes never disturb each other.'],
  [
    'Judged',
    'Lanes that were good ten times in a row before the change are judged, from the change on. Lanes that fail for ever by construction, and each side’s own lanes, are shown and not judged.',
  ],
  [
    'Unseen',
    'Dropped, blind, blocked and unfinished probes cannot end an outage. They count as harmless in a lower bound and as bad in an upper bound.',
  ],
  [
    'Pass, fail, inconclusive',
    'A quantity passes when even its upper bound keeps the limit and fails when even its lower bound misses it. Between the two nobody knows, and the verdict says so.',
  ],
  ['Resolution', 'The longest gap between two neighbouring probes: any outage longer than that would have been seen.'],
  [
    'Still there',
    'The share of requests that went to the side left, answered or not, since the change. In the page steps are what was seen, the band above them what may have been (probes that were not seen), the dot the last one, and dashes what is to be expected of many such clients, each with its cache at another age. Time is drawn nearly by its logarithm.',
  ],
  ['Response time', 'From the instant a probe was due to the end of its answer, so that a late start counts.'],
];

/** Of the columns of tables, by their names, for those who can put them beside. */
export const columnMeanings: Readonly<Partial<Record<string, string>>> = {
  Judged: 'Yes: the verdict is held against it. Unqualified: it was not good ten times in a row before the change.',
  'States, in order':
    'What the lane met, one after the other, and for how long. The strip is the whole run; the line in it is the change.',
  Downtime:
    'From the change on, as bounds: from the first failed probe to the last, and from the last good one before to the first good one after.',
  Good: 'Probes answered as expected and in time.',
  Failed: 'Probes that were sent and not answered so.',
  Unseen: 'Probes that were due and tell nothing: dropped, blind, blocked, or unfinished at the end.',
  Resolution: 'The longest gap between two neighbouring probes: any outage longer than that would have been seen.',
  Down: 'Bounds on the time in which a request would have failed.',
  Fault: 'Bounds on the time for which the fault itself was there.',
  'First failed': 'When the first failed probe was due, UTC.',
  'Good again': 'When the first good probe after it was due, UTC.',
  Cause: 'As far as the evidence tells; the story at the top says it in words.',
  'Seen as': 'What the probe met, from outside.',
  Answers: 'Good ones, of which the times are.',
  p50: 'Half of the answers came in at most so many ms, from the instant the probe was due.',
  p99: '99 of 100 came in at most so many ms.',
  'p99.9': '999 of 1,000 came in at most so many ms.',
  'Share there, over time':
    'The height is the share of requests, or answers, that still went to the side left. Filled: seen. Pale: may have been. Dashes: what is to be expected of many such. Dot: the last one seen there. Time runs nearly by its logarithm.',
  '50 % left': 'How long until no more than half was still there, as bounds.',
  '90 % left': 'How long until no more than a tenth was still there.',
  '99 % left': 'How long until no more than a hundredth was still there.',
  'In theory: 50 %, 90 %, last': 'The same of many such clients, each with its cache at another age.',
  Caches: 'At least so many caches of their own answer behind this address.',
  'TTL seen, s': 'The lowest and the highest that was told.',
  Followed: 'How long after the last authoritative server it still gave the old answer.',
  Expected: 'By the settings of the load balancer: how long a target may get requests after its pod or task has gone.',
  Proof:
    'P3: the access log has our probe at this target. P2: targets, pods and the share that failed agree. P1: signature and timing alone.',
};

/** Beside the charts. */
export const chartMeanings: readonly (readonly [term: string, meaning: string])[] = [
  [
    'Time',
    'Zero is the change: the first one of what is shown. All charts share the time, the cursor and the zoom. Drag to zoom, double-click to see all; or focus the charts and use arrows, + and −, 0.',
  ],
  [
    'Which side answered',
    'Each strip is a lane, or all judged lanes of a service. Its height is the share of probes: solid from below what the new side answered, hatched above it what the old side did. What failed hangs from the top, with a mark above the strip, and is never too thin to be seen.',
  ],
  [
    'What failed, by kind',
    'How many failed so at each instant, in judged lanes and in others; the tallest bar is the most.',
  ],
  ['What resolvers answered', 'Which side each resolver’s answers named, poll by poll, and the TTL they told.'],
  [
    'How fast',
    'Response times of good answers, from the instant the probe was due. Dashes and open dots: the old side; lines and full dots: the new one. The thinner line is the median, the other p99. Below it how they are spread, each side scaled to its own most.',
  ],
  [
    'Who was still there',
    'The share of requests that still went to the side left: filled as seen, pale what may have been, dashes what is to be expected of many such clients, each with its cache at another age. One client alone leaves in one step.',
  ],
  [
    'Close-ups',
    'Every probe of a stretch with failures: a circle is good (open: old side, full: new side), a cross failed, a dash was not seen.',
  ],
];
