import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Agenda } from '../../src/core/agenda.ts';

test('what is left of any plans comes in order of time, and of asking within one instant', () => {
  const plans = fc.array(fc.record({ atNs: fc.integer({ min: 0, max: 30 }), isCancelled: fc.boolean() }));
  fc.assert(
    fc.property(plans, (all) => {
      const agenda = new Agenda();
      const seen: number[] = [];
      const planned = all.map(({ atNs }, i) => agenda.add(atNs, () => seen.push(i)));
      all.forEach(({ isCancelled }, i) => {
        const one = planned[i];
        if (isCancelled && one !== undefined) agenda.remove(one);
      });
      for (let { first } = agenda; first !== undefined; first = agenda.first) {
        agenda.remove(first);
        first.run();
      }
      const expected = all
        .map(({ atNs, isCancelled }, i) => ({ atNs, isCancelled, i }))
        .filter(({ isCancelled }) => !isCancelled)
        .toSorted((a, b) => a.atNs - b.atNs || a.i - b.i);
      expect(seen).toEqual(expected.map(({ i }) => i));
      expect(agenda.isEmpty).toBe(true);
    }),
  );
});

test('a plan that is taken off twice takes nobody else with it', () => {
  const agenda = new Agenda();
  const one = agenda.add(1, () => {});
  const other = agenda.add(2, () => {});
  agenda.remove(one);
  agenda.remove(one);
  expect(agenda.first).toBe(other);
});
