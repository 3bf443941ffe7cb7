/**
 * Targets and pods in one string each. A target has one character a poll (every 3 s): `h` healthy, `i` initial, `u`
 * unhealthy, `d` draining, `n` unused, `v` unavailable, `-` not registered. A pod has one character a second: `s` starting,
 * `r` ready, `t` terminating, `.` gone, `o` another's pod has its address. Both are called by the last number of 10.2.0.x;
 * the last character goes on for ever.
 */
import type { Entry } from '../../src/core/entry.ts';
import type { PlatformFact, TargetGroupSeen, TargetState } from '../../src/core/platform.ts';
import type { Side } from '../../src/core/scenario.ts';
import { msToNs, sToNs } from '../../src/core/time.ts';
import { hostname, newAddress } from './kit.ts';

export const pollS = 3;
export const groupArn = 'arn:tg/orders';

export interface Shop {
  readonly targets: Readonly<Record<string, string>>;
  readonly pods: Readonly<Record<string, string>>;
  readonly lengthS: number;
  readonly side?: Side;
  readonly arn?: string;
  /** Of which the pods are. */
  readonly service?: string;
  readonly group?: Partial<TargetGroupSeen>;
  readonly isMultiCluster?: boolean;
  /** False: no TargetGroupBinding says that the service is behind the group. */
  readonly isBound?: boolean;
  /** No load balancer is told of. */
  readonly hasInventory?: boolean;
  /** In these seconds the observer of targets was blind, and told nothing. */
  readonly blindS?: readonly [from: number, to: number];
}

const states: Readonly<Record<string, TargetState>> = {
  h: 'healthy',
  i: 'initial',
  u: 'unhealthy',
  d: 'draining',
  n: 'unused',
  v: 'unavailable',
};

/** Every poll is an entry where it differs from the one before, and each tenth; every change of a pod is one at once. */
export function shopEntries(shop: Shop): Entry[] {
  const { side = 'new', lengthS, arn = groupArn, service = 'shop/orders' } = shop;
  const entries: Entry[] = [
    started('elbv2', side),
    started('elbv2-targets', side),
    ...['targetgroupbindings', 'endpointslices', 'pods'].map((kind) => started('kubernetes', side, kind)),
  ];
  if (shop.hasInventory !== false) {
    entries.push(seen(`elbv2:${side}`, side, 0.01, { kind: 'load-balancer', loadBalancer: balancer(shop, arn) }));
    const binding = {
      name: service,
      groupArn: arn,
      targetType: 'ip',
      service,
      servicePort: '80',
      isMultiCluster: shop.isMultiCluster ?? false,
    } as const;
    if (shop.isBound !== false) {
      entries.push(seen(`kubernetes:${side}/targetgroupbindings`, side, 0.02, { kind: 'binding', binding }));
    }
  }
  return [
    ...entries,
    ...polls(shop, arn, side),
    ...blindness(shop, side),
    ...podEntries(shop, service, side),
    ...end(lengthS),
  ];
}

function end(lengthS: number): Entry[] {
  return [{ type: 'noted', atNs: sToNs(lengthS), text: 'so far' }];
}

export function at(text: string, index: number): string {
  return text[Math.min(index, text.length - 1)] ?? '-';
}

function started(name: string, side: Side, resource?: string): Entry {
  const observer = `${name}:${side}${resource === undefined ? '' : `/${resource}`}`;
  return { type: 'observer-started', atNs: 0, observer, side, what: name };
}

export function seen(
  observer: string,
  side: Side,
  atS: number,
  fact: PlatformFact,
  poll: { previousSentAtNs?: number | null; sameCount?: number } = {},
): Entry {
  const sentAtNs = sToNs(atS);
  return {
    type: 'platform-seen',
    atNs: sentAtNs + msToNs(20),
    observer,
    side,
    fact,
    sentAtNs,
    previousSentAtNs: poll.previousSentAtNs ?? null,
    sameCount: poll.sameCount ?? 0,
    theirAtMs: null,
  };
}

