/** The change and the objectives, with their defaults. */
import type { ChangeSpec, Objectives } from '../core/scenario.ts';
import { defaultChange } from './defaults.ts';
import type { ChangeInput, ObjectivesInput } from './input.ts';
import type { Report } from './problems.ts';

export function changeOf(input: ChangeInput, report: Report): ChangeSpec {
  const { ttlBeforeS, ttlS, ttlLoweredAt } = input;
  if (ttlBeforeS !== undefined && ttlS !== undefined && ttlBeforeS < ttlS) {
    report(['change', 'ttlBeforeS'], `${ttlBeforeS} is less than ttlS, ${ttlS}: a TTL is lowered before a change`);
  }
  const { via, replicaHeader } = input;
  for (const key of ['side', 'replicaHeader'] as const) {
    if (input[key] === undefined || via === 'deploy') continue;
    report(['change', key], 'is for deployments (via: deploy)', 'key');
  }
  return {
    ...defaultChange,
    ...input,
    ...(replicaHeader === undefined ? {} : { replicaHeader: replicaHeader.toLowerCase() }),
    ttlLoweredAt: ttlLoweredAt === undefined ? null : new Date(ttlLoweredAt).toISOString(),
  };
}

/** What is said, over what stands around it. */
export function objectivesOf({ convergenceSMax, ...input }: ObjectivesInput, around: Objectives): Objectives {
  const auto = convergenceSMax === 'auto' ? null : convergenceSMax;
  return { ...around, ...input, convergenceSMax: auto === undefined ? around.convergenceSMax : auto };
}
