import { describe, expect, test } from 'vitest';
import type { DnsQuestion } from '../../src/core/ports.ts';
import { newRandom } from '../../src/core/random.ts';
import { sToNs } from '../../src/core/time.ts';
import type { TruthEntry } from '../../src/core/truth.ts';
import type { ResolverConduct } from '../../src/core/world.ts';
import { newResolver } from '../../src/model/resolver.ts';
import type { DnsContent, ResolverModel, Upstream } from '../../src/model/world-model.ts';
import { honest } from './conduct.ts';
import { newTextZone } from './zone-text.ts';

const soa = 'shop.example 900 SOA a.shop.example hostmaster.shop.example 1 7200 900 1209600 17\n';
const before = `${soa}
  orders.shop.example 20 CNAME old.elb.example
  old.elb.example     60 A     127.0.1.1
  new.elb.example     60 A     127.0.2.1
  far.shop.example   300 CNAME old.elb.example
  plain.shop.example  37 A     127.0.1.1
  zero.shop.example    0 A     127.0.1.1`;
/** Every hostname on the other side; the load balancers' own names as they were. */
const after = before.replaceAll(/shop.example.*/g, (line) =>
  line.replace('CNAME old', 'CNAME new').replace('127.0.1.1', '127.0.2.1'),
);
const without = `${soa}
  orders.shop.example 20 CNAME old.elb.example
  old.elb.example     60 A     127.0.1.1`;

/** What happens to the authority, and what is asked; `fetched` names what the resolver asked for. */
type Row =
  | { readonly atS: number; readonly authority: 'before' | 'after' | 'without' | 'cut-off' }
  | {
      readonly atS: number;
      readonly ask: string;
      readonly type?: DnsQuestion['type'];
      /** Data of the answers; or the rcode, or 'none' for NODATA. */
      readonly answer: string;
      readonly ttlS?: string;
      readonly fetched?: string;
      readonly ede?: number;
    };

const refusal: DnsContent = { rcode: 'REFUSED', authoritative: false, ede: 0, answers: [], authority: [] };
const places = {
  sides: { old: ['127.0.1.1'], new: ['127.0.2.1'] },
  nameServers: {},
  resolvers: {},
  references: {},
};

interface Started {
  readonly resolver: ResolverModel;
  readonly truth: readonly TruthEntry[];
  readonly zone: { text: string | null };
  /** Takes out what was asked for since the last time. */
  readonly fetched: () => string;
}

function start(conduct: Partial<ResolverConduct>): Started {
  const zone: { text: string | null } = { text: before };
  const truth: TruthEntry[] = [];
  let asked: string[] = [];
  const resolver = newResolver({
    name: 'vpc',
    conduct: { ...honest, ...conduct },
    setting: {
      sites: ['orders', 'plain'].map((name) => ({ service: name, hostname: `${name}.shop.example`, answers: {} })),
      loadBalancerNames: { old: ['old.elb.example'], new: ['new.elb.example'] },
      places,
    },
    upstream: (question) => {
      if (zone.text === null) return null;
      asked.push(`${question.name.split('.')[0]} ${question.type}`);
      return newTextZone(zone.text).ask(question);
    },
    random: newRandom(7, 'resolver'),
    record: (entry) => void truth.push(entry),
  });
  return {
    resolver,
    truth,
    zone,
    fetched() {
      const text = asked.join(', ');
      asked = [];
      return text;
    },
  };
}

function play(conduct: Partial<ResolverConduct>, rows: readonly Row[]): readonly Row[] {
  const { resolver, zone, fetched } = start(conduct);
  return rows.map((row) => {
    if ('authority' in row) {
      zone.text = { before, after, without, 'cut-off': null }[row.authority];
      return row;
    }
    const name = `${row.ask}.shop.example`;
    const { rcode, answers, authority, ede, authoritative } = resolver.ask(
      { name, type: row.type ?? 'A' },
      sToNs(row.atS),
    );
    expect(authoritative).toBe(false);
    const data = answers.map((one) => one.data).join(' ');
    const noData = rcode === 'NOERROR' && authority.length > 0 ? 'none' : '';
    const ttlS = [...answers, ...authority].map((one) => one.ttlS).join(' ');
    const asked = fetched();
    return {
      atS: row.atS,
      ask: row.ask,
      ...(row.type !== undefined && { type: row.type }),
      answer: [rcode === 'NOERROR' ? '' : rcode, data, noData].filter((word) => word !== '').join(' '),
      ...(ttlS !== '' && { ttlS }),
      ...(asked !== '' && { fetched: asked }),
      ...(ede > 0 && { ede: ede - 1 }),
    };
  });
}

