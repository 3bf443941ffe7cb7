import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Above what services use, below Linux's ephemeral ports (32768), so that no outgoing connection takes them. */
const portMin = 20_001;
const portMax = 32_000;
const chosen = new Set<number>();

/** That many ports, free for TCP and UDP on every address: both sides of a cutover listen on the same port. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = portMin + Math.floor(Math.random() * (portMax - portMin + 1));
    if (chosen.has(port) || !(await isFree(port))) continue;
    chosen.add(port);
    ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const tcp = createServer();
  const udp = createSocket('udp4');
  try {
    tcp.listen({ port, host: '0.0.0.0', exclusive: true });
    await once(tcp, 'listening');
    udp.bind({ port, address: '0.0.0.0', exclusive: true });
    await once(udp, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    tcp.close();
    udp.close();
  }
}
