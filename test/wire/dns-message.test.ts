import { AUTHORITATIVE_ANSWER, decode, encode, RECURSION_DESIRED, TRUNCATED_RESPONSE } from 'dns-packet';
import type { Answer, OptAnswer, Packet } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DnsQuestion } from '../../src/core/ports.ts';
import { decodeReply, encodeQuery } from '../../src/wire/dns-message.ts';
import type { DecodedReply, DnsAnswer } from '../../src/wire/dns-message.ts';

const id = 0xbeef;
const askedName = 'OrDers.sHop.exAmple';
const name = 'orders.shop.example';

function queryFor(type: DnsQuestion['type'], asked = askedName): Uint8Array {
  return encodeQuery({ id, name: asked, type, recursionDesired: true });
}

const queryA = queryFor('A');

/** A reply to `queryA` as dns-packet writes it. */
function replyBytes(packet: Packet, rcode = 0): Buffer {
  const flags = (packet.flags ?? 0) | rcode;
  return encode({ type: 'response', id, questions: [{ name: askedName, type: 'A' }], ...packet, flags });
}

function answered(reply: DecodedReply): DnsAnswer {
  if (reply.kind !== 'answered') throw new Error(`not answered but ${JSON.stringify(reply)}`);
  return reply;
}

function a(owner: string, data: string, ttl: number): Answer {
  return { name: owner, type: 'A', ttl, data };
}

function cname(owner: string, data: string, ttl: number): Answer {
  return { name: owner, type: 'CNAME', ttl, data };
}

function soa(ttl: number, minimum: number): Answer {
  const data = { mname: 'ns.example', rname: 'root.example', serial: 7, refresh: 11, retry: 13, expire: 17, minimum };
  return { name: 'shop.example', type: 'SOA', ttl, data };
}

function opt(edeCodes: readonly number[], extendedRcode = 0): OptAnswer {
  const options = edeCodes.map((code) => ({ code: 15, data: Buffer.from([code >> 8, code & 0xff, 0x68, 0x69]) }));
  const fields = { udpPayloadSize: 1232, extendedRcode, ednsVersion: 0, flags: 0, flag_do: false };
  return { type: 'OPT', name: '.', ...fields, options: options as unknown as OptAnswer['options'] };
}

describe('a query', () => {
  test.for([
    { recursionDesired: true, rd: RECURSION_DESIRED },
    { recursionDesired: false, rd: 0 },
  ])('carries id, name in its case, EDNS of 1232 bytes, and RD=$recursionDesired', ({ recursionDesired, rd }) => {
    const packet = decode(Buffer.from(encodeQuery({ id, name: askedName, type: 'AAAA', recursionDesired })));
    expect(packet).toMatchObject({ type: 'query', id, flags: rd, questions: [{ name: askedName, type: 'AAAA' }] });
    expect(packet.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232, flags: 0 }]);
  });

  test('for the root, and for a name with a dot at its end, is the same as dns-packet reads it', () => {
    expect(decode(Buffer.from(queryFor('NS', '.'))).questions).toMatchObject([{ name: '.', type: 'NS' }]);
    expect(decode(Buffer.from(queryFor('NS', 'shop.example.'))).questions).toMatchObject([{ name: 'shop.example' }]);
  });
});

