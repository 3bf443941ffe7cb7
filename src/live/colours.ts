/** Emphasis as colours of the terminal: those it has, or none. Letters say the same without them. */
import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import type { Line, LiveEmphasis } from '../report/live-line.ts';

type Format = Parameters<typeof styleText>[0];

const named: Readonly<Record<LiveEmphasis, Format>> = {
  good: 'green',
  bad: 'red',
  unsure: 'yellow',
  strong: 'bold',
  faint: 'dim',
  old: 'blue',
  new: 'cyan',
  both: 'magenta',
  'some-failed': ['red', 'bold'],
  'all-failed': ['red', 'bold', 'inverse'],
  unknown: 'yellow',
  unseen: 'dim',
};

/** With 256 colours a strip is one of colour, as that of the page: letter and ground, so that it does for dark and light. */
const strips: Readonly<Partial<Record<LiveEmphasis, readonly [letter: number, ground: number]>>> = {
  old: [146, 60],
  new: [115, 29],
  both: [225, 97],
  'some-failed': [232, 173],
  'all-failed': [231, 160],
  unknown: [232, 179],
};

export type Painter = (line: Line) => string;

/** By NO_COLOR, FORCE_COLOR and TERM, as Node reads them. */
export function newPainter(output: WriteStream): Painter {
  const depth = output.getColorDepth();
  return (line) => line.map(({ text, emphasis }) => painted(text, emphasis, depth)).join('');
}

function painted(text: string, emphasis: LiveEmphasis | null, depth: number): string {
  if (emphasis === null || depth === 1) return text;
  const strip = depth >= 8 ? strips[emphasis] : undefined;
  if (strip !== undefined) return `\x1b[38;5;${String(strip[0])};48;5;${String(strip[1])}m${text}\x1b[0m`;
  return styleText(named[emphasis], text, { validateStream: false });
}
