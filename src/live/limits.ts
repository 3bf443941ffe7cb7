/** What one who asks may take of us: the run comes first. Beyond any of these he is told so, or dropped. */
export interface Limits {
  /** Pages that are open, on `/events`. */
  readonly viewerCountMax: number;
  /** Of all kinds; more are not accepted. */
  readonly connectionCountMax: number;
  readonly headerBytesMax: number;
  /** A request's head, and all of a request. */
  readonly headMs: number;
  readonly requestMs: number;
  /** A connection on which nothing moves. */
  readonly idleMs: number;
  /** A word to each viewer so often, that proxies and we see who is gone. */
  readonly heartbeatMs: number;
  /** Of a mark's text, as UTF-8. */
  readonly markBytesMax: number;
  /** Of any body. */
  readonly bodyBytesMax: number;
}

export const defaultLimits: Limits = {
  viewerCountMax: 200,
  connectionCountMax: 400,
  headerBytesMax: 8192,
  headMs: 10_000,
  requestMs: 20_000,
  idleMs: 30_000,
  heartbeatMs: 15_000,
  markBytesMax: 1024,
  bodyBytesMax: 16_384,
};
