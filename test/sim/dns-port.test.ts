import { describe, expect, test } from 'vitest';
import type { DnsReply, DnsQuestion } from '../../src/core/ports.ts';
import type { DnsContent } from '../../src/model/world-model.ts';
import { newSimDnsPort } from '../../src/sim/dns-port.ts';
import { newStage, type Stage } from './kit.ts';

const server = { kind: 'udp', address: '127.0.4.1', port: 53 } as const;
const blank: DnsContent = { rcode: 'NOERROR', authoritative: false, ede: 0, answers: [], authority: [] };

function ask(stage: Stage, question: DnsQuestion, withinS = 5): Promise<DnsReply> {
  const dns = newSimDnsPort(stage);
  const deadlineNs = stage.clock.nowNs() + withinS * 1e9;
  return stage.clock.runUntil(dns.query(server, question, { recursionDesired: true, deadlineNs }));
}

describe('an answer', () => {
  test('has its chain, its addresses and the lowest TTL on the way to them', async () => {
    const answers = [
      { name: 'elb.test', type: 'A', ttlS: 60, data: '127.0.2.1' },
      { name: 'shop.test', type: 'CNAME', ttlS: 37, data: 'elb.test' },
      { name: 'elb.test', type: 'A', ttlS: 41, data: '127.0.2.2' },
    ];
    const asked: unknown[] = [];
    const stage = newStage({
      ask: (address, question, nowNs) => {
        asked.push([address, question, nowNs]);
        return { content: { ...blank, ede: 4, answers }, afterNs: 3e6 };
      },
    });
    expect(await ask(stage, { name: 'Shop.TEST.', type: 'A' })).toEqual({
      kind: 'answered',
      rcode: 'NOERROR',
      authoritative: false,
      ede: 4,
      answers,
      authority: [],
      chain: ['elb.test'],
      addresses: ['127.0.2.1', '127.0.2.2'],
      ttlS: 37,
      sentAtNs: 0,
      endedAtNs: 3e6,
    });
    expect(asked).toEqual([['127.0.4.1', { name: 'shop.test', type: 'A' }, 0]]);
  });

  test.for(['NOERROR', 'NXDOMAIN'] as const)('of %s without addresses may be kept as RFC 2308 says', async (rcode) => {
    const authority = [{ name: 'test', type: 'SOA', ttlS: 900, data: 'ns.test admin.test 1 7200 900 1209600 300' }];
    const stage = newStage({ ask: () => ({ content: { ...blank, rcode, authority }, afterNs: 0 }) });
    expect(await ask(stage, { name: 'shop.test', type: 'AAAA' })).toMatchObject({ rcode, addresses: [], ttlS: 300 });
  });

  test('that leads in a circle is malformed', async () => {
    const answers = [
      { name: 'a.test', type: 'CNAME', ttlS: 1, data: 'b.test' },
      { name: 'b.test', type: 'CNAME', ttlS: 1, data: 'a.test' },
    ];
    const stage = newStage({ ask: () => ({ content: { ...blank, answers }, afterNs: 0 }) });
    expect(await ask(stage, { name: 'a.test', type: 'A' })).toMatchObject({ reason: 'malformed', error: /loop/ });
  });

  test('to an address needs no server', async () => {
    const stage = newStage();
    expect(await ask(stage, { name: '127.0.1.1', type: 'A' })).toMatchObject({
      addresses: ['127.0.1.1'],
      ttlS: 2 ** 31 - 1,
    });
    expect(await ask(stage, { name: '127.0.1.1', type: 'AAAA' })).toMatchObject({ rcode: 'NOERROR', addresses: [] });
  });
});

describe('a server that is silent', () => {
  test.for([
    { withinS: 5, atS: [0, 1, 3] },
    { withinS: 0.6, atS: [0, 0.2, 0.4] },
  ])('is asked three times within $withinS s, and given up at the deadline', async ({ withinS, atS }) => {
    const asked: number[] = [];
    const stage = newStage({
      ask: (_, __, nowNs) => {
        asked.push(nowNs / 1e9);
        return null;
      },
    });
    expect(await ask(stage, { name: 'shop.test', type: 'A' }, withinS)).toEqual({
      kind: 'failed',
      reason: 'timed-out',
      error: 'no answer',
      sentAtNs: 0,
      endedAtNs: withinS * 1e9,
    });
    expect(asked).toEqual(atS);
  });

  test('and then is not, is heard at the next attempt', async () => {
    const stage = newStage({ ask: (_, __, nowNs) => (nowNs < 0.5e9 ? null : { content: blank, afterNs: 2e6 }) });
    expect(await ask(stage, { name: 'shop.test', type: 'A' })).toMatchObject({ kind: 'answered', endedAtNs: 1.002e9 });
  });

  test('longer than anybody waits is as silent', async () => {
    const stage = newStage({ ask: () => ({ content: blank, afterNs: 7e9 }) });
    expect(await ask(stage, { name: 'shop.test', type: 'A' })).toMatchObject({ reason: 'timed-out', endedAtNs: 5e9 });
  });

  test('is not asked at all once the deadline is over', async () => {
    const stage = newStage({ ask: () => expect.fail('asked') });
    expect(await ask(stage, { name: 'shop.test', type: 'A' }, 0)).toMatchObject({ reason: 'timed-out', endedAtNs: 0 });
  });
});
