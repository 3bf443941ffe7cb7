import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorPage, pageReason } from '../../src/model/error-pages.ts';
import { describeReal } from './servers/describe-real.ts';
import { startNginx } from './servers/nginx.ts';
import { freePorts } from './servers/ports.ts';
import { neverAnswers, startRawServer } from './servers/raw-server.ts';

const userAgents = {
  'no browser': 'cutwatch/0.1',
  'a browser that wants no padding': 'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0',
  Chrome: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
  'Internet Explorer': 'Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)',
  'half an Internet Explorer': 'MSIE 7',
  'Opera that says it is another': 'Opera/9.80 (compatible; MSIE 6.0; Windows NT 5.1) Chrome/1',
  'Gecko that says it is Chrome': 'Mozilla/5.0 Gecko/20100101 Chrome/1',
} as const;

const cases = ([404, 502, 503, 504] as const).flatMap((status) =>
  Object.entries(userAgents).map(([who, userAgent]) => ({ status, who, userAgent })),
);

describeReal('error pages', ['nginx'], () => {
  const stack = new AsyncDisposableStack();
  let origin = '';

  beforeAll(async () => {
    const [httpPort = 0, closedPort = 0] = await freePorts(2);
    const silent = stack.use(await startRawServer(neverAnswers));
    const address = '127.0.1.1';
    stack.use(
      await startNginx({
        addresses: [address],
        httpPort,
        side: 'old',
        // As ingress-nginx has it: no version in its pages.
        more: 'server_tokens off; proxy_read_timeout 200ms;',
        answer: `
          location /502 { proxy_pass http://127.0.0.1:${closedPort}; }
          location /503 { return 503; }
          location /504 { proxy_pass http://127.0.0.1:${silent.port}; }
          return 404;`,
      }),
    );
    origin = `http://${address}:${httpPort}`;
  });
  afterAll(() => stack.disposeAsync());

  test.for(cases)(
    'the $status page of the model is that of nginx to the byte, for $who',
    async ({ status, userAgent }) => {
      const response = await fetch(`${origin}/${status}`, { headers: { 'user-agent': userAgent } });
      expect(response.status).toBe(status);
      expect(response.statusText).toBe(pageReason(status));
      expect(response.headers.get('content-type')).toBe('text/html');
      const page = errorPage('nginx', status, userAgent);
      expect(await response.text()).toBe(page);
      expect(response.headers.get('content-length')).toBe(String(page.length));
    },
  );
});
