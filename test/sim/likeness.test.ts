/**
 * The same world behind both bodies: once on loopback sockets with the real ports of `net`, once on the simulated ones.
 * What the prober is told must be the same, but for times, ports and fingerprints.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settle } from '../../src/cli/settle.ts';
import type {
  Clock,
  DialResult,
  Dialer,
  DnsPort,
  DnsQuestion,
  DnsReply,
  Exchange,
  HttpRequest,
} from '../../src/core/ports.ts';
import { sToNs } from '../../src/core/time.ts';
import { traceId } from '../../src/core/trace-id.ts';
import { startLab, type Lab } from '../../src/lab/lab.ts';
import type { Arrival, DnsContent, Served, ShownCertificate, WorldModel } from '../../src/model/world-model.ts';
import { newClock } from '../../src/net/clock.ts';
import { newDialer } from '../../src/net/dialer.ts';
import { newDnsPort } from '../../src/net/dns-port.ts';
import { newSimClock } from '../../src/sim/clock.ts';
import { newSimDnsPort } from '../../src/sim/dns-port.ts';
import { newSimNetwork } from '../../src/sim/network.ts';
import { answered, quietWorld, setting } from '../lab/quiet-world.ts';
import { get } from './kit.ts';

const address = setting.places.sides.old[0] as string;
const resolverAddress = setting.places.resolvers['vpc'] as string;
const hostname = 'shop.test';

type Speech = 'plain' | 'http/1.1' | 'h2';

/** One body of the world. */
interface Body {
  readonly clock: Clock;
  readonly dialer: Dialer;
  readonly dns: DnsPort;
  readonly ports: { readonly http: number; readonly https: number; readonly dns: number };
  readonly caPem: string;
  readonly change: () => void;
  readonly run: <T>(work: Promise<T>) => Promise<T>;
}

/** The real body is started once; each test says what its world does. */
let conduct: Partial<WorldModel> = {};
const realWorld = quietWorld({
  ask: (...asked) => (conduct.ask ?? (() => null))(...asked),
  dial: (...asked) => (conduct.dial ?? (() => ({ kind: 'accepted', afterNs: 0 }) as const))(...asked),
  certificate: (...asked) => (conduct.certificate ?? rightCertificate)(...asked),
  serve: (...asked) => (conduct.serve ?? (() => answered()))(...asked),
  idleEndNs: (...asked) => (conduct.idleEndNs ?? (() => null))(...asked),
  cut: (...asked) => (conduct.cut ?? (() => null))(...asked),
});
const realClock = newClock(process.hrtime.bigint());
let lab: Lab;

const startOne = (): Promise<Lab> =>
  startLab({ world: realWorld, setting, isTls: true, clock: realClock, runId: null });

beforeAll(async () => {
  lab = await startOne();
});
afterAll(() => lab[Symbol.asyncDispose]());

function rightCertificate(): ShownCertificate {
  return { kind: 'right', side: 'old', names: [hostname] };
}

function realBody(of = lab): Body {
  return {
    clock: realClock,
    dialer: newDialer({ clock: realClock }),
    dns: newDnsPort({ clock: realClock }),
    ports: { http: of.ports.http, https: of.ports.https ?? 0, dns: of.ports.dns },
    caPem: of.caPem ?? '',
    change: () => void of.change(),
    run: (work) => work,
  };
}

function simBody(): Body {
  const clock = newSimClock(settle);
  const world = quietWorld({ certificate: rightCertificate, rttNs: () => sToNs(0.001), ...conduct });
  const network = newSimNetwork({ clock, world });
  return {
    clock,
    dialer: network.dialer,
    dns: newSimDnsPort({ clock, world }),
    ports: { http: 80, https: 443, dns: 53 },
    caPem: '',
    change: () => network.change(),
    run: (work) => clock.runUntil(work),
  };
}

/** Of both bodies, the real one first. */
async function inBoth<T>(play: (body: Body) => Promise<T>, of = lab): Promise<[T, T]> {
  const real = await play(realBody(of));
  const body = simBody();
  return [real, await body.run(play(body))];
}

function wait({ clock }: Body, s: number): Promise<void> {
  return new Promise((resolve) => clock.at(clock.nowNs() + sToNs(s), resolve));
}

