import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { userError } from '../../src/core/errors.ts';
import { foundingIncident } from '../report/cases.ts';
import { listen, page, showAt, snapshotOf, token } from './kit.ts';

const running = snapshotOf(foundingIncident);
const over = { ...running, isRunning: false };
const bearer = { authorization: `Bearer ${token}` };
const json = { 'content-type': 'application/json' };

// ── who may ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const elsewhere = { listen: { address: '127.0.0.1', port: 0, isLoopback: false } };

test('at an address that others reach nothing is told without the token', async () => {
  await using shown = await showAt('127.0.0.1:0', elsewhere);
  shown.server.show(running);
  for (const path of ['/', '/snapshot', '/events', '/metrics', '/verdict', '/verdict?so-far', '/healthz']) {
    const { status, text } = await shown.ask(path);
    expect([path, status]).toEqual([path, 401]);
    expect(text).not.toContain(token);
  }
  for (const path of ['/', '/snapshot', '/metrics', '/verdict?in-body', '/healthz']) {
    expect([path, (await shown.ask(path, { headers: bearer })).status]).toEqual([path, 200]);
  }
});

test('the URL that is printed opens the page: its token goes into a cookie, and out of the address', async () => {
  await using shown = await showAt('127.0.0.1:0', elsewhere);
  const { pathname, search } = new URL(shown.server.url());
  const opened = await shown.ask(pathname + search);
  expect(opened.status).toBe(303);
  expect(opened.headers.location).toBe('/');
  const [cookie = ''] = opened.headers['set-cookie'] ?? [];
  expect(cookie).toBe(`cutwatch-${String(shown.port)}=${token}; Path=/; HttpOnly; SameSite=Strict`);
  const [pair = ''] = cookie.split(';');
  const shownPage = await shown.ask('/', { headers: { cookie: pair } });
  expect(shownPage.text).toBe(page.html);
  expect(shownPage.headers['content-security-policy']).toBe(page.contentSecurityPolicy);
});

test('who follows the printed URL from another site is sent on by a page of ours, that the cookie goes with him', async () => {
  await using shown = await showAt();
  const opened = await shown.ask(`/?token=${token}`, { headers: { 'sec-fetch-site': 'cross-site' } });
  expect(opened.status).toBe(200);
  expect(opened.headers['set-cookie']?.[0]).toContain(token);
  expect(opened.text).toContain('content="0;url=/"');
});

test('a name turned to us by somebody else is told nothing, on loopback either', async () => {
  await using shown = await showAt();
  shown.server.show(running);
  const { status } = await shown.ask('/snapshot', { headers: { host: `evil.example:${String(shown.port)}` } });
  expect(status).toBe(421);
});

test('every answer says what a browser may not make of it', async () => {
  await using shown = await showAt();
  for (const path of ['/', '/verdict', '/nothing']) {
    const { headers } = await shown.ask(path);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(headers['content-security-policy']).toContain("default-src 'none'");
  }
});

test.for([
  '/../../etc/passwd',
  '/snapshot/../mark',
  '//evil.example/verdict',
  '/%2e%2e/etc/passwd',
  '/__proto__',
  '/constructor',
])('%s is no page of ours', async (path) => {
  await using shown = await showAt();
  expect((await shown.ask(path)).status).toBe(404);
});

test('a method that a page does not have is refused with those it has', async () => {
  await using shown = await showAt();
  const { status, headers } = await shown.ask('/snapshot', { method: 'DELETE' });
  expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
});

// ── snapshots and events ─────────────────────────────────────────────────────────────────────────────────────────────

test('a snapshot is the report and the picture, once for each sequence number, and not again for who has it', async () => {
  await using shown = await showAt();
  expect((await shown.ask('/snapshot')).status).toBe(404);
  shown.server.show(running);
  const first = await shown.ask('/snapshot', { headers: { 'accept-encoding': 'gzip' } });
  expect(first.headers['content-encoding']).toBe('gzip');
  expect(JSON.parse(gunzipSync(first.body).toString())).toEqual(JSON.parse(JSON.stringify(running)));
  const { etag = '' } = first.headers;
  expect((await shown.ask('/snapshot', { headers: { 'if-none-match': etag } })).status).toBe(304);
  shown.server.show(running);
  const second = await shown.ask('/snapshot', { headers: { 'if-none-match': etag } });
  expect(second.status).toBe(200);
  expect(second.headers.etag).not.toBe(etag);
  expect(JSON.parse(second.text)).toEqual(JSON.parse(JSON.stringify(running)));
});

