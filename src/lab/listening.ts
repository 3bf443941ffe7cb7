/** Sockets of the lab: the same port at each of several loopback addresses, so that one number fits all of a URL's. */
import { userError } from '../core/errors.ts';

export interface Listening {
  readonly address: string;
  /** Port 0: the kernel chooses. Returns the port; rejects with Node's error. */
  listen(port: number): Promise<number>;
  close(): Promise<void>;
}

/** The kernel promises a port at one address; at the next, somebody else may have it. */
const attemptCountMax = 20;

/** All or none listen; returns the port. */
export async function listenOnOnePort(listenings: readonly Listening[]): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const opened: Listening[] = [];
    let port = 0;
    try {
      for (const one of listenings) {
        opened.push(one);
        port = await one.listen(port);
      }
      return port;
    } catch (error) {
      await Promise.all(opened.map((one) => one.close()));
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE' && port !== 0 && attempt < attemptCountMax) continue;
      throw whyNot(error as NodeJS.ErrnoException, listenings);
    }
  }
}

/** On macOS only 127.0.0.1 is there; the others are a line each away. */
function whyNot(error: NodeJS.ErrnoException, listenings: readonly Listening[]): Error {
  if (error.syscall === undefined) return error;
  const addresses = [...new Set(listenings.map(({ address }) => address))].toSorted();
  const where = addresses[0] ?? 'lab';
  if (error.code !== 'EADDRNOTAVAIL') return userError(where, `the lab cannot listen here (${error.code})`);
  const loop = `for a in ${addresses.join(' ')}; do sudo ifconfig lo0 alias $a; done`;
  return userError(where, `this machine has no such loopback address; on macOS these come with:\n  ${loop}`);
}
