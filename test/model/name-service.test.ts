import { describe, expect, test } from 'vitest';
import type { DnsQuestion } from '../../src/core/ports.ts';
import { newRandom } from '../../src/core/random.ts';
import type { Side } from '../../src/core/scenario.ts';
import { sToNs } from '../../src/core/time.ts';
import type { TruthEntry } from '../../src/core/truth.ts';
import type { RecordKind, Setting, ZoneSpec } from '../../src/core/world.ts';
import { newNameService } from '../../src/model/name-service.ts';
import type { DnsContent, NameService } from '../../src/model/world-model.ts';

const setting: Setting = {
  sites: ['orders.shop.example', 'billing.shop.example'].map((hostname) => ({
    service: hostname.split('.')[0] ?? '',
    hostname,
    answers: {},
  })),
  loadBalancerNames: { old: ['shop-1.us-west-1.elb.aws.example'], new: ['k8s-shop.us-west-2.elb.aws.example'] },
  markers: { old: [], new: [] },
  referenceHostnames: ['status.reference.example'],
  places: {
    sides: { old: ['127.0.1.1', '127.0.1.2'], new: ['127.0.2.1', '127.0.2.2'] },
    nameServers: { a: '127.0.3.1', b: '127.0.3.2' },
    resolvers: {},
    references: { 'status.reference.example': '127.0.5.1' },
  },
};

interface Started {
  readonly names: NameService;
  readonly truth: readonly TruthEntry[];
  /** An answer as text: `orders.shop.example 37 A 127.0.1.1`, records in the order of their text. */
  readonly ask: (name: string, type: DnsQuestion['type'], atS: number, server?: string) => string;
}

function start(
  record: RecordKind,
  more: { readonly zone?: Partial<ZoneSpec>; readonly isHealthy?: (side: Side) => boolean } = {},
): Started {
  const truth: TruthEntry[] = [];
  const zone: ZoneSpec = {
    nameServers: [
      { name: 'a', lagS: 0 },
      { name: 'b', lagS: 7 },
    ],
    record,
    ttlS: 37,
    soaTtlS: 900,
    soaMinimumS: 86_400,
    healthCheck: { intervalS: 30, failureCount: 3 },
    ...more.zone,
  };
  const names = newNameService({
    zone,
    setting,
    random: newRandom(3, 'zone'),
    record: (entry) => void truth.push(entry),
    isHealthy: more.isHealthy ?? (() => true),
  });
  names.advance(0);
  return {
    names,
    truth,
    ask: (name, type, atS, server = 'a') => textOf(names.ask(server, { name, type }, sToNs(atS))),
  };
}

function textOf({ rcode, answers, authority }: DnsContent): string {
  const lines = [...answers, ...authority].map((one) => `${one.name} ${one.ttlS} ${one.type} ${one.data}`);
  return [...(rcode === 'NOERROR' ? [] : [rcode]), ...lines.toSorted()].join('\n');
}

const soa = 'shop.example 900 SOA a.shop.example hostmaster.shop.example 1 7200 900 1209600 86400';
const orders = 'orders.shop.example';

