/** What Route 53's API said of names in the course of a run, and whose side each of its records leads to. */
import type { EntryOf } from '../core/entry.ts';
import type { PolicyRecord, RecordPolicy } from '../core/record-policy.ts';
import type { FindingContext } from './finding-context.ts';
import type { AnswerSide } from './sides.ts';

/** One name and its steps: what held from one look to the next that differed. */
export interface PolicyTrack {
  readonly name: string;
  /** Whose it is; null: nobody's. */
  readonly service: string | null;
  readonly steps: readonly EntryOf<'record-policy-seen'>[];
}

/** Records of one name and type in one zone: Route 53 gives one of them, or some, by their policy. */
export interface RecordGroup {
  readonly name: string;
  readonly type: PolicyRecord['type'];
  readonly zone: RecordPolicy['zone'];
  readonly records: readonly PolicyRecord[];
}

export function policyTracks({ journal, contexts }: FindingContext): readonly PolicyTrack[] {
  const byName = Map.groupBy(journal.of('record-policy-seen'), ({ name }) => name);
  return [...byName].map(([name, steps]) => {
    const root = steps[0]?.linkOf ?? name;
    const found = contexts.find(({ service }) => service.checks.some((check) => check.hostname.toLowerCase() === root));
    return { name, service: found?.service.name ?? null, steps };
  });
}

export function groupsOf({ name, policies }: EntryOf<'record-policy-seen'>): readonly RecordGroup[] {
  return policies.flatMap(({ zone, records }) =>
    [...Map.groupBy(records, ({ type }) => type)].map(([type, of]) => ({ name, type, zone, records: of })),
  );
}

/** A load balancer's name is written with and without `dualstack.` before it. */
export function sideOfRecord({ sides }: FindingContext, { type, values, alias }: PolicyRecord): AnswerSide {
  if (alias !== null) return sides.ofAnswer([], [alias.name, alias.name.replace(/^dualstack\./, '')]);
  return type === 'CNAME' ? sides.ofAnswer([], values) : sides.ofAnswer(values, []);
}

export function labelOf({ setIdentifier, alias, values }: PolicyRecord): string {
  if (setIdentifier !== '') return setIdentifier;
  return alias?.name ?? values.join(', ');
}

/** Which of its names; a wildcard answers for many. */
export function whatText({ name, type, zone }: RecordGroup): string {
  return `${name} ${type}${zone.isPrivate ? ' (private zone)' : ''}`;
}
