/**
 * Every scenario that ships, run to its end, stopped, torn and bare, in everything that people and machines look at: nothing
 * throws, nothing writes a number that is none, and whoever reads one number in two places reads the same.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { renderAs, snapshotOf, type Format } from '../../src/cli/write-reports.ts';
import { durationBoundsText } from '../../src/core/quantity-text.ts';
import { gateAnswer } from '../../src/live/gate.ts';
import { metricsOf } from '../../src/live/metrics.ts';
import { prometheusText } from '../../src/live/prometheus-text.ts';
import type { Charts } from '../../src/report/charts.ts';
import { annotations, outputs, stepSummary } from '../../src/report/github.ts';
import { liveFrame } from '../../src/report/live-frame.ts';
import { firstView } from '../../src/report/live-view.ts';
import { serviceViews } from '../../src/report/service-view.ts';
import type { Report } from '../../src/report/shape.ts';
import type { Snapshot } from '../../src/report/snapshot.ts';
import { summaryText } from '../../src/report/text.ts';
import { verdictWords } from '../../src/report/words.ts';
import { drawFolder } from '../../src/run/run.ts';
import { play, readScenario, scenariosFolder } from './simulated.ts';

vi.setConfig({ testTimeout: 60_000 });

/** The full scale is in test/real/page and in the benchmark. */
const names = readdirSync(scenariosFolder)
  .map((file) => file.replace('.yaml', ''))
  .filter((name) => name !== 'founding-migration-full-scale' && readScenario(name).world !== null);

/** What is left of the files of a run. */
type Left = 'all' | 'torn' | 'journal' | 'first line';

function leave(folder: string, left: Left): void {
  const rows = join(folder, 'probes.arrows');
  const journal = join(folder, 'journal.ndjson');
  // Without the first line, which says what was run, there is no run to read.
  const first = `${readFileSync(journal, 'utf8').split('\n')[0] ?? ''}\n`;
  const cut = (file: string): number => Math.max(Math.floor(statSync(file).size * 0.61), Buffer.byteLength(first));
  if (left === 'torn') for (const file of [rows, journal]) truncateSync(file, cut(file));
  if (left === 'journal' || left === 'first line') rmSync(rows);
  if (left === 'first line') writeFileSync(journal, first);
}

async function snapshotsOf(name: string, lefts: readonly Left[], stopAtS?: number): Promise<Snapshot[]> {
  const snapshots: Snapshot[] = [];
  const look = (folder: string): void => {
    for (const left of lefts) {
      const copy = mkdtempSync(join(tmpdir(), 'cutwatch-views-'));
      try {
        cpSync(folder, copy, { recursive: true });
        leave(copy, left);
        snapshots.push(snapshotOf(drawFolder(copy)));
      } finally {
        rmSync(copy, { recursive: true });
      }
    }
  };
  await play(name, undefined, look, stopAtS);
  return snapshots;
}

interface Shown extends Readonly<Record<Format, string>> {
  readonly summary: string;
  readonly frame: string;
  readonly metrics: string;
  readonly outputs: string;
  readonly annotations: string;
  readonly stepSummary: string;
}

function shown(snapshot: Snapshot): Shown {
  const { report, nowMs } = snapshot;
  const frames = [
    [1, 1],
    [20, 5],
    [80, 24],
    [170, 60],
  ].map(([columns = 0, rows = 0]) =>
    liveFrame(snapshot, { ...firstView, nowMs }, { columns, rows })
      .lines.map((line) => line.map(({ text }) => text).join(''))
      .join('\n'),
  );
  return {
    json: renderAs('json', snapshot),
    md: renderAs('md', snapshot),
    html: renderAs('html', snapshot),
    junit: renderAs('junit', snapshot),
    svg: renderAs('svg', snapshot),
    postmortem: renderAs('postmortem', snapshot),
    summary: summaryText(report, { runPath: 'here' }),
    frame: frames.join('\n'),
    metrics: prometheusText(metricsOf(snapshot, 3)),
    outputs: outputs(report, { exitCode: 4, runPath: 'here', isWritten: true }),
    annotations: annotations(report, 4).join('\n'),
    stepSummary: stepSummary(report),
  };
}

