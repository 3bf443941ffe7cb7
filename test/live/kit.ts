/** Snapshots of the runs that everybody should understand, and a server that shows them. */
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import type { Analysis } from '../../src/core/analysis.ts';
import type { Picture } from '../../src/core/picture.ts';
import { nsToMs } from '../../src/core/time.ts';
import { parseListenAddress, type ListenAddress } from '../../src/live/listen-address.ts';
import { startLiveServer, type LiveServer, type LiveServerOptions } from '../../src/live/live-server.ts';
import { toReport } from '../../src/report/report-json.ts';
import type { Snapshot } from '../../src/report/snapshot.ts';
import { judge } from '../../src/verdict/judge.ts';

export const emptyPicture: Picture = {
  binMs: 250,
  binCount: 0,
  untilMs: 0,
  lanes: [],
  latency: [],
  resolvers: [],
  closeUps: [],
  closeUpsLeftOutCount: 0,
};

export function snapshotOf(analysis: Analysis, overrides: Partial<Snapshot> = {}): Snapshot {
  return {
    report: toReport(analysis, judge(analysis)),
    picture: emptyPicture,
    nowMs: nsToMs(analysis.endedAtNs),
    isRunning: true,
    ...overrides,
  };
}

export function listenAt(text: string): ListenAddress {
  const found = parseListenAddress(text);
  if (found === null) throw new Error(`${text} is no address`);
  return found;
}

export const token = 'Zm9yLXRlc3RzLW9ubHk3Nw';
export const page = { html: '<!doctype html><title>the page</title>', contentSecurityPolicy: "default-src 'none'" };

export interface Shown extends AsyncDisposable {
  readonly server: LiveServer;
  readonly marks: string[];
  readonly port: number;
  ask(path: string, options?: AskOptions): Promise<Answer>;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

/** `isLoopback` false: as at an address that others reach, which a test has none of. */
export async function showAt(text = '127.0.0.1:0', options: Partial<LiveServerOptions> = {}): Promise<Shown> {
  const marks: string[] = [];
  const server = await startLiveServer({
    listen: listenAt(text),
    token,
    page,
    mark: (mark) => {
      marks.push(mark);
      return 'a note';
    },
    nowMs: () => 0,
    ...options,
  });
  const { port, hostname } = new URL(server.url());
  return {
    server,
    marks,
    port: Number(port),
    ask: (path, asked) => ask({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), path }, asked),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** By bare HTTP: `fetch` will not send a Host of one's own. */
export function ask(
  to: { readonly host: string; readonly port: number; readonly path: string },
  { method = 'GET', headers = {}, body = '' }: AskOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ ...to, method, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const whole = Buffer.concat(parts);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: whole,
          text: whole.toString('utf8'),
        });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

export interface Listening extends Disposable {
  /** What came, without heartbeats, as soon as so many events are there. */
  events(count: number): Promise<readonly string[]>;
  readonly ended: Promise<void>;
}

/** Resolves when the stream is open. */
export function listen(shown: Shown, headers: OutgoingHttpHeaders = {}): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const to = { host: '127.0.0.1', port: shown.port, path: '/events', headers, agent: false };
    const request = httpRequest(to, (response) => {
      if (response.statusCode !== 200) {
        reject(new Error(`status ${String(response.statusCode)}`));
        return;
      }
      let text = '';
      let look = (): void => {};
      const ended = Promise.withResolvers<void>();
      response.on('data', (part: Buffer) => {
        text += part.toString('utf8');
        look();
      });
      response.on('close', () => ended.resolve());
      response.on('error', () => ended.resolve());
      resolve({
        ended: ended.promise,
        events: (count) =>
          new Promise((found) => {
            look = () => {
              const events = text
                .split('\n\n')
                .slice(0, -1)
                .filter((part) => part.startsWith('id:'));
              if (events.length >= count) found(events);
            };
            look();
          }),
        [Symbol.dispose]: () => request.destroy(),
      });
    });
    request.on('error', reject);
    request.end();
  });
}
