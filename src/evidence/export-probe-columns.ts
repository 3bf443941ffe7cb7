/**
 * The columns of exported probes. Names and units are a contract, as those of `report.json`: columns may be added, none is
 * renamed. docs/export.md is held against this table.
 */
import { checkBits, isBodyRight, outcomeNumber, outcomes } from '../core/outcome.ts';
import { type RowColumn, parts } from '../core/row.ts';
import { traceId } from '../core/trace-id.ts';
import type { ProbeRow } from './export-probes.ts';
import type { Column } from './export-table.ts';

/** By number. */
const partNames: Readonly<Record<number, string>> = {
  [parts.slot]: 'slot',
  [parts.triedBefore]: 'tried-before',
  [parts.freshCheck]: 'fresh-check',
  [parts.retried]: 'retried',
};

type Of = Column<ProbeRow>['of'];

function at(row: ProbeRow, column: RowColumn): number {
  return row.columns[column][row.i] as number;
}

function notZero(value: number): number | null {
  return value === 0 ? null : value;
}

function notEmpty(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

/** 0 = did not happen. */
function step(column: RowColumn): Of {
  return (row) => notZero(at(row, column));
}

/** Only an answer was checked. */
function check(of: (checks: number) => boolean): Of {
  return (row) => (at(row, 'outcome') === outcomeNumber.answered ? of(at(row, 'checks')) : null);
}

function bit(bits: number): Of {
  return check((checks) => (checks & bits) !== 0);
}

function text(kind: 'error' | 'address'): Of {
  return (row) => {
    const number = at(row, kind);
    return number === 0 ? null : (row.texts[kind][number] ?? unknown);
  };
}

/** Over the cap of definitions, or lost. */
const unknown = 'unknown';

function face(of: 'certificateSha256' | 'tlsVersion' | 'alpn' | 'headers'): Of {
  return (row) => notEmpty(row.faces[at(row, 'face')]?.[of]);
}

function answer(of: 'server' | 'name' | 'rcode' | 'chain' | 'addresses'): Of {
  return (row) => notEmpty(row.answers[at(row, 'answer')]?.[of]);
}

function ofAnswer(column: 'answerTtlS' | 'answerAgeMs'): Of {
  return (row) => (at(row, 'answer') === 0 ? null : at(row, column));
}

export const probeColumns: readonly Column<ProbeRow>[] = [
  { name: 'run', kind: 'text', meaning: 'id of the run, 8 hex digits', of: ({ runId }) => runId },
  { name: 'lane', kind: 'text', meaning: 'name of the lane, as in report.json', of: ({ lane }) => lane?.name ?? null },
  { name: 'laneNumber', kind: 'count', meaning: 'its number in the log', of: (row) => at(row, 'lane') },
  {
    name: 'role',
    kind: 'text',
    meaning: '`client`, `side` (one address of a side, no DNS) or `reference`',
    of: ({ lane }) => lane?.lane.role ?? null,
  },
  {
    name: 'service',
    kind: 'text',
    meaning: 'name of the service; null for references',
    of: ({ lane }) => notEmpty(lane?.lane.service),
  },
  { name: 'check', kind: 'text', meaning: 'name of the check', of: ({ lane }) => lane?.lane.check.name ?? null },
  { name: 'client', kind: 'text', meaning: 'kind of client', of: ({ lane }) => lane?.lane.client ?? null },
  {
    name: 'resolver',
    kind: 'text',
    meaning: 'the resolver it asks; null where none is asked',
    of: ({ lane }) => lane?.lane.resolver?.name ?? null,
  },
  {
    name: 'judged',
    kind: 'flag',
    meaning: 'the scenario has this lane held against objectives',
    of: ({ lane }) => lane?.lane.judged ?? null,
  },
  {
    name: 'qualified',
    kind: 'flag',
    meaning: 'it was well in the baseline; only judged and qualified lanes decide',
    of: ({ lane }) => lane?.isQualified ?? null,
  },
  {
    name: 'part',
    kind: 'text',
    meaning:
      '`slot`: the one result of a slot; `tried-before`: an address tried in vain before; `fresh-check`: sent at once on a new connection after a failure on a kept one; `retried`: the second try of a client that tries twice',
    of: (row) => partNames[at(row, 'part')] ?? unknown,
  },
  { name: 'slot', kind: 'count', meaning: 'number of the slot in its lane, from 0', of: (row) => at(row, 'slot') },
  {
    name: 'dueAt',
    kind: 'instant',
    meaning: 'when the schedule asked for it; UTC, to the µs, by the clock at the start of the run',
    of: ({ dueUs, lane }) => (lane === undefined ? null : dueUs),
  },
  {
    name: 'sentAt',
    kind: 'instant',
    meaning: 'when it was sent; null: it never was',
    of: (row) => (row.wasSent && row.lane !== undefined ? row.dueUs + at(row, 'lateUs') : null),
  },
  {
    name: 'endedAt',
    kind: 'instant',
    meaning: 'when its result was there',
    of: (row) => (row.wasSent && row.lane !== undefined ? row.dueUs + at(row, 'lateUs') + at(row, 'endedUs') : null),
  },
  {
    name: 'phase',
    kind: 'text',
    meaning: 'of its service when it was due: `baseline`, `switching`, `tail`, or `before` any; null for references',
    of: ({ conclusion }) => conclusion.phase,
  },
  {
    name: 'result',
    kind: 'text',
    meaning:
      'what the slot counts as in report.json: `good`, `failed`, `dropped`, `blind` or `blocked`; null: the row is no result of a slot (`part`), or of one that was due after the instant up to which the log is known to be whole',
    of: ({ conclusion }) => conclusion.result,
  },
  {
    name: 'failure',
    kind: 'text',
    meaning: 'class of a failure, as `classes` in report.json',
    of: ({ conclusion }) => conclusion.failure,
  },
  {
    name: 'cause',
    kind: 'text',
    meaning: 'why it failed, as `causes` in report.json',
    of: ({ conclusion }) => conclusion.cause,
  },
  {
    name: 'side',
    kind: 'text',
    meaning: '`old`, `new`, `unknown` or `conflict`; null where no address was reached',
    of: (row) => row.conclusions.sideOf(at(row, 'address'), at(row, 'face')),
  },
  {
    name: 'outcome',
    kind: 'text',
    meaning: 'how it ended on the wire: `answered`, `connect-refused`, `dns-timed-out` …',
    of: (row) => outcomes[at(row, 'outcome')] ?? unknown,
  },
  { name: 'status', kind: 'count', meaning: 'HTTP status; null: no answer', of: step('status') },
  { name: 'error', kind: 'text', meaning: 'what the system or a parser said of it', of: text('error') },
  {
    name: 'lateUs',
    kind: 'count',
    meaning: 'µs from due to sent; of one that was not sent, to when that was decided',
    of: (row) => at(row, 'lateUs'),
  },
  { name: 'resolvedUs', kind: 'count', meaning: 'µs from sent until the name was resolved', of: step('resolvedUs') },
  {
    name: 'connectedUs',
    kind: 'count',
    meaning: 'µs from sent until connected; null on a kept connection',
    of: step('connectedUs'),
  },
  { name: 'securedUs', kind: 'count', meaning: 'µs from sent until TLS was done', of: step('securedUs') },
  { name: 'firstByteUs', kind: 'count', meaning: 'µs from sent until the first byte', of: step('firstByteUs') },
  { name: 'endedUs', kind: 'count', meaning: 'µs from sent until its result was there', of: step('endedUs') },
  {
    name: 'responseUs',
    kind: 'count',
    meaning: 'µs from due until its result was there: what report.json counts as response time',
    of: (row) => (row.wasSent ? Math.min(at(row, 'lateUs') + at(row, 'endedUs'), 0xffff_ffff) : null),
  },
  { name: 'statusRight', kind: 'flag', meaning: 'the status was as expected', of: bit(checkBits.statusRight) },
  { name: 'headerRight', kind: 'flag', meaning: 'the headers were as expected', of: bit(checkBits.headerRight) },
  {
    name: 'bodyRight',
    kind: 'flag',
    meaning: 'the body was as expected, or nobody asked',
    of: check((checks) => isBodyRight(checks)),
  },
  { name: 'framingComplete', kind: 'flag', meaning: 'the body came whole', of: bit(checkBits.framingComplete) },
  { name: 'cutByUs', kind: 'flag', meaning: 'we closed after 64 KiB of it', of: bit(checkBits.cutByUs) },
  { name: 'serverClosed', kind: 'flag', meaning: 'the server ended the connection', of: bit(checkBits.serverClosed) },
  {
    name: 'bodyBytes',
    kind: 'count',
    meaning: 'bytes of the body',
    of: (row) => (at(row, 'outcome') === outcomeNumber.answered ? at(row, 'bodyBytes') : null),
  },
  { name: 'address', kind: 'text', meaning: 'address that answered or failed', of: text('address') },
  { name: 'localPort', kind: 'count', meaning: 'our port', of: step('localPort') },
  {
    name: 'connectionAgeMs',
    kind: 'count',
    meaning: 'ms since its connection was opened; 0: for this probe; null: there was none',
    of: (row) => (at(row, 'address') === 0 ? null : at(row, 'connectionAgeMs')),
  },
  { name: 'certificateSha256', kind: 'text', meaning: 'of the leaf, hex', of: face('certificateSha256') },
  { name: 'tlsVersion', kind: 'text', meaning: 'as negotiated', of: face('tlsVersion') },
  { name: 'alpn', kind: 'text', meaning: 'as negotiated', of: face('alpn') },
  {
    name: 'headers',
    kind: 'text',
    meaning: 'those that tell servers apart, `name: value; name: value`; cookies by name only',
    of: face('headers'),
  },
  { name: 'answerServer', kind: 'text', meaning: 'who gave the DNS answer that led here', of: answer('server') },
  { name: 'answerName', kind: 'text', meaning: 'the name asked', of: answer('name') },
  { name: 'answerRcode', kind: 'text', meaning: '`NOERROR` …', of: answer('rcode') },
  { name: 'answerChain', kind: 'text', meaning: 'aliases in order, with a space between', of: answer('chain') },
  { name: 'answerAddresses', kind: 'text', meaning: 'in its order, with a space between', of: answer('addresses') },
  { name: 'answerTtlS', kind: 'count', meaning: 's, the lowest TTL of it as received', of: ofAnswer('answerTtlS') },
  {
    name: 'answerAgeMs',
    kind: 'count',
    meaning: 'ms that the lane had held the answer when the probe was sent',
    of: ofAnswer('answerAgeMs'),
  },
  {
    name: 'traceId',
    kind: 'text',
    meaning:
      'in `X-Amzn-Trace-Id`, and so in access logs: look for its last 24 digits, the seconds before them are rounded',
    of: (row) =>
      row.wasSent && row.lane !== undefined
        ? traceId(
            row.runId,
            Math.floor((row.dueUs + at(row, 'lateUs')) / 1e6),
            at(row, 'lane'),
            at(row, 'slot'),
            at(row, 'part'),
          )
        : null,
  },
];
