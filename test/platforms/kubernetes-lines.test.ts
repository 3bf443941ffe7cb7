import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lineBytesMax, newLineCutter } from '../../src/platforms/kubernetes-lines.ts';

function cut(chunks: readonly Uint8Array[]): readonly string[] {
  const cutter = newLineCutter();
  return chunks.flatMap((chunk) => cutter.cut(chunk));
}

test('wherever the bytes are cut, the lines are the same, and none is empty', () => {
  const text = '{"a":"zwölf €"}\n\n{"b":"🦆"}\r\n{"c":1}\n{"rest"';
  const bytes = Buffer.from(text);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
      const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const chunks = edges.slice(1).map((to, i) => bytes.subarray(edges[i], to));
      expect(cut(chunks)).toEqual(['{"a":"zwölf €"}', '{"b":"🦆"}', '{"c":1}']);
    }),
  );
});

test('whether the stream ends within a line is known', () => {
  const cutter = newLineCutter();
  expect(cutter.isWithin).toBe(false);
  cutter.cut(Buffer.from('{"a"'));
  expect(cutter.isWithin).toBe(true);
  cutter.cut(Buffer.from(':1}\n'));
  expect(cutter.isWithin).toBe(false);
});

test('bytes that are no text are a line as any other', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const lines = cut([bytes, Buffer.from('\n{}\n')]);
      expect(lines.at(-1)).toBe('{}');
    }),
  );
});

test('a line without end is refused before it fills the memory', () => {
  const chunk = new Uint8Array(1024 * 1024).fill(0x61);
  const cutter = newLineCutter();
  const most = lineBytesMax / chunk.length;
  for (let i = 0; i < most; i += 1) cutter.cut(chunk);
  expect(() => cutter.cut(chunk)).toThrow(RangeError);
});