const noNumber = /\bNaN\b|\bundefined\b|(?<!\+)\bInfinity\b|\[object |Invalid Date/;

/** Sums of a metric by some of its labels. */
function sums(metrics: string, name: string, ...labels: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const [, text = '', value] of metrics.matchAll(new RegExp(`^cutwatch_${name}\\{(.*)\\} (.*)$`, 'gm'))) {
    const values = new Map([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', is = '']) => [label, is]));
    const key = labels.map((label) => values.get(label) ?? '').join(' ');
    found.set(key, (found.get(key) ?? 0) + Number(value));
  }
  return found;
}

function expectSameNumbers(snapshot: Snapshot, all: Shown): void {
  const report = JSON.parse(all.json) as Report;
  const { value } = report.verdict;
  const word = verdictWords[value];
  const [, data = '{}'] = /id="charts-data">(.*)<\/script>/.exec(all.html) ?? [];
  const charts = JSON.parse(data) as Charts;

  // ── the verdict, everywhere ──
  expect(all.md).toMatch(new RegExp(`^# ${word}: `));
  expect(all.html).toContain(`<p class="verdict ${value}">${word}</p>`);
  expect(all.svg).toContain(`>${word} · `);
  expect(all.summary).toMatch(new RegExp(`^${word} `));
  expect(all.postmortem).toContain(`\n${word}. `);
  expect(all.outputs).toMatch(new RegExp(`^verdict=${value}$`, 'm'));
  expect(all.annotations).toMatch(new RegExp(`^::(error|notice) title=cutwatch%3A ${word}::`));
  expect(sums(all.metrics, 'verdict', 'value').get(value)).toBe(1);
  const [, tests, failures, skipped] =
    /tests="(\d+)" failures="(\d+)" errors="0" skipped="(\d+)"/.exec(all.junit) ?? [];
  expect(Number(tests)).toBe(all.junit.split('<testcase ').length - 1);
  expect(Number(failures)).toBe(all.junit.split('<failure ').length - 1);
  expect(Number(skipped)).toBe(all.junit.split('<skipped ').length - 1);
  expect(Number(failures) > 0).toBe(value === 'fail');
  if (value === 'inconclusive') expect(Number(skipped)).toBeGreaterThan(0);
  // Whoever asks for the verdict goes on only when it is a pass.
  const { status } = gateAnswer(snapshot, { isSoFar: false, service: null, silentMs: 0, silentMsMax: 1 });
  expect(status).toBe({ pass: 200, fail: 409, inconclusive: 425 }[value]);

  // ── each service: its verdict, and for how long its judged clients were down ──
  const verdicts = sums(all.metrics, 'service_verdict', 'service', 'value');
  const downtimes = sums(all.metrics, 'downtime_seconds', 'service', 'bound');
  for (const view of serviceViews(report)) {
    const { name, verdict, impact } = view.service;
    expect(verdicts.get(`${name} ${verdict}`)).toBe(1);
    expect(charts.services.find((service) => service.name === name)?.verdict).toBe(verdict);
    if (view.judged.length === 0) {
      expect(downtimes.has(`${name} max`)).toBe(false);
      expect(all.md).toMatch(new RegExp(`^\\| ${name} \\|.*\\| none judged \\|`, 'm'));
      expect(all.postmortem).toMatch(new RegExp(`^\\| ${name} \\| none was judged \\|.*\\| not known \\|`, 'm'));
      continue;
    }
    expect(downtimes.get(`${name} min`)).toBeCloseTo(impact.downtimeMs.min / 1000, 9);
    expect(downtimes.get(`${name} max`)).toBeCloseTo(impact.downtimeMs.max / 1000, 9);
    if (!view.hit.some(({ outages }) => outages.length > 0)) continue;
    const bounds = durationBoundsText(impact.downtimeMs);
    expect(all.md).toMatch(new RegExp(`^\\| ${name} \\|.*\\| ${bounds.replaceAll('.', String.raw`\.`)} \\|`, 'm'));
    expect(all.svg).toContain(`>down ${bounds}<`);
    expect(all.postmortem).toContain(`: ${bounds} |`);
    expect(charts.services.find((service) => service.name === name)?.downText).toContain(bounds);
  }
  const judged = serviceViews(report).filter(({ judged: lanes }) => lanes.length > 0);
  const [, leastMs = ''] = /^downtime-ms-min=(.*)$/m.exec(all.outputs) ?? [];
  const [, mostMs = ''] = /^downtime-ms-max=(.*)$/m.exec(all.outputs) ?? [];
  const hull = (of: 'min' | 'max'): number => Math.max(...judged.map(({ service }) => service.impact.downtimeMs[of]));
  expect(leastMs).toBe(judged.length === 0 ? '' : String(Math.floor(hull('min'))));
  const isAnyUnjudged = judged.length < report.services.length || judged.length === 0;
  expect(mostMs).toBe(isAnyUnjudged ? '' : String(Math.ceil(hull('max'))));

  // ── every probe, in report, picture, page and metrics ──
  const outcomes = sums(all.metrics, 'probes_total', 'service', 'client', 'outcome');
  const classes = sums(all.metrics, 'failed_probes_total', 'service', 'client');
  const raw = report.lanes.filter(({ series }) => series === 'raw');
  for (const [key, lanes] of Map.groupBy(raw, ({ service, client }) => `${service} ${client}`)) {
    const sum = (of: 'good' | 'failed'): number => lanes.reduce((total, { slots }) => total + slots[of], 0);
    expect(outcomes.get(`${key} good`) ?? 0).toBe(sum('good'));
    expect(outcomes.get(`${key} failed`) ?? 0).toBe(sum('failed'));
    expect(classes.get(key) ?? 0).toBe(sum('failed'));
  }
  for (const { name, slots } of raw) {
    const lane = charts.lanes.find((one) => one.name === name);
    const count = (of: readonly number[]): number =>
      (lane?.runs ?? []).reduce(
        (total, run) => total + (run[1] as number) * of.reduce((n, i) => n + (run[i] as number), 0),
        0,
      );
    expect([count([2, 3, 4]), count([5])]).toEqual([slots.good, slots.failed]);
    const kinds = (lane?.failures ?? []).reduce((total, [, , , n]) => total + n, 0);
    expect(kinds).toBe(slots.failed);
  }
}

describe.for(names)('%s', (name) => {
  const { baselineS } = readScenario(name).scenario.change;

  test.for([
    { what: 'run to its end', lefts: ['all', 'torn', 'journal', 'first line'] as const, stopAtS: undefined },
    { what: 'stopped at once', lefts: ['all'] as const, stopAtS: 0 },
    { what: 'stopped in the baseline', lefts: ['all', 'torn'] as const, stopAtS: 2.3 },
    { what: 'stopped after the change', lefts: ['all', 'torn'] as const, stopAtS: baselineS + 3.7 },
  ])('$what', async ({ lefts, stopAtS }) => {
    for (const snapshot of await snapshotsOf(name, lefts, stopAtS)) {
      const all = shown(snapshot);
      for (const [where, text] of Object.entries(all)) {
        const said = where === 'html' ? text.replaceAll(/<script>[\s\S]*?<\/script>/g, '') : text;
        expect([where, noNumber.exec(said)?.[0]]).toEqual([where, undefined]);
      }
      if (!snapshot.report.run.isWhole || stopAtS !== undefined) {
        expect(snapshot.report.verdict.value).not.toBe('pass');
      }
      expectSameNumbers(snapshot, all);
    }
  });
});
