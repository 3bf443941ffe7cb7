/** A record set as Route 53's API writes it → a record as we know it. */
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { loadBalancerAliasTtlS, type PolicyRecord, type RoutingPolicy } from '../core/record-policy.ts';

/** null: of a type that no client asks for on its way to a service. */
export function policyRecord(set: ResourceRecordSet, zoneId: string): PolicyRecord | null {
  const { Type: type, AliasTarget: target } = set;
  if (type !== 'A' && type !== 'AAAA' && type !== 'CNAME' && type !== 'HTTPS') return null;
  const alias = target === undefined ? null : aliasOf(target, zoneId);
  return {
    type,
    policy: policyOf(set),
    setIdentifier: set.SetIdentifier ?? '',
    weight: set.Weight ?? null,
    failover: set.Failover ?? null,
    audience: audienceOf(set),
    ttlS: alias?.target === 'load-balancer' ? loadBalancerAliasTtlS : (set.TTL ?? null),
    values: (set.ResourceRecords ?? []).map(({ Value = '' }) => (type === 'CNAME' ? plainName(Value) : Value)),
    alias,
    healthCheckId: set.HealthCheckId ?? null,
  };
}

/** As we write names: lower case, without the last dot; Route 53 writes `*` as `\052`. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '').replaceAll('\\052', '*');
}

function policyOf(set: ResourceRecordSet): RoutingPolicy {
  if (set.Failover !== undefined) return 'failover';
  if (set.Weight !== undefined) return 'weighted';
  if (set.Region !== undefined) return 'latency';
  if (set.GeoLocation !== undefined) return 'geolocation';
  if (set.GeoProximityLocation !== undefined) return 'geoproximity';
  if (set.CidrRoutingConfig !== undefined) return 'ip-based';
  return set.MultiValueAnswer === true ? 'multivalue' : 'simple';
}

function audienceOf(set: ResourceRecordSet): string {
  const { GeoLocation: place, GeoProximityLocation: near, CidrRoutingConfig: networks } = set;
  if (place !== undefined) {
    return [place.ContinentCode, place.CountryCode, place.SubdivisionCode]
      .filter((code) => code !== undefined)
      .join('-');
  }
  if (near !== undefined) {
    const { Coordinates: point } = near;
    return near.AWSRegion ?? near.LocalZoneGroup ?? `${point?.Latitude ?? '?'},${point?.Longitude ?? '?'}`;
  }
  return networks?.LocationName ?? set.Region ?? '';
}

function aliasOf(
  target: NonNullable<ResourceRecordSet['AliasTarget']>,
  zoneId: string,
): NonNullable<PolicyRecord['alias']> {
  const name = plainName(target.DNSName ?? '');
  // Of another zone than its own it leads to a service of AWS; to a record only within the zone.
  const isRecord = target.HostedZoneId === zoneId;
  const isLoadBalancer = /\.elb\.amazonaws\.com(\.cn)?$|\.elb\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/.test(name);
  return {
    target: isRecord ? 'record' : isLoadBalancer ? 'load-balancer' : 'other',
    name,
    evaluatesTargetHealth: target.EvaluateTargetHealth ?? false,
  };
}
