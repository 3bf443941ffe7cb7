/** The body of a request, within bounds. */
import type { IncomingMessage } from 'node:http';

export type Body = { readonly kind: 'whole'; readonly text: string } | { readonly kind: 'too-long' | 'cut-off' };

/** Never more than `bytesMax` are kept. */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Body> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let byteCount = 0;
    if (Number(request.headers['content-length'] ?? 0) > bytesMax) resolve({ kind: 'too-long' });
    request.on('data', (part: Buffer) => {
      byteCount += part.length;
      if (byteCount > bytesMax) resolve({ kind: 'too-long' });
      else parts.push(part);
    });
    request.on('end', () => resolve({ kind: 'whole', text: Buffer.concat(parts).toString('utf8') }));
    request.on('close', () => resolve({ kind: 'cut-off' }));
  });
}

/** `{"text": …}`; null where it is something else. */
export function markTextIn(json: string): string | null {
  let found: unknown;
  try {
    found = JSON.parse(json);
  } catch {
    return null;
  }
  if (typeof found !== 'object' || found === null || !('text' in found)) return null;
  return typeof found.text === 'string' && found.text.trim() !== '' ? found.text : null;
}
