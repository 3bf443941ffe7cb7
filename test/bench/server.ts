/** The nginx that every tool is measured against: one worker, an answer of three bytes, counters, and a log of arrivals. */
import { open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { programPath } from '../real/servers/installed.ts';
import { makeOwnCertificate } from '../real/servers/own-certificate.ts';
import { readProc, startProcess } from '../real/servers/own-process.ts';
import { freePorts } from '../real/servers/ports.ts';
import { waitUntil } from '../real/servers/wait-until.ts';

export interface Server extends AsyncDisposable {
  /** Without a log of any kind. */
  readonly quietUrl: string;
  /** Its arrivals are logged. */
  readonly url: string;
  readonly tlsUrl: string;
  readonly tlsQuietUrl: string;
  /** Its certificate is its own issuer. */
  readonly caPath: string;
  readonly pids: readonly number[];
  /** Requests answered so far, without those that asked for this number. */
  answeredCount(): Promise<number>;
  /** When each request arrived since the last call, ms since 1970, in order. */
  takeArrivalsMs(): Promise<Float64Array>;
}

const address = '127.0.1.1';
const logName = 'arrivals.log';
/** nginx keeps log lines back for so long. */
const logFlushMs = 1000;

export async function startServer(folder: string): Promise<Server> {
  const [port = 0, quietPort = 0, tlsPort = 0, tlsQuietPort = 0, statusPort = 0] = await freePorts(5);
  const certificatePath = join(folder, 'server.pem');
  const keyPath = join(folder, 'server.key');
  await makeOwnCertificate(certificatePath, keyPath, [`IP:${address}`]);
  const confPath = join(folder, 'nginx.conf');
  await writeFile(
    confPath,
    [
      ...(process.getuid?.() === 0 ? ['user root root;'] : []),
      'daemon off;',
      'worker_processes 1;',
      'worker_rlimit_nofile 65536;',
      'pid nginx.pid;',
      'error_log error.log error;',
      'events { worker_connections 16384; }',
      'http {',
      ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${kind};`),
      'default_type text/plain;',
      // The default closes a connection after 1,000 requests; here "kept" is to mean kept.
      'keepalive_requests 1000000000;',
      'keepalive_timeout 1h;',
      // A new connection is a whole handshake, for every tool.
      'ssl_session_cache off;',
      'ssl_session_tickets off;',
      `ssl_certificate ${certificatePath};`,
      `ssl_certificate_key ${keyPath};`,
      'ssl_protocols TLSv1.2 TLSv1.3;',
      "log_format arrival '$msec';",
      ...serverBlock(`${port}`, `${logName} arrival buffer=256k flush=${logFlushMs}ms`),
      ...serverBlock(`${quietPort}`, 'off'),
      ...serverBlock(`${tlsPort} ssl`, `${logName} arrival buffer=256k flush=${logFlushMs}ms`),
      ...serverBlock(`${tlsQuietPort} ssl`, 'off'),
      `server { listen ${address}:${statusPort}; access_log off; location / { stub_status; } }`,
      '}',
      '',
    ].join('\n'),
  );
  const args = ['-p', folder, '-c', confPath, '-e', join(folder, 'error.log')];
  const nginx = startProcess(programPath('nginx'), args, {
    logPath: join(folder, 'output.log'),
    orphanSignal: 'TERM',
  });
  const statusUrl = `http://${address}:${statusPort}/`;
  const logPath = join(folder, logName);
  let askedCount = 0;
  let readTo = 0;

  async function answeredCount(): Promise<number> {
    askedCount += 1;
    const text = await (await fetch(statusUrl)).text();
    const [, , requests = 0] = /^ *(\d+) +(\d+) +(\d+) *$/m.exec(text)?.slice(1).map(Number) ?? [];
    return requests - askedCount;
  }

  await waitUntil('the bench server answers', async () => {
    if (!nginx.isRunning) throw new Error(`nginx ended: ${nginx.output()}`);
    return fetch(statusUrl).then(
      () => true,
      () => false,
    );
  });
  askedCount += 1;
  return {
    url: `http://${address}:${port}/ready`,
    quietUrl: `http://${address}:${quietPort}/ready`,
    tlsUrl: `https://${address}:${tlsPort}/ready`,
    tlsQuietUrl: `https://${address}:${tlsQuietPort}/ready`,
    caPath: certificatePath,
    get pids() {
      const workers = readProc(nginx.pid, `task/${nginx.pid}/children`) ?? '';
      return [nginx.pid, ...workers.split(' ').filter(Boolean).map(Number)];
    },
    answeredCount,
    async takeArrivalsMs() {
      await sleepMs(logFlushMs * 1.5);
      const { size } = await stat(logPath);
      const text = Buffer.alloc(size - readTo);
      const file = await open(logPath);
      await file.read(text, 0, text.length, readTo);
      await file.close();
      readTo = size;
      const lines = text.toString('latin1').split('\n');
      return Float64Array.from(lines.slice(0, -1), (line) => Number(line) * 1000);
    },
    [Symbol.asyncDispose]: () => nginx.stop('SIGTERM'),
  };
}

function serverBlock(port: string, log: string): readonly string[] {
  return [
    'server {',
    `listen ${address}:${port} backlog=4096;`,
    `access_log ${log};`,
    'location / { return 200 "ok\\n"; }',
    '}',
  ];
}
