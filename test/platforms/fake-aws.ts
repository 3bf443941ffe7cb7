/**
 * A small AWS on loopback: ELBv2 and EC2 (form query and XML), ECS, EventBridge and CloudWatch (JSON by target), Scheduler
 * (REST JSON). What it has is plain data that a test changes while it is watched; what it can do wrong is a fault for each
 * action. Its answers are read by the SDK itself, and `test/real/aws.real.test.ts` holds their shape against moto's.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';

export type Fault = Refused | 'hung' | 'html' | 'redirect' | 'cut';

type Refused = 'denied' | 'throttled' | 'unknown' | 'expired';

type Fields = Readonly<Record<string, unknown>>;

/** In the words of AWS, as its answers have them. */
export interface FakeWorld {
  loadBalancers: Fields[];
  /** By ARN of the load balancer. */
  listeners: Record<string, Fields[]>;
  /** By ARN of the listener. */
  rules: Record<string, Fields[]>;
  /** By ARN of the load balancer. */
  groups: Record<string, Fields[]>;
  /** By ARN, of load balancers and groups: `[{ Key, Value }]`. */
  attributes: Record<string, Fields[]>;
  tags: Record<string, Fields[]>;
  /** By ARN of the group; a group that is not here does not exist. */
  health: Record<string, Fields[]>;
  interfaces: Fields[];
  services: Fields[];
  tasks: Fields[];
  instances: Fields[];
  eventRules: Fields[];
  schedules: Fields[];
  /** By name of the metric: [epoch s, sum]. */
  metrics: Record<string, readonly (readonly [number, number])[]>;
  /** How many a page has. */
  pageSize: number;
  faults: Record<string, Fault>;
  /** By action: what is answered in place of all of it, whether it makes sense or not. */
  answers: Record<string, Fields>;
}

export interface FakeAws extends AsyncDisposable {
  readonly url: string;
  readonly world: FakeWorld;
  /** Of each call, its action, as IAM writes it without the service. */
  readonly calls: string[];
  /** Calls that hang, and that nobody has given up yet. */
  readonly hungCount: number;
}

export function emptyWorld(): FakeWorld {
  return {
    loadBalancers: [],
    listeners: {},
    rules: {},
    groups: {},
    attributes: {},
    tags: {},
    health: {},
    interfaces: [],
    services: [],
    tasks: [],
    instances: [],
    eventRules: [],
    schedules: [],
    metrics: {},
    pageSize: 2,
    faults: {},
    answers: {},
  };
}

