/**
 * Which load balancer or proxy wrote an error page itself, seen from the page's exact bytes. Both write CRLF; a bare LF is
 * accepted because proxies in between rewrite it. `bgcolor` is what an ALB wrote before about 2019.
 */
export type PageShape = 'alb' | 'nginx' | 'openresty';

// Each repetition ends at a character that it cannot contain itself, so no input makes these backtrack.
const head = String.raw`^<html>\r?\n<head><title>(\d{3} [^<]{1,80})</title></head>\r?\n<body(?: bgcolor="white")?>\r?\n<center><h1>\1</h1></center>\r?\n`;
const foot = String.raw`</body>\r?\n</html>\r?\n`;
const albPage = new RegExp(head + foot);
const nginxPage = new RegExp(head + String.raw`<hr><center>(nginx|openresty)(?:/[\w.]{1,40})?</center>\r?\n` + foot);

const padding = '<!-- a padding to disable MSIE and Chrome friendly error page -->';
const paddings = ['\r\n', '\n'].map((lineEnd) => `${padding}${lineEnd}`.repeat(6));

/**
 * The maker of a page, from the first 512 bytes of its body as latin1; null when nobody's. For old browsers six lines of
 * padding follow, and since 512 bytes end within them, a cut there is no difference.
 */
export function pageShape(body: string): PageShape | null {
  if (isPage(body, albPage.exec(body))) return 'alb';
  const page = nginxPage.exec(body);
  if (!isPage(body, page)) return null;
  return page?.[2] === 'openresty' ? 'openresty' : 'nginx';
}

function isPage(body: string, page: RegExpExecArray | null): boolean {
  if (page === null) return false;
  const rest = body.slice(page[0].length);
  return paddings.some((whole) => whole.startsWith(rest));
}
