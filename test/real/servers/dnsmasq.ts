import { join } from 'node:path';
import { answersOn } from './answers-on.ts';
import { programPath } from './installed.ts';
import { startProcess } from './own-process.ts';
import { freePorts } from './ports.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

export interface Dnsmasq extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
}

/** dnsmasq, the cache of many routers: it forwards what it does not know to one server. */
export async function startDnsmasq({
  zone,
  authority,
  from = '127.0.0.1',
  more = [],
}: {
  readonly zone: string;
  readonly authority: { readonly address: string; readonly port: number };
  /** The address that it asks from. */
  readonly from?: string;
  /** More options: `--min-cache-ttl=7`. */
  readonly more?: readonly string[];
}): Promise<Dnsmasq> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await makeTemporaryFolder()).path;
  const address = '127.0.0.1';
  const [port = 0] = await freePorts(1);
  const args = [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--log-facility=-',
    '--no-resolv',
    '--no-hosts',
    '--no-poll',
    '--user=',
    `--pid-file=${join(folder, 'dnsmasq.pid')}`,
    `--port=${port}`,
    `--listen-address=${address}`,
    '--bind-interfaces',
    `--server=${authority.address}#${authority.port}@${from}`,
    ...more,
  ];
  const server = stack.use(startProcess(programPath('dnsmasq'), args, { logPath: join(folder, 'output.log') }));
  await answersOn({ title: 'dnsmasq', server, address, port, zone });
  const kept = stack.move();
  return { address, port, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
