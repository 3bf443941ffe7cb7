import { expect, test } from 'vitest';
import type { Picture } from '../../src/core/picture.ts';
import { metricsOf } from '../../src/live/metrics.ts';
import { prometheusText } from '../../src/live/prometheus-text.ts';
import type { Snapshot } from '../../src/report/snapshot.ts';
import { foundingIncident } from '../report/cases.ts';
import { slotsOf } from '../report/kit.ts';
import { emptyPicture, snapshotOf } from './kit.ts';

function withPicture(picture: Partial<Picture>): Snapshot {
  return snapshotOf(foundingIncident, { picture: { ...emptyPicture, ...picture } });
}

/** The lines of a metric. */
function linesOf(snapshot: Snapshot, name: string): string[] {
  const lines = prometheusText(metricsOf(snapshot, 3)).split('\n');
  return lines.filter((line) => line.startsWith(`cutwatch_${name}{`) || line.startsWith(`cutwatch_${name} `));
}

const { lanes, resolvers } = snapshotOf(foundingIncident).report;
const [[fresh], [resolver]] = [lanes, resolvers];
if (fresh === undefined || resolver === undefined) throw new Error('the case has lanes and a resolver');

test('each probe counts once, by service, client, the side that answered and what became of it', () => {
  const snapshot = withPicture({
    lanes: [
      {
        name: fresh.name,
        runs: [
          [0, 3, 2, 0, 0, 0, 0],
          [3, 1, 1, 0, 1, 3, 1],
          [4, 2, 0, 7, 0, 0, 0],
        ],
        failures: [
          [3, 'connect-refused', 'old', 2],
          [3, '5xx-app', 'new', 1],
        ],
      },
    ],
  });
  const labels = `service="${fresh.service}",client="${fresh.client}"`;
  expect(
    linesOf(snapshot, 'probes_total')
      .filter((line) => !/dropped|blind|blocked/.test(line))
      .toSorted(),
  ).toEqual([
    `cutwatch_probes_total{${labels},side="new",outcome="failed"} 1`,
    `cutwatch_probes_total{${labels},side="new",outcome="good"} 14`,
    `cutwatch_probes_total{${labels},side="old",outcome="failed"} 2`,
    `cutwatch_probes_total{${labels},side="old",outcome="good"} 7`,
    `cutwatch_probes_total{${labels},side="unknown",outcome="good"} 1`,
  ]);
});

test('failed probes are told by what failed, in each kind of client', () => {
  const report = snapshotOf(foundingIncident).report;
  const failedCount = report.lanes
    .filter(({ series }) => series === 'raw')
    .reduce((sum, { slots }) => sum + slots.failed, 0);
  const lines = linesOf(withPicture({}), 'failed_probes_total');
  expect(lines).toContain(
    `cutwatch_failed_probes_total{service="${fresh.service}",client="${fresh.client}",class="connect-refused"} 38`,
  );
  expect(lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)).toBe(failedCount);
});

test('a histogram of response times never promises more than was kept: what lies across a bound counts beyond it', () => {
  const snapshot = withPicture({
    latency: [
      {
        service: 'orders',
        client: 'fresh',
        side: 'new',
        bins: [],
        distribution: [
          [3, 3.3, 11],
          [24, 26, 7],
          [1900, 2000, 3],
          [31_000, 34_000, 1],
        ],
      },
    ],
  });
  const values = (suffix: string): string[] =>
    linesOf(snapshot, `response_time_seconds_${suffix}`).map((line) =>
      line.replace(/^.*?(?:le="([^"]*)")?\} (.*)$/, '$1 $2').trim(),
    );
  expect(values('bucket')).toEqual(
    '0.005 11|0.01 11|0.025 11|0.05 18|0.1 18|0.25 18|0.5 18|1 18|2 21|5 21|10 21|30 21|+Inf 22'.split('|'),
  );
  expect(values('count')).toEqual(['22']);
  expect(Number(values('sum')[0])).toBeCloseTo((11 * 3.15 + 7 * 25 + 3 * 1950 + 32_500) / 1000, 9);
});

