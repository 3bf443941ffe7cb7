import { expect, test } from 'vitest';
import { lanesOf } from '../../src/scenario/lanes.ts';
import { plan } from '../../src/scenario/plan.ts';
import { parsed } from './fixtures.ts';

const minimal = (side: string): string => `
name: roll
services: [{ name: orders, url: https://orders.example/ready }]
sides: { ${side}: { addresses: ["dns:lb.example"], kubernetes: { namespace: shop } } }
change: { via: deploy, side: ${side}, replicaHeader: X-Served-By-Pod }
`;

test.for(['old', 'new'])('a deployment needs the %s side only; the other has nothing', (side) => {
  const scenario = parsed(minimal(side));
  const other = side === 'old' ? 'new' : 'old';
  expect(scenario.sides[other]).toEqual({
    side: other,
    title: other,
    addresses: [],
    marker: [],
    certificateSha256: [],
  });
  expect(scenario.change).toMatchObject({ via: 'deploy', side, replicaHeader: 'x-served-by-pod' });
  const lanes = lanesOf(scenario, { old: [], new: [], [side]: ['192.0.2.1'] });
  expect(lanes.filter(({ role }) => role === 'side').map(({ client }) => client)).toEqual([`side:${side}`]);
  expect(plan(scenario, { ratePerSecondMax: 30 })).toMatchObject({ problems: [], warnings: [] });
});