function dial(body: Body, speech: Speech): Promise<DialResult> {
  const alpn = speech === 'h2' ? (['h2', 'http/1.1'] as const) : (['http/1.1'] as const);
  const tls = speech === 'plain' ? null : { serverName: hostname, alpn, caPem: body.caPem };
  const port = tls === null ? body.ports.http : body.ports.https;
  const deadlineNs = body.clock.nowNs() + sToNs(20);
  return body.dialer.dial({ address, port, tls }, { connectAtNs: deadlineNs, secureAtNs: deadlineNs });
}

/** Headers that a server adds by itself and nobody reads. */
const unread = new Set(['date', 'connection', 'x-rehearsal-side', 'upgrade', 'sec-websocket-accept']);

function factsOf({ headers, sentAtNs, firstByteAtNs, endedAtNs, ...exchange }: Exchange): unknown {
  const kept = headers.flatMap((text, i) =>
    i % 2 === 0 && !unread.has(text.toLowerCase()) ? [[text, headers[i + 1]]] : [],
  );
  const bodyText = exchange.bodyStart === null ? null : new TextDecoder().decode(exchange.bodyStart);
  return {
    ...exchange,
    bodyStart: bodyText,
    headers: kept,
    hasFirstByte: firstByteAtNs > 0,
    isInOrder: sentAtNs <= endedAtNs && firstByteAtNs <= endedAtNs,
  };
}

interface Case {
  readonly claim: string;
  readonly served?: Served;
  readonly speeches?: readonly Speech[];
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly withinS?: number;
}

const all: readonly Speech[] = ['plain', 'http/1.1', 'h2'];
const fault = 'network-degraded';

const cases: readonly Case[] = [
  { claim: 'a good answer' },
  { claim: 'an empty answer', served: answered({ body: '' }) },
  {
    claim: 'headers in their order, twice the same too',
    served: answered({ headers: ['X-B', '1', 'A', '2', 'X-B', '3'] }),
    speeches: ['plain'],
  },
  { claim: 'HEAD', method: 'HEAD' },
  { claim: 'no content', served: answered({ status: 204, body: '' }) },
  { claim: 'not modified', served: answered({ status: 304, body: '' }) },
  { claim: 'an error page', served: answered({ status: 503, reason: 'Service Unavailable', body: '<h1>503</h1>' }) },
  { claim: 'just 64 KiB', served: answered({ body: 'x'.repeat(65_536) }) },
  { claim: 'a byte more', served: answered({ body: 'x'.repeat(65_537) }) },
  { claim: 'the last answer of a connection', served: answered({ closes: true }) },
  {
    claim: 'a request that asks to close',
    headers: ['Connection', 'close'],
    served: answered({ closes: false }),
    speeches: ['h2'],
  },
  { claim: 'a reset', served: { kind: 'reset', afterNs: 0, fault } },
  { claim: 'a close', served: { kind: 'closed', afterNs: 0, fault } },
  { claim: 'silence', served: { kind: 'silent', fault }, withinS: 0.2 },
];

describe.for(cases)('$claim', ({ served = answered(), speeches = all, method = 'GET', headers = [], withinS = 20 }) => {
  test.for(speeches)('%s', async (speech) => {
    conduct = { serve: () => served };
    const [real, simulated] = await inBoth(async (body) => {
      const result = await dial(body, speech);
      if (result.kind === 'failed') return result.outcome;
      const { connection } = result;
      const closed: string[] = [];
      connection.onClosed = (why) => closed.push(why);
      const request = get({ authority: hostname, method, headers: ['User-Agent', 'me', ...headers] });
      const exchange = await connection.exchange(request, body.clock.nowNs() + sToNs(withinS));
      const isOpen = connection.isOpen;
      await wait(body, 0.02);
      connection.close();
      const { alpn, tlsVersion } = connection;
      return { ...(factsOf(exchange) as object), isOpen, closed, alpn, tlsVersion };
    });
    expect(simulated).toEqual(real);
  });
});

test.for(all)('the world is told whether a request came over TLS: %s', async (speech) => {
  const told: (boolean | undefined)[] = [];
  conduct = {
    serve({ isSecure }) {
      told.push(isSecure);
      return answered();
    },
  };
  await inBoth(async (body) => {
    const result = await dial(body, speech);
    if (result.kind === 'failed') return;
    const scheme = speech === 'plain' ? 'http' : 'https';
    await result.connection.exchange(get({ scheme }), body.clock.nowNs() + sToNs(20));
    result.connection.close();
  });
  expect(told).toEqual(Array.from({ length: 2 }, () => speech !== 'plain'));
});

