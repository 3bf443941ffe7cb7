/**
 * What a preflight sends to the sides' own addresses, with the services' names: each check again and again, old and new in
 * turns, and once each what users do besides. A new connection for each request, at a bounded rate.
 */
import { bodyShapeOf } from '../checks/body-shape.ts';
import type { Probe, ProbeAnswer, ProbeKind } from '../checks/facts.ts';
import { calibrationCountMin } from '../core/calibration.ts';
import { isRight } from '../core/outcome.ts';
import type { Clock, Connection, Dialer, Exchange, HttpRequest, RowSink, TlsSettings } from '../core/ports.ts';
import type { Lane, Scenario, Service, Side } from '../core/scenario.ts';
import { msToNs, nsPerS, nsToMs, sToNs } from '../core/time.ts';
import { newEvaluator, type Evaluation } from '../prober/evaluate.ts';
import { tlsOf } from '../prober/lane-runner.ts';
import { newRequestMaker } from '../prober/request.ts';
import { lanesOf } from '../scenario/lanes.ts';
import type { SideAddresses } from './preflight-names.ts';

export interface SidePorts {
  readonly clock: Clock;
  readonly dialer: Dialer;
  readonly readToken: (command: readonly string[]) => Promise<string>;
  readonly run: { readonly runId: string; readonly startedAtMs: number; readonly version: string };
  readonly stopSignal: AbortSignal;
}

/** Of a service, both sides together; below the guard of a run, 30/s. */
const ratePerSecond = 20;
/** A side that hangs must not be given more and more to do. */
const inFlightMax = 8;
/** An address that so many connects in a row got nowhere with is left alone. */
const failedDialsMax = 3;
/** Of a side; a load balancer has eight in DNS at most. */
const addressCountMax = 64;
/** A check that may take longer is a slow one, and asked once: 60 s is where proxies give up. */
const slowMs = 60_000;

/** One request to be sent. */
interface Task {
  readonly kind: ProbeKind;
  readonly side: Side;
  readonly lane: Lane;
  readonly address: string;
}

/** What will be sent, service by service. */
export function tasksOf(scenario: Scenario, { addresses }: SideAddresses): ReadonlyMap<string, readonly Task[]> {
  const lanes = lanesOf(scenario, addresses);
  return new Map(scenario.services.map((service) => [service.name, tasksOfService(service, lanes)]));
}

function tasksOfService(service: Service, lanes: readonly Lane[]): readonly Task[] {
  const [old = [], target = []] = (['old', 'new'] as const).map((side) => tasksOfSide(side, service, lanes));
  const inTurns: Task[] = [];
  for (let i = 0; i < Math.max(old.length, target.length); i += 1) {
    for (const task of [old[i], target[i]]) if (task !== undefined) inTurns.push(task);
  }
  return inTurns;
}

function tasksOfSide(side: Side, service: Service, lanes: readonly Lane[]): readonly Task[] {
  const own = lanes.flatMap((lane) =>
    lane.role === 'side' && lane.client === `side:${side}` && lane.service === service.name && lane.address !== null
      ? [{ side, lane, address: lane.address }]
      : [],
  );
  const known = new Set([...new Set(own.map(({ address }) => address))].slice(0, addressCountMax));
  const within = own.filter(({ address }) => known.has(address));
  const isSlow = ({ lane }: { readonly lane: Lane }): boolean => lane.check.timeouts.totalMs > slowMs;
  const [slow, quick] = [within.filter(isSlow), within.filter((one) => !isSlow(one))];
  const count = quick.length === 0 ? 0 : Math.max(calibrationCountMin, quick.length);
  const requests = Array.from({ length: count }, (_, i) => quick[i % quick.length]).flatMap((one) =>
    one === undefined ? [] : [{ ...one, kind: 'request' as const }],
  );
  const firsts = [...known].flatMap((address) => within.find((one) => one.address === address) ?? []);
  return [
    ...requests,
    ...slow.map((one) => ({ ...one, kind: 'slow' as const })),
    ...firsts.flatMap((one) => kindsBesides(one.lane).map((kind) => ({ ...one, kind }))),
  ];
}

