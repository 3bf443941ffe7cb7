/** What is told of the place pointed at, beside it. */
import { element } from './dom.ts';

export interface Tip {
  readonly element: HTMLElement;
  readonly tell: (lines: readonly string[] | null, place: { readonly x: number; readonly y: number }) => void;
}

const awayPx = 14;

export function tip(): Tip {
  const box = element('div', { class: 'tip', role: 'status', 'aria-live': 'polite' });
  box.hidden = true;
  return {
    element: box,
    tell: (lines, { x, y }) => {
      box.hidden = lines === null;
      if (lines === null) return;
      box.replaceChildren(...lines.map((line, i) => element('div', i === 0 ? { class: 'first' } : {}, line)));
      const { innerWidth, innerHeight } = window;
      const { offsetWidth, offsetHeight } = box;
      const left = x + awayPx + offsetWidth > innerWidth ? x - awayPx - offsetWidth : x + awayPx;
      const topPx = y + awayPx + offsetHeight > innerHeight ? y - awayPx - offsetHeight : y + awayPx;
      box.style.left = `${String(Math.max(4, left))}px`;
      box.style.top = `${String(Math.max(4, topPx))}px`;
    },
  };
}
