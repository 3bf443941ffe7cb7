import { encode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeReply, encodeQuery } from '../../src/wire/dns-message.ts';
import { decodeAsked, encodeServed, questionOf, type Asked, type Serving } from '../../src/wire/dns-serving.ts';

const query = encodeQuery({ id: 4711, name: 'ShOp.test', type: 'A', recursionDesired: true });

/** As an old client asks: no EDNS. */
const plainQuery = encode({ type: 'query', id: 4712, questions: [{ name: 'shop.test', type: 'A' }] });

const balancer = 'k8s-shop-0123456789abcdef.elb.us-west-2.test';
const soa = {
  name: 'test',
  type: 'SOA',
  ttlS: 900,
  data: 'ns1.test hostmaster.test 20261124 7200 901 1209600 86399',
};
const address = (data: string) => ({ name: balancer, type: 'A', ttlS: 59, data });

function serving(some: Partial<Serving>): Serving {
  return {
    rcode: 'NOERROR',
    authoritative: false,
    recursionAvailable: true,
    ede: 0,
    answers: [],
    authority: [],
    ...some,
  };
}

function asked(bytes: Uint8Array): Asked {
  const found = decodeAsked(bytes);
  if (found === null) throw new Error('the query is one');
  return found;
}

describe('what our servers serve, our resolver side reads', () => {
  test('an alias and its addresses, each with its own TTL', () => {
    const answers = [
      { name: 'shop.test', type: 'CNAME', ttlS: 47, data: balancer },
      address('127.0.2.1'),
      address('127.0.2.2'),
      { name: 'v6.test', type: 'AAAA', ttlS: 3, data: '::1' },
      { name: 'test', type: 'NS', ttlS: 172_801, data: 'ns1.test' },
    ];
    const reply = decodeReply(encodeServed(asked(query), serving({ authoritative: true, answers }), 'udp'), query);
    expect(reply).toMatchObject({
      kind: 'answered',
      rcode: 'NOERROR',
      authoritative: true,
      answers,
      chain: [balancer],
      addresses: ['127.0.2.1', '127.0.2.2'],
      ttlS: 47,
      ede: 0,
    });
  });

  test.for(['NXDOMAIN', 'SERVFAIL', 'REFUSED', 'NOERROR'] as const)('%s, with the SOA and an EDE', (rcode) => {
    const bytes = encodeServed(asked(query), serving({ rcode, authority: [soa], ede: 4 }), 'udp');
    expect(decodeReply(bytes, query)).toMatchObject({ kind: 'answered', rcode, authority: [soa], ede: 4 });
  });
});

test('a query says who asks, and how much they take', () => {
  expect(asked(query)).toEqual({ id: 4711, name: 'ShOp.test', type: 'A', recursionDesired: true, ednsBytesMax: 1232 });
  expect(asked(plainQuery)).toMatchObject({ id: 4712, recursionDesired: false, ednsBytesMax: null });
});

test('what is too long for UDP is truncated there, and whole over TCP', () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => address(`127.0.2.${i}`));
  const truncated = decodeReply(encodeServed(asked(query), serving({ answers: many(41) }), 'udp'), query);
  expect(truncated).toEqual({ kind: 'truncated' });
  const whole = decodeReply(encodeServed(asked(query), serving({ answers: many(41) }), 'tcp'), query);
  expect(whole).toMatchObject({ kind: 'answered' });
  // 19 × 60 bytes: under 1232, over the 512 of those who speak no EDNS.
  expect(decodeReply(encodeServed(asked(query), serving({ answers: many(19) }), 'udp'), query)).toMatchObject({
    kind: 'answered',
  });
  expect(decodeReply(encodeServed(asked(plainQuery), serving({ answers: many(19) }), 'udp'), plainQuery)).toEqual({
    kind: 'truncated',
  });
});

test('who speaks no EDNS is answered without it', () => {
  const reply = Buffer.from(encodeServed(asked(plainQuery), serving({ ede: 4 }), 'udp'));
  expect(reply.readUInt16BE(10)).toBe(0);
});

test.for([
  { type: 'AAAA', question: 'AAAA' },
  { type: 'UNKNOWN_65', question: 'HTTPS' },
  { type: 'UNKNOWN_64', question: 'AAAA' },
  { type: 'MX', question: 'AAAA' },
  { type: 'SOA', question: 'SOA' },
])('a question of type $type is put as one of type $question', ({ type, question }) => {
  const one = { id: 1, name: 'Shop.Test.', type, recursionDesired: true, ednsBytesMax: null };
  expect(questionOf(one)).toEqual({ name: 'shop.test', type: question });
  const reply = encodeServed(one, serving({ authority: [soa] }), 'udp');
  expect(asked(Uint8Array.from(reply, (byte, i) => (i === 2 ? byte & 0x7f : byte)))).toMatchObject({ type });
});

const chaos = encode({ type: 'query', id: 1, questions: [{ name: 'version.bind', type: 'TXT', class: 'CH' }] });
const notify = Buffer.from(query).fill(0x20, 2, 3);
const reply = encodeServed(asked(query), serving({}), 'udp');

test.for([
  { what: 'nothing', bytes: Buffer.alloc(0) },
  { what: 'a byte', bytes: Buffer.from('x') },
  { what: 'no question', bytes: Buffer.alloc(12) },
  { what: 'half a query', bytes: query.subarray(0, 20) },
  { what: 'a reply', bytes: reply },
  { what: 'another class', bytes: chaos },
  { what: 'another opcode', bytes: notify },
])('bytes that are no query are nothing: $what', ({ bytes }) => {
  expect(decodeAsked(bytes)).toBe(null);
});

test('whatever the bytes are, they are a query that can be answered, or nothing', () => {
  const mutated = fc.array(fc.tuple(fc.nat(query.length - 1), fc.nat(255)), { maxLength: 4 }).map((changes) => {
    const bytes = Buffer.from(query);
    for (const [at, byte] of changes) bytes[at] = byte;
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 64 })), (bytes) => {
      const found = decodeAsked(bytes);
      if (found !== null) encodeServed(found, serving({ authority: [soa], ede: 4 }), 'udp');
    }),
    { numRuns: 2000 },
  );
});
