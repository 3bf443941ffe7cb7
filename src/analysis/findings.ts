/**
 * What a reader should know besides the numbers, each with what proves it. Findings judge nothing: what is wrong with the
 * service is in the failures, what is wrong with our sight is in the bounds.
 */
import type { Finding } from '../core/analysis.ts';
import type { FindingContext } from './finding-context.ts';
import { clientFindings } from './findings-clients.ts';
import { dnsFindings } from './findings-dns.ts';
import { latencyFindings } from './findings-latency.ts';
import { observerFindings } from './findings-observers.ts';
import { platformFindings } from './findings-platform.ts';
import { proberFindings } from './findings-prober.ts';
import { rolloutFindings } from './findings-rollouts.ts';
import { route53Findings } from './findings-route53.ts';
import { targetFindings } from './findings-targets.ts';

/** How much evidence one finding lists; there may be thousands of slots behind it. */
const evidenceMax = 10;

/** The most severe first; within that by what it is about. */
export function findingsOf(context: FindingContext): Finding[] {
  const severities = ['fail', 'warn', 'info'];
  const findings = [
    ...platformFindings(context),
    ...targetFindings(context),
    ...dnsFindings(context),
    ...route53Findings(context),
    ...clientFindings(context),
    ...latencyFindings(context),
    ...rolloutFindings(context),
    ...observerFindings(context),
    ...proberFindings(context),
  ];
  return findings
    .map((finding) => ({ ...finding, evidence: shortened(finding.evidence) }))
    .toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
}

function shortened(evidence: readonly string[]): readonly string[] {
  if (evidence.length <= evidenceMax) return evidence;
  return [...evidence.slice(0, evidenceMax), `and ${String(evidence.length - evidenceMax)} more`];
}
