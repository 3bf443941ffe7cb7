/**
 * Real traffic on load balancers, as CloudWatch counts it by the minute. Elastic Load Balancing writes no data point for a
 * minute without traffic, and those of a minute with it come late: that nothing was said means nothing was there only once
 * the delay has passed.
 */
import type { MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import type { LoadBalancerSeen, TrafficSeen } from '../core/platform.ts';
import { inBatches, readPages, type AwsClients } from './aws-clients.ts';
import { loadBalancerDimension } from './elbv2.ts';
import { notTold, told, type Told } from './told.ts';

export interface TrafficAsked {
  readonly loadBalancers: readonly Pick<LoadBalancerSeen, 'arn' | 'name' | 'kind'>[];
  /** Wall clock. */
  readonly nowMs: number;
}

const periodS = 60;
const periodMs = periodS * 1000;
/** How far back is read each time: what came late is read again. */
const periodCount = 10;
/** Field experience: data points are there 2 to 3 minutes after their minute has ended. */
const delayMs = 3 * 60 * 1000;
/** GetMetricData takes no more at once. */
const queryCountMax = 500;

/** A network load balancer counts no requests, and its flows where an application load balancer counts connections. */
const metrics: Readonly<
  Record<LoadBalancerSeen['kind'], readonly { readonly name: string; readonly metric: TrafficSeen['metric'] }[]>
> = {
  application: [
    { name: 'RequestCount', metric: 'RequestCount' },
    { name: 'ActiveConnectionCount', metric: 'ActiveConnectionCount' },
    { name: 'NewConnectionCount', metric: 'NewConnectionCount' },
  ],
  network: [{ name: 'NewFlowCount', metric: 'NewConnectionCount' }],
};

/** Minutes that have ended, oldest first; those of which nothing can be said yet are left out. */
export async function readTraffic(
  { cloudWatch }: Pick<AwsClients, 'cloudWatch'>,
  { loadBalancers, nowMs }: TrafficAsked,
  signal: AbortSignal,
): Promise<Told<readonly TrafficSeen[]>> {
  const toMs = Math.floor(nowMs / periodMs) * periodMs;
  const fromMs = toMs - periodCount * periodMs;
  const asked = loadBalancers.flatMap(({ arn, name, kind }) =>
    metrics[kind].map((one) => ({ ...one, loadBalancer: name, dimension: loadBalancerDimension(arn), kind })),
  );
  const queries = asked.map(({ name, dimension, kind }, i): MetricDataQuery => ({
    Id: `m${i}`,
    MetricStat: {
      Metric: {
        Namespace: kind === 'application' ? 'AWS/ApplicationELB' : 'AWS/NetworkELB',
        MetricName: name,
        Dimensions: [{ Name: 'LoadBalancer', Value: dimension }],
      },
      Period: periodS,
      Stat: 'Sum',
    },
  }));
  const sums = new Map<string, Map<number, number>>();
  const unfinished = new Set<string>();
  for (const MetricDataQueries of inBatches(queries, queryCountMax)) {
    const results = await readPages(
      (NextToken) =>
        cloudWatch.ask(
          'cloudwatch:GetMetricData',
          (client, options) =>
            client.getMetricData(
              {
                MetricDataQueries: [...MetricDataQueries],
                StartTime: new Date(fromMs),
                EndTime: new Date(toMs),
                NextToken,
              },
              options,
            ),
          signal,
        ),
      ({ MetricDataResults }) => MetricDataResults,
      ({ NextToken }) => NextToken,
    );
    if (results.kind === 'not-told') return results;
    for (const { Id = '', Timestamps = [], Values = [], StatusCode = 'Complete' } of results.value) {
      if (StatusCode === 'InternalError' || StatusCode === 'Forbidden') {
        return notTold('other', `CloudWatch could not tell all that was asked for (${StatusCode})`);
      }
      // More of it is on a page to come; where there is none, what was not said is not nothing.
      if (StatusCode === 'PartialData') unfinished.add(Id);
      else unfinished.delete(Id);
      const ofQuery = sums.get(Id) ?? new Map<number, number>();
      for (const [i, at] of Timestamps.entries()) ofQuery.set(at.getTime(), Values[i] ?? 0);
      sums.set(Id, ofQuery);
    }
  }
  if (unfinished.size > 0) return notTold('other', 'CloudWatch told only a part of what was asked for');
  return told(
    asked.flatMap(({ loadBalancer, metric }, i) =>
      Array.from({ length: periodCount }, (_, k) => fromMs + k * periodMs).flatMap((periodFromMs): TrafficSeen[] => {
        const ofQuery = sums.get(`m${i}`);
        const sum = ofQuery?.get(periodFromMs);
        if (sum === undefined && (ofQuery === undefined || periodFromMs + periodMs + delayMs > nowMs)) return [];
        return [{ loadBalancer, metric, periodFromMs, periodS, sum: sum ?? 0, isAssumedZero: sum === undefined }];
      }),
    ),
  );
}
