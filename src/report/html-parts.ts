/** The parts of the page that are text and tables. Whatever comes from elsewhere is escaped here, and nowhere else. */
import { countOf } from '../core/quantity-text.ts';
import { sections } from './document.ts';
import { markupText } from './escape.ts';
import { tableHtml } from './html-table.ts';
import { unique } from './pick.ts';
import type { Section } from './section.ts';
import type { Report } from './shape.ts';
import type { Snapshot } from './snapshot.ts';
import { tell, type Answer } from './story.ts';

/** More services than this, and those that passed are closed to begin with. */
const openMax = 3;
const linesMax = 2;

export function storyHtml({ report, isRunning }: Snapshot): string {
  const { value, word, headline, answers } = tell(report, isRunning);
  const { run } = report;
  const from = run.vantages.map(({ name }) => name).join(', ');
  const when = `${run.startedAt.slice(0, 10)}, ${run.startedAt.slice(11, 19)} to ${run.endedAt.slice(11, 19)} UTC`;
  return `
<p class="verdict ${value}">${word}</p>
<p class="run">${markupText(run.scenario)} · ${markupText(when)} · seen from ${markupText(from)}</p>
<h1>${proseHtml(headline)}</h1>
<dl class="answers">
${answers.map(answerHtml).join('\n')}
</dl>
${contentsHtml(sections(report))}
`;
}

/** The first lines answer, and all answers are on the first screen. */
function answerHtml({ question, lines }: Answer): string {
  const texts = lines.map((line) => `<p>${proseHtml(line)}</p>`);
  const isLong = lines.length > linesMax + 1;
  const rest = isLong ? texts.slice(linesMax) : [];
  const more =
    rest.length === 0
      ? ''
      : `<details><summary>${countOf(rest.length, 'more line')}</summary>${rest.join('')}</details>`;
  return `<dt>${markupText(question)}</dt><dd>${texts.slice(0, texts.length - rest.length).join('')}${more}</dd>`;
}

export function sectionsHtml(report: Report): string {
  const all = sections(report);
  const serviceCount = report.services.length;
  const verdictOf = new Map(report.services.map(({ name, verdict }) => [name, verdict]));
  const parts: string[] = [];
  let i = 0;
  while (i < all.length) {
    const own = all.slice(i, endOfGroup(all, i));
    const [head] = own;
    if (head === undefined) break;
    const inner = own.map((section) => sectionHtml(section)).join('\n');
    if (head.service === undefined) parts.push(`<section id="${idOf(i)}">${inner}</section>`);
    else {
      const isOpen = serviceCount <= openMax || verdictOf.get(head.service) !== 'pass';
      parts.push(
        `<details class="group" id="${idOf(i)}" data-service="${markupText(head.service)}"${isOpen ? ' open' : ''}><summary><h2>${markupText(head.title)}</h2></summary>${inner}</details>`,
      );
    }
    i += own.length;
  }
  const { run } = report;
  return `${parts.join('\n')}
<p class="colophon">Run ${markupText(run.id)}, cutwatch ${markupText(run.cutwatchVersion)}. All instants are UTC.</p>`;
}

function contentsHtml(all: readonly Section[]): string {
  const links = all.flatMap(({ title, level }, i) =>
    level === 2 ? [`<a href="#${idOf(i)}">${markupText(title)}</a>`] : [],
  );
  return `<nav aria-label="Contents"><a href="#over-time">Over time</a> ${links.join(' ')}</nav>`;
}

function idOf(i: number): string {
  return `part-${String(i)}`;
}

/** A heading of the second level, and all below it. */
function endOfGroup(all: readonly Section[], from: number): number {
  const next = all.findIndex(({ level }, i) => i > from && level === 2);
  return next === -1 ? all.length : next;
}

/** A number stays on the line of its unit. */
function proseHtml(text: string): string {
  return markupText(text).replaceAll(/(\d) (?=(?:ms|s|min|h|%)(?:\W|$))/g, '$1\u00a0');
}

function sectionHtml({ title, level, service, paragraphs, table, list }: Section): string {
  const heading =
    level === 2 && service !== undefined ? [] : [`<h${String(level)}>${markupText(title)}</h${String(level)}>`];
  return [
    ...heading,
    ...paragraphs.map((paragraph) => `<p>${proseHtml(paragraph)}</p>`),
    ...(table === undefined ? [] : [tableHtml(table)]),
    ...(list === undefined ? [] : [listHtml(list)]),
  ].join('\n');
}

/** A term with several meanings is said once. */
function listHtml(list: NonNullable<Section['list']>): string {
  const terms = unique(list.map(([term]) => term));
  return `<dl class="terms">${terms
    .map((term) => {
      const meanings = list.filter(([other]) => other === term);
      return `<dt>${markupText(term)}</dt>${meanings.map(([, meaning]) => `<dd>${markupText(meaning)}</dd>`).join('')}`;
    })
    .join('')}</dl>`;
}
