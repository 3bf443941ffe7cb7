import { expect, test } from 'vitest';
import { stepText } from '../../src/model/step-text.ts';

const none = { lossRatio: 0, resetRatio: 0, addedMs: 0 };

test.for([
  { given: { resetRatio: 0.3 }, says: 'resets 30 % of requests for 47 s' },
  { given: { addedMs: 80 }, says: 'adds 80 ms for 47 s' },
  { given: { lossRatio: 0.013, addedMs: 80 }, says: 'loses 1.3 % of requests and adds 80 ms for 47 s' },
  {
    given: { lossRatio: 0.013, resetRatio: 0.3, addedMs: 80 },
    says: 'loses 1.3 % of requests, resets 30 % of requests and adds 80 ms for 47 s',
  },
  { given: {}, says: 'stays as it is for 47 s' },
])('of what a network does, only what it does is told: $says', ({ given, says }) => {
  const step = { kind: 'degrade-network', side: 'new', forS: 47, ...none, ...given } as const;
  expect(stepText(step)).toBe(`the network to the new side ${says}`);
});
