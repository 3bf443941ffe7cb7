/** A client that shows bytes as they come, and how the connection ended. */
import { connect, type Socket } from 'node:net';

export interface RawClient extends Disposable {
  send(text: string): void;
  /** All that came so far, once it includes this. */
  until(text: string): Promise<string>;
  readonly connected: Promise<void>;
  readonly ended: Promise<{ readonly how: 'fin' | 'reset' | 'refused'; readonly text: string }>;
  readonly text: string;
}

export function rawClient(address: string, port: number): RawClient {
  const socket: Socket = connect({ host: address, port, allowHalfOpen: false });
  const waiting: (() => void)[] = [];
  const connected = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<Awaited<RawClient['ended']>>();
  let text = '';
  socket.setEncoding('latin1');
  socket.on('connect', () => connected.resolve());
  socket.on('data', (some: string) => {
    text += some;
    for (const look of waiting) look();
  });
  socket.on('end', () => ended.resolve({ how: 'fin', text }));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    ended.resolve({ how: error.code === 'ECONNREFUSED' ? 'refused' : 'reset', text });
  });
  return {
    send: (some) => void socket.write(some),
    until: (wanted) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (text.includes(wanted)) resolve(text);
        };
        waiting.push(look);
        look();
      }),
    connected: connected.promise,
    ended: ended.promise,
    get text() {
      return text;
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
