/** A whole simulated cutover whose first resolver fails when the run begins: its authoritative servers are found later. */
import { expect, test } from 'vitest';
import { simulateResolvers } from '../analysis/simulated-resolvers.ts';

const world = {
  resolvers: { vpc: 'unbound', other: 'bind9' },
  ttlS: 7,
  baselineS: 40,
  tailS: 20,
  looksUp: true,
  seed: 3,
};

test.for(['servfail', 'silent'])(
  'servers found after a resolver was %s are watched like those found at once',
  async (how) => {
    const steps = [`{ atS: 0, do: fail-resolver, resolver: vpc, how: ${how}, forS: 11 }`];
    const late = await simulateResolvers({ ...world, steps });
    const atOnce = await simulateResolvers(world);
    const [service, own] = [late.analysis.services[0], late.analysis.authorities];
    expect(own.map(({ address }) => address)).toEqual(atOnce.analysis.authorities.map(({ address }) => address));
    expect(own.length).toBeGreaterThan(0);
    expect(service?.changes[0]?.authorityLastAtNs).toBeGreaterThan(0);
    const kinds = (analysis: typeof late.analysis) => analysis.findings.map(({ kind }) => kind);
    expect(kinds(late.analysis)).toContain('authorities-not-found');
    expect(kinds(atOnce.analysis)).not.toContain('authorities-not-found');
    expect(late.differsFromLive).toBe(false);
  },
);
