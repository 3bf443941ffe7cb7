import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asciiText } from '../../src/report/ascii.ts';
import { clip, fit, lineColumns, span, wrap } from '../../src/report/live-line.ts';
import { columnsOf, glyphsOf } from '../../src/report/text-width.ts';

test.for([
  { text: 'orders', columns: 6 },
  { text: 'ünï', columns: 3 },
  { text: 'u\u0308', columns: 1 },
  { text: '漢字', columns: 4 },
  { text: 'ｆｕｌｌ', columns: 8 },
  { text: '한글', columns: 4 },
  { text: '\u1100\u1161\u11a8', columns: 2 }, // one syllable of three letters
  { text: '🚀', columns: 2 },
  { text: '❤\ufe0f', columns: 2 },
  { text: '\u0301', columns: 1 }, // an accent on nothing
  { text: 'שלום', columns: 4 },
])('$text takes $columns columns', ({ text, columns }) => {
  expect(columnsOf(text)).toBe(columns);
});

test('a letter carries few accents, however many it was given', () => {
  expect(glyphsOf(`a${'\u0301'.repeat(500)}b`).map(({ text }) => text.length)).toEqual([4, 1]);
});

test.for([
  { text: '漢字漢字', columns: 5, clipped: '漢字…' },
  { text: '漢字漢字', columns: 4, clipped: '漢…' }, // half a character is none
  { text: 'orders', columns: 6, clipped: 'orders' },
  { text: 'orders', columns: 1, clipped: '…' },
  { text: 'orders', columns: 0, clipped: '' },
])('$text in $columns columns is $clipped', ({ text, columns, clipped }) => {
  expect(
    clip([span(text)], columns)
      .map((one) => one.text)
      .join(''),
  ).toBe(clipped);
});

const anyText = fc.string({ unit: 'binary', maxLength: 60 });

test('a line that is fitted has exactly its columns, a text that is wrapped no more', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5 }), (text, columns, rows) => {
      expect(lineColumns(fit([span(text)], columns))).toBe(columns);
      const lines = wrap(text, { columns, rows });
      expect(lines.length).toBeLessThanOrEqual(rows);
      for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(columns);
    }),
  );
});

test('in ASCII every text takes the columns that it took', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const { text: plain } = span(text);
      expect(asciiText(plain)).toMatch(/^[ -~]*$/);
      expect(asciiText(plain).length).toBe(columnsOf(plain));
    }),
  );
});

test.for([
  { text: 'one two three', columns: 7, rows: 3, lines: ['one two', 'three'] },
  { text: 'one two three', columns: 7, rows: 1, lines: ['one tw…'] },
  { text: 'onetwothree four', columns: 7, rows: 2, lines: ['onetwo…', 'four'] },
])('$text in $columns × $rows', ({ text, columns, rows, lines }) => {
  expect(wrap(text, { columns, rows })).toEqual(lines);
});
