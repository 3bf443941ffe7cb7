import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { decodeAsked, encodeServed, questionOf } from '../../../src/wire/dns-serving.ts';
import { absentMs, ttlS, zone } from './script.ts';

export interface FlipDns {
  /** From now on every name leads to this address. */
  flipTo(address: string): void;
}

/**
 * The authoritative server of whatever is in `zone`: one address of IPv4 and nothing else. Browsers ask
 * for names of their own, too: those do not exist.
 */
export async function startFlipDns(
  at: string,
  { address, onAsked }: { readonly address: string; readonly onAsked: (name: string, atMs: number) => void },
): Promise<FlipDns> {
  let current = address;
  const firstMs = new Map<string, number>();
  const socket = createSocket('udp4');
  socket.on('message', (bytes, from) => {
    const asked = decodeAsked(bytes);
    if (asked === null) return;
    const { name, type } = questionOf(asked);
    const atMs = Date.now();
    const isOurs = name.endsWith(`.${zone}`);
    if (isOurs && type === 'A') {
      if (!firstMs.has(name)) firstMs.set(name, atMs);
      onAsked(name, atMs);
    }
    const isAbsent = !isOurs || (name.startsWith('absent-') && atMs - (firstMs.get(name) ?? atMs) < absentMs);
    const isAnswered = type === 'A' && !isAbsent;
    const served = {
      rcode: isAbsent ? ('NXDOMAIN' as const) : ('NOERROR' as const),
      authoritative: true,
      recursionAvailable: true,
      ede: 0,
      answers: isAnswered ? [{ name, type: 'A', ttlS, data: current }] : [],
      authority: isAnswered
        ? []
        : [{ name: zone, type: 'SOA', ttlS: 1, data: `ns.${zone} admin.${zone} 1 7200 900 86400 1` }],
    };
    socket.send(encodeServed(asked, served, 'udp'), from.port, from.address);
  });
  socket.bind(53, at);
  await once(socket, 'listening');
  return {
    flipTo: (next) => {
      current = next;
    },
  };
}
