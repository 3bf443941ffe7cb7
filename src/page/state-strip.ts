/** States one after the other, each with its own colour and pattern: phases, resolvers, targets, blind spots. */
import { markupText } from '../report/escape.ts';
import { Boxes, fixed, svgOf } from './drawing.ts';
import { positionIn, type Range } from './range.ts';

export interface StateSpan {
  readonly fromMs: number;
  readonly toMs: number;
  /** Of the style sheet. */
  readonly className: string;
  /** What a reader is told. */
  readonly text: string;
}

export interface StateStripOptions {
  readonly height: number;
  readonly label: string;
  /** Words in the strip, where there is room. */
  readonly isNamed?: boolean;
}

/** What is an instant is seen as well. */
const widthMin = 3;
const characterWidth = 6.6;

export function stateStripSvg(
  spans: readonly StateSpan[],
  range: Range,
  width: number,
  { height, label, isNamed = false }: StateStripOptions,
): string {
  const boxes = new Boxes();
  const names: string[] = [];
  for (const { fromMs, toMs, className, text } of spans) {
    if (toMs < range.fromMs || fromMs > range.toMs) continue;
    const left = Math.max(0, positionIn(range, fromMs) * width);
    const right = Math.min(width, positionIn(range, toMs) * width);
    const w = Math.max(widthMin, right - left);
    boxes.add(className, { x: Math.min(left, width - w), y: 2, width: w, height: height - 4 });
    if (isNamed && text.length * characterWidth < w - 8) {
      names.push(`<text class="inside" x="${fixed(left + 5)}" y="${fixed(height - 6)}">${markupText(text)}</text>`);
    }
  }
  return svgOf(boxes.svg() + names.join(''), width, height, label);
}

/** What each of them says that lies there, once. */
export function textsAt(spans: readonly StateSpan[], { fromMs, toMs }: Range): readonly string[] {
  return [...new Set(spans.filter((span) => span.fromMs <= toMs && span.toMs >= fromMs).map(({ text }) => text))];
}
