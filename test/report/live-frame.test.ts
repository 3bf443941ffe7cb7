import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Picture } from '../../src/core/picture.ts';
import { liveFrame, type Frame } from '../../src/report/live-frame.ts';
import { span, wrap } from '../../src/report/live-line.ts';
import { columnsOf } from '../../src/report/text-width.ts';
import { firstView, type LiveView } from '../../src/report/live-view.ts';
import { toReport } from '../../src/report/report-json.ts';
import type { Snapshot } from '../../src/report/snapshot.ts';
import { judge } from '../../src/verdict/judge.ts';
import { analysisOf, laneOf, serviceOf, slotsOf } from './kit.ts';
import { snapshotsOf, textOf } from './live-kit.ts';

const size = { columns: 80, rows: 24 };

function frameText(frame: Frame): string {
  return frame.lines.map(textOf).join('\n');
}

function at(snapshot: Snapshot, view: Partial<LiveView> = {}): LiveView {
  return { ...firstView, nowMs: snapshot.nowMs, ...view };
}

function show(snapshot: Snapshot, view: Partial<LiveView> = {}, of = size): string {
  return frameText(liveFrame(snapshot, at(snapshot, view), of));
}

const emptyPicture: Picture = {
  binMs: 1000,
  binCount: 0,
  untilMs: 0,
  lanes: [],
  latency: [],
  resolvers: [],
  closeUps: [],
  closeUpsLeftOutCount: 0,
};

