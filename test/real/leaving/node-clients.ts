/**
 * What Node itself does, as a process of its own: `http` with the global agent, `fetch`, or undici with its dns interceptor,
 * every so many ms until it is stopped. Whether it met an answer is seen at the servers.
 */
import { get } from 'node:http';
import { setInterval } from 'node:timers';
import { Agent, interceptors, request } from 'undici';

const [kind = '', url = '', everyMs = '500'] = process.argv.slice(2);

function ask(): Promise<unknown> {
  switch (kind) {
    case 'http':
      return new Promise((resolve, reject) => {
        get(url, (answer) => answer.resume().on('end', resolve)).on('error', reject);
      });
    case 'fetch':
      return fetch(url).then((answer) => answer.text());
    case 'undici-dns':
      return request(url, { dispatcher }).then(({ body }) => body.text());
    default:
      throw new Error(`no client ${kind}`);
  }
}

const dispatcher = new Agent().compose(interceptors.dns());
const once = (): void => void ask().catch((error: Error) => process.stderr.write(`${error.message}\n`));
once();
setInterval(once, Number(everyMs));
