/** Each permission that `route53` needs, tried once by the call that a run would make. */
import type { Route53 as Sdk } from '@aws-sdk/client-route-53';
import type { Clock } from '../core/ports.ts';
import type { Route53Spec } from '../core/scenario.ts';
import type { AwsClient } from './aws-client.ts';
import type { Budget } from './budget.ts';
import { route53ActionsOf, type Route53Action } from './permissions.ts';
import { newRoute53Client, zonesFor } from './route53.ts';
import type { Told } from './told.ts';
import { notTried, triedOf, tryEach, type Tried } from './tried.ts';

export interface Route53TriesOptions {
  readonly spec: Route53Spec;
  /** One of the scenario. */
  readonly hostname: string;
  readonly clock: Clock;
  readonly budget: Budget;
  readonly signal: AbortSignal;
}

/** In the order of asking; it ends with the first that shows that all others would end in the same way. */
export async function tryRoute53({
  spec,
  hostname,
  clock,
  budget,
  signal,
}: Route53TriesOptions): Promise<readonly Tried[]> {
  const aws = newRoute53Client({ spec, clock, budget });
  const tries = newTries(aws, { spec, hostname, signal });
  try {
    return await tryEach(route53ActionsOf(spec), (action) => tries[action]());
  } finally {
    aws.close();
  }
}

/** Nobody has given anything these ids. */
const nobodysCheck = '00000000-0000-4000-8000-000000000000';
const nobodysChange = 'C00000000000000';

function newTries(
  aws: AwsClient<Sdk>,
  { spec, hostname, signal }: Pick<Route53TriesOptions, 'spec' | 'hostname' | 'signal'>,
): Readonly<Record<Route53Action, () => Promise<Tried>>> {
  const { zoneId, changeId } = spec;
  let zone = zoneId;
  let healthCheck: string | null = null;

  /** Whose zone it is shows which records may be read. */
  async function findZone(action: Route53Action): Promise<Tried> {
    const zones = await zonesFor(aws, zoneId)(hostname, signal);
    zone ??= zones.kind === 'told' ? (zones.value[0]?.id ?? null) : null;
    return triedOf(action, zones);
  }

  return {
    'route53:ListHostedZonesByName': () => findZone('route53:ListHostedZonesByName'),
    'route53:GetHostedZone': () => findZone('route53:GetHostedZone'),
    'route53:ListResourceRecordSets': async () => {
      const action = 'route53:ListResourceRecordSets';
      if (zone === null) return notTried(action, `no zone of this account that has ${hostname} is known`);
      const HostedZoneId = zone;
      const records = await aws.ask(
        action,
        (sdk, options) =>
          sdk.listResourceRecordSets({ HostedZoneId, StartRecordName: hostname, MaxItems: 20 }, options),
        signal,
      );
      if (records.kind === 'told') {
        const ids = records.value.ResourceRecordSets?.flatMap(({ HealthCheckId }) => HealthCheckId ?? []);
        healthCheck = ids?.[0] ?? null;
      }
      return triedOf(action, records);
    },
    'route53:GetHealthCheck': () =>
      tried(
        'route53:GetHealthCheck',
        healthCheck === null,
        aws.ask(
          'route53:GetHealthCheck',
          (sdk, options) => sdk.getHealthCheck({ HealthCheckId: healthCheck ?? nobodysCheck }, options),
          signal,
        ),
      ),
    'route53:GetHealthCheckStatus': () =>
      tried(
        'route53:GetHealthCheckStatus',
        healthCheck === null,
        aws.ask(
          'route53:GetHealthCheckStatus',
          (sdk, options) => sdk.getHealthCheckStatus({ HealthCheckId: healthCheck ?? nobodysCheck }, options),
          signal,
        ),
      ),
    'route53:GetChange': () =>
      tried(
        'route53:GetChange',
        changeId === null,
        aws.ask(
          'route53:GetChange',
          (sdk, options) => sdk.getChange({ Id: changeId ?? nobodysChange }, options),
          signal,
        ),
      ),
  };
}

async function tried(action: Route53Action, isInvented: boolean, call: Promise<Told<unknown>>): Promise<Tried> {
  return triedOf(action, await call, isInvented);
}
