import { createSocket } from 'node:dgram';
import type { DnsQuestion } from '../../../src/core/ports.ts';
import { decodeReply, encodeQuery, type DnsAnswer } from '../../../src/wire/dns-message.ts';

/** One question over UDP, sent once, whatever becomes of it. `null`: no answer in time. */
export function askPlainly(
  server: { readonly address: string; readonly port: number },
  question: DnsQuestion,
  withinMs: number,
): Promise<DnsAnswer | null> {
  const query = encodeQuery({ ...question, id: Math.floor(Math.random() * 0x1_0000), recursionDesired: true });
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    const end = (answer: DnsAnswer | null): void => {
      clearTimeout(timer);
      socket.removeAllListeners().close();
      resolve(answer);
    };
    const timer = setTimeout(() => end(null), withinMs);
    socket.on('error', () => end(null));
    socket.on('message', (bytes) => {
      const reply = decodeReply(bytes, query);
      if (reply.kind === 'answered') end(reply);
    });
    socket.send(query, server.port, server.address);
  });
}
