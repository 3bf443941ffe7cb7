import type { Lane } from './scenario.ts';

/** How a lane is called wherever people read of it: `orders fresh via system`, `orders side:new at 10.0.0.7`. */
export function laneName(lane: {
  readonly check: string;
  readonly client: string;
  readonly resolver: string | null;
  readonly address: string | null;
  readonly series?: 'raw' | 'retried';
}): string {
  const via = lane.resolver === null ? '' : ` via ${lane.resolver}`;
  const at = lane.address === null ? '' : ` at ${lane.address}`;
  const series = lane.series === 'retried' ? ' (retried)' : '';
  return `${lane.check} ${lane.client}${via}${at}${series}`;
}

export function nameOfLane(lane: Lane): string {
  return laneName({
    check: lane.check.name,
    client: lane.client,
    resolver: lane.resolver?.name ?? null,
    address: lane.address,
  });
}