const oldChain = 'old.elb.example 127.0.1.1';
const newChain = 'new.elb.example 127.0.2.1';
const stale = { when: 'unreachable', replyTtlS: 30, staleSMax: 100, saysSo: true } as const;

const cases: readonly { claim: string; conduct: Partial<ResolverConduct>; rows: readonly Row[] }[] = [
  {
    claim: 'an honest cache counts down and fetches when the TTL is over, not before',
    conduct: {},
    rows: [
      { atS: 3, ask: 'plain', answer: '127.0.1.1', ttlS: '37', fetched: 'plain A' },
      { atS: 4, authority: 'after' },
      { atS: 13.2, ask: 'plain', answer: '127.0.1.1', ttlS: '27' },
      { atS: 39.99, ask: 'plain', answer: '127.0.1.1', ttlS: '1' },
      { atS: 40, ask: 'plain', answer: '127.0.2.1', ttlS: '37', fetched: 'plain A' },
    ],
  },
  {
    claim: 'names are the same in any case',
    conduct: {},
    rows: [
      { atS: 0, ask: 'plain', answer: '127.0.1.1', ttlS: '37', fetched: 'plain A' },
      { atS: 1, ask: 'PLAIN', answer: '127.0.1.1', ttlS: '36' },
    ],
  },
  {
    claim: 'an alias and its target have lives of their own',
    conduct: {},
    rows: [
      { atS: 0, ask: 'orders', answer: oldChain, ttlS: '20 60', fetched: 'orders A, old A' },
      { atS: 20, ask: 'orders', answer: oldChain, ttlS: '20 40', fetched: 'orders A' },
      { atS: 21, authority: 'after' },
      { atS: 39, ask: 'orders', answer: oldChain, ttlS: '1 21' },
      { atS: 41, ask: 'orders', answer: newChain, ttlS: '20 60', fetched: 'orders A, new A' },
      { atS: 42, ask: 'orders', type: 'CNAME', answer: 'new.elb.example', ttlS: '19' },
    ],
  },
  {
    claim: 'a TTL of 0 serves one question',
    conduct: {},
    rows: [
      { atS: 0, ask: 'zero', answer: '127.0.1.1', ttlS: '0', fetched: 'zero A' },
      { atS: 0, ask: 'zero', answer: '127.0.1.1', ttlS: '0', fetched: 'zero A' },
    ],
  },
  {
    claim: 'a lower limit keeps and shows an answer longer than its TTL',
    conduct: { minTtlS: 47 },
    rows: [
      { atS: 0, ask: 'plain', answer: '127.0.1.1', ttlS: '47', fetched: 'plain A' },
      { atS: 1, authority: 'after' },
      { atS: 46, ask: 'plain', answer: '127.0.1.1', ttlS: '1' },
      { atS: 46, ask: 'zero', answer: '127.0.2.1', ttlS: '47', fetched: 'zero A' },
      { atS: 47, ask: 'plain', answer: '127.0.2.1', ttlS: '47', fetched: 'plain A' },
    ],
  },
  {
    claim: 'an upper limit shortens every link of a chain',
    conduct: { maxTtlS: 13 },
    rows: [
      { atS: 0, ask: 'orders', answer: oldChain, ttlS: '13 13', fetched: 'orders A, old A' },
      { atS: 12, ask: 'orders', answer: oldChain, ttlS: '1 1' },
      { atS: 13, ask: 'orders', answer: oldChain, ttlS: '13 13', fetched: 'orders A, old A' },
    ],
  },
  {
    claim: 'a cache that does not count down shows the TTL it received, and keeps no longer',
    conduct: { countsDown: false },
    rows: [
      { atS: 0, ask: 'plain', answer: '127.0.1.1', ttlS: '37', fetched: 'plain A' },
      { atS: 36, ask: 'plain', answer: '127.0.1.1', ttlS: '37' },
      { atS: 37, ask: 'plain', answer: '127.0.1.1', ttlS: '37', fetched: 'plain A' },
    ],
  },
  {
    claim: '"there is none" of a type is kept for the lower of SOA TTL and minimum',
    conduct: {},
    rows: [
      { atS: 0, ask: 'plain', type: 'AAAA', answer: 'none', ttlS: '17', fetched: 'plain AAAA' },
      { atS: 16, ask: 'plain', type: 'AAAA', answer: 'none', ttlS: '1' },
      { atS: 16, ask: 'plain', answer: '127.0.1.1', ttlS: '37', fetched: 'plain A' },
      { atS: 17, ask: 'plain', type: 'AAAA', answer: 'none', ttlS: '17', fetched: 'plain AAAA' },
    ],
  },
  {
    claim: 'a name that was asked for while it was deleted stays away for the negative TTL, whatever type is asked for',
    conduct: {},
    rows: [
      { atS: 0, authority: 'without' },
      { atS: 1, ask: 'plain', type: 'AAAA', answer: 'NXDOMAIN', ttlS: '17', fetched: 'plain AAAA' },
      { atS: 2, authority: 'after' },
      { atS: 17.9, ask: 'plain', answer: 'NXDOMAIN', ttlS: '1' },
      { atS: 18, ask: 'plain', answer: '127.0.2.1', ttlS: '37', fetched: 'plain A' },
      { atS: 19, ask: 'plain', type: 'AAAA', answer: 'none', ttlS: '17', fetched: 'plain AAAA' },
    ],
  },
  {
    claim: 'an answer that lives outlives the deletion of its name',
    conduct: {},
    rows: [
      { atS: 0, ask: 'plain', answer: '127.0.1.1', ttlS: '37', fetched: 'plain A' },
      { atS: 1, authority: 'without' },
      { atS: 36, ask: 'plain', answer: '127.0.1.1', ttlS: '1' },
      { atS: 37, ask: 'plain', answer: 'NXDOMAIN', ttlS: '17', fetched: 'plain A' },
    ],
  },
  {
    claim: 'negative answers have an upper limit of their own',
    conduct: { negativeTtlSMax: 5 },
    rows: [
      { atS: 0, ask: 'nobody', answer: 'NXDOMAIN', ttlS: '5', fetched: 'nobody A' },
      { atS: 5, ask: 'nobody', answer: 'NXDOMAIN', ttlS: '5', fetched: 'nobody A' },
    ],
  },
  {
    claim: 'an alias whose target has no such type shows the alias',
    conduct: {},
    rows: [
      {
        atS: 0,
        ask: 'orders',
        type: 'AAAA',
        answer: 'old.elb.example none',
        ttlS: '20 17',
        fetched: 'orders AAAA, old AAAA',
      },
      { atS: 18, ask: 'orders', type: 'AAAA', answer: 'old.elb.example none', ttlS: '2 17', fetched: 'old AAAA' },
    ],
  },
  {
    claim: 'prefetch in the last tenth answers from the cache and renews it for the next question',
    conduct: { prefetch: 'last-tenth' },
    rows: [
      { atS: 0, ask: 'plain', answer: '127.0.1.1', ttlS: '37', fetched: 'plain A' },
      { atS: 1, authority: 'after' },
      { atS: 33, ask: 'plain', answer: '127.0.1.1', ttlS: '4' },
      { atS: 34.2, ask: 'plain', answer: '127.0.1.1', ttlS: '3', fetched: 'plain A' },
      { atS: 35, ask: 'plain', answer: '127.0.2.1', ttlS: '36' },
    ],
  },
  {
    claim: 'prefetch in the last tenth asks for the whole chain; a link that is the same again keeps its end',
    conduct: { prefetch: 'last-tenth' },
    rows: [
      { atS: 0, ask: 'far', answer: oldChain, ttlS: '300 60', fetched: 'far A, old A' },
      { atS: 54, ask: 'far', answer: oldChain, ttlS: '246 6', fetched: 'far A, old A' },
      { atS: 55, ask: 'far', answer: oldChain, ttlS: '245 59' },
      { atS: 56, authority: 'after' },
      { atS: 108, ask: 'far', answer: oldChain, ttlS: '192 6', fetched: 'far A, new A' },
      { atS: 109, ask: 'far', answer: newChain, ttlS: '299 59' },
    ],
  },
  {
    claim: 'prefetch that finds the name gone ends what was known of it',
    conduct: { prefetch: 'last-tenth' },
    rows: [
      { atS: 0, ask: 'far', answer: oldChain, ttlS: '300 60', fetched: 'far A, old A' },
      { atS: 1, authority: 'without' },
      { atS: 54, ask: 'far', answer: oldChain, ttlS: '246 6', fetched: 'far A' },
      { atS: 55, ask: 'far', answer: 'NXDOMAIN', ttlS: '16' },
    ],
  },
  {
    claim: 'prefetch in the last tenth needs 10 s',
    conduct: { prefetch: 'last-tenth', maxTtlS: 9 },
    rows: [
      { atS: 0, ask: 'plain', answer: '127.0.1.1', ttlS: '9', fetched: 'plain A' },
      { atS: 8.9, ask: 'plain', answer: '127.0.1.1', ttlS: '1' },
      { atS: 9, ask: 'plain', answer: '127.0.1.1', ttlS: '9', fetched: 'plain A' },
    ],
  },
  {
    claim: 'prefetch in the last 2 s renews each set of records that began with 9 s or more',
    conduct: { prefetch: 'last-2-s' },
    rows: [
      { atS: 0, ask: 'orders', answer: oldChain, ttlS: '20 60', fetched: 'orders A, old A' },
      { atS: 1, authority: 'after' },
      { atS: 17, ask: 'orders', answer: oldChain, ttlS: '3 43' },
      { atS: 18, ask: 'orders', answer: oldChain, ttlS: '2 42', fetched: 'orders A' },
      { atS: 19, ask: 'orders', answer: newChain, ttlS: '19 60', fetched: 'new A' },
    ],
  },
  {
    claim: 'prefetch in the last 2 s leaves short lives alone',
    conduct: { prefetch: 'last-2-s', maxTtlS: 8 },
    rows: [
      { atS: 0, ask: 'plain', answer: '127.0.1.1', ttlS: '8', fetched: 'plain A' },
      { atS: 7, ask: 'plain', answer: '127.0.1.1', ttlS: '1' },
      { atS: 8, ask: 'plain', answer: '127.0.1.1', ttlS: '8', fetched: 'plain A' },
    ],
  },
  {
    claim: 'without stale answers a failure is a failure, and is remembered for a second',
    conduct: {},
    rows: [
      { atS: 0, authority: 'cut-off' },
      { atS: 1, ask: 'plain', answer: 'SERVFAIL' },
      { atS: 1.2, authority: 'before' },
      { atS: 1.9, ask: 'plain', answer: 'SERVFAIL' },
      { atS: 2, ask: 'plain', answer: '127.0.1.1', ttlS: '37', fetched: 'plain A' },
    ],
  },
  {
    claim: 'a stale answer stands in while no authority answers, says so, and the authority is tried again after 30 s',
    conduct: { serveStale: stale },
    rows: [
      { atS: 0, ask: 'plain', answer: '127.0.1.1', ttlS: '37', fetched: 'plain A' },
      { atS: 1, authority: 'cut-off' },
      { atS: 36, ask: 'plain', answer: '127.0.1.1', ttlS: '1' },
      { atS: 38, ask: 'plain', answer: '127.0.1.1', ttlS: '30', ede: 3 },
      { atS: 39, authority: 'after' },
      { atS: 67.9, ask: 'plain', answer: '127.0.1.1', ttlS: '30', ede: 3 },
      { atS: 68, ask: 'plain', answer: '127.0.2.1', ttlS: '37', fetched: 'plain A' },
    ],
  },
  {
    claim: 'while the authority answers nothing stale is served',
    conduct: { serveStale: stale },
    rows: [
      { atS: 0, ask: 'plain', answer: '127.0.1.1', ttlS: '37', fetched: 'plain A' },
      { atS: 1, authority: 'after' },
      { atS: 38, ask: 'plain', answer: '127.0.2.1', ttlS: '37', fetched: 'plain A' },
    ],
  },
  {
    claim: 'stale answers end too',
    conduct: { serveStale: { ...stale, staleSMax: 7 } },
    rows: [
      { atS: 0, ask: 'plain', answer: '127.0.1.1', ttlS: '37', fetched: 'plain A' },
      { atS: 1, authority: 'cut-off' },
      { atS: 44, ask: 'plain', answer: '127.0.1.1', ttlS: '30', ede: 3 },
      { atS: 44.1, ask: 'plain', answer: 'SERVFAIL' },
    ],
  },
  {
    claim: 'a resolver that serves stale first answers from what has ended, and fetches for the next question',
    conduct: { serveStale: { ...stale, when: 'always', replyTtlS: 0, saysSo: false } },
    rows: [
      { atS: 0, ask: 'orders', answer: oldChain, ttlS: '20 60', fetched: 'orders A, old A' },
      { atS: 1, authority: 'after' },
      { atS: 90, ask: 'orders', answer: oldChain, ttlS: '0 0', fetched: 'orders A, new A' },
      { atS: 91, ask: 'orders', answer: newChain, ttlS: '19 59' },
      { atS: 100, authority: 'cut-off' },
      { atS: 120, ask: 'orders', answer: newChain, ttlS: '0 30' },
      { atS: 121, ask: 'orders', answer: newChain, ttlS: '0 29' },
    ],
  },
  {
    claim: 'a TTL of 0 is not served stale',
    conduct: { serveStale: { ...stale, when: 'always' } },
    rows: [
      { atS: 0, ask: 'zero', answer: '127.0.1.1', ttlS: '0', fetched: 'zero A' },
      { atS: 2, ask: 'zero', answer: '127.0.1.1', ttlS: '0', fetched: 'zero A' },
    ],
  },
];

