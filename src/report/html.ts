/**
 * The report as one page that needs nothing else: no script, no font, no picture from anywhere, and a policy that would
 * refuse them. The first screen answers; the tables below it prove.
 */
import { curveSvg } from './curve-svg.ts';
import { sections } from './document.ts';
import { markupText } from './escape.ts';
import { style, styleSha256 } from './html-style.ts';
import type { Cell, Section, Strip, Table } from './section.ts';
import type { Report } from './shape.ts';
import { tell } from './story.ts';
import { stateWords, verdictWords } from './words.ts';

export function html(report: Report): string {
  const story = tell(report);
  const { run } = report;
  const verdict = verdictWords[story.value];
  const from = run.vantages.map(({ name }) => name).join(', ');
  const when = `${run.startedAt.slice(0, 10)}, ${run.startedAt.slice(11, 19)} to ${run.endedAt.slice(11, 19)} UTC`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${styleSha256}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${verdict}: ${markupText(run.scenario)}</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<p class="verdict ${story.value}">${verdict}</p>
<p class="run">${markupText(run.scenario)} · ${markupText(when)} · seen from ${markupText(from)}</p>
<h1>${proseHtml(story.headline)}</h1>
<dl class="answers">
${story.answers.map(({ question, lines }) => `<dt>${markupText(question)}</dt><dd>${lines.map((line) => `<p>${proseHtml(line)}</p>`).join('')}</dd>`).join('\n')}
</dl>
</header>
${sections(report).map(sectionHtml).join('\n')}
<section><p>Run ${markupText(run.id)}, cutwatch ${markupText(run.cutwatchVersion)}. All instants are UTC.</p></section>
</main>
</body>
</html>
`;
}

/** A number stays on the line of its unit. */
function proseHtml(text: string): string {
  return markupText(text).replaceAll(/(\d) (?=(?:ms|s|min|h|%)(?:\W|$))/g, '$1\u00a0');
}

function sectionHtml({ title, level, paragraphs, table, list }: Section): string {
  const heading = `h${String(level)}`;
  return [
    '<section>',
    `<${heading}>${markupText(title)}</${heading}>`,
    ...paragraphs.map((paragraph) => `<p>${proseHtml(paragraph)}</p>`),
    ...(table === undefined ? [] : [tableHtml(table)]),
    ...(list === undefined
      ? []
      : [
          `<dl class="terms">${list.map(([term, meaning]) => `<dt>${markupText(term)}</dt><dd>${markupText(meaning)}</dd>`).join('')}</dl>`,
        ]),
    '</section>',
  ].join('\n');
}

function tableHtml({ columns, rows }: Table): string {
  const classOf = (names: readonly (string | undefined)[]): string => {
    const list = names.filter((name) => name !== undefined);
    return list.length === 0 ? '' : ` class="${list.join(' ')}"`;
  };
  const kindOf = (i: number): string | undefined => columns[i]?.kind;
  const cellHtml = (cell: Cell, i: number): string => {
    const { text, tone, strip, curve } = cell;
    if (curve !== undefined) return `<td${classOf([tone, kindOf(i), 'curve'])}>${curveSvg(curve)}</td>`;
    const drawing = strip === undefined ? '' : stripHtml(strip);
    return `<td${classOf([tone, kindOf(i), strip === undefined ? undefined : 'strip'])}>${drawing}${markupText(text)}</td>`;
  };
  return [
    '<div class="wide"><table>',
    `<thead><tr>${columns.map(({ name }, i) => `<th scope="col"${classOf([kindOf(i)])}>${markupText(name)}</th>`).join('')}</tr></thead>`,
    '<tbody>',
    ...rows.map((cells) => `<tr>${cells.map(cellHtml).join('')}</tr>`),
    '</tbody></table></div>',
  ].join('\n');
}

const stripWidth = 1000;
const stripHeight = 12;

/** Down and impaired are full height and never thinner than can be seen: shape tells them apart as well as colour. */
function stripHtml({ stretches, changesAt }: Strip): string {
  const thinned = stretches.length > stripWidth / 2 ? worstPerBin(stretches, stripWidth / 2) : stretches;
  const rect = (state: string, x: number, width: number, inset: number): string =>
    `<rect class="s-${state}" x="${fixed(x)}" y="${String(inset)}" width="${fixed(width)}" height="${String(stripHeight - 2 * inset)}"/>`;
  const isBad = (state: string): boolean => state === 'down' || state === 'impaired';
  const inOrder = [...thinned.filter(({ state }) => !isBad(state)), ...thinned.filter(({ state }) => isBad(state))];
  const rects = inOrder.map(({ state, from, to }) =>
    rect(state, from * stripWidth, Math.max((to - from) * stripWidth, isBad(state) ? 2 : 0), isBad(state) ? 0 : 3),
  );
  const marks = changesAt.map((at) => rect('change', at * stripWidth - 0.75, 1.5, 0));
  const label = [...new Set(stretches.map(({ state }) => stateWords[state]))].join(', ');
  return `<svg viewBox="0 0 ${String(stripWidth)} ${String(stripHeight)}" preserveAspectRatio="none" role="img" aria-label="${markupText(label)}">${rects.join('')}${marks.join('')}</svg>`;
}

/** A lane that flaps for hours would make a page of megabytes: each bin shows the worst that was in it. */
function worstPerBin(stretches: Strip['stretches'], binCount: number): Strip['stretches'] {
  const order = ['unseen', 'old', 'new', 'unknown', 'conflict', 'impaired', 'down'];
  const bins: (Strip['stretches'][number] | undefined)[] = Array.from({ length: binCount });
  for (const stretch of stretches) {
    const last = Math.min(binCount - 1, Math.floor(stretch.to * binCount));
    for (let i = Math.floor(stretch.from * binCount); i <= last; i += 1) {
      const known = bins[i];
      if (known !== undefined && order.indexOf(known.state) >= order.indexOf(stretch.state)) continue;
      bins[i] = { state: stretch.state, from: i / binCount, to: (i + 1) / binCount };
    }
  }
  return bins.filter((bin) => bin !== undefined);
}

function fixed(value: number): string {
  return String(Math.round(value * 100) / 100);
}
