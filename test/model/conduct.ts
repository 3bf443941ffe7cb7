import type { ResolverConduct } from '../../src/core/world.ts';

/** Honest, with one cache and limits that nothing here meets. */
export const honest: ResolverConduct = {
  minTtlS: 0,
  maxTtlS: 86_400,
  negativeTtlSMax: 3600,
  cacheCount: 1,
  prefetch: 'never',
  serveStale: null,
  countsDown: true,
  latencyMs: 1,
};
