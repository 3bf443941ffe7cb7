/** The report for a pull request or a ticket: GitHub's Markdown, the verdict first. */
import { sections } from './document.ts';
import { markdownText } from './escape.ts';
import type { Section, Table } from './section.ts';
import type { Report } from './shape.ts';
import { tell } from './story.ts';
import { verdictWords } from './words.ts';

export function markdown(report: Report): string {
  const story = tell(report);
  const { run } = report;
  const lines = [
    `# ${verdictWords[story.value]}: ${markdownText(run.scenario)}`,
    '',
    `**${markdownText(story.headline)}**`,
    '',
    ...story.answers.flatMap(({ question, lines: answers }) => [
      `**${question}**`,
      '',
      ...answers.map((answer) => `- ${markdownText(answer)}`),
      '',
    ]),
    markdownText(
      `Watched from ${run.startedAt} to ${run.endedAt} from ${run.vantages.map(({ name }) => name).join(', ')}, run ${run.id}, cutwatch ${run.cutwatchVersion}.`,
    ),
    '',
    ...sections(report).flatMap(sectionLines),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
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
