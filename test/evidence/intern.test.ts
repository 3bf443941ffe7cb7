import { expect, test } from 'vitest';
import { type Definition, definitionCountMax, definitionFirst, definitionOverCap } from '../../src/core/row.ts';
import { newInterner, newRenumberer } from '../../src/evidence/intern.ts';
import { batchOf, sampleRow } from './sample-run.ts';

const error = (number: number, value: string): Definition => ({ kind: 'error', number, value });

/** Rows that use these numbers of errors, and nothing else that is numbered. */
const usingErrors = (...numbers: number[]): ReturnType<typeof batchOf> =>
  batchOf(numbers.map((number, n) => ({ ...sampleRow(n), error: number, address: 0, face: 0, answer: 0 })));

test('the same key gives the same number, from 2 on; each kind counts for itself', () => {
  const interner = newInterner();
  const neverAsked = (): string => {
    throw new Error('a key that is known needs no value');
  };
  expect(interner.define('error', 'a', () => 'A')).toBe(2);
  expect(interner.define('error', 'b', () => 'B')).toBe(3);
  expect(interner.define('address', 'a', () => '127.0.0.1')).toBe(2);
  expect(interner.define('error', 'a', neverAsked)).toBe(2);
  expect(interner.takeNew()).toEqual([
    error(2, 'A'),
    error(3, 'B'),
    { kind: 'address', number: 2, value: '127.0.0.1' },
  ]);
  expect(interner.takeNew()).toEqual([]);
});

test('beyond the cap a value is unknown and counted; what is known stays known', () => {
  const interner = newInterner();
  for (let i = 0; i < definitionCountMax.error; i += 1) interner.define('error', `e${i}`, () => `E${i}`);
  expect(interner.define('error', 'one more', () => 'E')).toBe(1);
  expect(interner.define('error', 'one more', () => 'E')).toBe(1);
  expect(interner.define('error', 'e998', () => 'E')).toBe(1000);
  expect(interner.define('address', 'a', () => 'A')).toBe(2);
  expect(interner.overCapCount).toBe(2);
  expect(interner.takeNew().length).toBe(definitionCountMax.error + 1);
});

test('few values that are very long fill no memory either', () => {
  const interner = newInterner();
  const numbers = Array.from({ length: 5 }, (_, i) => interner.define('error', `${i}`.repeat(2_000_000), () => 'long'));
  expect(numbers).toEqual([2, 3, 4, 5, 1]);
  expect(interner.overCapCount).toBe(1);
});

test('workers that number alike but mean different things are told apart, and what they share is defined once', () => {
  const { renumber } = newRenumberer();
  const first = renumber({ ...usingErrors(2, 3, 0, 1), definitions: [error(2, 'A'), error(3, 'B')], worker: 0 });
  const second = renumber({ ...usingErrors(3, 2, 2, 0), definitions: [error(2, 'C'), error(3, 'A')], worker: 1 });
  const third = renumber({ ...usingErrors(2, 3), worker: 1 });
  expect([...first.columns.error]).toEqual([2, 3, 0, 1]);
  expect(first.definitions).toEqual([error(2, 'A'), error(3, 'B')]);
  expect([...second.columns.error]).toEqual([2, 4, 4, 0]);
  expect(second.definitions).toEqual([error(4, 'C')]);
  expect([...third.columns.error]).toEqual([4, 2]);
  expect(third.definitions).toEqual([]);
});

test('a number that its worker never defined is our mistake', () => {
  const { renumber } = newRenumberer();
  renumber({ ...usingErrors(2), definitions: [error(2, 'A')], worker: 0 });
  expect(() => renumber({ ...usingErrors(2), worker: 1 })).toThrow('worker 1 uses error 2 without defining it');
});

test('what threads define together beyond the cap of the run is unknown, and counted', () => {
  const renumberer = newRenumberer();
  const each = Math.ceil(definitionCountMax.error * 0.6);
  const last = definitionFirst + each - 1;
  const errors = [0, 1].map((worker) => {
    const definitions = Array.from({ length: each }, (_, i) => error(definitionFirst + i, `${worker} ${i}`));
    return renumberer.renumber({ ...usingErrors(last), worker, definitions }).columns.error[0];
  });
  expect(errors).toEqual([last, definitionOverCap]);
  expect(renumberer.overCapCount).toBe(2 * each - definitionCountMax.error);
});
