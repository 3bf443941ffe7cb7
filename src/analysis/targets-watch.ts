/** Whether somebody who was asked to watch the targets behind a service could, so that "none was stale" may be said. */
import type { BlindSpot, ObserverAnalysis } from '../core/analysis.ts';
import type { Scenario, Side } from '../core/scenario.ts';
import type { TargetWatch } from '../core/stale-target.ts';
import type { Attribution } from './stale-attribution.ts';

export interface WatchOptions {
  readonly scenario: Scenario;
  readonly attributed: readonly (Attribution & { readonly service: string })[];
  readonly observers: readonly ObserverAnalysis[];
  readonly endNs: number;
}

/** Of each service; none where nobody was asked who should be behind which load balancer. */
export function watchesOf({ scenario, attributed, observers, endNs }: WatchOptions): TargetWatch[] {
  const asked = (['old', 'new'] as const).filter((side) => isAsked(scenario, side));
  if (asked.length === 0) return [];
  return scenario.services.map(({ name: service }): TargetWatch => {
    const watched = asked.flatMap((side): { readonly side: Side; readonly gaps: readonly BlindSpot[] }[] => {
      const known = attributed
        .filter((one) => one.service === service && one.side === side)
        .flatMap(({ histories }) => histories)
        .filter(({ isOwnerKnown }) => isOwnerKnown);
      if (known.length > 0) return [{ side, gaps: known.flatMap(({ gaps }) => gaps) }];
      const blind = observers.filter((one) => tellsOfTargets(one, side) && one.gaps.length > 0);
      if (blind.length === 0) return [];
      // What was never seen was never known: neither before nor after.
      const why = `${blind.map(({ name }) => name).join(', ')} could not see: ${blind[0]?.gaps[0]?.why ?? ''}`;
      return [{ side, gaps: [{ fromAtNs: 0, toAtNs: endNs, why }] }];
    });
    const untold = asked.flatMap((side) => untoldOf(attributed, { service, side }));
    return {
      service,
      sides: watched.map(({ side }) => side),
      gaps: merged(watched.flatMap(({ gaps }) => gaps)),
      ...(untold.length === 0 ? {} : { untold }),
    };
  });
}

/** Groups whose targets were seen, and of which nobody says who should be behind them. */
function untoldOf(
  attributed: WatchOptions['attributed'],
  { service, side }: { readonly service: string; readonly side: Side },
): string[] {
  return attributed
    .filter((one) => one.service === service && one.side === side)
    .flatMap(({ histories }) => histories)
    .filter(({ isOwnerKnown }) => !isOwnerKnown)
    .map(({ group: { name, targetType } }) =>
      targetType === 'instance'
        ? `the targets of ${name} are instances, and which pods are behind a port of theirs nobody tells`
        : targetType === 'ip'
          ? `nobody tells which pods or tasks should be behind ${name}`
          : `${name} has no targets with addresses`,
    );
}

/** Health of targets alone does not tell whether somebody is behind them. */
function isAsked({ sides }: Scenario, side: Side): boolean {
  const { aws } = sides[side];
  if (aws === undefined) return false;
  return aws.ecs !== null || sides.old.kubernetes !== undefined || sides.new.kubernetes !== undefined;
}

function tellsOfTargets({ name, side }: ObserverAnalysis, asked: Side): boolean {
  if (name.startsWith('kubernetes:')) return /\/(endpointslices|pods|targetgroupbindings)$/.test(name);
  return side === asked && /^(elbv2|elbv2-targets|ecs):/.test(name);
}

function merged(gaps: readonly BlindSpot[]): BlindSpot[] {
  const seen = new Set<string>();
  return gaps
    .filter((gap) => {
      const key = JSON.stringify(gap);
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    })
    .toSorted((a, b) => a.fromAtNs - b.fromAtNs || a.toAtNs - b.toAtNs);
}
