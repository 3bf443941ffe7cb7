/** The close-ups of a service: the first few at once, the rest when asked for. */
import type { CloseUp } from '../core/picture.ts';
import { countOf } from '../core/quantity-text.ts';
import type { Charts } from '../report/charts.ts';
import { closeUpBlock, type CloseUpOptions } from './close-up-block.ts';
import { element } from './dom.ts';

const shownMax = 3;

/** null = nothing failed. Told to refresh, it draws what is new: in a run that goes on an outage grows. */
export function closeUpList(charts: () => Charts, service: string, options: () => CloseUpOptions): HTMLElement | null {
  const ofService = (): readonly CloseUp[] => charts().closeUps.filter((closeUp) => closeUp.service === service);
  if (ofService().length === 0) return null;
  const list = element('div', { class: 'close-ups' });
  let shown = '';
  const refresh = (): void => {
    const wanted = JSON.stringify([ofService(), charts().closeUpsLeftOutCount, options().zeroMs]);
    if (wanted === shown) return;
    shown = wanted;
    list.replaceChildren();
    fill(list, ofService(), { leftOutCount: charts().closeUpsLeftOutCount, ...options() });
  };
  refresh();
  list.addEventListener('refresh', refresh);
  return list;
}

function fill(
  list: HTMLElement,
  own: readonly CloseUp[],
  { leftOutCount, ...options }: CloseUpOptions & { readonly leftOutCount: number },
): void {
  list.append(...own.slice(0, shownMax).map((closeUp) => closeUpBlock(closeUp, options)));
  const rest = own.slice(shownMax);
  if (rest.length > 0) {
    const more = element('details', {}, element('summary', {}, countOf(rest.length, 'more close-up')));
    more.addEventListener('toggle', () => more.append(...rest.map((closeUp) => closeUpBlock(closeUp, options))), {
      once: true,
    });
    list.append(more);
  }
  if (leftOutCount > 0) {
    const left = countOf(leftOutCount, 'more stretch', 'more stretches');
    list.append(
      element(
        'p',
        { class: 'note' },
        `Of ${left} with failures, of all services, there is no close-up; the strips have them.`,
      ),
    );
  }
}
