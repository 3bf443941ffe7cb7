/** Findings about how long answers take: the new side against the old one, and waiting for CPU time. */
import type { Finding } from '../core/analysis.ts';
import { countOf, countText, durationText, ratioText } from '../core/quantity-text.ts';
import { findCpuComb, quotaPeriodMs, type CpuComb } from './cpu-comb.ts';
import type { FindingContext } from './finding-context.ts';
import type { Histogram } from './histogram.ts';
import { compareLatency, isSlower, type LatencyComparison } from './latency.ts';
import type { ServiceContext } from './service-analysis.ts';

export function latencyFindings({ contexts }: FindingContext): Finding[] {
  return contexts.flatMap((context): Finding[] => {
    const views = context.views.filter(({ lane }) => lane.role !== 'reference');
    const compared = compareLatency(views);
    return [...slowerSide(context, compared), ...cpuCombs(context, compared)];
  });
}

function slowerSide({ service }: ServiceContext, compared: readonly LatencyComparison[]): Finding[] {
  const slower = compared.filter(isSlower);
  const [worst] = slower.toSorted((a, b) => b.slowerRatio - a.slowerRatio);
  if (worst === undefined) return [];
  const of =
    slower.length === compared.length
      ? 'everybody'
      : `${countText(slower.length)} of ${countOf(compared.length, 'kind')} of client and path`;
  return [
    {
      kind: 'slower-side',
      service: service.name,
      severity: 'warn',
      text: `Answers of the new side take longer, for ${of}: of ${nameOf(worst)} half are there within ${medianText(worst.newUs)}, on the old side within ${medianText(worst.oldUs)}; in ${ratioText(worst.slowerRatio, 'down')} of all pairs the new side is the slower one.`,
      evidence: slower.map(
        (one) =>
          `${nameOf(one)}: old ${percentilesText(one.oldUs)}, new ${percentilesText(one.newUs)}; rank test ${one.deviations.toFixed(1)} standard deviations from chance`,
      ),
    },
  ];
}

/** So quick an answer has not waited; where the other side was seen, neither has one of twice its median. */
const quickUs = 20_000;

function cpuCombs({ service, views }: ServiceContext, compared: readonly LatencyComparison[]): Finding[] {
  return (['old', 'new'] as const).flatMap((side): Finding[] => {
    const medians = compared.map(({ oldUs, newUs }) => (side === 'old' ? newUs : oldUs).percentile(0.5));
    const comb = findCpuComb(views, side, Math.max(quickUs, 2 * Math.max(0, ...medians)));
    if (comb === null) return [];
    return [
      {
        kind: 'cpu-throttled',
        service: service.name,
        severity: 'warn',
        text: `Slow answers of the ${side} side end in step, ${String(quotaPeriodMs)} ms apart, whenever they were sent: so they do where containers have used up their CPU quota and wait for the kernel's next period of ${String(quotaPeriodMs)} ms. ${ratioText(nearRatio(comb), 'down')} of ${countOf(comb.count, 'slow answer')} end within three tenths of a period; by chance 30 % would. Raise the CPU limit of the containers, or take it away and keep the request; container_cpu_cfs_throttled_periods_total tells which.`,
        evidence: [
          `ends by tenths of ${String(quotaPeriodMs)} ms, around where they gather: ${comb.tenths.map(countText).join(' · ')}`,
          `ends gather by ${comb.endsGather.toFixed(2)}, sendings by ${comb.sendsGather.toFixed(2)} (0 = evenly spread, 1 = all at one phase)`,
        ],
      },
    ];
  });
}

/** In the three tenths around where they gather. */
function nearRatio({ tenths, count }: CpuComb): number {
  return tenths.slice(4, 7).reduce((sum, n) => sum + n, 0) / count;
}

function nameOf({ check, client }: LatencyComparison): string {
  return `${check} ${client}`;
}

function medianText(us: Histogram): string {
  return durationText(us.percentile(0.5) / 1000);
}

function percentilesText(us: Histogram): string {
  const text = (ratio: number): string => durationText(us.percentile(ratio) / 1000);
  return `${text(0.5)} (p90 ${text(0.9)}, p99 ${text(0.99)}, ${countOf(us.count, 'answer')})`;
}
