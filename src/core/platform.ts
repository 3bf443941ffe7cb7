/**
 * What the platforms themselves say: AWS and Kubernetes, as read by `platforms`, written into the journal, and joined to
 * the probes by `analysis`; the playbook's checks read the same shapes. Times of theirs are wall clock, ms since 1970, and
 * stand beside ours. Names and fields follow ELBv2, ECS and Kubernetes (domain facts C.3 and D.3).
 */
import type { Side } from './scenario.ts';

// ── what the scenario asks to look at ────────────────────────────────────────────────────────────────────────────────

/** `sides.<side>.aws`. Credentials are the SDK's business: environment, profile, role. */
export interface AwsSpec {
  /** null: as the environment or the profile says. */
  readonly region: string | null;
  readonly profile: string | null;
  /** Names of load balancers; empty: those whose DNS names are the side's `dns:` names. */
  readonly loadBalancers: readonly string[];
  readonly ecs: { readonly cluster: string; readonly services: readonly string[] } | null;
  /** EventBridge rules and Scheduler schedules that start jobs: by name, `*` at the end for all that begin so; empty: found by the cluster. */
  readonly schedules: readonly string[];
}

/** `sides.<side>.kubernetes`. */
export interface KubernetesSpec {
  /** null: `KUBECONFIG`, else `~/.kube/config`, else the cluster that cutwatch itself runs in. */
  readonly kubeconfig: string | null;
  /** null: the current one. */
  readonly context: string | null;
  readonly namespace: string;
  /** Services of Kubernetes; empty: all of the namespace that an Ingress or a TargetGroupBinding names. */
  readonly services: readonly string[];
  /** CronJobs in scope; empty: all of the namespace. */
  readonly cronJobs: readonly string[];
}

/** Why a platform did not tell what it was asked. */
export type NotToldReason =
  | 'no-credentials'
  | 'no-region'
  | 'denied'
  | 'throttled'
  | 'timed-out'
  | 'unreachable'
  /** What was asked about is not there. */
  | 'missing'
  /** It was stopped by us. */
  | 'stopped'
  | 'other';

// ── load balancers ───────────────────────────────────────────────────────────────────────────────────────────────────

/** `Elb.…` and `Target.…` reasons are kept as they come. */
export type TargetState =
  | 'initial'
  | 'healthy'
  | 'unhealthy'
  | 'unhealthy.draining'
  | 'unused'
  | 'draining'
  | 'unavailable';

export interface TargetSeen {
  /** An address (target type ip), or an instance id. */
  readonly id: string;
  readonly port: number;
  readonly zone: string | null;
  readonly state: TargetState;
  /** '' where none is given: a healthy one has none. */
  readonly reason: string;
}

export interface TargetGroupSeen {
  readonly arn: string;
  readonly name: string;
  readonly targetType: 'ip' | 'instance' | 'lambda' | 'alb';
  readonly port: number;
  readonly vpcId: string | null;
  /** The rules that lead to it with a weight above 0: hosts and paths as the rule has them, empty = any. */
  readonly rules: readonly {
    readonly hosts: readonly string[];
    readonly paths: readonly string[];
    /** Of all weights of the action, 0 to 1. */
    readonly weightRatio: number;
    /** It has conditions on something else, too (headers, queries, methods, source addresses): only some of those requests go there. */
    readonly isForSome?: true;
  }[];
  readonly deregistrationDelayS: number;
  readonly slowStartS: number;
  readonly healthCheck: {
    readonly intervalS: number;
    readonly timeoutS: number;
    readonly healthyCount: number;
    readonly unhealthyCount: number;
  };
  /** `namespace/service` of the TargetGroupBinding's tags, or of ECS's `cluster/service`; null = nobody says so. */
  readonly owner: string | null;
  /** The Kubernetes cluster whose controller made it, by its tags; null or left out = none says so. */
  readonly cluster?: string | null;
}

export interface LoadBalancerSeen {
  readonly arn: string;
  readonly name: string;
  readonly dnsName: string;
  readonly kind: 'application' | 'network';
  /** `client_keep_alive.seconds`; null where it has none (network). */
  readonly clientKeepAliveS: number | null;
  readonly idleTimeoutS: number | null;
  /** The addresses of its own network interfaces, where they may be read; else empty. */
  readonly addresses: readonly string[];
  readonly groups: readonly TargetGroupSeen[];
}

// ── who lives behind them ────────────────────────────────────────────────────────────────────────────────────────────

/** A pod or a task, as a service selects it: an endpoint of an EndpointSlice, or an ECS task of the service. */
export interface EndpointSeen {
  readonly address: string;
  /** By target type instance (ECS bridge mode, NodePort): the instance that it is on; null else. */
  readonly instanceId: string | null;
  readonly ports: readonly number[];
  /** Of the pod or task. */
  readonly name: string;
  /** The pod's uid, or the task's ARN. */
  readonly uid: string;
  /** As Kubernetes has them; of ECS: RUNNING and HEALTHY; RUNNING; told to stop. */
  readonly isReady: boolean;
  readonly isServing: boolean;
  readonly isTerminating: boolean;
  readonly zone: string | null;
}

