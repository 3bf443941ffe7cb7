/**
 * What ELBv2 says: a side's load balancers with what leads to which target group, and the health of a group's targets.
 * Each call is one of the run's budget, so what seldom changes (a group's attributes and tags) is read once and kept.
 */
import type { LoadBalancer, TargetGroup } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { LoadBalancerSeen, TargetGroupSeen, TargetSeen, TargetState } from '../core/platform.ts';
import { inBatches, readPages, type AwsClients } from './aws-clients.ts';
import { defaultOf, routesOf, taggedOf, type Forwarding, type Route, type Tagged } from './elbv2-routes.ts';
import { notTold, told, type Told } from './told.ts';

export interface LoadBalancersAsked {
  readonly names: readonly string[];
  /** Used where no names are given. */
  readonly dnsNames: readonly string[];
  /** `cluster/service` by ARN of the group, as ECS says. */
  readonly owners: ReadonlyMap<string, string>;
  /** What is known of groups from before; filled in. Clear it to read all anew. */
  readonly known: Map<string, GroupFacts>;
}

export interface LoadBalancersRead {
  readonly loadBalancers: readonly LoadBalancerSeen[];
  /** What could not be seen although the rest was; sentences. */
  readonly unseen: readonly string[];
  /** Of `unseen`, a load balancer that was asked for: nothing is known of it. */
  readonly isComplete: boolean;
}

/** Of a target group, what seldom changes. */
export interface GroupFacts extends Tagged {
  readonly deregistrationDelayS: number;
  readonly slowStartS: number;
}

export async function readLoadBalancers(
  clients: AwsClients,
  asked: LoadBalancersAsked,
  signal: AbortSignal,
): Promise<Told<LoadBalancersRead>> {
  const selection = await findLoadBalancers(clients, asked, signal);
  if (selection.kind === 'not-told') return selection;
  const { found, missing } = selection.value;

  const loadBalancers: LoadBalancerSeen[] = [];
  const unseen = [...missing];
  for (const one of found) {
    const read = await readLoadBalancer(clients, one, asked, signal);
    if (read.kind === 'not-told') return read;
    loadBalancers.push(read.value.loadBalancer);
    if (read.value.addressesUnseen !== null) unseen.push(read.value.addressesUnseen);
  }
  return told({ loadBalancers, unseen, isComplete: missing.length === 0 });
}

interface Selection {
  /** One at least. */
  readonly found: readonly LoadBalancer[];
  /** Sentences. */
  readonly missing: readonly string[];
}

export async function findLoadBalancers(
  { elbv2 }: Pick<AwsClients, 'elbv2'>,
  asked: Pick<LoadBalancersAsked, 'names' | 'dnsNames'>,
  signal: AbortSignal,
): Promise<Told<Selection>> {
  const all = await readPages(
    (Marker) =>
      elbv2.ask(
        'elasticloadbalancing:DescribeLoadBalancers',
        (client, options) => client.describeLoadBalancers({ Marker, PageSize: 400 }, options),
        signal,
      ),
    ({ LoadBalancers }) => LoadBalancers,
    ({ NextMarker }) => NextMarker,
  );
  if (all.kind === 'not-told') return all;
  const selection = selected(all.value, asked);
  return selection.found.length === 0 ? notTold('missing', selection.missing.join('; ')) : told(selection);
}

/** By name; else by DNS name, of which a side may have others too. Gateway load balancers answer no user. */
function selected(
  all: readonly LoadBalancer[],
  { names, dnsNames }: Pick<LoadBalancersAsked, 'names' | 'dnsNames'>,
): Selection {
  const balancers = all.filter(({ Type }) => Type !== 'gateway');
  if (names.length > 0) {
    const found = balancers.filter(({ LoadBalancerName = '' }) => names.includes(LoadBalancerName));
    const missing = names
      .filter((name) => !found.some(({ LoadBalancerName }) => LoadBalancerName === name))
      .map((name) => `there is no load balancer named ${name}`);
    return { found, missing };
  }
  const wanted = new Set(dnsNames.map(plainDnsName));
  const found = balancers.filter(({ DNSName = '' }) => wanted.has(plainDnsName(DNSName)));
  return { found, missing: found.length > 0 ? [] : [`no load balancer has the DNS name ${dnsNames.join(' or ')}`] };
}

/** As Route 53's console writes an alias it has `dualstack.` before it; upper case does not matter in DNS. */
function plainDnsName(name: string): string {
  return name
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^dualstack\./, '');
}

interface OneRead {
  readonly loadBalancer: LoadBalancerSeen;
  readonly addressesUnseen: string | null;
}

