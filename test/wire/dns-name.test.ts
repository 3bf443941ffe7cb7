import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isAskable, labelText, mixCase, normalName } from '../../src/wire/dns-name.ts';

test.for([
  ['ShOp', 'shop'],
  ['a.b', String.raw`a\.b`],
  ['a\\b', String.raw`a\\b`],
  ['a b', String.raw`a\032b`],
  ['\x00\x7f\xff', String.raw`\000\127\255`],
  ['<b>_', '<b>_'],
] as const)('the label %j reads as %s', ([label, text]) => {
  expect(labelText(Buffer.from(label, 'latin1'))).toBe(text);
});

test.for([
  ['orders.shop.example', true],
  ['orders.shop.example.', true],
  ['_dmarc.shop.example', true],
  ['.', true],
  ['', false],
  ['.example', false],
  ['orders..example', false],
  ['or ders.example', false],
  [String.raw`or\.ders.example`, false],
  ['ördérs.example', false],
  [`${'a'.repeat(63)}.example`, true],
  [`${'a'.repeat(64)}.example`, false],
  [`${'a.'.repeat(126)}a`, true],
  [`${'a.'.repeat(127)}a`, false],
] as const)('%s can be asked for: %s', ([name, isRight]) => {
  expect(isAskable(name)).toBe(isRight);
});

test('only the case is mixed, and every letter may be of either case', () => {
  fc.assert(
    fc.property(fc.domain(), fc.uint8Array({ minLength: 32, maxLength: 32 }), (name, bits) => {
      expect(mixCase(name, bits).toLowerCase()).toBe(name.toLowerCase());
    }),
  );
  expect(mixCase('orders-7.example', new Uint8Array(32).fill(0xff))).toBe('ORDERS-7.EXAMPLE');
  expect(mixCase('orders-7.example', new Uint8Array(32).fill(0x55))).toBe('OrDeRs-7.eXaMpLe');
});

test('a name ends without a dot, the root is one', () => {
  expect(['Shop.Example.', 'shop.example', '.'].map(normalName)).toEqual(['shop.example', 'shop.example', '.']);
});
