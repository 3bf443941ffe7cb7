import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { Seen } from '../../src/checks/memory.ts';
import { seenOf } from '../../src/cli/preflight-names.ts';
import { nameFacts } from '../checks/kit.ts';
import { openMemory } from '../../src/cli/preflight-memory.ts';

const folder = mkdtempSync(join(tmpdir(), 'cutwatch-memory-'));
afterAll(() => rmSync(folder, { recursive: true }));

const nowMs = Date.UTC(2026, 10, 24, 8, 30);
const path = join(folder, 'below', 'shop.json');
let said: string[] = [];
beforeEach(() => {
  rmSync(join(folder, 'below'), { recursive: true, force: true });
  said = [];
});

function seen(atMs: number, ttlS: number): readonly Seen[] {
  return [{ hostname: 'a.test', atMs, servers: [{ server: 'ns', sets: [{ name: 'a.test', type: 'A', ttlS }] }] }];
}

const open = (): ReturnType<typeof openMemory> => openMemory(path, 'shop', (text) => said.push(text));
const ttlsOf = (memory: ReturnType<ReturnType<typeof open>['remember']>): readonly number[] =>
  (memory.hostnames['a.test'] ?? []).map(({ ttlS }) => ttlS);

test('what one process saw, the next one knows, and two at once do not lose what the other saw', () => {
  const [one, other] = [open(), open()];
  one.remember(seen(nowMs - 9000, 300), nowMs - 9000);
  other.remember(seen(nowMs - 7000, 60), nowMs - 7000);
  expect(ttlsOf(one.remember([], nowMs))).toEqual([300, 60]);
  expect(ttlsOf(open().remember([], nowMs))).toEqual([300, 60]);
  expect(said).toEqual([]);
  // Nothing lies about from writing beside and renaming.
  expect(readdirSync(join(folder, 'below'))).toEqual(['shop.json']);
});

test.for([
  { what: 'torn', text: '{"kind": "cutwatch-preflight-mem' },
  { what: 'somebody else’s', text: '{"name": "cutwatch", "version": "0.1.0"}' },
])('a file that is $what is said, not trusted, and left as it is', ({ text }) => {
  mkdirSync(join(folder, 'below'));
  writeFileSync(path, text);
  const memory = open();
  memory.remember(seen(nowMs - 9000, 300), nowMs - 9000);
  // Within one process nothing is forgotten all the same.
  expect(ttlsOf(memory.remember(seen(nowMs, 60), nowMs))).toEqual([300, 60]);
  expect(said).toEqual([
    expect.stringMatching(/shop\.json is .*: it is not used, and what is seen now is lost when this ends\. Mend it/),
  ]);
  expect(readFileSync(path, 'utf8')).toBe(text);
});

test('a place where nothing can be written is said once, and nothing is forgotten meanwhile', () => {
  writeFileSync(join(folder, 'file'), '');
  const memory = openMemory(join(folder, 'file', 'shop.json'), 'shop', (text) => said.push(text));
  memory.remember(seen(nowMs - 9000, 300), nowMs - 9000);
  expect(ttlsOf(memory.remember(seen(nowMs, 60), nowMs))).toEqual([300, 60]);
  expect(said).toEqual([expect.stringMatching(/cannot be read \(a part of its path is no folder, ENOTDIR\)/)]);
});

test('a lock of another preflight is waited for, said, and what was seen meanwhile is written when it is gone', () => {
  mkdirSync(join(folder, 'below'));
  writeFileSync(`${path}.lock`, '');
  const memory = open();
  expect(ttlsOf(memory.remember(seen(nowMs - 9000, 300), nowMs - 9000))).toEqual([300]);
  expect(said).toEqual([
    expect.stringMatching(/shop\.json is being written by another preflight \(.*shop\.json\.lock\)/),
  ]);
  rmSync(`${path}.lock`);
  memory.remember(seen(nowMs, 60), nowMs);
  expect(said.slice(1)).toEqual([expect.stringMatching(/shop\.json is written again/)]);
  expect(ttlsOf(open().remember([], nowMs))).toEqual([300, 60]);
  expect(readdirSync(join(folder, 'below'))).toEqual(['shop.json']);
});