/** Port 80 belongs to port 443; which plain port belongs to any other nobody knows. */
function kindsBesides({ check }: Lane): readonly ProbeKind[] {
  const isTls = check.scheme === 'https';
  return [
    'unknown-path',
    ...(isTls ? (['http2'] as const) : []),
    ...(isTls && check.port === 443 ? (['plain'] as const) : []),
  ];
}

// ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export async function lookAtSides(
  ports: SidePorts,
  scenario: Scenario,
  side: SideAddresses,
): Promise<readonly Probe[]> {
  const tokens = await tokensOf(ports, scenario);
  const all = [...tasksOf(scenario, side).values()].map(async (tasks, i) => {
    const send = newSender(ports, side, tokens);
    return paced(ports, tasks, send, Math.floor((i * nsPerS) / ratePerSecond / scenario.services.length));
  });
  return (await Promise.all(all)).flat();
}

async function tokensOf({ readToken }: SidePorts, { services }: Scenario): Promise<ReadonlyMap<string, string>> {
  const commands = new Map(
    services
      .flatMap(({ checks }) => checks.map(({ request }) => request.token?.command))
      .flatMap((command) => (command === undefined ? [] : [[JSON.stringify(command), command] as const])),
  );
  const tokens = await Promise.all([...commands].map(async ([key, words]) => [key, await readToken(words)] as const));
  return new Map(tokens);
}

type Send = (task: Task) => Promise<Probe>;

/** Each due by its number, later only while too many are under way. What is not sent any more leaves no probe. */
async function paced(
  { clock, stopSignal }: SidePorts,
  tasks: readonly Task[],
  send: Send,
  staggerNs: number,
): Promise<readonly Probe[]> {
  const startedNs = clock.nowNs() + staggerNs;
  const underWay = new Set<Promise<void>>();
  const failedDials = new Map<string, number>();
  const probes: Probe[] = [];
  for (const [i, task] of tasks.entries()) {
    await new Promise<void>((resolve) => clock.at(startedNs + Math.round((i * nsPerS) / ratePerSecond), resolve));
    if (underWay.size >= inFlightMax) await Promise.race(underWay);
    if (stopSignal.aborted) break;
    const key = `${task.side} ${task.address}`;
    if ((failedDials.get(key) ?? 0) >= failedDialsMax) continue;
    const one = send(task).then((probe) => {
      probes.push(probe);
      const isFailed = probe.outcome.startsWith('connect-') || probe.outcome === 'tls-timed-out';
      // Port 80 may well be closed.
      if (task.kind !== 'plain') failedDials.set(key, isFailed ? (failedDials.get(key) ?? 0) + 1 : 0);
      underWay.delete(one);
    });
    underWay.add(one);
  }
  await Promise.all(underWay);
  return probes;
}

const nowhere: RowSink = { define: () => 0, row: () => {} };

