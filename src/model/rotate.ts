import type { Random } from '../core/ports.ts';

/**
 * The same list, begun anywhere: each answer has the addresses of a name in another order, on authorities (Route 53,
 * BIND's `rrset-order`) as on resolvers (unbound's `rrset-roundrobin`), so that clients that take the first share them.
 */
export function rotated<T>(list: readonly T[], random: Random): readonly T[] {
  if (list.length < 2) return list;
  const from = Math.floor(random() * list.length);
  return [...list.slice(from), ...list.slice(0, from)];
}
