/** DNS over HTTPS (RFC 8484), by POST so that no cache in between answers for the server. */
import { isIP } from 'node:net';
import { Client } from 'undici';
import type { Clock, DnsRecord, DnsServer } from '../core/ports.ts';
import { sToNs } from '../core/time.ts';
import type { DnsAnswer } from '../wire/dns-message.ts';
import { messageBytesMax } from '../wire/dns-message.ts';
import { concludeReply, failureOf, malformed, newQuery, timedOut, unreachable } from './dns-exchange.ts';
import type { Ask, Asked } from './dns-exchange.ts';
import { openTls } from './dns-stream.ts';
import type { TlsServer } from './dns-stream.ts';
import { codeOf } from './trouble.ts';

type HttpsServer = Extract<DnsServer, { kind: 'https' }>;

/**
 * `system` finds the address of a server that is given by name. It is kept for its TTL, at least a minute, or until a query
 * fails; and longer when no other can be found.
 */
export function newDnsOverHttps(
  clock: Clock,
  system: (ask: Ask) => Promise<Asked>,
): (server: HttpsServer, ask: Ask) => Promise<Asked> {
  const known = new Map<string, { readonly address: string; readonly goodUntilNs: number }>();

  return async (server, ask) => {
    const url = new URL(server.url);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const isName = isIP(host) === 0;
    const found = isName ? await addressOf(host, ask.deadlineNs) : host;
    if (typeof found !== 'string') return found;
    const tls = {
      address: found,
      port: Number(url.port === '' ? 443 : url.port),
      serverName: isName ? host : '',
      ...(server.caPem !== undefined && { caPem: server.caPem }),
    };
    const asked = await exchange(clock, { url, tls }, ask);
    if (isName && asked.kind === 'failed') known.set(host, { address: found, goodUntilNs: 0 });
    return asked;
  };

  async function addressOf(name: string, deadlineNs: number): Promise<string | Asked> {
    const kept = known.get(name);
    if (kept !== undefined && clock.nowNs() < kept.goodUntilNs) return kept.address;
    let asked: Asked = timedOut;
    for (const type of ['A', 'AAAA'] as const) {
      asked = await system({ name, type, recursionDesired: true, deadlineNs });
      const address = asked.kind === 'answered' ? asked.addresses[0] : undefined;
      if (asked.kind === 'answered' && address !== undefined) {
        known.set(name, { address, goodUntilNs: clock.nowNs() + sToNs(Math.max(60, asked.ttlS)) });
        return address;
      }
    }
    return asked.kind === 'failed' ? asked : unreachable('the server has no address');
  }
}

interface Target {
  readonly url: URL;
  readonly tls: TlsServer;
}

/**
 * One connection for each query: one that hangs, or was closed meanwhile, costs no other query anything. We open it, since
 * undici would open another after a failure on its own. While it is still shaking hands it is also ours to close, as undici
 * forgets it; from then on it is undici's, which breaks an assertion when somebody else closes it.
 */
async function exchange(clock: Clock, target: Target, ask: Ask): Promise<Asked> {
  const query = newQuery(ask);
  const socket = openTls(target.tls, ['h2', 'http/1.1']);
  let isOurs = true;
  const client = new Client(target.url.origin, {
    allowH2: true,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (_options, connected) => {
      if (!isOurs) return connected(new Error('closed'), null);
      socket.once('secureConnect', () => {
        isOurs = false;
        connected(null, socket);
      });
      socket.once('error', (error) => connected(error, null));
    },
  });
  let isLate = false;
  const end = (): void => {
    if (isOurs) socket.destroy();
    void client.destroy();
  };
  const cancelDeadline = clock.at(ask.deadlineNs, () => {
    isLate = true;
    end();
  });
  try {
    return await post(client, target.url, query);
  } catch (error) {
    if (isLate) return timedOut;
    if (!(error instanceof Error)) throw error;
    return codeOf(error) === 'UND_ERR_SOCKET' ? unreachable('closed before an answer') : failureOf(error);
  } finally {
    cancelDeadline();
    end();
  }
}

async function post(client: Client, url: URL, query: Uint8Array): Promise<Asked> {
  const { statusCode, headers, body } = await client.request({
    method: 'POST',
    path: url.pathname + url.search,
    headers: { 'content-type': 'application/dns-message', accept: 'application/dns-message', 'user-agent': 'cutwatch' },
    body: Buffer.from(query),
  });
  body.on('error', () => undefined);
  if (statusCode !== 200) return malformed(`HTTP status ${statusCode}`);
  const type = headers['content-type'];
  if (typeof type !== 'string' || !/^application\/dns-message\s*(;|$)/i.test(type))
    return malformed('another content type');
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > messageBytesMax) return malformed('longer than 64 KiB');
    chunks.push(chunk);
  }
  const asked = concludeReply(Buffer.concat(chunks), query);
  return asked.kind === 'answered' ? aged(asked, headers['age']) : asked;
}

/** RFC 8484, 5.1: what an HTTP cache kept has used up that much of its TTL. */
function aged(answer: DnsAnswer, age: string | string[] | undefined): DnsAnswer {
  const ageS = typeof age === 'string' && /^\d{1,9}$/.test(age) ? Number(age) : 0;
  if (ageS === 0) return answer;
  const older = (record: DnsRecord): DnsRecord => ({ ...record, ttlS: Math.max(0, record.ttlS - ageS) });
  return {
    ...answer,
    answers: answer.answers.map(older),
    authority: answer.authority.map(older),
    ttlS: Math.max(0, answer.ttlS - ageS),
  };
}
