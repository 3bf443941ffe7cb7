import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answersOn } from './answers-on.ts';
import { programPath } from './installed.ts';
import { startProcess } from './own-process.ts';
import { freePorts } from './ports.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

export interface Dnsdist extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
}

/** dnsdist: one address before several resolvers, which it asks in turn. */
export async function startDnsdist({
  zone,
  resolvers,
  more = [],
}: {
  readonly zone: string;
  readonly resolvers: readonly { readonly address: string; readonly port: number }[];
  /** More lines of its configuration: `getPool(""):setCache(newPacketCache(100))`. */
  readonly more?: readonly string[];
}): Promise<Dnsdist> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await makeTemporaryFolder()).path;
  const address = '127.0.0.1';
  const [port = 0] = await freePorts(1);
  const lines = [
    `setLocal("${address}:${port}")`,
    'setACL("127.0.0.0/8")',
    'setServerPolicy(roundrobin)',
    'setSecurityPollSuffix("")',
    // It asks each whether it is up, and shall not ask for a name of the test.
    ...resolvers.map((one) => `newServer({address="${one.address}:${one.port}", checkName="ns.${zone}."})`),
    ...more,
    '',
  ];
  const path = join(folder, 'dnsdist.conf');
  await writeFile(path, lines.join('\n'));
  const args = ['--supervised', '--disable-syslog', '-C', path];
  const server = stack.use(startProcess(programPath('dnsdist'), args, { logPath: join(folder, 'output.log') }));
  await answersOn({ title: 'dnsdist', server, address, port, zone });
  const kept = stack.move();
  return { address, port, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
