/**
 * Services over time as a Gantt chart of Mermaid, which GitHub and GitLab draw in Markdown. Its language has no escapes: of
 * names only letters, digits and a few signs are kept, and none stands first on a line, where it could be a keyword.
 */
import { plainText } from './escape.ts';
import { msBetween } from './instant-text.ts';
import type { LaneTrouble, ServiceView } from './service-view.ts';
import type { Instant, Report } from './shape.ts';

/** Mermaid refuses long texts, and nobody reads them: the longest outages, the first marks. */
const servicesMax = 14;
const outagesMax = 4;
const marksMax = 10;
const nameLengthMax = 60;

export function gantt(report: Report, views: readonly ServiceView[]): string[] {
  const { run, marks } = report;
  return [
    'gantt',
    `  title Times in UTC, ${nameText(run.scenario)}`,
    // Read and shown without a zone, so that no reader's own zone shifts it.
    '  dateFormat YYYY-MM-DD HH:mm:ss.SSS',
    '  axisFormat %H:%M:%S',
    ...views.slice(0, servicesMax).flatMap((view) => serviceLines(report, view)),
    ...(marks.length === 0 ? [] : ['  section Marks']),
    ...marks.slice(0, marksMax).map(({ at, text }) => milestone(`Mark ${nameText(text)}`, at)),
  ];
}

function serviceLines({ run }: Report, { service, hit }: ServiceView): string[] {
  return [
    `  section ${nameText(service.name)}`,
    ...service.phases.map(({ name, fromAt, toAt }) =>
      task(`Phase ${nameText(name)}`, name === 'switching' ? 'active, ' : '', fromAt, toAt),
    ),
    ...service.changes.map(({ direction, usedAt }) => {
      const arriving = direction === 'old-to-new' ? run.sides.new : run.sides.old;
      return milestone(`Change to ${nameText(arriving.title)}`, usedAt);
    }),
    ...hit
      .flatMap((trouble) => spansOf(trouble, run.endedAt))
      .toSorted((a, b) => msBetween(b.from, b.to) - msBetween(a.from, a.to))
      .slice(0, outagesMax)
      .map(({ what, from, to }) => task(what, 'crit, ', from, to)),
  ];
}

interface Span {
  readonly what: string;
  readonly from: Instant;
  readonly to: Instant;
}

function spansOf({ lane, outages, impaired }: LaneTrouble, endedAt: Instant): Span[] {
  const name = nameText(lane.name);
  return [
    ...outages.map((outage) => ({
      what: `Down ${name}`,
      from: outage.firstFailedAt,
      to: outage.firstGoodAt ?? endedAt,
    })),
    ...impaired.map(({ fromAt, toAt }) => ({ what: `Impaired ${name}`, from: fromAt, to: toAt })),
  ];
}

function task(what: string, tags: string, from: Instant, to: Instant): string {
  return `  ${what} :${tags}${instantText(from)}, ${instantText(to)}`;
}

function milestone(what: string, at: Instant): string {
  return `  ${what} :milestone, ${instantText(at)}, 0s`;
}

/** `2026-11-24 10:01:02.900` */
function instantText(at: Instant): string {
  return at.replace('T', ' ').replace('Z', '');
}

function nameText(name: string): string {
  const kept = plainText(name).replaceAll(/[^\p{L}\p{N} ._/()+-]+/gu, ' ');
  return Array.from(kept.replaceAll(/ +/g, ' ').trim()).slice(0, nameLengthMax).join('').trimEnd();
}
