/** The steps that platforms tell: rollouts, endpoints, targets, Helm (domain.md, E7, E16 and D.1). */
import type { EndpointSeen, LoadBalancerSeen, RolloutSeen, TargetSeen } from '../core/platform.ts';
import { countOf, listText } from '../core/quantity-text.ts';
import type { Side } from '../core/scenario.ts';
import { kubernetesRead, rolloutsOf, type PlatformFacts, type PlaybookFacts, type Read } from './playbook-facts.ts';
import { stepRow, titleOf, wayOf, type CheckSaid, type StepRow } from './playbook-step.ts';

/** What a side's platforms say of it. */
export function ofSide(facts: PlaybookFacts, side: Side, source: string, rows: readonly StepRow[]): CheckSaid {
  return { rows, source, readAtMs: facts.platforms[side].readAtMs };
}

/** Where nothing may be read, nothing is known, and that is said with what it takes. */
export function unreadRow(subject: string, why: string): StepRow {
  return stepRow('unknown', subject, why, { toDo: 'Mend that, or look at it yourself.' });
}

export function unnamedRow(facts: PlaybookFacts, side: Side, keys: string): StepRow {
  const subject = titleOf(facts.look.scenario, side);
  const toDo = `Say ${keys} under sides.${side}, or leave this step out of playbook.`;
  return stepRow('unknown', subject, 'the scenario names nothing that could tell', { toDo });
}

const rolloutSource = 'Kubernetes Deployments, ECS services';

export function deployed(facts: PlaybookFacts): CheckSaid {
  const { entering } = wayOf(facts);
  return ofSide(facts, entering, rolloutSource, rolloutRows(facts, entering, deployedRow));
}

function rolloutRows(facts: PlaybookFacts, side: Side, of: (rollout: RolloutSeen) => StepRow): readonly StepRow[] {
  const read = rolloutsOf(facts.platforms[side]);
  const subject = titleOf(facts.look.scenario, side);
  if (read === null) return [unnamedRow(facts, side, 'kubernetes, or aws with ecs,')];
  if (read.kind === 'not-told') return [unreadRow(subject, read.why)];
  if (read.value.length > 0) return read.value.map(of);
  const toDo = 'Deploy it there, or say in which namespace or cluster it is.';
  return [stepRow('unknown', subject, 'has no Deployment and no ECS service', { toDo })];
}

function deployedRow({ name, state, revision, updatedCount, desiredCount, reason }: RolloutSeen): StepRow {
  const why = reason === '' ? '' : ` (${reason})`;
  switch (state) {
    case 'complete':
      return stepRow('pass', name, `revision ${revision} is complete`);
    case 'progressing': {
      const found = `revision ${revision} is under way, ${updatedCount} of ${desiredCount} replicas${why}`;
      return stepRow('fail', name, found, { toDo: `Wait for the rollout of ${name}.`, canWait: true });
    }
    case 'failed':
      return stepRow('fail', name, `revision ${revision} has failed${why}`, { toDo: `Mend the rollout of ${name}.` });
  }
}

// ── ready ────────────────────────────────────────────────────────────────────────────────────────────────────────────

export function ready(facts: PlaybookFacts): CheckSaid {
  const { entering } = wayOf(facts);
  const platform = facts.platforms[entering];
  const rows = [
    ...rolloutRows(facts, entering, replicasRow),
    ...endpointRows(platform),
    ...groupRows(platform, titleOf(facts.look.scenario, entering)),
  ];
  return ofSide(facts, entering, `${rolloutSource}; EndpointSlices; ELBv2 DescribeTargetHealth`, rows);
}

function replicasRow({ name, readyCount, desiredCount }: RolloutSeen): StepRow {
  const found = `${readyCount} of ${desiredCount} replicas ready`;
  if (desiredCount === 0) {
    return stepRow('fail', name, found, { toDo: `${name} is scaled to nothing: scale it up, or delete it.` });
  }
  if (readyCount >= desiredCount) return stepRow('pass', name, found);
  return stepRow('fail', name, found, { toDo: `See why replicas of ${name} are not ready.`, canWait: true });
}

