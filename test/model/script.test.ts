import { expect, test } from 'vitest';
import { sToNs } from '../../src/core/time.ts';
import type { Step } from '../../src/core/world.ts';
import { newScript } from '../../src/model/script.ts';

const steps: readonly Step[] = [
  { at: { from: 'change', s: 0 }, does: { kind: 'switch-dns', to: 'new', services: null } },
  { at: { from: 'change', s: 2.5 }, does: { kind: 'lose-own-network', forS: 1.5 } },
  { at: { from: 'change', s: 4 }, does: { kind: 'lose-own-network', forS: null } },
  { at: { from: 'start', s: 7 }, does: { kind: 'lower-ttl', ttlS: 5 } },
];

function played(script: ReturnType<typeof newScript>): (readonly [number, number, boolean])[] {
  const seen: (readonly [number, number, boolean])[] = [];
  for (let atNs = script.nextNs(); atNs !== null; atNs = script.nextNs()) {
    for (const step of script.due(atNs)) seen.push([atNs / 1e9, step.index, step.isEnd]);
  }
  return seen;
}

test('before the change only what is timed from the start is due', () => {
  expect(played(newScript(steps, sToNs(3)))).toEqual([[10, 3, false]]);
});

test('from the change on its steps follow in order, and what ends at an instant ends before something else begins', () => {
  const script = newScript(steps, 0);
  script.change(sToNs(20));
  expect(played(script)).toEqual([
    [7, 3, false],
    [20, 0, false],
    [22.5, 1, false],
    [24, 1, true],
    [24, 2, false],
  ]);
});

test('a second change is a bug of the caller', () => {
  const script = newScript(steps, 0);
  script.change(1);
  expect(() => script.change(2)).toThrow('once');
});
