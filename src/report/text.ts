/** What the terminal prints: the end of a run, and one calm line while it goes on. */
import type { Analysis, LaneAnalysis, PhaseName, SafetyAdvice, ServiceAnalysis, Stretch } from '../core/analysis.ts';
import { countOf, countText, listText } from '../core/quantity-text.ts';
import { nsPerS, toIso } from '../core/time.ts';
import { plainText } from './escape.ts';
import { stretchesText } from './service-sections.ts';
import { lateLine } from './residual-section.ts';
import { serviceViews } from './service-view.ts';
import type { Report } from './shape.ts';
import { tell } from './story.ts';
import { stateWords, verdictWords } from './words.ts';

export type Emphasis = 'good' | 'bad' | 'unsure' | 'strong' | 'faint';
/** Colours, where the terminal has them; the words alone must do. */
export type Style = (text: string, emphasis: Emphasis) => string;

const plain: Style = (text) => text;
const answerLinesMax = 4;
const sequencesMax = 4;

export interface SummaryOptions {
  /** Null: its report could not be written. */
  readonly runPath: string | null;
  /** The file of limits that are not the run's own: its report is not about this verdict. */
  readonly judgedBy?: string;
  readonly style?: Style;
  /** Where lines are broken, between words; none are when left out. */
  readonly columns?: number;
}

const indent = ' '.repeat(19);

/** The end of a run in at most 25 lines (more where they are broken), without a line break after the last. */
export function summaryText(report: Report, options: SummaryOptions): string {
  const { runPath, judgedBy, style = plain, columns = Infinity } = options;
  const story = tell(report);
  const emphasis = { pass: 'good', fail: 'bad', inconclusive: 'unsure' } as const;
  const verdict = verdictWords[story.value];
  const headline = broken(plainText(story.headline), columns - verdict.length - 2);
  const lines = [`${style(verdict, emphasis[story.value])}  ${headline.join(`\n${' '.repeat(verdict.length + 2)}`)}`];
  for (const { question, lines: answers } of story.answers) {
    const shown = answers.slice(0, answerLinesMax);
    const more = answers.length - shown.length;
    shown.forEach((answer, i) => {
      const label = i === 0 ? style(question.padEnd(17), 'strong') : ' '.repeat(17);
      const rest =
        more > 0 && i === shown.length - 1 ? style(`  (${countText(more)} more in the report)`, 'faint') : '';
      lines.push(`  ${label}${broken(plainText(answer), columns - indent.length).join(`\n${indent}`)}${rest}`);
    });
  }
  const views = serviceViews(report);
  const worst = views.flatMap((view) => [...view.hit, ...view.hitUnjudged]).map(({ lane }) => lane);
  const lanes = worst.length > 0 ? worst : views.flatMap((view) => view.judged);
  const width = Math.max(...lanes.slice(0, sequencesMax).map(({ name }) => plainText(name).length));
  for (const lane of lanes.slice(0, sequencesMax)) {
    lines.push(`  ${style(plainText(lane.name).padEnd(width), 'faint')}  ${plainText(stretchesText(lane))}`);
  }
  const late = lateLine(report);
  if (late !== null) lines.push(`  ${style('too late', 'unsure')}  ${plainText(late)}`);
  if (judgedBy !== undefined) {
    lines.push(`  ${style('judged by', 'faint')} ${plainText(judgedBy)}; the report of the run is unchanged`);
  } else if (runPath !== null) {
    lines.push(`  ${style('report', 'faint')} ${plainText(runPath)}/report.html`);
  }
  return lines.join('\n');
}