function endpointRows({ kubernetes }: PlatformFacts): readonly StepRow[] {
  if (kubernetes === null) return [];
  const read = kubernetesRead(kubernetes, 'endpoints', ['endpointslices']);
  if (read.kind === 'not-told') return [unreadRow('endpoints', read.why)];
  return read.value.flatMap(({ service, endpoints }) => {
    const zones = zonesOf(endpoints.filter(({ isTerminating }) => !isTerminating));
    if (zones.length === 0) {
      return [
        stepRow('fail', service, 'no endpoint', {
          toDo: `Nothing is behind ${service}: see its selector.`,
          canWait: true,
        }),
      ];
    }
    return zones.map(([zone, of]) =>
      zoneRow({ subject: service, zone, what: 'endpoint', good: 'ready', of, isGood: isReadyEndpoint }),
    );
  });
}

function isReadyEndpoint({ isReady, isTerminating }: EndpointSeen): boolean {
  return isReady && !isTerminating;
}

function zonesOf<T extends { readonly zone: string | null }>(
  all: readonly T[],
): readonly (readonly [string, readonly T[]])[] {
  return [...Map.groupBy(all, ({ zone }) => zone ?? '')].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

interface ZoneAsked<T> {
  readonly subject: string;
  /** '' = not known. */
  readonly zone: string;
  readonly what: string;
  readonly good: string;
  readonly of: readonly T[];
  readonly isGood: (one: T) => boolean;
}

/** Where a zone has some and none that works, whoever is sent there is lost or goes a long way. */
function zoneRow<T>({ subject, zone, what, good, of, isGood }: ZoneAsked<T>): StepRow {
  const name = zone === '' ? subject : `${subject} in ${zone}`;
  const goodCount = of.filter(isGood).length;
  const found = `${goodCount} of ${countOf(of.length, what)} ${good}`;
  if (goodCount > 0) return stepRow('pass', name, found);
  return stepRow('fail', name, found, {
    toDo: `At least one ${what} must be ${good}: see why none is.`,
    canWait: true,
  });
}

/** Target groups that rules lead to. */
function groupRows({ aws }: PlatformFacts, title: string): readonly StepRow[] {
  if (aws === null || aws.loadBalancers === null) return [];
  if (aws.loadBalancers.kind === 'not-told') return [unreadRow(`load balancers of ${title}`, aws.loadBalancers.why)];
  const groups = new Map(
    aws.loadBalancers.value.flatMap((one) => one.groups.map((group) => [group.arn, group] as const)),
  );
  return [...groups.values()].flatMap(({ arn, name, targetType, rules }): readonly StepRow[] => {
    const read = aws.targets.get(arn);
    if (rules.length === 0 || targetType === 'lambda' || read === undefined) return [];
    return targetRows(name, read);
  });
}

const isUsed = ({ state }: TargetSeen): boolean =>
  state !== 'draining' && state !== 'unhealthy.draining' && state !== 'unused';

function targetRows(name: string, read: Read<readonly TargetSeen[]>): readonly StepRow[] {
  if (read.kind === 'not-told') return [unreadRow(`targets of ${name}`, read.why)];
  const zones = zonesOf(read.value.filter(isUsed));
  if (zones.length === 0) {
    const toDo = `Rules lead to ${name}, and there is no usable target in it: requests get a 503.`;
    return [stepRow('fail', name, 'no usable target', { toDo, canWait: true })];
  }
  return zones.map(([zone, of]) =>
    zoneRow({ subject: name, zone, what: 'target', good: 'healthy', of, isGood: ({ state }) => state === 'healthy' }),
  );
}

// ── deployments to come, and taking one back ─────────────────────────────────────────────────────────────────────────

/** Without a readiness gate a new pod counts as ready before the load balancer sends to it (D.1, 2). */
export function deploySafety(facts: PlaybookFacts): CheckSaid {
  const { entering } = wayOf(facts);
  const { kubernetes } = facts.platforms[entering];
  const said = (rows: readonly StepRow[]): CheckSaid =>
    ofSide(facts, entering, 'Kubernetes TargetGroupBindings, EndpointSlices, pods', rows);
  const title = titleOf(facts.look.scenario, entering);
  if (kubernetes === null) return said([stepRow('not-applicable', title, 'no Kubernetes is named for this side')]);
  const bindings = kubernetesRead(kubernetes, 'binding', ['targetgroupbindings']);
  const endpoints = kubernetesRead(kubernetes, 'endpoints', ['endpointslices']);
  const pods = kubernetesRead(kubernetes, 'workload', ['pods']);
  if (bindings.kind === 'not-told') return said([unreadRow(title, bindings.why)]);
  const services = new Set(
    bindings.value.filter(({ binding }) => binding.targetType === 'ip').map(({ binding }) => binding.service),
  );
  if (services.size === 0) {
    return said([stepRow('not-applicable', title, 'no target group has the addresses of pods (target type ip)')]);
  }
  if (endpoints.kind === 'not-told') return said([unreadRow(title, endpoints.why)]);
  if (pods.kind === 'not-told') return said([unreadRow(title, pods.why)]);
  const gated = new Map(pods.value.map(({ workload }) => [workload.uid, workload.hasTargetHealthGate]));
  const rows = [...services].map((service) => {
    const of = endpoints.value.filter((one) => one.service === service).flatMap((one) => one.endpoints);
    if (of.length === 0) {
      const toDo = 'Look again when it has pods.';
      return stepRow('unknown', service, 'no endpoint whose pod could be looked at', { toDo });
    }
    const without = of.filter(({ uid }) => gated.get(uid) !== true).map(({ name }) => name);
    if (without.length === 0) return stepRow('pass', service, `${countOf(of.length, 'pod')} with a target health gate`);
    const toDo =
      'Label the namespace elbv2.k8s.aws/pod-readiness-gate-inject=enabled and roll the pods: without it a rollout goes on before the load balancer sends to new pods.';
    return stepRow('fail', service, `no target health gate on ${listText(without)}`, { toDo });
  });
  return said(rows);
}

export function helmRollbackPossible(facts: PlaybookFacts): CheckSaid {
  const { kubernetes, readAtMs } = facts.platforms.new;
  const source = "Kubernetes: Helm's releases, by names and labels";
  if (kubernetes === null) {
    const found = 'no Kubernetes is named for this side';
    return { rows: [stepRow('not-applicable', titleOf(facts.look.scenario, 'new'), found)], source, readAtMs };
  }
  const read = kubernetesRead(kubernetes, 'helm-release', ['secrets']);
  if (read.kind === 'not-told') return { rows: [unreadRow('Helm releases', read.why)], source, readAtMs };
  if (read.value.length === 0) {
    return { rows: [stepRow('not-applicable', 'Helm releases', 'there is none in the namespace')], source, readAtMs };
  }
  const rows = read.value.map(({ release: { name, revision, status, revisions } }) => {
    const found = `revision ${revision} is ${status}, ${countOf(revisions.length, 'revision')} kept`;
    if (status !== 'deployed') {
      const toDo = `Finish or take back the last helm upgrade of ${name}: helm history ${name}.`;
      return stepRow('fail', name, found, { toDo, canWait: status.startsWith('pending') });
    }
    if (revisions.length >= 2) return stepRow('pass', name, found);
    return stepRow('fail', name, found, {
      toDo: `helm rollback ${name} has nothing to go back to: keep two (--history-max).`,
    });
  });
  return { rows, source, readAtMs };
}

/** Of the side that is left; null: the scenario names none. */
export function loadBalancersOf({ aws }: PlatformFacts): Read<readonly LoadBalancerSeen[]> | null {
  return aws?.loadBalancers ?? null;
}
