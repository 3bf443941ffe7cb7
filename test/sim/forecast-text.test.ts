import { expect, test } from 'vitest';
import type { Forecast } from '../../src/sim/forecast.ts';
import type { Measured } from '../../src/sim/forecast-measured.ts';
import { forecastText } from '../../src/sim/forecast-text.ts';
import { forecastOf } from './forecast-kit.ts';

const given = { populationCount: 20 };

function textOf(
  forecast: Forecast,
  options: { isAscii?: boolean; columns?: number; measured?: Measured } = {},
): string {
  const { isAscii = false, columns = 100, measured = null } = options;
  const all = forecast.services.map(() => measured);
  return forecastText(forecast, { measured: all, isAscii, columns, plain: (name) => name, style: (text) => text });
}

test('says how long to keep the side, who stays, and what it assumes', () => {
  const text = textOf(forecastOf({ clients: '{ fresh: 70, jvm-forever: 30 }', given }), { columns: 400 });
  expect(text).toMatch(
    /Keep ALB\/ECS at least 6\d\.?\d? s after the switch: by then 99 % of the users who leave by themselves/,
  );
  expect(text).toMatch(
    /30 % of the users \(jvm-forever\) are still there .* restart or mend them before ALB\/ECS goes/,
  );
  expect(text).toContain('the scenario says');
  expect(text).toContain('Bhowmick');
  expect(text).toMatch(/jvm-forever +30 % +never +never +never +never +100 % +never asks again/);
});

test('users who only hold a connection are told from those whom DNS leads there', () => {
  const text = textOf(forecastOf({ clients: '[fresh, keep-alive]', given }), { columns: 400 });
  expect(text).toMatch(/DNS leads 99 % of them elsewhere after 6\d/);
  expect(text).toContain('counted as equally common');
});

test('removal is told up to where it hits nobody more, and no further', () => {
  const rows = textOf(forecastOf({ clients: '[fresh]', given }))
    .split('\n')
    .filter((line) => /^ {2}(at once|\d.* s|\d+ min) {3}/.test(line) && !line.includes('█'));
  expect(rows.map((row) => row.trim().split(/ {3,}/)[0])).toEqual(['at once', '60 s', '120 s']);
  expect(rows[2]).toMatch(/ 0 % +0 s$/);
});

test('the bars fall as users leave', () => {
  const bars = textOf(forecastOf({ clients: '[fresh]', given })).match(/█+/g) ?? [];
  const lengths = bars.map((bar) => bar.length);
  expect(lengths[0]).toBe(40);
  expect(lengths.toSorted((a, b) => b - a)).toEqual(lengths);
});

test('names that are never led away: nothing is said of when they were', () => {
  const script = 'script: [{ afterChangeS: 0, do: switch-dns, to: new }, { afterChangeS: 9, do: switch-dns, to: old }]';
  const text = textOf(forecastOf({ clients: '[fresh]', world: `{ ${script} }`, given }));
  expect(text).toContain('nothing leads its users away for good');
  expect(text).not.toContain('is removed');
});

test('in ASCII there is nothing else, and no line is longer than asked for but those of tables', () => {
  const text = textOf(forecastOf({ clients: '[fresh]', given }), { isAscii: true, columns: 60 });
  expect(text).toMatch(/^[\n -~]+$/);
  expect(text).toContain('########################################  100 %');
  const prose = text.slice(text.indexOf('Assumed')).split('\n');
  expect(Math.max(...prose.map((line) => line.length))).toBeLessThanOrEqual(60);
});

test('what was measured stands beside what was expected', () => {
  const measured: Measured = {
    runId: '0badcafe',
    watchedS: 50,
    clients: [{ client: 'fresh', laneCount: 2, lastS: { min: 12, max: 41.5 }, stayedCount: 0 }],
    curve: [
      { atS: 0, ratio: 1 },
      { atS: 40, ratio: 0.5 },
    ],
  };
  const text = textOf(forecastOf({ clients: '[fresh, jvm-forever]', given }), { measured });
  expect(text).toMatch(/fresh .* 12 s to 41\.5 s/);
  expect(text).toMatch(/^ +20 s .* measured 75 %$/m);
  expect(text).not.toMatch(/^ +45 s .* measured/m);
});
