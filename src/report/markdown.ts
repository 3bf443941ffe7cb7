/**
 * The report for a pull request, a ticket or a chat: GitHub's Markdown. First the verdict, who, how long, why and what to
 * do; then a row for each service, and its lanes over time; everything else is folded.
 */
import { countOf } from '../core/quantity-text.ts';
import { foldTitleText, markdownText } from './escape.ts';
import { gantt } from './mermaid.ts';
import { runSections } from './run-sections.ts';
import type { Section, Table } from './section.ts';
import { serviceSections } from './service-sections.ts';
import { serviceTable } from './service-table.ts';
import { serviceViews, type ServiceView } from './service-view.ts';
import type { Report } from './shape.ts';
import { tell, type Answer } from './story.ts';
import { verdictWords } from './words.ts';

/** Of an answer; what is beyond is folded. */
const answerLinesMax = 6;
/** More than these, and their drawing is folded. */
const drawnServicesMax = 4;

export function markdown(report: Report): string {
  return markdownWithin(report, Infinity);
}

/** Parts that do not fit are left out, from the end, and counted: a reader knows that there is more. */
export function markdownWithin(report: Report, bytesMax: number): string {
  const views = serviceViews(report);
  const parts = [
    headLines(report),
    tableLines(serviceTable(report, views)),
    drawing(report, views),
    ...views.map((view) => folded(`${view.service.name}, lane by lane`, serviceSections(report, view))),
    folded('Reasons, findings, DNS, the prober, and what the numbers mean', runSections(report)),
  ].map((lines) => lines.map((line) => `${line}\n`).join(''));
  const encoder = new TextEncoder();
  let bytesLeft = bytesMax - noteBytesMax;
  const fit = parts.findIndex((part) => {
    bytesLeft -= encoder.encode(part).length;
    return bytesLeft < 0;
  });
  const shown = fit === -1 ? parts : parts.slice(0, fit);
  const left = parts.length - shown.length;
  const note = left === 0 ? '' : `${countOf(left, 'part')} more did not fit here: the report of the run is whole.`;
  return `${[...shown, note].join('').trimEnd()}\n`;
}

const noteBytesMax = 100;

function headLines(report: Report): string[] {
  const story = tell(report);
  const { run } = report;
  return [
    `# ${verdictWords[story.value]}: ${markdownText(run.scenario)}`,
    '',
    `**${markdownText(story.headline)}**`,
    '',
    ...story.answers.flatMap(answerLines),
    markdownText(
      `Watched from ${run.startedAt} to ${run.endedAt} from ${run.vantages.map(({ name }) => name).join(', ')}, run ${run.id}, cutwatch ${run.cutwatchVersion}.`,
    ),
    '',
  ];
}

function answerLines({ question, lines }: Answer): string[] {
  const bullets = lines.map((line) => `- ${markdownText(line)}`);
  const more = bullets.slice(answerLinesMax);
  return [
    `**${question}**`,
    '',
    ...bullets.slice(0, answerLinesMax),
    '',
    ...(more.length === 0 ? [] : fold(`${question}: ${countOf(more.length, 'more line')}`, more)),
  ];
}

function drawing(report: Report, views: readonly ServiceView[]): string[] {
  const chart = ['```mermaid', ...gantt(report, views), '```', ''];
  return views.length > drawnServicesMax ? fold('Over time', chart) : chart;
}

function folded(title: string, sections: readonly Section[]): string[] {
  return fold(title, sections.flatMap(sectionLines));
}

/** Between tags and Markdown stands an empty line, or GitHub takes the one for the other. */
function fold(title: string, lines: readonly string[]): string[] {
  const last = lines.at(-1) === '' ? [] : [''];
  return ['<details>', `<summary>${foldTitleText(title)}</summary>`, '', ...lines, ...last, '</details>', ''];
}

function sectionLines(section: Section): string[] {
  return [
    `${'#'.repeat(section.level)} ${markdownText(section.title)}`,
    '',
    ...section.paragraphs.flatMap((paragraph) => [markdownText(paragraph), '']),
    ...(section.table === undefined ? [] : tableLines(section.table)),
    ...(section.list === undefined
      ? []
      : [...section.list.map(([term, meaning]) => `- **${markdownText(term)}**: ${markdownText(meaning)}`), '']),
  ];
}

function tableLines({ columns, rows }: Table): string[] {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    row(columns.map(({ name }) => markdownText(name))),
    row(columns.map(({ kind }) => (kind === 'number' ? '---:' : '---'))),
    ...rows.map((cells) => row(cells.map(({ text }) => markdownText(text)))),
    '',
  ];
}
