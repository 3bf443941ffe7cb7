import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { acceptSalt, controlFrame, FrameReader, type ControlKind } from '../../src/wire/websocket-frame.ts';
import { startFaultServer, type FaultServer } from './fault-server.ts';

export interface Frame {
  readonly kind: ControlKind;
  readonly text: string;
}

export interface WebSocketConduct {
  /** Lines of the 101 besides the right ones, or instead of one of them. */
  readonly head?: (right: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;
  /** Sent with the 101, in the same packet. */
  readonly first?: Uint8Array;
  /** Left out: pings are answered, closes as well. */
  readonly onFrame?: (frame: Frame, socket: Socket) => void;
}

export interface WebSocketServer extends FaultServer {
  /** All control frames of all connections. */
  readonly frames: readonly Frame[];
}

/** Grants every upgrade, and then does what the test wants. */
export async function startWebSocketServer(
  { head = (right) => right, first, onFrame = answerFrame }: WebSocketConduct,
  tls: TlsOptions | null = null,
): Promise<WebSocketServer> {
  const frames: Frame[] = [];
  const server = await startFaultServer((socket, requestIndex) => {
    if (requestIndex === null) return;
    const key = /^sec-websocket-key: (.*)$/im.exec(server.requests.at(-1) ?? '')?.[1] ?? '';
    const accept = createHash('sha1')
      .update(key + acceptSalt)
      .digest('base64');
    const fields = head({ Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': accept });
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.removeAllListeners('data');
    const reader = new FrameReader({
      isMasked: true,
      onControl(kind, payload) {
        const frame = { kind, text: Buffer.from(payload).toString('latin1') };
        frames.push(frame);
        onFrame(frame, socket);
      },
    });
    socket.on('data', (bytes: Buffer) => reader.take(bytes));
    const bytes = Buffer.from(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`, 'latin1');
    socket.write(first === undefined ? bytes : Buffer.concat([bytes, first]));
  }, tls);
  return Object.assign(server, { frames });
}

export function answerFrame({ kind, text }: Frame, socket: Socket): void {
  const payload = Buffer.from(text, 'latin1');
  if (kind === 'ping') socket.write(controlFrame('pong', payload, null));
  if (kind === 'close') socket.end(controlFrame('close', payload, null));
}
