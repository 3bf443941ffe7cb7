/** What stands around the charts: their patterns, what each looks like, and how to read them. */
import { chartMeanings } from './words.ts';
import { markupText } from './escape.ts';

/** Referred to by the style sheet. Each state has its own shape beside its colour. */
export const patterns = `<svg class="patterns" aria-hidden="true"><defs>
<pattern id="pattern-old" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="wash" width="5" height="5"/><rect class="line" width="2" height="5"/></pattern>
<pattern id="pattern-unseen" width="4" height="4" patternUnits="userSpaceOnUse"><rect class="dot" x="1" y="1" width="1.2" height="1.2"/></pattern>
<pattern id="pattern-impaired" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"><rect class="wash" width="6" height="6"/><rect class="line" width="3" height="6"/></pattern>
<pattern id="pattern-mixed" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="wash" width="6" height="6"/><rect class="line" width="6" height="3"/></pattern>
</defs></svg>`;

const legend = [
  ['s-old', 'old side answered'],
  ['s-new', 'new side answered'],
  ['s-down', 'failed'],
  ['s-impaired', 'good and failed mixed'],
  ['s-unknown', 'side not known'],
  ['s-unseen', 'not seen'],
] as const;

export const legendHtml: string = `<ul class="legend">${legend
  .map(
    ([className, text]) =>
      `<li><svg class="swatch" viewBox="0 0 24 12" aria-hidden="true"><rect class="${className}" width="24" height="12"/></svg>${text}</li>`,
  )
  .join('')}</ul>`;

export const chartGuide: string = `<details class="meaning"><summary>How to read the charts</summary><dl class="terms">${chartMeanings
  .map(([term, meaning]) => `<dt>${markupText(term)}</dt><dd>${markupText(meaning)}</dd>`)
  .join('')}</dl></details>`;