async function readLoadBalancer(
  clients: AwsClients,
  one: LoadBalancer,
  asked: LoadBalancersAsked,
  signal: AbortSignal,
): Promise<Told<OneRead>> {
  const { LoadBalancerArn: arn = '', LoadBalancerName: name = '', DNSName: dnsName = '' } = one;
  const kind = one.Type === 'network' ? 'network' : 'application';
  const attributes = await clients.elbv2.ask(
    'elasticloadbalancing:DescribeLoadBalancerAttributes',
    (client, options) => client.describeLoadBalancerAttributes({ LoadBalancerArn: arn }, options),
    signal,
  );
  if (attributes.kind === 'not-told') return attributes;
  const routes = await readRoutes(clients, { arn, kind }, signal);
  if (routes.kind === 'not-told') return routes;
  const groups = await readGroups(clients, { arn, routes: routes.value, asked }, signal);
  if (groups.kind === 'not-told') return groups;
  const addresses = await readAddresses(clients, arn, signal);
  if (addresses.kind === 'not-told' && addresses.reason === 'stopped') return addresses;

  const secondsOf = (key: string): number | null => numberOf(attributes.value.Attributes, key);
  return told({
    loadBalancer: {
      arn,
      name,
      dnsName,
      kind,
      clientKeepAliveS: secondsOf('client_keep_alive.seconds'),
      idleTimeoutS: secondsOf('idle_timeout.timeout_seconds'),
      addresses: addresses.kind === 'told' ? addresses.value : [],
      groups: groups.value,
    },
    addressesUnseen: addresses.kind === 'told' ? null : `the addresses of ${name} are not known: ${addresses.why}`,
  });
}

function numberOf(
  attributes: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined,
  key: string,
): number | null {
  const text = attributes?.find(({ Key }) => Key === key)?.Value ?? '';
  return /^\d+$/.test(text) ? Number(text) : null;
}

/** A network load balancer has no rules but each listener's default. */
async function readRoutes(
  clients: AwsClients,
  { arn, kind }: Pick<LoadBalancerSeen, 'arn' | 'kind'>,
  signal: AbortSignal,
): Promise<Told<ReadonlyMap<string, readonly Route[]>>> {
  const listeners = await readPages(
    (Marker) =>
      clients.elbv2.ask(
        'elasticloadbalancing:DescribeListeners',
        (client, options) => client.describeListeners({ LoadBalancerArn: arn, Marker }, options),
        signal,
      ),
    ({ Listeners }) => Listeners,
    ({ NextMarker }) => NextMarker,
  );
  if (listeners.kind === 'not-told') return listeners;
  if (kind === 'network') return told(routesOf(listeners.value.map(defaultOf)));
  const forwardings: Forwarding[] = [];
  for (const { ListenerArn } of listeners.value) {
    const rules = await readPages(
      (Marker) =>
        clients.elbv2.ask(
          'elasticloadbalancing:DescribeRules',
          (client, options) => client.describeRules({ ListenerArn, Marker }, options),
          signal,
        ),
      ({ Rules }) => Rules,
      ({ NextMarker }) => NextMarker,
    );
    if (rules.kind === 'not-told') return rules;
    forwardings.push(...rules.value);
  }
  return told(routesOf(forwardings));
}

interface GroupsAsked {
  readonly arn: string;
  readonly routes: ReadonlyMap<string, readonly Route[]>;
  readonly asked: LoadBalancersAsked;
}

async function readGroups(
  clients: AwsClients,
  { arn: LoadBalancerArn, routes, asked }: GroupsAsked,
  signal: AbortSignal,
): Promise<Told<readonly TargetGroupSeen[]>> {
  const groups = await readPages(
    (Marker) =>
      clients.elbv2.ask(
        'elasticloadbalancing:DescribeTargetGroups',
        (client, options) => client.describeTargetGroups({ LoadBalancerArn, Marker }, options),
        signal,
      ),
    ({ TargetGroups }) => TargetGroups,
    ({ NextMarker }) => NextMarker,
  );
  if (groups.kind === 'not-told') return groups;
  const arns = groups.value.map(({ TargetGroupArn = '' }) => TargetGroupArn);
  const facts = await readGroupFacts(clients, { arns, known: asked.known }, signal);
  if (facts.kind === 'not-told') return facts;
  return told(
    groups.value.map((group) => {
      const arn = group.TargetGroupArn ?? '';
      const known = asked.known.get(arn);
      return groupOf(group, {
        rules: routes.get(arn) ?? [],
        facts: known,
        owner: asked.owners.get(arn) ?? known?.owner ?? null,
      });
    }),
  );
}

function groupOf(
  group: TargetGroup,
  about: {
    readonly rules: readonly Route[];
    readonly facts: GroupFacts | undefined;
    readonly owner: string | null;
  },
): TargetGroupSeen {
  const { rules, facts, owner } = about;
  return {
    arn: group.TargetGroupArn ?? '',
    name: group.TargetGroupName ?? '',
    targetType: group.TargetType ?? 'instance',
    port: group.Port ?? 0,
    vpcId: group.VpcId ?? null,
    rules,
    deregistrationDelayS: facts?.deregistrationDelayS ?? defaultDeregistrationDelayS,
    slowStartS: facts?.slowStartS ?? 0,
    healthCheck: {
      intervalS: group.HealthCheckIntervalSeconds ?? 30,
      timeoutS: group.HealthCheckTimeoutSeconds ?? 5,
      healthyCount: group.HealthyThresholdCount ?? 5,
      unhealthyCount: group.UnhealthyThresholdCount ?? 2,
    },
    owner,
    cluster: facts?.cluster ?? null,
  };
}

