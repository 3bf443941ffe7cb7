import { SocketAddress } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressText } from '../../src/wire/address-text.ts';

test.for([
  ['7f000001', '127.0.0.1'],
  ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
  ['20010db8000100010001000100010000', '2001:db8:1:1:1:1:1:0'],
  ['00000000000000000000000000000000', '::'],
  ['00000000000000000000000000000001', '::1'],
  ['fe800000000000000000000000000000', 'fe80::'],
  ['00000000000000000000ffff0a00000d', '::ffff:10.0.0.13'],
] as const)('%s reads %s', ([hex, text]) => {
  expect(addressText(Buffer.from(hex, 'hex'))).toBe(text);
});

test('an IPv6 address reads as the operating system writes it', () => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      // Six zero groups first are an old form (`::10.0.0.13`) that RFC 5952 leaves out and some systems write.
      fc.pre(groups.slice(0, 6).some((value) => value !== 0));
      const full = groups.map((value) => value.toString(16).padStart(4, '0'));
      const { address } = new SocketAddress({ address: full.join(':'), family: 'ipv6' });
      expect(addressText(Buffer.from(full.join(''), 'hex'))).toBe(address);
    }),
  );
});
