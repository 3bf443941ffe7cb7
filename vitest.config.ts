import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './test/summary-reporter.ts';

/**
 * Two projects. `unit` is everything that needs nothing but Node. `real` starts nginx, bind9 and unbound on loopback,
 * one file at a time and after `unit`, so that its timing is not disturbed by our own tests.
 */
export default defineConfig({
  test: {
    reporters: ['default', new SummaryReporter()],
    projects: [
      {
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/real/**'] },
      },
      {
        test: {
          name: 'real',
          include: ['test/real/**/*.real.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