describe('the founding migration, as it stood', () => {
  let before: Snapshot;
  let down: Snapshot;
  let half: Snapshot;
  let ended: Snapshot;
  beforeAll(async () => {
    [before, down, half, ended] = (await snapshotsOf('founding-migration', [5, 11.3, 15])) as [
      Snapshot,
      Snapshot,
      Snapshot,
      Snapshot,
    ];
  });

  test('before the change says what is good, and that it is no verdict', () => {
    const text = show(before);
    expect(text).toContain('NO VERDICT YET  No change yet; 6 of 6 clients had ten good answers in a row.');
    expect(text).toMatch(/Safe to switch {2}No: Caches may keep/);
    expect(text).not.toContain('Why');
    expect(text).toMatch(/▸ orders +o+ old +none > 250 ms/);
    expect(text).toMatch(/resolvers {2}office {2}2 names {2}old {2}TTL \d+ of 12 s left/);
  });

  test('down says who, since when at the least, and when resolvers must have changed', () => {
    const text = show(down);
    expect(text).toContain('DOWN NOW  6 of 6 clients: orders fresh via office, ');
    expect(text).toMatch(/keep-alive +o+X+ DOWN +≥ 2\.\d s, still/);
    expect(text).toMatch(/^Why {2}\d+ of \d+ failed probes: the DNS answer they held still named the side left/m);
    expect(text).toMatch(/change due in 9 s \(08:30:19\) · TTL 2 of 12 s l…/);
  });

  test('in part over: the service shows the failures of any client, each client its own', () => {
    const text = show(half);
    expect(text).toMatch(/▸ orders +o+X+x+ DOWN 1\/3 +≥ 6/);
    expect(text).toMatch(/ {4}fresh +o+X+n+ new +3\.2–3\.8 s/);
    expect(text).toMatch(/ {4}users-machines +o+X+ DOWN +≥ 6/);
    expect(text).toMatch(/FAIL so far {2}Clients of 2 of 2 services/);
  });

  test('ended is the verdict', () => {
    expect(show(ended)).toMatch(/^FAIL {2}Clients of 2 of 2 services/m);
    expect(show(ended)).not.toContain('so far');
  });

  test('countdowns go on between snapshots, and what is old is said to be', () => {
    expect(show(down, { nowMs: down.nowMs + 2000 })).toMatch(/change due in 7 s .* TTL 0 of 12 s/);
    expect(show(down)).not.toContain('as of');
    expect(show(down, { nowMs: down.nowMs + 4300 })).toContain('as of 4.3 s ago');
  });

  test('a filter leaves the services, lanes and resolvers that it is about', () => {
    const text = show(half, { filter: 'BILLING fresh' });
    expect(text).not.toMatch(/^. orders/m);
    expect(text).not.toContain('    keep-alive ');
    expect(text).toMatch(/▸ billing +o+X+n+ new +3\.\d/);
    expect(text).toMatch(/office {2}billing\.shop\.example/);
    expect(text).toContain('filter: BILLING fresh');
    expect(show(half, { filter: 'nobody' })).toContain('no lane has all these words');
  });

  test('a selected service has the mark, and when it is opened its lanes that are not judged', () => {
    expect(show(half, { selected: 'billing' })).toMatch(/▸ billing/);
    const open = show(half, { selected: 'billing', isOpen: true }, { columns: 110, rows: 40 });
    expect(open).toMatch(/side:new · 127\.0\.2\.1 +\S.* not judged/);
  });

  test('what is low shows the selected service, and says how much is above and below', () => {
    const text = show(half, { selected: 'billing', isOpen: true }, { columns: 60, rows: 15 });
    expect(text).toMatch(/▸ billing/);
    expect(text).toMatch(/… \d above, \d+ below/);
    expect(show(half, { selected: 'billing', isOpen: true, scroll: 99 }, { columns: 60, rows: 15 })).toMatch(
      /… \d+ above$/m,
    );
  });

  test('marks, and what was said, are there with their time, the newest first', () => {
    const said = [
      { atMs: 7100, text: 'starting switch.sh' },
      { atMs: 9100, text: 'a note' },
    ];
    expect(show(half, { said })).toMatch(/news {7}08:30:09 {2}a note\n {11}08:30:07 {2}starting switch\.sh/);
  });

  test('a line that is typed stands at the bottom with the cursor in it', () => {
    const asking = { kind: 'mark', edited: { text: 'switch 漢字!', cursor: 9 } } as const;
    const frame = liveFrame(half, at(half, { asking }), size);
    expect(textOf(frame.lines.at(-1) ?? [])).toMatch(/^mark: switch 漢字!/);
    expect(frame.cursor).toEqual({ row: 23, column: 6 + 'switch '.length + 4 });
  });

  test('help explains the letters by the titles of the sides', () => {
    const text = show(half, { isHelp: true });
    expect(text).toContain('answered by nginx/EKS');
    expect(text).toMatch(/Ctrl-C +the same at once/);
  });

  test('in ASCII there is no other character, and nothing moves', () => {
    for (const snapshot of [before, down, half, ended]) {
      const wide = liveFrame(snapshot, at(snapshot), size).lines.map(textOf);
      const ascii = liveFrame(snapshot, at(snapshot, { isAscii: true }), size).lines.map(textOf);
      expect(ascii.join('')).toMatch(/^[ -~]*$/);
      expect(ascii.map(columnsOf)).toEqual(wide.map(columnsOf));
    }
  });

  test('of any view, no frame is wider or higher than the terminal', () => {
    const view = fc.record({
      nowMs: fc.integer({ min: 0, max: 5_000_000 }),
      filter: fc.constantFrom('', 'orders', 'fresh', 'ünknown', 'side'),
      selected: fc.constantFrom(null, 'orders', 'billing', 'other'),
      isOpen: fc.boolean(),
      scroll: fc.integer({ min: -20, max: 50 }),
      windowMs: fc.constantFrom(60_000, 300_000, 3_600_000),
      isHelp: fc.boolean(),
      notice: fc.option(fc.string({ unit: 'grapheme', maxLength: 300 })),
      isStopping: fc.boolean(),
      hasKeys: fc.boolean(),
      isAscii: fc.boolean(),
      asking: fc.option(
        fc.oneof(
          fc.constant({ kind: 'stop' as const }),
          fc.record({
            kind: fc.constantFrom('mark' as const, 'filter' as const),
            edited: fc.record({ text: fc.string({ unit: 'grapheme', maxLength: 300 }), cursor: fc.nat(300) }),
          }),
        ),
      ),
      said: fc.array(fc.record({ atMs: fc.nat(40_000), text: fc.string({ unit: 'binary', maxLength: 400 }) }), {
        maxLength: 30,
      }),
    });
    const sizes = fc.record({ columns: fc.integer({ min: 1, max: 220 }), rows: fc.integer({ min: 1, max: 70 }) });
    fc.assert(
      fc.property(fc.constantFrom(before, down, half, ended), view, sizes, (snapshot, own, of) => {
        const { lines, cursor } = liveFrame(snapshot, own, of);
        expect(lines.length).toBeLessThanOrEqual(of.rows);
        for (const line of lines) expect(columnsOf(textOf(line))).toBeLessThanOrEqual(of.columns);
        if (cursor !== null) {
          expect(cursor.row).toBeLessThan(of.rows);
          expect(cursor.column).toBeLessThan(of.columns);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('whatever is in names and texts, nothing that steers a terminal is left of it', () => {
    const hostile =
      '\u001b[31mred\u001b]8;;x\u0007 \u009b2J \u202eevil\u2028 e\u0301\u0301\u0301\u0301\u0301\u0301 שלום 漢字';
    const poisoned = JSON.parse(
      JSON.stringify(half)
        .replaceAll('users-machines', JSON.stringify(hostile).slice(1, -1))
        .replaceAll('ALB/ECS', JSON.stringify(hostile).slice(1, -1)),
    ) as Snapshot;
    const said = [{ atMs: 1, text: hostile }];
    const frame = liveFrame(poisoned, at(poisoned, { said, filter: hostile, notice: hostile }), {
      columns: 120,
      rows: 30,
    });
    for (const line of frame.lines) {
      const text = textOf(line);
      expect(text).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/u);
      expect(text).not.toMatch(/\u0301{4}/);
      expect(columnsOf(text)).toBeLessThanOrEqual(120);
      // What is written from right to left is fenced in.
      for (const [run] of text.matchAll(/[\u0590-\u05ff]+/g))
        expect(text).toMatch(new RegExp(`\u200e[^\u200e]*${run}[^\u200e]*\u200e`));
    }
    expect(frameText(frame)).toContain('שלום');
  });
});

describe('before anything was seen', () => {
  const nothing = analysisOf({
    services: [
      serviceOf({
        changes: [],
        phases: [],
        outcome: 'none',
        safeToSwitch: { safe: 'unknown', atNs: null, because: [], besides: [] },
      }),
    ],
    lanes: [laneOf({ slots: slotsOf({ good: 0 }), qualified: false, stretches: [], judgedPart: null, outages: [] })],
    resolvers: [],
  });
  const snapshot: Snapshot = {
    report: toReport(nothing, judge(nothing)),
    picture: emptyPicture,
    nowMs: 700,
    isRunning: true,
  };

  test('it says so, and nothing is green', () => {
    const { lines } = liveFrame(snapshot, at(snapshot), size);
    expect(lines.map(textOf).join('\n')).toMatch(/NO VERDICT YET {2}Nothing was seen yet\.[^]*nothing seen yet/);
    const used = lines.flat().map(({ emphasis }) => emphasis);
    expect(used).not.toContain('good');
    // The legend shows the colours of the sides, and no strip does.
    expect(
      lines.filter((line) =>
        line.some(({ emphasis, text }) => (emphasis === 'new' || emphasis === 'old') && text.length > 1),
      ),
    ).toEqual([]);
  });
});

test('a text of a megabyte is drawn as one that fills the screen', () => {
  const text = 'ünï\u{1f600} '.repeat(150_000);
  expect(span(text).text.length).toBeLessThan(10_000);
  expect(wrap(text, { columns: 40, rows: 3 })).toEqual(wrap(text.slice(0, 3000), { columns: 40, rows: 3 }));
  expect(wrap(text, { columns: 40, rows: 3 }).at(-1)).toMatch(/…$/);
});
