/** A diagnosis for people: what to do first, then what is not well, then what is. */
import { countOf, listText } from '../core/quantity-text.ts';
import type { Diagnosis } from './doctor.ts';
import type { DoctorRow, DoctorTopic } from './doctor-row.ts';
import { broken, type Plain } from './preflight-text.ts';

const titles: Readonly<Record<DoctorTopic, string>> = {
  token: 'tokens',
  credentials: 'credentials',
  permission: 'permissions',
  clock: 'clock',
  resolver: 'resolvers',
  authority: 'authorities',
  'open-files': 'open files',
  'local-ports': 'local ports',
  processors: 'processors',
  disk: 'disk',
  ipv6: 'IPv6',
  priority: 'priority',
  proxy: 'proxies',
};
const titleWidth = 12;

const marks = { fail: 'FAIL', unknown: '????', warn: 'warn', info: 'info', pass: 'pass' } as const;
export type DoctorMark = keyof typeof marks;
const order = Object.keys(marks) as readonly DoctorMark[];

function markOf({ result, decides }: DoctorRow): DoctorMark {
  if (result === 'pass') return 'pass';
  if (result === 'fail') return decides ? 'fail' : 'warn';
  return decides ? 'unknown' : 'info';
}

/** `FIT FOR A RUN`, `NOT FIT: 2 things to mend`, `NOT KNOWN …`. */
function headline({ fit, toDo, rows }: Diagnosis): string {
  if (fit === 'yes') return 'FIT FOR A RUN';
  if (fit === 'no') return `NOT FIT: ${countOf(toDo.length, 'thing')} to mend`;
  const unknownCount = rows.filter((row) => markOf(row) === 'unknown').length;
  return `NOT KNOWN: ${countOf(unknownCount, 'thing')} could not be found out`;
}

interface TextOptions {
  readonly paint?: (text: string, mark: DoctorMark) => string;
  readonly plain?: Plain;
  readonly columns?: number;
}

/** Without a line break at its end. What passes is one line for each topic. */
export function diagnosisText(
  found: Diagnosis,
  { paint = (text) => text, plain = (text) => text, columns = Infinity }: TextOptions = {},
): string {
  const about = `${found.scenario}, as of ${new Date(found.atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
  const lines = [headline(found), about].map(plain);
  if (found.toDo.length > 0) lines.push('', 'To do, in this order:');
  for (const [i, remedy] of found.toDo.entries()) {
    const number = `  ${i + 1}. `;
    lines.push(number + broken(plain(remedy), columns - number.length).join(`\n${' '.repeat(number.length)}`));
  }
  lines.push('');
  const entries = [...Map.groupBy(found.rows, ({ topic }) => topic)].flatMap(([topic, rows]) => linesOf(topic, rows));
  for (const { mark, title, text } of entries.toSorted((a, b) => order.indexOf(a.mark) - order.indexOf(b.mark))) {
    const indent = marks[mark].length + titleWidth + 6;
    const start = `  ${paint(marks[mark], mark)}  ${title.padEnd(titleWidth)}  `;
    lines.push(start + broken(plain(text), columns - indent).join(`\n${' '.repeat(indent)}`));
  }
  return lines.join('\n');
}

interface Line {
  readonly mark: DoctorMark;
  readonly title: string;
  readonly text: string;
}

function linesOf(topic: DoctorTopic, rows: readonly DoctorRow[]): readonly Line[] {
  const title = titles[topic];
  const passed = rows.filter((row) => markOf(row) === 'pass');
  return [
    ...rows.filter((row) => markOf(row) !== 'pass').map((row) => ({ mark: markOf(row), title, text: textOf(row) })),
    ...(passed.length === 0 ? [] : [{ mark: 'pass' as const, title, text: passedText(passed, rows.length) }]),
  ];
}

/** The remedy of what decides stands on top. */
function textOf(row: DoctorRow): string {
  return row.remedy === null || row.decides ? row.text : `${row.text} ${row.remedy}`;
}

const namedMax = 3;

function passedText(passed: readonly DoctorRow[], rowCount: number): string {
  if (passed.length === 1 && rowCount === 1) return passed[0]?.text ?? '';
  const subjects = passed.map(({ subject }) => subject);
  const named = passed.length <= namedMax ? `: ${listText(subjects)}` : '';
  return `${passed.length} of ${rowCount}${named}`;
}
