import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { programPath } from './installed.ts';
import { startProcess } from './own-process.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';
import { waitUntil } from './wait-until.ts';

export interface HaproxyConf {
  readonly address: string;
  readonly port: number;
  /** Each begins without requests. */
  readonly targets: Readonly<Record<string, { readonly address: string; readonly port: number }>>;
}

/** haproxy as an ALB: it sends requests to whom it was told to, whoever is there, and its error pages are the ALB's. */
export interface Haproxy extends AsyncDisposable {
  /** A registered target gets its share of all requests; one that drains gets no new ones. */
  set(target: string, state: 'routable' | 'draining' | 'unused'): Promise<void>;
  /** In the order in which requests ended. */
  accessLog(): readonly HaproxyLine[];
}

export interface HaproxyLine {
  /** When it had come; wall clock, ms since 1970. */
  readonly acceptedAtMs: number;
  readonly client: string;
  /** Its name. */
  readonly target: string;
  /** 502 where it refused. */
  readonly status: number;
  /** Of the header. */
  readonly trace: string;
}

const states = { routable: 'ready', draining: 'drain', unused: 'maint' } as const;

export async function startHaproxy(conf: HaproxyConf): Promise<Haproxy> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await makeTemporaryFolder()).path;
  const confPath = join(folder, 'haproxy.cfg');
  const socketPath = join(folder, 'admin.sock');
  await writeFile(confPath, confText(conf, folder));
  for (const [status, reason] of Object.entries(reasons)) {
    await writeFile(join(folder, `${status}.http`), albPage(status, reason));
  }
  const logPath = join(folder, 'output.log');
  const haproxy = stack.use(startProcess(programPath('haproxy'), ['-db', '-f', confPath], { logPath }));
  const say = async (command: string): Promise<string> => {
    const socket = connect(socketPath);
    socket.end(`${command}\n`);
    return text(socket);
  };
  await waitUntil('haproxy takes commands', async () => {
    if (!haproxy.isRunning) throw new Error(`haproxy ended: ${haproxy.output()}`);
    return (await say('show version').catch(() => '')) !== '';
  });
  const kept = stack.move();
  return {
    set: async (target, state) => {
      const said = await say(`set server targets/${target} state ${states[state]}`);
      if (said.trim() !== '') throw new Error(`haproxy said: ${said}`);
    },
    accessLog: () => haproxy.output().split('\n').flatMap(lineOf),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function lineOf(text: string): HaproxyLine[] {
  const found = /^request (\d+) (\d+) (\S+) (\S+) (\d+) "([^"]*)"$/.exec(text);
  if (found === null) return [];
  const [, acceptedAtS, ms, client = '', target = '', status, trace = ''] = found;
  const said = status === '503' ? 502 : Number(status);
  return [{ acceptedAtMs: Number(acceptedAtS) * 1000 + Number(ms), client, target, status: said, trace }];
}

/** An ALB tries one target, once; it says 502 where that refuses, which haproxy calls 503, and 504 where it is silent for 10 s. */
function confText({ address, port, targets }: HaproxyConf, folder: string): string {
  return [
    'global',
    '  log stdout format raw local0 info',
    `  stats socket ${join(folder, 'admin.sock')} level admin`,
    'defaults',
    '  mode http',
    '  log global',
    '  log-format "request %Ts %ms %ci:%cp %s %ST \\"%[capture.req.hdr(0)]\\""',
    '  timeout client 60s',
    '  timeout connect 10s',
    '  timeout server 60s',
    '  retries 0',
    '  option http-server-close',
    `  errorfile 502 ${join(folder, '502.http')}`,
    `  errorfile 503 ${join(folder, '502.http')}`,
    `  errorfile 504 ${join(folder, '504.http')}`,
    'frontend alb',
    `  bind ${address}:${port}`,
    '  http-request capture req.hdr(X-Amzn-Trace-Id) len 80',
    '  default_backend targets',
    'backend targets',
    '  balance roundrobin',
    ...Object.entries(targets).map(([name, at]) => `  server ${name} ${at.address}:${at.port} disabled`),
    '',
  ].join('\n');
}

const reasons = { '502': 'Bad Gateway', '504': 'Gateway Time-out' } as const;

/** Byte for byte (domain facts C.2). */
function albPage(status: string, reason: string): string {
  const title = `${status} ${reason}`;
  const lines = ['<html>', `<head><title>${title}</title></head>`, '<body>', `<center><h1>${title}</h1></center>`];
  const body = [...lines, '</body>', '</html>', ''].join('\r\n');
  return [
    `HTTP/1.1 ${title}`,
    'Server: awselb/2.0',
    'Content-Type: text/html',
    `Content-Length: ${body.length}`,
    'Connection: keep-alive',
    '',
    body,
  ].join('\r\n');
}
