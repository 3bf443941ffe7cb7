import { expect, test } from 'vitest';
import { traceId, traceOf } from '../../src/core/trace-id.ts';

test.for([
  { lane: 0, slot: 0, part: 0 },
  { lane: 517, slot: 70_001, part: 3 },
  { lane: 0xffff, slot: 0xffff_ffff, part: 0xffff },
])('lane $lane, slot $slot, part $part come back out of the header', ({ lane, slot, part }) => {
  const header = `Self=1-67891234-12456789abcdef012345678;Root=${traceId('c0ffee42', 1_795_500_000, lane, slot, part)}`;
  expect(traceOf(header)).toEqual({ runId: 'c0ffee42', lane, slot, part });
});

test.for(['', 'Root=1-67891234-abcdef012345678912345678x'.slice(0, 20), 'Root=2-67891234-c0ffee42000000000000000'])(
  '"%s" is not one of ours',
  (header) => {
    expect(traceOf(header)).toBe(null);
  },
);
