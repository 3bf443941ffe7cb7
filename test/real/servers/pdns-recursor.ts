import { join } from 'node:path';
import { answersOn } from './answers-on.ts';
import { programPath } from './installed.ts';
import { startProcess } from './own-process.ts';
import { freePorts } from './ports.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

export interface PdnsRecursor extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
}

/** PowerDNS Recursor, as it comes: behind its cache of records, and with its cache of whole answers before that. */
export async function startPdnsRecursor({
  zone,
  authority,
  from = '127.0.0.1',
  more = [],
}: {
  readonly zone: string;
  readonly authority: { readonly address: string; readonly port: number };
  /** The address that it asks from. */
  readonly from?: string;
  /** More options: `--minimum-ttl-override=7`. */
  readonly more?: readonly string[];
}): Promise<PdnsRecursor> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await makeTemporaryFolder()).path;
  const address = '127.0.0.1';
  const [port = 0] = await freePorts(1);
  const args = [
    // Nothing of what Debian has configured.
    `--config-dir=${folder}`,
    `--socket-dir=${folder}`,
    '--daemon=no',
    '--write-pid=no',
    '--disable-syslog',
    '--setuid=',
    '--setgid=',
    '--threads=1',
    `--local-address=${address}`,
    `--local-port=${port}`,
    `--query-local-address=${from}`,
    '--dont-query=',
    `--forward-zones=${zone}=${authority.address}:${authority.port}`,
    '--hint-file=no',
    '--dnssec=off',
    '--security-poll-suffix=',
    ...more,
  ];
  const server = stack.use(startProcess(programPath('pdns_recursor'), args, { logPath: join(folder, 'output.log') }));
  await answersOn({ title: 'pdns_recursor', server, address, port, zone });
  const kept = stack.move();
  return { address, port, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
