/** IP addresses as numbers, so that two spellings are one address and a network can be asked whether it holds one. */

export interface IpAddress {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** null if the text is no address. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address. */
export function parseAddress(text: string): IpAddress | null {
  if (!text.includes(':')) return parse4(text);
  const value = parse6(text.split('%', 1)[0] as string);
  if (value === null) return null;
  return value >> 32n === 0xffffn ? { bits: 32, value: value & 0xffff_ffffn } : { bits: 128, value };
}

/** Equal for two spellings of one address; the text itself where it is none. */
export function addressKey(text: string): string {
  const address = parseAddress(text);
  return address === null ? text.toLowerCase() : `${String(address.bits)}/${String(address.value)}`;
}

/** Whether `10.0.0.0/8` or `2001:db8::/32` holds the address. */
export function isInNetwork(cidr: string, address: IpAddress): boolean {
  const [base = '', length = ''] = cidr.split('/');
  const network = parseAddress(base);
  if (network === null || network.bits !== address.bits) return false;
  const hostBits = BigInt(network.bits - Number(length));
  return network.value >> hostBits === address.value >> hostBits;
}

function parse4(text: string): IpAddress | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return null;
  return { bits: 32, value: parts.reduce((value, part) => value * 256n + BigInt(part), 0n) };
}

function parse6(text: string): bigint | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = halves.map(groupsOf);
  if (head === undefined || head === null || tail === null) return null;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array<number>(missing).fill(0), ...(tail ?? [])];
  return groups.reduce((value, group) => value * 65_536n + BigInt(group), 0n);
}

/** The 16-bit groups of one side of `::`; an IPv4 address at the end is two of them. */
function groupsOf(text: string): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  for (const part of text.split(':')) {
    const four = part.includes('.') ? parse4(part) : null;
    if (four !== null) groups.push(Number(four.value >> 16n), Number(four.value & 0xffffn));
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}
