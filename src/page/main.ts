/** The page's script: of a report that has its numbers in it, or of a run that is watched. */
import { chartsOf, type Charts } from '../report/charts.ts';
import { sectionsHtml, storyHtml } from '../report/html-parts.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { ChartsPage } from './charts-page.ts';
import { element } from './dom.ts';
import { follow } from './live.ts';
import { markForm } from './mark-form.ts';
import { fromMarkup, morph } from './morph.ts';
import { markNarrowTables, narrow } from './narrow-tables.ts';

const root = placeOf('charts');
markNarrowTables(document);
narrow.addEventListener('change', () => markNarrowTables(document));
const data = document.getElementById('charts-data');
if (data === null) startLive();
else void new ChartsPage(root, JSON.parse(data.textContent) as Charts);

function startLive(): void {
  const state = element('p', { class: 'connection', role: 'status' }, 'Waiting for the first numbers …');
  const form = markForm();
  placeOf('live').append(state, form);
  let page: ChartsPage | null = null;
  follow({
    show: (snapshot: Snapshot) => {
      // Every text in it is escaped where it is put together: src/report/html-parts.ts.
      put('story', storyHtml(snapshot));
      put('sections', sectionsHtml(snapshot.report));
      markNarrowTables(placeOf('sections'));
      form.hidden = !snapshot.isRunning;
      const charts = chartsOf(snapshot);
      if (page === null) page = new ChartsPage(root, charts);
      else page.show(charts);
      document.title = placeOf('story').querySelector('.verdict')?.textContent ?? document.title;
    },
    say: (text) => {
      state.textContent = text;
      state.hidden = text === '';
    },
  });
}

function put(id: string, markup: string): void {
  const made = fromMarkup(markup);
  const place = placeOf(id);
  for (const { name, value } of place.attributes) made.setAttribute(name, value);
  morph(place, made);
}

function placeOf(id: string): HTMLElement {
  const place = document.getElementById(id);
  if (place === null) throw new Error(`the page has a place for ${id}`);
  return place;
}
