/** The server's end of a WebSocket: it answers pings when the world does, and reads everything else away. */
import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { acceptSalt, controlFrame, FrameReader } from '../wire/websocket-frame.ts';
import type { Answered, Reply } from './answer.ts';

export interface WebSocketOptions {
  readonly stream: Duplex;
  /** Of the request. */
  readonly key: string;
  /** What came with the request. */
  readonly first: Uint8Array;
  readonly onPing: (payload: string, reply: Reply) => void;
}

/** The answer is the 101; from then on pings are told. */
export function upgradeReply({ stream, key, first, onPing }: WebSocketOptions): Reply {
  return replyBy(stream, (answered) => {
    stream.write(headOf(answered, key));
    const reader = new FrameReader({
      isMasked: true,
      onControl(kind, payload) {
        if (kind === 'ping') {
          const pong = controlFrame('pong', payload, null);
          onPing(
            Buffer.from(payload).toString('latin1'),
            replyBy(stream, () => void stream.write(pong)),
          );
        } else if (kind === 'close') {
          stream.end(controlFrame('close', payload.subarray(0, 2), null));
        }
      },
    });
    const take = (bytes: Uint8Array): void => {
      reader.take(bytes);
      if (reader.problem !== '') stream.destroy();
    };
    stream.on('end', () => stream.end());
    stream.on('data', take);
    take(first);
  });
}

function replyBy(stream: Duplex, send: (answered: Answered) => void): Reply {
  let over: (() => void) | null = null;
  function end(): void {
    stream.off('close', end);
    const run = over;
    over = null;
    run?.();
  }
  return {
    answer(answered) {
      send(answered);
      end();
    },
    onClosed(run) {
      over = run;
      stream.on('close', end);
    },
  };
}

function headOf({ status, reason, headers }: Answered, key: string): string {
  const accept = createHash('sha1')
    .update(key + acceptSalt)
    .digest('base64');
  const own = ['Upgrade', 'websocket', 'Connection', 'Upgrade', 'Sec-WebSocket-Accept', accept];
  const all = [...headers, ...own];
  const lines = all.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${all[i + 1]}\r\n`] : []));
  return `HTTP/1.1 ${status} ${reason}\r\n${lines.join('')}\r\n`;
}
