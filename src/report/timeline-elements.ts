/** Elements of the drawn timeline: everything that is written into it is escaped and cut here. */
import { markupText, plainText } from './escape.ts';
import { colours, type Colour } from './timeline-colours.ts';

export function fill(colour: Colour): string {
  return `class="cw-${colour}" fill="${colours[colour]}"`;
}

export function rect(
  colour: Colour,
  at: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
): string {
  return `<rect ${fill(colour)} x="${fixed(at.x)}" y="${fixed(at.y)}" width="${fixed(at.width)}" height="${fixed(at.height)}"/>`;
}

export function path(colour: Colour, d: string, isArea = false, more = ''): string {
  if (d === '') return '';
  return isArea
    ? `<path ${fill(colour)} d="${d}"/>`
    : `<path class="cw-${colour}-line" fill="none" stroke="${colours[colour]}" d="${d}"${more}/>`;
}

export function text(x: number, y: number, words: string, colour: Colour, more = ''): string {
  return `<text ${fill(colour)} x="${fixed(x)}" y="${fixed(y)}"${more === '' ? '' : ` ${more}`}>${markupText(words)}</text>`;
}

export function cut(words: string, lengthMax: number): string {
  const characters = Array.from(plainText(words));
  return characters.length <= lengthMax ? characters.join('') : `${characters.slice(0, lengthMax - 1).join('')}…`;
}

export function wrapped(words: string, lengthMax: number): string[] {
  const lines: string[] = [''];
  for (const word of words.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last.length > 0 && last.length + 1 + word.length > lengthMax) lines.push(cut(word, lengthMax));
    else lines[lines.length - 1] = last === '' ? cut(word, lengthMax) : `${last} ${word}`;
  }
  return lines;
}

/** A tenth of a pixel is finer than any screen. */
export function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}
