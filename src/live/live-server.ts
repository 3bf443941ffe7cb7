/**
 * `--listen`: the run as it stands, over HTTP, for people with a browser, for Prometheus and for gates. It runs in the main
 * thread, where no probe is sent, and gives what the run told last: whoever asks never makes the run do anything, except to
 * take a mark.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { UserError } from '../core/errors.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { cookieText, refusalOf, type Door } from './access.ts';
import { newEventStream } from './event-stream.ts';
import { gateAnswer } from './gate.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { hostText, isEveryAddress, type ListenAddress } from './listen-address.ts';
import { portOf } from './listening.ts';
import { metricsOf } from './metrics.ts';
import { newNeverFalling } from './never-falling.ts';
import { prometheusContentType, prometheusText } from './prometheus-text.ts';
import { markTextIn, readBody } from './request-body.ts';
import { headersOfAll, refuseBody, send, sendEncoded, sendText } from './reply.ts';
import { newSilence } from './silence.ts';
import { newSnapshotStore } from './snapshot-store.ts';

export interface LiveServerOptions {
  readonly listen: ListenAddress;
  /** Of at least 128 bits of chance. */
  readonly token: string;
  readonly page: LivePage;
  /** Puts a mark into the run, as `cutwatch mark` does, and says what it was taken as. */
  readonly mark: (text: string) => string;
  /** Any clock that does not go back. */
  readonly nowMs: () => number;
  readonly limits?: Partial<Limits>;
}

