/**
 * DNS queries and replies ⇄ values (RFC 1035, 2181, 2308, 6891, 8914). What a reply is worth is decided here: whether it
 * belongs to the query at all, and what it says (`core/dns-chain.ts` follows its aliases).
 */
import { encode, RECURSION_DESIRED, type OptAnswer, type RecordType } from 'dns-packet';
import { chainOf } from '../core/dns-chain.ts';
import type { DnsQuestion, DnsRecord } from '../core/ports.ts';
import { DnsReader, Malformed } from './dns-reader.ts';

export interface DnsQuery extends DnsQuestion {
  /** 0 to 65535. */
  readonly id: number;
  readonly recursionDesired: boolean;
}

export interface DnsAnswer {
  readonly kind: 'answered';
  readonly rcode: string;
  readonly authoritative: boolean;
  readonly ede: number;
  /** Left out where the server says none. */
  readonly nsid?: string;
  readonly answers: readonly DnsRecord[];
  readonly authority: readonly DnsRecord[];
  readonly chain: readonly string[];
  readonly addresses: readonly string[];
  readonly ttlS: number;
}

export type DecodedReply =
  | DnsAnswer
  /** It is for this query, and there was more than would fit: ask over TCP. */
  | { readonly kind: 'truncated' }
  /** Not a reply to this query, perhaps forged: as if it had never come. */
  | { readonly kind: 'unrelated'; readonly why: string }
  | { readonly kind: 'malformed'; readonly why: string };

/** What fits through every path without fragments, by the DNS flag day of 2020. */
export const udpBytesMax = 1232;
export const messageBytesMax = 0xffff;
const recordCountMax = 1000;

const headerBytes = 12;
const optType = 41;
const nsidOption = 3;
const edeOption = 15;
/** More than any server has for a name; what is longer is cut. */
const nsidBytesMax = 64;
/** Extended DNS Errors "Stale Answer" and "Stale NXDOMAIN Answer": they go before others of the same reply. */
const staleEdes: readonly number[] = [3, 19];

const questionTypes: Readonly<Record<number, DnsQuestion['type']>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  28: 'AAAA',
  65: 'HTTPS',
};

const rcodeNames: Readonly<Record<number, string>> = {
  0: 'NOERROR',
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  4: 'NOTIMP',
  5: 'REFUSED',
  6: 'YXDOMAIN',
  7: 'YXRRSET',
  8: 'NXRRSET',
  9: 'NOTAUTH',
  10: 'NOTZONE',
  16: 'BADVERS',
  23: 'BADCOOKIE',
};

/**
 * The name must be `isAskable`, and goes out in the case it has. EDNS is always offered, so that EDE can come back;
 * authorities are asked for their NSID as well.
 */
export function encodeQuery(query: DnsQuery): Uint8Array {
  return encode({
    type: 'query',
    id: query.id,
    flags: query.recursionDesired ? RECURSION_DESIRED : 0,
    // dns-packet knows type 65 by its number only.
    questions: [{ name: query.name, type: query.type === 'HTTPS' ? ('UNKNOWN_65' as RecordType) : query.type }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: udpBytesMax,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: query.recursionDesired ? [] : [emptyNsid],
      },
    ],
  });
}

const emptyNsid = { code: nsidOption, data: Buffer.alloc(0) } as unknown as OptAnswer['options'][number];

/** What `reply` says to `query`, the very bytes that were sent. Never throws, whatever the bytes are. */
export function decodeReply(reply: Uint8Array, query: Uint8Array): DecodedReply {
  const question = questionOf(query);
  const why = whyUnrelated(reply, query, question.end);
  if (why !== null) return { kind: 'unrelated', why };
  const flags = word(reply, 2);
  if ((flags & 0x0200) !== 0) return { kind: 'truncated' };
  try {
    return readAnswer(reply, flags, question);
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'malformed', why: error.message };
    throw error;
  }
}

