/** `/events`: Server-Sent Events to every open page. Each says only that there is something new, so none is kept. */
import type { ServerResponse } from 'node:http';
import type { Limits } from './limits.ts';

export interface RunEvent {
  readonly sequence: number;
  readonly isRunning: boolean;
}

export interface EventStream {
  readonly viewerCount: number;
  /** `lastEventId`: what a page that comes back has seen. */
  open(response: ServerResponse, lastEventId: string | undefined): void;
  tell(event: RunEvent): void;
  end(): void;
}

const reconnectMs = 2000;

export function newEventStream({ heartbeatMs }: Pick<Limits, 'heartbeatMs'>): EventStream {
  const viewers = new Set<ServerResponse>();
  let newest: RunEvent | null = null;
  let heartbeat: NodeJS.Timeout | null = null;

  function send(viewer: ServerResponse, text: string): void {
    // Who does not read is dropped, and comes back when he does: nothing is put by for him.
    if (!viewer.write(text)) viewer.destroy();
  }

  function clearHeartbeat(): void {
    if (heartbeat !== null) clearInterval(heartbeat);
    heartbeat = null;
  }

  return {
    get viewerCount() {
      return viewers.size;
    },
    open(response, lastEventId) {
      viewers.add(response);
      heartbeat ??= setInterval(() => {
        for (const viewer of viewers) send(viewer, ':\n\n');
      }, heartbeatMs);
      response.on('close', () => {
        viewers.delete(response);
        if (viewers.size === 0) clearHeartbeat();
      });
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
      // A proxy may hold back the head until there is a body.
      send(response, `retry: ${String(reconnectMs)}\n\n`);
      // Another number than ours may be of another run: then, too, there is something new.
      if (newest !== null && lastEventId !== String(newest.sequence)) send(response, eventText(newest));
    },
    tell(event) {
      newest = event;
      for (const viewer of viewers) send(viewer, eventText(event));
    },
    end() {
      for (const viewer of viewers) viewer.end();
      viewers.clear();
      clearHeartbeat();
    },
  };
}

function eventText(event: RunEvent): string {
  return `id: ${String(event.sequence)}\ndata: ${JSON.stringify(event)}\n\n`;
}
