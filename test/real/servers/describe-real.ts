import { describe, expect, test } from 'vitest';
import { findProgram, packageOf, type Program } from './installed.ts';

/**
 * `describe` for tests that start these programs. Where one is missing the tests are skipped, and the run says so; with
 * CUTWATCH_REQUIRE_REAL=1 they fail.
 */
export function describeReal(title: string, programs: readonly Program[], body: () => void): void {
  const missing = programs.filter((name) => findProgram(name) === null);
  if (missing.length === 0) return void describe(title, body);
  if (process.env['CUTWATCH_REQUIRE_REAL'] !== '1') return void describe.skip(title, body);
  describe(title, () => {
    test(`needs ${missing.join(', ')}`, () => {
      expect.fail(`not installed; on Debian: apt-get install ${missing.map((name) => packageOf[name]).join(' ')}`);
    });
  });
}
