/** A clock that only tests move, scripted network, and a sink that keeps every row. */
import type { Archetype, Check, Lane } from '../../src/core/scenario.ts';
import type { Entry } from '../../src/core/entry.ts';
import { outcomes, type Outcome } from '../../src/core/outcome.ts';
import type {
  Clock,
  Connection,
  Dialer,
  DnsPort,
  DnsReply,
  Exchange,
  HttpRequest,
  RowSink,
} from '../../src/core/ports.ts';
import type { Row } from '../../src/core/row.ts';
import { dueAtNs } from '../../src/core/schedule.ts';
import { sToNs } from '../../src/core/time.ts';
import { presets } from '../../src/clients/presets.ts';
import { newProber, type Prober } from '../../src/prober/prober.ts';

export interface TestClock extends Clock {
  /** Runs what is due, in order, with all promises settled between. */
  runUntilS(s: number): Promise<void>;
  /** The thread stands still for a while: time passes, nothing runs. */
  stallS(s: number): void;
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function newTestClock(): TestClock {
  let nowNs = 0;
  let waiting: { atNs: number; run: () => void }[] = [];
  return {
    nowNs: () => nowNs,
    at(atNs, run) {
      const one = { atNs, run };
      waiting.push(one);
      return () => {
        waiting = waiting.filter((other) => other !== one);
      };
    },
    async runUntilS(s) {
      const untilNs = sToNs(s);
      await settle();
      for (;;) {
        const next = waiting.toSorted((a, b) => a.atNs - b.atNs)[0];
        if (next === undefined || next.atNs > untilNs) break;
        waiting = waiting.filter((other) => other !== next);
        nowNs = Math.max(nowNs, next.atNs);
        next.run();
        await settle();
      }
      nowNs = Math.max(nowNs, untilNs);
    },
    stallS(s) {
      nowNs += sToNs(s);
    },
  };
}

export interface Answering {
  readonly outcome?: Outcome;
  readonly status?: number;
  /** Infinity: hangs until the deadline. */
  readonly afterS?: number;
  readonly headers?: readonly string[];
  readonly body?: string;
  /** For a dial that fails. */
  readonly dial?: Outcome;
  readonly alpn?: string;
}

export interface World {
  /** What a request gets, by address, when it arrives. */
  answer: (address: string, atS: number, request: HttpRequest) => Answering;
  /** What a name resolves to. */
  resolve: (name: string, type: string, atS: number) => Partial<Extract<DnsReply, { kind: 'answered' }>> | 'timed-out';
}

export interface Queried {
  readonly name: string;
  readonly type: string;
  readonly atS: number;
  /** Its address; '' where it has none. */
  readonly server: string;
  readonly recursionDesired: boolean;
}

export interface Bench {
  readonly clock: TestClock;
  readonly prober: Prober;
  readonly world: World;
  readonly rows: (Row & { readonly outcomeName: Outcome; readonly addressText: string; readonly sentNs: number })[];
  readonly entries: Entry[];
  readonly requests: { readonly address: string; readonly request: HttpRequest }[];
  readonly queries: Queried[];
  readonly dials: string[];
  readonly lanes: Lane[];
}

export function checkOf(overrides: Partial<Check> = {}): Check {
  return {
    name: 'orders',
    url: 'http://orders.test/ready?deep=1',
    scheme: 'http',
    hostname: 'orders.test',
    port: 80,
    path: '/ready?deep=1',
    request: { method: 'GET', headers: [], body: null, token: null },
    expect: { statusIn: [200], bodyIncludes: null, bodyMatches: null, headers: [] },
    goodWithinMs: 2000,
    timeouts: { connectMs: 5000, tlsMs: 5000, firstByteMs: 12_000, totalMs: 12_000 },
    ratePerSecond: 2,
    ...overrides,
  };
}

export function laneOf(number: number, client: string, overrides: Partial<Lane> = {}): Lane {
  const ratePerSecond = overrides.ratePerSecond ?? 2;
  return {
    number,
    role: 'client',
    service: 'orders',
    check: checkOf(),
    client,
    resolver: { name: 'vpc', server: { kind: 'udp', address: '127.0.0.1', port: 53 } },
    address: null,
    archetype: presets[client] as Archetype,
    tls: { caPem: null, certificatePem: null, keyPem: null },
    judged: true,
    ratePerSecond,
    staggerNs: 0,
    startAtNs: 0,
    inFlightMax: Math.ceil(ratePerSecond * 12) + 2,
    ...overrides,
  };
}

export interface TestNetwork {
  readonly dialer: Dialer;
  readonly dns: DnsPort;
  readonly world: World;
  readonly requests: Bench['requests'];
  readonly queries: Bench['queries'];
  readonly dials: string[];
}

/** A network that does what `world` says, at the instants the clock says. */
export function newTestNetwork(clock: Clock): TestNetwork {
  const requests: Bench['requests'] = [];
  const queries: Bench['queries'] = [];
  const dials: string[] = [];
  const world: World = { answer: () => ({}), resolve: () => ({ addresses: ['127.0.1.1'], ttlS: 5 }) };
  const atS = (): number => clock.nowNs() / 1e9;

  const dialer: Dialer = {
    dial({ address }, deadlines) {
      dials.push(address);
      const dialledAtNs = clock.nowNs();
      const { dial, alpn = '' } = world.answer(address, atS(), {} as HttpRequest);
      if (dial === undefined) {
        return Promise.resolve({ kind: 'connected', connection: connectionTo(address, alpn) });
      }
      const fail = (endedAtNs: number): Awaited<ReturnType<Dialer['dial']>> => ({
        kind: 'failed',
        outcome: dial,
        error: dial === 'connect-refused' ? 'ECONNREFUSED' : '',
        startedAtNs: dialledAtNs,
        connectedAtNs: 0,
        endedAtNs,
        localPort: 0,
        certificateSha256: '',
      });
      if (dial !== 'connect-timed-out') return Promise.resolve(fail(clock.nowNs()));
      return new Promise((resolve) => clock.at(deadlines.connectAtNs, () => resolve(fail(clock.nowNs()))));
    },
  };

  function connectionTo(address: string, alpn: string): Connection {
    let isOpen = true;
    let isClosedByUs = false;
    let isUpgraded = false;
    const openedAtNs = clock.nowNs();
    return {
      dialledAtNs: openedAtNs,
      connectedAtNs: openedAtNs,
      securedAtNs: 0,
      localPort: 40_000 + dials.length,
      address,
      certificateSha256: '',
      alpn,
      tlsVersion: '',
      onClosed: null,
      get isOpen() {
        return isOpen;
      },
      close: () => {
        isOpen = false;
        isClosedByUs = true;
      },
      upgrade(request, deadlineNs) {
        isUpgraded = true;
        return this.exchange({ ...request, headers: [...request.headers, 'Upgrade', 'websocket'] }, deadlineNs);
      },
      exchange(request, deadlineNs) {
        requests.push({ address, request });
        const sentAtNs = clock.nowNs();
        const {
          outcome = 'answered',
          status = isUpgraded ? 101 : 200,
          afterS = 0.01,
          headers = [],
          body = 'ok',
        } = world.answer(address, atS(), request);
        const isLate = sentAtNs + sToNs(afterS) > deadlineNs;
        const endNs = isLate ? deadlineNs : sentAtNs + sToNs(afterS);
        return new Promise<Exchange>((resolve) => {
          clock.at(endNs, () => {
            // What is still under way when we close gets no answer.
            const ended = isClosedByUs ? 'reset' : isLate ? 'first-byte-timed-out' : outcome;
            const isAnswered = ended === 'answered';
            if (!isAnswered) isOpen = false;
            resolve({
              outcome: ended,
              error: '',
              status: isAnswered ? status : 0,
              headers: isAnswered ? headers : [],
              bodyBytes: isAnswered ? body.length : 0,
              bodyStart: isAnswered ? Buffer.from(body) : null,
              sentAtNs,
              firstByteAtNs: isAnswered ? endNs : 0,
              endedAtNs: endNs,
              informationalSeen: false,
              framingComplete: isAnswered,
              serverClosed: false,
              cutByUs: false,
            });
          });
        });
      },
    };
  }

  const dns: DnsPort = {
    query(server, { name, type }, { deadlineNs, recursionDesired }) {
      const sentAtNs = clock.nowNs();
      const address = 'address' in server ? server.address : '';
      queries.push({ name, type, atS: atS(), server: address, recursionDesired });
      const found = world.resolve(name, type, atS());
      if (found === 'timed-out') {
        return new Promise((resolve) =>
          clock.at(deadlineNs, () =>
            resolve({ kind: 'failed', reason: 'timed-out', error: '', sentAtNs, endedAtNs: clock.nowNs() }),
          ),
        );
      }
      const blank = { rcode: 'NOERROR', authoritative: false, ede: 0, answers: [], authority: [], chain: [] };
      return Promise.resolve({
        kind: 'answered',
        ...blank,
        addresses: [],
        ttlS: 0,
        sentAtNs,
        endedAtNs: sentAtNs,
        ...found,
      });
    },
  };

  return { dialer, dns, world, requests, queries, dials };
}

export function newBench(lanes: Lane[]): Bench {
  const clock = newTestClock();
  const network = newTestNetwork(clock);
  const rows: Bench['rows'] = [];
  const entries: Entry[] = [];
  const numbers = new Map<string, number>();

  const sink: RowSink = {
    define(kind, key) {
      const known = numbers.get(`${kind} ${key}`);
      if (known !== undefined) return known;
      const next = [...numbers.keys()].filter((one) => one.startsWith(`${kind} `)).length + 2;
      numbers.set(`${kind} ${key}`, next);
      return next;
    },
    row(row) {
      const addressText = [...numbers].find(([key, n]) => key.startsWith('address ') && n === row.address)?.[0];
      const lane = lanes[row.lane] as Lane;
      rows.push({
        ...row,
        outcomeName: outcomes[row.outcome] as Outcome,
        addressText: addressText?.slice('address '.length) ?? '',
        sentNs: dueAtNs(lane, row.slot) + row.lateUs * 1000,
      });
    },
  };

  const prober = newProber({
    clock,
    dialer: network.dialer,
    dns: network.dns,
    sink,
    event: (entry) => entries.push(entry),
    run: { runId: 'c0ffee42', startedAtMs: Date.UTC(2026, 10, 24, 8, 30), version: '0.1.0' },
    markerNames: ['x-served-by'],
  });
  prober.add(lanes);
  return { ...network, clock, prober, rows, entries, lanes };
}
