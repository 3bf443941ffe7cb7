/** Targets of load balancers in the live view, the stale ones first, and whoever should look at platforms and does not see. */
import { countText, listText } from '../core/quantity-text.ts';
import type { TargetState } from '../core/platform.ts';
import { span, type Item, type LiveEmphasis, type Span } from './live-line.ts';
import type { Report, ReportTarget } from './shape.ts';

/** Empty where no load balancer is watched. */
export function targetItems(report: Report): Item[] {
  const stale = report.staleTargets.filter(({ isOpenAtEnd }) => isOpenAtEnd);
  const over = report.staleTargets.filter(({ isOpenAtEnd }) => !isOpenAtEnd);
  return [
    ...stale.map(({ text }) => ({ label: label('STALE', 'bad'), text })),
    ...blindItems(report),
    ...groupItems(report),
    ...over.map(({ text }) => ({ label: label('was stale', 'unsure'), text })),
  ];
}

function label(text: string, emphasis: LiveEmphasis): Span {
  return span(text.padEnd(10), emphasis);
}

/** An observer that has not answered knows nothing, and a gap that has no end yet is now. */
function blindItems({ observers, run }: Report): Item[] {
  return observers.flatMap(({ name, hasSeen, gaps }) => {
    const open = gaps.find(({ toAt }) => toAt >= run.endedAt);
    if (hasSeen && open === undefined) return [];
    const why = (open ?? gaps.at(-1))?.why ?? 'it has not answered';
    return [{ label: label('BLIND', 'unsure'), text: `${name}${hasSeen ? '' : ' has seen nothing so far'}: ${why}` }];
  });
}

/** `old  shop-1: 2 healthy and 1 draining`. */
function groupItems({ targets }: Report): Item[] {
  const groups = Map.groupBy(targets, ({ side, group }) => `${side} ${group}`);
  return [...groups.values()].flatMap((own) => {
    const [first] = own;
    if (first === undefined) return [];
    const states = own.map(stateNow);
    const counts = [...new Set(states)].map(
      (state) => `${countText(states.filter((one) => one === state).length)} ${state}`,
    );
    const isWell = states.every((state) => state === 'healthy' || state === 'gone') && states.includes('healthy');
    return [{ label: label(first.side, isWell ? 'faint' : 'unsure'), text: `${first.group}: ${listText(counts)}` }];
  });
}

function stateNow({ stretches }: ReportTarget): TargetState | 'gone' {
  return stretches.at(-1)?.state ?? 'gone';
}
