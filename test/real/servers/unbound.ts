import { Resolver } from 'node:dns/promises';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { programPath } from './installed.ts';
import { startProcess } from './own-process.ts';
import { freePorts } from './ports.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';
import { waitUntil } from './wait-until.ts';

export interface Unbound extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  pause(): void;
  resume(): void;
}

/**
 * unbound as the recursive resolver that clients ask. It caches as a resolver does and asks the authority of the zone
 * directly. With `cacheTtlSMin` it breaks the TTL on purpose, as some resolvers do.
 */
export async function startUnbound({
  zone,
  authorities,
  cacheTtlSMin = 0,
  more = [],
}: {
  readonly zone: string;
  readonly authorities: readonly { readonly address: string; readonly port: number }[];
  readonly cacheTtlSMin?: number;
  /** More lines of the `server:` clause: `serve-expired: yes`. */
  readonly more?: readonly string[];
}): Promise<Unbound> {
  const folder = await makeTemporaryFolder();
  const address = '127.0.0.1';
  const [port = 0] = await freePorts(1);
  const lines = [
    'server:',
    `directory: "${folder.path}"`,
    'chroot: ""',
    'username: ""',
    `pidfile: "${join(folder.path, 'unbound.pid')}"`,
    'do-daemonize: no',
    'use-syslog: no',
    'logfile: ""',
    'num-threads: 1',
    `interface: ${address}@${port}`,
    'do-ip6: no',
    'access-control: 127.0.0.0/8 allow',
    'do-not-query-localhost: no',
    'module-config: "iterator"',
    // unbound answers for test. itself, as RFC 6761 asks, unless told not to.
    `local-zone: "${zone}." transparent`,
    `cache-min-ttl: ${cacheTtlSMin}`,
    ...more,
    'stub-zone:',
    `name: "${zone}"`,
    ...authorities.map((authority) => `stub-addr: ${authority.address}@${authority.port}`),
    'remote-control:',
    'control-enable: no',
    '',
  ];
  await writeFile(join(folder.path, 'unbound.conf'), lines.join('\n'));
  const server = startProcess(programPath('unbound'), ['-d', '-p', '-c', join(folder.path, 'unbound.conf')], {
    logPath: join(folder.path, 'output.log'),
  });
  const dispose = async (): Promise<void> => {
    await server[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  };

  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`${address}:${port}`]);
  try {
    await waitUntil('unbound answers', async () => {
      if (!server.isRunning) throw new Error(`unbound ended: ${server.output()}`);
      // A name outside the zone, so that nothing is in the cache before the test asks.
      return resolver.resolve4('ready.invalid').catch((error: NodeJS.ErrnoException) => error.code === 'ENOTFOUND');
    });
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    address,
    port,
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    [Symbol.asyncDispose]: dispose,
  };
}
