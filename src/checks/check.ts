/** What is said of a fact: the row of a preflight's table. */

export type CheckKind =
  | 'ttl-lowered'
  | 'ttl-aged-out'
  | 'resolver'
  | 'record'
  | 'route53'
  | 'certificate'
  | 'answer'
  | 'plain-http'
  | 'unknown-path'
  | 'slow-request'
  | 'http2'
  | 'tls-versions'
  | 'no-server-name'
  | 'upload'
  | 'header-size'
  | 'forwarded'
  | 'edges'
  | 'identity';

/** `not-asked`: the scenario does not say what would have to be sent for it. */
export type Result = 'pass' | 'fail' | 'unknown' | 'not-applicable' | 'not-asked';

/** What time alone may mend: at this instant (wall clock), or not before it, or nobody knows when. */
export interface Healing {
  readonly atMs: number | null;
  /** It is mended later if what it waits for comes later. */
  readonly isEarliest: boolean;
}

export interface CheckResult {
  readonly service: string;
  readonly check: CheckKind;
  /** What was looked at: a server and a record, an address, a resolver. */
  readonly subject: string;
  readonly result: Result;
  /** False: worth knowing, and no reason to wait. */
  readonly decides: boolean;
  readonly observed: string;
  readonly expected: string;
  /** A sentence, with what to do where something is to be done. */
  readonly text: string;
  /** null: waiting changes nothing. */
  readonly heals: Healing | null;
}

type Said = Pick<CheckResult, 'subject' | 'observed' | 'expected' | 'text'> & {
  readonly decides?: boolean;
  readonly heals?: Healing;
};

/** Rows of one check of one service. */
export interface Rows {
  pass(said: Said): CheckResult;
  fail(said: Said): CheckResult;
  unknown(said: Said): CheckResult;
  /** These two never decide. */
  notApplicable(said: Said): CheckResult;
  notAsked(text: string): CheckResult;
}

export function rowsOf(service: string, check: CheckKind): Rows {
  const row = (result: Result, { decides = true, heals, ...said }: Said): CheckResult => ({
    service,
    check,
    ...said,
    result,
    decides,
    heals: heals ?? null,
  });
  return {
    pass: (said) => row('pass', said),
    fail: (said) => row('fail', said),
    unknown: (said) => row('unknown', said),
    notApplicable: (said) => row('not-applicable', { ...said, decides: false }),
    notAsked: (text) => row('not-asked', { subject: service, observed: '', expected: '', text, decides: false }),
  };
}

/** Mended by others, at a time that nobody knows. */
export const someTime: Healing = { atMs: null, isEarliest: true };

/**
 * What rows say, each sentence once. Name servers of one zone mostly say the same: then the first is told, with how many
 * more there are; resolvers and addresses are named each.
 */
export function sentencesOf(rows: readonly CheckResult[]): readonly string[] {
  const alike = Map.groupBy(rows, ({ check, result, observed, expected, text }) =>
    check === 'ttl-lowered' ? JSON.stringify([result, observed, expected]) : text,
  );
  return [...alike.values()].map((all) => {
    const texts = [...new Set(all.map(({ text }) => text))];
    return texts.length === 1 ? (texts[0] ?? '') : `${texts[0]} (and ${texts.length - 1} more like it)`;
  });
}
