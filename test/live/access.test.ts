import { expect, test } from 'vitest';
import { refusalOf } from '../../src/live/access.ts';

const own = 'right-token-of-this-run';
const cookieName = 'cutwatch-8080';
const here = { token: own, isLoopback: true, cookieName };
const elsewhere = { token: own, isLoopback: false, cookieName };
const page = 'http://localhost:8080';

interface Row {
  readonly who: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query?: string;
  /** Status when he looks and when he marks at a loopback address, and at any other; 200 = he may. */
  readonly statuses: readonly [look: number, mark: number, lookElsewhere: number, markElsewhere: number];
}

const rows: readonly Row[] = [
  { who: 'anybody on this machine', headers: { host: 'localhost:8080' }, statuses: [200, 401, 401, 401] },
  { who: 'by an address', headers: { host: '127.0.0.1:8080' }, statuses: [200, 401, 401, 401] },
  { who: 'by IPv6', headers: { host: '[::1]:8080' }, statuses: [200, 401, 401, 401] },
  { who: 'through a tunnel of another port', headers: { host: 'localhost:9999' }, statuses: [200, 401, 401, 401] },
  { who: 'by a name turned to us', headers: { host: 'evil.example:8080' }, statuses: [421, 421, 401, 401] },
  { who: 'by a name like ours', headers: { host: 'localhost.evil.example' }, statuses: [421, 421, 401, 401] },
  { who: 'by an address of somebody else', headers: { host: '10.0.0.1:8080' }, statuses: [421, 421, 401, 401] },
  {
    who: 'with the token',
    headers: { host: 'localhost', authorization: `Bearer ${own}` },
    statuses: [200, 200, 200, 200],
  },
  {
    who: 'with the token, by a name of the cluster',
    headers: { host: 'cutwatch.tools.svc:8080', authorization: `Bearer ${own}` },
    statuses: [200, 200, 200, 200],
  },
  { who: 'with the token in the query', headers: { host: 'localhost' }, query: own, statuses: [200, 200, 200, 200] },
  {
    who: 'our page',
    headers: {
      host: 'localhost:8080',
      cookie: `other=1; ${cookieName}=${own}`,
      origin: page,
      'sec-fetch-site': 'same-origin',
    },
    statuses: [200, 200, 200, 200],
  },
  {
    who: 'our page behind TLS',
    headers: { host: 'watch.shop.example', cookie: `${cookieName}=${own}`, origin: 'https://watch.shop.example' },
    statuses: [200, 200, 200, 200],
  },
  {
    who: 'a wrong token',
    headers: { host: 'localhost', authorization: 'Bearer wrong' },
    statuses: [401, 401, 401, 401],
  },
  { who: 'a wrong token in the query', headers: { host: 'localhost' }, query: '', statuses: [401, 401, 401, 401] },
  {
    who: 'a cookie of another run',
    headers: { host: 'localhost:8080', cookie: `${cookieName}=wrong` },
    statuses: [200, 401, 401, 401],
  },
  {
    who: 'a cookie of another port',
    headers: { host: 'localhost:8080', cookie: `cutwatch-8081=${own}` },
    statuses: [200, 401, 401, 401],
  },
  {
    who: 'a page of another site, with our cookie',
    headers: { host: 'localhost:8080', cookie: `${cookieName}=${own}`, origin: 'http://evil.example' },
    statuses: [200, 403, 200, 403],
  },
  {
    who: 'a form of another site, by a browser that hides its origin',
    headers: { host: 'localhost:8080', cookie: `${cookieName}=${own}`, 'sec-fetch-site': 'cross-site' },
    statuses: [200, 403, 200, 403],
  },
  {
    who: 'a page without an origin of its own, with our cookie',
    headers: { host: 'localhost:8080', cookie: `${cookieName}=${own}`, origin: 'null' },
    statuses: [200, 403, 200, 403],
  },
  {
    who: 'a page of another port, with our cookie',
    headers: {
      host: 'localhost:8080',
      cookie: `${cookieName}=${own}`,
      origin: 'http://localhost:3000',
      'sec-fetch-site': 'same-site',
    },
    statuses: [200, 403, 200, 403],
  },
];

test.for(rows)('$who: $statuses', ({ headers, query, statuses }) => {
  const found = [here, elsewhere].flatMap((door) =>
    [
      { method: 'GET', changesSomething: false },
      { method: 'POST', changesSomething: true },
    ].map((asked) => refusalOf(door, { ...asked, headers, tokenInQuery: query ?? null })?.status ?? 200),
  );
  expect(found).toEqual(statuses);
});
