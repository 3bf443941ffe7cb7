import { expect, test } from 'vitest';
import { newNeverFalling } from '../../src/live/never-falling.ts';
import { prometheusText, type Family } from '../../src/live/prometheus-text.ts';

function counter(values: readonly number[]): Family {
  return {
    name: 'probes_total',
    help: 'Probes.',
    type: 'counter',
    samples: values.map((value, i) => ({ labels: { lane: String(i) }, value })),
  };
}

test('whatever a label holds, it is one label of one line', () => {
  const text = prometheusText([
    {
      name: 'a',
      help: 'Two lines,\none \\ backslash, "quotes".',
      type: 'gauge',
      samples: [
        { labels: { name: 'shop"} 1\nup{job="x' }, value: 7.25 },
        { labels: { name: 'a\\b', half: '\ud800' }, value: Infinity },
        { labels: {}, value: Number.NaN },
      ],
    },
    { name: 'empty', help: 'None.', type: 'gauge', samples: [] },
  ]);
  expect(text).toBe(
    [
      String.raw`# HELP a Two lines,\none \\ backslash, "quotes".`,
      '# TYPE a gauge',
      String.raw`a{name="shop\"} 1\nup{job=\"x"} 7.25`,
      String.raw`a{name="a\\b",half="` + '\ufffd"} +Inf',
      'a NaN',
      '',
    ].join('\n'),
  );
});

test('a counter keeps the most that it was, each sample for itself, and a gauge may fall', () => {
  const neverFalling = newNeverFalling();
  const seen = [
    [3, 11],
    [5, 7],
    [4, 13],
  ].map((values) => neverFalling([counter(values)])[0]?.samples.map(({ value }) => value));
  expect(seen).toEqual([
    [3, 11],
    [5, 11],
    [5, 13],
  ]);
  const gauge: Family = { ...counter([3]), type: 'gauge' };
  neverFalling([{ ...counter([9]), type: 'gauge' }]);
  expect(neverFalling([gauge])).toEqual([gauge]);
});
