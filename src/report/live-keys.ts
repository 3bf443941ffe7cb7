/** The last line of the live view: which keys there are, or the line that is being typed; and the page that explains them. */
import { clip, fit, lineColumns, span, type Line } from './live-line.ts';
import { legendOf } from './live-strip.ts';
import type { Edited, LiveView } from './live-view.ts';
import { windowsMs } from './live-view.ts';
import type { Report } from './shape.ts';
import { columnsOf, glyphsOf } from './text-width.ts';

export interface KeyLine {
  readonly line: Line;
  /** Where the next letter goes; null = nothing is being typed. */
  readonly cursorColumn: number | null;
}

const questions = { mark: 'mark: ', filter: 'filter: ' } as const;

export function keyLine(view: LiveView, columns: number): KeyLine {
  const { asking, notice, isStopping, hasKeys, filter, isHelp } = view;
  if (asking?.kind === 'stop') {
    return still([span('Stop the watch, judge and report?', 'strong'), span('  q or y: stop   any other key: go on')]);
  }
  if (asking !== null) return editedLine(questions[asking.kind], asking.edited, columns);
  if (isStopping) {
    return still([
      span('Stopping: probes under way are waited for, then the report is written. Ctrl-C: quit now', 'unsure'),
    ]);
  }
  if (notice !== null) return still([span(notice, 'strong')]);
  if (!hasKeys) return still([span('Ctrl-C stops the watch, judges and reports', 'faint')]);
  if (isHelp) return still([span('any key: back', 'faint')]);
  const keys = [
    ['m', 'mark'],
    ['/', filter === '' ? 'filter' : `filter: ${filter}`],
    ['↑↓', 'service'],
    ['⏎', view.isOpen ? 'fewer lanes' : 'all lanes'],
    ['+-', minutesText(view.windowMs)],
    ['?', 'help'],
    ['q', 'stop'],
  ] as const;
  // What does not fit is left out as a whole, the middle first: help and stop stay.
  for (let count = keys.length - 2; count >= 0; count -= 1) {
    const line = [...keys.slice(0, count), ...keys.slice(-2)].flatMap(([key, meaning], i): Line => [
      span(i === 0 ? '' : '   '),
      span(key, 'strong'),
      span(` ${meaning}`, 'faint'),
    ]);
    if (lineColumns(line) <= columns || count === 0) return still(line);
  }
  return still([]);

  function still(line: Line): KeyLine {
    return { line: clip(line, columns), cursorColumn: null };
  }
}

function minutesText(ms: number): string {
  return `${String(ms / 60_000)} min`;
}

/** Of a text longer than the line the part with the cursor. */
function editedLine(question: string, { text, cursor }: Edited, columns: number): KeyLine {
  const room = Math.max(1, columns - question.length - 1);
  const glyphs = glyphsOf(span(text).text);
  let from = 0;
  const before = (): string =>
    glyphs
      .slice(from, cursor)
      .map((glyph) => glyph.text)
      .join('');
  while (columnsOf(before()) > room) from += 1;
  const shown = glyphs
    .slice(from)
    .map((glyph) => glyph.text)
    .join('');
  return {
    line: clip([span(question, 'strong'), ...fit([span(shown)], room)], columns),
    cursorColumn: Math.min(columns - 1, question.length + columnsOf(before())),
  };
}

/** What `?` shows. */
export function helpLines({ run }: Report, hasKeys: boolean): Line[] {
  const keys: readonly (readonly [key: string, meaning: string])[] = [
    ['m', 'a mark, as of `cutwatch mark`: "switch orders" says that the change is being made; Esc leaves it'],
    ['/  f', 'show only lanes with all these words: a service, client, resolver, address; empty: all'],
    ['↑ ↓  j k', 'another service'],
    ['Enter', 'all its lanes, or only those of judged clients'],
    ['+ -', `strips show the last ${windowsMs.map(minutesText).join(', ')}`],
    ['PgUp PgDn', 'scroll'],
    ['q', 'stop the watch, judge and report; asks first'],
    ['Ctrl-C', 'the same at once; a second one quits without a report'],
  ];
  const letters = legendOf({ old: `answered by ${run.sides.old.title}`, new: `answered by ${run.sides.new.title}` });
  return [
    ...(hasKeys ? keys.map(([key, meaning]): Line => [span(`  ${key.padEnd(11)}`, 'strong'), span(meaning)]) : []),
    [],
    ...letters.map(([[letter, emphasis], meaning]): Line => [
      span('  '),
      span(letter, emphasis),
      span(`          ${meaning}`),
    ]),
    [],
    [
      span(
        '  Down is from the first failed probe to the last at the least, and between the good ones around them at the most.',
        'faint',
      ),
    ],
    [span('  "none > 500 ms": nothing failed, and an outage longer than that would have been seen.', 'faint')],
  ];
}
