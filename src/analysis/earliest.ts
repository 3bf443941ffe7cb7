/** null = it did not happen, or was not seen. */
export function earliest(instants: readonly (number | null)[]): number | null {
  const known = instants.filter((atNs) => atNs !== null);
  return known.length === 0 ? null : Math.min(...known);
}
