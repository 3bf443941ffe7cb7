/** What time it is where the scenario's references and services are: one request to each, as a probe would send it. */
import type { ClockReading } from '../checks/doctor-facts.ts';
import type { Dialer } from '../core/ports.ts';
import type { Lane, Scenario } from '../core/scenario.ts';
import { msToNs, sToNs } from '../core/time.ts';
import { tlsOf } from '../prober/lane-runner.ts';
import { newRequestMaker } from '../prober/request.ts';
import { serverText, type NamePorts } from './preflight-names.ts';
import type { RunNames } from './preflight-requests.ts';

export interface DoctorClockPorts extends NamePorts {
  readonly dialer: Dialer;
  readonly run: RunNames;
}

/** More tell no more. */
const serverCountMax = 20;
const answerWithinS = 5;

/** @param tokens by their command, as JSON. */
export async function readDates(
  ports: DoctorClockPorts,
  scenario: Scenario,
  { lanes, tokens }: { readonly lanes: readonly Lane[]; readonly tokens: ReadonlyMap<string, string> },
): Promise<readonly ClockReading[]> {
  const asked = new Map<string, Lane>();
  for (const lane of lanes) {
    const { check, role } = lane;
    const key = serverText(check.hostname, check.port);
    const isRead = check.request.method === 'GET' || check.request.method === 'HEAD';
    const hasToken = check.request.token === null || tokens.has(JSON.stringify(check.request.token.command));
    if (role !== 'side' && isRead && hasToken && !asked.has(key)) asked.set(key, lane);
  }
  const readings = [...asked].slice(0, serverCountMax).map(async ([server, lane]): Promise<readonly ClockReading[]> => {
    const address = await addressOf(ports, scenario, lane);
    return address === null ? [] : readDate(ports, { server, lane, address, tokens });
  });
  return (await Promise.all(readings)).flat();
}

async function addressOf({ clock, dns }: NamePorts, scenario: Scenario, lane: Lane): Promise<string | null> {
  const server = (lane.resolver ?? scenario.resolvers[0])?.server;
  if (server === undefined) return null;
  for (const type of ['A', 'AAAA'] as const) {
    const options = { recursionDesired: true, deadlineNs: clock.nowNs() + sToNs(answerWithinS) };
    const reply = await dns.query(server, { name: lane.check.hostname, type }, options);
    if (reply.kind === 'answered' && reply.addresses[0] !== undefined) return reply.addresses[0];
  }
  return null;
}

interface Asked {
  readonly server: string;
  readonly lane: Lane;
  readonly address: string;
  readonly tokens: ReadonlyMap<string, string>;
}

async function readDate(
  { clock, dialer, run, wallMs }: DoctorClockPorts,
  { server, lane, address, tokens }: Asked,
): Promise<readonly ClockReading[]> {
  const { check } = lane;
  const startedNs = clock.nowNs();
  const endNs = startedNs + sToNs(answerWithinS);
  const connectAtNs = Math.min(endNs, startedNs + msToNs(check.timeouts.connectMs));
  const target = { address, port: check.port, tls: tlsOf(lane) };
  const dialled = await dialer.dial(target, { connectAtNs, secureAtNs: endNs });
  if (dialled.kind === 'failed') return [];
  const maker = newRequestMaker(lane, run);
  maker.token(tokens.get(JSON.stringify(check.request.token?.command)) ?? '');
  const isHttp2 = dialled.connection.alpn === 'h2';
  const exchange = await dialled.connection.exchange(maker.make(0, 0, clock.nowNs(), isHttp2), endNs);
  dialled.connection.close();
  const date = exchange.headers.find((_, i) => i % 2 === 1 && exchange.headers[i - 1]?.toLowerCase() === 'date');
  const dateMs = Date.parse(date ?? '');
  if (Number.isNaN(dateMs)) return [];
  return [{ server, dateMs, sentAtMs: wallMs(exchange.sentAtNs), receivedAtMs: wallMs(exchange.firstByteAtNs) }];
}