describe('what each kind of record answers', () => {
  const [oldLb, newLb] = ['shop-1.us-west-1.elb.aws.example', 'k8s-shop.us-west-2.elb.aws.example'];
  const own = (ttlS: number, ...addresses: readonly string[]): string =>
    addresses.map((address) => `${orders} ${ttlS} A ${address}`).join('\n');
  const rows: readonly { record: RecordKind; before: string; after: string }[] = [
    { record: 'address', before: own(37, '127.0.1.1', '127.0.1.2'), after: own(11, '127.0.2.1', '127.0.2.2') },
    {
      record: 'cname',
      before: `${orders} 37 CNAME ${oldLb}\n${oldLb} 60 A 127.0.1.1\n${oldLb} 60 A 127.0.1.2`,
      after: `${newLb} 60 A 127.0.2.1\n${newLb} 60 A 127.0.2.2\n${orders} 11 CNAME ${newLb}`,
    },
    // Nobody can set the TTL of an alias.
    { record: 'alias', before: own(60, '127.0.1.1', '127.0.1.2'), after: own(60, '127.0.2.1', '127.0.2.2') },
    { record: 'weighted', before: own(37, '127.0.1.1', '127.0.1.2'), after: own(11, '127.0.2.1', '127.0.2.2') },
    { record: 'failover', before: own(37, '127.0.1.1', '127.0.1.2'), after: own(11, '127.0.2.1', '127.0.2.2') },
  ];
  test.for(rows)('$record', ({ record, before, after }) => {
    const { names, ask } = start(record);
    expect(ask(orders, 'A', 1)).toBe(before);
    names.lowerTtl(11, sToNs(2));
    names.pointAt('new', ['orders.shop.example'], sToNs(2));
    expect(ask('Orders.SHOP.example.', 'A', 2)).toBe(after);
    expect(ask('billing.shop.example', 'A', 2)).not.toContain('127.0.2');
  });

  test.for<RecordKind>(['address', 'weighted', 'failover'])(
    '%s records of a way back begin at the new side',
    (record) => {
      const { ask } = start(record, { zone: { startsAt: 'new' } });
      expect(ask(orders, 'A', 1)).toBe(own(37, '127.0.2.1', '127.0.2.2'));
    },
  );

  test('addresses come in any order, each first about as often', () => {
    const { names } = start('address');
    let firstCount = 0;
    for (let i = 0; i < 1000; i += 1) {
      const { answers } = names.ask('a', { name: orders, type: 'A' }, 0);
      expect(answers).toHaveLength(2);
      if (answers[0]?.data === '127.0.1.1') firstCount += 1;
    }
    expect(firstCount).toBeGreaterThan(400);
    expect(firstCount).toBeLessThan(600);
  });

  test('weights draw a side for each query', () => {
    const { names } = start('weighted');
    names.shiftWeights(0.3, 0);
    let newCount = 0;
    for (let i = 0; i < 1000; i += 1) {
      const { answers } = names.ask('a', { name: orders, type: 'A' }, 0);
      const sides = new Set(answers.map(({ data }) => data.slice(0, 7)));
      expect(sides.size).toBe(1);
      if (sides.has('127.0.2')) newCount += 1;
    }
    expect(newCount).toBeGreaterThan(240);
    expect(newCount).toBeLessThan(360);
  });

  test.for([
    { ill: '', answers: 'new' },
    { ill: 'new', answers: 'old' },
    { ill: 'old', answers: 'new' },
    { ill: 'old new', answers: 'new' },
  ])('a failover record that points at new, with $ill ill, answers $answers', ({ ill, answers }) => {
    const { names, ask } = start('failover', { isHealthy: (side) => !ill.includes(side) });
    names.pointAt('new', null, 0);
    expect(ask(orders, 'A', 1)).toContain(answers === 'new' ? '127.0.2.1' : '127.0.1.1');
  });
});

describe('negative answers and the zone itself', () => {
  const rows: readonly { name: string; type: DnsQuestion['type']; answer: string }[] = [
    { name: orders, type: 'AAAA', answer: soa },
    { name: orders, type: 'HTTPS', answer: soa },
    { name: orders, type: 'CNAME', answer: soa },
    { name: 'nobody.shop.example', type: 'A', answer: `NXDOMAIN\n${soa}` },
    { name: 'shop.example', type: 'A', answer: soa },
    { name: 'shop.example', type: 'SOA', answer: soa },
    {
      name: 'shop.example',
      type: 'NS',
      answer: 'shop.example 172800 NS a.shop.example\nshop.example 172800 NS b.shop.example',
    },
    { name: 'b.shop.example', type: 'A', answer: 'b.shop.example 300 A 127.0.3.2' },
    // Nothing is there itself, but something is below it.
    { name: 'elb.aws.example', type: 'A', answer: soa.replaceAll('shop.example', 'aws.example') },
    { name: 'status.reference.example', type: 'A', answer: 'status.reference.example 300 A 127.0.5.1' },
    { name: 'orders.shop.other', type: 'A', answer: 'REFUSED' },
  ];
  test.for(rows)('$name $type', ({ name, type, answer }) => {
    const { ask } = start('address');
    expect(ask(name, type, 1)).toBe(answer);
  });

  test('an alias to a name without IPv6 is shown, with the SOA of the zone where the chain ends', () => {
    const lines = start('cname').ask(orders, 'AAAA', 1).split('\n');
    expect(lines).toEqual([
      'aws.example 900 SOA a.aws.example hostmaster.aws.example 1 7200 900 1209600 86400',
      'orders.shop.example 37 CNAME shop-1.us-west-1.elb.aws.example',
    ]);
  });

  test('"there is none" may be kept for the lower of the SOA TTL and its minimum, an SOA that was asked for for its own', () => {
    const { ask } = start('address', { zone: { soaTtlS: 900, soaMinimumS: 41 } });
    expect(ask(orders, 'AAAA', 1)).toMatch(/^shop.example 41 SOA .* 41$/);
    expect(ask('shop.example', 'SOA', 1)).toMatch(/^shop.example 900 SOA .* 41$/);
  });

  test('all answers of a zone are authoritative, a refusal is not', () => {
    const { names } = start('cname');
    for (const name of [orders, 'nobody.shop.example', 'shop.example'])
      expect(names.ask('a', { name, type: 'A' }, 0).authoritative).toBe(true);
    expect(names.ask('a', { name: 'orders.other', type: 'A' }, 0).authoritative).toBe(false);
  });
});

