/** What to do about a reason that is not about failed probes, once it is known how the run ended. */
import type { FailureClass } from '../core/analysis.ts';
import { countText } from '../core/quantity-text.ts';
import type { Reason } from '../core/verdict.ts';
import { decisive, namedMax, unique } from './pick.ts';
import type { Report } from './shape.ts';
import { classWords, inconclusiveWords, objectiveTitle, reasonAdvice } from './words.ts';

const toKnow = 'To know: ';

/** Somebody stopped the watch before what the reason asks for could be seen. */
function isStoppedEarly(report: Report, { objective, text }: Reason): boolean {
  if (report.run.endedBecause !== 'interrupted') return false;
  return (
    objective === 'tail-watched' || (objective === 'evidence-of-change' && text.startsWith('The watch was stopped'))
  );
}

/** Follows "Nobody can say whether … was clean: ". */
export function openWords(report: Report, reason: Reason): string {
  if (isStoppedEarly(report, reason)) return 'the watch was stopped early';
  const { objective } = reason;
  return inconclusiveWords[objective] ?? `what was seen of the ${objectiveTitle(objective)} leaves it open`;
}

export function adviceOn(report: Report, reasons: readonly Reason[]): string[] {
  // Nothing else could be seen without the switch, so no other reason is one to act on.
  if (decisive(report, 'inconclusive').some(({ objective }) => objective === 'command-withheld')) {
    return [withheldAdvice(report)];
  }
  return reasons.flatMap((reason) => {
    const { objective, value, text } = reason;
    if (objective === 'evidence-of-change' && isStoppedEarly(report, reason)) return [stoppedAdvice(report, reason)];
    const advice = reasonAdvice[objective];
    if (advice !== undefined) return [advice];
    if (value !== 'inconclusive' || !text.includes(toKnow)) return [];
    return [
      `To get an answer about the ${objectiveTitle(objective)}: ${text.slice(text.indexOf(toKnow) + toKnow.length)}`,
    ];
  });
}

function stoppedAdvice(report: Report, { service }: Reason): string {
  const changes = report.services.find(({ name }) => name === service)?.changes ?? [];
  return changes.some(({ isEvident }) => isEvident)
    ? 'The change is made and was not taken back. Watch on with a new run.'
    : 'Run it again, and let it go on until it has seen the change.';
}

/** To start anyway is worth a word only where most of what was asked for came. */
function withheldAdvice(report: Report): string {
  const lanes = report.lanes.filter(({ judged, series }) => judged && series === 'raw');
  const sum = (of: 'good' | 'failed'): number => lanes.reduce((total, { slots }) => total + slots[of], 0);
  if (sum('good') > 0 && sum('good') >= sum('failed')) {
    return 'Mend what kept the command from being started, or say --start-anyway.';
  }
  const counts = new Map<FailureClass, number>();
  for (const { classes } of lanes) {
    for (const [name, count] of Object.entries(classes) as [FailureClass, number][]) {
      counts.set(name, (counts.get(name) ?? 0) + count);
    }
  }
  const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, namedMax);
  const met = unique(most.map(([name, count]) => `${classWords[name]} × ${countText(count)}`)).join(', ');
  return `Mend what the probes met${met === '' ? '' : ` (${met})`}, and run it again.`;
}
