/**
 * A line of an ALB's access log, by the order of fields that AWS documents ("Access log entries"). Fields were added at the
 * end over the years, and more may be: a line has at least those up to the trace id. Pure.
 */
import { traceOf, type Trace } from '../core/trace-id.ts';

export interface AlbLogLine {
  /** Which of our probes it was. */
  readonly trace: Trace;
  /** `app/<name>/<id>`. */
  readonly loadBalancer: string;
  /** null: it was sent to none. */
  readonly target: { readonly address: string; readonly port: number } | null;
  readonly targetGroupArn: string | null;
  readonly elbStatus: number;
  /** null: no target answered. */
  readonly targetStatus: number | null;
  /** null: it never came so far (-1 in the log). */
  readonly requestProcessingS: number | null;
  readonly targetProcessingS: number | null;
  readonly responseProcessingS: number | null;
  /** When the load balancer had received the request; null: an old log, which does not say. */
  readonly createdAtMs: number | null;
  /** When it had answered. */
  readonly endedAtMs: number;
  /** '' where none is given. */
  readonly errorReason: string;
}

/** Where each field stands. */
const at = {
  endedAt: 1,
  loadBalancer: 2,
  target: 4,
  requestProcessing: 5,
  targetProcessing: 6,
  responseProcessing: 7,
  elbStatus: 8,
  targetStatus: 9,
  targetGroup: 16,
  trace: 17,
  createdAt: 21,
  errorReason: 24,
} as const;

/**
 * null: not of this run. `unreadable`: it says that it is, and is no whole line of such a log, as the last one of a file that
 * is still being written.
 */
export function parseAlbLogLine(text: string, runId: string): AlbLogLine | 'unreadable' | null {
  // Nearly all lines of a busy load balancer are of other people's requests.
  if (!text.includes(`-${runId}`)) return null;
  const fields = fieldsOf(text);
  const trace = traceOf(fields?.[at.trace] ?? '');
  if (fields === null || trace === null) return traceOf(text)?.runId === runId ? 'unreadable' : null;
  if (trace.runId !== runId) return null;
  const field = (index: number): string => fields[index] ?? '-';
  const endedAtMs = instantOf(field(at.endedAt));
  const elbStatus = statusOf(field(at.elbStatus));
  const target = targetOf(field(at.target));
  if (endedAtMs === null || elbStatus === null || target === 'unreadable') return 'unreadable';
  return {
    trace,
    loadBalancer: field(at.loadBalancer),
    target,
    targetGroupArn: textOf(field(at.targetGroup)),
    elbStatus,
    targetStatus: statusOf(field(at.targetStatus)),
    requestProcessingS: secondsOf(field(at.requestProcessing)),
    targetProcessingS: secondsOf(field(at.targetProcessing)),
    responseProcessingS: secondsOf(field(at.responseProcessing)),
    createdAtMs: instantOf(field(at.createdAt)),
    endedAtMs,
    errorReason: textOf(field(at.errorReason)) ?? '',
  };
}

const fieldPattern = /(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))(?: |$)/y;

/** Apart by single spaces; in quotes where there may be spaces, with `\"` and `\x22` for a quote. null: torn, or no such line. */
function fieldsOf(text: string): readonly string[] | null {
  const fields: string[] = [];
  fieldPattern.lastIndex = 0;
  while (fieldPattern.lastIndex < text.length) {
    const found = fieldPattern.exec(text);
    if (found === null) return null;
    fields.push(found[1] === undefined ? (found[2] ?? '') : unescaped(found[1]));
  }
  return fields;
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (_, code: string | undefined, character: string | undefined) =>
    code === undefined ? (character ?? '') : String.fromCodePoint(Number.parseInt(code, 16)),
  );
}

function textOf(field: string): string | null {
  return field === '-' || field === '' ? null : field;
}

function statusOf(field: string): number | null {
  return /^[1-5]\d\d$/.test(field) ? Number(field) : null;
}

function secondsOf(field: string): number | null {
  const seconds = Number(field);
  return field === '' || Number.isNaN(seconds) || seconds < 0 ? null : seconds;
}

/** `2018-07-02T22:23:00.186641Z`, to the ms. */
function instantOf(field: string): number | null {
  const ms = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(field) ? Date.parse(field) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

/** `10.0.0.1:80`, `[fd00::1]:80`; `-` where it was sent to none. */
function targetOf(field: string): AlbLogLine['target'] | 'unreadable' {
  if (textOf(field) === null) return null;
  const [, address = '', port = ''] = /^\[?([^\]]*?)\]?:(\d{1,5})$/.exec(field) ?? [];
  return address === '' ? 'unreadable' : { address, port: Number(port) };
}