describe('changes in time', () => {
  test('a name server serves a change its lag later, not before', () => {
    const { names, ask } = start('address');
    names.pointAt('new', null, sToNs(20));
    expect(names.nextEventNs()).toBe(sToNs(20));
    names.advance(sToNs(20));
    expect(names.nextEventNs()).toBe(sToNs(27));
    expect(ask(orders, 'A', 20, 'a')).toContain('127.0.2');
    expect(ask(orders, 'A', 26.99, 'b')).toContain('127.0.1');
    expect(ask(orders, 'A', 27, 'b')).toContain('127.0.2');
    expect(names.nextEventNs()).toBe(null);
  });

  test('while a record is deleted there is no such name; then it is on the other side, with the TTL it had', () => {
    const { ask, names } = start('address');
    names.lowerTtl(13, 0);
    names.deleteAndCreate('new', 3, sToNs(20));
    expect(ask(orders, 'A', 19.9)).toContain('13 A 127.0.1.1');
    expect(ask(orders, 'A', 20)).toBe(`NXDOMAIN\n${soa}`);
    expect(ask(orders, 'AAAA', 22.9)).toBe(`NXDOMAIN\n${soa}`);
    expect(ask(orders, 'A', 23)).toContain('13 A 127.0.2.1');
    expect(ask(orders, 'AAAA', 23)).toBe(soa);
  });

  test('the truth says what each server serves from when on', () => {
    const { names, truth } = start('address');
    names.lowerTtl(11, sToNs(5));
    names.deleteAndCreate('new', 3, sToNs(20));
    for (let next = names.nextEventNs(); next !== null; next = names.nextEventNs()) names.advance(next);
    const lines = truth
      .filter((entry) => entry.type === 'record-served')
      .filter(({ hostname }) => hostname === orders)
      .map(({ atNs, nameServer, side, addresses, ttlS }) =>
        [atNs / sToNs(1), nameServer, side, addresses.length, ttlS].join(' '),
      );
    // A record that is missing has the TTL of "there is none".
    expect(lines).toEqual([
      '0 a old 2 37',
      '0 b old 2 37',
      '5 a old 2 11',
      '12 b old 2 11',
      '20 a  0 900',
      '23 a new 2 11',
      '27 b  0 900',
      '30 b new 2 11',
    ]);
  });

  test('the truth of weights names no side while there are two', () => {
    const { names, truth } = start('weighted');
    names.shiftWeights(0.25, sToNs(1));
    names.advance(sToNs(60));
    names.shiftWeights(1, sToNs(61));
    names.advance(sToNs(70));
    const sides = truth.flatMap((entry) =>
      entry.type === 'record-served' && entry.hostname === orders && entry.nameServer === 'a'
        ? [[entry.side, entry.addresses.length]]
        : [],
    );
    expect(sides).toEqual([
      ['old', 2],
      [null, 4],
      ['new', 2],
    ]);
  });

  test('the truth of a failover record follows the health of its sides', () => {
    let isOldHealthy = true;
    const { names, truth, ask } = start('failover', { isHealthy: (side) => side === 'new' || isOldHealthy });
    isOldHealthy = false;
    names.advance(sToNs(3));
    isOldHealthy = true;
    ask(orders, 'A', 4.5);
    const seen = truth.flatMap((entry) =>
      entry.type === 'record-served' && entry.hostname === orders && entry.nameServer === 'a'
        ? [[entry.atNs / sToNs(1), entry.side]]
        : [],
    );
    expect(seen).toEqual([
      [0, 'old'],
      [3, 'new'],
      [4.5, 'old'],
    ]);
  });
});
