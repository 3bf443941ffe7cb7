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
  expect(text.split('\n')[2]).toMatch(/^ {2}Keep ALB\/ECS for 67 s after the switch\.$/);
  expect(text).toMatch(/30 % of the users \(jvm-forever\) never ask DNS again: .* Restart or mend them first/);
  expect(text).toContain('the scenario says');
  expect(text).toContain('Bhowmick');
  expect(text).toMatch(/jvm-forever +30 % +never +never +never +never +100 % +never asks again/);
});

test('two instants: until when removal takes users down, until when it breaks their connections; and the table agrees', () => {
  const text = textOf(forecastOf({ clients: '[fresh, keep-alive]', given }), { columns: 400 });
  const [, , recommended, down, broken] = text.split('\n');
  expect(recommended).toMatch(/^ {2}Keep ALB\/ECS for 6\d min \d+ s after the switch; 67 s is the very least\.$/);
  expect(down).toMatch(/^ {2}Before 67 s DNS still leads users there: if ALB\/ECS goes, they are down/);
  expect(broken).toMatch(
    /^ {2}From 67 s to 6\d min \d+ s users are there only over connections they keep, 49 % .* one request fails/,
  );
  expect(text).toMatch(/after +connections that break +led there then +down on average\n/);
  expect(text).toMatch(/^ {2}67 s +49 % +0 % +0 s$/m);
  expect(text).toContain('counted as equally common');
});

test('what a horizon hides is after it, and neither never nor for ever', () => {
  const clients = '{ keep-alive: 70, jvm-forever: 30 }';
  const text = textOf(forecastOf({ clients, given: { ...given, horizonS: 100 } }), { columns: 400 });
  expect(text).toMatch(/client +users +50 % left +90 % left +99 % left +last +there at 100 s +stay +held last by/);
  expect(text).toMatch(/keep-alive +70 % +> 100 s +> 100 s +> 100 s +> 100 s +9[6-9](\.\d)? % +0 % +kept connection/);
  expect(text).toMatch(/jvm-forever +30 % +never +never +never +never +0 % +100 % +never asks again/);
  expect(text).toMatch(
    /Keep ALB\/ECS for longer than 100 s after the switch; 67 s is the very least\. A longer --horizon-s/,
  );
  expect(text).toMatch(/30 % of the users \(jvm-forever\) never ask/);
  expect(text).not.toMatch(/^ +120 s /m);
});

test('a horizon at which DNS still leads users there gives no instant of removal', () => {
  const found = forecastOf({ clients: '[fresh]', given: { ...given, horizonS: 29 } });
  const text = textOf(found, { columns: 400 });
  expect(text).toMatch(/Keep ALB\/ECS for longer than 29 s after the switch: DNS still leads users there then\./);
  expect(text).not.toContain('very least');
  // Whoever is down when the forecast ends is down until his cache ends all the same.
  expect(text).not.toContain('for ever');
  expect(found.services[0]?.removals[0]?.downS.mean).toBeCloseTo(67 / 2, -1);
});

test('services that differ say by what', () => {
  const found = forecastOf({
    clients: '[fresh]',
    services: `
  - { name: orders, url: https://orders.shop.example/ready, resolvers: [quick] }
  - { name: billing, url: https://billing.shop.example/ready, resolvers: [slow] }
  - { name: search, url: https://search.shop.example/ready, resolvers: [other, quick] }`,
    resolvers:
      "[{ name: quick, address: '10.0.0.2:53' }, { name: slow, address: '10.0.0.3:53' }, { name: other, address: '10.0.0.4:53' }]",
    world: '{ resolvers: { slow: { minTtlS: 600 } } }',
    given,
  });
  expect(
    textOf(found)
      .split('\n')
      .filter((line) => /^(orders|billing)/.test(line)),
  ).toEqual(['orders, search: behind quick and other', 'billing: behind slow']);
});

test('removal is told up to where it hits nobody more, and no further', () => {
  const rows = textOf(forecastOf({ clients: '[fresh]', given }))
    .split('\n')
    .filter((line) => /^ {2}(at once|\d.* s|\d+ min) {3}/.test(line) && !line.includes('█'));
  expect(rows.map((row) => row.trim().split(/ {3,}/)[0])).toEqual(['at once', '60 s', '67 s']);
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
  expect(text).toContain('Keep ALB/ECS: in the end names lead users there still, or again');
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
