import { expect, test } from 'vitest';
import { markMeaning } from '../../src/core/mark-meaning.ts';

test.for([
  { text: 'switch orders', kind: 'change', services: ['orders'] },
  { text: ' Cutover: all', kind: 'change', services: [] },
  { text: 'rollback pay, orders', kind: 'rollback', services: ['orders', 'pay'] },
  { text: 'switch payments', kind: 'change', services: [] },
  { text: 'switch pay-v2 and pay', kind: 'change', services: ['pay'] },
  { text: 'cron jobs off for orders', kind: 'note', services: ['orders'] },
])('"$text" is a $kind of $services', ({ text, kind, services }) => {
  expect(markMeaning(text, ['orders', 'pay'])).toEqual({ kind, services });
});
