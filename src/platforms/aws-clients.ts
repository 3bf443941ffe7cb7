/**
 * The clients of AWS that look at one side. Which services they are is said by `import type`, which is gone when it runs:
 * each client is loaded when it is first asked.
 */
import type { CloudWatch } from '@aws-sdk/client-cloudwatch';
import type { EC2 } from '@aws-sdk/client-ec2';
import type { ECS } from '@aws-sdk/client-ecs';
import type { ElasticLoadBalancingV2 } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { EventBridge } from '@aws-sdk/client-eventbridge';
import type { Scheduler } from '@aws-sdk/client-scheduler';
import type { Clock } from '../core/ports.ts';
import { newAwsClient, type AwsAccess, type AwsClient } from './aws-client.ts';
import type { Budget } from './budget.ts';
import { notTold, told, type Told } from './told.ts';

export interface AwsClients {
  readonly elbv2: AwsClient<ElasticLoadBalancingV2>;
  readonly ec2: AwsClient<EC2>;
  readonly ecs: AwsClient<ECS>;
  readonly events: AwsClient<EventBridge>;
  readonly scheduler: AwsClient<Scheduler>;
  readonly cloudWatch: AwsClient<CloudWatch>;
  close(): void;
}

export interface AwsClientsOptions {
  readonly access: AwsAccess;
  readonly clock: Clock;
  readonly budget: Budget;
}

export function newAwsClients(options: AwsClientsOptions): AwsClients {
  const elbv2 = newAwsClient({
    ...options,
    make: async (settings) =>
      new (await import('@aws-sdk/client-elastic-load-balancing-v2')).ElasticLoadBalancingV2(settings),
  });
  const ec2 = newAwsClient({
    ...options,
    make: async (settings) => new (await import('@aws-sdk/client-ec2')).EC2(settings),
  });
  const ecs = newAwsClient({
    ...options,
    make: async (settings) => new (await import('@aws-sdk/client-ecs')).ECS(settings),
  });
  const events = newAwsClient({
    ...options,
    make: async (settings) => new (await import('@aws-sdk/client-eventbridge')).EventBridge(settings),
  });
  const scheduler = newAwsClient({
    ...options,
    make: async (settings) => new (await import('@aws-sdk/client-scheduler')).Scheduler(settings),
  });
  const cloudWatch = newAwsClient({
    ...options,
    make: async (settings) => new (await import('@aws-sdk/client-cloudwatch')).CloudWatch(settings),
  });
  return {
    elbv2,
    ec2,
    ecs,
    events,
    scheduler,
    cloudWatch,
    close() {
      for (const client of [elbv2, ec2, ecs, events, scheduler, cloudWatch]) client.close();
    },
  };
}

/** A server that always says that there is more must not keep us for ever. */
const pageCountMax = 200;

/** Everything that is told page by page; `next` is what the following question must say, undefined = that was all. */
export async function readPages<Page, Item>(
  ask: (next: string | undefined) => Promise<Told<Page>>,
  itemsOf: (page: Page) => readonly Item[] | undefined,
  nextOf: (page: Page) => string | undefined,
): Promise<Told<readonly Item[]>> {
  const items: Item[] = [];
  let next: string | undefined;
  for (let count = 0; count < pageCountMax; count += 1) {
    const page = await ask(next);
    if (page.kind === 'not-told') return page;
    items.push(...(itemsOf(page.value) ?? []));
    next = nextOf(page.value) || undefined;
    if (next === undefined) return told(items);
  }
  return notTold('other', `AWS answered with more than ${pageCountMax} pages`);
}

/** In parts of at most `size`, for calls that take no more at once. */
export function inBatches<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const batches: (readonly T[])[] = [];
  for (let i = 0; i < items.length; i += size) batches.push(items.slice(i, i + size));
  return batches;
}