describe('a reply that is not for the query is no reply', () => {
  const good = replyBytes({ answers: [a(askedName, '10.0.0.7', 60)] });
  const patched = (at: number, byte: number): Buffer => {
    const bytes = Buffer.from(good);
    bytes[at] = byte;
    return bytes;
  };
  test.for([
    { what: 'another id', bytes: patched(1, 0xee) },
    { what: 'QR=0', bytes: patched(2, 0x01) },
    { what: 'another opcode', bytes: patched(2, 0xa8) },
    { what: 'no question', bytes: replyBytes({ questions: [] }) },
    { what: 'two questions', bytes: patched(5, 2) },
    { what: 'the name in lower case', bytes: replyBytes({ questions: [{ name, type: 'A' }] }) },
    { what: 'one letter in another case', bytes: patched(13, 'o'.charCodeAt(0)) },
    { what: 'another name', bytes: replyBytes({ questions: [{ name: 'OrDerz.sHop.exAmple', type: 'A' }] }) },
    { what: 'another type', bytes: replyBytes({ questions: [{ name: askedName, type: 'AAAA' }] }) },
    { what: 'another class', bytes: replyBytes({ questions: [{ name: askedName, type: 'A', class: 'CH' }] }) },
    { what: 'nothing', bytes: Buffer.alloc(0) },
    { what: 'eleven bytes', bytes: good.subarray(0, 11) },
    { what: 'a header', bytes: good.subarray(0, 12) },
  ])('$what', ({ bytes }) => {
    expect(decodeReply(bytes, queryA).kind).toBe('unrelated');
  });

  test('while the untouched one is', () => {
    expect(answered(decodeReply(good, queryA)).addresses).toEqual(['10.0.0.7']);
  });
});

describe('an answer', () => {
  test('is told with its chain in order, its addresses in order, and the lowest TTL of all of them', () => {
    const reply = replyBytes({
      flags: AUTHORITATIVE_ANSWER,
      answers: [
        a('LB.old.example', '10.0.0.9', 61),
        cname('lb-alias.example', 'lb.old.example', 37),
        cname(askedName, 'LB-alias.example', 300),
        a('lb.old.example', '10.0.0.7', 59),
        a('elsewhere.example', '10.0.0.13', 1),
      ],
    });
    const answer = answered(decodeReply(reply, queryA));
    expect(answer.authoritative).toBe(true);
    expect(answer.chain).toEqual(['lb-alias.example', 'lb.old.example']);
    expect(answer.addresses).toEqual(['10.0.0.9', '10.0.0.7']);
    expect(answer.ttlS).toBe(37);
    expect(answer.answers).toHaveLength(5);
    expect(answer.answers[2]).toEqual({ name, type: 'CNAME', ttlS: 300, data: 'lb-alias.example' });
  });

  test.for([
    { ttl: 0x7fff_ffff, ttlS: 0x7fff_ffff },
    { ttl: 0x8000_0000, ttlS: 0 },
    { ttl: 0xffff_ffff, ttlS: 0 },
    { ttl: 0, ttlS: 0 },
  ])('with a TTL of $ttl may be kept for $ttlS s', ({ ttl, ttlS }) => {
    expect(answered(decodeReply(replyBytes({ answers: [a(askedName, '10.0.0.7', ttl)] }), queryA)).ttlS).toBe(ttlS);
  });

  test.for([
    { what: 'NXDOMAIN, SOA TTL lower', rcode: 3, authorities: [soa(29, 53)], rcodeName: 'NXDOMAIN', ttlS: 29 },
    { what: 'NXDOMAIN, SOA minimum lower', rcode: 3, authorities: [soa(59, 53)], rcodeName: 'NXDOMAIN', ttlS: 53 },
    { what: 'NODATA', rcode: 0, authorities: [soa(59, 31)], rcodeName: 'NOERROR', ttlS: 31 },
    { what: 'NODATA without a SOA', rcode: 0, authorities: [], rcodeName: 'NOERROR', ttlS: 0 },
    { what: 'SERVFAIL', rcode: 2, authorities: [soa(59, 31)], rcodeName: 'SERVFAIL', ttlS: 0 },
    { what: 'REFUSED', rcode: 5, authorities: [], rcodeName: 'REFUSED', ttlS: 0 },
    { what: 'an rcode without a name', rcode: 13, authorities: [], rcodeName: 'RCODE13', ttlS: 0 },
  ])('that is negative may be kept for $ttlS s: $what', ({ rcode, authorities, rcodeName, ttlS }) => {
    const answer = answered(decodeReply(replyBytes({ authorities }, rcode), queryA));
    expect(answer).toMatchObject({ rcode: rcodeName, addresses: [], chain: [], ttlS });
  });

  test('of an authority that knows the alias but not its target keeps the TTL of the alias', () => {
    const answer = answered(decodeReply(replyBytes({ answers: [cname(askedName, 'lb.aws.example', 47)] }), queryA));
    expect(answer).toMatchObject({ chain: ['lb.aws.example'], addresses: [], ttlS: 47 });
  });

  test('shows SOA as seven words', () => {
    const answer = answered(decodeReply(replyBytes({ authorities: [soa(59, 31)] }), queryA));
    expect(answer.authority[0]?.data).toBe('ns.example root.example 7 11 13 17 31');
  });

  test('to a question for CNAME, NS or SOA has their targets as its addresses, and follows no alias from a CNAME', () => {
    for (const [type, record, data] of [
      ['CNAME', cname(askedName, 'Lb.example', 5), 'lb.example'],
      ['NS', { name: askedName, type: 'NS', ttl: 5, data: 'Ns1.example' } as Answer, 'ns1.example'],
      ['SOA', { ...soa(5, 31), name: askedName }, 'ns.example root.example 7 11 13 17 31'],
    ] as const) {
      const reply = replyBytes({ questions: [{ name: askedName, type }], answers: [record] });
      expect(answered(decodeReply(reply, queryFor(type)))).toMatchObject({ chain: [], addresses: [data], ttlS: 5 });
    }
  });

  test('of a type that we do not know is kept as RFC 3597 writes it, and one of another class is left out', () => {
    const unknown = { name: askedName, type: 'UNKNOWN_64', ttl: 5, data: Buffer.from([1, 0xab]) } as unknown as Answer;
    const chaos = { ...a(askedName, '10.0.0.8', 5), class: 'CH' } as Answer;
    const answer = answered(
      decodeReply(replyBytes({ answers: [unknown, chaos, a(askedName, '10.0.0.7', 9)] }), queryA),
    );
    expect(answer.answers).toEqual([
      { name, type: 'TYPE64', ttlS: 5, data: String.raw`\# 2 01ab` },
      { name, type: 'A', ttlS: 9, data: '10.0.0.7' },
    ]);
  });

  test('does not show the random case of the question, though its names are compressed against it', () => {
    // "lb" + a pointer to "sHop.exAmple" within the question, at offset 12 + 7.
    const record = Buffer.from('c00c00050001000000250005026c62c013', 'hex');
    const header = replyBytes({});
    header.writeUInt16BE(1, 6);
    const answer = answered(decodeReply(Buffer.concat([header, record]), queryA));
    expect(answer.chain).toEqual(['lb.shop.example']);
  });
});

