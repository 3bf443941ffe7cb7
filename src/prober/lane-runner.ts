/**
 * One lane at work: each slot becomes at least one row, whatever happens. The steps of a probe: an answer (held or asked),
 * a connection (kept or dialled), an exchange, a row. Nothing here waits for another slot, and nothing rejects.
 */
import { newResolveCache, type HeldAnswer } from '../clients/resolve-cache.ts';
import { assert } from '../core/errors.ts';
import type { Entry } from '../core/entry.ts';
import { isRight, outcomeNumber, type Outcome } from '../core/outcome.ts';
import type { Clock, Connection, Dialer, Exchange, HttpRequest, RowSink, TlsSettings } from '../core/ports.ts';
import { newRow, parts, type Row } from '../core/row.ts';
import { blindLateNs, dueAtNs } from '../core/schedule.ts';
import type { Expectation, Lane } from '../core/scenario.ts';
import { msToNs, nsPerMs, nsToColumnUs } from '../core/time.ts';
import type { Answers, Asked } from './answers.ts';
import { newConnections, type Kept } from './connections.ts';
import { dialAny, type DialFailure } from './dialling.ts';
import type { Evaluation, Evaluator } from './evaluate.ts';
import type { RequestMaker } from './request.ts';

/** After so many refusals in a row a lane slows down. */
const blockedCountMax = 10;
/** A slowed lane sends one probe in so many seconds. */
const slowedEveryS = 10;

export interface LanePorts {
  readonly clock: Clock;
  readonly dialer: Dialer;
  readonly sink: RowSink;
  readonly answers: Answers;
  readonly evaluator: (expect: Expectation) => Evaluator;
  readonly requests: RequestMaker;
  readonly event: (entry: Entry) => void;
}

export interface LaneRunner {
  readonly lane: Lane;
  /** Slots under way, and checks and retries that follow on them. */
  readonly underWayCount: number;
  /** Sends the slot, or logs that it did not. Returns at once. */
  fire(slot: number, nowNs: number): void;
  /** What needs no slot: closes kept connections whose time is over, asks DNS where the client does so by itself. */
  sweep(nowNs: number): void;
  token(value: string): void;
  /** From now on nothing is sent: the address is no longer one of its side. Slots are logged as withheld. */
  withdraw(): void;
  closeAll(): void;
}

/** What the slot's steps found, until it is a row. */
interface Found {
  readonly slot: number;
  readonly part: number;
  readonly sentNs: number;
  held: HeldAnswer | null;
  resolvedNs: number;
  answer: number;
}

type AskFailed = Extract<Asked, { kind: 'failed' }>;

/** What the next step of the policy needs to know of a finished row. */
interface Ended {
  readonly outcome: Outcome;
  readonly isRight: boolean;
  readonly wasKept: boolean;
}

/** Writes the row of a slot of which this is what came. */
type Result = (found: Found) => Ended;

