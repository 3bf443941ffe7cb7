import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  expect(said).toEqual([expect.stringMatching(/shop\.json is .*: it is not used, and what is seen now is not kept/)]);
  expect(readFileSync(path, 'utf8')).toBe(text);
});

test('a place where nothing can be written is said once, and nothing is forgotten meanwhile', () => {
  writeFileSync(join(folder, 'file'), '');
  const memory = openMemory(join(folder, 'file', 'shop.json'), 'shop', (text) => said.push(text));
  memory.remember(seen(nowMs - 9000, 300), nowMs - 9000);
  expect(ttlsOf(memory.remember(seen(nowMs, 60), nowMs))).toEqual([300, 60]);
  expect(said).toEqual([expect.stringMatching(/ENOTDIR/)]);
});

test('a server that was not asked in a look is not remembered as seen in it', () => {
  const name = nameFacts();
  const one = seenOf(name, nowMs, (_, server) => server === 'ns-2');
  expect(one.servers.map(({ server, sets }) => [server, sets?.length ?? null])).toEqual([
    ['ns-1', null],
    ['ns-2', 1],
  ]);
});