function balancer({ group = {} }: Shop, arn: string): Extract<PlatformFact, { kind: 'load-balancer' }>['loadBalancer'] {
  return {
    arn: 'arn:lb/shop',
    name: 'shop',
    dnsName: 'shop.elb.amazonaws.com',
    kind: 'application',
    clientKeepAliveS: 3600,
    idleTimeoutS: 60,
    addresses: [newAddress],
    groups: [
      {
        arn,
        name: 'orders-tg',
        targetType: 'ip',
        port: 8080,
        vpcId: null,
        rules: [{ hosts: [hostname], paths: [], weightRatio: 1 }],
        deregistrationDelayS: 300,
        slowStartS: 0,
        healthCheck: { intervalS: 15, timeoutS: 5, healthyCount: 2, unhealthyCount: 2 },
        owner: null,
        ...group,
      },
    ],
  };
}

function polls({ targets, lengthS, blindS }: Shop, groupArn: string, side: Side): Entry[] {
  const entries: Entry[] = [];
  let before: { text: string; sentS: number; sameCount: number } | null = null;
  for (let k = 0; k * pollS < lengthS; k += 1) {
    const sentS = k * pollS + 0.05;
    if (blindS !== undefined && sentS > blindS[0] && sentS < blindS[1]) continue;
    const fact: PlatformFact = {
      kind: 'targets',
      groupArn,
      targets: Object.entries(targets).flatMap(([number, text]) => {
        const state = states[at(text, k)];
        return state === undefined
          ? []
          : [{ id: `10.2.0.${number}`, port: 8080, zone: null, state, reason: state === 'healthy' ? '' : 'Target.X' }];
      }),
    };
    const text = JSON.stringify(fact);
    if (before !== null && before.text === text && before.sameCount < 9) {
      before = { text, sentS, sameCount: before.sameCount + 1 };
      continue;
    }
    const previousSentAtNs = before === null ? null : sToNs(before.sentS);
    entries.push(
      seen(`elbv2-targets:${side}`, side, sentS, fact, { previousSentAtNs, sameCount: before?.sameCount ?? 0 }),
    );
    before = { text, sentS, sameCount: 0 };
  }
  return entries;
}

function blindness({ blindS }: Shop, side: Side): Entry[] {
  if (blindS === undefined) return [];
  const observer = `elbv2-targets:${side}`;
  const [fromS, toS] = blindS;
  return [
    { type: 'observer-blinded', atNs: sToNs(fromS + 1), observer, sinceNs: sToNs(fromS), why: 'AWS throttles' },
    { type: 'observer-recovered', atNs: sToNs(toS), observer },
  ];
}

function podEntries({ pods, lengthS }: Shop, service: string, side: Side): Entry[] {
  const entries: Entry[] = [];
  let endpointsBefore = '';
  const told = new Map<string, string>();
  for (let second = 0; second < lengthS; second += 1) {
    const all = Object.entries(pods).map(([number, text]) => ({ number, state: at(text, second) }));
    for (const { number, state } of all) {
      if (told.get(number) === state) continue;
      told.set(number, state);
      const observer = `kubernetes:${side}/pods`;
      if (state === '.') {
        entries.push(seen(observer, side, second, { kind: 'gone', was: 'workload', name: `pod-${number}` }));
        continue;
      }
      const isOther = state === 'o';
      const workload = {
        kind: 'pod',
        name: isOther ? `other-${number}` : `pod-${number}`,
        uid: isOther ? `uid-other-${number}` : `uid-${number}`,
        address: state === 's' ? '' : `10.2.0.${number}`,
        state: state === 's' ? 'pending' : state === 't' ? 'terminating' : 'running',
        isReady: state === 'r',
        endsSinceMs: null,
        hasTargetHealthGate: false,
        owner: isOther ? 'other' : 'orders',
        revision: null,
      } as const;
      entries.push(seen(observer, side, second, { kind: 'workload', workload }));
    }
    const fact: PlatformFact = {
      kind: 'endpoints',
      service,
      endpoints: all
        .filter(({ state }) => state === 'r' || state === 't')
        .map(({ number, state }) => ({
          address: `10.2.0.${number}`,
          instanceId: null,
          ports: [8080],
          name: `pod-${number}`,
          uid: `uid-${number}`,
          isReady: state === 'r',
          isServing: true,
          isTerminating: state === 't',
          zone: null,
        })),
    };
    const text = JSON.stringify(fact);
    if (text !== endpointsBefore) entries.push(seen(`kubernetes:${side}/endpointslices`, side, second, fact));
    endpointsBefore = text;
  }
  return entries;
}
