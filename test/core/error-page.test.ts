import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pageShape } from '../../src/core/error-page.ts';

const padding = '<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n'.repeat(6);

function page(title: string, options: { readonly by?: string; readonly body?: string } = {}): string {
  const by = options.by === undefined ? '' : `<hr><center>${options.by}</center>\r\n`;
  return [
    '<html>\r\n',
    `<head><title>${title}</title></head>\r\n`,
    `${options.body ?? '<body>'}\r\n`,
    `<center><h1>${title}</h1></center>\r\n`,
    by,
    '</body>\r\n',
    '</html>\r\n',
  ].join('');
}

test.for([
  { title: '404 Not Found', alb: 118, nginx: 146 },
  { title: '502 Bad Gateway', alb: 122, nginx: 150 },
  { title: '503 Service Temporarily Unavailable', alb: 162, nginx: 190 },
  { title: '504 Gateway Time-out', alb: 132, nginx: 160 },
])('$title is an ALB page of $alb bytes and an nginx page of $nginx, padded or not', ({ title, alb, nginx }) => {
  const [albPage, nginxPage] = [page(title), page(title, { by: 'nginx' })];
  expect([albPage.length, nginxPage.length]).toEqual([alb, nginx]);
  expect([albPage, albPage + padding].map((body) => body.length)).toEqual([alb, alb + 402]);
  for (const body of [
    albPage,
    albPage + padding,
    (albPage + padding).slice(0, 512),
    albPage.replaceAll('\r\n', '\n'),
  ]) {
    expect(pageShape(body)).toBe('alb');
  }
  for (const body of [nginxPage, nginxPage + padding, (nginxPage + padding).slice(0, 512)]) {
    expect(pageShape(body)).toBe('nginx');
  }
});

test.for([
  { what: 'a version is shown', body: page('502 Bad Gateway', { by: 'nginx/1.22.1' }), shape: 'nginx' },
  {
    what: 'openresty',
    body: page('503 Service Temporarily Unavailable', { by: 'openresty/1.15.8.1' }),
    shape: 'openresty',
  },
  {
    what: 'an ALB of before 2019',
    body: page('504 Gateway Time-out', { body: '<body bgcolor="white">' }),
    shape: 'alb',
  },
  { what: 'two different titles', body: page('502 Bad Gateway').replace('<h1>502', '<h1>503'), shape: null },
  { what: 'text after the page', body: `${page('502 Bad Gateway')}x`, shape: null },
  { what: 'text before the page', body: ` ${page('502 Bad Gateway')}`, shape: null },
  { what: 'an application that names nginx', body: page('502 Bad Gateway', { by: 'nginx at shop' }), shape: null },
  { what: 'nothing', body: '', shape: null },
  { what: 'JSON', body: '{"status":503}', shape: null },
] as const)('$what: $shape', ({ body, shape }) => {
  expect(pageShape(body)).toBe(shape);
});

test('the 148 bytes of an ALB of before 2019 are those that were seen', () => {
  expect(page('504 Gateway Time-out', { body: '<body bgcolor="white">' })).toHaveLength(148);
});

test('no pieces of pages, however put together, make it slow or make it throw', () => {
  const piece = fc.constantFrom(
    '<html>',
    '\r\n',
    '<head><title>',
    '502 ',
    ' ',
    'a'.repeat(80),
    '</title></head>',
    '<body>',
    '<hr>',
    '<h1>',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
      expect(['alb', 'nginx', 'openresty', null]).toContain(pageShape(`<html>\r\n${pieces.join('')}`.slice(0, 512)));
    }),
    { numRuns: 2000 },
  );
});
