/** From listeners, rules and tags to what leads to a target group and whose it is; pure. */
import type { Action, Listener, Rule, TagDescription } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { TargetGroupSeen } from '../core/platform.ts';

export type Route = TargetGroupSeen['rules'][number];

/** A rule or a listener's default, as far as it matters here. */
export type Forwarding = Pick<Rule, 'Conditions' | 'Actions'>;

export function defaultOf(listener: Listener): Forwarding {
  return { Conditions: [], Actions: listener.DefaultActions };
}

/**
 * For each group (by ARN) the rules that lead to it. A rule that several listeners have alike (80 and 443) is there once.
 * Of conditions on anything but host and path it is only said that there are some.
 */
export function routesOf(forwardings: readonly Forwarding[]): ReadonlyMap<string, readonly Route[]> {
  const routes = new Map<string, Map<string, Route>>();
  for (const { Conditions = [], Actions = [] } of forwardings) {
    const hosts = Conditions.filter(({ Field }) => Field === 'host-header').flatMap(
      ({ HostHeaderConfig, Values }) => HostHeaderConfig?.Values ?? Values ?? [],
    );
    const paths = Conditions.filter(({ Field }) => Field === 'path-pattern').flatMap(
      ({ PathPatternConfig, Values }) => PathPatternConfig?.Values ?? Values ?? [],
    );
    const isForSome = Conditions.some(({ Field = '' }) => Field !== 'host-header' && Field !== 'path-pattern');
    for (const { arn, weightRatio } of Actions.flatMap(weightsOf)) {
      const route = { hosts, paths, weightRatio, ...(isForSome ? { isForSome: true as const } : {}) };
      const ofGroup = routes.get(arn) ?? new Map<string, Route>();
      routes.set(arn, ofGroup.set(JSON.stringify(route), route));
    }
  }
  return new Map([...routes].map(([arn, ofGroup]) => [arn, [...ofGroup.values()]]));
}

/** Of a forward action, those that get something. All weights 0 is a rule that leads nowhere. */
function weightsOf({ Type, ForwardConfig, TargetGroupArn }: Action): readonly { arn: string; weightRatio: number }[] {
  if (Type !== 'forward') return [];
  const given = ForwardConfig?.TargetGroups ?? [];
  if (given.length === 0) return TargetGroupArn === undefined ? [] : [{ arn: TargetGroupArn, weightRatio: 1 }];
  const weights = given.map((group) => ({ arn: group.TargetGroupArn ?? '', weight: group.Weight ?? 1 }));
  const sum = weights.reduce((total, { weight }) => total + weight, 0);
  return weights.filter(({ weight }) => weight > 0).map(({ arn, weight }) => ({ arn, weightRatio: weight / sum }));
}

/** What the AWS Load Balancer Controller wrote on a group: of which cluster it is, and `namespace/service` where it tells. */
export interface Tagged {
  readonly cluster: string | null;
  readonly owner: string | null;
}

export function taggedOf({ Tags = [] }: TagDescription): Tagged {
  const tags = new Map(Tags.map(({ Key = '', Value = '' }) => [Key, Value]));
  return { cluster: tags.get('elbv2.k8s.aws/cluster') ?? null, owner: ownerOf(tags) };
}

/**
 * Of a Service of type LoadBalancer the stack is it. Of an Ingress the resource is `namespace/ingress-service:port`, where
 * both names may have hyphens, so that it tells only beside a stack that names the Ingress; the stack of a group of
 * Ingresses does not.
 */
function ownerOf(tags: ReadonlyMap<string, string>): string | null {
  const serviceStack = tags.get('service.k8s.aws/stack');
  if (serviceStack !== undefined) return serviceStack;
  const stack = tags.get('ingress.k8s.aws/stack') ?? '';
  const resource = tags.get('ingress.k8s.aws/resource') ?? '';
  if (!stack.includes('/') || !resource.startsWith(`${stack}-`)) return null;
  const [namespace = ''] = stack.split('/');
  const service = resource.slice(stack.length + 1).replace(/:[^:]*$/, '');
  return `${namespace}/${service}`;
}