/** Lines of at most `columns` characters, broken between words; a longer word stays whole. */
function broken(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** `00:42 baseline · 3 of 5 lanes qualified · 412 probes · old 100 % · 0 failed · 0 dropped`: where its judged lanes are. */
export function progressLine(analysis: Analysis, nowNs: number): string {
  const lanes = analysis.lanes.filter((lane) => lane.judged && lane.series === 'raw');
  const sum = (of: (slots: (typeof lanes)[number]['slots']) => number): number =>
    lanes.reduce((total, lane) => total + of(lane.slots), 0);
  const sent = analysis.lanes.reduce((total, lane) => total + lane.slots.sent, 0);
  return [
    `${elapsedText(nowNs)} ${phaseText(analysis, nowNs)}`,
    `${countText(lanes.filter((lane) => lane.qualified).length)} of ${countOf(lanes.length, 'lane')} qualified`,
    `${countText(sent)} probes`,
    ...stateShares(lanes),
    `${countText(sum((slots) => slots.failed))} failed`,
    `${countText(sum((slots) => slots.dropped))} dropped`,
    ...safetyShares(analysis, nowNs),
  ].join(' · ');
}

/** While some wait for the switch, whether it is safe; once all are over it, whether the side left may go. */
function safetyShares({ services, mode, startedAtMs }: Analysis, nowNs: number): string[] {
  if (mode === 'deploy') return [];
  const waiting = services.filter((service) => phaseOf(service, nowNs) === 'baseline');
  if (waiting.length > 0) {
    return [
      `safe to switch: ${safetyWords(
        waiting.map(({ safeToSwitch }) => safeToSwitch),
        startedAtMs,
      )}`,
    ];
  }
  const left = services.flatMap(({ safeToRemoveOld }) => (safeToRemoveOld.side === null ? [] : [safeToRemoveOld]));
  if (left.length === 0 || services.some((service) => phaseOf(service, nowNs) !== 'tail')) return [];
  return [`${left[0]?.side ?? 'old'} side may go: ${safetyWords(left, startedAtMs)}`];
}

/** The worst of all. */
function safetyWords(all: readonly SafetyAdvice[], startedAtMs: number): string {
  const against = all.filter(({ safe }) => safe === 'no');
  if (against.length === 0) return all.some(({ safe }) => safe === 'unknown') ? 'not known' : 'yes';
  const instants = against.flatMap(({ atNs }) => (atNs === null ? [] : [atNs]));
  if (instants.length < against.length) return 'no';
  return `from ${toIso(startedAtMs, Math.max(...instants)).slice(11, 19)} UTC`;
}

export function elapsedText(nowNs: number): string {
  const wholeS = Math.floor(nowNs / nsPerS);
  const two = (count: number): string => String(count).padStart(2, '0');
  const hours = Math.floor(wholeS / 3600);
  const minutes = Math.floor(wholeS / 60) % 60;
  return `${hours === 0 ? '' : `${String(hours)}:`}${two(minutes)}:${two(wholeS % 60)}`;
}

/** One word while all services agree, else how many are in which phase. */
function phaseText(analysis: Analysis, nowNs: number): string {
  const counts = new Map<PhaseName, number>();
  for (const service of analysis.services) {
    const name = phaseOf(service, nowNs);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const [first] = counts;
  if (first === undefined) return 'baseline';
  return counts.size === 1 ? first[0] : listText([...counts].map(([name, count]) => `${name} ${countText(count)}`));
}

function phaseOf({ phases }: ServiceAnalysis, nowNs: number): PhaseName {
  return (phases.findLast((phase) => phase.fromAtNs <= nowNs) ?? phases[0])?.name ?? 'baseline';
}

/** By the newest state of each lane; what is still in flight reads as unseen and is passed over. */
function stateShares(lanes: readonly LaneAnalysis[]): string[] {
  const states = lanes
    .map((lane) => lane.stretches.findLast(({ state }) => state !== 'unseen')?.state)
    .filter((state) => state !== undefined);
  const order: readonly Stretch['state'][] = ['old', 'new', 'impaired', 'down', 'unknown', 'conflict'];
  return order.flatMap((state) => {
    const count = states.filter((one) => one === state).length;
    return count === 0 ? [] : [`${stateWords[state]} ${String(Math.round((count / states.length) * 100))} %`];
  });
}
