/**
 * What Node itself does, as a process of its own: `http` with the global agent, `fetch`, undici with its dns interceptor, or
 * messages on a `WebSocket` that is opened anew when it ends, every so many ms until it is stopped. Whether it met an answer
 * is seen at the servers.
 */
import { get } from 'node:http';
import { clearInterval, setInterval, setTimeout } from 'node:timers';
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

function hold(): void {
  const socket = new WebSocket(url.replace('http', 'ws'));
  const timer = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send('here'), Number(everyMs));
  socket.addEventListener('close', () => {
    clearInterval(timer);
    setTimeout(hold, 50);
  });
}

const dispatcher = new Agent().compose(interceptors.dns());
const once = (): void => void ask().catch((error: Error) => process.stderr.write(`${error.message}\n`));
if (kind === 'websocket') {
  hold();
} else {
  once();
  setInterval(once, Number(everyMs));
}
