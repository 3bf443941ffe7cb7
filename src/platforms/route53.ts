/**
 * What Route 53's API says of names, health checks and changes, read anew with each call; only which zones there are is
 * remembered. A few calls a name: the zones below its last two labels once, then its records.
 */
import type { HostedZone, ResourceRecordSet, Route53 as Sdk } from '@aws-sdk/client-route-53';
import type { Clock } from '../core/ports.ts';
import type { PolicyRecord, RecordHealth, RecordPolicy } from '../core/record-policy.ts';
import type { Route53Spec } from '../core/scenario.ts';
import { newAwsClient, type AwsClient } from './aws-client.ts';
import type { Budget } from './budget.ts';
import { plainName, policyRecord } from './record-set.ts';
import { notTold, told, type Told } from './told.ts';

export interface Route53Options {
  readonly spec: Route53Spec;
  readonly clock: Clock;
  readonly budget: Budget;
}

export interface DnsChange {
  readonly status: 'PENDING' | 'INSYNC';
  readonly submittedAtMs: number;
}

export interface Route53 {
  /** How a name is answered, by each zone that has it; of a public and a private zone both. */
  policies(name: string, signal: AbortSignal): Promise<Told<readonly RecordPolicy[]>>;
  health(id: string, signal: AbortSignal): Promise<Told<RecordHealth>>;
  change(id: string, signal: AbortSignal): Promise<Told<DnsChange>>;
  close(): void;
}

type Zone = RecordPolicy['zone'];

/** Of zones and of records; with 100 on a page, whoever has more below one name says which zone is meant. */
const pageCountMax = 5;
const pageSize = 100;
/** More than 18 % of the checkers say healthy (Route 53 Developer Guide, "How Route 53 determines whether healthy"). */
const healthyRatioMin = 0.18;

export function newRoute53Client({ spec, clock, budget }: Route53Options): AwsClient<Sdk> {
  return newAwsClient<Sdk>({
    access: spec,
    // It has none: in most partitions its calls are signed for this one.
    regionElse: 'us-east-1',
    clock,
    budget,
    make: async (settings) => new (await import('@aws-sdk/client-route-53')).Route53(settings),
  });
}

export function newRoute53(options: Route53Options): Route53 {
  const aws = newRoute53Client(options);
  const zonesBelow = zonesFor(aws, options.spec.zoneId);

  return {
    async policies(name, signal) {
      const zones = await zonesBelow(name, signal);
      if (zones.kind !== 'told') return zones;
      const policies: RecordPolicy[] = [];
      for (const zone of zones.value) {
        const policy = await policyIn(aws, zone, name, signal);
        if (policy.kind !== 'told') return policy;
        if (policy.value !== null) policies.push(policy.value);
      }
      return told(policies);
    },

    health: (id, signal) => healthOf(aws, id, signal),

    async change(id, signal) {
      const answer = await aws.ask('route53:GetChange', (sdk, given) => sdk.getChange({ Id: id }, given), signal);
      if (answer.kind !== 'told') return answer;
      const { Status: status, SubmittedAt: submittedAt } = answer.value.ChangeInfo ?? {};
      if (status === undefined || submittedAt === undefined) return unreadable('route53:GetChange');
      return told({ status, submittedAtMs: submittedAt.getTime() });
    },

    close: () => aws.close(),
  };
}

function unreadable(action: string): Told<never> {
  return notTold('other', `the answer of ${action} lacks what it should have`);
}

// ── zones ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The zones that answer for a name: of the public and of the private ones that with the longest name. */
export function zonesFor(
  aws: AwsClient<Sdk>,
  zoneId: string | null,
): (name: string, signal: AbortSignal) => Promise<Told<readonly Zone[]>> {
  const known = new Map<string, readonly Zone[]>();

  async function remembered(key: string, ask: () => Promise<Told<readonly Zone[]>>): Promise<Told<readonly Zone[]>> {
    const before = known.get(key);
    if (before !== undefined) return told(before);
    const zones = await ask();
    if (zones.kind === 'told') known.set(key, zones.value);
    return zones;
  }

  return async (name, signal) => {
    if (zoneId !== null) {
      const zones = await remembered(zoneId, () => zoneById(aws, zoneId, signal));
      return zones.kind === 'told' ? told(longest(zones.value, name)) : zones;
    }
    const labels = name.split('.');
    // A private zone may have one label only; there are too many names below a public one to look for others there.
    for (const [suffix, isAlone] of [
      [labels.slice(-2).join('.'), false],
      [labels.slice(-1).join('.'), true],
    ] as const) {
      const zones = await remembered(suffix, () => zonesFrom(aws, suffix, { isAlone, signal }));
      if (zones.kind !== 'told') return zones;
      const found = longest(zones.value, name);
      if (found.length > 0) return told(found);
    }
    return told([]);
  };
}

function longest(zones: readonly Zone[], name: string): readonly Zone[] {
  return [false, true].flatMap((isPrivate) => {
    const around = zones.filter((zone) => zone.isPrivate === isPrivate && isWithin(name, zone.name));
    const length = Math.max(...around.map((zone) => zone.name.length));
    // Private zones of one name may be there for several networks.
    return around.filter((zone) => zone.name.length === length);
  });
}

