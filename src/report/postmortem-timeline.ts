/** What happened when, as far as the run saw it: the one table of a post-mortem that nobody likes to write. */
import { countOf, listText } from '../core/quantity-text.ts';
import { unique } from './pick.ts';
import { goneSince } from './side-gone.ts';
import { serviceViews, type ServiceView } from './service-view.ts';
import type { Instant, Report, ReportChange } from './shape.ts';

export interface TimelineRow {
  readonly at: Instant;
  readonly text: string;
}

const rowsMax = 120;

/** In order; what several services have in common at one instant is said once. */
export function timelineRows(report: Report): TimelineRow[] {
  const { run } = report;
  const rows: (TimelineRow & { readonly service?: string })[] = [
    { at: run.startedAt, text: 'The watch began' },
    ...commandRows(report),
    ...report.marks.map(({ at, text }) => ({ at, text: `Mark: ${text}` })),
    ...serviceViews(report).flatMap((view) => serviceRows(report, view)),
    ...(report.rollouts ?? []).flatMap((rollout) => [
      {
        at: rollout.beganAt,
        text: `Rollout of ${rollout.name} from ${rollout.fromRevision} to ${rollout.toRevision} began`,
      },
      ...(rollout.completeAt === null
        ? []
        : [{ at: rollout.completeAt, text: `Rollout of ${rollout.name} was complete` }]),
    ]),
    ...report.playbook.map(({ at, step, result }) => ({ at, text: `Playbook, ${step}: ${result}` })),
    ...report.prober.blindSpots.map(({ fromAt, why }) => ({ at: fromAt, text: `The prober was blind: ${why}` })),
    { at: run.endedAt, text: 'The watch ended' },
  ];
  const groups = Map.groupBy(
    rows.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)),
    ({ at, text }) => `${at} ${text}`,
  );
  const merged = [...groups.values()].map(([first, ...others]): TimelineRow => {
    const services = unique([first, ...others].flatMap((row) => row?.service ?? []));
    const of = services.length === 0 ? '' : `${listText(services)}: `;
    return { at: first?.at ?? run.startedAt, text: `${of}${first?.text ?? ''}` };
  });
  const more = merged.length - rowsMax;
  if (more <= 0) return merged;
  return [
    ...merged.slice(0, rowsMax),
    { at: run.endedAt, text: `and ${countOf(more, 'more row')}, which the report has` },
  ];
}

function commandRows({ run }: Report): TimelineRow[] {
  const { command } = run;
  if (command === null) return [];
  const how = command.signal ?? (command.exitCode === null ? '' : `exit status ${String(command.exitCode)}`);
  return [
    ...(command.fromAt === null ? [] : [{ at: command.fromAt, text: 'The command that makes the change was started' }]),
    ...(command.toAt === null ? [] : [{ at: command.toAt, text: `The command ended${how === '' ? '' : ` (${how})`}` }]),
  ];
}

function serviceRows(report: Report, view: ServiceView): (TimelineRow & { readonly service: string })[] {
  const { service, hit } = view;
  const rows: TimelineRow[] = service.changes.flatMap((change) => changeRows(report, change));
  const outages = hit.flatMap((trouble) => trouble.outages);
  const [first] = outages.toSorted((a, b) => (a.firstFailedAt < b.firstFailedAt ? -1 : 1));
  if (first !== undefined) {
    rows.push({ at: first.firstFailedAt, text: 'First failed probe of a judged client' });
    const ends = outages.map(({ firstGoodAt }) => firstGoodAt);
    const last = ends.every((end) => end !== null) ? ends.toSorted().at(-1) : undefined;
    rows.push(
      last === undefined
        ? { at: report.run.endedAt, text: 'A judged client was still down when the watch ended' }
        : { at: last, text: 'Every judged client was good again' },
    );
  }
  const { safe, at, side } = service.safeToRemoveOld;
  const goneAt = goneSince(view);
  if (goneAt !== null && side !== null) {
    rows.push({ at: goneAt, text: `${report.run.sides[side].title} answered at none of its addresses from here on` });
  }
  if (safe === 'yes' && at !== null && side !== null) {
    rows.push({ at, text: `${report.run.sides[side].title} was not needed any more, as far as was watched` });
  }
  return rows.map((row) => ({ ...row, service: service.name }));
}

function changeRows({ run }: Report, change: ReportChange): TimelineRow[] {
  const to = (change.direction === 'old-to-new' ? run.sides.new : run.sides.old).title;
  const seen: (readonly [Instant | null, string])[] = [
    [change.usedAt, `The change to ${to} is counted from here`],
    [change.authorityFirstAt, `First authoritative answer that names ${to}`],
    [change.authorityLastAt, 'The last authoritative server had followed'],
    [change.identityAt, `First new connection that reached ${to}`],
  ];
  return seen.flatMap(([at, text]) => (at === null ? [] : [{ at, text }]));
}
