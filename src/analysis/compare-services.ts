/** Services, resolvers and findings of one run beside those of another. */
import type { Analysis, Finding, Interval, ResolverAnalysis, ServiceAnalysis } from '../core/analysis.ts';
import {
  boundsOf,
  type ComparedQuantity,
  type ComparisonResult,
  type Difference,
  type FindingDifference,
  type FindingSide,
} from '../core/comparison.ts';
import { durationText } from '../core/quantity-text.ts';
import { areWeightsEqual } from './compare-caveats.ts';
import { compareIntervals } from './compare-intervals.ts';
import { lengthText } from './compare-lanes.ts';
import { downtimeLuckMs, luckText } from './compare-luck.ts';
import type { LanePair, Renames } from './compare-match.ts';
import { bounded, lifeMs } from './compare-part.ts';

interface Runs {
  readonly a: Analysis;
  readonly b: Analysis;
}

interface ServicePair {
  readonly a: ServiceAnalysis;
  readonly b: ServiceAnalysis;
}

/** Two polls of name servers, or probes, a second apart. */
const pollsMs = 2000;

/** @param lanes its own */
export function serviceDifferences(pair: ServicePair, runs: Runs, lanes: readonly LanePair[]): Difference[] {
  const followLuckMs = Math.max(lifeMs(pair.a), lifeMs(pair.b));
  const downLuckMs = Math.max(0, ...lanes.map((lane) => downtimeLuckMs(lane, runs)));
  const { a: inA, b: inB } = pair;
  const lengths: [ComparedQuantity, string, Interval | null, Interval | null, luckMs: number][] = [
    ['convergenceS', 'everybody had followed after', inMs(inA.convergenceS), inMs(inB.convergenceS), followLuckMs],
  ];
  if (areWeightsEqual(runs.a, runs.b)) {
    const [a, b] = [inA.impact.userWeightedMs, inB.impact.userWeightedMs];
    lengths.unshift(['userWeightedMs', 'down for the average user', a, b, downLuckMs]);
  }
  return [
    outcome(pair, runs),
    ...lengths.flatMap(([quantity, what, a, b, luckMs]): Difference[] => {
      if (a === null || b === null) return a === b ? [] : [oneSided(pair.a.name, quantity, what, [a, b])];
      const [ofA, ofB] = [bounded(a, runs.a.isWhole), bounded(b, runs.b.isWhole)];
      const width = ofA.max - ofA.min + (ofB.max - ofB.min);
      const resolution = Number.isFinite(width) ? width + pollsMs : 0;
      const unit = quantity === 'convergenceS' ? 1000 : 1;
      return [
        {
          quantity,
          service: pair.a.name,
          subject: '',
          a: boundsOf(divided(ofA, unit)),
          b: boundsOf(divided(ofB, unit)),
          result: compareIntervals(ofA, ofB, { luck: luckMs, resolution }),
          decides: true,
          text: `${what} ${lengthText(ofA)}, then ${lengthText(ofB)}${luckText(luckMs)}`,
        },
      ];
    }),
  ];
}

function inMs(s: Interval | null): Interval | null {
  return s === null ? null : { min: s.min * 1000, max: s.max * 1000 };
}

function divided({ min, max }: Interval, by: number): Interval {
  return { min: min / by, max: max / by };
}

function oneSided(
  service: string,
  quantity: ComparedQuantity,
  what: string,
  [a, b]: readonly [Interval | null, Interval | null],
): Difference {
  const text = `${what} ${a === null ? 'is not known of a' : lengthText(a)}, then ${b === null ? 'is not known of b' : lengthText(b)}`;
  return { quantity, service, subject: '', a: null, b: null, result: 'unclear', decides: false, text };
}

/** From what a change should end with to what it should not. */
const outcomes: readonly ServiceAnalysis['outcome'][] = ['completed', 'partial', 'rolled-back'];

