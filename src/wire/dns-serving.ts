/**
 * The other side of DNS, for servers of our own: what was asked, and the reply (RFC 1035, 2308, 6891, 8914). Framing over
 * TCP is the caller's.
 */
import {
  AUTHORITATIVE_ANSWER,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
  decode,
  encode,
  type Answer,
  type OptAnswer,
  type RecordType,
} from 'dns-packet';
import { assert } from '../core/errors.ts';
import type { DnsQuestion, DnsRecord } from '../core/ports.ts';
import { udpBytesMax } from './dns-message.ts';
import { isAskable, normalName } from './dns-name.ts';

export interface Asked {
  readonly id: number;
  /** In the case it was asked in. */
  readonly name: string;
  /** 'A', 'AAAA', 'UNKNOWN_65' … */
  readonly type: string;
  readonly recursionDesired: boolean;
  /** How long a reply over UDP the client takes (RFC 6891, 6.2.3); null = it speaks no EDNS, and takes 512. */
  readonly ednsBytesMax: number | null;
}

/** null: not a query of one question of class IN about a name that can be asked for. Never throws. */
export function decodeAsked(bytes: Uint8Array): Asked | null {
  try {
    const packet = decode(Buffer.from(bytes));
    const question = packet.questions?.[0];
    if (packet.type !== 'query' || packet.questions?.length !== 1 || question === undefined) return null;
    const flags = packet.flags ?? 0;
    if ((flags & opcodeMask) !== 0 || question.class !== 'IN' || !isAskable(question.name)) return null;
    const edns = packet.additionals?.find((record) => record.type === 'OPT');
    return {
      id: packet.id ?? 0,
      name: question.name,
      type: question.type,
      recursionDesired: (flags & RECURSION_DESIRED) !== 0,
      ednsBytesMax: edns === undefined ? null : edns.udpPayloadSize,
    };
  } catch {
    return null;
  }
}

const opcodeMask = 0x7800;

/**
 * The question to put to a server that knows of six types. Any other type gets what AAAA gets where there is only IPv4:
 * the aliases, or "there is none".
 */
export function questionOf({ name, type }: Asked): DnsQuestion {
  if (type === 'UNKNOWN_65') return { name: normalName(name), type: 'HTTPS' };
  const known = (['A', 'CNAME', 'NS', 'SOA'] as const).find((one) => one === type);
  return { name: normalName(name), type: known ?? 'AAAA' };
}

export interface Serving {
  readonly rcode: keyof typeof rcodes;
  readonly authoritative: boolean;
  readonly recursionAvailable: boolean;
  /** Extended DNS Error code + 1, 0 = none; said only to those who speak EDNS. */
  readonly ede: number;
  readonly answers: readonly DnsRecord[];
  readonly authority: readonly DnsRecord[];
}

const rcodes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;

/** Without EDNS a client takes so much over UDP (RFC 1035, 2.3.4). */
const plainBytesMax = 512;
const edeOption = 15;

/** The question comes back in the case it was asked in, also where the same name owns records. */
export function encodeServed(asked: Asked, serving: Serving, transport: 'udp' | 'tcp'): Uint8Array {
  const flags =
    (serving.authoritative ? AUTHORITATIVE_ANSWER : 0) |
    (serving.recursionAvailable ? RECURSION_AVAILABLE : 0) |
    (asked.recursionDesired ? RECURSION_DESIRED : 0) |
    rcodes[serving.rcode];
  const question = { name: asked.name, type: asked.type as RecordType, class: 'IN' as const };
  const head = { type: 'response' as const, id: asked.id, questions: [question], additionals: ednsOf(asked, serving) };
  const records = (given: readonly DnsRecord[]): Answer[] => given.map((record) => answerOf(record, asked));
  const whole = encode({ ...head, flags, answers: records(serving.answers), authorities: records(serving.authority) });
  if (transport === 'tcp' || whole.length <= udpReplyBytesMax(asked)) return whole;
  return encode({ ...head, flags: flags | TRUNCATED_RESPONSE });
}

/** Not longer than what passes through every path unfragmented, whatever the client says it takes. */
function udpReplyBytesMax({ ednsBytesMax }: Asked): number {
  return ednsBytesMax === null ? plainBytesMax : Math.max(plainBytesMax, Math.min(ednsBytesMax, udpBytesMax));
}

/** EDNS is answered with EDNS, and never offered (RFC 6891, 6.1.1). */
function ednsOf({ ednsBytesMax }: Asked, { ede }: Serving): OptAnswer[] {
  if (ednsBytesMax === null) return [];
  const options = ede === 0 ? [] : [{ code: edeOption, data: Buffer.from([(ede - 1) >> 8, (ede - 1) & 0xff]) }];
  return [
    {
      type: 'OPT',
      name: '.',
      udpPayloadSize: udpBytesMax,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: options as OptAnswer['options'],
    },
  ];
}

function answerOf({ name, type, ttlS, data }: DnsRecord, asked: Asked): Answer {
  const owner = normalName(name) === normalName(asked.name) ? asked.name : name;
  const common = { name: owner, ttl: ttlS, class: 'IN' as const };
  switch (type) {
    case 'A':
    case 'AAAA':
    case 'CNAME':
    case 'NS':
      return { ...common, type, data };
    case 'SOA':
      return { ...common, type, data: soaOf(data) };
  }
  assert(false, `our servers have no records of type ${type}`);
}

function soaOf(text: string): Extract<Answer, { type: 'SOA' }>['data'] {
  const [mname = '', rname = '', ...rest] = text.split(' ');
  const [serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0] = rest.map(Number);
  return { mname, rname, serial, refresh, retry, expire, minimum };
}
