/** What Route 53's API says of the records of a name: how it answers, not only what it answered. */

export type RoutingPolicy =
  | 'simple'
  | 'weighted'
  | 'failover'
  | 'latency'
  | 'geolocation'
  | 'geoproximity'
  | 'multivalue'
  | 'ip-based';

/** No TTL can be set on an alias to a load balancer: its answers have this one (Elastic Load Balancing's own). */
export const loadBalancerAliasTtlS = 60;

export interface PolicyRecord {
  readonly type: 'A' | 'AAAA' | 'CNAME' | 'HTTPS';
  readonly policy: RoutingPolicy;
  /** Tells records of one name and type apart; '' where there is only one. */
  readonly setIdentifier: string;
  /** Of a weighted one: its part of the sum. */
  readonly weight: number | null;
  readonly failover: 'PRIMARY' | 'SECONDARY' | null;
  /** For whom it is, of a latency, geolocation, geoproximity or IP-based one; '' else. */
  readonly audience: string;
  /** null: that of what the alias leads to. */
  readonly ttlS: number | null;
  /** Addresses, or the name that it is another name of. */
  readonly values: readonly string[];
  readonly alias: {
    readonly target: 'load-balancer' | 'record' | 'other';
    readonly name: string;
    /** It is given only while what it leads to is healthy. */
    readonly evaluatesTargetHealth: boolean;
  } | null;
  /** Of a record without one nobody knows whether it is healthy, and Route 53 takes it to be. */
  readonly healthCheckId: string | null;
}

export interface RecordPolicy {
  readonly zone: { readonly id: string; readonly name: string; readonly isPrivate: boolean };
  /** The name, or the wildcard that answers for it. */
  readonly recordName: string;
  readonly records: readonly PolicyRecord[];
}

/** What the checkers of a health check say. Healthy: more than 18 % of them say so. */
export interface RecordHealth {
  readonly id: string;
  /** null: it cannot be told, as of a check that is calculated of others. */
  readonly isHealthy: boolean | null;
  readonly healthyCount: number;
  readonly checkerCount: number;
}

/** The names that a name is another name of, and that Route 53 may have too. */
export function linksOf(policies: readonly RecordPolicy[]): readonly string[] {
  const of = ({ type, values, alias }: PolicyRecord): readonly string[] => {
    if (alias !== null) return alias.target === 'record' ? [alias.name] : [];
    return type === 'CNAME' ? values.filter((name) => !isOfAws(name)) : [];
  };
  return [...new Set(policies.flatMap(({ records }) => records.flatMap(of)))];
}

function isOfAws(name: string): boolean {
  return /\.(amazonaws\.com(\.cn)?|cloudfront\.net|awsglobalaccelerator\.com)$/.test(name);
}