/** A pod or task by itself, selected by anybody or not: who has an address now. */
export interface WorkloadSeen {
  readonly kind: 'pod' | 'task';
  readonly name: string;
  readonly uid: string;
  /** '' while it has none. */
  readonly address: string;
  readonly state: 'pending' | 'running' | 'terminating' | 'gone';
  readonly isReady: boolean;
  /** `deletionTimestamp` less the grace (when it was told to end), `stoppingAt`; null = not told. */
  readonly endsSinceMs: number | null;
  /** `stoppedAt`; left out: it has not ended, or nobody says when. */
  readonly endedAtMs?: number;
  /** Why it ends, in their words, as ECS's `stopCode`; left out: nobody says. */
  readonly endReason?: string;
  /** Of the pod's `spec.readinessGates`: one of the load balancer controller is among them. */
  readonly hasTargetHealthGate: boolean;
  /** Name of the Deployment (of its ReplicaSet) or of the ECS service; null = none. */
  readonly owner: string | null;
  /** What tells the replicas of one rollout from those of another: pod-template-hash, task definition. */
  readonly revision: string | null;
}

// ── what happens to them ─────────────────────────────────────────────────────────────────────────────────────────────

export interface RolloutSeen {
  /** Deployment, or ECS service. */
  readonly name: string;
  /** `deployment.kubernetes.io/revision`, or the ECS deployment's id. */
  readonly revision: string;
  readonly desiredCount: number;
  readonly updatedCount: number;
  readonly readyCount: number;
  readonly state: 'progressing' | 'complete' | 'failed';
  /** What their side says of why, '' = nothing. */
  readonly reason: string;
}

export interface ScheduleSeen {
  readonly kind: 'cron-job' | 'event-rule' | 'scheduler';
  readonly name: string;
  readonly isEnabled: boolean;
  /** As it stands there: every five minutes in cron's words, `cron(0/5 * * * ? *)`, `rate(5 minutes)`. */
  readonly expression: string;
  readonly timeZone: string | null;
  /** Jobs or tasks of it that run now; null = not known. */
  readonly activeCount: number | null;
  readonly lastRunAtMs: number | null;
  /** `startingDeadlineSeconds`; null = none: a missed run is made up for as soon as it is enabled again. */
  readonly startingDeadlineS: number | null;
}

/** Real traffic on a load balancer, by CloudWatch. No data point means 0 only once the metric's delay has passed. */
export interface TrafficSeen {
  readonly loadBalancer: string;
  readonly metric: 'RequestCount' | 'ActiveConnectionCount' | 'NewConnectionCount';
  readonly periodFromMs: number;
  readonly periodS: number;
  readonly sum: number;
  /** Said by nobody, and late enough that this means none. */
  readonly isAssumedZero: boolean;
}

export interface IngressSeen {
  readonly name: string;
  readonly controller: string | null;
  readonly routes: readonly { readonly host: string; readonly path: string; readonly service: string }[];
  /** Of its status. */
  readonly loadBalancerNames: readonly string[];
}

/** TargetGroupBinding: which service the controller keeps in which target group. */
export interface BindingSeen {
  readonly name: string;
  readonly groupArn: string;
  readonly targetType: 'ip' | 'instance';
  readonly service: string;
  readonly servicePort: string;
  /** Several clusters share the group: targets that are not ours are legitimate. */
  readonly isMultiCluster: boolean;
}

export interface HelmReleaseSeen {
  readonly name: string;
  readonly revision: number;
  readonly status: string;
  /** All that are kept, oldest first. */
  readonly revisions: readonly number[];
}

/** What an observer tells, one at a time; in the journal as `platform-seen`. */
export type PlatformFact =
  | { readonly kind: 'load-balancer'; readonly loadBalancer: LoadBalancerSeen }
  | { readonly kind: 'targets'; readonly groupArn: string; readonly targets: readonly TargetSeen[] }
  /** All endpoints of a service; `service` is `namespace/name` or `cluster/name`. */
  | { readonly kind: 'endpoints'; readonly service: string; readonly endpoints: readonly EndpointSeen[] }
  | { readonly kind: 'workload'; readonly workload: WorkloadSeen }
  | { readonly kind: 'rollout'; readonly rollout: RolloutSeen }
  | { readonly kind: 'schedule'; readonly schedule: ScheduleSeen }
  | { readonly kind: 'traffic'; readonly traffic: TrafficSeen }
  | { readonly kind: 'ingress'; readonly ingress: IngressSeen }
  | { readonly kind: 'binding'; readonly binding: BindingSeen }
  | { readonly kind: 'helm-release'; readonly release: HelmReleaseSeen }
  /** Deleted there: what it was is in the facts before. `name` as that fact had it. */
  | {
      readonly kind: 'gone';
      readonly was: 'workload' | 'rollout' | 'schedule' | 'ingress' | 'binding';
      readonly name: string;
    };

/**
 * One thing an observer saw. Polled: it became so in [previousSentAtNs, receivedAtNs]. Watched: at `theirAtMs` by their
 * clock, where they say so.
 */
export interface PlatformSeen {
  readonly observer: string;
  readonly side: Side;
  readonly fact: PlatformFact;
  /** When the question was sent; of a watch, when its event came. */
  readonly sentAtNs: number;
  /** Of the poll before; null = the first, or a watch. */
  readonly previousSentAtNs: number | null;
  /** Polls since the entry before that said the same: written when something differs, else once in 30 s. */
  readonly sameCount: number;
  readonly theirAtMs: number | null;
}