export interface LivePage {
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

export interface LiveServer {
  /** With the token; of a server at every address, by one of its names in the place of it. */
  url(host?: string): string;
  readonly viewerCount: number;
  show(snapshot: Snapshot): void;
  /** Resolves when those who look on have the last snapshot, or after `atMostMs`; at once where nobody does. */
  lastSeen(atMostMs: number): Promise<void>;
  close(): Promise<void>;
}

const closingMs = 500;

export async function startLiveServer(options: LiveServerOptions): Promise<LiveServer> {
  const { listen, token, nowMs } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const server = createServer({
    headersTimeout: limits.headMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: Math.min(1000, limits.headMs / 2),
    maxHeaderSize: limits.headerBytesMax,
  });
  server.maxConnections = limits.connectionCountMax;
  server.timeout = limits.idleMs;
  const port = await portOf(server, listen);
  const door: Door = { token, isLoopback: listen.isLoopback, cookieName: `cutwatch-${String(port)}` };

  const store = newSnapshotStore(nowMs);
  const events = newEventStream(limits);
  const neverFalling = newNeverFalling();
  /** However often somebody asks, it is made once. */
  let measured: { readonly of: Snapshot | null; readonly text: string } = { of: null, text: '' };
  const silence = newSilence(nowMs);
  /** Who has fetched the last snapshot of all. */
  let lastFetchedCount = 0;
  const allFetched = Promise.withResolvers<void>();

  server.on('request', (request, response) => {
    answer(request, response).catch((error: unknown) => {
      // A bug of ours in an answer is no reason to lose the run.
      if (response.headersSent) response.destroy();
      else if (error instanceof UserError) sendText(response, 503, error.message);
      else sendText(response, 500, `cutwatch is wrong about itself: ${String(error)}`);
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of headersOfAll) response.setHeader(name, value);
    const { method = 'GET', headers } = request;
    const [path = '', queryText = ''] = (request.url ?? '').split('?', 2);
    const query = new URLSearchParams(queryText);
    const route = routes.get(path);
    if (route === undefined) return sendText(response, 404, 'There is no such page.');
    if (!route.methods.includes(method)) {
      response.setHeader('allow', route.methods.join(', '));
      return sendText(response, 405, `Only ${route.methods.join(', ')}.`);
    }
    const tokenInQuery = query.get('token');
    const asked = { method, headers, tokenInQuery, changesSomething: route.changesSomething ?? false };
    const refusal = refusalOf(door, asked);
    if (refusal !== null) {
      if (refusal.status === 401) response.setHeader('www-authenticate', 'Bearer realm="cutwatch"');
      return sendText(response, refusal.status, refusal.text);
    }
    return route.answer(request, response, query);
  }

  const look = ['GET', 'HEAD'];
  const routes = new Map<string, Route>([
    ['/', { methods: look, answer: sendPage }],
    ['/events', { methods: ['GET'], answer: openEvents }],
    ['/snapshot', { methods: look, answer: sendSnapshot }],
    ['/mark', { methods: ['POST'], answer: takeMark, changesSomething: true }],
    ['/metrics', { methods: look, answer: sendMetrics }],
    // Flagger asks by POST.
    ['/verdict', { methods: [...look, 'POST'], answer: sendVerdict }],
    ['/healthz', { methods: look, answer: (_request, response) => sendText(response, 200, 'listening') }],
  ]);

  function sendPage({ headers }: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
    if (!query.has('token')) {
      response.setHeader('content-security-policy', options.page.contentSecurityPolicy);
      return send(response, 200, 'text/html; charset=utf-8', options.page.html);
    }
    response.setHeader('set-cookie', cookieText(door));
    // Who follows a link from another site would not show the new cookie on being sent on; a page of ours gets it.
    if (headers['sec-fetch-site'] === 'cross-site') {
      return send(
        response,
        200,
        'text/html; charset=utf-8',
        '<!doctype html><meta http-equiv="refresh" content="0;url=/">',
      );
    }
    response.setHeader('location', '/');
    return sendText(response, 303, 'The token is in a cookie now.');
  }

  function openEvents({ headers }: IncomingMessage, response: ServerResponse): void {
    if (events.viewerCount >= limits.viewerCountMax) {
      response.setHeader('retry-after', '5');
      return sendText(
        response,
        503,
        `${String(limits.viewerCountMax)} pages look on already: more would cost the run.`,
      );
    }
    response.socket?.setTimeout(0);
    response.socket?.setNoDelay(true);
    events.open(response, headers['last-event-id']?.toString());
  }

  async function sendSnapshot({ headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const published = store.published();
    const encoded = await store.encoded();
    if (published === null || encoded === null) {
      return sendText(response, 404, 'Nothing has been seen yet: the run is only beginning.');
    }
    if (!published.snapshot.isRunning) {
      response.on('finish', () => {
        lastFetchedCount += 1;
        if (lastFetchedCount >= events.viewerCount) allFetched.resolve();
      });
    }
    sendEncoded(headers, response, encoded);
  }

  function sendMetrics(_request: IncomingMessage, response: ServerResponse): void {
    const newest = store.newest();
    if (newest !== null && newest !== measured.of) {
      measured = { of: newest, text: prometheusText(neverFalling(metricsOf(newest, events.viewerCount))) };
    }
    send(response, 200, prometheusContentType, measured.text);
  }

  async function sendVerdict(
    request: IncomingMessage,
    response: ServerResponse,
    query: URLSearchParams,
  ): Promise<void> {
    // What a gate says of itself is read, so that its connection can be used again, and decides nothing.
    const body = await readBody(request, limits.bodyBytesMax);
    if (body.kind !== 'whole') return refuseBody(request, response);
    const { status, body: answered } = gateAnswer(store.newest(), {
      isSoFar: query.has('so-far'),
      service: query.get('service'),
      ...silence.now(),
    });
    // For who takes an answer only from a 200. That nothing is known is no answer.
    const sent = query.has('in-body') && (status === 409 || status === 425) ? 200 : status;
    send(response, sent, 'application/json', `${JSON.stringify(answered)}\n`);
  }

  async function takeMark(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
      return sendText(response, 415, 'A mark is application/json: {"text": "…"}.');
    }
    const body = await readBody(request, limits.bodyBytesMax);
    if (body.kind !== 'whole') return refuseBody(request, response);
    const text = markTextIn(body.text);
    if (text === null) return sendText(response, 400, 'A mark is {"text": "…"}, and its text is not empty.');
    if (Buffer.byteLength(text) > limits.markBytesMax) {
      return sendText(response, 413, `A mark has at most ${String(limits.markBytesMax)} bytes.`);
    }
    if (store.newest()?.isRunning === false)
      return sendText(response, 409, 'The run has ended: it takes no more marks.');
    const takenAs = options.mark(text);
    send(response, 201, 'application/json', `${JSON.stringify({ text, takenAs })}\n`);
  }

  return {
    url: (host) => {
      const name = host ?? (isEveryAddress(listen.address) ? '127.0.0.1' : listen.address);
      return `http://${hostText(name)}:${String(port)}/?token=${token}`;
    },
    get viewerCount() {
      return events.viewerCount;
    },
    show(snapshot) {
      silence.heard();
      if (!store.put(snapshot)) return;
      // While it is fresh, for those who will ask at once. Who asks hears what went wrong.
      if (events.viewerCount > 0) store.encoded()?.catch(() => {});
      const sequence = store.published()?.sequence ?? 0;
      events.tell({ sequence, isRunning: snapshot.isRunning });
    },
    async lastSeen(atMostMs) {
      if (events.viewerCount <= lastFetchedCount) return;
      const late = setTimeout(() => allFetched.resolve(), atMostMs);
      await allFetched.promise;
      clearTimeout(late);
    },
    close() {
      return new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), closingMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        events.end();
      });
    },
  };
}

interface Route {
  readonly methods: readonly string[];
  readonly answer: (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => void | Promise<void>;
  readonly changesSomething?: boolean;
}
