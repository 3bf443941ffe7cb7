/** The targets of load balancers that were stale, or look like it: a table, and a line for the story. */
import { boundsText, countOf, countText, durationBoundsText, durationText, listText } from '../core/quantity-text.ts';
import type { TargetFault } from '../core/stale-target.ts';
import { clockText } from './instant-text.ts';
import { unique } from './pick.ts';
import { rowsMax, type Cell, type Section } from './section.ts';
import type { Report, ReportStaleTarget } from './shape.ts';

export const faultWords: Readonly<Record<TargetFault, string>> = {
  'stale-gone': 'its pod or task had gone',
  'stale-reused': "its address was another's",
  'late-deregistration': 'its pod or task had been told to end long before',
  'drain-race': 'draining, its pod or task gone',
  'missing-target': 'ready, and no target',
  'no-target': 'nothing got requests',
};

const proofWords: Readonly<Record<'P1' | 'P2' | 'P3', string>> = {
  P3: 'P3: by the access log',
  P2: 'P2: by targets and shares',
  P1: 'P1: suggested',
};

export function targetSection(report: Report): Section[] {
  const { staleTargets, run } = report;
  if (staleTargets.length === 0) return [];
  return [
    {
      title: 'Stale targets',
      level: 2,
      paragraphs: [
        'Targets that still got requests when nobody was behind them any more, by what the platforms and the probes tell. P3 and P2 count against the limit; P1 is signature and timing alone.',
        ...unique(staleTargets.flatMap(({ check }) => (check === null ? [] : [checkText(check)]))),
      ],
      table: {
        columns: [
          { name: 'Target' },
          { name: 'Of' },
          { name: 'What' },
          { name: 'From', kind: 'short' },
          { name: 'For' },
          { name: 'Expected' },
          { name: 'Failed probes', kind: 'number' },
          { name: 'Proof' },
        ],
        rows: staleTargets.slice(0, rowsMax).map((stale): Cell[] => [
          { text: nameOf(stale) },
          { text: stale.services.length === 0 ? '–' : listText(stale.services) },
          { text: faultWords[stale.fault] },
          { text: clockText(run.startedAt, stale.fromAt) },
          { text: `${durationBoundsText(stale.windowMs)}${stale.isOpenAtEnd ? ' or more' : ''}` },
          { text: expectedText(stale) },
          {
            text: countText(stale.failedCount),
            tone: stale.proof === 'P2' || stale.proof === 'P3' ? 'bad' : 'faint',
          },
          { text: stale.proof === null ? 'none failed' : proofWords[stale.proof] },
        ]),
      },
    },
  ];
}

function nameOf({ target, group, owner }: ReportStaleTarget): string {
  if (target === null) return group === '' ? 'not known' : `all of ${group}`;
  return `${target} of ${group}${owner === null ? '' : `, ${owner}`}`;
}

function expectedText({ expectedWindowMs }: ReportStaleTarget): string {
  return expectedWindowMs === null ? '–' : `at most ${durationText(expectedWindowMs.max, 'up')}`;
}

function checkText(check: NonNullable<ReportStaleTarget['check']>): string {
  const { failedCount, probeCount, expectedRatio, outsideFailedCount, outsideProbeCount } = check;
  const least = Math.round(expectedRatio.min * probeCount);
  const most = Math.round(expectedRatio.max * probeCount);
  const expected = least === most ? `about ${countText(most)}` : boundsText({ min: least, max: most }, countText);
  return `${countText(failedCount)} of ${countOf(probeCount, 'probe')} failed so while targets were stale (${expected} were to be expected, by their share of all that got requests), and ${countText(outsideFailedCount)} of ${countText(outsideProbeCount)} while none was.`;
}

/** One line for each group and service: how many, for how long, what of the failures they explain. */
export function targetLines({ staleTargets }: Report): string[] {
  const proved = staleTargets.filter(({ proof, target }) => target !== null && (proof === 'P2' || proof === 'P3'));
  const byGroup = Map.groupBy(proved, ({ side, group }) => `${side} ${group}`);
  const lines = [...byGroup.values()].map((own) => {
    const count = new Set(own.map(({ target }) => target)).size;
    const longest = own.reduce((a, b) => (b.windowMs.max > a.windowMs.max ? b : a));
    const expected = longest.expectedWindowMs;
    const than = expected === null ? '' : ` (expected: at most ${durationText(expected.max, 'up')})`;
    const forText = `${durationBoundsText(longest.windowMs)}${count > 1 ? ' at the longest' : ''}`;
    const what = count === 1 ? 'target' : 'targets';
    const after = count === 1 ? 'after its pod or task had gone' : 'after their pods or tasks had gone';
    const isLogged = own.some(({ proof }) => proof === 'P3');
    const proof = isLogged
      ? "proved by the load balancer's access log"
      : 'shown by the target group, the pods, and the share that failed';
    return `${countText(count)} ${what} of ${longest.group} still got requests ${after}, for ${forText}${than}: ${countOf(togetherCount(own), 'failed probe')}, ${proof}.`;
  });
  const suspected = staleTargets.filter(({ proof, target }) => target === null && proof === 'P1');
  return [...lines, ...suspected.slice(0, suspectedMax).map(({ text }) => text)];
}

const suspectedMax = 2;

/** Failures of targets that were stale at the same time are counted once. */
function togetherCount(own: readonly ReportStaleTarget[]): number {
  const byEpisode = new Map<number, number>();
  let alone = 0;
  for (const { check, failedCount } of own) {
    if (check === null) alone += failedCount;
    else byEpisode.set(check.episode, check.togetherFailedCount);
  }
  return alone + [...byEpisode.values()].reduce((sum, count) => sum + count, 0);
}

/** What to do, where targets were or may have been stale. */
export function targetAdvice({ staleTargets }: Report): string[] {
  const isProved = staleTargets.some(({ target, proof }) => target !== null && (proof === 'P2' || proof === 'P3'));
  const isSuspected = staleTargets.some(({ target, proof }) => target === null && proof === 'P1');
  if (isProved || !isSuspected) return [];
  return [
    "To prove or rule out a stale target: let the run see the target groups and the pods or tasks behind them (sides.…aws and ecs or kubernetes; read access suffices), or give it the load balancer's access log.",
  ];
}
