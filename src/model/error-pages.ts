/**
 * The pages that load balancers write themselves, byte for byte (domain.md C.2). An ALB's is nginx's
 * (`ngx_http_special_response.c`) without the line that names nginx; ingress-nginx has `server_tokens off` and so no
 * version in it.
 */
import type { ErrorStatus } from './front.ts';

const reasons: Readonly<Record<ErrorStatus, string>> = {
  404: 'Not Found',
  502: 'Bad Gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
};

export function pageReason(status: ErrorStatus): string {
  return reasons[status];
}

export function errorPage(by: 'alb' | 'nginx', status: ErrorStatus, userAgent: string): string {
  const title = `${status} ${reasons[status]}`;
  const lines = [
    '<html>',
    `<head><title>${title}</title></head>`,
    '<body>',
    `<center><h1>${title}</h1></center>`,
    ...(by === 'nginx' ? ['<hr><center>nginx</center>'] : []),
    '</body>',
    '</html>',
    ...(isPaddedFor(userAgent) ? padding : []),
  ];
  return lines.map((line) => `${line}\r\n`).join('');
}

/** Else Internet Explorer and Chrome would show a page of their own: 6 × 67 bytes. */
const padding = Array<string>(6).fill('<!-- a padding to disable MSIE and Chrome friendly error page -->');

/** As `ngx_http_process_user_agent` sees browsers: by case, Opera is neither, and Gecko with a slash is not Chrome. */
function isPaddedFor(userAgent: string): boolean {
  if (userAgent.includes('Opera')) return false;
  const msieAt = userAgent.indexOf('MSIE ');
  if (msieAt >= 0 && msieAt + 7 < userAgent.length) return true;
  return !userAgent.includes('Gecko/') && userAgent.includes('Chrome/');
}
