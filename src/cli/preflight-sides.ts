/** Sends what `preflight-tasks.ts` lists: a new connection for each request, at a bounded rate, old and new in turns. */
import { bodyShapeOf } from '../checks/body-shape.ts';
import type { Probe, ProbeAnswer, ProbeKind } from '../checks/facts.ts';
import { echoedHeaders } from '../checks/forwarded.ts';
import { isRight } from '../core/outcome.ts';
import type { Clock, Connection, Dialer, Exchange, RowSink, TlsSettings } from '../core/ports.ts';
import type { Scenario } from '../core/scenario.ts';
import { msToNs, nsPerS, nsToMs, sToNs } from '../core/time.ts';
import { newEvaluator, type Evaluation } from '../prober/evaluate.ts';
import type { SideAddresses } from './preflight-names.ts';
import { requestOf, tlsFor, type RunNames } from './preflight-requests.ts';
import { slowestMs, tasksOf, withinMs, type Task } from './preflight-tasks.ts';

export interface SidePorts {
  readonly clock: Clock;
  readonly dialer: Dialer;
  readonly readToken: (command: readonly string[]) => Promise<string>;
  readonly run: RunNames;
  readonly stopSignal: AbortSignal;
}

/** Of a service, both sides together; below the guard of a run, 30/s. */
const ratePerSecond = 20;
/** A side that hangs must not be given more and more to do. */
const inFlightMax = 8;
/** An address that so many connects in a row got nowhere with is left alone. */
const failedDialsMax = 3;

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
      if (!mayFail.has(task.kind)) failedDials.set(key, isFailed ? (failedDials.get(key) ?? 0) + 1 : 0);
      underWay.delete(one);
    });
    underWay.add(one);
  }
  await Promise.all(underWay);
  return probes;
}

/** Port 80 may well be closed, and unusual TLS be met with silence: that says nothing of the address. */
const mayFail: ReadonlySet<ProbeKind> = new Set(['plain', 'tls-1.2', 'tls-1.1', 'no-server-name']);

const nowhere: RowSink = { define: () => 0, row: () => {} };

function newSender(
  { clock, dialer, run }: SidePorts,
  { sides }: SideAddresses,
  tokens: ReadonlyMap<string, string>,
): Send {
  const evaluator = newEvaluator(nowhere, []);
  /** The dialer makes a secure context for each of these objects, and keeps it. */
  const tlsByKind = new Map<string, TlsSettings | null>();
  let sentCount = 0;

  function tlsOfTask(task: Task): TlsSettings | null {
    const key = `${task.lane.number} ${task.kind}`;
    const known = tlsByKind.get(key);
    if (known !== undefined) return known;
    const tls = tlsFor(task);
    tlsByKind.set(key, tls);
    return tls;
  }

  return async (task) => {
    const { kind, side, lane, address } = task;
    const { check } = lane;
    const startedNs = clock.nowNs();
    const endNs = startedNs + msToNs(withinMs(task));
    const connectAtNs = Math.min(endNs, startedNs + msToNs(check.timeouts.connectMs));
    const secureAtNs = Math.min(endNs, connectAtNs + msToNs(check.timeouts.tlsMs));
    const target = { address, port: kind === 'plain' ? 80 : check.port, tls: tlsOfTask(task) };
    const addressSide = sides.ofAddress(address);
    const about = { kind, service: lane.service, check: check.name, side, address, addressSide };
    sentCount += 1;
    const slot = sentCount;
    const dialled = await dialer.dial(target, { connectAtNs, secureAtNs });
    if (dialled.kind === 'failed') {
      const { outcome, error, certificateSha256, certificateName = '' } = dialled;
      const tookMs = nsToMs(clock.nowNs() - startedNs);
      const none = { certificateToMs: null, alpn: '', tlsVersion: '', answer: null };
      return { ...about, outcome, error, certificateSha256, certificateName, tookMs, ...none };
    }
    const { connection } = dialled;
    const { certificateSha256, certificateToMs = null, alpn, tlsVersion } = connection;
    const token = tokens.get(JSON.stringify(check.request.token?.command)) ?? '';
    const request = requestOf(task, { run, token, slot, nowNs: clock.nowNs() });
    const firstByteNs = kind === 'slow-path' ? endNs : clock.nowNs() + msToNs(check.timeouts.firstByteMs);
    const exchange = await connection.exchange(request, endNs, Math.min(endNs, firstByteNs));
    connection.close();
    const tookMs = nsToMs(exchange.endedAtNs - startedNs);
    const answer = exchange.outcome === 'answered' ? answerOf(task, exchange, connection, tookMs) : null;
    const { outcome, error } = exchange;
    const shown = { certificateSha256, certificateName: '', certificateToMs, alpn, tlsVersion };
    return { ...about, outcome, error, ...shown, tookMs, answer };
  };

  function answerOf({ kind, lane }: Task, exchange: Exchange, connection: Connection, tookMs: number): ProbeAnswer {
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
      ...(kind === 'echo' ? { echoed: echoedHeaders(exchange.bodyStart) } : {}),
      isRight: isRight(evaluation.checks),
      isLate: tookMs > lane.check.goodWithinMs,
      isBlocked: evaluation.isBlocked,
    };
  }
}

/** How long one look takes when nothing hangs. */
export function lookNs(scenario: Scenario, side: SideAddresses): number {
  const all = [...tasksOf(scenario, side).values()];
  return Math.max(0, ...all.flatMap((tasks) => [sToNs(tasks.length / ratePerSecond), msToNs(slowestMs(tasks))]));
}