describe('an HTTPS record', () => {
  const queryHttps = queryFor('HTTPS');
  const questions = decode(Buffer.from(queryHttps)).questions ?? [];
  const httpsReply = (...hexes: readonly string[]): Buffer =>
    replyBytes({
      questions,
      answers: hexes.map(
        (hex) => ({ name: askedName, type: 'UNKNOWN_65', ttl: 53, data: Buffer.from(hex, 'hex') }) as unknown as Answer,
      ),
    });

  test('is asked for by its number', () => {
    expect(questions).toMatchObject([{ name: askedName, type: 'UNKNOWN_65' }]);
  });

  test.for([
    { what: 'an alias', hex: '0000 026c62 00', data: '0 lb' },
    {
      what: 'protocols and hints of both families',
      hex: '0001 00 0001 0006 026832 026833 0004 0008 0a000007 0a000009 0006 0010 20010db8000000000000000000000007',
      data: '1 . alpn=h2,h3 ipv4hint=10.0.0.7,10.0.0.9 ipv6hint=2001:db8::7',
    },
    {
      what: 'a port and a key unknown to us',
      hex: '0002 00 0003 0002 20fb 0005 0002 abcd',
      data: '2 . port=8443 key5=abcd',
    },
    { what: 'a key without a value', hex: '0001 00 0002 0000', data: '1 . key2' },
    { what: 'a protocol with a comma', hex: '0001 00 0001 0004 03682c32', data: '1 . alpn=0x682c32' },
    { what: 'a hint of 3 bytes', hex: '0001 00 0004 0003 0a0000', data: 'malformed' },
    { what: 'no hint where one should be', hex: '0001 00 0004 0000', data: 'malformed' },
    { what: 'keys out of order', hex: '0001 00 0003 0002 01bb 0001 0003 026832', data: 'malformed' },
    { what: 'a key twice', hex: '0001 00 0003 0002 01bb 0003 0002 01bb', data: 'malformed' },
    { what: 'a value longer than the record', hex: '0001 00 0001 00ff 026832', data: 'malformed' },
    { what: 'nothing', hex: '', data: 'malformed' },
  ])('of $what is read as "$data", or kept as bytes', ({ hex, data }) => {
    const bytes = hex.replaceAll(' ', '');
    const reply = answered(decodeReply(httpsReply(bytes, '00010000030002207b'), queryHttps));
    const opaque = String.raw`\# ${bytes.length / 2} ${bytes}`.trimEnd();
    expect(reply.addresses).toEqual([data === 'malformed' ? opaque : data, '1 . port=8315']);
    expect(reply.ttlS).toBe(53);
  });
});

