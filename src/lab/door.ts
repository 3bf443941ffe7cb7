/**
 * A listening TCP socket at one address of the world. While it is shut, the kernel refuses connections there, unless a
 * mute listener has taken its place; connections that were open stay so.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Listening } from './listening.ts';

export interface Door extends Listening {
  /** 0 before it listened. */
  readonly port: number;
  /** The world refuses here from now on, or no longer does. */
  refuse(isRefusing: boolean): void;
  /** A mute listener stands in its place. Resolves when it is so. */
  mute(isMuted: boolean): Promise<void>;
}

const connectionCountMax = 4096;

/** Two sockets may listen at one port, so that none is refused while one takes the other's place. */
export const isReusable: boolean = process.platform === 'linux';

export function newDoor(address: string, accept: (socket: Socket) => void): Door {
  let server: Server | null = null;
  let port = 0;
  let isRefusing = false;
  let isMuted = false;

  function open(): Promise<number> {
    const opened = createServer({ noDelay: true, allowHalfOpen: true }, accept);
    opened.maxConnections = connectionCountMax;
    server = opened;
    return new Promise((resolve, reject) => {
      opened.once('error', reject);
      opened.listen({ port, host: address, exclusive: true, reusePort: isReusable }, () => {
        resolve((opened.address() as AddressInfo).port);
      });
    });
  }

  function shut(): void {
    server?.close();
    server = null;
  }

  async function settle(): Promise<void> {
    const isOpen = !isRefusing && !isMuted;
    if (isOpen && server === null) await open();
    if (!isOpen) shut();
  }

  return {
    address,
    get port() {
      return port;
    },
    async listen(wanted) {
      port = wanted;
      port = await open();
      return port;
    },
    refuse(wanted) {
      isRefusing = wanted;
      void settle();
    },
    mute(wanted) {
      isMuted = wanted;
      return settle();
    },
    close() {
      shut();
      return Promise.resolve();
    },
  };
}