test('nothing is made of a snapshot while nobody looks, and once however many do', async () => {
  await using shown = await showAt();
  let madeCount = 0;
  const counted = { ...running, toJSON: () => ({ madeCount: ++madeCount }) };
  shown.server.show(counted);
  shown.server.show(counted);
  expect(madeCount).toBe(0);
  await Promise.all([shown.ask('/snapshot'), shown.ask('/snapshot'), shown.ask('/snapshot')]);
  expect(madeCount).toBe(1);
  // Before the next row comes: what is made later is of more than was concluded.
  using viewer = await listen(shown);
  shown.server.show(counted);
  expect(madeCount).toBe(2);
  await viewer.events(1);
});

test('a page hears of each snapshot, and after a reload of what it has missed only', async () => {
  await using shown = await showAt();
  using viewer = await listen(shown);
  shown.server.show(running);
  shown.server.show(over);
  expect(await viewer.events(2)).toEqual([
    'id: 1\ndata: {"sequence":1,"isRunning":true}',
    'id: 2\ndata: {"sequence":2,"isRunning":false}',
  ]);
  using late = await listen(shown, { 'last-event-id': '1' });
  expect(await late.events(1)).toEqual(['id: 2\ndata: {"sequence":2,"isRunning":false}']);
  // 41 is of a run that was here before.
  using ofBefore = await listen(shown, { 'last-event-id': '41' });
  expect(await ofBefore.events(1)).toHaveLength(1);
  using upToDate = await listen(shown, { 'last-event-id': '2' });
  shown.server.show(over);
  expect(await upToDate.events(1)).toEqual(['id: 3\ndata: {"sequence":3,"isRunning":false}']);
});

test('two hundred pages look on, the next is told that there is no room, and has it when one goes', async () => {
  await using shown = await showAt();
  const viewers = await Promise.all(Array.from({ length: 200 }, () => listen(shown)));
  const { status, headers } = await shown.ask('/events');
  expect([status, headers['retry-after']]).toEqual([503, '5']);
  // Gates and Prometheus have room.
  expect((await shown.ask('/verdict')).status).toBe(425);
  shown.server.show(running);
  const heard = await Promise.all(viewers.map((viewer) => viewer.events(1)));
  expect(new Set(heard.flat())).toEqual(new Set(['id: 1\ndata: {"sequence":1,"isRunning":true}']));
  for (const viewer of viewers) viewer[Symbol.dispose]();
  await expect.poll(() => shown.server.viewerCount).toBe(0);
  using next = await listen(shown);
  expect(await next.events(1)).toHaveLength(1);
});

test('who is connected and does not read is dropped, and nothing is put by for him', async () => {
  await using shown = await showAt();
  const socket = connect({ host: '127.0.0.1', port: shown.port });
  socket.pause();
  socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await expect.poll(() => shown.server.viewerCount).toBe(1);
  // More than all buffers between the two of us hold.
  for (let i = 0; i < 1000 && shown.server.viewerCount === 1; i += 1) {
    for (let j = 0; j < 1000; j += 1) shown.server.show(running);
    await new Promise(setImmediate);
  }
  expect(shown.server.viewerCount).toBe(0);
  socket.destroy();
});

test('whoever says nothing is heard from, so that the way to him is seen to be open', async () => {
  await using shown = await showAt('127.0.0.1:0', { limits: { heartbeatMs: 5 } });
  const socket = connect({ host: '127.0.0.1', port: shown.port });
  let heard = '';
  socket.on('data', (part) => (heard += part.toString()));
  socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await expect.poll(() => heard).toContain(':\n\n');
  socket.destroy();
});

// ── marks ────────────────────────────────────────────────────────────────────────────────────────────────────────────

test('a mark with the token is put into the run, and says what it was taken as', async () => {
  await using shown = await showAt();
  const body = JSON.stringify({ text: 'cron jobs off' });
  const { status, text } = await shown.ask('/mark', {
    method: 'POST',
    headers: { ...bearer, ...json },
    body,
  });
  expect([status, JSON.parse(text)]).toEqual([201, { text: 'cron jobs off', takenAs: 'a note' }]);
  expect(shown.marks).toEqual(['cron jobs off']);
});

test.for([
  { what: 'no token', headers: json, body: '{"text":"x"}', status: 401 },
  {
    what: 'another site',
    headers: { ...json, ...bearer, origin: 'http://evil.example' },
    body: '{"text":"x"}',
    status: 403,
  },
  { what: 'a form', headers: { ...bearer, 'content-type': 'text/plain' }, body: '{"text":"x"}', status: 415 },
  { what: 'no JSON', headers: { ...json, ...bearer }, body: 'text=x', status: 400 },
  { what: 'no text', headers: { ...json, ...bearer }, body: '{"text":7}', status: 400 },
  { what: 'an empty text', headers: { ...json, ...bearer }, body: '{"text":"  "}', status: 400 },
  { what: 'a long text', headers: { ...json, ...bearer }, body: `{"text":"${'é'.repeat(513)}"}`, status: 413 },
  { what: 'a long body', headers: { ...json, ...bearer }, body: ' '.repeat(16_385), status: 413 },
])('$what: no mark, and status $status', async ({ headers, body, status }) => {
  await using shown = await showAt();
  expect((await shown.ask('/mark', { method: 'POST', headers, body })).status).toBe(status);
  expect(shown.marks).toEqual([]);
});

