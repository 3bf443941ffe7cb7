/** What stage and test agree on. */

export const zone = 'flip.test';
export const ttlS = 7;
/** Names that begin with `absent-` do not exist for so long after they were first asked for. */
export const absentMs = 1500;
/** The old side ends the WebSockets of names that end in `-cut` so long after the flip. */
export const cutAfterMs = 9300;
/** Every client has had an answer for so long when the flip comes. */
export const warmMs = 8000;
/** The longest fixed cache is 60 s, and was filled before the flip. */
export const watchedMs: number = 62_000 - warmMs;

export type StageLine =
  /** A question about its name reached the authoritative server. */
  | { readonly type: 'asked'; readonly client: string; readonly atMs: number }
  | { readonly type: 'request'; readonly client: string; readonly side: 'old' | 'new'; readonly atMs: number }
  | { readonly type: 'flipped'; readonly atMs: number };
