import { expect, test } from 'vitest';
import type { StepAction } from '../../src/core/world.ts';
import { newTrouble } from '../../src/model/trouble.ts';

const cut: Extract<StepAction, { kind: 'cut-off-resolver' }> = { kind: 'cut-off-resolver', resolver: 'vpc', forS: 9 };
const failing = { kind: 'fail-resolver', resolver: 'vpc', how: 'servfail', forS: 3 } as const;
const lost = { kind: 'lose-own-network', forS: 2 } as const;

test('where two faults of one resolver overlap, the end of one leaves the other in force, and the truth says which', () => {
  const trouble = newTrouble();
  const said = [cut, failing].map((step) => {
    trouble.note(step, false);
    return trouble.ofResolver('vpc');
  });
  trouble.note(failing, true);
  said.push(trouble.ofResolver('vpc'));
  expect(trouble.isCutOff('vpc')).toBe(true);
  trouble.note(cut, true);
  said.push(trouble.ofResolver('vpc'));
  expect(said).toEqual(['resolver-cut-off', 'resolver-failing', 'resolver-cut-off', null]);
});

test('two steps that say the same last until both are over', () => {
  const trouble = newTrouble();
  const again = { ...lost };
  trouble.note(lost, false);
  trouble.note(again, false);
  trouble.note(lost, true);
  expect(trouble.isOwnNetworkLost()).toBe(true);
  trouble.note(again, true);
  expect(trouble.isOwnNetworkLost()).toBe(false);
});
