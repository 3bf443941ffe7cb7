/** Whether it was safe to switch, and whether the side left may go, in one line each and with every reason. */
import { countOf } from '../core/quantity-text.ts';
import { clockText } from './instant-text.ts';
import { named, unique } from './pick.ts';
import type { Section } from './section.ts';
import type { ServiceView } from './service-view.ts';
import type { Report, Safety } from './shape.ts';

export const switchQuestion = 'Safe to switch';

/** A deployment switches no name and leaves no side. */
export function asksOfSides({ run }: Report): boolean {
  return run.mode !== 'deploy';
}

/** All services in one line: `Yes, since 10:00:41.000 UTC.` */
export function switchLine(report: Report, views: readonly ServiceView[]): string {
  return lineOf(
    report,
    views.map(({ service }) => [service.name, service.safeToSwitch]),
  );
}

/** Null where nothing was left: without a change, and where nobody is moved. */
export function removalAnswer(
  report: Report,
  views: readonly ServiceView[],
): { readonly question: string; readonly line: string } | null {
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
  );
  return { question, line: [line, ...besides].join(' ') };
}

function lineOf(report: Report, all: readonly (readonly [name: string, safety: Safety])[]): string {
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
        ),
      ];
    })
    .join(' ');
}

function groupText(report: Report, of: string, group: readonly Safety[]): string {
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
      return clock === null ? `No${of}${because}` : `Not yet${of}, from ${clock}${because}`;
    case 'unknown':
    case undefined:
      return `Not known${of}${because}`;
  }
}

/** Every reason, for the report, each on a line of its own. */
export function safetySection(report: Report, { service }: ServiceView): Section[] {
  if (!asksOfSides(report)) return [];
  const { safeToSwitch, safeToRemoveOld } = service;
  const { side } = safeToRemoveOld;
  const list = [
    ...reasonsOf(report, switchQuestion, safeToSwitch),
    ...(side === null ? [] : reasonsOf(report, `${report.run.sides[side].title} may go`, safeToRemoveOld)),
  ];
  return [{ title: 'Safe to switch, safe to turn off', level: 3, paragraphs: [], list }];
}

function reasonsOf(report: Report, question: string, safety: Safety): (readonly [string, string])[] {
  const { because, besides, at, safe } = safety;
  const clock = at === null ? '' : ` ${safe === 'yes' ? 'since' : 'from'} ${clockText(report.run.startedAt, at)} UTC`;
  const word = { yes: 'Yes', no: at === null ? 'No' : 'Not yet,', unknown: 'Not known' }[safe];
  return [`${word}${clock}.`, ...because, ...besides].map((text) => [question, text]);
}
