/** Whether it was safe to switch, and whether the side left may go, in one line each and with every reason. */
import { countOf } from '../core/quantity-text.ts';
import { clockText } from './instant-text.ts';
import { goneText } from './side-gone.ts';
import { named, unique } from './pick.ts';
import type { Section } from './section.ts';
import type { ServiceView } from './service-view.ts';
import type { Report, Safety } from './shape.ts';

export const switchQuestion = 'Safe to switch';
/** The same once it has been switched: no advice for now. */
const switchedQuestion = 'Switch was safe';

/** A deployment switches no name and leaves no side. */
export function asksOfSides({ run }: Report): boolean {
  return run.mode !== 'deploy';
}

export interface SafetyAnswer {
  readonly question: string;
  readonly line: string;
}

/** Of services that were switched whether it was safe then, and of those that were not whether it is. */
export function switchAnswers(report: Report, views: readonly ServiceView[]): SafetyAnswer[] {
  const [switched, waiting] = [views.filter(isSwitched), views.filter((view) => !isSwitched(view))];
  return [
    ...(switched.length === 0 ? [] : [{ question: switchedQuestion, line: switchLine(report, switched) }]),
    ...(waiting.length === 0 ? [] : [{ question: switchQuestion, line: switchLine(report, waiting) }]),
  ];
}

function isSwitched({ service }: ServiceView): boolean {
  return service.changes.length > 0;
}

/** All services in one line: `Yes, since 10:00:41.000 UTC.` */
export function switchLine(report: Report, views: readonly ServiceView[]): string {
  return lineOf(
    report,
    views.map(({ service }) => [service.name, service.safeToSwitch]),
    views.every(isSwitched) ? 'when the change began' : 'now',
  );
}

/** Null where nothing was left: without a change, and where nobody is moved. */
export function removalAnswer(report: Report, views: readonly ServiceView[]): SafetyAnswer | null {
  const left = views.flatMap(({ service }) => {
    const { side } = service.safeToRemoveOld;
    return side === null ? [] : [{ side, safety: service.safeToRemoveOld }];
  });
  const { mode } = report.run;
  if (left.length === 0 || mode === 'deploy' || mode === 'weights') return null;
  const sides = unique(left.map(({ side }) => side));
  const question = sides.length > 1 ? 'May a side go' : sides[0] === 'old' ? 'Old side may go' : 'New side may go';
  const besides = unique(left.flatMap(({ safety }) => safety.besides));
  // Both sides serve them all: one that never moved is a reason, too.
  const line = lineOf(
    report,
    views.map(({ service }) => [service.name, service.safeToRemoveOld]),
    'now',
  );
  const gone = goneText(report, views);
  return { question, line: [line, ...(gone === null ? [] : [gone]), ...besides].join(' ') };
}

/** An answer for now is advice; one about what is over is not. */
type AsOf = 'now' | 'when the change began';

function lineOf(report: Report, all: readonly (readonly [name: string, safety: Safety])[], asOf: AsOf): string {
  const groups = Map.groupBy(all, ([, { safe }]) => safe);
  const isOne = groups.size === 1;
  return (['no', 'unknown', 'yes'] as const)
    .flatMap((safe) => {
      const group = groups.get(safe);
      if (group === undefined) return [];
      const of = isOne ? '' : ` for ${named(group.map(([name]) => name))}`;
      return [
        groupText(
          report,
          of,
          group.map(([, safety]) => safety),
          asOf,
        ),
      ];
    })
    .join(' ');
}

function groupText(report: Report, of: string, group: readonly Safety[], asOf: AsOf): string {
  const instants = group.flatMap(({ at }) => (at === null ? [] : [at]));
  const at = instants.length < group.length ? null : (instants.toSorted().at(-1) ?? null);
  const clock = at === null ? null : `${clockText(report.run.startedAt, at)} UTC`;
  const [first, ...others] = unique(group.flatMap(({ because }) => because));
  const more = others.length === 0 ? '' : ` (${countOf(others.length, 'more reason')} in the report)`;
  const because = first === undefined ? '.' : `: ${first}${more}`;
  switch (group[0]?.safe) {
    case 'yes':
      return `Yes${of}${clock === null ? '' : `, since ${clock}`}.`;
    case 'no':
      if (asOf !== 'now') return `Not ${asOf}${of}${clock === null ? '' : `, only from ${clock}`}${because}`;
      return clock === null ? `No${of}${because}` : `Not yet${of}, from ${clock}${because}`;
    case 'unknown':
    case undefined:
      return `Not known${of}${because}`;
  }
}

/** Every reason, for the report, each on a line of its own. */
export function safetySection(report: Report, view: ServiceView): Section[] {
  if (!asksOfSides(report)) return [];
  const { service } = view;
  const { safeToSwitch, safeToRemoveOld } = service;
  const { side } = safeToRemoveOld;
  const list = [
    ...(isSwitched(view)
      ? reasonsOf(report, switchedQuestion, safeToSwitch, 'when the change began')
      : reasonsOf(report, switchQuestion, safeToSwitch, 'now')),
    ...(side === null ? [] : reasonsOf(report, `${report.run.sides[side].title} may go`, safeToRemoveOld, 'now')),
  ];
  return [{ title: 'Safe to switch, safe to turn off', level: 3, paragraphs: [], list }];
}

function reasonsOf(report: Report, question: string, safety: Safety, asOf: AsOf): (readonly [string, string])[] {
  const { because, besides, at, safe } = safety;
  const clock = at === null ? '' : ` ${safe === 'yes' ? 'since' : 'from'} ${clockText(report.run.startedAt, at)} UTC`;
  const no = asOf === 'now' ? (at === null ? 'No' : 'Not yet,') : `Not ${asOf}${at === null ? '' : ', only'}`;
  const word = { yes: 'Yes', no, unknown: 'Not known' }[safe];
  return [`${word}${clock}.`, ...because, ...besides].map((text) => [question, text]);
}
