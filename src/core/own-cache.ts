import type { ResolvePolicy } from './scenario.ts';

/** The longest that a client itself keeps an answer beyond its TTL, s; null = for as long as nothing breaks. */
export function ownCacheS(resolve: ResolvePolicy): number | null {
  switch (resolve.kind) {
    case 'per-connection':
      return 0;
    case 'ttl':
      return resolve.minS;
    case 'fixed':
      return resolve.s + resolve.graceS;
    case 'refresh':
      return resolve.s;
    case 'on-break':
    case 'once':
    case 'pinned':
      return null;
  }
}
