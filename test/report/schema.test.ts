/** `schemas/report.schema.json` is written by hand, so it is held against real reports: all fields, and no field unsaid. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fromJSONSchema } from 'zod';
import type { Analysis } from '../../src/core/analysis.ts';
import { sToNs } from '../../src/core/time.ts';
import { reportJsonText, toReport } from '../../src/report/report-json.ts';
import { judge } from '../../src/verdict/judge.ts';
import { brokenLog, cleanPass, foundingIncident } from './cases.ts';
import { laneOf } from './kit.ts';

type Json = { [key: string]: unknown };
const schema = JSON.parse(readFileSync(new URL('../../schemas/report.schema.json', import.meta.url), 'utf8')) as Json;
const isReport = (value: unknown): boolean =>
  fromJSONSchema(schema as Parameters<typeof fromJSONSchema>[0]).safeParse(value).success;

function jsonOf(analysis: Analysis): Json {
  return JSON.parse(reportJsonText(toReport(analysis, judge(analysis)))) as Json;
}

/** Something in every list, so that nothing is right only because it is empty. */
const full = jsonOf({
  ...foundingIncident,
  services: foundingIncident.services.map((service) => ({
    ...service,
    oldAnswers: {
      untilNs: 1,
      leastS: 80,
      ownCaches: [{ client: 'chrome', s: 60 }],
      keptLongerBy: ['isp'],
      isOpen: true,
    },
    replicas: {
      header: 'x-served-by-pod',
      replicas: [
        {
          name: 'orders-7f9c-1',
          firstAtNs: sToNs(0.3),
          lastAtNs: sToNs(71.3),
          answered: { baseline: 11, switching: 7, tail: 0 },
          failedCount: 1,
        },
      ],
      otherCount: 0,
      namelessCount: 3,
      namelessFailedCount: 3,
    },
  })),
  playbook: [
    {
      type: 'step-checked',
      atNs: sToNs(7.3),
      step: 'jobs-exclusive',
      check: 'jobs-exclusive',
      result: 'unknown',
      isAccepted: true,
      observedAtMs: foundingIncident.startedAtMs + 7001,
      evidence: ['jobs of old: denied'],
    },
  ],
  rollouts: [
    {
      side: 'new',
      name: 'orders',
      fromRevision: '7',
      toRevision: '8',
      notBeforeNs: sToNs(61.1),
      beganAtNs: sToNs(61.7),
      readyAtNs: sToNs(69.3),
      completeAtNs: null,
      state: 'complete',
      reason: '',
      desiredCount: 3,
      replacedCount: 3,
    },
  ],
  marks: [{ atNs: sToNs(61.1), text: 'switch' }],
  lanes: [
    ...foundingIncident.lanes,
    laneOf({
      number: 7,
      bursts: [{ fromAtNs: sToNs(90.3), toAtNs: sToNs(93.3), failedCount: 5, slotCount: 7, statuses: { '503': 5 } }],
      impaired: [
        {
          fromAtNs: sToNs(90.3),
          toAtNs: sToNs(93.3),
          failedCount: 5,
          slotCount: 7,
          failedShare: 5 / 7,
          causes: { 'no-target': 5 },
          classes: { '5xx-alb': 5 },
          failedAddresses: ['127.0.2.9:443'],
        },
      ],
    }),
  ],
  targets: [
    {
      side: 'new',
      group: 'orders-tg',
      target: '10.2.0.1:8080',
      owner: 'orders-7f',
      stretches: [{ state: 'healthy', reason: '', fromAtNs: sToNs(3.1), toAtNs: sToNs(83.3) }],
    },
  ],
  staleTargets: [
    {
      services: ['orders'],
      side: 'new',
      group: 'orders-tg',
      target: '10.2.0.1:8080',
      owner: 'orders-7f',
      fault: 'stale-gone',
      fromAtNs: sToNs(61.7),
      toAtNs: sToNs(83.3),
      isOpenAtEnd: false,
      windowMs: { min: 17_300, max: 21_600 },
      expectedWindowMs: { min: 15_000, max: 35_000 },
      proof: 'P2',
      failedCount: 37,
      check: {
        episode: 0,
        failedCount: 41,
        probeCount: 127,
        expectedRatio: { min: 0.3, max: 0.35 },
        outsideFailedCount: 0,
        outsideProbeCount: 733,
        togetherFailedCount: 37,
      },
      signatures: { S1: 37 },
      text: '10.2.0.1:8080 of orders-tg still got requests',
      evidence: ['seen so'],
    },
  ],
  observers: [
    {
      name: 'route53',
      side: null,
      what: 'records of orders.shop.example',
      hasSeen: true,
      gaps: [{ fromAtNs: sToNs(3.1), toAtNs: sToNs(17.7), why: 'AWS throttles route53:GetChange' }],
    },
  ],
  prober: { ...foundingIncident.prober, blindSpots: [{ fromAtNs: 1, toAtNs: sToNs(1), why: 'stalled' }] },
});

test.for([
  { name: 'clean pass', json: jsonOf(cleanPass) },
  { name: 'broken log', json: jsonOf(brokenLog) },
  { name: 'every list filled', json: full },
])('the schema takes a report: $name', ({ json }) => {
  expect(isReport(json)).toBe(true);
});

/** Paths of all objects' fields, through lists, without the keys of free counts. */
function fieldsOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => fieldsOf(one, `${path}[]`));
  if (value === null || typeof value !== 'object' || /(causes|classes|statuses|signatures|oldAfterChange)$/.test(path))
    return [];
  return Object.entries(value).flatMap(([key, one]) => [`${path}.${key}`, ...fieldsOf(one, `${path}.${key}`)]);
}

function schemaFieldsOf(node: Json, path = ''): string[] {
  const target =
    typeof node['$ref'] === 'string' ? (schema['definitions'] as Record<string, Json>)[node['$ref'].slice(14)] : node;
  const { anyOf, items, properties } = target as { anyOf?: Json[]; items?: Json; properties?: Record<string, Json> };
  return [
    ...(anyOf ?? []).flatMap((one) => schemaFieldsOf(one, path)),
    ...(items === undefined ? [] : schemaFieldsOf(items, `${path}[]`)),
    ...Object.entries(properties ?? {}).flatMap(([key, one]) => [
      `${path}.${key}`,
      ...schemaFieldsOf(one, `${path}.${key}`),
    ]),
  ];
}

test('the schema says every field of a report, and a report has every field of the schema', () => {
  const said = new Set(schemaFieldsOf(schema));
  const had = new Set([...fieldsOf(full), ...fieldsOf(jsonOf(cleanPass))]);
  expect([...had].filter((path) => !said.has(path))).toEqual([]);
  // This version finds nothing for a resolver by itself.
  expect([...said].filter((path) => !had.has(path) && !path.startsWith('.resolvers[].findings[]'))).toEqual([]);
});

describe('the schema refuses', () => {
  test.for<{ claim: string; change: Json }>([
    { claim: 'another version', change: { schemaVersion: 2 } },
    { claim: 'a list that is missing', change: { playbook: undefined } },
    { claim: 'a verdict of another word', change: { verdict: { value: 'passed', reasons: [] } } },
    { claim: 'an instant that is not UTC', change: { marks: [{ at: '2026-11-24T10:00:00.000+01:00', text: '' }] } },
  ])('$claim', ({ change }) => {
    expect(isReport(JSON.parse(JSON.stringify({ ...full, ...change })))).toBe(false);
  });
});