describe('EDNS', () => {
  test.for([
    { bytes: 'gns1.fra', nsid: 'gns1.fra' },
    { bytes: '\u0001z', nsid: '017a' },
    { bytes: 'x'.repeat(300), nsid: 'x'.repeat(64) },
  ])('with the name of a server gives it as text: $nsid', ({ bytes, nsid }) => {
    const options = [{ code: 3, data: Buffer.from(bytes) }] as unknown as OptAnswer['options'];
    expect(answered(decodeReply(replyBytes({ additionals: [{ ...opt([]), options }] }), queryA)).nsid).toBe(nsid);
  });

  test('asks authorities for the name of the server, and nobody else', () => {
    const optionsOf = (recursionDesired: boolean): object =>
      decode(Buffer.from(encodeQuery({ id, name, type: 'A', recursionDesired }))).additionals?.[0] ?? {};
    expect(optionsOf(false)).toMatchObject({ options: [{ code: 3, data: Buffer.alloc(0) }] });
    expect(optionsOf(true)).toMatchObject({ options: [] });
  });

  test.for([
    { codes: [], ede: 0 },
    { codes: [0], ede: 1 },
    { codes: [22], ede: 23 },
    { codes: [22, 23], ede: 23 },
    { codes: [22, 3], ede: 4 },
    { codes: [3, 22], ede: 4 },
    { codes: [19], ede: 20 },
  ])('with errors $codes gives ede $ede', ({ codes, ede }) => {
    expect(answered(decodeReply(replyBytes({ additionals: [opt(codes)] }), queryA)).ede).toBe(ede);
  });

  test('joins the two halves of the rcode', () => {
    expect(answered(decodeReply(replyBytes({ additionals: [opt([], 1)] }), queryA)).rcode).toBe('BADVERS');
    expect(answered(decodeReply(replyBytes({ additionals: [opt([], 1)] }, 7), queryA)).rcode).toBe('BADCOOKIE');
  });
});

test('a truncated reply is not read any further, since it may end within a record', () => {
  const whole = replyBytes({ flags: TRUNCATED_RESPONSE, answers: [a(askedName, '10.0.0.7', 60)] });
  expect(decodeReply(whole.subarray(0, -7), queryA)).toEqual({ kind: 'truncated' });
});

