import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { userError } from '../core/errors.ts';
import { hostText, type ListenAddress } from './listen-address.ts';

/** Listens there and returns the port; that it may not is the user's to mend. */
export function portOf(server: Server, { address, port }: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      reject(userError(`--listen ${hostText(address)}:${String(port)}`, reasonWords[code ?? ''] ?? message));
    });
    server.listen(port, address, () => resolve((server.address() as AddressInfo).port));
  });
}

const reasonWords: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use: name another, or none for any that is free',
  EADDRNOTAVAIL: 'is no address of this machine',
  EACCES: 'may not be listened at: ports below 1024 are for root',
};
