/** The filter of the charts holds for the tables below them and for close-ups, too. */
import { passes, type Filter } from './view.ts';

export function filterPage(filter: Filter): void {
  for (const block of document.querySelectorAll<HTMLElement>('[data-service]')) {
    block.hidden = filter.service !== '' && block.dataset['service'] !== filter.service;
  }
  for (const row of document.querySelectorAll<HTMLElement>('[data-client]')) {
    const { client = '', resolver = '' } = row.dataset;
    row.hidden = !passes({ ...filter, service: '' }, { service: '', client, resolver });
  }
}