test.for(cases)('$claim', ({ conduct, rows }) => {
  expect(play(conduct, rows)).toEqual(rows);
});

describe('beside the tables', () => {
  const circle: Upstream = ({ name }) => ({
    ...refusal,
    rcode: 'NOERROR',
    answers: [{ name, type: 'CNAME', ttlS: 60, data: name === 'a.example' ? 'b.example' : 'a.example' }],
  });
  const withoutSoa: Upstream = () => ({ ...refusal, rcode: 'NXDOMAIN' });
  test.for([
    { what: 'a refusal', upstream: (): DnsContent => refusal },
    { what: 'a circle of aliases', upstream: circle },
    { what: '"there is none" without a SOA', upstream: withoutSoa },
  ])('$what is a failure', ({ upstream }) => {
    const setting = { sites: [], loadBalancerNames: { old: [], new: [] }, places };
    const random = newRandom(1, 'resolver');
    const resolver = newResolver({ name: 'vpc', conduct: honest, setting, upstream, random, record: () => {} });
    expect(resolver.ask({ name: 'a.example', type: 'A' }, 0)).toMatchObject({ rcode: 'SERVFAIL', answers: [] });
  });

  test('the truth has every filling of a hostname, with the side it leads to', () => {
    const { resolver, truth, zone } = start({ maxTtlS: 30 });
    for (const atS of [0, 10, 31]) {
      for (const name of ['orders', 'plain', 'nobody']) {
        resolver.ask({ name: `${name}.shop.example`, type: 'A' }, sToNs(atS));
        resolver.ask({ name: `${name}.shop.example`, type: 'AAAA' }, sToNs(atS));
      }
      if (atS === 10) zone.text = after;
    }
    zone.text = without;
    resolver.ask({ name: 'plain.shop.example', type: 'A' }, sToNs(62));
    const lines = truth.map((entry) =>
      entry.type === 'answer-cached'
        ? [entry.atNs / sToNs(1), entry.hostname.split('.')[0], entry.side, entry.addresses.join(), entry.ttlS].join(
            ' ',
          )
        : entry.type,
    );
    expect(lines).toEqual([
      '0 orders old 127.0.1.1 20',
      '0 plain old 127.0.1.1 30',
      '31 orders new 127.0.2.1 20',
      '31 plain new 127.0.2.1 30',
      '62 plain   17',
    ]);
  });
});
