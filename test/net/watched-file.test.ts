import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { msToNs, sToNs } from '../../src/core/time.ts';
import { WatchedFile } from '../../src/net/watched-file.ts';

test('a file is parsed again when it changed, looked at once a second, and empty when it is gone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cutwatch-watched-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'resolv.conf');
  let nowNs = 0;
  const parsed: string[] = [];
  const file = new WatchedFile({ nowNs: () => nowNs, at: () => () => undefined }, path, (text) => {
    parsed.push(text);
    return text;
  });
  expect(file.read()).toBe('');
  writeFileSync(path, 'one');
  nowNs += msToNs(999);
  expect(file.read()).toBe('');
  nowNs += msToNs(1);
  expect(file.read()).toBe('one');
  parsed.length = 0;
  nowNs += sToNs(7);
  expect(file.read()).toBe('one');
  expect(parsed).toEqual([]);
  writeFileSync(path, 'three');
  nowNs += sToNs(1);
  expect(file.read()).toBe('three');
  rmSync(path);
  nowNs += sToNs(1);
  expect(file.read()).toBe('');
});