function outcome({ a, b }: ServicePair, runs: Runs): Difference {
  const [atA, atB] = [outcomes.indexOf(a.outcome), outcomes.indexOf(b.outcome)];
  const isOrdered = atA !== -1 && atB !== -1;
  // Who was not watched to the end may have followed afterwards.
  const isOpen = (service: ServiceAnalysis, { isWhole }: Analysis): boolean =>
    service.outcome === 'partial' && !(isWhole && service.tail.isWhole);
  const isAnyOpen = isOpen(a, runs.a) || isOpen(b, runs.b);
  const differs: ComparisonResult = isAnyOpen ? 'unclear' : isOrdered ? (atB > atA ? 'worse' : 'better') : 'differs';
  return {
    quantity: 'outcome',
    service: a.name,
    subject: '',
    a: null,
    b: null,
    result: a.outcome === b.outcome ? 'within-noise' : differs,
    decides: true,
    text: a.outcome === b.outcome ? `${a.outcome} in both` : `${a.outcome}, then ${b.outcome}`,
  };
}

export function resolverDifferences({ a, b }: Runs, renames: Renames): Difference[] {
  return a.resolvers.flatMap((inA): Difference[] => {
    const inB = b.resolvers.find(
      ({ name, hostname }) => (renames.get(name) ?? name) === inA.name && hostname === inA.hostname,
    );
    if (inB === undefined || inA.conduct.kind === inB.conduct.kind) return [];
    const isKnown = inA.conduct.kind !== 'unknown' && inB.conduct.kind !== 'unknown';
    return [
      {
        quantity: 'conduct',
        service: serviceOf(a, inA),
        subject: `${inA.name} for ${inA.hostname}`,
        a: null,
        b: null,
        result: isKnown ? 'differs' : 'unclear',
        decides: false,
        text: `with TTLs it is ${conductText(inA)}, then ${conductText(inB)}`,
      },
    ];
  });
}

function serviceOf({ scenario }: Analysis, { hostname }: ResolverAnalysis): string {
  return scenario.services.find(({ checks }) => checks.some((check) => check.hostname === hostname))?.name ?? '';
}

function conductText({ conduct: { kind, clampS } }: ResolverAnalysis): string {
  return clampS === null ? kind : `${kind} (${durationText(clampS * 1000)})`;
}

/** Of each kind and service, where only one run has some, or a graver one. */
export function findingDifferences({ a, b }: Runs, renames: Renames): FindingDifference[] {
  const keyOf = ({ kind, service }: Finding, name: (one: string) => string): string =>
    JSON.stringify([kind, service === null ? null : name(service)]);
  const ofA = Map.groupBy(a.findings, (finding) => keyOf(finding, (name) => name));
  const ofB = Map.groupBy(b.findings, (finding) => keyOf(finding, (name) => renames.get(name) ?? name));
  return [...new Set([...ofA.keys(), ...ofB.keys()])]
    .map((key): FindingDifference => {
      const [kind, service] = JSON.parse(key) as [string, string | null];
      const [inA, inB] = [sideOf(ofA.get(key)), sideOf(ofB.get(key))];
      return { kind, service, a: inA, b: inB, ...resultOf(inA, inB) };
    })
    .filter(({ result }) => result !== 'within-noise')
    .toSorted((x, y) => gravity(y) - gravity(x));
}

const severities: readonly Finding['severity'][] = ['info', 'warn', 'fail'];

function sideOf(findings: readonly Finding[] | undefined): FindingSide | null {
  const [worst] = (findings ?? []).toSorted((x, y) => rankOf(y) - rankOf(x));
  return worst === undefined ? null : { severity: worst.severity, count: findings?.length ?? 0, text: worst.text };
}

function rankOf(finding: Pick<Finding, 'severity'> | null): number {
  return finding === null ? -1 : severities.indexOf(finding.severity);
}

/** What is grave enough to fail a run decides; the rest is for the reader. */
function resultOf(a: FindingSide | null, b: FindingSide | null): Pick<FindingDifference, 'result' | 'decides'> {
  const [rankA, rankB] = [rankOf(a), rankOf(b)];
  if (rankA === rankB) return { result: 'within-noise', decides: false };
  const decides = Math.max(rankA, rankB) === severities.indexOf('fail');
  if (!decides) return { result: 'differs', decides };
  return { result: rankB > rankA ? 'worse' : 'better', decides };
}

function gravity({ a, b }: FindingDifference): number {
  return Math.max(rankOf(a), rankOf(b));
}
