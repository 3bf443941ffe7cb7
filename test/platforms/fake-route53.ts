/**
 * Route 53's API as far as we read it, for what moto cannot do: refuse, throttle, be slow or gone, be PENDING for a while,
 * and give pages. The shapes are those of moto and of the SDK's own parser, which reads them in every test.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HostedZone, ResourceRecordSet } from '@aws-sdk/client-route-53';

export type Mood = 'well' | 'throttled' | 'denied' | 'slow' | 'broken' | 'gone';

export interface FakeRoute53 extends AsyncDisposable {
  readonly url: string;
  mood: Mood;
  /** Refused although all else is well: `GetChange`. */
  denied: ReadonlySet<string>;
  zones: readonly HostedZone[];
  /** By zone id. */
  records: Readonly<Record<string, readonly ResourceRecordSet[]>>;
  /** By id: how many of how many checkers say healthy, or what kind of check it is instead. */
  health: Readonly<Record<string, { healthy?: number; of?: number; config?: Readonly<Record<string, unknown>> }>>;
  changes: Readonly<Record<string, 'PENDING' | 'INSYNC'>>;
  pageSize: number;
  /** Actions asked for, in order. */
  readonly asked: string[];
}

/** What no text of ours may contain. */
export const secretInAnswers = 'FwoGZXIvYXdzEJr-hunter2';

export async function startFakeRoute53(): Promise<FakeRoute53> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://fake');
    const [, , ...path] = url.pathname.split('/');
    const action = actionOf(path);
    fake.asked.push(action);
    if (fake.mood === 'gone') return void request.socket.destroy();
    if (fake.mood === 'slow') return;
    if (fake.mood === 'throttled') return fail(response, 400, 'Throttling', 'Rate exceeded');
    if (fake.mood === 'broken') return fail(response, 503, 'ServiceUnavailable', 'unavailable');
    if (fake.mood === 'denied' || fake.denied.has(action)) {
      return fail(response, 403, 'AccessDenied', `User is not authorized, token ${secretInAnswers}`);
    }
    const answer = answerOf(fake, action, path, url.searchParams);
    if (typeof answer === 'string') return fail(response, 404, answer, 'no such thing');
    send(response, 200, xml(`${action}Response`, answer));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const fake: FakeRoute53 = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mood: 'well',
    denied: new Set(),
    zones: [],
    records: {},
    health: {},
    changes: {},
    pageSize: 100,
    asked: [],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
}

export function zone(id: string, name: string, isPrivate = false): HostedZone {
  return { Id: `/hostedzone/${id}`, Name: `${name}.`, CallerReference: id, Config: { PrivateZone: isPrivate } };
}

/** `A orders.shop.example 127.0.1.1`, with TTL 60. */
export function record(line: string, more: Partial<ResourceRecordSet> = {}): ResourceRecordSet {
  const [type = '', name = '', ...values] = line.split(' ');
  const own = values.length === 0 ? {} : { TTL: 60, ResourceRecords: values.map((Value) => ({ Value })) };
  return { Name: `${name.replace('*', '\\052')}.`, Type: type as 'A', ...own, ...more };
}

function actionOf(path: readonly string[]): string {
  const [what = '', , of] = path;
  if (what === 'hostedzonesbyname') return 'ListHostedZonesByName';
  if (what === 'change') return 'GetChange';
  if (what === 'healthcheck') return of === 'status' ? 'GetHealthCheckStatus' : 'GetHealthCheck';
  return of === 'rrset' ? 'ListResourceRecordSets' : 'GetHostedZone';
}

