import { execFile } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { findProgram } from './installed.ts';

const run = promisify(execFile);

/**
 * Gives the loopback interface an address until disposed. All of 127.0.0.0/8 can be connected to anyway, but bind9
 * listens only on addresses that an interface really has. Needs root.
 */
export async function addLoopbackAddress(address: string): Promise<AsyncDisposable> {
  const isThere = Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === address));
  if (isThere) return { [Symbol.asyncDispose]: async () => {} };
  const ip = findProgram('ip');
  if (ip === null) throw new Error('ip is not installed; on Debian: apt-get install iproute2');
  await run(ip, ['addr', 'add', `${address}/32`, 'dev', 'lo']);
  return {
    [Symbol.asyncDispose]: async () => {
      await run(ip, ['addr', 'del', `${address}/32`, 'dev', 'lo']);
    },
  };
}
