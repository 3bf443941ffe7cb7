import { closeSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';

/**
 * A file that grows by whole pieces. A piece that could not be written whole is cut off again before anything follows
 * it, and where even that fails nothing follows: half a piece in the middle would make all behind it unreadable.
 * Writes are synchronous. What was written is with the operating system and survives our own end, `kill -9` included;
 * `sync` is for what must survive the machine's.
 */
export class AppendFile {
  readonly #fd: number;
  /** The end of the last whole piece. */
  #byteLength = 0;
  #isTorn = false;
  /** Why the last write or sync failed. */
  failure = '';

  /** Throws where the file is already there. */
  constructor(path: string) {
    this.#fd = openSync(path, 'wx');
  }

  /** False where it could not be written, with the reason in `failure`; may be tried again. */
  append(piece: Uint8Array): boolean {
    try {
      if (this.#isTorn) this.#cut();
      this.#isTorn = true;
      let written = 0;
      while (written < piece.length) {
        written += writeSync(this.#fd, piece, written, piece.length - written, this.#byteLength + written);
      }
      this.#isTorn = false;
      this.#byteLength += piece.length;
      return true;
    } catch (error) {
      this.failure = reasonOf(error);
      try {
        this.#cut();
      } catch {
        // Stays torn: cut before the next piece, or there is none.
      }
      return false;
    }
  }

  /** Of the whole pieces. */
  get byteLength(): number {
    return this.#byteLength;
  }

  sync(): boolean {
    try {
      fsyncSync(this.#fd);
      return true;
    } catch (error) {
      this.failure = reasonOf(error);
      return false;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #cut(): void {
    ftruncateSync(this.#fd, this.#byteLength);
    this.#isTorn = false;
  }
}

const sentences: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the device (ENOSPC)',
  EDQUOT: 'the disk quota is used up (EDQUOT)',
  EROFS: 'the file system is read-only (EROFS)',
  EACCES: 'permission denied (EACCES)',
  EPERM: 'operation not permitted (EPERM)',
  ENOTDIR: 'a part of the path is a file (ENOTDIR)',
  ENAMETOOLONG: 'the name is too long (ENAMETOOLONG)',
  EIO: 'the device failed (EIO)',
};

/** Why a file operation failed, for people. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return sentences[code] ?? (code === '' ? String(error) : code);
}

/** `ENOSPC` …; '' where it is no error of the operating system. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}