test('idle connections that are cut when the world changes', async () => {
  let isCut = false;
  conduct = { cut: () => (isCut ? 'reset' : null) };
  const [real, simulated] = await inBoth(async (body) => {
    isCut = false;
    const dialled = [await dial(body, 'plain'), await dial(body, 'http/1.1'), await dial(body, 'h2')];
    const connections = dialled.flatMap((result) => (result.kind === 'connected' ? [result.connection] : []));
    const closed: string[] = [];
    for (const connection of connections) {
      connection.onClosed = (why) => closed.push(why);
      await connection.exchange(get(), body.clock.nowNs() + sToNs(20));
    }
    isCut = true;
    body.change();
    await wait(body, 0.1);
    return { closed, areOpen: connections.map(({ isOpen }) => isOpen) };
  });
  expect(simulated).toEqual(real);
  expect(real).toEqual({ closed: ['reset', 'reset', 'reset'], areOpen: [false, false, false] });
});

describe('a connection that nobody uses', () => {
  test.for(all)('and that the server closes: %s', async (speech) => {
    conduct = { idleEndNs: (_, lastUsedAtNs) => lastUsedAtNs + sToNs(0.15) };
    const [real, simulated] = await inBoth(async (body) => {
      const result = await dial(body, speech);
      if (result.kind === 'failed') return result.outcome;
      const closed: string[] = [];
      result.connection.onClosed = (why) => closed.push(why);
      await wait(body, 0.3);
      const late = await result.connection.exchange(get(), body.clock.nowNs() + sToNs(1));
      return { closed, isOpen: result.connection.isOpen, late: factsOf(late) };
    });
    expect(simulated).toEqual(real);
  });
});

