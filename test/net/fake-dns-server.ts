import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { decode, encode } from 'dns-packet';
import type { Answer, DecodedPacket, Packet } from 'dns-packet';

export interface Asked {
  readonly packet: DecodedPacket;
  readonly bytes: Buffer;
  readonly clientPort: number;
}

export interface FakeDnsServer extends AsyncDisposable {
  readonly port: number;
  readonly overUdp: readonly Asked[];
  readonly overTcp: readonly Asked[];
}

export interface FakeDnsConduct {
  readonly udp?: (asked: Asked, send: (bytes: Uint8Array) => void) => void;
  readonly tcp?: (asked: Asked, socket: Socket) => void;
}

/** A server on UDP and TCP at one port of `host`, which does whatever the test says. */
export async function startFakeDns(
  conduct: FakeDnsConduct,
  at: { host?: string; port?: number } = {},
): Promise<FakeDnsServer> {
  const { host = '127.0.0.1', port: wantedPort = 0 } = at;
  const [overUdp, overTcp]: [Asked[], Asked[]] = [[], []];
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.once('data', (frame: Buffer) => {
      const bytes = frame.subarray(2);
      const asked = { packet: decode(bytes), bytes, clientPort: socket.remotePort ?? 0 };
      overTcp.push(asked);
      conduct.tcp?.(asked, socket);
    });
  });
  tcp.listen(wantedPort, host);
  await once(tcp, 'listening');
  const address = tcp.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const { port } = address;
  const udp = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  udp.on('message', (bytes, { port: clientPort, address: clientAddress }) => {
    const asked = { packet: decode(bytes), bytes, clientPort };
    overUdp.push(asked);
    conduct.udp?.(asked, (reply) => udp.send(reply, clientPort, clientAddress));
  });
  try {
    udp.bind(port, host);
    await once(udp, 'listening');
  } catch (error) {
    udp.close();
    tcp.close();
    if (wantedPort !== 0) throw error;
    // Free on TCP, and some other socket's on UDP: another port.
    return startFakeDns(conduct, at);
  }
  return {
    port,
    overUdp,
    overTcp,
    async [Symbol.asyncDispose]() {
      udp.close();
      for (const socket of sockets) socket.destroy();
      tcp.close();
      await once(tcp, 'close');
    },
  };
}

/** A reply to what was asked; `rcode` is 0 to 15. */
export function replyTo(asked: Asked, packet: Packet & { readonly rcode?: number } = {}): Buffer {
  const { id, questions } = asked.packet;
  const flags = (packet.flags ?? 0) | (packet.rcode ?? 0);
  return encode({
    type: 'response',
    ...(id !== undefined && { id }),
    ...(questions && { questions }),
    ...packet,
    flags,
  });
}

export function addressRecord(asked: Asked, data: string, ttl = 60): Answer {
  return { name: asked.packet.questions?.[0]?.name ?? '.', type: data.includes(':') ? 'AAAA' : 'A', ttl, data };
}

export function framed(message: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.of(message.length >> 8, message.length & 0xff), message]);
}