test('a lock that a killed preflight left holds nobody up', () => {
  mkdirSync(join(folder, 'below'));
  writeFileSync(`${path}.lock`, '');
  utimesSync(`${path}.lock`, Date.now() / 1000 - 60, Date.now() / 1000 - 60);
  open().remember(seen(nowMs, 60), nowMs);
  expect(said).toEqual([]);
  expect(ttlsOf(open().remember([], nowMs))).toEqual([60]);
});

test('where nothing can be written, what earlier looks saw counts all the same', () => {
  open().remember(seen(nowMs - 9000, 300), nowMs - 9000);
  // What is written to first is a folder: so it fails for root too.
  mkdirSync(`${path}.new`);
  const before = readFileSync(path, 'utf8');
  const memory = open();
  expect(ttlsOf(memory.remember(seen(nowMs - 5000, 60), nowMs - 5000))).toEqual([300, 60]);
  expect(said).toEqual([expect.stringMatching(/cannot be written \(it is a folder, EISDIR\)/)]);
  expect(readFileSync(path, 'utf8')).toBe(before);
  rmSync(`${path}.new`, { recursive: true });
  // What another one saw meanwhile is not lost either.
  open().remember(seen(nowMs - 3000, 61), nowMs - 3000);
  expect(ttlsOf(memory.remember(seen(nowMs, 62), nowMs))).toEqual([300, 60, 61, 62]);
  expect(ttlsOf(open().remember([], nowMs))).toEqual([300, 60, 61, 62]);
});

test('hours without a disk: of what stayed the same, only the first and the last look are kept to be written', () => {
  mkdirSync(`${path}.new`, { recursive: true });
  const memory = open();
  for (let s = 3000; s > 0; s -= 1) memory.remember(seen(nowMs - s * 1000, s > 1700 ? 300 : 60), nowMs - s * 1000);
  rmSync(`${path}.new`, { recursive: true });
  memory.remember(seen(nowMs, 60), nowMs);
  const spells = open().remember([], nowMs).hostnames['a.test'];
  expect(spells).toMatchObject([
    { ttlS: 300, firstMs: nowMs - 3_000_000, lastMs: nowMs - 1_701_000, endedByMs: nowMs - 1_700_000 },
    { ttlS: 60, firstMs: nowMs - 1_700_000, lastMs: nowMs, endedByMs: null },
  ]);
});

/** Only root may mount: a file system of its own, of one page. */
function onDisk(options: string, use: (disk: string) => void): boolean {
  const disk = join(folder, 'disk');
  mkdirSync(disk, { recursive: true });
  try {
    execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    return false;
  }
  try {
    use(disk);
  } finally {
    execFileSync('/bin/umount', ['--lazy', disk], { stdio: 'ignore' });
  }
  return true;
}

test.runIf(onDisk('size=4k', () => {}))(
  'a disk that is full, or read-only, is said, and what is there stays whole',
  () => {
    onDisk('size=4k', (disk) => {
      const memory = openMemory(join(disk, 'shop.json'), 'shop', (text) => said.push(text));
      memory.remember(seen(nowMs - 9000, 300), nowMs - 9000);
      expect(ttlsOf(memory.remember(seen(nowMs - 5000, 60), nowMs - 5000))).toEqual([300, 60]);
      expect(said).toEqual([expect.stringMatching(/cannot be written \(the disk is full, ENOSPC\)/)]);
      execFileSync('/bin/mount', ['-o', 'remount,ro', disk], { stdio: 'ignore' });
      const other = openMemory(join(disk, 'shop.json'), 'shop', (text) => said.push(text));
      expect(ttlsOf(other.remember(seen(nowMs, 61), nowMs))).toEqual([300, 61]);
      expect(said[1]).toMatch(/cannot be written \(the file system is read-only, EROFS\)/);
      execFileSync('/bin/mount', ['-o', 'remount,rw,size=64k', disk], { stdio: 'ignore' });
      expect(ttlsOf(memory.remember(seen(nowMs, 61), nowMs))).toEqual([300, 60, 61]);
      expect(ttlsOf(other.remember([], nowMs))).toEqual([300, 60, 61]);
    });
  },
);

test('a server that was not asked in a look is not remembered as seen in it', () => {
  const name = nameFacts();
  const one = seenOf(name, nowMs, (_, server) => server === 'ns-2');
  expect(one.servers.map(({ server, sets }) => [server, sets?.length ?? null])).toEqual([
    ['ns-1', null],
    ['ns-2', 1],
  ]);
});
