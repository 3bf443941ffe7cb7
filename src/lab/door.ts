/**
 * A listening TCP socket at one address of the world. While the world refuses connections there it is closed, so that the
 * kernel refuses them; connections that were open stay so.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Listening } from './listening.ts';

export interface Door extends Listening {
  /** Open or closed from now on, at the port it had. */
  set(isOpen: boolean): void;
}

const connectionCountMax = 4096;

export function newDoor(address: string, accept: (socket: Socket) => void): Door {
  let server: Server | null = null;
  let port = 0;

  function open(): Promise<number> {
    const opened = createServer({ noDelay: true, allowHalfOpen: true }, accept);
    opened.maxConnections = connectionCountMax;
    server = opened;
    return new Promise((resolve, reject) => {
      opened.once('error', reject);
      opened.listen({ port, host: address, exclusive: true }, () => resolve((opened.address() as AddressInfo).port));
    });
  }

  function shut(): void {
    server?.close();
    server = null;
  }

  return {
    address,
    async listen(wanted) {
      port = wanted;
      port = await open();
      return port;
    },
    set(isOpen) {
      if (isOpen === (server !== null)) return;
      if (isOpen) void open();
      else shut();
    },
    close() {
      shut();
      return Promise.resolve();
    },
  };
}