describe('a WebSocket', () => {
  const granted = answered({
    status: 101,
    reason: 'Switching Protocols',
    headers: ['X-Served-By', 'ecs'],
    body: '',
    session: '10.1.0.1:8080',
  });
  const pong = answered({ status: 101, headers: [], body: '' });
  const speeches: readonly Speech[] = ['plain', 'http/1.1'];
  const ask = (method = 'GET'): HttpRequest => get({ authority: hostname, method });

  /** One session: what the upgrade is told, and what each ping is, all of them sent at once. */
  async function play(body: Body, speech: Speech, { pingCount = 3, withinS = 20 } = {}): Promise<unknown> {
    const result = await dial(body, speech);
    if (result.kind === 'failed') return result.outcome;
    const { connection } = result;
    const closed: string[] = [];
    connection.onClosed = (why) => closed.push(why);
    const opened = await connection.upgrade?.(ask('POST'), body.clock.nowNs() + sToNs(20));
    if (opened === undefined) return 'no upgrade';
    const wasOpen = connection.isOpen;
    const pings = Array.from({ length: pingCount }, () =>
      connection.exchange(pingOf(), body.clock.nowNs() + sToNs(withinS)),
    );
    const exchanges = await Promise.all(pings);
    await wait(body, 0.02);
    const { isOpen } = connection;
    connection.close();
    return { opened: factsOf(opened), wasOpen, exchanges: exchanges.map(factsOf), isOpen, closed };
  }

  let slot = 0;
  /** Told apart by its trace. */
  function pingOf(): HttpRequest {
    slot += 1;
    return get({ authority: hostname, headers: ['X-Amzn-Trace-Id', `Root=${traceId('c0ffee42', 0, 7, slot, 0)}`] });
  }

  test.for(speeches)('%s: each ping has the headers of the answer that opened it', async (speech) => {
    const arrivals: Arrival[] = [];
    conduct = {
      serve(arrival) {
        arrivals.push(arrival);
        return arrival.held.session === undefined ? granted : pong;
      },
    };
    slot = 0;
    const [real, simulated] = await inBoth((body) => play(body, speech));
    expect(simulated).toEqual(real);
    expect(real).toMatchObject({
      opened: { status: 101, outcome: 'answered', headers: [['X-Served-By', 'ecs']] },
      exchanges: [1, 2, 3].map(() => ({ status: 101, outcome: 'answered', headers: [['X-Served-By', 'ecs']] })),
      isOpen: true,
      closed: [],
    });
    const told = arrivals.map(({ isUpgrade = false, held, method, trace }) => [
      isUpgrade,
      held.session ?? '',
      method,
      trace?.slot,
    ]);
    expect(told.length).toBe(8);
    const ofReal = told.slice(0, 4);
    expect(ofReal.map(([isUpgrade, session]) => [isUpgrade, session])).toEqual([
      [true, ''],
      ...[1, 2, 3].map(() => [false, '10.1.0.1:8080']),
    ]);
    expect(ofReal.slice(1).map(([, , , of]) => of)).toEqual([1, 2, 3]);
  });

  test.for([200, 404, 426, 503])('that is refused with %i', async (status) => {
    conduct = { serve: () => answered({ status }) };
    const [real, simulated] = await inBoth((body) => play(body, 'plain', { pingCount: 0 }));
    expect(simulated).toEqual(real);
    expect(real).toMatchObject({ opened: { status, outcome: 'answered' }, isOpen: true });
  });

  test.for<{ claim: string; served: Served; withinS?: number }>([
    { claim: 'a reset', served: { kind: 'reset', afterNs: 0, fault } },
    { claim: 'a close', served: { kind: 'closed', afterNs: 0, fault } },
    { claim: 'silence', served: { kind: 'silent', fault }, withinS: 0.2 },
  ])('whose pings meet $claim', async ({ served, withinS = 20 }) => {
    conduct = { serve: ({ held }) => (held.session === undefined ? granted : served) };
    const [real, simulated] = await inBoth((body) => play(body, 'http/1.1', { withinS }));
    expect(simulated).toEqual(real);
    expect(real).toMatchObject({ isOpen: false });
  });

  test('of which one ping is lost: the pong to the next is for both', async () => {
    let pingCount = 0;
    conduct = {
      serve({ held }) {
        if (held.session === undefined) {
          pingCount = 0;
          return granted;
        }
        pingCount += 1;
        return pingCount === 2 ? { kind: 'silent', fault } : pong;
      },
    };
    const [real, simulated] = await inBoth((body) => play(body, 'plain'));
    expect(simulated).toEqual(real);
    expect(real).toMatchObject({ exchanges: [1, 2, 3].map(() => ({ outcome: 'answered' })), isOpen: true });
  });

  test.for(['reset', 'closed'] as const)('that is cut (%s), once idle and once with a ping under way', async (how) => {
    // Its change is made once.
    await using own = await startOne();
    let isCut = false;
    conduct = {
      serve: ({ held }) => (held.session === undefined ? granted : { kind: 'silent', fault }),
      cut: () => (isCut ? how : null),
    };
    const [real, simulated] = await inBoth(async (body) => {
      isCut = false;
      const dialled = [await dial(body, 'plain'), await dial(body, 'http/1.1')];
      const connections = dialled.flatMap((result) => (result.kind === 'connected' ? [result.connection] : []));
      const closed: string[] = [];
      for (const connection of connections) {
        connection.onClosed = (why) => closed.push(why);
        await connection.upgrade?.(ask(), body.clock.nowNs() + sToNs(20));
      }
      const underWay = connections[1]?.exchange(pingOf(), body.clock.nowNs() + sToNs(20));
      await wait(body, 0.05);
      isCut = true;
      body.change();
      const exchange = await underWay;
      await wait(body, 0.1);
      return {
        closed,
        exchange: exchange === undefined ? null : factsOf(exchange),
        areOpen: connections.map(({ isOpen }) => isOpen),
      };
    }, own);
    expect(simulated).toEqual(real);
    expect(real).toMatchObject({ closed: [how === 'reset' ? 'reset' : 'server-closed'], areOpen: [false, false] });
  });

  test('that nobody pings is closed when the server says so', async () => {
    conduct = {
      serve: () => granted,
      idleEndNs: ({ session }, lastUsedAtNs) => lastUsedAtNs + sToNs(session === undefined ? 5 : 0.15),
    };
    const [real, simulated] = await inBoth(async (body) => {
      const result = await dial(body, 'plain');
      if (result.kind === 'failed') return result.outcome;
      const closed: string[] = [];
      result.connection.onClosed = (why) => closed.push(why);
      await result.connection.upgrade?.(ask(), body.clock.nowNs() + sToNs(20));
      await wait(body, 0.3);
      const late = await result.connection.exchange(pingOf(), body.clock.nowNs() + sToNs(1));
      return { closed, isOpen: result.connection.isOpen, late: factsOf(late) };
    });
    expect(simulated).toEqual(real);
    expect(real).toMatchObject({ closed: ['server-closed'], isOpen: false });
  });
});