function isWithin(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

async function zoneById(aws: AwsClient<Sdk>, id: string, signal: AbortSignal): Promise<Told<readonly Zone[]>> {
  const action = 'route53:GetHostedZone';
  const answer = await aws.ask(action, (sdk, given) => sdk.getHostedZone({ Id: id }, given), signal);
  if (answer.kind !== 'told') return answer;
  const { HostedZone: zone } = answer.value;
  return zone === undefined ? unreadable(action) : told([zoneOf(zone)]);
}

/**
 * Zones are sorted by their labels from the last on, so that all below a name follow it.
 *
 * @param isAlone only a zone of this very name is meant.
 */
async function zonesFrom(
  aws: AwsClient<Sdk>,
  suffix: string,
  { isAlone, signal }: { readonly isAlone: boolean; readonly signal: AbortSignal },
): Promise<Told<readonly Zone[]>> {
  const action = 'route53:ListHostedZonesByName';
  const zones: Zone[] = [];
  let next: { readonly DNSName?: string; readonly HostedZoneId?: string } = { DNSName: suffix };
  for (let i = 0; i < pageCountMax; i += 1) {
    const page = await aws.ask(
      action,
      (sdk, given) => sdk.listHostedZonesByName({ ...next, MaxItems: pageSize }, given),
      signal,
    );
    if (page.kind !== 'told') return page;
    const { HostedZones: listed = [], IsTruncated: hasMore, NextDNSName: name, NextHostedZoneId: id } = page.value;
    const here = listed.map(zoneOf);
    zones.push(...here.filter((zone) => (isAlone ? zone.name === suffix : isWithin(zone.name, suffix))));
    const last = here.at(-1);
    if (hasMore !== true || isAlone || last === undefined || !isWithin(last.name, suffix)) return told(zones);
    next = { ...(name === undefined ? {} : { DNSName: name }), ...(id === undefined ? {} : { HostedZoneId: id }) };
  }
  return notTold('other', `there are more than ${pageCountMax * pageSize} zones below ${suffix}: name one with zoneId`);
}

function zoneOf(zone: HostedZone): Zone {
  return {
    id: (zone.Id ?? '').replace('/hostedzone/', ''),
    name: plainName(zone.Name ?? ''),
    isPrivate: zone.Config?.PrivateZone ?? false,
  };
}

// ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Of the name, or else of the wildcard closest to it; null where the zone has neither. */
async function policyIn(
  aws: AwsClient<Sdk>,
  zone: Zone,
  name: string,
  signal: AbortSignal,
): Promise<Told<RecordPolicy | null>> {
  for (const recordName of [name, ...wildcardsFor(name, zone.name)]) {
    const records = await recordsOf(aws, zone, recordName, signal);
    if (records.kind !== 'told') return records;
    if (records.value.length > 0) return told({ zone, recordName, records: records.value });
  }
  return told(null);
}

/** `a.b.shop.example` in the zone `shop.example`: `*.b.shop.example`, `*.shop.example`. */
function wildcardsFor(name: string, zone: string): readonly string[] {
  const labels = name.slice(0, Math.max(0, name.length - zone.length - 1)).split('.');
  if (name === zone) return [];
  return labels.map((_, i) => ['*', ...labels.slice(i + 1), zone].join('.'));
}

async function recordsOf(
  aws: AwsClient<Sdk>,
  zone: Zone,
  name: string,
  signal: AbortSignal,
): Promise<Told<readonly PolicyRecord[]>> {
  const sets: ResourceRecordSet[] = [];
  let next: Parameters<Sdk['listResourceRecordSets']>[0] = { HostedZoneId: zone.id, StartRecordName: name };
  for (let i = 0; i < pageCountMax; i += 1) {
    const page = await aws.ask(
      'route53:ListResourceRecordSets',
      (sdk, given) => sdk.listResourceRecordSets({ ...next, MaxItems: pageSize }, given),
      signal,
    );
    if (page.kind !== 'told') return page;
    const { ResourceRecordSets: listed = [], IsTruncated: hasMore } = page.value;
    sets.push(...listed.filter((set) => plainName(set.Name ?? '') === name));
    if (hasMore !== true || plainName(page.value.NextRecordName ?? '') !== name) break;
    next = {
      HostedZoneId: zone.id,
      StartRecordName: page.value.NextRecordName,
      StartRecordType: page.value.NextRecordType,
      StartRecordIdentifier: page.value.NextRecordIdentifier,
    };
  }
  return told(sets.flatMap((set) => policyRecord(set, zone.id) ?? []));
}

// ── health checks ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Kinds that no checker looks at: what they say follows from others, or from CloudWatch. */
const withoutCheckers = new Set(['CALCULATED', 'CLOUDWATCH_METRIC', 'RECOVERY_CONTROL']);

async function healthOf(aws: AwsClient<Sdk>, id: string, signal: AbortSignal): Promise<Told<RecordHealth>> {
  const check = await aws.ask(
    'route53:GetHealthCheck',
    (sdk, given) => sdk.getHealthCheck({ HealthCheckId: id }, given),
    signal,
  );
  if (check.kind !== 'told') return check;
  const {
    Type: type = '',
    Inverted: isInverted = false,
    Disabled: isDisabled = false,
  } = check.value.HealthCheck?.HealthCheckConfig ?? {};
  // One that is disabled is healthy, or never is where it is inverted.
  if (isDisabled) return told({ id, isHealthy: !isInverted, healthyCount: 0, checkerCount: 0 });
  if (withoutCheckers.has(type)) return told({ id, isHealthy: null, healthyCount: 0, checkerCount: 0 });

  const status = await aws.ask(
    'route53:GetHealthCheckStatus',
    (sdk, given) => sdk.getHealthCheckStatus({ HealthCheckId: id }, given),
    signal,
  );
  if (status.kind !== 'told') return status;
  const { HealthCheckObservations: observations = [] } = status.value;
  const healthyCount = observations.filter(({ StatusReport: report }) => report?.Status?.startsWith('Success')).length;
  const checkerCount = observations.length;
  const isHealthy = checkerCount === 0 ? null : healthyCount / checkerCount > healthyRatioMin !== isInverted;
  return told({ id, isHealthy, healthyCount, checkerCount });
}