describe('bytes that are no message are malformed, with the reason', () => {
  /** A reply with one answer, whose bytes after the question are given. */
  const withAnswer = (hex: string, count = 1): Buffer => {
    const header = replyBytes({});
    header.writeUInt16BE(count, 6);
    return Buffer.concat([header, Buffer.from(hex, 'hex')]);
  };
  const chainOf = (length: number): Buffer => {
    const names = [askedName, ...Array.from({ length }, (_, i) => `n${i}.example`)];
    return replyBytes({ answers: names.slice(1).map((target, i) => cname(names[i] ?? '', target, 9)) });
  };
  test.for([
    { what: 'a record that is not there', bytes: withAnswer(''), why: 'the message ends too early' },
    {
      what: 'an address cut short',
      bytes: withAnswer('c00c000100010000003c00040a00'),
      why: 'the message ends too early',
    },
    {
      what: 'an address of 5 bytes',
      bytes: withAnswer('c00c000100010000003c00050a00000701'),
      why: 'a record is not as long as it says',
    },
    {
      what: 'an address of 3 bytes',
      bytes: withAnswer('c00c000100010000003c00030a0000'),
      why: 'the message ends too early',
    },
    {
      what: 'a pointer to itself',
      bytes: withAnswer('c025000100010000003c00040a000007'),
      why: 'a name that points at itself',
    },
    {
      what: 'a pointer forwards',
      bytes: withAnswer('c0ff000100010000003c00040a000007'),
      why: 'a name that points at itself',
    },
    {
      what: 'two pointers at each other',
      bytes: withAnswer('c027c025000100010000003c00040a000007'),
      why: 'a name that points at itself',
    },
    { what: 'a label of unknown kind', bytes: withAnswer('8001'), why: 'a label of unknown kind' },
    { what: 'more records than there could be', bytes: withAnswer('', 0xffff), why: 'too many records' },
    {
      what: 'an alias of itself',
      bytes: replyBytes({ answers: [cname(askedName, name, 9)] }),
      why: 'a loop of aliases',
    },
    {
      what: 'aliases in a ring',
      bytes: replyBytes({
        answers: [
          cname(askedName, 'x.example', 9),
          cname('x.example', 'y.example', 9),
          cname('y.example', 'x.example', 9),
        ],
      }),
      why: 'a loop of aliases',
    },
    { what: '17 aliases', bytes: chainOf(17), why: 'too many aliases' },
  ])('$what: $why', ({ bytes, why }) => {
    expect(decodeReply(bytes, queryA)).toEqual({ kind: 'malformed', why });
  });

  test('16 aliases are not too many', () => {
    expect(answered(decodeReply(chainOf(16), queryA)).chain).toHaveLength(16);
  });

  test('a name of 255 bytes is read, one of 256 is not', () => {
    const label = `3f${'61'.repeat(63)}`;
    const rest = '000100010000003c00040a000007';
    expect(decodeReply(withAnswer(`${label.repeat(3)}3d${'61'.repeat(61)}00${rest}`), queryA).kind).toBe('answered');
    expect(decodeReply(withAnswer(`${label.repeat(3)}3e${'61'.repeat(62)}00${rest}`), queryA)).toEqual({
      kind: 'malformed',
      why: 'a name is too long',
    });
  });

  test('a dot within a label does not make two labels', () => {
    // The owner is one label "orders.shop" + "example": not the name that was asked for.
    const owner = `0b${Buffer.from('orders.shop').toString('hex')}07${Buffer.from('example').toString('hex')}00`;
    const answer = answered(decodeReply(withAnswer(`${owner}000100010000003c00040a000007`), queryA));
    expect(answer.answers[0]?.name).toBe(String.raw`orders\.shop.example`);
    expect(answer.addresses).toEqual([]);
  });
});