export function newLaneRunner(lane: Lane, ports: LanePorts): LaneRunner {
  const { clock, sink } = ports;
  const { check, archetype } = lane;
  const cache = newResolveCache(archetype.resolve);
  const connections = newConnections(archetype.connect);
  const isHeld = archetype.connect.kind === 'held';
  const evaluator = ports.evaluator(isHeld ? expectedOfUpgrade(check.expect) : check.expect);
  const evaluation: Evaluation = { checks: 0, face: 0, isBlocked: false };
  const row: Row = newRow();
  const lateNsMax = blindLateNs(lane, check.goodWithinMs);
  const keepsConnections = archetype.connect.kind !== 'new';
  const totalNs = msToNs(check.timeouts.totalMs);
  const firstByteNs = msToNs(check.timeouts.firstByteMs);
  const slowedStride = Math.max(1, Math.ceil(lane.ratePerSecond * slowedEveryS));
  const tls = tlsOf(lane);

  let inFlightCount = 0;
  /** Fresh checks and retries: they do not hold the place of a slot, or a hanging target would make drops. */
  let laterCount = 0;
  let isWithdrawn = false;
  let dialCount = 0;
  let blockedCount = 0;
  let isSlowed = false;
  let lastFailure: AskFailed | null = null;
  let isAskingByItself = false;
  /** A dial under way that all slots of an HTTP/2 client wait for together. */
  let sharedDial: Promise<DialledKept | DialFailedAll> | null = null;
  /** The one session of a held client, being opened by one slot; all others wait for it. */
  let opening: Promise<Result> | null = null;

  type DialledKept = { readonly kept: Kept; readonly failures: readonly DialFailure[] };
  type DialFailedAll = { readonly kept: null; readonly failures: readonly DialFailure[] };

  function fire(slot: number, nowNs: number): void {
    const lateNs = nowNs - dueAtNs(lane, slot);
    if (isWithdrawn || (isSlowed && slot % slowedStride !== 0)) {
      writeUnsent(slot, lateNs, 'withheld');
    } else if (inFlightCount >= lane.inFlightMax || lateNs > lateNsMax) {
      writeUnsent(slot, lateNs, 'dropped');
    } else {
      inFlightCount += 1;
      void probe(slot);
    }
  }

  async function probe(slot: number): Promise<void> {
    const ended = await attempt(slot, parts.slot);
    inFlightCount -= 1;
    const part = laterPart(ended);
    if (part === null || laterCount >= lane.inFlightMax) return;
    laterCount += 1;
    await attempt(slot, part);
    laterCount -= 1;
  }

  function laterPart(ended: Ended): number | null {
    if (ended.outcome === 'answered' && ended.isRight) return null;
    if (archetype.retriesOnce && ended.outcome !== 'answered') return parts.retried;
    return ended.wasKept ? parts.freshCheck : null;
  }

  /** One request from beginning to end, and its row. Parts but the slot's own open a connection of their own. */
  async function attempt(slot: number, part: number): Promise<Ended> {
    const sentNs = clock.nowNs();
    const found: Found = { slot, part, sentNs, held: null, resolvedNs: 0, answer: 0 };
    const kept = part === parts.slot && keepsConnections ? connections.take(sentNs) : null;
    if (kept !== null) return writeExchange(found, kept, await exchangeOn(found, kept, true), true);
    if (isHeld && part !== parts.freshCheck) return attemptOnSession(found);
    const write = await tryAnew(found);
    return write(found);
  }

  /** Slots that are due while a session is being opened share what comes of that: they are of the same user. */
  async function attemptOnSession(found: Found): Promise<Ended> {
    const isWaiting = opening !== null;
    opening ??= tryAnew(found).finally(() => {
      opening = null;
    });
    const write = await opening;
    const kept = isWaiting ? connections.take(clock.nowNs()) : null;
    return kept === null ? write(found) : writeExchange(found, kept, await exchangeOn(found, kept, true), true);
  }

  async function tryAnew(found: Found): Promise<Result> {
    const { part } = found;
    const failed = await resolve(found, part === parts.freshCheck);
    const shared = (one: Found): Found => (one === found ? one : { ...one, held: found.held, answer: found.answer });
    if (failed !== null) {
      const endedNs = clock.nowNs();
      return (one) => writeFailed(shared(one), failed.outcome, failed.error, endedNs);
    }
    const dialled = await dial(found, part);
    // Addresses tried before the one that connected; where none did, the last failure is the slot's own.
    for (const failure of dialled.kept === null ? dialled.failures.slice(0, -1) : dialled.failures) {
      writeDialFailure({ ...found, part: parts.triedBefore }, failure);
    }
    const { kept } = dialled;
    if (kept !== null) {
      const exchange = await exchangeOn(found, kept, false);
      return (one) => writeExchange(shared(one), kept, exchange, false);
    }
    cache.broke();
    const last = dialled.failures.at(-1);
    assert(last !== undefined, 'a dial that failed has at least one failure');
    return (one) => writeDialFailure(shared(one), last);
  }

  /** Fills `held`; returns why there is none. A fresh check asks DNS itself, whatever the client remembers. */
  async function resolve(found: Found, isFresh: boolean): Promise<AskFailed | null> {
    const decision = isFresh && lane.resolver !== null ? { kind: 'ask' as const } : cache.decide(found.sentNs);
    if (decision.kind === 'fail' && lastFailure !== null) {
      found.answer = lastFailure.answer;
      return lastFailure;
    }
    if (decision.kind === 'use' || decision.kind === 'use-and-ask') {
      found.held = decision.held;
      found.answer = decision.held.answer;
      if (decision.kind === 'use-and-ask') void ask();
      return null;
    }
    const asked = await ask(!isFresh);
    found.resolvedNs = clock.nowNs();
    if (asked.kind === 'failed') {
      found.answer = asked.answer;
      return asked;
    }
    found.held = asked.held;
    found.answer = asked.held.answer;
    return null;
  }

  async function ask(isLearnt = true): Promise<Asked> {
    assert(lane.resolver !== null, 'a lane without a resolver has a pinned address');
    const asked = await ports.answers.ask(lane.resolver, lane);
    if (!isLearnt) return asked;
    if (asked.kind === 'held') {
      cache.learn(asked.held);
      if (archetype.resolve.kind === 'on-break') connections.keepOnly(asked.held.addresses, clock.nowNs());
    } else {
      cache.failed(asked.receivedAtNs);
      lastFailure = asked;
    }
    return asked;
  }

  /** Without a slot that waits for the answer. */
  async function askByItself(): Promise<void> {
    isAskingByItself = true;
    await ask();
    isAskingByItself = false;
  }

  async function dial(found: Found, part: number): Promise<DialledKept | DialFailedAll> {
    if (archetype.connect.kind !== 'http2' || part !== parts.slot) return dialNew(found);
    const isFirst = sharedDial === null;
    sharedDial ??= dialNew(found).finally(() => {
      sharedDial = null;
    });
    const dialled = await sharedDial;
    const isHttp2 = dialled.kept?.connection.alpn === 'h2';
    if (dialled.kept !== null && isHttp2 && isFirst) connections.put(dialled.kept, clock.nowNs());
    // The server chose HTTP/1.1: one request at a time, so whoever came second needs a connection of its own.
    return isFirst || isHttp2 || dialled.kept === null ? dialled : dialNew(found);
  }

  async function dialNew(found: Found): Promise<DialledKept | DialFailedAll> {
    const held = found.held;
    assert(held !== null && held.addresses.length > 0, 'an answer without addresses is a failed one');
    const endNs = found.sentNs + totalNs;
    dialCount += 1;
    const { connection, failures } = await dialAny(ports, {
      addresses: held.addresses,
      port: check.port,
      tls,
      choose: archetype.choose,
      turn: dialCount - 1,
      deadlines: (nowNs) => {
        const connectAtNs = Math.min(endNs, nowNs + msToNs(check.timeouts.connectMs));
        return { connectAtNs, secureAtNs: Math.min(endNs, connectAtNs + msToNs(check.timeouts.tlsMs)) };
      },
    });
    if (connection === null) return { kept: null, failures };
    const kept: Kept = {
      connection,
      answer: held.answer,
      answerTtlS: held.ttlS,
      answerReceivedAtNs: held.receivedAtNs,
      idleSinceNs: connection.connectedAtNs,
      requestCount: 1,
      underWayCount: 0,
    };
    connection.onClosed = (why) => {
      cache.broke();
      logClosed(connection, why);
    };
    return { kept, failures };
  }

  async function exchangeOn(found: Found, kept: Kept, wasKept: boolean): Promise<Exchange> {
    const { connection } = kept;
    const keeps = keepsConnections && found.part !== parts.freshCheck;
    const startNs = clock.nowNs();
    const request = ports.requests.make(found.slot, found.part, found.sentNs, keeps || isHeld);
    const endNs = found.sentNs + totalNs;
    const firstByteAtNs = Math.min(endNs, startNs + firstByteNs);
    kept.underWayCount += 1;
    const exchange = await (isHeld && !wasKept
      ? upgrade(connection, request, { endNs, firstByteAtNs })
      : connection.exchange(request, endNs, firstByteAtNs));
    kept.underWayCount -= 1;
    const isSession = !isHeld || exchange.status === upgradedStatus;
    if (exchange.outcome !== 'answered') {
      if (connection.alpn !== 'h2' || !connection.isOpen) connections.end(kept);
      cache.broke();
    } else if (keeps && connection.isOpen && isSession) {
      connections.put(kept, exchange.endedAtNs);
    } else if (!exchange.serverClosed) {
      connections.end(kept);
    } else if (keeps) {
      cache.broke();
    }
    return exchange;
  }

  // ── rows ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  function sinceSentUs(found: Found, atNs: number): number {
    return atNs === 0 ? 0 : nsToColumnUs(atNs - found.sentNs);
  }

  /** Resets the shared row and fills what every row has. */
  function startRow(found: Found, outcome: Outcome, error: string, endedNs: number): void {
    for (const column in row) row[column as keyof Row] = 0;
    row.lane = lane.number;
    row.slot = found.slot;
    row.part = found.part;
    row.lateUs = nsToColumnUs(found.sentNs - dueAtNs(lane, found.slot));
    row.resolvedUs = sinceSentUs(found, found.resolvedNs);
    row.endedUs = sinceSentUs(found, endedNs);
    row.outcome = outcomeNumber[outcome];
    row.error = error === '' ? 0 : sink.define('error', error, () => error);
    row.answer = found.answer;
    if (found.held !== null && found.held.answer > 0) {
      row.answerTtlS = found.held.ttlS;
      row.answerAgeMs = ageMs(found.sentNs, found.held.receivedAtNs);
    }
  }

  function addressNumber(address: string): number {
    return sink.define('address', address, () => address);
  }

  function writeUnsent(slot: number, lateNs: number, outcome: 'dropped' | 'withheld'): void {
    const dueNs = dueAtNs(lane, slot);
    startRow({ slot, part: parts.slot, sentNs: dueNs + lateNs, held: null, resolvedNs: 0, answer: 0 }, outcome, '', 0);
    sink.row(row);
  }

  function writeFailed(found: Found, outcome: Outcome, error: string, endedNs: number): Ended {
    startRow(found, outcome, error, endedNs);
    sink.row(row);
    if (found.part === parts.slot) noteBlocked(found, false);
    return { outcome, isRight: false, wasKept: false };
  }

  function writeDialFailure(found: Found, failure: DialFailure): Ended {
    startRow(found, failure.outcome, failure.error, failure.endedAtNs);
    row.connectedUs = sinceSentUs(found, failure.connectedAtNs);
    row.address = addressNumber(failure.address);
    row.localPort = failure.localPort;
    row.face = evaluator.faceOfCertificate(failure.certificateSha256, '', '');
    sink.row(row);
    if (found.part === parts.slot) noteBlocked(found, false);
    return { outcome: failure.outcome, isRight: false, wasKept: false };
  }

  function writeExchange(found: Found, kept: Kept, exchange: Exchange, wasKept: boolean): Ended {
    const { connection } = kept;
    startRow(found, exchange.outcome, exchange.error, exchange.endedAtNs);
    if (!wasKept) {
      row.connectedUs = sinceSentUs(found, connection.connectedAtNs);
      row.securedUs = sinceSentUs(found, connection.securedAtNs);
    } else {
      row.connectionAgeMs = Math.max(1, ageMs(found.sentNs, connection.connectedAtNs));
    }
    row.firstByteUs = sinceSentUs(found, exchange.firstByteAtNs);
    row.status = exchange.status;
    row.bodyBytes = Math.min(exchange.bodyBytes, 0xffff_ffff);
    row.address = addressNumber(connection.address);
    row.localPort = connection.localPort;
    row.answer = kept.answer;
    if (kept.answer > 0) {
      row.answerTtlS = kept.answerTtlS;
      row.answerAgeMs = ageMs(found.sentNs, kept.answerReceivedAtNs);
    }
    if (exchange.status > 0) {
      evaluator.evaluate(exchange, connection, evaluation);
      row.checks = evaluation.checks;
      row.face = evaluation.face;
    } else {
      evaluation.checks = 0;
      evaluation.isBlocked = false;
      row.face = evaluator.faceOfCertificate(connection.certificateSha256, connection.alpn, connection.tlsVersion);
    }
    sink.row(row);
    if (found.part === parts.slot) noteBlocked(found, evaluation.isBlocked && exchange.outcome === 'answered');
    return { outcome: exchange.outcome, isRight: isRight(evaluation.checks), wasKept };
  }

  function noteBlocked(found: Found, isBlocked: boolean): void {
    blockedCount = isBlocked ? blockedCount + 1 : 0;
    if (isBlocked !== isSlowed && (blockedCount >= blockedCountMax || !isBlocked)) {
      isSlowed = isBlocked;
      const type = isSlowed ? 'lane-slowed' : 'lane-resumed';
      ports.event({ type, atNs: clock.nowNs(), lane: lane.number, slot: found.slot });
    }
  }

  function logClosed(connection: Connection, why: 'server-closed' | 'reset' | 'goaway'): void {
    const atNs = clock.nowNs();
    ports.event({
      type: 'connection-closed',
      atNs,
      lane: lane.number,
      address: connection.address,
      why,
      ageMs: ageMs(atNs, connection.connectedAtNs),
    });
  }

  return {
    lane,
    get underWayCount() {
      return inFlightCount + laterCount;
    },
    fire,
    sweep(nowNs) {
      connections.sweep(nowNs);
      if (!isWithdrawn && !isAskingByItself && cache.askDueAtNs(nowNs) !== null) void askByItself();
    },
    token: (value) => ports.requests.token(value),
    withdraw() {
      isWithdrawn = true;
    },
    closeAll: () => connections.closeAll(),
  };
}

