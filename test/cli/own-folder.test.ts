import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { discardFolder, openRunFolder } from '../../src/cli/own-folder.ts';
import { UserError } from '../../src/core/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'cutwatch-own-folder-'));
afterAll(() => rmSync(folder, { recursive: true }));
const startedAtMs = Date.UTC(2026, 10, 24, 13, 3, 9, 417);

test('runs of one name that begin in the same second have folders of their own', () => {
  const below = join(folder, 'reports');
  // Taken, by somebody who has written nothing yet.
  mkdirSync(join(below, '20261124T130309Z-shop-3'), { recursive: true });
  const open = (): string => basename(openRunFolder({ startedAtMs, name: 'shop', below }).path);
  expect([open(), open(), open()]).toEqual([
    '20261124T130309Z-shop',
    '20261124T130309Z-shop-2',
    '20261124T130309Z-shop-4',
  ]);
});

test('a folder that was named is that one or none', () => {
  const out = join(folder, 'mine');
  expect(openRunFolder({ out, startedAtMs, name: 'shop' }).path).toBe(out);
  expect(() => openRunFolder({ out, startedAtMs, name: 'shop' })).toThrow('is already there and not empty');
});

test('where nothing can be written, that is said, and nothing is left', () => {
  const below = join(folder, 'file');
  writeFileSync(below, '');
  const open = (): unknown => openRunFolder({ startedAtMs, name: 'shop', below });
  expect(open).toThrow(UserError);
  expect(open).toThrow('cannot be written: a part of the path is a file (ENOTDIR); choose another folder with --out');
});

test('a run that did not begin leaves no folder', () => {
  const below = join(folder, 'discarded');
  discardFolder(openRunFolder({ startedAtMs, name: 'shop', below }).path);
  expect(readdirSync(below)).toEqual([]);
});
