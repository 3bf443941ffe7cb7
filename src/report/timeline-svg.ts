/**
 * The run as one drawing without script, for a pull request, a ticket or a chat: time zero at the cutover, for each service
 * which side answered its judged clients, and below it what failed. Old and new differ in place and in lightness, and
 * failures stand in a row of their own, so nothing is told by colour alone. Colours are attributes, which the style sheet
 * overrides in the dark: where a chat strips it, or a page's policy forbids it, a drawing is left that still reads.
 */
import { countOf, countText, durationText } from '../core/quantity-text.ts';
import { markupText, plainText } from './escape.ts';
import { clockText, msBetween } from './instant-text.ts';
import { serviceViews, type ServiceView } from './service-view.ts';
import type { Report } from './shape.ts';
import type { Snapshot } from './snapshot.ts';
import { tell } from './story.ts';
import { darkStyle, type Colour } from './timeline-colours.ts';
import { cut, fill, fixed, path, rect, text, wrapped } from './timeline-elements.ts';
import { rowHeight, serviceRow, verdictColours } from './timeline-row.ts';
import { axisLines, scaleOf, type Scale } from './timeline-scale.ts';

const width = 1000;
const servicesMax = 60;
const marksMax = 12;
const headlineLengthMax = 128;

export function timelineSvg(snapshot: Snapshot): string {
  const { report, isRunning } = snapshot;
  const views = serviceViews(report);
  const shown = views.slice(0, servicesMax);
  const story = tell(report, isRunning);
  const scale = scaleOf(snapshot, shown);
  const headline = wrapped(plainText(story.headline), headlineLengthMax).slice(0, 3);
  const axisAt = 56 + headline.length * 17;
  const rowsAt = axisAt + (report.marks.length === 0 ? 10 : 18);
  const belowAt = rowsAt + shown.length * rowHeight;
  const { word } = story;
  const below = [...leftOutLines(scale), ...moreLines(views), ...markLines(report, scale)];
  const height = belowAt + 62 + below.length * 16;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" width="${String(width)}" height="${String(height)}" role="img" font-family="system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif" font-size="12">`,
    `<title>${markupText(`${word}: ${report.run.scenario}. ${story.headline}`)}</title>`,
    `<style>${darkStyle}</style>`,
    `<rect ${fill('paper')} width="${String(width)}" height="${String(height)}"/>`,
    text(
      16,
      26,
      `${word} · ${cut(report.run.scenario, 90)}`,
      verdictColours[story.value],
      'font-size="15" font-weight="600"',
    ),
    ...headline.map((line, i) => text(16, 46 + i * 17, line, 'ink')),
    ...axisLines(scale, snapshot.nowMs, axisAt, belowAt),
    ...markTicks(report, scale, axisAt, belowAt),
    ...shown.flatMap((view, i) => serviceRow(snapshot, view, scale, rowsAt + i * rowHeight)),
    ...legend(report, scale, belowAt + 14),
    ...below.map((line, i) => text(16, belowAt + 60 + i * 16, line, 'faint')),
    '</svg>',
  ];
  return `${lines.join('\n')}\n`;
}

// ── marks, and what the signs mean ───────────────────────────────────────────────────────────────────────────────────

function markTicks({ marks, run }: Report, { x }: Scale, top: number, bottom: number): string[] {
  return marks.slice(0, marksMax).flatMap(({ at }, i) => {
    const place = x(msBetween(run.startedAt, at));
    return [
      path('mark', `M${fixed(place)} ${String(top + 12)}V${String(bottom)}`, false, ' stroke-dasharray="2 3"'),
      text(place, top + 12, String(i + 1), 'mark', 'font-size="10" text-anchor="middle"'),
    ];
  });
}

function markLines({ marks, run }: Report, { zeroMs }: Scale): string[] {
  const lines = marks.slice(0, marksMax).map(({ at, text: said }, i) => {
    const ms = msBetween(run.startedAt, at) - (zeroMs ?? 0);
    const since = `${ms < 0 ? '−' : '+'}${durationText(Math.abs(ms))}`;
    return `${String(i + 1)} · ${clockText(run.startedAt, at)} UTC · ${since} · ${cut(said, 110)}`;
  });
  const more = marks.length - lines.length;
  return more > 0 ? [...lines, `and ${countOf(more, 'more mark')} in the report`] : lines;
}

function moreLines(views: readonly ServiceView[]): string[] {
  const more = views.length - servicesMax;
  return more > 0 ? [`and ${countOf(more, 'more service')} of ${countText(views.length)} in the report`] : [];
}

function leftOutLines({ fromMs }: Scale): string[] {
  return fromMs === 0 ? [] : [`The first ${durationText(fromMs)} are not drawn: none of these clients failed in them.`];
}

function legend({ run }: Report, { zeroMs }: Scale, top: number): string[] {
  const parts: readonly (readonly [Colour, string, height: number])[] = [
    ['new', `${cut(run.sides.new.title, 24)} answered`, 10],
    ['old', `${cut(run.sides.old.title, 24)} answered`, 10],
    ['other', 'side not known', 10],
    ['failed', 'failed (also below the strip)', 10],
    ['baseline', 'baseline', 3],
    ['ink', 'switching', 3],
    ['tail', 'tail', 3],
  ];
  let at = 16;
  const signs = parts.flatMap(([colour, words, height]) => {
    const from = at;
    at += 26 + plainText(words).length * 6.2;
    return [
      rect(colour, { x: from, y: top + 5 - height / 2, width: 12, height }),
      text(from + 17, top + 9, words, 'faint', 'font-size="11"'),
    ];
  });
  const zero =
    zeroMs === null
      ? 'No change was seen: 0 is the start'
      : `0 is the change, ${clockText(run.startedAt, atOf(run.startedAt, zeroMs))} UTC`;
  return [
    ...signs,
    text(
      16,
      top + 28,
      `${zero}. Strips are shares of the probes of judged clients; what is blank was not seen.`,
      'faint',
      'font-size="11"',
    ),
  ];
}

function atOf(startedAt: string, ms: number): string {
  return new Date(Date.parse(startedAt) + ms).toISOString();
}
