/** The other side of DNS, for servers of our own: what was asked, and a reply with A records. */
import { AUTHORITATIVE_ANSWER, RECURSION_AVAILABLE, RECURSION_DESIRED, decode, encode } from 'dns-packet';

export interface Asked {
  readonly id: number;
  readonly name: string;
  /** 'A', 'AAAA', … */
  readonly type: string;
  readonly recursionDesired: boolean;
}

/** null: not a query of one question. Never throws. */
export function decodeAsked(bytes: Uint8Array): Asked | null {
  try {
    const packet = decode(Buffer.from(bytes));
    const question = packet.questions?.[0];
    if (packet.type !== 'query' || question === undefined || packet.questions?.length !== 1) return null;
    const recursionDesired = ((packet.flags ?? 0) & RECURSION_DESIRED) !== 0;
    return { id: packet.id ?? 0, name: question.name, type: question.type, recursionDesired };
  } catch {
    return null;
  }
}

export interface Serving {
  readonly authoritative: boolean;
  /** Empty: NODATA. */
  readonly addresses: readonly string[];
  readonly ttlS: number;
}

/** The question comes back in the case it was asked in. Only A questions have answers here. */
export function encodeServed(asked: Asked, { authoritative, addresses, ttlS }: Serving): Uint8Array {
  const flags =
    (authoritative ? AUTHORITATIVE_ANSWER : RECURSION_AVAILABLE) | (asked.recursionDesired ? RECURSION_DESIRED : 0);
  return encode({
    type: 'response',
    id: asked.id,
    flags,
    questions: [{ name: asked.name, type: asked.type as 'A' }],
    answers:
      asked.type === 'A'
        ? addresses.map((address) => ({ type: 'A' as const, name: asked.name, ttl: ttlS, data: address }))
        : [],
  });
}