/** "Switching Protocols": the only answer that opens a WebSocket. */
const upgradedStatus = 101;

/** Of whatever a check expects, headers hold for the 101 as well; it has no body. */
function expectedOfUpgrade(expect: Expectation): Expectation {
  return { ...expect, statusIn: [upgradedStatus], bodyIncludes: null, bodyMatches: null };
}

function upgrade(
  connection: Connection,
  request: HttpRequest,
  { endNs, firstByteAtNs }: { readonly endNs: number; readonly firstByteAtNs: number },
): Promise<Exchange> {
  assert(connection.upgrade !== undefined, 'whoever wants a WebSocket offers no HTTP/2');
  return connection.upgrade(request, endNs, firstByteAtNs);
}

function ageMs(nowNs: number, sinceNs: number): number {
  return Math.max(0, Math.floor((nowNs - sinceNs) / nsPerMs));
}

export function tlsOf(lane: Lane): TlsSettings | null {
  if (lane.check.scheme === 'http') return null;
  const { caPem, certificatePem, keyPem } = lane.tls;
  return {
    serverName: lane.check.hostname,
    alpn: lane.archetype.connect.kind === 'http2' ? ['h2', 'http/1.1'] : ['http/1.1'],
    ...(caPem === null ? {} : { caPem }),
    ...(certificatePem === null ? {} : { certificatePem }),
    ...(keyPem === null ? {} : { keyPem }),
  };
}