test('a run that has ended takes no more marks', async () => {
  await using shown = await showAt();
  shown.server.show(over);
  const asked = { method: 'POST', headers: { ...json, ...bearer }, body: '{"text":"too late"}' };
  expect((await shown.ask('/mark', asked)).status).toBe(409);
});

test('a mark that cannot be written is said, and the server goes on', async () => {
  const mark = (): string => {
    throw userError('marks.ndjson', 'cannot be written: disk full');
  };
  await using shown = await showAt('127.0.0.1:0', { mark });
  const asked = { method: 'POST', headers: { ...json, ...bearer }, body: '{"text":"x"}' };
  const { status, text } = await shown.ask('/mark', asked);
  expect([status, text]).toEqual([503, 'marks.ndjson: cannot be written: disk full\n']);
  expect((await shown.ask('/healthz')).status).toBe(200);
});

// ── those who mean us no good ────────────────────────────────────────────────────────────────────────────────────────

/** What comes back on a connection of raw bytes, until it is closed. */
function rawAnswer(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let heard = '';
    socket.on('data', (part) => (heard += part.toString()));
    socket.on('error', () => {});
    socket.on('close', () => resolve(heard));
    socket.write(bytes);
  });
}

test('a body of a gigabyte is refused before it comes', async () => {
  await using shown = await showAt();
  const head = `POST /mark HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
  expect(await rawAnswer(shown.port, `${head}Content-Length: 1000000000\r\n\r\nx`)).toMatch(/^HTTP\/1\.1 413 /);
  const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
  expect(await rawAnswer(shown.port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`)).toMatch(
    /^HTTP\/1\.1 413 /,
  );
});

test('who never finishes his request is let go, and so is a head without an end', async () => {
  await using shown = await showAt('127.0.0.1:0', { limits: { headMs: 60, requestMs: 120 } });
  expect(await rawAnswer(shown.port, 'GET / HTTP/1.1\r\nHost: loc')).toMatch(/^HTTP\/1\.1 408 /);
  const half = 'POST /verdict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{';
  expect(await rawAnswer(shown.port, half)).toMatch(/^HTTP\/1\.1 408 /);
  const long = `GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(9000)}\r\n\r\n`;
  expect(await rawAnswer(shown.port, long)).toMatch(/^HTTP\/1\.1 431 /);
});

test('a connection on which nothing moves is closed, but for a page that waits for something new', async () => {
  await using shown = await showAt('127.0.0.1:0', { limits: { idleMs: 40 } });
  using viewer = await listen(shown);
  expect(await rawAnswer(shown.port, '')).toBe('');
  expect(await rawAnswer(shown.port, '')).toBe('');
  shown.server.show(running);
  expect(await viewer.events(1)).toHaveLength(1);
});

// ── beginning and end ────────────────────────────────────────────────────────────────────────────────────────────────

test('a port that is in use is the user to mend', async () => {
  await using shown = await showAt();
  await expect(showAt(`127.0.0.1:${String(shown.port)}`)).rejects.toThrow(
    `--listen 127.0.0.1:${String(shown.port)}: the port is in use: name another, or none for any that is free`,
  );
  await expect(showAt('192.0.2.7:0')).rejects.toThrow('--listen 192.0.2.7:0: is no address of this machine');
});

test('the last snapshot is waited for until those who look on have it, and for nobody else', async () => {
  await using shown = await showAt();
  await shown.server.lastSeen(1e9);
  using viewer = await listen(shown);
  shown.server.show(over);
  await viewer.events(1);
  let isSeen = false;
  const seen = shown.server.lastSeen(1e9).then(() => (isSeen = true));
  await new Promise(setImmediate);
  expect(isSeen).toBe(false);
  await shown.ask('/snapshot');
  await seen;
  await shown.server.close();
  await viewer.ended;
});

test('IPv6 is listened at, and its URL has brackets', async () => {
  await using shown = await showAt('[::1]:0');
  expect(shown.server.url()).toBe(`http://[::1]:${String(shown.port)}/?token=${token}`);
  expect((await shown.ask('/healthz', { headers: { host: `[::1]:${String(shown.port)}` } })).status).toBe(200);
});
