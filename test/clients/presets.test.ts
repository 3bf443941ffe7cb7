import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { presets } from '../../src/clients/presets.ts';
import { newResolveCache, type HeldAnswer } from '../../src/clients/resolve-cache.ts';
import { authorityClient, type Archetype } from '../../src/core/scenario.ts';
import { nsToS, sToNs } from '../../src/core/time.ts';

const named = (name: string): Archetype => {
  const preset = presets[name];
  if (preset === undefined) throw new Error(`no preset ${name}`);
  return preset;
};

test('all archetypes of the domain are there', () => {
  const names =
    'authority fresh ttl-honest keep-alive go-busy node-default undici-dns dotnet-factory grpc websocket jvm-30 ' +
    'jvm-forever chrome firefox nginx-static envoy-dns k8s-pod vpc isp-clamp-60 isp-clamp-120 isp-clamp-300 isp-clamp-600 isp-clamp-3600 ' +
    'stale-resolver pinned-ip';
  expect(Object.keys(presets).toSorted()).toEqual(names.split(' ').toSorted());
});

test('every preset says whom it stands for; those that fail for ever by construction are not judged, nor is who stands for nobody', () => {
  for (const [name, preset] of Object.entries(presets)) {
    const { kind } = preset.resolve;
    expect(preset.standsFor, name).not.toBe('');
    expect(preset.judged, name).toBe(kind !== 'once' && kind !== 'pinned' && name !== authorityClient);
  }
});

test('the table of docs/clients.md has every one of them', () => {
  const text = readFileSync(new URL('../../docs/clients.md', import.meta.url), 'utf8');
  for (const [name, { judged }] of Object.entries(presets)) {
    const row = text
      .split('\n')
      .find((line) => line.startsWith('|') && line.includes(`\`${name.replace(/^(isp-clamp)-.*/, '$1-60')}\``));
    expect(row?.trimEnd().split('|').at(-2)?.trim(), name).toBe(judged ? 'yes' : 'no');
  }
});

test('presets are as they were after they have been in a log', () => {
  expect(JSON.parse(JSON.stringify(presets))).toEqual(presets);
});

/**
 * The record is `old` until 100 s and has that TTL; whoever asks gets it with its whole TTL. One request every 0.7 s from
 * 1 s on, each on a connection of its own; the last one at which the client still used the old address.
 */
describe('how long a client is led to the side that is left', () => {
  test.for([
    { client: 'fresh', ttlS: 20, lastOldS: 99.7 },
    { client: 'ttl-honest', ttlS: 20, lastOldS: 101.8 },
    { client: 'undici-dns', ttlS: 20, lastOldS: 105.3 },
    { client: 'jvm-30', ttlS: 20, lastOldS: 120.7 },
    { client: 'jvm-30', ttlS: 200, lastOldS: 120.7 },
    { client: 'chrome', ttlS: 20, lastOldS: 120.7 },
    // At 61.2 s it used the expired answer and asked; what it got it uses until 121.2 s, and once more.
    { client: 'firefox', ttlS: 20, lastOldS: 121.4 },
    { client: 'envoy-dns', ttlS: 20, lastOldS: 101.8 },
    { client: 'k8s-pod', ttlS: 2, lastOldS: 101.1 },
    { client: 'k8s-pod', ttlS: 20, lastOldS: 101.8 },
    { client: 'k8s-pod', ttlS: 3600, lastOldS: 120.7 },
    { client: 'vpc', ttlS: 20, lastOldS: 101.8 },
    { client: 'vpc', ttlS: 3600, lastOldS: 300.6 },
    { client: 'isp-clamp-60', ttlS: 20, lastOldS: 120.7 },
    { client: 'isp-clamp-120', ttlS: 20, lastOldS: 120.7 },
    { client: 'isp-clamp-300', ttlS: 20, lastOldS: 300.6 },
    { client: 'isp-clamp-600', ttlS: 20, lastOldS: 600.9 },
    { client: 'isp-clamp-3600', ttlS: 20, lastOldS: 3600.4 },
    { client: 'stale-resolver', ttlS: 20, lastOldS: 102.5 },
    { client: 'jvm-forever', ttlS: 20, lastOldS: null },
    { client: 'nginx-static', ttlS: 20, lastOldS: null },
  ])('$client with TTL $ttlS until $lastOldS', ({ client, ttlS, lastOldS }) => {
    const cache = newResolveCache(named(client).resolve);
    const answerAt = (s: number): HeldAnswer => ({
      answer: 2,
      addresses: [s < 100 ? 'old' : 'new'],
      ttlS,
      receivedAtNs: sToNs(s),
    });
    let [lastOldNs, requestNs] = [0, 0];
    for (let n = 0; n < 8000; n += 1) {
      requestNs = sToNs(1) + n * sToNs(0.7);
      const decision = cache.decide(requestNs);
      const asked = answerAt(nsToS(requestNs));
      if (decision.kind !== 'use') cache.learn(asked);
      const held = decision.kind === 'ask' || decision.kind === 'fail' ? asked : decision.held;
      if (held.addresses[0] === 'old') lastOldNs = requestNs;
    }
    expect(lastOldNs === requestNs ? null : nsToS(lastOldNs)).toBe(lastOldS);
  });
});