describe('a dial', () => {
  test.for(['default', 'other-name', 'expired'] as const)('that is shown a certificate of kind %s', async (kind) => {
    conduct = { certificate: () => ({ kind, side: 'old', names: kind === 'other-name' ? ['else.test'] : [hostname] }) };
    const [real, simulated] = await inBoth(async (body) => {
      const result = await dial(body, 'http/1.1');
      if (result.kind === 'connected') return 'connected';
      const { outcome, error, connectedAtNs, localPort, certificateSha256 } = result;
      return { outcome, error, isConnected: connectedAtNs > 0, hasPort: localPort > 0, sees: certificateSha256.length };
    });
    expect(simulated).toEqual(real);
    expect(real).toMatchObject({ outcome: 'tls-failed', sees: 64 });
  });
});

describe('a question', () => {
  const soa = { name: 'test', type: 'SOA', ttlS: 900, data: 'ns1.test admin.test 1 7200 900 1209600 300' };
  const content: DnsContent = { rcode: 'NOERROR', authoritative: false, ede: 0, answers: [], authority: [] };
  const question: DnsQuestion = { name: 'shop.test', type: 'A' };
  const chain = [
    { name: 'shop.test', type: 'CNAME', ttlS: 37, data: 'elb.test' },
    { name: 'elb.test', type: 'A', ttlS: 60, data: '127.0.2.1' },
    { name: 'elb.test', type: 'A', ttlS: 60, data: '127.0.2.2' },
  ];
  const circle = [
    { name: 'shop.test', type: 'CNAME', ttlS: 1, data: 'b.test' },
    { name: 'b.test', type: 'CNAME', ttlS: 1, data: 'shop.test' },
  ];

  test.for<{ claim: string; says?: Partial<DnsContent> | null; asks?: DnsQuestion; withinS?: number }>([
    { claim: 'with a chain', says: { answers: chain, authoritative: true } },
    { claim: 'in capitals and with its last dot', says: { answers: chain }, asks: { name: 'Shop.TEST.', type: 'A' } },
    { claim: 'with a stale answer', says: { answers: chain, ede: 4 } },
    { claim: 'for a name that is not', says: { rcode: 'NXDOMAIN', authority: [soa], authoritative: true } },
    { claim: 'for a type that is not', says: { authority: [soa] }, asks: { name: 'shop.test', type: 'AAAA' } },
    { claim: 'that fails', says: { rcode: 'SERVFAIL', ede: 23 } },
    { claim: 'that is refused', says: { rcode: 'REFUSED' } },
    { claim: 'that leads in a circle', says: { answers: circle } },
    { claim: 'for an address', says: null, asks: { name: '127.0.1.1', type: 'A' } },
    { claim: 'of the other family for an address', says: null, asks: { name: '127.0.1.1', type: 'AAAA' } },
    { claim: 'that nobody answers', says: null, withinS: 0.2 },
    { claim: 'that comes too late', says: {}, withinS: 0 },
  ])('$claim', async ({ says = {}, asks = question, withinS = 20 }) => {
    conduct = { ask: () => (says === null ? null : { content: { ...content, ...says }, afterNs: 0 }) };
    const [real, simulated] = await inBoth(async ({ dns, clock, ports }) => {
      const server = { kind: 'udp', address: resolverAddress, port: ports.dns } as const;
      const deadlineNs = clock.nowNs() + sToNs(withinS);
      return untimed(await dns.query(server, asks, { recursionDesired: true, deadlineNs }));
    });
    expect(simulated).toEqual(real);
    // The journal has it as JSON: the order of its members as well.
    expect(JSON.stringify(simulated)).toBe(JSON.stringify(real));
  });

  function untimed({ sentAtNs, endedAtNs, ...reply }: DnsReply): object {
    return { ...reply, isInOrder: sentAtNs <= endedAtNs };
  }
});
