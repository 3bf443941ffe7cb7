import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyMemory, memoryText, parseMemory, remember, type Memory } from '../../src/checks/memory.ts';
import { hostname, memoryOf, nowMs, type Look } from './kit.ts';

/** Server, TTL, first and last look that saw it, and the look that saw it gone, in s relative to now. */
function spells(memory: Memory): readonly string[] {
  const s = (ms: number | null): string => (ms === null ? '…' : String((ms - nowMs) / 1000));
  return (memory.hostnames[hostname] ?? []).map(
    ({ server, ttlS, firstMs, lastMs, endedByMs }) => `${server} ${ttlS} ${s(firstMs)} ${s(lastMs)} ${s(endedByMs)}`,
  );
}

describe('a spell lasts as long as a server serves one TTL', () => {
  test.for<{ name: string; looks: readonly Look[]; expected: readonly string[] }>([
    { name: 'seen once', looks: [{ atS: -7, ttls: { a: 300 } }], expected: ['a 300 -7 -7 …'] },
    {
      name: 'seen again',
      looks: [
        { atS: -7, ttls: { a: 300 } },
        { atS: -3, ttls: { a: 300 } },
      ],
      expected: ['a 300 -7 -3 …'],
    },
    {
      name: 'ends with the look that sees another TTL, not with the last that saw it',
      looks: [
        { atS: -17, ttls: { a: 300 } },
        { atS: -3, ttls: { a: 60 } },
      ],
      expected: ['a 300 -17 -17 -3', 'a 60 -3 -3 …'],
    },
    {
      name: 'a server that does not answer may serve what it did',
      looks: [
        { atS: -17, ttls: { a: 300 } },
        { atS: -3, ttls: { a: null } },
      ],
      expected: ['a 300 -17 -17 …'],
    },
    {
      name: 'a server that is one no more serves nothing',
      looks: [
        { atS: -17, ttls: { a: 300 } },
        { atS: -3, ttls: { b: 60 } },
      ],
      expected: ['a 300 -17 -17 -3', 'b 60 -3 -3 …'],
    },
    {
      name: 'a TTL that comes back is a spell of its own',
      looks: [
        { atS: -17, ttls: { a: 300 } },
        { atS: -11, ttls: { a: 60 } },
        { atS: -3, ttls: { a: 300 } },
      ],
      expected: ['a 300 -17 -17 -11', 'a 60 -11 -11 -3', 'a 300 -3 -3 …'],
    },
  ])('$name', ({ looks, expected }) => {
    expect(spells(memoryOf(looks))).toEqual(expected);
  });
});

test('a look that comes late ends nothing that a later one saw, and begins nothing that it did not', () => {
  const later = [
    { atS: -9, ttls: { a: 300 } },
    { atS: -3, ttls: { a: 60 } },
  ];
  expect(spells(memoryOf([...later, { atS: -5, ttls: { a: 300 } }]))).toEqual(['a 300 -9 -5 -3', 'a 60 -3 -3 …']);
  expect(spells(memoryOf([...later, { atS: -5, ttls: { a: 60 } }]))).toEqual(['a 300 -9 -9 -5', 'a 60 -5 -3 …']);
  expect(spells(memoryOf([...later, { atS: -5, ttls: { a: 90 } }]))).toEqual([
    'a 300 -9 -9 -5',
    'a 90 -5 -5 -3',
    'a 60 -3 -3 …',
  ]);
});

test('however often a TTL changes, the memory stays bounded, and what ends last in caches is kept', () => {
  const looks = Array.from({ length: 700 }, (_, i): Look => ({
    atS: i - 700,
    ttls: { a: i === 3 ? 86_400 : 61 + (i % 2) },
  }));
  const memory = memoryOf(looks);
  expect(memory.hostnames[hostname]?.length).toBe(500);
  expect(spells(memory).some((spell) => spell.startsWith('a 86400 '))).toBe(true);
});

describe('its file', () => {
  const good = memoryOf([{ atS: -7, ttls: { a: 300 } }]);

  test('what is written is read again', () => {
    expect(parseMemory(memoryText(good), 'checks', nowMs)).toEqual(good);
  });

  test.for<{ text: string; why: string }>([
    { text: '', why: 'is torn or no JSON' },
    { text: memoryText(good).slice(0, 60), why: 'is torn or no JSON' },
    { text: '{"name": "cutwatch"}', why: 'is not a memory of preflights' },
    { text: '[]', why: 'is not a memory of preflights' },
    {
      text: memoryText(good).replace('"formatVersion": 1', '"formatVersion": 2'),
      why: 'is of another version of cutwatch',
    },
    { text: memoryText(emptyMemory('other')), why: 'is of another scenario, other' },
    { text: memoryText(good).replace('300', '"300"'), why: 'is damaged' },
    { text: memoryText(good).replace('"ttlS": 300,', ''), why: 'is damaged' },
  ])('is not trusted when it $why: $text', ({ text, why }) => {
    expect(parseMemory(text, 'checks', nowMs)).toBe(why);
  });

  test('is not trusted when it is from the future: then a clock is wrong', () => {
    expect(parseMemory(memoryText(good), 'checks', nowMs - 60_000)).toMatch(/later than now/);
  });

  test('never throws, whatever it holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(typeof parseMemory(text, 'checks', nowMs)).toBe('string');
      }),
    );
  });
});

test('spells of one record on one server follow each other without overlap, in any sequence of looks', () => {
  const look = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom(null, 60, 300, 3600));
  fc.assert(
    fc.property(fc.array(look, { maxLength: 30 }), (looks) => {
      const memory = looks.reduce(
        (before, ttls, i) =>
          remember(before, {
            hostname,
            atMs: nowMs + i * 7000,
            servers: Object.entries(ttls).map(([server, ttlS]) => ({
              server,
              sets: ttlS === null ? null : [{ name: hostname, type: 'A', ttlS }],
            })),
          }),
        emptyMemory('checks'),
      );
      for (const own of Map.groupBy(memory.hostnames[hostname] ?? [], ({ server }) => server).values()) {
        own.forEach((spell, i) => {
          expect(spell.firstMs).toBeLessThanOrEqual(spell.lastMs);
          const next = own[i + 1];
          if (next !== undefined) expect(spell.endedByMs).toBeLessThanOrEqual(next.firstMs);
        });
      }
    }),
  );
});
