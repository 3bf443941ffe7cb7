import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answersOn } from './answers-on.ts';
import { programPath } from './installed.ts';
import { startProcess } from './own-process.ts';
import { freePorts } from './ports.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

export interface NamedResolver extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
}

/** bind9 as a resolver that caches and asks one authority for everything. */
export async function startNamedResolver({
  zone,
  authority,
  from = '127.0.0.1',
  more = [],
}: {
  readonly zone: string;
  readonly authority: { readonly address: string; readonly port: number };
  /** The address that it asks from. */
  readonly from?: string;
  /** More lines of `options`: `min-cache-ttl 7;`. */
  readonly more?: readonly string[];
}): Promise<NamedResolver> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await makeTemporaryFolder()).path;
  const address = '127.0.0.1';
  const [port = 0] = await freePorts(1);
  const lines = [
    'options {',
    `directory "${folder}"; pid-file "named.pid"; session-keyfile "session.key";`,
    `listen-on port ${port} { ${address}; }; listen-on-v6 { none; };`,
    'recursion yes; dnssec-validation no; notify no; empty-zones-enable no; qname-minimization off;',
    `forward only; forwarders { ${authority.address} port ${authority.port}; }; query-source address ${from};`,
    ...more,
    '};',
    'controls { };',
    'logging { channel log { stderr; severity info; print-time yes; }; category default { log; }; };',
    '',
  ];
  await writeFile(join(folder, 'named.conf'), lines.join('\n'));
  const args = ['-f', '-n', '1', '-c', join(folder, 'named.conf')];
  const server = stack.use(startProcess(programPath('named'), args, { logPath: join(folder, 'output.log') }));
  await answersOn({ title: 'named', server, address, port, zone });
  const kept = stack.move();
  return { address, port, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
