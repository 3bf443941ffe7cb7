import { bodyBytesMax, type Exchange } from '../core/ports.ts';
import type { Outcome } from '../core/outcome.ts';

/** An exchange under way; each step fills in what it saw. */
export type Draft = { -readonly [K in keyof Exchange]: Exchange[K] };

/** At most as many header pairs are kept as `Exchange.headers` may hold. */
export const headerPairsMax = 256;

export function newDraft(sentAtNs: number): Draft {
  return {
    outcome: 'none',
    error: '',
    status: 0,
    headers: [],
    bodyBytes: 0,
    bodyStart: null,
    sentAtNs,
    firstByteAtNs: 0,
    endedAtNs: 0,
    informationalSeen: false,
    framingComplete: false,
    serverClosed: false,
    cutByUs: false,
  };
}

/** An exchange that was never sent. */
export function notSent(outcome: Outcome, error: string, atNs: number): Exchange {
  return { ...newDraft(atNs), outcome, error, endedAtNs: atNs };
}

/** Adds a piece of body. False when the body is longer than we read: then it is cut. */
export function addBody(draft: Draft, chunks: Uint8Array[], chunk: Uint8Array): boolean {
  const room = bodyBytesMax - draft.bodyBytes;
  const isWhole = chunk.length <= room;
  const taken = isWhole ? chunk : chunk.subarray(0, room);
  if (taken.length > 0) chunks.push(taken);
  draft.bodyBytes += taken.length;
  draft.cutByUs = !isWhole;
  return isWhole;
}

/** Most bodies arrive in one piece and are not copied. */
export function joinBody(chunks: readonly Uint8Array[]): Uint8Array | null {
  if (chunks.length <= 1) return chunks[0] ?? null;
  return Buffer.concat(chunks);
}
