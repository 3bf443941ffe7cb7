/**
 * How many columns of a terminal a text takes. Node has this inside and does not give it out; what is here is what a line of
 * names and sentences needs: characters of East Asia and emoji take two, marks that combine with the one before take none.
 */

/** One character as people see it, and its columns. */
export interface Glyph {
  readonly text: string;
  readonly columns: 0 | 1 | 2;
}

const isPlain = /^[\x20-\x7e]*$/;
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** A name may hang as many accents on one letter as it likes; a terminal need not draw them. */
const codePointsMax = 4;

/** Of text without controls. */
export function glyphsOf(text: string): Glyph[] {
  if (isPlain.test(text)) return Array.from(text, (character) => ({ text: character, columns: 1 }));
  return Array.from(segmenter.segment(text), ({ segment }) => glyphOf(segment));
}

/** The same text, but for what no terminal need draw. */
export function drawable(text: string): string {
  return isPlain.test(text)
    ? text
    : glyphsOf(text)
        .map((glyph) => glyph.text)
        .join('');
}

export function columnsOf(text: string): number {
  if (isPlain.test(text)) return text.length;
  return glyphsOf(text).reduce((sum, { columns }) => sum + columns, 0);
}

/** Says "left to right". */
const leftToRight = '\u200e';

function glyphOf(segment: string): Glyph {
  if (segment === leftToRight) return { text: segment, columns: 0 };
  const points = Array.from(segment);
  const [first = ''] = points;
  // Without a letter to stand on, it would change one that is not its own.
  if (/^\p{M}/u.test(first)) return { text: '\ufffd', columns: 1 };
  const text = points.length > codePointsMax ? points.slice(0, codePointsMax).join('') : segment;
  const isEmoji = /^(?:\p{Emoji_Presentation}|\p{Emoji}\ufe0f)/u.test(text);
  return { text, columns: isEmoji || isWide(first.codePointAt(0) ?? 0) ? 2 : 1 };
}

/** First and last code point of what Unicode 16 calls wide or full-width, in whole blocks where these are nearly all. */
const wide: readonly (readonly [from: number, to: number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6b],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1aff0, 0x1b2fb],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
];

function isWide(point: number): boolean {
  return wide.some(([from, to]) => point >= from && point <= to);
}

/** Letters that are written from right to left: Hebrew, Arabic and their neighbours. */
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
/** What is written from right to left stays in its own place, and turns no number beside it around. */
export function inPlace(text: string): string {
  return rightToLeft.test(text) ? `${leftToRight}${text}${leftToRight}` : text;
}
