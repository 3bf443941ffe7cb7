/** Targets of load balancers in the live view, the stale ones first, and whoever should look at platforms and does not see. */
import { countText, listText } from '../core/quantity-text.ts';
import type { TargetState } from '../core/platform.ts';
import { span, type Line } from './live-line.ts';
import type { Report, ReportTarget } from './shape.ts';

/** Empty where no load balancer is watched. */
export function targetLines(report: Report): Line[] {
  const stale = report.staleTargets.filter(({ isOpenAtEnd }) => isOpenAtEnd);
  const over = report.staleTargets.length - stale.length;
  return [
    ...stale.map(({ text }): Line => [span('STALE  ', 'bad'), span(text)]),
    ...blindLines(report),
    ...groupLines(report),
    ...(over === 0 ? [] : [[span(`${countText(over)} stale before, gone now`, 'unsure')]]),
  ];
}

/** An observer that has not answered knows nothing, and a gap that has no end yet is now. */
function blindLines({ observers, run }: Report): Line[] {
  return observers.flatMap(({ name, hasSeen, gaps }): Line[] => {
    const open = gaps.find(({ toAt }) => toAt >= run.endedAt);
    if (hasSeen && open === undefined) return [];
    const why = (open ?? gaps.at(-1))?.why ?? 'it has not answered';
    return [[span('BLIND  ', 'unsure'), span(`${name}${hasSeen ? '' : ' has seen nothing so far'}: ${why}`)]];
  });
}

/** `old shop-1: 2 healthy, 1 draining`. */
function groupLines({ targets }: Report): Line[] {
  const groups = Map.groupBy(targets, ({ side, group }) => `${side} ${group}`);
  return [...groups].map(([name, own]) => {
    const states = own.map(stateNow);
    const counts = [...new Set(states)].map((state) => {
      const count = states.filter((one) => one === state).length;
      return `${countText(count)} ${state}`;
    });
    const isSick = states.some((state) => state === 'unhealthy' || state === 'unavailable');
    const isNone = !states.includes('healthy');
    return [span(`${name}: `, 'faint'), span(listText(counts), isNone ? 'unsure' : isSick ? 'unsure' : null)];
  });
}

function stateNow({ stretches }: ReportTarget): TargetState | 'gone' {
  return stretches.at(-1)?.state ?? 'gone';
}
