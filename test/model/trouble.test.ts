import { expect, test } from 'vitest';
import type { StepAction } from '../../src/core/world.ts';
import { newTrouble } from '../../src/model/trouble.ts';

const cut: Extract<StepAction, { kind: 'cut-off-resolver' }> = { kind: 'cut-off-resolver', resolver: 'vpc', forS: 9 };
const failing = { kind: 'fail-resolver', resolver: 'vpc', how: 'servfail', forS: 3 } as const;
const lost = { kind: 'lose-own-network', forS: 2 } as const;

test('who asks a platform is told nothing while its API fails, or while our own network is lost', () => {
  const trouble = newTrouble();
  const fails = { kind: 'fail-platform-api', side: 'new', api: 'aws', forS: null } as const;
  const down = (): unknown[] =>
    (['old', 'new'] as const).flatMap((side) =>
      (['aws', 'kubernetes'] as const).flatMap((api) => (trouble.isApiDown(side, api) ? [`${side} ${api}`] : [])),
    );
  trouble.note(fails, false);
  expect(down()).toEqual(['new aws']);
  trouble.note({ ...fails, api: null }, false);
  expect(down()).toEqual(['new aws', 'new kubernetes']);
  trouble.note(lost, false);
  expect(down()).toHaveLength(4);
});

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
