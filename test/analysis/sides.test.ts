import { expect, test } from 'vitest';
import { addressKey, isInNetwork, parseAddress } from '../../src/analysis/address.ts';
import type { Face } from '../../src/core/row.ts';
import type { SideAddress, SideSeen } from '../../src/core/scenario.ts';
import { laneAnalysisOf, newAddress, oldAddress, sideAnswered } from './kit.ts';

test.for([
  ['::1', '0:0:0:0:0:0:0:1', true],
  ['2001:DB8::A', '2001:db8:0:0::a', true],
  ['::ffff:10.0.0.7', '10.0.0.7', true],
  ['fe80::1%eth0', 'fe80::1', true],
  ['10.0.0.7', '10.0.0.8', false],
  ['::10.0.0.7', '10.0.0.7', false],
] as [string, string, boolean][])('%s and %s are one address: %s', ([a, b, isSame]) => {
  expect(addressKey(a) === addressKey(b)).toBe(isSame);
});

test.for([
  '10.0.0',
  '10.0.0.256',
  '1::2::3',
  '12345::',
  ':::',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7',
  'shop.example',
  '',
])('%s is no address', (text) => {
  expect(parseAddress(text)).toBeNull();
});

test.for([
  ['10.1.0.0/16', '10.1.255.255', true],
  ['10.1.0.0/16', '10.2.0.0', false],
  ['0.0.0.0/0', '255.255.255.255', true],
  ['10.0.0.7/32', '10.0.0.7', true],
  ['10.0.0.7/32', '10.0.0.6', false],
  ['2001:db8::/33', '2001:db8:7fff::1', true],
  ['2001:db8::/33', '2001:db8:8000::1', false],
  ['10.0.0.0/8', '::a00:1', false],
] as [string, string, boolean][])('%s holds %s: %s', ([cidr, address, isIn]) => {
  const parsed = parseAddress(address);
  expect(parsed !== null && isInNetwork(cidr, parsed)).toBe(isIn);
});

const plainFace: Face = { certificateSha256: '', alpn: '', tlsVersion: '', headers: [], unexpectedBody: '' };

/** Whom does one good slot at this address with this face belong to? */
function sideOf(address: string, face: Partial<Face>, given: { old: SideAddress[]; new: SideAddress[] }): SideSeen {
  const lane = laneAnalysisOf(
    { slots: '.', at: '0', rows: () => ({ face: 9 }) },
    {
      addresses: [address],
      definitions: [{ kind: 'face', number: 9, value: { ...plainFace, ...face } }],
      entries: [
        sideAnswered(0, 'old', ['10.0.9.1']),
        sideAnswered(5, 'old', ['10.0.9.2']),
        sideAnswered(0, 'new', ['10.0.8.1']),
      ],
      scenario: (scenario) => ({
        ...scenario,
        sides: {
          old: { ...scenario.sides.old, addresses: given.old, certificateSha256: ['aa', 'cc'] },
          new: { ...scenario.sides.new, addresses: given.new, certificateSha256: ['bb', 'cc'] },
        },
      }),
    },
  );
  return (['old', 'new', 'unknown', 'conflict'] as const).find((side) => lane.sides[side] === 1) ?? 'unknown';
}

const byName: { old: SideAddress[]; new: SideAddress[] } = {
  old: [{ kind: 'name', name: 'old.elb.example' }],
  new: [{ kind: 'name', name: 'new.elb.example' }],
};

test.for([
  { why: 'an address that the side’s name has', address: '10.0.9.1', face: {}, side: 'old' },
  { why: 'one that it got later', address: '10.0.9.2', face: {}, side: 'old' },
  { why: 'one that nobody named', address: '10.0.7.1', face: {}, side: 'unknown' },
  { why: 'a marker', address: '10.0.7.1', face: { headers: [['x-served-by', 'eks']] }, side: 'new' },
  {
    why: 'a marker of another value',
    address: '10.0.7.1',
    face: { headers: [['x-served-by', 'eks2']] },
    side: 'unknown',
  },
  { why: 'a certificate', address: '10.0.7.1', face: { certificateSha256: 'bb' }, side: 'new' },
  {
    why: 'a certificate that both sides have',
    address: '10.0.7.1',
    face: { certificateSha256: 'cc' },
    side: 'unknown',
  },
  { why: 'address and certificate that agree', address: '10.0.9.1', face: { certificateSha256: 'aa' }, side: 'old' },
  {
    why: 'address and certificate that do not',
    address: '10.0.9.1',
    face: { certificateSha256: 'bb' },
    side: 'conflict',
  },
  { why: 'other headers do not decide', address: '10.0.9.1', face: { headers: [['server', 'nginx']] }, side: 'old' },
] as { why: string; address: string; face: Partial<Face>; side: SideSeen }[])(
  '$why: $side',
  ({ address, face, side }) => {
    expect(sideOf(address, face, byName)).toBe(side);
  },
);

test('an address that was ever in both sides’ sets has no vote, and a marker still has', () => {
  const shared: typeof byName = {
    old: [{ kind: 'address', address: '10.0.5.5' }],
    new: [{ kind: 'network', cidr: '10.0.5.0/24' }],
  };
  expect(sideOf('10.0.5.5', {}, shared)).toBe('unknown');
  expect(sideOf('10.0.5.6', {}, shared)).toBe('new');
  expect(sideOf('10.0.5.5', { headers: [['x-served-by', 'ecs']] }, shared)).toBe('old');
});

test('a failure before any answer belongs to the side of the address that was tried; one without an address to none', () => {
  const lane = laneAnalysisOf({ slots: '.xd', at: 'onn' });
  expect(lane.sides).toEqual({ old: 1, new: 1, unknown: 0, conflict: 0 });
  expect(lane.byAddress).toEqual([
    { address: oldAddress, side: 'old', slots: 1, failed: 0 },
    { address: newAddress, side: 'new', slots: 1, failed: 1 },
  ]);
});

test('what is over the cap of definitions has no vote', () => {
  expect(laneAnalysisOf({ slots: '.', rows: () => ({ address: 1, face: 1 }) }).sides.unknown).toBe(1);
});
