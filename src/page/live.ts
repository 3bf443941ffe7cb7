/**
 * Follows a run: the server says that there is something new, and this fetches it. Events hold no numbers, so none is lost
 * when some are.
 */
import type { Snapshot } from '../report/snapshot.ts';

export interface LiveOptions {
  readonly show: (snapshot: Snapshot) => void;
  /** How it stands with the connection; '' = well. */
  readonly say: (text: string) => void;
}

export function follow({ show, say }: LiveOptions): void {
  const events = new EventSource('events');
  let isFetching = false;
  let isWanted = false;
  const update = async (): Promise<void> => {
    if (isFetching) {
      isWanted = true;
      return;
    }
    isFetching = true;
    try {
      const response = await fetch('snapshot');
      if (!response.ok) throw new Error(`status ${String(response.status)}`);
      const snapshot = (await response.json()) as Snapshot;
      show(snapshot);
      say(snapshot.isRunning ? '' : 'The run has ended. This page stays as it is.');
      if (!snapshot.isRunning) events.close();
    } catch (error) {
      say(`What is shown is not the newest: ${error instanceof Error ? error.message : String(error)}.`);
    } finally {
      isFetching = false;
      if (isWanted) {
        isWanted = false;
        void update();
      }
    }
  };
  events.addEventListener('message', () => void update());
  events.addEventListener('error', () => say('Connection lost. What is shown is not the newest; trying again …'));
}
