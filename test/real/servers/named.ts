import { execFile } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { programPath } from './installed.ts';
import { readNamedLog, type NamedEvent } from './named-log.ts';
import { startProcess } from './own-process.ts';
import { freePorts } from './ports.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';
import { waitUntil } from './wait-until.ts';

const run = promisify(execFile);

export interface Named extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  readonly zone: string;
  /** Lines of nsupdate, sent as one message: all of them or none happen. Returns when the server has confirmed. */
  update(...lines: readonly string[]): Promise<void>;
  /** Replaces all A records of the name in one message. */
  setAddresses(name: string, addresses: readonly string[], ttlS: number): Promise<void>;
  /** The lines that would do so, for a script: `nsupdate` reads them from stdin. */
  switchLines(name: string, addresses: readonly string[], ttlS: number): readonly string[];
  /** All it was asked and told to change until now. */
  log(): Promise<readonly NamedEvent[]>;
  pause(): void;
  resume(): void;
}

/**
 * bind9 as the authority of one zone, open to updates from this machine. It listens only on addresses that an interface
 * really has: 127.0.0.1, or what `addLoopbackAddress` added.
 */
export async function startNamed({
  zone,
  records,
  address = '127.0.0.1',
  absenceS = { ttl: 5, minimum: 5 },
}: {
  /** Without a dot at its end. */
  readonly zone: string;
  /** Lines of the zone file: `shop 5 A 127.0.1.1`. */
  readonly records: readonly string[];
  readonly address?: string;
  /** Of the SOA: for how long "there is none" may be remembered is the lesser of the two. */
  readonly absenceS?: { readonly ttl: number; readonly minimum: number };
}): Promise<Named> {
  const folder = await makeTemporaryFolder();
  const [port = 0] = await freePorts(1);
  const soa = `@ ${absenceS.ttl} SOA ns hostmaster 1 3600 600 86400 ${absenceS.minimum}\n@ 5 NS ns\nns 5 A ${address}\n`;
  await writeFile(join(folder.path, 'zone'), `$ORIGIN ${zone}.\n${soa}${records.join('\n')}\n`);
  await writeFile(join(folder.path, 'named.conf'), namedConf({ folder: folder.path, address, port, zone }));
  const server = startProcess(programPath('named'), ['-f', '-n', '1', '-c', join(folder.path, 'named.conf')], {
    logPath: join(folder.path, 'output.log'),
  });
  const dispose = async (): Promise<void> => {
    await server[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  };

  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`${address}:${port}`]);
  try {
    await waitUntil(`named answers for ${zone}`, async () => {
      if (!server.isRunning) throw new Error(`named ended: ${server.output()}`);
      return resolver.resolveSoa(zone).catch(() => null);
    });
  } catch (error) {
    await dispose();
    throw error;
  }

  const update = async (...lines: readonly string[]): Promise<void> => {
    const text = [`server ${address} ${port}`, `zone ${zone}`, ...lines, 'send', ''].join('\n');
    const nsupdate = run(programPath('nsupdate'), ['-t', '5']);
    nsupdate.child.stdin?.end(text);
    await nsupdate;
  };
  const setLines = (name: string, addresses: readonly string[], ttlS: number): readonly string[] => [
    `update delete ${name}. A`,
    ...addresses.map((one) => `update add ${name}. ${ttlS} A ${one}`),
  ];
  return {
    address,
    port,
    zone,
    update,
    setAddresses: (name, addresses, ttlS) => update(...setLines(name, addresses, ttlS)),
    switchLines: (name, addresses, ttlS) => [
      `server ${address} ${port}`,
      `zone ${zone}`,
      ...setLines(name, addresses, ttlS),
      'send',
    ],
    log: async () => readNamedLog(await readFile(join(folder.path, 'questions.log'), 'utf8')),
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    [Symbol.asyncDispose]: dispose,
  };
}

function namedConf(given: {
  readonly folder: string;
  readonly address: string;
  readonly port: number;
  readonly zone: string;
}): string {
  return `
options {
  directory "${given.folder}";
  pid-file "named.pid";
  session-keyfile "session.key";
  listen-on port ${given.port} { ${given.address}; };
  listen-on-v6 { none; };
  recursion no;
  notify no;
  dnssec-validation no;
  minimal-responses yes;
};
controls { };
logging {
  channel log { stderr; severity info; print-time yes; };
  category default { log; };
  channel questions { file "questions.log"; severity info; print-time iso8601-utc; };
  category queries { questions; };
  category update { questions; };
};
zone "${given.zone}" { type primary; file "zone"; allow-update { 127.0.0.0/8; }; };
`;
}
