import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import { findProgram, missingPackages, motoServer } from './real/servers/installed.ts';

/**
 * Ends a test run with `N passed, N failed` alone on its line. With CUTWATCH_REQUIRE_REAL=1 a skipped test is a failure:
 * a gate that skips what it cannot run is green for the wrong reason. Without it, says what was skipped and how to get it.
 */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      // A file that cannot even be loaded has no tests to fail.
      counts.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        counts[state === 'pending' ? 'skipped' : state] += 1;
      }
    }

    const packages = missingPackages();
    if (packages.length > 0 && counts.skipped > 0) {
      say(`Tests against real servers were skipped. On Debian: apt-get install ${packages.join(' ')}`);
    }
    if (counts.skipped > 0 && findProgram(motoServer.name) === null) {
      say(`Tests against ${motoServer.name} were skipped; ${motoServer.howToInstall}`);
    }
    if (counts.skipped > 0 && process.env['CUTWATCH_REQUIRE_REAL'] === '1') {
      say(`${counts.skipped} tests were skipped, and CUTWATCH_REQUIRE_REAL=1 allows none.`);
      counts.failed += counts.skipped;
      counts.skipped = 0;
    }
    if (counts.failed > 0) process.exitCode = 1;
    if (counts.skipped > 0) say(`${counts.skipped} skipped`);
    say(`${counts.passed} passed, ${counts.failed} failed`);
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
