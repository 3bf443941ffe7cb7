/**
 * One flip of DNS before real clients at once. Runs in namespaces of its own (`unshare`), where port 53, port 80 and
 * /etc/resolv.conf are nobody else's. Writes a JSON line for each question and each request that arrived, and for the
 * flip.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { createServer, get } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { acceptSalt } from '../../../src/wire/websocket-frame.ts';
import { askPlainly } from '../servers/ask-plainly.ts';
import { startDnsmasq } from '../servers/dnsmasq.ts';
import { startUnbound } from '../servers/unbound.ts';
import { startFlipDns } from './flip-dns.ts';
import { cutAfterMs, ttlS, warmMs, watchedMs, zone, type StageLine } from './script.ts';

const sides = { old: '127.0.1.1', new: '127.0.2.1' } as const;
const nameServer = '127.0.0.53';
const everyMs = 500;

const [folder = '', list = ''] = process.argv.slice(2);
const asked = list.split(',');
const served = new Set<string>();

function say(line: StageLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function seen(client: string, side: 'old' | 'new'): void {
  if (asked.includes(client)) {
    served.add(client);
    say({ type: 'request', client, side, atMs: Date.now() });
  }
}

// ── the two sides ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Asks for `/close` every 500 ms, as a script in a page does. */
const page = `<script>setInterval(() => fetch('/close', { cache: 'no-store' }).catch(() => {}), ${everyMs})</script>`;

/** Of the old side, to be cut. */
const held = new Set<Duplex>();

async function startSide(side: 'old' | 'new'): Promise<void> {
  const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
    const [client = ''] = (request.headers.host ?? '').split('.');
    if (request.url !== '/favicon.ico') seen(client, side);
    // Said by hand, it comes without Node's own hint for how long to keep it: most servers give none.
    response.setHeader('Connection', request.url === '/keep' ? 'keep-alive' : 'close');
    response.setHeader('Content-Type', 'text/html');
    response.end(request.url === '/page' ? page : side);
  });
  server.on('upgrade', (request, socket) => {
    const [client = ''] = (request.headers.host ?? '').split('.');
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${acceptSalt}`).digest('base64');
    const switched = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade';
    socket.write(`${switched}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    seen(client, side);
    // Small messages, each in a packet.
    socket.on('data', () => seen(client, side));
    socket.on('error', () => {});
    if (side === 'old' && client.endsWith('-cut')) held.add(socket);
  });
  server.listen(80, sides[side]);
  await once(server, 'listening');
}

// ── the clients ──────────────────────────────────────────────────────────────────────────────────────────────────────

const children: ChildProcess[] = [];

function run(path: string, ...args: string[]): void {
  children.push(spawn(path, args, { stdio: ['ignore', 'ignore', 'inherit'] }));
}

function host(client: string): string {
  return `http://${client}.${zone}`;
}

function runNode(client: string, kind: string, path: string, ms = everyMs): void {
  run(
    process.execPath,
    new URL('node-clients.ts', import.meta.url).pathname,
    kind,
    `${host(client)}${path}`,
    String(ms),
  );
}

function runJava(client: string, ...options: string[]): void {
  run('java', '-Xshare:auto', ...options, new URL('Asks.java', import.meta.url).pathname, `${host(client)}/close`);
}

/** Asks a resolver as a client without a cache would, and calls the side that it is led to. */
function runResolver(client: string, resolver: { readonly address: string; readonly port: number }): void {
  setInterval(() => {
    void askPlainly(resolver, { name: `${client}.${zone}`, type: 'A' }, 400).then((answer) => {
      const data = answer?.answers.find(({ type }) => type === 'A')?.data;
      if (data !== undefined) seen(client, data === sides.old ? 'old' : 'new');
    });
  }, everyMs);
}

async function unboundWith(client: string, ...more: string[]): Promise<void> {
  runResolver(client, await startUnbound({ zone, authorities: [{ address: nameServer, port: 53 }], more }));
}

