/** What is concluded from the answers of authoritative servers, from logs written by hand. */
import { describe, expect, test } from 'vitest';
import type { Entry, EntryOf } from '../../src/core/entry.ts';
import type { DnsRecord, DnsReply } from '../../src/core/ports.ts';
import { msToNs, nsPerS, sToNs } from '../../src/core/time.ts';
import { analysisOf, hostname, newAddress, oldAddress } from './kit.ts';

type DnsAnswered = EntryOf<'dns-answered'>;
type Answered = Extract<DnsReply, { kind: 'answered' }>;

const [one, two] = ['127.0.3.1:53', '127.0.3.2:53'];
const lanes = [{ slots: '.'.repeat(60), at: `${'o'.repeat(25)}n` }];

interface Told extends Partial<Pick<Answered, 'rcode' | 'authoritative' | 'chain' | 'addresses' | 'ttlS' | 'nsid'>> {
  readonly server?: string;
  readonly name?: string;
  readonly question?: DnsAnswered['question'];
  readonly sameCount?: number;
  /** The answer failed, with this error. */
  readonly failed?: string;
}

/** One poll's answer, 10 ms after it was sent; the poll before was sent a second earlier, the first `atS` 0. */
function told(atS: number, what: Told): Entry {
  const { server = one, name = hostname, question = 'A', sameCount = 0, failed, ...reply } = what;
  const [sentAtNs, endedAtNs] = [sToNs(atS), sToNs(atS) + msToNs(10)];
  const { chain = [], addresses = [], ttlS = 5 } = reply;
  const owners = [name, ...chain];
  const answers: DnsRecord[] = [
    ...chain.map((data, i) => ({ name: owners[i] ?? '', type: 'CNAME', ttlS, data })),
    ...addresses.map((data) => ({ name: owners.at(-1) ?? '', type: question, ttlS, data })),
  ];
  const blank = { rcode: 'NOERROR', authoritative: true, ede: 0, answers, authority: [], chain, addresses, ttlS };
  return {
    type: 'dns-answered',
    atNs: endedAtNs,
    watch: 'authority',
    server,
    name,
    question,
    side: null,
    reply:
      failed === undefined
        ? { kind: 'answered', ...blank, ...reply, sentAtNs, endedAtNs }
        : { kind: 'failed', reason: 'unreachable', error: failed, sentAtNs, endedAtNs },
    previousSentAtNs: atS === 0 ? null : sentAtNs - nsPerS,
    sameCount,
  };
}

/** The same from `fromS` to `toS`, an entry every 10 s. */
function toldFor(fromS: number, toS: number, what: Told): Entry[] {
  const entries: Entry[] = [];
  for (let atS = fromS; atS <= toS; atS += 10) entries.push(told(atS, { ...what, sameCount: atS === fromS ? 0 : 9 }));
  return entries;
}

function found(name: string, more: Partial<EntryOf<'authorities-found'>> = {}): Entry {
  return { type: 'authorities-found', atNs: 0, name, zone: '', servers: [], found: 'ns-lookup', error: '', ...more };
}

const resultOf = (...entries: readonly (Entry | readonly Entry[])[]) => analysisOf({ lanes, entries: entries.flat() });
const kinds = /^authorit|^ns-|^answers-|^record-|^https-/;

function findingsOf(...entries: readonly (Entry | readonly Entry[])[]): string[] {
  return resultOf(...entries)
    .findings.filter(({ kind }) => kinds.test(kind))
    .map(({ kind, severity, text, evidence }) => [`${severity} ${kind}`, text, ...evidence].join(' | '));
}

const old: Told = { addresses: [oldAddress] };
const moved: Told = { addresses: [newAddress] };
const cleanly = [one, two].flatMap((server) => [
  ...toldFor(0, 10, { ...old, server }),
  ...toldFor(20, 50, { ...moved, server }),
]);

test('servers that move together are found nothing about', () => {
  expect(findingsOf(cleanly)).toEqual([]);
});

