/** A hundred thousand replies of a real server, mutated. `npm run mutate` does millions. */
import { expect, test } from 'vitest';
import { decodeReply, encodeQuery } from '../../src/wire/dns-message.ts';
import { decodeMutated, recorded } from './mutated-replies.ts';

test('the replies as bind9 gave them are all read', () => {
  const read = recorded.map(({ name, type, hex }) => {
    const query = encodeQuery({ id: 0xbeef, name, type, recursionDesired: false });
    const reply = decodeReply(Buffer.from(hex, 'hex'), query);
    if (reply.kind !== 'answered') throw new Error(`${name} ${type}: ${reply.kind}`);
    expect(reply.nsid).toBe('ns-1.fra');
    return `${reply.rcode} ${type} ${[...reply.chain, ...reply.addresses].join(' | ')}`.trimEnd();
  });
  expect(read).toEqual([
    'NOERROR A lb.shop.example | 127.0.1.1 | 127.0.1.2',
    'NOERROR AAAA lb.shop.example | 2001:db8::1:7',
    'NOERROR HTTPS lb.shop.example | 1 . alpn=h2,h3 port=8443 ipv4hint=127.0.1.1,127.0.1.2 ipv6hint=2001:db8::7',
    'NOERROR HTTPS 0 lb.shop.example',
    'NOERROR NS ns.shop.example',
    'NOERROR SOA ns.shop.example hostmaster.shop.example 4711 3600 600 86400 19',
    'NOERROR A shop.cdn.test',
    'NOERROR CNAME lb.shop.example',
    'NXDOMAIN A',
    'NOERROR HTTPS',
    'REFUSED A',
  ]);
});

test(
  '100,000 mutated replies: nothing is thrown, nothing hangs, no lie is taken for an answer',
  { timeout: 60_000 },
  () => {
    const { kinds, wrong, slowestMs } = decodeMutated(100_000, Number(process.env['CUTWATCH_SEED'] ?? 11));
    expect(wrong).toEqual([]);
    expect(slowestMs).toBeLessThan(2000);
    for (const kind of ['answered', 'malformed', 'unrelated', 'truncated'] as const)
      expect(kinds[kind]).toBeGreaterThan(100);
  },
);