export async function startFakeAws(world: FakeWorld = emptyWorld()): Promise<FakeAws> {
  const calls: string[] = [];
  const sockets = new Set<Socket>();
  const hung = new Set<Socket>();
  const server = createServer((request, response) => {
    void serve({ world, calls, hung }, request, response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      hung.delete(socket);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    world,
    calls,
    get hungCount() {
      return hung.size;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

type Protocol = 'query' | 'ec2' | 'json' | 'rest';

interface Asked {
  readonly protocol: Protocol;
  readonly action: string;
  readonly input: Fields;
}

interface Serving {
  readonly world: FakeWorld;
  readonly calls: string[];
  readonly hung: Set<Socket>;
}

async function serve(
  { world, calls, hung }: Serving,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const asked = askedOf(request, await text(request));
  calls.push(asked.action);
  const fault = world.faults[asked.action];
  if (fault === 'hung') {
    hung.add(request.socket);
    return;
  }
  if (fault === 'html') {
    response.writeHead(200, { 'content-type': 'text/html' }).end(`<html>\u001b[2J<b>${secret}`.repeat(999));
    return;
  }
  if (fault === 'redirect') {
    response.writeHead(302, { location: `http://127.0.0.1:9/?token=${secret}` }).end();
    return;
  }
  if (fault === 'cut') {
    response.writeHead(200, { 'content-length': '4096' }).write('{"a":[[[[');
    setImmediate(() => request.socket.destroy());
    return;
  }
  try {
    if (fault !== undefined) throw new Refusal(asked, fault);
    answer(response, asked, 200, world.answers[asked.action] ?? actions[asked.action]?.(world, asked.input) ?? {});
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(response, asked, error);
  }
}

function askedOf(request: IncomingMessage, body: string): Asked {
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') {
    return { protocol: 'json', action: target.split('.').at(-1) ?? '', input: JSON.parse(body) as Fields };
  }
  const url = new URL(request.url ?? '/', 'http://aws');
  if (url.pathname.startsWith('/schedules')) {
    const name = decodeURIComponent(url.pathname.slice('/schedules/'.length));
    const action = name === '' ? 'ListSchedules' : 'GetSchedule';
    return { protocol: 'rest', action, input: { Name: name, ...Object.fromEntries(url.searchParams) } };
  }
  const form = Object.fromEntries(new URLSearchParams(body));
  const { Action: action = '', Version, ...input } = form;
  return { protocol: Version === '2016-11-15' ? 'ec2' : 'query', action, input };
}

// ── what it can do wrong ─────────────────────────────────────────────────────────────────────────────────────────────

/** In what it says wrong, and nowhere else. */
export const secret = 'hunter2';

class Refusal extends Error {
  readonly code: string;
  readonly status: number;

  constructor({ protocol }: Asked, fault: Refused, code?: string) {
    super(`User: arn:aws:iam::123456789012:user/${secret} is not authorized`);
    const isXml = protocol === 'query' || protocol === 'ec2';
    const codes: Readonly<Record<Refused, string>> = {
      denied: protocol === 'ec2' ? 'UnauthorizedOperation' : isXml ? 'AccessDenied' : 'AccessDeniedException',
      throttled: isXml ? 'Throttling' : 'ThrottlingException',
      expired: isXml ? 'ExpiredToken' : 'ExpiredTokenException',
      unknown: 'ResourceNotFoundException',
    };
    this.code = code ?? codes[fault];
    this.status = fault === 'denied' || fault === 'expired' ? 403 : 400;
  }
}

function missing(code: string, protocol: Protocol = 'json'): Refusal {
  return new Refusal({ protocol, action: '', input: {} }, 'unknown', code);
}

function refuse(response: ServerResponse, { protocol }: Asked, { code, status, message }: Refusal): void {
  if (protocol === 'query' || protocol === 'ec2') {
    const error = xml({ Code: code, Message: message });
    const whole =
      protocol === 'ec2'
        ? `<Response><Errors><Error>${error}</Error></Errors><RequestID>1</RequestID></Response>`
        : `<ErrorResponse><Error><Type>Sender</Type>${error}</Error><RequestId>1</RequestId></ErrorResponse>`;
    response.writeHead(status, { 'content-type': 'text/xml' }).end(whole);
    return;
  }
  const type = { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': code };
  response.writeHead(status, type).end(JSON.stringify({ __type: code, message }));
}

function answer(response: ServerResponse, { protocol, action }: Asked, status: number, output: Fields): void {
  if (protocol === 'query') {
    const result = `<${action}Result>${xml(output)}</${action}Result>`;
    const whole = `<${action}Response>${result}<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></${action}Response>`;
    response.writeHead(status, { 'content-type': 'text/xml' }).end(whole);
  } else if (protocol === 'ec2') {
    const whole = `<${action}Response><requestId>1</requestId>${xml(output, 'item')}</${action}Response>`;
    response.writeHead(status, { 'content-type': 'text/xml' }).end(whole);
  } else {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(output));
  }
}

function xml(value: unknown, item: 'member' | 'item' = 'member'): string {
  if (Array.isArray(value)) return value.map((one) => `<${item}>${xml(one, item)}</${item}>`).join('');
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => `<${key}>${xml(inner, item)}</${key}>`)
      .join('');
  }
  return String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

// ── what it answers ──────────────────────────────────────────────────────────────────────────────────────────────────

function page<T>(
  world: FakeWorld,
  all: readonly T[],
  token: unknown,
): { readonly some: readonly T[]; readonly next?: string } {
  const from = Number(token ?? 0);
  const to = from + world.pageSize;
  return { some: all.slice(from, to), ...(to < all.length ? { next: String(to) } : {}) };
}

/** `ResourceArns.member.1`, … */
function membersOf(input: Fields, name: string): readonly string[] {
  return Object.entries(input).flatMap(([key, value]) => (key.startsWith(`${name}.`) ? [String(value)] : []));
}

function listOf(input: Fields, key: string): readonly string[] {
  return (input[key] ?? []) as readonly string[];
}

/** By name or ARN. */
function isNamed(arn: unknown, names: readonly string[]): boolean {
  return names.some((name) => arn === name || String(arn).endsWith(`/${name}`));
}

const actions: Readonly<Record<string, (world: FakeWorld, input: Fields) => Fields>> = {
  DescribeLoadBalancers(world, { Marker }) {
    const { some, next } = page(world, world.loadBalancers, Marker);
    return { LoadBalancers: some, NextMarker: next };
  },
  DescribeLoadBalancerAttributes: (world, { LoadBalancerArn }) => ({
    Attributes: world.attributes[String(LoadBalancerArn)] ?? [],
  }),
  DescribeListeners(world, { LoadBalancerArn, Marker }) {
    const { some, next } = page(world, world.listeners[String(LoadBalancerArn)] ?? [], Marker);
    return { Listeners: some, NextMarker: next };
  },
  DescribeRules(world, { ListenerArn, Marker }) {
    const { some, next } = page(world, world.rules[String(ListenerArn)] ?? [], Marker);
    return { Rules: some, NextMarker: next };
  },
  DescribeTargetGroups(world, { LoadBalancerArn, Marker }) {
    const { some, next } = page(world, world.groups[String(LoadBalancerArn)] ?? [], Marker);
    return { TargetGroups: some, NextMarker: next };
  },
  DescribeTargetGroupAttributes: (world, { TargetGroupArn }) => ({
    Attributes: world.attributes[String(TargetGroupArn)] ?? [],
  }),
  DescribeTags: (world, input) => ({
    TagDescriptions: membersOf(input, 'ResourceArns').map((ResourceArn) => ({
      ResourceArn,
      Tags: world.tags[ResourceArn] ?? [],
    })),
  }),
  DescribeTargetHealth(world, { TargetGroupArn }) {
    const health = world.health[String(TargetGroupArn)];
    if (health === undefined) throw missing('TargetGroupNotFound', 'query');
    return { TargetHealthDescriptions: health };
  },
  DescribeNetworkInterfaces(world, input) {
    const wanted = world.interfaces.filter(({ description }) => description === input['Filter.1.Value.1']);
    const { some, next } = page(world, wanted, input['NextToken']);
    return { networkInterfaceSet: some, nextToken: next };
  },
  DescribeClusters: (_, input) => ({
    clusters: listOf(input, 'clusters').map((name) => ({
      clusterArn: `arn:aws:ecs:us-west-1:123456789012:cluster/${name}`,
      clusterName: name,
    })),
  }),
  ListServices(world, { nextToken }) {
    const { some, next } = page(world, world.services, nextToken);
    return { serviceArns: some.map(({ serviceArn }) => serviceArn), nextToken: next };
  },
  DescribeServices: (world, input) => ({
    services: world.services.filter(({ serviceArn }) => isNamed(serviceArn, listOf(input, 'services'))),
    failures: [],
  }),
  ListTasks(world, { desiredStatus = 'RUNNING', nextToken }) {
    const { some, next } = page(
      world,
      world.tasks.filter((task) => task['desiredStatus'] === desiredStatus),
      nextToken,
    );
    return { taskArns: some.map(({ taskArn }) => taskArn), nextToken: next };
  },
  DescribeTasks: (world, input) => ({
    tasks: world.tasks.filter(({ taskArn }) => isNamed(taskArn, listOf(input, 'tasks'))),
    failures: [],
  }),
  DescribeContainerInstances: (world, input) => ({
    containerInstances: world.instances.filter((one) =>
      isNamed(one['containerInstanceArn'], listOf(input, 'containerInstances')),
    ),
    failures: [],
  }),
  ListRuleNamesByTarget(world, { NextToken }) {
    const { some, next } = page(world, world.eventRules, NextToken);
    return { RuleNames: some.map(({ Name }) => Name), NextToken: next };
  },
  DescribeRule(world, { Name }) {
    const rule = world.eventRules.find((one) => one['Name'] === Name);
    if (rule === undefined) throw missing('ResourceNotFoundException');
    return rule;
  },
  ListRules(world, { NamePrefix = '', NextToken }) {
    const wanted = world.eventRules.filter(({ Name }) => String(Name).startsWith(String(NamePrefix)));
    const { some, next } = page(world, wanted, NextToken);
    return { Rules: some, NextToken: next };
  },
  ListSchedules(world, { NamePrefix = '', ScheduleGroup, NextToken }) {
    const wanted = world.schedules.filter(
      ({ Name, GroupName }) =>
        String(Name).startsWith(String(NamePrefix)) && (ScheduleGroup === undefined || ScheduleGroup === GroupName),
    );
    const { some, next } = page(world, wanted, NextToken);
    // The list says neither when nor in which time zone.
    const summaries = some.map((schedule) => ({
      ...schedule,
      ScheduleExpression: undefined,
      ScheduleExpressionTimezone: undefined,
    }));
    return { Schedules: summaries, NextToken: next };
  },
  GetSchedule(world, { Name, groupName = 'default' }) {
    const schedule = world.schedules.find((one) => one['Name'] === Name && one['GroupName'] === groupName);
    if (schedule === undefined) throw missing('ResourceNotFoundException');
    return schedule;
  },
  GetMetricData(world, { MetricDataQueries, StartTime, EndTime }) {
    const queries = MetricDataQueries as readonly { Id: string; MetricStat: { Metric: { MetricName: string } } }[];
    return {
      MetricDataResults: queries.map(({ Id, MetricStat }) => {
        const points = (world.metrics[MetricStat.Metric.MetricName] ?? []).filter(
          ([at]) => at >= Number(StartTime) && at < Number(EndTime),
        );
        return {
          Id,
          StatusCode: 'Complete',
          Timestamps: points.map(([at]) => at),
          Values: points.map(([, sum]) => sum),
        };
      }),
    };
  },
};