function newSender(
  { clock, dialer, run }: SidePorts,
  { sides }: SideAddresses,
  tokens: ReadonlyMap<string, string>,
): Send {
  const evaluator = newEvaluator(nowhere, []);
  const tlsByLane = new Map<string, TlsSettings | null>();
  let sentCount = 0;

  function tlsFor({ kind, lane }: Task): TlsSettings | null {
    if (kind === 'plain') return null;
    const key = `${lane.number} ${kind === 'http2'}`;
    let tls = tlsByLane.get(key);
    if (tls === undefined) {
      tls = tlsOf(lane);
      if (tls !== null) tls = { ...tls, alpn: kind === 'http2' ? ['h2', 'http/1.1'] : ['http/1.1'] };
      tlsByLane.set(key, tls);
    }
    return tls;
  }

  return async (task) => {
    const { kind, side, lane, address } = task;
    const { check } = lane;
    const startedNs = clock.nowNs();
    const endNs = startedNs + msToNs(check.timeouts.totalMs);
    const connectAtNs = Math.min(endNs, startedNs + msToNs(check.timeouts.connectMs));
    const secureAtNs = Math.min(endNs, connectAtNs + msToNs(check.timeouts.tlsMs));
    const target = { address, port: kind === 'plain' ? 80 : check.port, tls: tlsFor(task) };
    const about = {
      kind,
      service: lane.service,
      check: check.name,
      side,
      address,
      addressSide: sides.ofAddress(address),
    };
    sentCount += 1;
    const dialled = await dialer.dial(target, { connectAtNs, secureAtNs });
    if (dialled.kind === 'failed') {
      const { outcome, error, certificateSha256 } = dialled;
      const tookMs = nsToMs(clock.nowNs() - startedNs);
      return {
        ...about,
        outcome,
        error,
        certificateSha256,
        certificateToMs: null,
        alpn: '',
        tlsVersion: '',
        tookMs,
        answer: null,
      };
    }
    const { connection } = dialled;
    const { certificateSha256, certificateToMs = null, alpn, tlsVersion } = connection;
    const request = requestOf(task, sentCount);
    const exchange = await connection.exchange(
      request,
      endNs,
      Math.min(endNs, clock.nowNs() + msToNs(check.timeouts.firstByteMs)),
    );
    connection.close();
    const tookMs = nsToMs(exchange.endedAtNs - startedNs);
    const answer = exchange.outcome === 'answered' ? answerOf(task, exchange, connection, tookMs) : null;
    const { outcome, error } = exchange;
    return { ...about, outcome, error, certificateSha256, certificateToMs, alpn, tlsVersion, tookMs, answer };
  };

  function requestOf({ kind, lane }: Task, slot: number): HttpRequest {
    const maker = newRequestMaker(lane, run);
    const { token } = lane.check.request;
    if (token !== null) maker.token(tokens.get(JSON.stringify(token.command)) ?? '');
    // HTTP/2 has no Connection header.
    const request = maker.make(slot, 0, clock.nowNs(), kind === 'http2');
    const [bare = '/'] = lane.check.path.split('?');
    switch (kind) {
      case 'request':
      case 'slow':
      case 'http2':
        return request;
      case 'unknown-path':
        return { ...request, method: 'GET', path: `/cutwatch-preflight-${run.runId}`, body: null };
      case 'plain':
        // Nothing that the scenario says of headers or query goes out unencrypted.
        return {
          method: 'GET',
          path: bare,
          authority: lane.check.hostname,
          scheme: 'http',
          headers: [
            'User-Agent',
            `cutwatch/${run.version} (availability probe)`,
            'Accept',
            '*/*',
            'Connection',
            'close',
          ],
          body: null,
        };
    }
  }

  function answerOf({ lane }: Task, exchange: Exchange, connection: Connection, tookMs: number): ProbeAnswer {
    const evaluation: Evaluation = { checks: 0, face: 0, isBlocked: false };
    evaluator(lane.check.expect).evaluate(exchange, connection, evaluation);
    const headers: (readonly [string, string])[] = [];
    for (let i = 0; i + 1 < exchange.headers.length; i += 2) {
      headers.push([(exchange.headers[i] as string).toLowerCase(), exchange.headers[i + 1] as string]);
    }
    return {
      status: exchange.status,
      headers,
      body: bodyShapeOf(exchange.bodyStart),
      isRight: isRight(evaluation.checks),
      isLate: tookMs > lane.check.goodWithinMs,
      isBlocked: evaluation.isBlocked,
    };
  }
}

/** How long one look takes when nothing hangs. */
export function lookNs(scenario: Scenario, side: SideAddresses): number {
  const most = Math.max(0, ...[...tasksOf(scenario, side).values()].map((tasks) => tasks.length));
  return sToNs(most / ratePerSecond);
}
