import { expect, test } from 'vitest';
import type { ZoneSpec } from '../../src/core/world.ts';
import { newZones } from '../../src/model/zones.ts';

const zoneSpec: Omit<ZoneSpec, 'nameServers'> = {
  record: 'cname',
  ttlS: 60,
  soaTtlS: 900,
  soaMinimumS: 900,
  healthCheck: { intervalS: 30, failureCount: 3 },
};

test.for([
  { names: 'orders.shop.example', name: 'orders.shop.example', apex: 'shop.example' },
  { names: 'api.eu.shop.example', name: 'eu.shop.example', apex: 'shop.example' },
  { names: 'api.eu.shop.example', name: 'shop.example', apex: 'shop.example' },
  { names: 'api.eu.shop.example', name: 'example', apex: null },
  // A name of the world is no top of a zone: an alias may not stand there.
  { names: 'shop.example orders.shop.example', name: 'orders.shop.example', apex: 'example' },
  { names: 'localhost', name: 'localhost', apex: '' },
  { names: 'orders.shop.example', name: 'myshop.example', apex: null },
])('with $names, $name is in the zone $apex', ({ names, name, apex }) => {
  const zone = { ...zoneSpec, nameServers: [] };
  expect(newZones(zone, names.split(' ')).apexOf(name)).toBe(apex);
});

test('a name server with a domain of its own has one name in all zones', () => {
  const nameServers = [{ name: 'ns-1.dns.example', lagS: 0 }];
  const zones = newZones({ ...zoneSpec, nameServers }, ['orders.shop.example', 'orders.other.example']);
  expect(['shop.example', 'other.example'].map((apex) => zones.ns(apex)[0]?.data)).toEqual([
    'ns-1.dns.example',
    'ns-1.dns.example',
  ]);
  expect(zones.apexOf('ns-1.dns.example')).toBe('dns.example');
});
