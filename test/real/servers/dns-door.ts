import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { decodeAsked } from '../../../src/wire/dns-serving.ts';
import { freePorts } from './ports.ts';

export interface DnsDoor extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** How often this client address has asked for one of the names while the door was open. */
  countFrom(client: string, names: readonly string[]): number;
  /** From now on the port is closed: who asks is told so at once (ICMP), as when a server has died. */
  shut(): Promise<void>;
  /** From now on questions are lost. */
  silence(): void;
  open(): Promise<void>;
}

/**
 * A way to a DNS server over UDP that counts who asks for what, and can be shut and opened again. The server sees questions
 * come from the address of whoever asked.
 */
export async function startDnsDoor(to: { readonly address: string; readonly port: number }): Promise<DnsDoor> {
  const address = '127.0.0.1';
  const [port = 0] = await freePorts(1);
  const asked: { readonly client: string; readonly name: string }[] = [];
  const onwards = new Set<Socket>();
  let door: Socket | null = null;
  let isSilent = false;

  function drop(onward: Socket): void {
    if (onwards.delete(onward)) onward.close();
  }

  async function open(): Promise<void> {
    isSilent = false;
    if (door !== null) return;
    const socket = createSocket('udp4');
    socket.on('message', (query, client) => {
      if (isSilent) return;
      asked.push({ client: client.address, name: decodeAsked(query)?.name.toLowerCase() ?? '' });
      const onward = createSocket('udp4');
      onwards.add(onward);
      onward.once('error', () => drop(onward));
      onward.once('message', (reply) => {
        drop(onward);
        if (door === socket) socket.send(reply, client.port, client.address);
      });
      onward.bind({ address: client.address, exclusive: true }, () => onward.send(query, to.port, to.address));
    });
    socket.bind(port, address);
    await once(socket, 'listening');
    door = socket;
  }

  async function shut(): Promise<void> {
    const socket = door;
    door = null;
    for (const onward of onwards) drop(onward);
    if (socket === null) return;
    socket.close();
    await once(socket, 'close');
  }

  await open();
  return {
    address,
    port,
    countFrom: (client, names) => asked.filter((one) => one.client === client && names.includes(one.name)).length,
    shut,
    silence: () => {
      isSilent = true;
    },
    open,
    [Symbol.asyncDispose]: shut,
  };
}
