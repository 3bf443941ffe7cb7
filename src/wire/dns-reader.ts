/**
 * Reads DNS messages, byte by byte and suspicious of each. dns-packet writes our queries but does not read the replies: it
 * turns labels into UTF-8 (odd bytes are lost, a dot within a label reads as two labels), does not hold a record to its
 * stated length, and refuses the whole message for one record of a type that we never asked for.
 */
import type { DnsRecord } from '../core/ports.ts';
import { addressText } from './address-text.ts';
import { labelText } from './dns-name.ts';

/** Why bytes are no DNS message: thrown within this room only, and caught where decoding begins. */
export class Malformed extends Error {}

const nameBytesMax = 255;
/** A pointer leads strictly backwards, so there is no loop; real names need a handful. */
const pointerCountMax = 64;

const typeNames: Readonly<Record<number, string>> = { 1: 'A', 2: 'NS', 5: 'CNAME', 6: 'SOA', 28: 'AAAA', 65: 'HTTPS' };
const classIn = 1;

/** What stands before the data of each record. */
interface RecordHead {
  readonly name: string;
  readonly type: number;
  /** For OPT: the size of UDP messages. */
  readonly class: number;
  /** For OPT: extended rcode, version, flags. */
  readonly ttl: number;
  readonly dataEnd: number;
}

export class DnsReader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  u8(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new Malformed('the message ends too early');
    this.at += 1;
    return byte;
  }

  u16(): number {
    return this.u8() * 0x100 + this.u8();
  }

  u32(): number {
    return this.u16() * 0x1_0000 + this.u16();
  }

  /** The next `length` bytes, not copied. */
  take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw new Malformed('the message ends too early');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  name(): string {
    const labels: string[] = [];
    let byteCount = 1;
    let pointerCount = 0;
    let segmentStart = this.at;
    let end = 0;
    for (let length = this.u8(); length !== 0; length = this.u8()) {
      if (length < 0x40) {
        byteCount += length + 1;
        if (byteCount > nameBytesMax) throw new Malformed('a name is too long');
        labels.push(labelText(this.take(length)));
        continue;
      }
      if (length < 0xc0) throw new Malformed('a label of unknown kind');
      const target = (length - 0xc0) * 0x100 + this.u8();
      if (pointerCount === 0) end = this.at;
      pointerCount += 1;
      if (target >= segmentStart) throw new Malformed('a name that points at itself');
      if (pointerCount > pointerCountMax) throw new Malformed('a name of too many pointers');
      segmentStart = target;
      this.at = target;
    }
    if (pointerCount > 0) this.at = end;
    return labels.length === 0 ? '.' : labels.join('.');
  }

  recordHead(): RecordHead {
    const name = this.name();
    const [type, recordClass, ttl, length] = [this.u16(), this.u16(), this.u32(), this.u16()];
    if (this.at + length > this.bytes.length) throw new Malformed('the message ends too early');
    return { name, type, class: recordClass, ttl, dataEnd: this.at + length };
  }

  /** `count` records; those that are not of the Internet class are left out. */
  records(count: number): DnsRecord[] {
    const records: DnsRecord[] = [];
    for (let i = 0; i < count; i += 1) {
      const head = this.recordHead();
      if (head.class !== classIn) {
        this.at = head.dataEnd;
        continue;
      }
      const data = this.#data(head);
      if (this.at !== head.dataEnd) throw new Malformed('a record is not as long as it says');
      // RFC 2181, 8: a TTL with its top bit set is to be taken for 0.
      const ttlS = head.ttl >= 0x8000_0000 ? 0 : head.ttl;
      records.push({ name: head.name, type: typeNames[head.type] ?? `TYPE${head.type}`, ttlS, data });
    }
    return records;
  }

  #data(head: RecordHead): string {
    switch (typeNames[head.type] ?? 'unknown') {
      case 'A':
        return addressText(this.take(4));
      case 'AAAA':
        return addressText(this.take(16));
      case 'CNAME':
      case 'NS':
        return this.name();
      case 'SOA':
        return [this.name(), this.name(), this.u32(), this.u32(), this.u32(), this.u32(), this.u32()].join(' ');
      case 'HTTPS':
        return this.#binding(head.dataEnd);
      default:
        return unknownData(this.take(head.dataEnd - this.at));
    }
  }

  /** One that is not as RFC 9460 says is kept as of an unknown type: it must not cost the records beside it. */
  #binding(end: number): string {
    const data = this.bytes.subarray(this.at, end);
    const text = bindingText(new DnsReader(this.bytes.subarray(0, end), this.at));
    this.at = end;
    return text ?? unknownData(data);
  }
}

/** RFC 3597, 5: how to write the data of a type that one does not know. */
function unknownData(data: Uint8Array): string {
  return `\\# ${data.length} ${hexText(data)}`.trimEnd();
}

function hexText(data: Uint8Array): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

type BindingKey = 'alpn' | 'port' | 'ipv4hint' | 'ipv6hint';

const bindingKeys: Readonly<Record<number, BindingKey>> = { 1: 'alpn', 3: 'port', 4: 'ipv4hint', 6: 'ipv6hint' };

/**
 * "priority target key=value …" (RFC 9460, 2.1); the reader's message ends where the record does. Keys that nobody here
 * looks into have their bytes as hex. Null where it is not well formed.
 */
function bindingText(reader: DnsReader): string | null {
  try {
    const words = [String(reader.u16()), reader.name()];
    let lastKey = -1;
    while (reader.at < reader.bytes.length) {
      const key = reader.u16();
      if (key <= lastKey) return null;
      lastKey = key;
      const value = bindingValue(key, reader.take(reader.u16()));
      if (value === null) return null;
      words.push(`${bindingKeys[key] ?? `key${key}`}${value === '' ? '' : `=${value}`}`);
    }
    return words.join(' ');
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

function bindingValue(key: number, value: Uint8Array): string | null {
  switch (bindingKeys[key] ?? 'other') {
    case 'alpn':
      return protocolsText(value);
    case 'port':
      return value.length === 2 ? String((value[0] ?? 0) * 0x100 + (value[1] ?? 0)) : null;
    case 'ipv4hint':
      return hintsText(value, 4);
    case 'ipv6hint':
      return hintsText(value, 16);
    case 'other':
      return hexText(value);
  }
}

function hintsText(value: Uint8Array, addressBytes: number): string | null {
  if (value.length === 0 || value.length % addressBytes !== 0) return null;
  const addresses: string[] = [];
  for (let at = 0; at < value.length; at += addressBytes)
    addresses.push(addressText(value.subarray(at, at + addressBytes)));
  return addresses.join(',');
}

/** Each with its length before it; those that a comma or an odd byte would make ambiguous are shown as hex. */
function protocolsText(value: Uint8Array): string | null {
  const reader = new DnsReader(value, 0);
  const protocols: string[] = [];
  while (reader.at < value.length) {
    const protocol = reader.take(reader.u8());
    const isPlain = protocol.length > 0 && protocol.every((byte) => byte > 0x20 && byte < 0x7f && byte !== 0x2c);
    protocols.push(isPlain ? String.fromCharCode(...protocol) : `0x${hexText(protocol)}`);
  }
  return protocols.length === 0 ? null : protocols.join(',');
}
