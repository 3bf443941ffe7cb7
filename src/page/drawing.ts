/** Drawings as text: rectangles of one class in one path, so that a strip of a thousand pieces is five elements. */
import { markupText } from '../report/escape.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Drawn in the order in which classes first come. */
export class Boxes {
  readonly #pathOf = new Map<string, string>();

  add(className: string, { x, y, width, height }: Box): void {
    if (width <= 0 || height <= 0) return;
    const w = fixed(width);
    const piece = `M${fixed(x)} ${fixed(y)}h${w}v${fixed(height)}h-${w}z`;
    this.#pathOf.set(className, `${this.#pathOf.get(className) ?? ''}${piece}`);
  }

  svg(): string {
    return [...this.#pathOf].map(([className, path]) => `<path class="${className}" d="${path}"/>`).join('');
  }
}

/** Stretched to the width that it has; `label` is what a screen reader says of it. */
export function svgOf(content: string, width: number, height: number, label: string): string {
  return `<svg class="drawn" viewBox="0 0 ${fixed(width)} ${fixed(height)}" preserveAspectRatio="none" role="img" aria-label="${markupText(label)}">${content}</svg>`;
}

export function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}
