/**
 * The report as one page that needs nothing else: no font, no picture, no script from anywhere, and a policy that would
 * refuse them. The first screen answers, the charts show, the tables below prove. Without script all is there but the charts.
 * The live page is the same page without numbers: its script fetches them.
 */
import { chartsOf } from './charts.ts';
import { markupText } from './escape.ts';
import { chartGuide, legendHtml, patterns } from './html-charts.ts';
import { sectionsHtml, storyHtml } from './html-parts.ts';
import { pageScript, pageScriptSha256, pageStyle, pageStyleSha256 } from './page-bundle.ts';
import type { Snapshot } from './snapshot.ts';
import { verdictWords } from './words.ts';

export function html(snapshot: Snapshot): string {
  const { report } = snapshot;
  return pageHtml({
    title: `${verdictWords[report.verdict.value]}: ${report.run.scenario}`,
    story: storyHtml(snapshot),
    sections: sectionsHtml(report),
    data: `<script type="application/json" id="charts-data">${jsonText(chartsOf(snapshot))}</script>\n`,
    isLive: false,
  });
}

/** Beside it the server gives `events`, `snapshot` and `mark`. */
export function livePageHtml(): string {
  return pageHtml({ title: 'cutwatch', story: '', sections: '', data: '', isLive: true });
}

/** Its Content-Security-Policy, for a header as well. */
export const livePagePolicy: string = policyOf(["connect-src 'self'"]);

function policyOf(more: readonly string[]): string {
  return [
    "default-src 'none'",
    `script-src 'sha256-${pageScriptSha256}'`,
    `style-src 'sha256-${pageStyleSha256}'`,
    ...more,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

interface Page {
  readonly title: string;
  readonly story: string;
  readonly sections: string;
  readonly data: string;
  readonly isLive: boolean;
}

function pageHtml({ title, story, sections, data, isLive }: Page): string {
  const policy = isLive ? livePagePolicy : policyOf([]);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${markupText(title)}</title>
<style>${pageStyle}</style>
</head>
<body>
${patterns}
<main>
${isLive ? '<div id="live"></div>\n' : ''}<header id="story">${story}</header>
<section id="over-time">
<h2>Over time</h2>
${legendHtml}
<div id="charts" class="charts" tabindex="0" role="group" aria-label="Charts. Arrow keys move the cursor and choose a row, plus and minus zoom, 0 shows the whole run."></div>
<noscript><p>The charts need script. Everything they show is in the tables below, and in report.json beside this file.</p></noscript>
${chartGuide}
</section>
<div id="sections">${sections}</div>
</main>
${data}<script>${pageScript}</script>
</body>
</html>
`;
}

/** Nothing in it can end the element that it is in, whatever it holds. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
