/** The top of the live view: what runs, the clock, the verdict so far and why, and whether it is safe to go on. */
import { countOf, countText, durationText, listText } from '../core/quantity-text.ts';
import { nsPerMs } from '../core/time.ts';
import { stateNow } from './live-lanes.ts';
import { fit, lineColumns, span, wrap, type Line } from './live-line.ts';
import type { LiveView } from './live-view.ts';
import { named, unique } from './pick.ts';
import { asksOfSides, removalAnswer, switchLine, switchQuestion } from './safety-text.ts';
import { serviceViews, type ServiceView } from './service-view.ts';
import type { Report, ReportService } from './shape.ts';
import type { Snapshot } from './snapshot.ts';
import { verdictSoFar } from './so-far.ts';
import { whyLines } from './story.ts';
import { elapsedText } from './text.ts';

/** Older, and what is shown is no more what is. */
const staleMs = 3000;

/** ` shop-ecs-to-eks  ALB/ECS → nginx/EKS        switching 9 s   00:17   10:02:41 UTC`. */
export function titleLine({ report, nowMs: snapshotMs }: Snapshot, view: LiveView, columns: number): Line {
  const { run } = report;
  const back = run.mode === 'rollback';
  const [from, to] = back ? [run.sides.new.title, run.sides.old.title] : [run.sides.old.title, run.sides.new.title];
  const behindMs = view.nowMs - snapshotMs;
  const right: Line = [
    ...(behindMs < staleMs ? [] : [span(`as of ${durationText(behindMs)} ago  `, 'unsure')]),
    span(phaseText(report, view.nowMs), 'strong'),
    span(`  ${elapsedText(view.nowMs * nsPerMs)}  `),
    span(`${clockOf(report, view.nowMs)} UTC`, 'faint'),
  ];
  const rightColumns = Math.min(lineColumns(right), columns);
  const title: Line = [span(run.scenario, 'strong'), span(`  ${from} → ${to}`, 'faint')];
  const titleColumns = columns - rightColumns - 2;
  return titleColumns < 4 ? right : [...fit(title, titleColumns), span('  '), ...right];
}

function clockOf(report: Report, nowMs: number): string {
  return new Date(Date.parse(report.run.startedAt) + nowMs).toISOString().slice(11, 19);
}

/** One word and its age while all services agree, else how many are in which phase. */
function phaseText({ services, run }: Report, nowMs: number): string {
  const phases = services.flatMap(({ phases: all }) => all.at(-1) ?? []);
  const names = unique(phases.map(({ name }) => name));
  const [first, ...others] = names;
  if (first === undefined) return 'baseline';
  if (others.length > 0) {
    return listText(names.map((name) => `${name} ${countText(phases.filter((phase) => phase.name === name).length)}`));
  }
  const sinceMs = Math.max(...phases.map(({ fromAt }) => Date.parse(fromAt))) - Date.parse(run.startedAt);
  return `${first} ${durationText(Math.floor(Math.max(0, nowMs - sinceMs) / 1000) * 1000)}`;
}

// ── the verdict ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** The verdict and its reason, in at most so many rows. */
export function verdictLines(
  snapshot: Snapshot,
  { columns, rows }: { readonly columns: number; readonly rows: number },
): Line[] {
  const views = serviceViews(snapshot.report);
  const { word, value, text } = verdictSoFar(snapshot, views);
  const emphasis = { pass: 'good', fail: 'bad', inconclusive: 'unsure' } as const;
  const texts = wrap(text, { columns: Math.max(1, columns - word.length - 2), rows });
  return texts.map((one, i): Line => [
    i === 0 ? span(word, emphasis[value]) : span(' '.repeat(word.length)),
    span(`  ${one}`),
  ]);
}

// ── the question of the moment ───────────────────────────────────────────────────────────────────────────────────────

/** Before the switch whether it is safe, afterwards whether the side left may go; none where neither is asked. */
export function questionLines(
  { report }: Snapshot,
  size: { readonly columns: number; readonly rows: number },
): readonly Line[] {
  const views = serviceViews(report);
  if (views.length === 0 || !asksOfSides(report)) return [];
  if (report.services.some(({ changes }) => changes.length === 0) && report.run.mode !== 'rollback') {
    const waiting = views.filter(({ service }) => service.changes.length === 0);
    const safe = worst(waiting, (service) => service.safeToSwitch.safe);
    return answerLines({ question: switchQuestion, line: switchLine(report, waiting), safe }, size);
  }
  const removal = removalAnswer(report, views);
  if (removal === null) return [];
  return answerLines({ ...removal, safe: worst(views, (service) => service.safeToRemoveOld.safe) }, size);
}

function worst(
  views: readonly ServiceView[],
  of: (service: ReportService) => 'yes' | 'no' | 'unknown',
): 'yes' | 'no' | 'unknown' {
  const all = views.map(({ service }) => of(service));
  return all.includes('no') ? 'no' : all.includes('unknown') ? 'unknown' : 'yes';
}

function answerLines(
  {
    question,
    line,
    safe,
  }: { readonly question: string; readonly line: string; readonly safe: 'yes' | 'no' | 'unknown' },
  { columns, rows }: { readonly columns: number; readonly rows: number },
): Line[] {
  const emphasis = safe === 'yes' ? 'good' : 'unsure';
  const label = `${question}  `;
  return wrap(line, { columns: Math.max(1, columns - label.length), rows }).map((text, i): Line => {
    if (i > 0) return [span(' '.repeat(label.length)), span(text)];
    const word = /^(Not yet|Not known|Yes|No)?/.exec(text)?.[0] ?? '';
    return [span(label, 'strong'), span(word, emphasis), span(text.slice(word.length))];
  });
}

// ── what is wrong now ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Who is down at this moment, before all that is over; null = nobody that is judged. */
export function downNowLine({ report }: Snapshot): Line | null {
  const lanes = report.lanes.filter(({ judged, series }) => judged && series === 'raw');
  const down = lanes.filter((lane) => stateNow(lane) === 'down').map(({ name }) => name);
  if (down.length === 0) return null;
  const count = `${countText(down.length)} of ${countOf(lanes.length, 'client')}`;
  return [span('DOWN NOW', 'bad'), span(`  ${count}: ${named(down)}`)];
}

/** The most frequent reason of probes that failed since the change; null = none did. */
export function whyLine({ report }: Snapshot): Line | null {
  const [why] = whyLines(report, serviceViews(report));
  return why === undefined ? null : [span('Why', 'strong'), span(`  ${why}`)];
}

/** What we did not see, by our own fault; null = nothing of the kind. */
export function proberLine({ report }: Snapshot): Line | null {
  const { prober, run } = report;
  const blindMs = prober.blindSpots.reduce((sum, { fromAt, toAt }) => sum + Date.parse(toAt) - Date.parse(fromAt), 0);
  const last = prober.blindSpots.at(-1);
  const parts = [
    ...(last === undefined
      ? []
      : [`blind for ${durationText(blindMs, 'up')} in all, last at ${last.fromAt.slice(11, 19)}: ${last.why}`]),
    ...(prober.droppedCount === 0 ? [] : [`${countOf(prober.droppedCount, 'probe')} dropped`]),
    ...(run.command !== null && run.command.fromAt !== null && run.command.toAt === null
      ? [`${run.command.program.split('/').at(-1) ?? ''} is running`]
      : []),
  ];
  return parts.length === 0 ? null : [span(parts.join(' · '), 'unsure')];
}
