/** Addresses, networks and host names as people write them. Texts come out in the one form that sockets report. */
import { z } from 'zod';

const ipv4 = z.ipv4();
const ipv6 = z.ipv6();

function isIpv4(text: string): boolean {
  return ipv4.safeParse(text).success;
}

export function isIpv6(text: string): boolean {
  return ipv6.safeParse(text).success;
}

export function isAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

/** IPv6 in lower case and compressed, as sockets report it (RFC 5952), so that addresses compare as text. */
export function canonicalAddress(address: string): string {
  return isIpv6(address) ? unbracketed(new URL(`http://[${address}]/`).hostname) : address;
}

/** A URL's hostname has brackets around an IPv6 address; nobody else wants them. */
export function unbracketed(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** RFC 1123, and underscores, which real zones have. A last dot is allowed. */
export function isHostname(text: string): boolean {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  return name.length <= 253 && !isIpv4(name) && name.split('.').every((part) => label.test(part));
}

/** `10.0.0.2`, `10.0.0.2:53`, `fd00::2`, `[fd00::2]:53`; null when it is none of them. */
export function parseAddressAndPort(text: string, portDefault: number): { address: string; port: number } | null {
  if (isAddress(text)) return { address: canonicalAddress(text), port: portDefault };
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[\d.]+))(?::(?<port>\d{1,5}))?$/.exec(text);
  const { v4, v6, port: portText } = match?.groups ?? {};
  const port = portText === undefined ? portDefault : Number(portText);
  if (port < 1 || port > 65_535) return null;
  if (v4 !== undefined && isIpv4(v4)) return { address: v4, port };
  if (v6 !== undefined && isIpv6(v6)) return { address: canonicalAddress(v6), port };
  return null;
}

interface Network {
  readonly bitCount: 32 | 128;
  readonly bits: bigint;
  readonly prefix: number;
}

/** An address is a network of one; null when the text is neither. */
export function parseNetwork(text: string): Network | null {
  const [address = '', prefixText, ...rest] = text.split('/');
  const bitCount = isIpv4(address) ? 32 : isIpv6(address) ? 128 : null;
  if (bitCount === null || rest.length > 0) return null;
  if (prefixText !== undefined && !/^\d{1,3}$/.test(prefixText)) return null;
  const prefix = prefixText === undefined ? bitCount : Number(prefixText);
  if (prefix > bitCount) return null;
  return { bitCount, bits: bitCount === 32 ? bitsOfIpv4(address) : bitsOfIpv6(address), prefix };
}

function bitsOfIpv4(address: string): bigint {
  return address.split('.').reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n);
}

function bitsOfIpv6(address: string): bigint {
  const [head = '', tail] = canonicalAddress(address).split('::');
  const groups = (part: string | undefined): string[] => (part === undefined || part === '' ? [] : part.split(':'));
  const before = groups(head);
  const after = groups(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

/** Whether some address is in both. */
export function overlap(a: Network, b: Network): boolean {
  if (a.bitCount !== b.bitCount) return false;
  const shift = BigInt(a.bitCount - Math.min(a.prefix, b.prefix));
  return a.bits >> shift === b.bits >> shift;
}
