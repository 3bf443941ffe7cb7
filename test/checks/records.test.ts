import { expect, test } from 'vitest';
import type { Asked, Facts, NameFacts, ServerFacts } from '../../src/checks/facts.ts';
import { preflight } from '../../src/checks/preflight.ts';
import { factsOf, hostname, nameFacts, oldAddress, scenarioOf, server } from './kit.ts';

const record = `${hostname} 60 A ${oldAddress}`;

function sided(one: ServerFacts, side: Asked['side']): ServerFacts {
  return { ...one, asked: one.asked.map((asked) => (asked.side === 'none' ? asked : { ...asked, side })) };
}

const alias = (name: string): ServerFacts => sided(server(name, [`${hostname} 60 CNAME edge.other.test`]), 'unknown');

function linked(servers: readonly ServerFacts[]): NameFacts {
  const links = [{ name: 'edge.other.test', error: '', servers }];
  return nameFacts({ authorities: [alias('ns-1'), alias('ns-2')], links });
}

const target = server('x-1', ['edge.other.test 60 A 192.0.2.1']);
const followed: ServerFacts = {
  ...target,
  asked: target.asked.map((one) => ({
    ...one,
    side: one.type === 'A' ? 'old' : 'none',
    reply: { ...one.reply, addresses: one.type === 'A' ? [oldAddress] : [] } as Asked['reply'],
  })),
};
const gone = server('x-2', [], { rcode: 'NXDOMAIN' });

test.for<{ name: string; over: Partial<Facts>; safe: string }>([
  { name: 'all name servers lead to the side that is left', over: {}, safe: 'yes' },
  {
    name: 'name servers that disagree',
    over: { names: [nameFacts({ authorities: [server('ns-1', [record]), sided(server('ns-2', [record]), 'new')] })] },
    safe: 'no',
  },
  {
    name: 'by weights both sides are given',
    over: {
      scenario: scenarioOf('change: { via: weights, ttlS: 60 }'),
      names: [nameFacts({ authorities: [server('ns-1', [record]), sided(server('ns-2', [record]), 'new')] })],
    },
    safe: 'yes',
  },
  {
    name: 'addresses of nobody',
    over: { names: [nameFacts({ authorities: [sided(server('ns-1', [record]), 'unknown')] })] },
    safe: 'unknown',
  },
  {
    name: 'a chain out of the zone that leads to the side that is left',
    over: { names: [linked([followed])] },
    safe: 'yes',
  },
  { name: 'a server of its link that has no such name', over: { names: [linked([followed, gone])] }, safe: 'no' },
  {
    name: 'a server of its link that leads to the side moved to',
    over: { names: [linked([followed, sided({ ...followed, server: 'x-2' }, 'new')])] },
    safe: 'no',
  },
  {
    name: 'a side with IPv6 alone, while it is kept for 300 s that the name has none',
    over: { addresses: { old: [oldAddress], new: ['2001:db8::1'] } },
    safe: 'no',
  },
])('where they lead: $name', ({ over, safe }) => {
  const rows = preflight(factsOf(over)).checks.filter(({ check, decides }) => check === 'record' && decides);
  const results = new Set(rows.map(({ result }) => result));
  expect(results.has('fail') ? 'no' : results.has('unknown') ? 'unknown' : 'yes').toBe(safe);
});
