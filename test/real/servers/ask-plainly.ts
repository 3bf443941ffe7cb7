import { createSocket } from 'node:dgram';
import type { DnsQuestion } from '../../../src/core/ports.ts';
import { decodeReply, encodeQuery, type DnsAnswer } from '../../../src/wire/dns-message.ts';

/**
 * One question over UDP, sent once, spelled as it is: dnsmasq 2.90 keeps "there is none" only of names that are spelled as
 * their zone is, so that the random case of our own DNS port would be seen in what it caches. `null`: no answer in time.
 */
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