const start: Readonly<Record<string, () => void | Promise<void>>> = {
  curl: () => run('bash', '-c', `while :; do curl -s -o /dev/null --max-time 5 ${host('curl')}/close; sleep 0.5; done`),
  'http-busy': () => runNode('http-busy', 'http', '/keep'),
  'http-idle': () => runNode('http-idle', 'http', '/keep', 6000),
  'fetch-idle': () => runNode('fetch-idle', 'fetch', '/keep', 4700),
  websocket: () => runNode('websocket', 'websocket', '/live'),
  'websocket-cut': () => runNode('websocket-cut', 'websocket', '/live'),
  'undici-dns': () => runNode('undici-dns', 'undici-dns', '/close'),
  java: () => runJava('java'),
  'java-forever': () => runJava('java-forever', '-Dsun.net.inetaddr.ttl=-1'),
  'absent-java': () => runJava('absent-java'),
  chromium: () =>
    run(
      'chromium',
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--remote-debugging-port=0',
      `--user-data-dir=${join(folder, 'chromium')}`,
      `${host('chromium')}/page`,
    ),
  nginx: () => {
    const server = `listen 127.0.0.80:8080; location / { proxy_pass ${host('nginx')}/close; }`;
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const temporary = paths.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;\n` +
        `events {} http { access_log off; ${temporary} server { ${server} } }\n`,
    );
    run('nginx', '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'nginx.log'));
    setInterval(() => get('http://127.0.0.80:8080/', { agent: false }).on('error', () => {}), everyMs);
  },
  'unbound-plain': () => unboundWith('unbound-plain'),
  'unbound-min-60': () => unboundWith('unbound-min-60', 'cache-min-ttl: 60'),
  'unbound-5-30': () => unboundWith('unbound-5-30', 'cache-min-ttl: 5', 'cache-max-ttl: 30'),
  'unbound-expired': () => unboundWith('unbound-expired', 'serve-expired: yes', 'serve-expired-client-timeout: 0'),
  'dnsmasq-stale': async () =>
    runResolver(
      'dnsmasq-stale',
      await startDnsmasq({ zone, authority: { address: nameServer, port: 53 }, more: ['--use-stale-cache'] }),
    ),
};

// ── the play ─────────────────────────────────────────────────────────────────────────────────────────────────────────

execFileSync('ip', ['link', 'set', 'lo', 'up']);
writeFileSync(join(folder, 'resolv.conf'), `nameserver ${nameServer}\noptions timeout:2 attempts:2\n`);
execFileSync('mount', ['--bind', join(folder, 'resolv.conf'), '/etc/resolv.conf']);
const askedMs = new Map<string, number>();
const dns = await startFlipDns(nameServer, {
  address: sides.old,
  onAsked(name, atMs) {
    const [client = ''] = name.split('.');
    askedMs.set(client, atMs);
    say({ type: 'asked', client, atMs });
  },
});
await Promise.all([startSide('old'), startSide('new')]);
await Promise.all(asked.map(async (client) => start[client]?.()));

// Whoever has not come by then never will, and the test says who.
const giveUpMs = Date.now() + 25_000;
while (asked.some((client) => !served.has(client)) && Date.now() < giveUpMs) await sleepMs(50);
await sleepMs(warmMs);
// Resolvers count whole seconds: one whose answer ends just now may ask a second later than the archetype, and if the flip
// came between the two, they would be a whole TTL apart.
const isEnding = (client: string): boolean => {
  const ageMs = Date.now() - (askedMs.get(client) ?? 0);
  return ageMs > (ttlS - 1) * 1000 && ageMs < (ttlS + 2) * 1000;
};
while (asked.some((client) => isEnding(client)) && Date.now() < giveUpMs + warmMs) await sleepMs(50);
dns.flipTo(sides.new);
say({ type: 'flipped', atMs: Date.now() });
await sleepMs(cutAfterMs);
for (const socket of held) socket.end();
await sleepMs(watchedMs - cutAfterMs);
for (const child of children) child.kill('SIGKILL');
process.exit(0);
