import { expect, test } from 'vitest';
import type { Cause } from '../../src/core/analysis.ts';
import { matchCauses } from '../../src/truth/match-causes.ts';

test.for([
  { row: 'all true', reported: { tls: 2 }, truth: [['tls'], ['tls']], right: 2, wrong: {}, instead: [] },
  {
    row: 'one is not',
    reported: { tls: 2 },
    truth: [['tls'], ['app-5xx']],
    right: 1,
    wrong: { tls: 1 },
    instead: ['app-5xx'],
  },
  {
    row: 'either will do',
    reported: { 'too-slow': 1, 'kept-connection': 1 },
    truth: [['kept-connection', 'too-slow'], ['kept-connection']],
    right: 2,
    wrong: {},
    instead: [],
  },
  {
    row: 'one that has a choice gives way',
    reported: { 'too-slow': 2, 'kept-connection': 2, 'side-down': 1 },
    truth: [
      ['kept-connection', 'too-slow'],
      ['kept-connection', 'too-slow'],
      ['kept-connection', 'side-down'],
      ['kept-connection', 'side-down'],
      ['too-slow', 'side-down'],
    ],
    right: 5,
    wrong: {},
    instead: [],
  },
  { row: 'nothing is known', reported: { tls: 1 }, truth: [[]], right: 0, wrong: { tls: 1 }, instead: [] },
] as {
  row: string;
  reported: Partial<Record<Cause, number>>;
  truth: Cause[][];
  right: number;
  wrong: object;
  instead: Cause[];
}[])('causes are paired with failures: $row', ({ reported, truth, right, wrong, instead }) => {
  expect(matchCauses(reported, truth)).toMatchObject({ count: truth.length, right, wrong, instead });
});
