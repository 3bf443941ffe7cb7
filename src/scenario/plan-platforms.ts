/** What a run asks of platforms beside its probes, and what it must be allowed to do for that. */
import type { Scenario } from '../core/scenario.ts';

/** Rows of who is asked, for what, and by which permissions. */
export function platformRows({ route53 }: Scenario): readonly (readonly string[])[] {
  if (route53 === undefined) return [];
  const { profile, zoneId, changeId } = route53;
  const whose = profile === null ? 'credentials as the environment has them' : `profile ${profile}`;
  const zones = zoneId === null ? 'route53:ListHostedZonesByName' : `route53:GetHostedZone of ${zoneId}`;
  return [
    ['Route 53', whose, `policies of the records: ${zones}, route53:ListResourceRecordSets`],
    ['', '', 'health checks that they have: route53:GetHealthCheck, route53:GetHealthCheckStatus'],
    ['', '', `change ${changeId ?? 'that a mark names'}: route53:GetChange`],
  ];
}
