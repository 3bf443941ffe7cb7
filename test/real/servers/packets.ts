import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './installed.ts';
import { startProcess } from './own-process.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';
import { waitUntil } from './wait-until.ts';

const run = promisify(execFile);
let tableCount = 0;

/**
 * Whether this machine lets us filter packets: nftables and the right to use it. Where not, `startFullListener` is the
 * nearest thing.
 */
export async function canFilterPackets(): Promise<boolean> {
  try {
    await using _filter = await filterPackets('drop', '127.0.0.9', 9);
    return true;
  } catch {
    return false;
  }
}

/**
 * From now until it is disposed, TCP to the address and port gets no answer at all (`drop`), or a RST for each packet
 * (`reset`), on connections that are open too. The table belongs to our `nft` process, and the kernel removes it when
 * that process ends, however we end.
 */
export async function filterPackets(how: 'drop' | 'reset', address: string, port: number): Promise<AsyncDisposable> {
  const path = findProgram('nft');
  if (path === null) throw new Error('nft is not installed');
  tableCount += 1;
  const table = `inet cutwatch_${process.pid}_${tableCount}`;
  const nft = spawn(path, ['-i'], { stdio: ['pipe', 'ignore', 'pipe'] });
  const ended = once(nft, 'exit');
  let complaint = '';
  nft.stderr.on('data', (bytes: Buffer) => (complaint += bytes.toString()));
  const dispose = async (): Promise<void> => {
    nft.stdin.end();
    await ended;
  };

  const deed = how === 'drop' ? 'drop' : 'reject with tcp reset';
  nft.stdin.write(
    [
      `add table ${table} { flags owner; }`,
      `add chain ${table} incoming { type filter hook input priority 0; policy accept; }`,
      `add rule ${table} incoming ip daddr ${address} tcp dport ${port} counter ${deed}`,
      '',
    ].join('\n'),
  );
  try {
    // Asked from another process, since ours holds its output back when it writes to a pipe.
    await waitUntil('nftables has the rule', async () => {
      if (complaint !== '' || nft.exitCode !== null) throw new Error(`nft: ${complaint}`);
      const listed = await run(path, ['list', 'table', ...table.split(' ')]).catch(() => null);
      return listed?.stdout.includes(`dport ${port} counter`);
    });
  } catch (error) {
    await dispose();
    throw error;
  }
  return { [Symbol.asyncDispose]: dispose };
}

/** Listens with the shortest of queues and is then stopped; once the queue is full the kernel drops each SYN. */
const listener = `require('node:net').createServer().listen({ host: process.argv[1], port: Number(process.argv[2]), backlog: 1 });`;

/** A listener that never accepts: connecting to it times out. Nothing else may listen there. */
export async function startFullListener(address: string, port: number): Promise<AsyncDisposable> {
  await using cleanUp = new AsyncDisposableStack();
  const folder = cleanUp.use(await makeTemporaryFolder());
  const logPath = join(folder.path, 'output.log');
  const child = cleanUp.use(startProcess(process.execPath, ['-e', listener, address, String(port)], { logPath }));
  const sockets = cleanUp.adopt<Socket[]>([], (all) => all.forEach((socket) => socket.destroy()));

  const isConnected = (withinMs: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ host: address, port });
      sockets.push(socket);
      const timer = setTimeout(() => resolve(false), withinMs);
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('close', () => clearTimeout(timer));
    });
  await waitUntil('the listener listens', () => {
    if (!child.isRunning) throw new Error(`the listener ended: ${child.output()}`);
    return isConnected(200);
  });
  child.signal('SIGSTOP');
  await waitUntil('its queue is full', async () => !(await isConnected(200)));

  const kept = cleanUp.move();
  return { [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