describe('the link that changed decides', () => {
  const atLink = 'shop.cdn.example';
  const toLink = [one, two].flatMap((server) => toldFor(0, 50, { server, chain: [atLink] }));
  const instants = (...entries: readonly (Entry | readonly Entry[])[]) => {
    const change = resultOf(...entries).services[0]?.changes[0];
    return [change?.authorityFirstAtNs, change?.authorityLastAtNs, change?.usedBy];
  };

  test('where the hostname’s own servers say the same all the time', () => {
    const ofLink = [
      found(atLink, { linkOf: hostname }),
      ...toldFor(0, 20, { ...old, name: atLink, server: '127.0.3.8:53' }),
      ...toldFor(23, 50, { ...moved, name: atLink, server: '127.0.3.8:53' }),
      ...toldFor(0, 30, { ...old, name: atLink, server: '127.0.3.9:53' }),
      ...toldFor(37, 50, { ...moved, name: atLink, server: '127.0.3.9:53' }),
    ];
    expect(instants(toLink, ofLink)).toEqual([23.01e9, 37.01e9, 'authority']);
    expect(findingsOf(toLink, ofLink)).toEqual([
      expect.stringMatching(
        /^warn authority-lags .*127.0.3.9:53 for shop.cdn.example A changed between 12.9 s and 15.1 s/,
      ),
    ]);
  });

  test('where the hostname was led to another one, a link that stands still did not fail to move', () => {
    const entries = [
      ...toldFor(0, 20, { chain: ['a.cdn.example'] }),
      ...toldFor(23, 50, { chain: ['b.cdn.example'] }),
      found('a.cdn.example', { linkOf: hostname }),
      found('b.cdn.example', { linkOf: hostname }),
      ...toldFor(0, 50, { ...old, name: 'a.cdn.example', server: two }),
      ...toldFor(23, 50, { ...moved, name: 'b.cdn.example', server: two }),
    ];
    expect(instants(entries)).toEqual([23.01e9, 23.01e9, 'authority']);
    expect(findingsOf(entries)).toEqual([]);
  });

  test('and what moved in the chain of another hostname does not', () => {
    const other = [
      found(atLink, { linkOf: 'billing.shop.example' }),
      ...toldFor(0, 20, { ...old, name: atLink, server: two }),
      ...toldFor(23, 50, { ...moved, name: atLink, server: two }),
    ];
    expect(instants(toldFor(0, 50, old), other)).toEqual([null, null, 'identity']);
  });
});

test('what is said without authority is no word about the name, and a server of which it is all is lame', () => {
  const lame = toldFor(0, 50, { ...old, server: '127.0.3.3:53', authoritative: false });
  const refusing = toldFor(0, 50, { rcode: 'REFUSED', server: '127.0.3.4:53' });
  expect(findingsOf(cleanly, lame, refusing)).toEqual([
    expect.stringMatching(/^warn authority-lame .*127.0.3.3:53 .* \(51 times\).*NOERROR, without authority/),
    expect.stringMatching(/^warn authority-lame .*127.0.3.4:53 .* \(51 times\).*REFUSED/),
  ]);
  const [change] = resultOf(cleanly, lame, refusing).services[0]?.changes ?? [];
  expect(change?.authorityLastAtNs).toBe(20.01e9);
});

describe('servers side by side', () => {
  test('that never say the same disagree', () => {
    expect(findingsOf(toldFor(0, 50, old), toldFor(0, 50, { addresses: ['127.0.1.9'], server: two }))).toEqual([
      expect.stringMatching(
        /^warn authorities-disagree .* orders.shop.example A.*127.0.3.1:53 says 127.0.1.1 .*says 127.0.1.9/,
      ),
    ]);
  });

  test('of which one has the name and the other not, to the end, disagree', () => {
    expect(findingsOf(toldFor(0, 50, old), toldFor(0, 50, { rcode: 'NXDOMAIN', server: two }))[0]).toMatch(
      /^warn authorities-disagree .*no such name/,
    );
  });

  test('with different TTLs say so, though the order of addresses is another each time', () => {
    const both = [oldAddress, '127.0.1.2'];
    const entries = [
      toldFor(0, 50, { addresses: both, ttlS: 61 }),
      toldFor(0, 50, { addresses: both.toReversed(), ttlS: 3607, server: two }),
    ];
    expect(findingsOf(...entries)).toEqual([expect.stringMatching(/^warn authority-ttls-differ .* up to 3607 s/)]);
  });
});

describe('answers that go to and fro', () => {
  test('with every query are drawn', () => {
    const drawn = (server: string, draws: string) =>
      [...draws].map((side, i) => told(i, { server, addresses: [side === 'o' ? oldAddress : newAddress] }));
    const entries = [drawn(one, 'oooooonnonoonnonoonnonon'), drawn(two, 'ooooononnoonnonnoonoonno')];
    expect(findingsOf(...entries)).toEqual([
      expect.stringMatching(/^info answers-drawn .*127.0.3.1:53: \d+ of \d+ answers/),
    ]);
  });

  test('in long turns are not: somebody, or a health check, moves them', () => {
    const turns = [0, 10, 20, 30, 40, 50].map((atS, i) =>
      told(atS, { addresses: [i % 2 === 0 ? oldAddress : newAddress], sameCount: 9 }),
    );
    expect(findingsOf(turns)).toEqual([expect.stringMatching(/^(warn|info) answers-went-back /)]);
  });
});

