/** A table of the page: its strips and curves drawn, and what its columns mean below it. */
import { curveSvg } from './curve-svg.ts';
import { markupText } from './escape.ts';
import type { Cell, Strip, Table } from './section.ts';
import { columnMeanings, stateWords } from './words.ts';

export function tableHtml({ columns, rows }: Table): string {
  const kindOf = (i: number): string | undefined => columns[i]?.kind;
  const cellHtml = (cell: Cell, i: number): string => {
    const { tone, strip, curve } = cell;
    const drawn = curve !== undefined ? 'curve' : strip !== undefined ? 'strip' : undefined;
    return `<td${classOf([tone, kindOf(i), drawn])}>${contentHtml(cell)}</td>`;
  };
  return [
    '<div class="wide"><table>',
    `<thead><tr>${columns.map(({ name }, i) => `<th scope="col"${classOf([kindOf(i)])}>${markupText(name)}</th>`).join('')}</tr></thead>`,
    '<tbody>',
    ...rows.map((cells) => `<tr${laneAttributes(cells)}>${cells.map(cellHtml).join('')}</tr>`),
    '</tbody></table></div>',
    meaningsHtml(columns.map(({ name }) => name)),
  ].join('\n');
}

function contentHtml({ text, items, strip, curve }: Cell): string {
  if (curve !== undefined) return curveSvg(curve);
  if (items !== undefined && items.length > 1) {
    return `<ul>${items.map((item) => `<li>${markupText(item)}</li>`).join('')}</ul>`;
  }
  return `${strip === undefined ? '' : stripHtml(strip)}${markupText(text)}`;
}

/** What the filter of the charts goes by. */
function laneAttributes(cells: readonly Cell[]): string {
  const lane = cells.find((cell) => cell.lane !== undefined)?.lane;
  if (lane === undefined) return '';
  return ` data-client="${markupText(lane.client)}" data-resolver="${markupText(lane.resolver ?? '')}"`;
}

function meaningsHtml(names: readonly string[]): string {
  const known = names.flatMap((name) => {
    const meaning = columnMeanings[name];
    return meaning === undefined ? [] : [`<dt>${markupText(name)}</dt><dd>${markupText(meaning)}</dd>`];
  });
  if (known.length === 0) return '';
  return `<details class="meaning"><summary>What these columns mean</summary><dl class="terms">${known.join('')}</dl></details>`;
}

function classOf(names: readonly (string | undefined)[]): string {
  const list = names.filter((name) => name !== undefined);
  return list.length === 0 ? '' : ` class="${list.join(' ')}"`;
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