interface Question {
  readonly name: string;
  readonly type: DnsQuestion['type'];
  /** Where it ends in the message; it begins after the header. */
  readonly end: number;
}

function questionOf(query: Uint8Array): Question {
  const reader = new DnsReader(query, headerBytes);
  const name = reader.name();
  const type = questionTypes[reader.u16()] ?? 'A';
  return { name, type, end: reader.at + 2 };
}

/** The question is compared as bytes, its case included: nothing stands before it that it could be compressed against. */
function whyUnrelated(reply: Uint8Array, query: Uint8Array, questionEnd: number): string | null {
  if (reply.length < headerBytes) return 'shorter than a header';
  if (word(reply, 0) !== word(query, 0)) return 'another id';
  const flags = word(reply, 2);
  if ((flags & 0x8000) === 0) return 'not a reply';
  if ((flags & 0x7800) !== 0) return 'another opcode';
  if (word(reply, 4) !== 1) return 'not one question';
  for (let i = headerBytes; i < questionEnd; i += 1) {
    if (reply[i] !== query[i]) return 'another question, or its name in another case';
  }
  return null;
}

function readAnswer(reply: Uint8Array, flags: number, question: Question): DnsAnswer {
  const [answerCount, authorityCount, additionalCount] = [word(reply, 6), word(reply, 8), word(reply, 10)];
  if (answerCount + authorityCount + additionalCount > recordCountMax) throw new Malformed('too many records');
  const reader = new DnsReader(reply, question.end);
  const answers = reader.records(answerCount);
  const authority = reader.records(authorityCount);
  const edns = readEdns(reader, additionalCount);
  const rcode = edns.extendedRcode * 16 + (flags & 0x000f);
  const rcodeName = rcodeNames[rcode] ?? `RCODE${rcode}`;
  const followed = chainOf(question, { rcode: rcodeName, answers, authority });
  if (typeof followed === 'string') throw new Malformed(followed);
  return {
    kind: 'answered',
    rcode: rcodeName,
    authoritative: (flags & 0x0400) !== 0,
    ede: edns.ede,
    ...(edns.nsid !== '' && { nsid: edns.nsid }),
    answers,
    authority,
    ...followed,
  };
}

interface Edns {
  readonly extendedRcode: number;
  readonly ede: number;
  readonly nsid: string;
}

/** From OPT, which must be in the additional section; everything else there is of no use to us. */
function readEdns(reader: DnsReader, count: number): Edns {
  let edns: Edns = { extendedRcode: 0, ede: 0, nsid: '' };
  for (let i = 0; i < count; i += 1) {
    const head = reader.recordHead();
    if (head.type === optType) edns = { extendedRcode: head.ttl >>> 24, ...readOptions(reader, head.dataEnd) };
    reader.at = head.dataEnd;
  }
  return edns;
}

/** `ede`: the code + 1 of the first Extended DNS Error, or of one that says "stale"; 0 = none. */
function readOptions(reader: DnsReader, end: number): Pick<Edns, 'ede' | 'nsid'> {
  let ede = 0;
  let nsid = '';
  while (reader.at + 4 <= end) {
    const [option, length] = [reader.u16(), reader.u16()];
    const optionEnd = reader.at + length;
    if (optionEnd > end) throw new Malformed('an option longer than its record');
    if (option === edeOption && length >= 2) {
      const code = reader.u16();
      if (ede === 0 || staleEdes.includes(code)) ede = code + 1;
    }
    if (option === nsidOption) nsid = nsidText(reader.take(Math.min(length, nsidBytesMax)));
    reader.at = optionEnd;
  }
  return { ede, nsid };
}

/** Most are names; the others are shown as hex. */
function nsidText(bytes: Uint8Array): string {
  const isPlain = bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
  if (isPlain) return String.fromCharCode(...bytes);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** 0 beyond the end. */
function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 0x100 + (bytes[at + 1] ?? 0);
}
