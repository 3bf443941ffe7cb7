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
  expect(markMeaning(text, { serviceNames: ['orders', 'pay'], via: 'dns' })).toEqual({ kind, services });
});

test.for([
  { text: 'deploy v42', kind: 'change', services: [] },
  { text: 'Rollout of orders', kind: 'change', services: ['orders'] },
  { text: 'roll-out pay', kind: 'change', services: ['pay'] },
  { text: 'release 4.2', kind: 'change', services: [] },
  { text: 'helm upgrade orders', kind: 'change', services: ['orders'] },
  { text: 'rollback to v41', kind: 'rollback', services: [] },
  { text: 'change', kind: 'change', services: [] },
  { text: 'before the deploy', kind: 'note', services: [] },
])('"$text" is a $kind of $services where a deployment is watched', ({ text, kind, services }) => {
  expect(markMeaning(text, { serviceNames: ['orders', 'pay'], via: 'deploy' })).toEqual({ kind, services });
});

test('where names are switched, a deployment that somebody notes is no switch', () => {
  const about = { serviceNames: ['orders'], via: 'dns' } as const;
  expect(markMeaning('deploy v42 of orders', about)).toEqual({ kind: 'note', services: ['orders'] });
});
