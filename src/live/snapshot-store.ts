/**
 * The newest snapshot, and its bytes: made once for each, and only when somebody looks. What the page is told of has a
 * sequence number; where making the bytes of a long run is dear, fewer get one, so that it takes a tenth of this thread at
 * most.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Snapshot } from '../report/snapshot.ts';

export interface Encoded {
  readonly etag: string;
  readonly json: Buffer;
  readonly gzipped: Buffer;
}

export interface Published {
  readonly snapshot: Snapshot;
  /** From 1. */
  readonly sequence: number;
}

export interface SnapshotStore {
  /** Returns whether the page shall be told. */
  put(snapshot: Snapshot): boolean;
  /** The newest of all. */
  newest(): Snapshot | null;
  /** The newest that has a sequence number. */
  published(): Published | null;
  /** Its bytes. */
  encoded(): Promise<Encoded> | null;
}

/** The bytes of a snapshot may take one in so many of this thread's moments. */
const restPerCost = 10;
/** Another thread does it, and the fastest level already makes a tenth of it. */
const gzipAsync = promisify(gzip);

export function newSnapshotStore(nowMs: () => number): SnapshotStore {
  let newest: Snapshot | null = null;
  let published: Published | null = null;
  let encoded: Promise<Encoded> | null = null;
  let restUntilMs = -Infinity;

  async function encode({ snapshot, sequence }: Published): Promise<Encoded> {
    const fromMs = nowMs();
    const json = Buffer.from(JSON.stringify(snapshot));
    const untilMs = nowMs();
    restUntilMs = untilMs + restPerCost * (untilMs - fromMs);
    return {
      etag: `"${snapshot.report.run.id}-${String(sequence)}"`,
      json,
      gzipped: await gzipAsync(json, { level: 1 }),
    };
  }

  return {
    put(snapshot) {
      newest = snapshot;
      if (snapshot.isRunning && nowMs() < restUntilMs) return false;
      published = { snapshot, sequence: (published?.sequence ?? 0) + 1 };
      encoded = null;
      return true;
    },
    newest: () => newest,
    published: () => published,
    encoded() {
      if (published !== null) encoded ??= encode(published);
      return encoded;
    },
  };
}