describe('an HTTPS record', () => {
  const ofBrowsers = (data: string) => toldFor(20, 50, { question: 'HTTPS', addresses: [data] });
  test.for([
    { data: `1 . ipv4hint=${oldAddress}`, isFound: true },
    { data: `1 . alpn=h2 ipv4hint=${newAddress}`, isFound: false },
    { data: '1 . alpn=h2', isFound: false },
    { data: String.raw`\# 2 0001`, isFound: false },
  ])('of "$data" after the change: $isFound', ({ data, isFound }) => {
    const texts = findingsOf(cleanly, ofBrowsers(data));
    expect(texts.map((text) => text.split(' | ')[0])).toEqual(isFound ? ['warn https-hint-old-side'] : []);
  });
});

test('a record that was gone for a while is told once, with how long resolvers may remember that', () => {
  const gone = [one, two].flatMap((server) => [
    ...toldFor(0, 10, { ...old, server }),
    ...toldFor(20, 20, { rcode: 'NXDOMAIN', ttlS: 907, server }),
    ...toldFor(24, 50, { ...moved, server }),
  ]);
  const [text = '', ...others] = findingsOf(gone);
  expect(others).toEqual([]);
  expect(text).toMatch(
    /^warn record-gap .* at most 5 s, .* for up to 907 s more .*127.0.3.1:53: NXDOMAIN after .*127.0.3.2/,
  );
});

test('a name server that only the zone above names is told, with who says what; one that says nothing is not asked to agree', () => {
  const sets = (...child: string[]) =>
    found(hostname, {
      zone: 'shop.example',
      nsSets: [
        { at: 'parent', server: '127.0.3.7', names: ['ns-1.example', 'ns-2.example'], error: '' },
        { at: 'child', server: '127.0.3.1', names: child, error: '' },
        { at: 'child', server: '127.0.3.2', names: [], error: 'timed-out' },
      ],
    });
  expect(findingsOf(cleanly, sets('ns-1.example', 'ns-2.example'))).toEqual([]);
  expect(findingsOf(cleanly, sets('ns-1.example'))).toEqual([
    expect.stringMatching(
      /^warn ns-sets-differ .*the zone above, 127.0.3.7: ns-1.example, ns-2.example .*the zone itself/,
    ),
  ]);
});

test('servers that were not found at the start are told, with when they were, and what the first look-up had failed by', () => {
  const none = found(hostname, { zone: 'shop.example', found: 'none', error: 'NS shop.example: timed-out' });
  const sets = (['parent', 'child'] as const).map((at, i) => ({
    at,
    server: `127.0.3.${i}`,
    names: [`ns-${i}.example`],
    error: '',
  }));
  const later = found(hostname, { atNs: 14e9, zone: 'shop.example', servers: [one, two], nsSets: sets });
  expect(findingsOf(cleanly, none)).toEqual([
    expect.stringMatching(/^warn authorities-not-found .* never found: .* NS shop.example: timed-out$/),
  ]);
  const [unfound = '', ...more] = findingsOf(cleanly, none, later);
  expect(unfound).toMatch(/not before 2026-\S+:14\.000Z found/);
  // What was found later is looked at like what is found at once.
  expect(more).toEqual([expect.stringMatching(/^warn ns-sets-differ/)]);
});

test('addresses that this machine has no way to are no fault of the servers', () => {
  const servers = ['[fd00::1]:53', '[fd00::2]:53'];
  const unrouted = servers.flatMap((server) => toldFor(0, 50, { failed: 'ENETUNREACH', server }));
  expect(findingsOf(cleanly, unrouted)).toEqual([expect.stringMatching(/^info authority-no-route .* 2 addresses/)]);
});

test('a server goes by its name, its zone, its serial and what it says it is', () => {
  const soa = { name: 'shop.example', type: 'SOA', ttlS: 5, data: 'ns h 20261124 1 2 3 4' };
  const asked = told(1, { question: 'SOA', name: 'shop.example' }) as DnsAnswered;
  const entries = [
    found(hostname, {
      zone: 'shop.example',
      nameServers: [{ name: 'ns-1.example', addresses: ['127.0.3.1'], error: '' }],
    }),
    ...toldFor(0, 50, { ...old, nsid: 'gpdns-fra' }),
    { ...asked, reply: { ...(asked.reply as Answered), answers: [soa] } },
  ];
  expect(resultOf(entries).authorities).toMatchObject([
    {
      address: one,
      hostname,
      zone: 'shop.example',
      nameServer: 'ns-1.example',
      nsid: 'gpdns-fra',
      soaSerial: 20261124,
    },
  ]);
});
