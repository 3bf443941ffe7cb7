/** The time that all charts share, written above them. */
import { element } from './dom.ts';
import type { Range } from './range.ts';
import { ticksOf } from './time-text.ts';

const tickPx = 90;

export function axisRow(): HTMLElement {
  return element(
    'div',
    { class: 'row axis-row' },
    element('div', { class: 'label' }),
    element('div', { class: 'plot axis', 'aria-hidden': 'true' }),
  );
}

export function drawAxis(row: HTMLElement, range: Range, zeroMs: number, hasChange: boolean): void {
  const [label, plot] = row.children;
  if (!(label instanceof HTMLElement) || !(plot instanceof HTMLElement)) return;
  label.textContent = hasChange ? 'time since the change' : 'time since the start';
  const ticks = ticksOf(range, zeroMs, plot.clientWidth / tickPx).map(({ position, text }) => {
    const tick = element('span', text === '0' ? { class: 'zero' } : {}, text === '0' && hasChange ? 'change' : text);
    tick.style.left = `${String(position * 100)}%`;
    return tick;
  });
  plot.replaceChildren(...ticks);
}
