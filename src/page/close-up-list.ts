/** The close-ups of a service: the first few at once, the rest when asked for. */
import { countOf } from '../core/quantity-text.ts';
import type { Charts } from '../report/charts.ts';
import { closeUpBlock, type CloseUpOptions } from './close-up-block.ts';
import { element } from './dom.ts';

const shownMax = 3;

/** null = nothing failed. */
export function closeUpList(charts: Charts, service: string, options: CloseUpOptions): HTMLElement | null {
  const own = charts.closeUps.filter((closeUp) => closeUp.service === service);
  if (own.length === 0) return null;
  const list = element('div', { class: 'close-ups' });
  list.append(...own.slice(0, shownMax).map((closeUp) => closeUpBlock(closeUp, options)));
  const rest = own.slice(shownMax);
  if (rest.length > 0) {
    const more = element('details', {}, element('summary', {}, countOf(rest.length, 'more close-up')));
    more.addEventListener('toggle', () => more.append(...rest.map((closeUp) => closeUpBlock(closeUp, options))), {
      once: true,
    });
    list.append(more);
  }
  if (charts.closeUpsLeftOutCount > 0) {
    const left = countOf(charts.closeUpsLeftOutCount, 'more stretch', 'more stretches');
    list.append(
      element(
        'p',
        { class: 'note' },
        `Of ${left} with failures, of all services, there is no close-up; the strips have them.`,
      ),
    );
  }
  return list;
}
