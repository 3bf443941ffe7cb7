import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { Resolver } from 'node:dns/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { programPath } from './installed.ts';
import { startProcess } from './own-process.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';
import { waitUntil } from './wait-until.ts';

const run = promisify(execFile);

export interface NamedZones extends AsyncDisposable {
  /** Lines of nsupdate about one zone, as one message. Returns when the server has confirmed. */
  update(zone: string, ...lines: readonly string[]): Promise<void>;
}

/** bind9 as the authority of some zones, each with a zone file of its own, open to updates from this machine. */
export async function startNamedZones({
  address,
  port,
  name,
  zones,
}: {
  readonly address: string;
  readonly port: number;
  /** What it says of itself by NSID. */
  readonly name: string;
  /** By zone, lines of the zone file after its SOA. */
  readonly zones: Readonly<Record<string, readonly string[]>>;
}): Promise<NamedZones> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await makeTemporaryFolder()).path;
  const clauses: string[] = [];
  for (const [zone, records] of Object.entries(zones)) {
    const text = [`$ORIGIN ${zone}.`, '$TTL 300', '@ 37 SOA ns hostmaster 4711 3600 600 86400 19', ...records, ''];
    await writeFile(join(folder, zone), text.join('\n'));
    clauses.push(`zone "${zone}" { type primary; file "${zone}"; allow-update { 127.0.0.0/8; }; };`);
  }
  const conf = [
    'options {',
    `directory "${folder}"; pid-file "named.pid"; session-keyfile "session.key"; server-id "${name}";`,
    `listen-on port ${port} { ${address}; }; listen-on-v6 { none; };`,
    'recursion no; notify no; dnssec-validation no; minimal-responses yes; empty-zones-enable no;',
    '};',
    'controls { };',
    'logging { channel log { stderr; severity info; print-time yes; }; category default { log; }; };',
    ...clauses,
    '',
  ];
  await writeFile(join(folder, 'named.conf'), conf.join('\n'));
  const args = ['-f', '-n', '1', '-c', join(folder, 'named.conf')];
  const server = stack.use(startProcess(programPath('named'), args, { logPath: join(folder, 'output.log') }));
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`${address}:${port}`]);
  await waitUntil(`named ${name} answers`, () => {
    if (!server.isRunning) throw new Error(`named ended: ${server.output()}`);
    // One without zones refuses, and that is an answer.
    const isUp = ({ code }: NodeJS.ErrnoException): boolean => code !== 'ETIMEOUT' && code !== 'ECONNREFUSED';
    return resolver.resolveSoa('example').then(() => true, isUp);
  });
  const kept = stack.move();
  return {
    async update(zone, ...lines) {
      const nsupdate = run(programPath('nsupdate'), ['-t', '5']);
      nsupdate.child.stdin?.end([`server ${address} ${port}`, `zone ${zone}`, ...lines, 'send', ''].join('\n'));
      await nsupdate;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