const defaultDeregistrationDelayS = 300;
/** DescribeTags takes no more at once. */
const taggedCountMax = 20;

async function readGroupFacts(
  clients: AwsClients,
  { arns, known }: { readonly arns: readonly string[]; readonly known: Map<string, GroupFacts> },
  signal: AbortSignal,
): Promise<Told<null>> {
  for (const batch of inBatches(
    arns.filter((arn) => !known.has(arn)),
    taggedCountMax,
  )) {
    const tags = await clients.elbv2.ask(
      'elasticloadbalancing:DescribeTags',
      (client, options) => client.describeTags({ ResourceArns: [...batch] }, options),
      signal,
    );
    if (tags.kind === 'not-told') return tags;
    for (const arn of batch) {
      const attributes = await clients.elbv2.ask(
        'elasticloadbalancing:DescribeTargetGroupAttributes',
        (client, options) => client.describeTargetGroupAttributes({ TargetGroupArn: arn }, options),
        signal,
      );
      if (attributes.kind === 'not-told') return attributes;
      const { Attributes } = attributes.value;
      known.set(arn, {
        ...taggedOf(tags.value.TagDescriptions?.find(({ ResourceArn }) => ResourceArn === arn) ?? {}),
        deregistrationDelayS:
          numberOf(Attributes, 'deregistration_delay.timeout_seconds') ?? defaultDeregistrationDelayS,
        slowStartS: numberOf(Attributes, 'slow_start.duration_seconds') ?? 0,
      });
    }
  }
  return told(null);
}

/**
 * Those of its network interfaces, which are described as `ELB app/<name>/<id>`: private and public ones, as either may be
 * what a client sees.
 */
async function readAddresses(clients: AwsClients, arn: string, signal: AbortSignal): Promise<Told<readonly string[]>> {
  const interfaces = await readPages(
    (NextToken) =>
      clients.ec2.ask(
        'ec2:DescribeNetworkInterfaces',
        (client, options) =>
          client.describeNetworkInterfaces(
            { Filters: [{ Name: 'description', Values: [`ELB ${loadBalancerDimension(arn)}`] }], NextToken },
            options,
          ),
        signal,
      ),
    ({ NetworkInterfaces }) => NetworkInterfaces,
    ({ NextToken }) => NextToken,
  );
  if (interfaces.kind === 'not-told') return interfaces;
  const addresses = interfaces.value.flatMap(
    ({ PrivateIpAddresses = [], PrivateIpAddress, Association, Ipv6Addresses = [] }) => [
      PrivateIpAddress,
      Association?.PublicIp,
      ...PrivateIpAddresses.flatMap((one) => [one.PrivateIpAddress, one.Association?.PublicIp]),
      ...Ipv6Addresses.map(({ Ipv6Address }) => Ipv6Address),
    ],
  );
  return told([...new Set(addresses.filter((address) => address !== undefined))].toSorted());
}

/** `app/<name>/<id>` of an ARN, as CloudWatch and the descriptions of network interfaces have it. */
export function loadBalancerDimension(arn: string): string {
  return arn.replace(/^.*:loadbalancer\//, '');
}

export interface TargetsAsked {
  readonly groupArn: string;
  /** Called when its turn has come and the question is sent. */
  readonly sent?: () => void;
}

/** In the order of address and port, so that the same targets are the same fact. */
export async function readTargets(
  { elbv2 }: Pick<AwsClients, 'elbv2'>,
  { groupArn, sent }: TargetsAsked,
  signal: AbortSignal,
): Promise<Told<readonly TargetSeen[]>> {
  const health = await elbv2.ask(
    'elasticloadbalancing:DescribeTargetHealth',
    (client, options) => {
      sent?.();
      return client.describeTargetHealth({ TargetGroupArn: groupArn }, options);
    },
    signal,
    'urgent',
  );
  if (health.kind === 'not-told') return health;
  const targets: TargetSeen[] = [];
  for (const { Target, TargetHealth } of health.value.TargetHealthDescriptions ?? []) {
    const state = TargetHealth?.State ?? '';
    // Whether it gets traffic is not known, and nobody may be accused on a guess.
    if (!isState(state))
      return notTold('other', `AWS has a target in a state that is not known here (${state.slice(0, stateLengthMax)})`);
    targets.push({
      id: Target?.Id ?? '',
      port: Target?.Port ?? 0,
      zone: Target?.AvailabilityZone ?? null,
      state,
      reason: TargetHealth?.Reason ?? '',
    });
  }
  return told(targets.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : a.port - b.port)));
}

const stateLengthMax = 40;

const states: readonly string[] = [
  'initial',
  'healthy',
  'unhealthy',
  'unhealthy.draining',
  'unused',
  'draining',
  'unavailable',
] satisfies readonly TargetState[];

function isState(state: string): state is TargetState {
  return states.includes(state);
}
