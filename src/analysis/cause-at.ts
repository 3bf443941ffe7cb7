/** The cause of one failed slot, for those who tell slots one by one. */
import type { Cause } from '../core/analysis.ts';
import type { Conclusion } from './analyse.ts';
import { causeOf, type CauseContext } from './causes.ts';
import type { LaneView } from './lane-view.ts';

export type CauseAt = (view: LaneView, slot: number) => Cause;

/** As the lanes' own analysis has it, a dead address among living ones included. */
export function newCauseAt({ analysis, lanes }: Conclusion): CauseAt {
  const contexts = new Map(
    lanes.flatMap(({ view, context }) => (view.series === 'raw' ? [[view.lane.number, context] as const] : [])),
  );
  const dead = new Map(
    analysis.lanes
      .filter(({ series }) => series === 'raw')
      .map(({ number, impaired }) => [number, impaired.filter(({ failedAddresses }) => failedAddresses.length > 0)]),
  );
  return (view, slot) => {
    const cause = causeOf(view, slot, contexts.get(view.lane.number) as CauseContext);
    if (cause !== 'unattributed') return cause;
    const dueNs = view.dueNs(slot);
    const isDead = dead.get(view.lane.number)?.some((span) => span.fromAtNs <= dueNs && dueNs <= span.toAtNs);
    return isDead === true ? 'address-down' : cause;
  };
}