/** A text is the code of an error. */
function answerOf(
  fake: FakeRoute53,
  action: string,
  [, id = '']: readonly string[],
  query: URLSearchParams,
): object | string {
  const size = Math.min(fake.pageSize, Number(query.get('maxitems') ?? 100));
  switch (action) {
    case 'ListHostedZonesByName': {
      const from = sortKey(query.get('dnsname') ?? '');
      const all = fake.zones
        .toSorted((a, b) => (sortKey(a.Name ?? '') < sortKey(b.Name ?? '') ? -1 : 1))
        .filter((one) => sortKey(one.Name ?? '') >= from)
        .filter((one, _, list) => !query.has('hostedzoneid') || list.indexOf(one) >= indexOfId(list, query));
      const next = all[size];
      const more = next === undefined ? {} : { NextDNSName: next.Name, NextHostedZoneId: next.Id?.split('/').at(-1) };
      return { HostedZones: all.slice(0, size), IsTruncated: next !== undefined, MaxItems: size, ...more };
    }
    case 'GetHostedZone': {
      const found = fake.zones.find((one) => one.Id?.endsWith(`/${id}`));
      return found === undefined ? 'NoSuchHostedZone' : { HostedZone: found };
    }
    case 'ListResourceRecordSets': {
      const all = fake.records[id]?.toSorted((a, b) => (recordKey(a) < recordKey(b) ? -1 : 1));
      if (all === undefined) return 'NoSuchHostedZone';
      const from = [sortKey(query.get('name') ?? ''), query.get('type') ?? '', query.get('identifier') ?? ''].join(' ');
      const rest = all.filter((one) => recordKey(one) >= from.trimEnd());
      const next = rest[size];
      const more =
        next === undefined
          ? {}
          : { NextRecordName: next.Name, NextRecordType: next.Type, NextRecordIdentifier: next.SetIdentifier };
      return { ResourceRecordSets: rest.slice(0, size), IsTruncated: next !== undefined, MaxItems: size, ...more };
    }
    case 'GetHealthCheck': {
      const found = fake.health[id];
      if (found === undefined) return 'NoSuchHealthCheck';
      const config = { Type: 'HTTP', Inverted: false, Disabled: false, ...found.config };
      return { HealthCheck: { Id: id, CallerReference: id, HealthCheckConfig: config, HealthCheckVersion: 1 } };
    }
    case 'GetHealthCheckStatus': {
      const { healthy = 0, of = 0 } = fake.health[id] ?? {};
      return {
        HealthCheckObservations: Array.from({ length: of }, (_, i) => ({
          Region: 'us-east-1',
          IPAddress: `127.0.9.${i}`,
          StatusReport: { Status: i < healthy ? 'Success: HTTP Status Code: 200' : 'Failure: connection timed out' },
        })),
      };
    }
    default: {
      const status = fake.changes[id];
      const submitted = '2026-11-24T08:30:00.123Z';
      return status === undefined ? 'NoSuchChange' : { ChangeInfo: { Id: id, Status: status, SubmittedAt: submitted } };
    }
  }
}

function indexOfId(list: readonly HostedZone[], query: URLSearchParams): number {
  return list.findIndex((one) => one.Id?.endsWith(`/${query.get('hostedzoneid')}`));
}

/** Names are sorted by their labels from the last on. */
function sortKey(name: string): string {
  return name.toLowerCase().replace(/\.$/, '').replace('*', '\\052').split('.').toReversed().join('.');
}

function recordKey({ Name, Type, SetIdentifier = '' }: ResourceRecordSet): string {
  return `${sortKey(Name ?? '')} ${Type} ${SetIdentifier}`;
}

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  const error = { Error: { Type: 'Sender', Code: code, Message: message }, RequestId: 'fake' };
  send(response, status, xml('ErrorResponse', error));
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' }).end(body);
}

/** A list `HostedZones` holds elements `HostedZone`. */
function xml(tag: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return `<${tag}>${value.map((one) => xml(tag.replace(/s$/, ''), one)).join('')}</${tag}>`;
  if (typeof value !== 'object') return `<${tag}>${String(value as string | number | boolean)}</${tag}>`;
  const inner = Object.entries(value).map(([key, one]) => xml(key, one));
  const namespace = tag.endsWith('Response') ? ' xmlns="https://route53.amazonaws.com/doc/2013-04-01/"' : '';
  return `<${tag}${namespace}>${inner.join('')}</${tag}>`;
}
