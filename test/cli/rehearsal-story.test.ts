import { describe, expect, test } from 'vitest';
import { commandsText, outcomeOf, storyText } from '../../src/cli/rehearsal-story.ts';
import { presets } from '../../src/clients/presets.ts';
import type { Cause } from '../../src/core/analysis.ts';
import type { Verdict, VerdictValue } from '../../src/core/verdict.ts';
import { parseRehearsal } from '../../src/scenario/parse.ts';
import { settingOf } from '../../src/scenario/setting.ts';

const scenarioText = `
name: small-move
services:
  - { name: accounts, url: https://accounts.shop.example/ready }
  - { name: billing, url: https://billing.shop.example/ready }
  - { name: cart, url: https://cart.shop.example/ready }
  - { name: orders, url: https://orders.shop.example/ready }
sides:
  old: { title: ALB/ECS, addresses: ['dns:shop-1.us-west-1.elb.amazonaws.com'] }
  new: { title: nginx/EKS, addresses: ['dns:k8s-shop.elb.us-west-2.amazonaws.com'] }
resolvers: [{ name: vpc, address: '10.0.0.2:53' }, { name: isp, address: '192.0.2.53:53' }]
change: { via: dns, ttlBeforeS: 3600, ttlS: 47, baselineS: 31, tailS: 83 }
world:
  zone: { ttlS: 3600, nameServers: [{ name: ns-1 }, { name: ns-2 }, { name: ns-3 }, { name: ns-4 }] }
  new: { addresses: 3 }
  script:
    - { afterChangeS: 61, do: remove-load-balancer, side: old, how: silent }
    - { atS: 7, do: lower-ttl, ttlS: 47 }
    - { afterChangeS: 0, do: suspend-schedules, side: old }
    - { afterChangeS: 1, do: switch-dns, to: new }
  expect: { verdict: fail, causes: [stale-answer, kept-connection] }
`;

test('the story is that of the world: sides, names, what happens when, and what must come of it', () => {
  const context = { file: 'small-move.yaml', env: {}, presets, readFile: () => '' };
  const { scenario, world } = parseRehearsal(scenarioText, context);
  if (world === null) throw new Error('it has a world');
  const story = storyText({ scenario, world, setting: settingOf(scenario, world) }, { isVirtual: true });
  expect(story.split('\n')).toEqual([
    'Rehearsal of small-move, in virtual time, seed 1',
    '  old side    ALB/ECS: an ALB at 127.0.1.1, 127.0.1.2',
    '  new side    nginx/EKS: an ingress-nginx at 127.0.2.1, 127.0.2.2, 127.0.2.3',
    '  names       accounts.shop.example, billing.shop.example, cart.shop.example and 1 more: addresses, TTL 3600 s, ' +
      'on ns-1 (127.0.3.1), ns-2 (127.0.3.2), ns-3 (127.0.3.3) and 1 more',
    '  resolvers   vpc (127.0.4.1), isp (127.0.4.2)',
    '  at 7 s      the TTL of the records is set to 47 s',
    '  the change  scheduled jobs of the old side are suspended',
    '  1 s after   DNS of every service is switched to the new side',
    "  61 s after  the old side's load balancer is removed, nothing answers there",
    '  expected    fail, by stale-answer, kept-connection',
    '  takes       about 222 s of virtual time',
  ]);
});

describe('a rehearsal is as expected when the verdict is, and the causes are if any were said', () => {
  const cases: readonly {
    readonly expected: readonly [VerdictValue, (readonly Cause[] | null)?];
    readonly seen: readonly [VerdictValue, ...Cause[]];
    readonly exitCode: number;
  }[] = [
    { expected: ['pass'], seen: ['pass'], exitCode: 0 },
    { expected: ['fail'], seen: ['fail', 'tls'], exitCode: 0 },
    { expected: ['fail', ['tls', 'app-5xx']], seen: ['fail', 'app-5xx', 'tls'], exitCode: 0 },
    { expected: ['fail', ['tls']], seen: ['fail', 'app-5xx', 'tls'], exitCode: 3 },
    { expected: ['fail', ['tls', 'app-5xx']], seen: ['fail', 'tls'], exitCode: 3 },
    { expected: ['fail', []], seen: ['fail', 'tls'], exitCode: 3 },
    { expected: ['pass'], seen: ['fail', 'tls'], exitCode: 3 },
    { expected: ['fail'], seen: ['pass'], exitCode: 3 },
    { expected: ['fail', ['tls']], seen: ['inconclusive', 'tls'], exitCode: 4 },
    { expected: ['inconclusive'], seen: ['inconclusive'], exitCode: 0 },
    { expected: ['inconclusive', ['tls']], seen: ['inconclusive'], exitCode: 3 },
    { expected: ['inconclusive'], seen: ['pass'], exitCode: 3 },
  ];
  test.for(cases)('$expected, and it was $seen: $exitCode', ({ expected, seen, exitCode }) => {
    const [verdict, causes = null] = expected;
    const [value, ...seenCauses] = seen;
    const judged: Verdict = { value, reasons: [], services: [] };
    const outcome = outcomeOf({ verdict, causes }, judged, seenCauses);
    expect(outcome.exitCode).toBe(exitCode);
    expect(outcome.text.startsWith('As expected')).toBe(exitCode === 0);
  });
});

test('commands stand with what they are for', () => {
  const commands = [['dig a', 'names'] as const, ['curl --head a', 'HTTP'] as const];
  expect(commandsText('Try', commands)).toBe('Try\n  dig a          # names\n  curl --head a  # HTTP');
  // No line of it is wider than most windows.
  const long = `curl ${'a'.repeat(77)}`;
  expect(commandsText('Try', [...commands, [long, 'what it answers']])).toBe(
    `Try\n  # names\n  dig a\n  # HTTP\n  curl --head a\n  # what it answers\n  ${long}`,
  );
});