describe('whatever comes', () => {
  const label = fc.stringMatching(/^[a-z0-9_-]{1,9}$/);
  const anyName = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
  const ttl = fc.integer({ min: 0, max: 0x7fff_ffff });
  const record = fc.oneof(
    fc.record({ name: anyName, type: fc.constant('A' as const), ttl, data: fc.ipV4() }),
    fc.record({ name: anyName, type: fc.constant('CNAME' as const), ttl, data: anyName }),
    fc.record({ name: anyName, type: fc.constant('NS' as const), ttl, data: anyName }),
  );

  test('what dns-packet writes, we read back', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), fc.array(record, { maxLength: 5 }), (answers, authorities) => {
        const query = queryFor('NS', 'unrelated-to-all-of-them.example');
        const questions = decode(Buffer.from(query)).questions ?? [];
        const answer = answered(decodeReply(replyBytes({ questions, answers, authorities }), query));
        const asRead = (written: (typeof answers)[number]) => ({
          name: written.name,
          type: written.type,
          ttlS: written.ttl,
          data: written.data,
        });
        expect(answer.answers).toEqual(answers.map(asRead));
        expect(answer.authority).toEqual(authorities.map(asRead));
      }),
    );
  });

  const bases = [
    replyBytes({
      answers: [cname(askedName, 'lb.example', 9), a('lb.example', '10.0.0.7', 7)],
      additionals: [opt([3, 22])],
    }),
    replyBytes({ authorities: [soa(59, 31)], additionals: [opt([], 1)] }, 3),
    replyBytes({
      answers: [
        { name: askedName, type: 'AAAA', ttl: 9, data: '2001:db8::7' },
        { name: askedName, type: 'NS', data: 'n.example' },
      ],
    }),
    Buffer.concat([replyBytes({}), Buffer.from('c00c00050001000000250005026c62c013', 'hex')]),
    replyBytes({
      answers: [
        {
          name: askedName,
          type: 'UNKNOWN_65',
          ttl: 9,
          data: Buffer.from('00010000010006026832026833000400080a0000070a000009', 'hex'),
        } as unknown as Answer,
      ],
      additionals: [
        { ...opt([]), options: [{ code: 3, data: Buffer.from('ns-1') }] as unknown as OptAnswer['options'] },
      ],
    }),
  ];
  const mutation = fc.record({ at: fc.nat(), byte: fc.oneof(fc.constantFrom(0, 1, 0x3f, 0xc0, 0xff), fc.nat(255)) });
  const mutated = fc
    .record({
      base: fc.constantFrom(...bases),
      mutations: fc.array(mutation, { maxLength: 8 }),
      cut: fc.nat(40),
      isHeaderKept: fc.boolean(),
    })
    .map(({ base, mutations, cut, isHeaderKept }) => {
      const bytes = Buffer.from(base.subarray(0, base.length - (cut > 20 ? 0 : cut)));
      // Past the question, else nearly all would be found unrelated at once and nothing else be tried.
      const from = isHeaderKept ? queryA.length - 11 : 0;
      for (const { at, byte } of mutations) bytes[from + (at % (bytes.length - from))] = byte;
      if (isHeaderKept) for (const { at, byte } of mutations.slice(0, 2)) bytes[6 + (at % 6)] = byte % 4;
      return bytes;
    });

  test('it never throws, and what it takes for an answer is well formed', () => {
    const kinds = new Map<string, number>();
    fc.assert(
      fc.property(mutated, (bytes) => {
        const reply = decodeReply(bytes, queryA);
        kinds.set(reply.kind, (kinds.get(reply.kind) ?? 0) + 1);
        if (reply.kind !== 'answered') return;
        for (const address of reply.addresses) expect(address).toMatch(/^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$/);
        for (const { name: owner, ttlS } of reply.answers) {
          expect(owner).toMatch(/^[!-~]+$/);
          expect(ttlS).toBeLessThan(0x8000_0000);
        }
      }),
      { numRuns: 20_000 },
    );
    for (const kind of ['answered', 'malformed', 'unrelated']) expect(kinds.get(kind)).toBeGreaterThan(1000);
  });

  test('bytes at random are never an answer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(decodeReply(bytes, queryA).kind).toBe('unrelated');
      }),
      { numRuns: 2000 },
    );
  });

  test('names that are long chains of pointers are given up early', () => {
    // One record holds 4000 pointers, each to the one before it; 900 names begin at its last: 3.6 million steps.
    const pointers = Buffer.alloc(8000);
    for (let i = 0; i < 4000; i += 1)
      pointers.writeUInt16BE(0xc000 + (i === 0 ? 12 : queryA.length + 2 * (i - 1)), 2 * i);
    const header = replyBytes({});
    header.writeUInt16BE(901, 6);
    const first = Buffer.concat([Buffer.from('00000a0001000000001f40', 'hex'), pointers]);
    const owner = Buffer.alloc(2);
    owner.writeUInt16BE(0xc000 + queryA.length + 2 * 3999);
    const other = Buffer.concat([owner, Buffer.from('000a0001000000000000', 'hex')]);
    const bytes = Buffer.concat([header, first, ...Array.from({ length: 900 }, () => other)]);
    expect(decodeReply(bytes, queryA)).toEqual({ kind: 'malformed', why: 'a name of too many pointers' });
  });
});
