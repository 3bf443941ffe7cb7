/** Lines of the live view: text and how it should feel, clipped to the columns that there are. Colours come later. */
import { plainText } from './escape.ts';
import type { Emphasis } from './text.ts';
import { columnsOf, drawable, glyphsOf } from './text-width.ts';

/** A cell of a strip is a letter as well, so that colours may be wrong for an eye, or not there at all. */
export type CellEmphasis = 'old' | 'new' | 'both' | 'some-failed' | 'all-failed' | 'unknown' | 'unseen';
export type LiveEmphasis = Emphasis | CellEmphasis;

export interface Span {
  readonly text: string;
  readonly emphasis: LiveEmphasis | null;
}

export type Line = readonly Span[];

/** More than a screen of them shows; to measure a megabyte, glyph by glyph, takes seconds each time that it is drawn. */
const textLengthMax = 5000;

/** The only way to a span: whatever the text is, a terminal cannot be steered with it. */
export function span(text: string, emphasis: LiveEmphasis | null = null): Span {
  return { text: drawable(shortText(text)), emphasis };
}

function shortText(text: string): string {
  return plainText(text.slice(0, textLengthMax));
}

export function lineColumns(line: Line): number {
  return line.reduce((sum, { text }) => sum + columnsOf(text), 0);
}

/** At most so many columns; an ellipsis stands for what is left out. */
export function clip(line: Line, columns: number): Line {
  if (lineColumns(line) <= columns) return line;
  if (columns <= 0) return [];
  const clipped: Span[] = [];
  let left = columns - 1;
  for (const { text, emphasis } of line) {
    let kept = '';
    for (const glyph of glyphsOf(text)) {
      if (glyph.columns > left) {
        return [...clipped, { text: `${kept}…`, emphasis }];
      }
      kept += glyph.text;
      left -= glyph.columns;
    }
    clipped.push({ text: kept, emphasis });
  }
  return clipped;
}

/** Exactly so many columns. */
export function fit(line: Line, columns: number, side: 'left' | 'right' = 'left'): Line {
  const clipped = clip(line, columns);
  const space = { text: ' '.repeat(Math.max(0, columns - lineColumns(clipped))), emphasis: null };
  if (space.text === '') return clipped;
  return side === 'left' ? [...clipped, space] : [space, ...clipped];
}

/** Between words, and within one that is longer than a line. The rest of what does not fit the last line is an ellipsis. */
export function wrap(text: string, { columns, rows }: { readonly columns: number; readonly rows: number }): string[] {
  const lines: string[] = [];
  let line = '';
  const words = shortText(text).split(' ');
  for (const [i, word] of words.entries()) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || columnsOf(longer) <= columns) {
      line = longer;
      continue;
    }
    if (lines.length === rows - 1) {
      lines.push(clippedText([line, ...words.slice(i)].join(' '), columns));
      return lines;
    }
    lines.push(clippedText(line, columns));
    line = word;
  }
  lines.push(clippedText(line, columns));
  return lines.slice(0, rows);
}

/** A sentence with a label before it, which takes more than one line where there is room. */
export interface Item {
  readonly label: Span;
  readonly text: string;
}

const rowsPerItemMax = 3;

/** At most so many rows: one for each item, and what is left to the first whose text is longer. */
export function itemLines(
  items: readonly Item[],
  { columns, rows }: { readonly columns: number; readonly rows: number },
): Line[] {
  const shown = items.slice(0, rows);
  let left = rows - shown.length;
  return shown.flatMap(({ label, text }) => {
    const indent = columnsOf(label.text);
    const texts = wrap(text, { columns: Math.max(1, columns - indent), rows: Math.min(1 + left, rowsPerItemMax) });
    left -= texts.length - 1;
    return texts.map((one, i): Line => [i === 0 ? label : span(' '.repeat(indent)), span(one)]);
  });
}

function clippedText(text: string, columns: number): string {
  return clip([span(text)], columns)
    .map((one) => one.text)
    .join('');
}
