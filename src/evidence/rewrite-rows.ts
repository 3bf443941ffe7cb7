import { closeSync, openSync, renameSync, statfsSync, statSync, unlinkSync, writeSync, fsyncSync } from 'node:fs';
import { newColumns } from '../core/row.ts';
import { reasonOf } from './append-file.ts';
import { encodeBatch } from './arrow-batch.ts';
import { encodeSchema, type Metadata, streamEnd } from './arrow-schema.ts';
import { FlatWriter } from './flatbuffer.ts';
import { newRowsFound, readRows } from './read-rows.ts';

/**
 * Rewrites `probes.arrows` in big batches, which other readers need (a small batch costs them as much as a big one). The
 * new file takes the place of the old one only when it is whole and on the disk. Null, or why the old one was kept.
 */
export function rewriteRows(path: string, metadata: Metadata): string | null {
  const newPath = `${path}.new`;
  try {
    const room = statfsSync(path);
    if (room.bavail * room.bsize < statSync(path).size) return 'there is no room for a second copy';
    const problem = copyRows(path, newPath, metadata);
    if (problem === null) renameSync(newPath, path);
    else unlinkSync(newPath);
    return problem;
  } catch (error) {
    try {
      unlinkSync(newPath);
    } catch {
      // It was never made, or the disk refuses everything: the old file is whole either way.
    }
    return reasonOf(error);
  }
}

function copyRows(path: string, newPath: string, metadata: Metadata): string | null {
  const fd = openSync(newPath, 'w');
  try {
    const writer = new FlatWriter();
    const found = newRowsFound();
    const { atNsByWorker } = found;
    writeWhole(fd, encodeSchema(writer, metadata));
    for (const { rowCount, columns, definitions } of readRows(path, Infinity, found)) {
      writeWhole(fd, encodeBatch(writer, { rowCount, columns, definitions, atNsByWorker }));
    }
    if (found.rowCount === 0) {
      writeWhole(fd, encodeBatch(writer, { rowCount: 0, columns: newColumns(0), definitions: [], atNsByWorker }));
    }
    writeWhole(fd, streamEnd);
    fsyncSync(fd);
    return found.problems[0] ?? null;
  } finally {
    closeSync(fd);
  }
}

function writeWhole(fd: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(fd, bytes, written);
}
