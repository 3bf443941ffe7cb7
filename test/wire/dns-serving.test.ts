import { describe, expect, test } from 'vitest';
import { decodeReply, encodeQuery } from '../../src/wire/dns-message.ts';
import { decodeAsked, encodeServed } from '../../src/wire/dns-serving.ts';

const query = encodeQuery({ id: 4711, name: 'ShOp.test', type: 'A', recursionDesired: true });

describe('what our servers serve, our resolver side reads', () => {
  test.for([
    { serving: { authoritative: true, addresses: ['127.0.2.1', '127.0.2.2'], ttlS: 3 }, addresses: 2 },
    { serving: { authoritative: false, addresses: [], ttlS: 3 }, addresses: 0 },
  ])('$serving', ({ serving, addresses }) => {
    const asked = decodeAsked(query);
    expect(asked).toEqual({ id: 4711, name: 'ShOp.test', type: 'A', recursionDesired: true });
    if (asked === null) return;
    const reply = decodeReply(encodeServed(asked, serving), query);
    expect(reply).toMatchObject({
      kind: 'answered',
      rcode: 'NOERROR',
      authoritative: serving.authoritative,
      addresses: serving.addresses,
      ...(addresses === 0 ? {} : { ttlS: 3 }),
    });
  });
});

test.for(['', 'x', '\0'.repeat(12), Buffer.from(query).toString('latin1').slice(0, 20)])(
  'bytes that are no query are nothing: %j',
  (bytes) => {
    expect(decodeAsked(Buffer.from(bytes, 'latin1'))).toBe(null);
  },
);
