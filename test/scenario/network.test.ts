import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  canonicalAddress,
  isHostname,
  overlap,
  parseAddressAndPort,
  parseNetwork,
} from '../../src/scenario/network.ts';

test.for([
  ['10.0.0.2', '10.0.0.2', 53],
  ['10.0.0.2:5353', '10.0.0.2', 5353],
  ['FD00:0::2', 'fd00::2', 53],
  ['[fd00::2]', 'fd00::2', 53],
  ['[fd00::2]:5353', 'fd00::2', 5353],
] as const)('%s is an address and a port', ([text, address, port]) => {
  expect(parseAddressAndPort(text, 53)).toEqual({ address, port });
});

test.for([
  '',
  'dns.example',
  '10.0.0',
  '10.0.0.256',
  '10.0.0.2:',
  '10.0.0.2:0',
  '10.0.0.2:65536',
  '[fd00::2',
  'fd00::2::3',
])('"%s" is none', (text) => {
  expect(parseAddressAndPort(text, 53)).toBeNull();
});

test.for([
  ['10.0.0.0/16', '10.0.7.3', true],
  ['10.0.0.0/16', '10.1.0.0', false],
  ['10.0.0.0/9', '10.127.255.255', true],
  ['10.0.0.0/9', '10.128.0.0', false],
  ['0.0.0.0/0', '255.1.2.3', true],
  ['0.0.0.0/0', 'fd00::1', false],
  ['fd00::/7', 'fdff::1', true],
  ['fd00::/65', 'fd00::8000:0:0:1', false],
  ['::1', '0:0:0:0:0:0:0:1', true],
] as const)('%s and %s overlap: %s', ([a, b, isShared]) => {
  const networks = [parseNetwork(a), parseNetwork(b)];
  const [networkA, networkB] = networks;
  expect(networks).not.toContain(null);
  if (!networkA || !networkB) return;
  expect([overlap(networkA, networkB), overlap(networkB, networkA)]).toEqual([isShared, isShared]);
});

test('however an IPv6 address is written, it is one text', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 0, 0, 1, 0xab, 0xffff), { minLength: 8, maxLength: 8 }), (groups) => {
      const long = groups.map((group) => group.toString(16).toUpperCase().padStart(4, '0')).join(':');
      const short = canonicalAddress(long);
      expect(short).toBe(canonicalAddress(short));
      expect(parseNetwork(short)?.bits).toBe(BigInt(`0x${long.replaceAll(':', '')}`));
    }),
  );
});

test.for([
  ['orders.example', true],
  ['localhost', true],
  ['_dmarc.example.', true],
  ['xn--bcher-kva.example', true],
  ['a..b', false],
  ['-a.example', false],
  ['a b', false],
  ['10.0.0.1', false],
  [`${'a'.repeat(64)}.example`, false],
  [`${'abcdefg.'.repeat(32)}example`, false],
] as const)('%s is a host name: %s', ([text, isName]) => {
  expect(isHostname(text)).toBe(isName);
});
