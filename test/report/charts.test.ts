/** What the page draws is what the report says: the same lanes, lengths and instants. */
import { beforeAll, expect, test } from 'vitest';
import { snapshotOf } from '../../src/cli/write-reports.ts';
import { durationBoundsText } from '../../src/core/quantity-text.ts';
import { chartsOf, type Charts } from '../../src/report/charts.ts';
import type { Report } from '../../src/report/shape.ts';
import type { Snapshot } from '../../src/report/snapshot.ts';
import { play } from '../scenarios/simulated.ts';

let snapshot: Snapshot;
let report: Report;
let charts: Charts;
beforeAll(async () => {
  snapshot = snapshotOf(await play('founding-migration'));
  report = snapshot.report;
  charts = chartsOf(snapshot);
});

test('each lane is drawn once, with as many failed probes as the report counts', () => {
  const raw = report.lanes.filter(({ series }) => series === 'raw');
  expect(charts.lanes.map(({ name }) => name)).toEqual(raw.map(({ name }) => name));
  const failedOf = ({ runs }: Charts['lanes'][number]): number =>
    runs.reduce((sum, [, binCount, , , , failedCount]) => sum + binCount * failedCount, 0);
  expect(charts.lanes.map(failedOf)).toEqual(raw.map(({ slots }) => slots.failed));
  expect(raw.some(({ slots }) => slots.failed > 0)).toBe(true);
});

test('lengths beside the strips are those of the verdict', () => {
  const down = report.lanes.filter(({ judged, judgedPart }) => judged && (judgedPart?.downtimeMs.max ?? 0) > 0);
  expect(down.length).toBe(6);
  for (const { name, judgedPart } of down) {
    const drawn = charts.lanes.find((lane) => lane.name === name);
    expect(drawn?.downText).toBe(durationBoundsText(judgedPart?.downtimeMs ?? { min: 0, max: 0 }));
  }
});

test('time zero is the change, and events stand where the report has them', () => {
  const [service] = report.services;
  const at = (instant: string | null | undefined): number => Date.parse(instant ?? '') - charts.startedAtMs;
  expect(charts.services[0]?.changedAtMs).toBe(at(service?.changes[0]?.usedAt));
  expect(charts.events.find(({ kind }) => kind === 'authority')?.fromMs).toBe(at(service?.changes[0]?.authorityLastAt));
  expect(charts.events.map(({ fromMs }) => fromMs)).toEqual(
    charts.events.map(({ fromMs }) => fromMs).toSorted((a, b) => a - b),
  );
});

test('a residual curve has the shares of the report, and a lane of several checks the path that people know', () => {
  const [curve] = charts.residual;
  const [point] = report.services[0]?.residual[0]?.points ?? [];
  expect(curve?.points[0]?.slice(0, 2)).toEqual([point?.afterMs, point?.untilMs]);
  expect(curve?.points[0]?.[2]).toBe(1);
  const [service] = report.services as [Report['services'][number]];
  const [check] = service.checks as [Report['services'][number]['checks'][number]];
  const two = [check, { ...check, name: 'orders/2', url: 'https://orders.shop.example/api/v1/ping' }];
  const [lane] = chartsOf({
    ...snapshot,
    report: {
      ...report,
      services: [{ ...service, checks: two }],
      lanes: report.lanes.slice(0, 1).map((one) => ({ ...one, check: 'orders/2', name: 'orders/2 fresh via office' })),
    },
    picture: { ...snapshot.picture, lanes: [{ name: 'orders/2 fresh via office', runs: [], failures: [] }] },
  }).lanes;
  expect(lane?.shortName).toBe('/api/v1/ping fresh via office');
});
