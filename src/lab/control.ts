/** Where a wrapped command makes the change: a POST to a path that nobody can guess. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Control extends AsyncDisposable {
  readonly url: string;
}

/** `change` returns false when the change was made before. */
export async function startControl(change: () => boolean): Promise<Control> {
  const path = `/${randomBytes(16).toString('hex')}`;
  const server = createServer((request, response) => {
    request.resume();
    response.statusCode = request.url !== path ? 404 : request.method !== 'POST' ? 405 : change() ? 204 : 409;
    response.end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
