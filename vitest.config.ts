import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './test/summary-reporter.ts';

/**
 * Two projects. `unit` (`npm test`) is everything that needs nothing but Node and no waiting. `real` (`npm run test:real`)
 * starts nginx, bind9 and unbound on loopback and waits for real TTLs, one file at a time, so that its timing is not
 * disturbed by our own tests.
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
          maxConcurrency: 4,
          // After `unit`, where both are run at once.
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
