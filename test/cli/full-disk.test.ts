/** Rehearsals on a disk that is full, or gets full: a small file system of its own, which only root may mount. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'cutwatch-full-disk-'));
const disk = join(folder, 'disk');
const run = join(disk, 'run');
mkdirSync(disk);
const scenario = join(folder, 'long.yaml');
const short = readFileSync('scenarios/no-targets-503.yaml', 'utf8');
writeFileSync(scenario, short.replace(/tailS: \d+/, 'tailS: 600'));

function mount(options: string): void {
  execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk], { stdio: 'ignore' });
}

function unmount(): void {
  execFileSync('/bin/umount', ['--lazy', disk], { stdio: 'ignore' });
}

const isMountable = ((): boolean => {
  try {
    mount('size=16k');
    unmount();
    return true;
  } catch {
    return false;
  }
})();
let isMounted = false;

afterEach(() => {
  if (isMounted) unmount();
  isMounted = false;
});
afterAll(() => rmSync(folder, { recursive: true }));

function rehearse(mountOptions: string): { readonly status: number | null; readonly stderr: string } {
  mount(mountOptions);
  isMounted = true;
  const args = [resolve('src/cli/main.ts'), 'rehearse', scenario, '--simulate', '--truth', '--out', run];
  return spawnSync(process.execPath, args, { encoding: 'utf8' });
}

test.runIf(isMountable)('a disk that gets full: the verdict is told, what is not there is named once, and 4', () => {
  const { status, stderr } = rehearse('size=300k');
  expect(stderr).toContain('FAIL  ');
  expect(stderr).toContain('As expected: fail, by no-target.\n');
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(stderr).not.toContain('/report.html');
  expect(existsSync(join(run, 'report.html'))).toBe(false);
  const named = stderr.split('\n').filter((line) => line.startsWith('not written, or not whole: '));
  expect(named).toHaveLength(1);
  // The small ones may just fit into what is left.
  expect(named[0]?.replaceAll(/, (?:junit\.xml|timeline\.svg)/g, '')).toBe(
    'not written, or not whole: truth.ndjson, report.json, report.md, report.html ' +
      `in ${run}: no space is left on the device (ENOSPC)`,
  );
  // As it happens, and as a reason of the report.
  expect(stderr.replaceAll(/\s+/g, ' ').split('probes.arrows could not be written').length - 1).toBe(2);
  expect(stderr).toContain('Not all was written, so the report is not held against the truth.\n');
  expect(status).toBe(4);
});

test.runIf(isMountable).for([
  { options: 'size=100k', why: 'no space is left on the device (ENOSPC)' },
  { options: 'ro', why: 'the file system is read-only (EROFS)' },
])('mounted with $options, it is refused before the story, and 2', ({ options, why }) => {
  expect(rehearse(options)).toMatchObject({
    status: 2,
    stderr: `${run}: cannot be written: ${why}; choose another folder with --out\n`,
  });
  expect(existsSync(run)).toBe(false);
});

test.runIf(isMountable)(
  'judged again where there is no room, the reports of before stand, and nobody is sent to new ones',
  () => {
    mount('size=8m');
    isMounted = true;
    const main = resolve('src/cli/main.ts');
    const env = { ...process.env, GITHUB_ACTIONS: 'true', GITHUB_OUTPUT: join(folder, 'output') };
    spawnSync(process.execPath, [
      main,
      'rehearse',
      resolve('scenarios/no-targets-503.yaml'),
      '--simulate',
      '--out',
      run,
    ]);
    writeFileSync(join(run, 'report.md'), 'of before\n');
    for (const piece of [65_536, 4096]) {
      try {
        for (;;) writeFileSync(join(disk, 'filler'), Buffer.alloc(piece), { flag: 'a' });
      } catch {
        // Now it is full.
      }
    }
    const { status, stderr } = spawnSync(process.execPath, [main, 'judge', run], { encoding: 'utf8', env });
    expect(stderr).toMatch(/not written, or not whole: .*report\.md.*no space is left on the device/);
    expect(status).not.toBe(0);
    expect(readFileSync(join(run, 'report.md'), 'utf8')).toBe('of before\n');
    expect(readFileSync(join(folder, 'output'), 'utf8')).not.toContain('report-path=');
  },
);
