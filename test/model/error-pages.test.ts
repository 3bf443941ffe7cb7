import { expect, test } from 'vitest';
import { errorPage } from '../../src/model/error-pages.ts';

const plain = 'cutwatch/0.1';
const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';

test('the pages are these, to the byte', () => {
  expect(errorPage('alb', 503, plain)).toBe(
    '<html>\r\n' +
      '<head><title>503 Service Temporarily Unavailable</title></head>\r\n' +
      '<body>\r\n' +
      '<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n' +
      '</body>\r\n' +
      '</html>\r\n',
  );
  expect(errorPage('nginx', 504, chrome)).toBe(
    '<html>\r\n' +
      '<head><title>504 Gateway Time-out</title></head>\r\n' +
      '<body>\r\n' +
      '<center><h1>504 Gateway Time-out</h1></center>\r\n' +
      '<hr><center>nginx</center>\r\n' +
      '</body>\r\n' +
      '</html>\r\n' +
      '<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n'.repeat(6),
  );
});

// domain.md C.2.
test.for([
  { status: 404, alb: 118, albPadded: 520, nginx: 146, nginxPadded: 548 },
  { status: 502, alb: 122, albPadded: 524, nginx: 150, nginxPadded: 552 },
  { status: 503, alb: 162, albPadded: 564, nginx: 190, nginxPadded: 592 },
  { status: 504, alb: 132, albPadded: 534, nginx: 160, nginxPadded: 562 },
] as const)('$status is $alb bytes from an ALB and $nginx from nginx, and 402 more for Chrome', (row) => {
  const { status, alb, albPadded, nginx, nginxPadded } = row;
  expect(errorPage('alb', status, plain)).toHaveLength(alb);
  expect(errorPage('alb', status, chrome)).toHaveLength(albPadded);
  expect(errorPage('nginx', status, plain)).toHaveLength(nginx);
  expect(errorPage('nginx', status, chrome)).toHaveLength(nginxPadded);
});

test.for([
  { userAgent: '', isPadded: false },
  { userAgent: 'curl/8.5.0', isPadded: false },
  { userAgent: 'Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)', isPadded: true },
  { userAgent: 'MSIE 7', isPadded: false },
  { userAgent: 'a Chrome/1', isPadded: true },
  { userAgent: 'a chrome/1', isPadded: false },
  { userAgent: 'HeadlessChrome/126.0', isPadded: true },
  { userAgent: 'Opera/9.80 (MSIE 6.0; Windows) Chrome/1', isPadded: false },
  { userAgent: 'Mozilla/5.0 Gecko/20100101 Chrome/1', isPadded: false },
])('padded for "$userAgent": $isPadded', ({ userAgent, isPadded }) => {
  expect(errorPage('nginx', 502, userAgent)).toHaveLength(isPadded ? 552 : 150);
});
