/**
 * One question, asked again and again. Each poll is due by its number and never waits for the one before; at most one is
 * under way, so that a dead server is not asked more, only later. What differs from the answer before is told, else one
 * answer in 10 s, or one in six where polls are rarer.
 */
import type { Cancel, Clock, DnsReply } from '../core/ports.ts';
import { sToNs } from '../core/time.ts';

export interface PollOptions {
  readonly clock: Clock;
  readonly ask: () => Promise<DnsReply>;
  readonly everyNs: number;
  /** Offset that keeps polls from firing together. */
  readonly staggerNs: number;
  /** The first is sent at once, else when it is due as number 0. */
  readonly isPrompt: boolean;
  /** What must be equal for an answer to be called the same. */
  readonly keyOf: (reply: DnsReply) => string;
  readonly heard: (reply: DnsReply) => void;
  readonly tell: (told: Told) => void;
}

export interface Told {
  readonly reply: DnsReply;
  /** When the poll before this one was sent; null for the first. */
  readonly previousSentAtNs: number | null;
  /** Polls since the last one told that said the same as it. */
  readonly sameCount: number;
  /** It differs from one before. */
  readonly isChanged: boolean;
}

export interface Poll {
  /** After the first answer, or at once where it is not prompt. */
  readonly ready: Promise<void>;
  /**
   * Asks out of turn, if nothing is under way and at most once in so long as from one turn to the next. That answer and
   * those of the next two turns are told, whatever they are.
   */
  now(): void;
  stop(): void;
}

const repeatedEveryS = 10;
const repeatedEveryCount = 6;

export function newPoll(options: PollOptions): Poll {
  const { clock, everyNs } = options;
  const repeatedNs = Math.max(sToNs(repeatedEveryS), repeatedEveryCount * everyNs);
  const startedNs = clock.nowNs() + options.staggerNs;
  let cancel: Cancel = () => undefined;
  let previousSentAtNs: number | null = null;
  let previousKey: string | null = null;
  let sameCount = 0;
  let toldNs = 0;
  let outOfTurnNs = -Infinity;
  let isUnderWay = false;
  let isStopped = false;

  async function once(): Promise<void> {
    if (isUnderWay) return;
    isUnderWay = true;
    const sentNs = clock.nowNs();
    const reply = await options.ask();
    isUnderWay = false;
    if (isStopped) return;
    const key = options.keyOf(reply);
    const isChanged = previousKey !== null && key !== previousKey;
    const isWanted = previousKey === null || sentNs - outOfTurnNs <= 2 * everyNs;
    if (isChanged || isWanted || reply.endedAtNs - toldNs >= repeatedNs) {
      options.tell({ reply, previousSentAtNs, sameCount, isChanged });
      sameCount = 0;
      toldNs = reply.endedAtNs;
    } else {
      sameCount += 1;
    }
    previousKey = key;
    previousSentAtNs = sentNs;
    options.heard(reply);
  }

  function schedule(turn: number): void {
    if (isStopped) return;
    const dueNs = startedNs + turn * everyNs;
    cancel = clock.at(dueNs, () => {
      void once();
      // After a stall the polls that were missed are not made up for.
      const missed = Math.floor((clock.nowNs() - dueNs) / everyNs);
      schedule(turn + 1 + Math.max(0, missed));
    });
  }

  schedule(options.isPrompt ? 1 : 0);
  return {
    ready: options.isPrompt ? once() : Promise.resolve(),
    now() {
      const nowNs = clock.nowNs();
      if (isStopped || isUnderWay || nowNs - outOfTurnNs < everyNs) return;
      outOfTurnNs = nowNs;
      void once();
    },
    stop() {
      isStopped = true;
      cancel();
    },
  };
}
