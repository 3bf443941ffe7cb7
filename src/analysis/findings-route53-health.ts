/**
 * Route 53 does not give a record whose health check fails while another of its name is healthy: then what was switched is
 * not what is answered, however well the change has converged.
 */
import type { Finding } from '../core/analysis.ts';
import type { EntryOf } from '../core/entry.ts';
import type { Side } from '../core/scenario.ts';
import { at, type FindingContext } from './finding-context.ts';
import { groupsOf, labelOf, sideOfRecord, whatText, type PolicyTrack, type RecordGroup } from './record-policies.ts';
import { otherSide } from './sides.ts';

export function unhealthyFindings(context: FindingContext, tracks: readonly PolicyTrack[]): Finding[] {
  const byId = Map.groupBy(context.journal.of('record-health-seen'), ({ health }) => health.id);
  return tracks.flatMap(({ service, steps }) => {
    const last = steps.at(-1);
    const groups = last === undefined ? [] : groupsOf(last);
    return groups.flatMap((group) => unhealthyIn(context, group, service, byId));
  });
}

function unhealthyIn(
  context: FindingContext,
  group: RecordGroup,
  service: string | null,
  byId: ReadonlyMap<string, readonly EntryOf<'record-health-seen'>[]>,
): Finding[] {
  const { scenario } = context.gathered.started;
  const target: Side = scenario.change.direction === 'old-to-new' ? 'new' : 'old';
  const leaving = otherSide(target);
  const hasOther = group.records.some((record) => sideOfRecord(context, record) === leaving);
  if (!hasOther) return [];
  const own = context.contexts.find((one) => one.service.name === service);
  const fromNs = own?.changes[0]?.seen.usedAtNs ?? 0;
  return group.records
    .filter((record) => sideOfRecord(context, record) === target && record.healthCheckId !== null)
    .flatMap((record): Finding[] => {
      const steps = byId.get(record.healthCheckId ?? '') ?? [];
      const unhealthy = steps.flatMap((step, i) => {
        const until = steps[i + 1]?.atNs ?? context.endedAtNs;
        return step.health.isHealthy === false && until >= fromNs ? [{ step, until }] : [];
      });
      if (unhealthy.length === 0) return [];
      return [
        {
          kind: 'route53-unhealthy',
          service,
          severity: 'warn',
          text: `The health check of the ${target} side's record of ${whatText(group)} (${labelOf(record)}) fails: Route 53 answers with the ${leaving} side instead, whatever was switched.`,
          evidence: unhealthy.map(
            ({ step, until }) =>
              `${step.health.id}: ${step.health.healthyCount} of ${step.health.checkerCount} checkers say healthy, from ${at(context, step.atNs)} to ${at(context, until)}`,
          ),
        },
      ];
    });
}