test('of states there is a sample for each, and it is one of them; name servers have none', () => {
  const snapshot = withPicture({
    resolvers: [
      {
        name: resolver.name,
        hostname: 'orders.shop.example',
        states: [
          { state: 'old', fromMs: 0, toMs: 700, ttlS: null },
          { state: 'mixed', fromMs: 700, toMs: 900, ttlS: null },
        ],
      },
      { name: '127.0.3.1:53', hostname: 'orders.shop.example', states: [] },
    ],
  });
  expect(linesOf(snapshot, 'verdict')).toEqual([
    'cutwatch_verdict{value="pass"} 0',
    'cutwatch_verdict{value="fail"} 1',
    'cutwatch_verdict{value="inconclusive"} 0',
  ]);
  const states = linesOf(snapshot, 'resolver_state');
  expect(states).toHaveLength(6);
  expect(states.filter((line) => line.endsWith(' 1'))).toEqual([
    `cutwatch_resolver_state{resolver="${resolver.name}",hostname="orders.shop.example",state="mixed"} 1`,
  ]);
});

test('downtime is told by both its bounds, in seconds', () => {
  const [service] = snapshotOf(foundingIncident).report.services;
  const { min = 0, max = 0 } = service?.impact.downtimeMs ?? {};
  expect(min).toBeLessThan(max);
  expect(linesOf(withPicture({}), 'downtime_seconds').slice(0, 2)).toEqual([
    `cutwatch_downtime_seconds{service="${service?.name ?? ''}",bound="min"} ${String(min / 1000)}`,
    `cutwatch_downtime_seconds{service="${service?.name ?? ''}",bound="max"} ${String(max / 1000)}`,
  ]);
});

test('of what was not seen there is no sample, least of all a 0', () => {
  const unseen = foundingIncident.lanes.map((lane) => ({
    ...lane,
    qualified: false,
    slots: slotsOf({ good: 0 }),
    outages: [],
    downtimeMs: { min: 0, max: 0 },
    judgedPart: null,
  }));
  const prober = { ...foundingIncident.prober, dueCount: 0, droppedCount: 0 };
  const snapshot = snapshotOf({ ...foundingIncident, lanes: unseen, prober });
  for (const name of [
    'downtime_seconds',
    'client_downtime_seconds',
    'stale_targets',
    'prober_lateness_p99_seconds',
    'prober_lateness_max_seconds',
  ]) {
    expect([name, linesOf(snapshot, name)]).toEqual([name, []]);
  }
  expect(linesOf(snapshotOf(foundingIncident), 'client_downtime_seconds').length).toBeGreaterThan(0);
  expect(linesOf(snapshotOf(foundingIncident), 'prober_lateness_max_seconds')).toHaveLength(1);
});

test('that no target was stale is said where somebody watched targets', () => {
  const [service = ''] = foundingIncident.services.map(({ name }) => name);
  const targetWatch = [{ service, sides: ['old' as const], gaps: [] }];
  expect(linesOf(snapshotOf({ ...foundingIncident, targetWatch }), 'stale_targets')).toEqual([
    `cutwatch_stale_targets{service="${service}"} 0`,
  ]);
});

test('blind spots that lie over one another are counted once', () => {
  const spot = (fromS: number, toS: number): Snapshot['report']['prober']['blindSpots'][number] => ({
    fromAt: new Date(fromS * 1000).toISOString(),
    toAt: new Date(toS * 1000).toISOString(),
    why: 'stood still',
  });
  const snapshot = snapshotOf(foundingIncident);
  const blindSpots = [spot(20, 27), spot(3, 10), spot(5, 8), spot(9, 11.5)];
  const report = { ...snapshot.report, prober: { ...snapshot.report.prober, blindSpots } };
  expect(linesOf({ ...snapshot, report }, 'blind_seconds_total')).toEqual(['cutwatch_blind_seconds_total 15.5']);
});

test('no label holds an address or a text from elsewhere, and every family has help', () => {
  const families = metricsOf(withPicture({}), 3);
  const names = new Set(families.flatMap(({ samples }) => samples.flatMap(({ labels }) => Object.keys(labels))));
  const known =
    'answer bound class client hostname le mode outcome phase resolver run scenario service severity side state value version';
  expect([...names].filter((name) => !known.split(' ').includes(name))).toEqual([]);
  for (const { name, help, type } of families) {
    expect(help).toMatch(/\.$/);
    expect(name).toMatch(/^cutwatch_[a-z0-9_]+$/);
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
  }
});
