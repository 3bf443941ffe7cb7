/**
 * A balancer, and pods behind it that a test replaces one by one; AWS and the API server of Kubernetes say what the test has
 * them say. So what was really so is known to the test: it made it.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleepMs } from 'node:timers/promises';
import type { ChangeInput, ScenarioInput } from '../../src/scenario/input.ts';
import { emptyWorld, startFakeAws, type FakeAws } from '../platforms/fake-aws.ts';
import { FakeKubernetes } from '../platforms/fake-kubernetes.ts';
import { writeKubeconfig } from '../platforms/kubeconfig.ts';
import { startHaproxy, type Haproxy, type HaproxyLine } from './servers/haproxy.ts';
import { freePorts } from './servers/ports.ts';

const balancerAddress = '127.0.6.100';
const loadBalancerArn = 'arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/shop-2/50dc6c495c0c9188';
const groupArn = 'arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/orders/73e2d6bc24d8a067';
const podCount = 9;
const desiredCount = 3;

/** Of the target that was left behind: wall clock, ms since 1970. */
export interface LeftBehind {
  readonly target: string;
  readonly pod: string;
  readonly goneAtMs: number;
  readonly unroutableAtMs: number;
}

export interface DeploymentStage extends AsyncDisposable {
  readonly aws: FakeAws;
  readonly kubernetes: FakeKubernetes;
  /** With AWS and Kubernetes watched, or neither. */
  scenario(name: string, watches: 'platforms' | 'nothing', change: ChangeInput): ScenarioInput;
  /**
   * Replaces all pods. Each is deregistered, and ends when it gets no more requests; `leavesBehindForMs`: the first is not,
   * for so long.
   */
  readonly roll: (leavesBehindForMs?: number) => Promise<LeftBehind | null>;
  /** What the balancer wrote down, as an ALB does. */
  accessLog(): string;
}

interface Pod {
  readonly name: string;
  readonly address: string;
  readonly server: Server;
  readonly sockets: Set<Socket>;
}

export async function startDeploymentStage(): Promise<DeploymentStage> {
  await using stack = new AsyncDisposableStack();
  const [port = 0, podPort = 0] = await freePorts(2);
  const addressOf = (number: number): string => `127.0.6.${number + 1}`;
  const targets = Object.fromEntries(
    Array.from({ length: podCount }, (_, i) => [addressOf(i), { address: addressOf(i), port: podPort }]),
  );
  const haproxy = stack.use(await startHaproxy({ address: balancerAddress, port, targets }));
  const aws = stack.use(await startFakeAws(awsWorld(podPort)));
  const kubernetes = await FakeKubernetes.start({ tokens: ['first'] });
  stack.defer(() => kubernetes.stop());
  const kubeconfig = stack.use(writeKubeconfig({ server: kubernetes.url }));
  const cluster = newCluster({ haproxy, aws, kubernetes, addressOf, podPort });
  stack.defer(() => cluster.end());
  await cluster.begin();
  const kept = stack.move();
  return {
    aws,
    kubernetes,
    scenario: (name, watches, change) => ({
      name,
      defaults: { ratePerSecond: 5 },
      services: [{ name: 'orders', url: `http://${balancerAddress}:${port}/ready` }],
      sides: {
        new: {
          title: 'ALB/EKS',
          addresses: [balancerAddress],
          ...(watches === 'nothing'
            ? {}
            : {
                aws: { region: 'us-west-2', loadBalancer: 'shop-2' },
                kubernetes: { kubeconfig: kubeconfig.path, namespace: 'shop', services: ['orders'] },
              }),
        },
      },
      authorities: 'none',
      clients: ['fresh', 'keep-alive'],
      change: {
        via: 'deploy',
        side: 'new',
        replicaHeader: 'x-served-by-pod',
        convergenceTimeoutS: 60,
        tailS: 6,
        ...change,
      },
      objectives: { failedRatioMax: 0.1, outageMsMax: 3000 },
    }),
    roll: cluster.roll,
    accessLog: () =>
      haproxy
        .accessLog()
        .map((line) => albLine(line, podPort))
        .join(''),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function awsWorld(port: number): ReturnType<typeof emptyWorld> {
  const forward = [{ Type: 'forward', ForwardConfig: { TargetGroups: [{ TargetGroupArn: groupArn, Weight: 1 }] } }];
  return {
    ...emptyWorld(),
    loadBalancers: [
      {
        LoadBalancerArn: loadBalancerArn,
        LoadBalancerName: 'shop-2',
        DNSName: 'shop-2.us-west-2.elb.amazonaws.com',
        Type: 'application',
      },
    ],
    listeners: { [loadBalancerArn]: [{ ListenerArn: 'l80', Port: 80, DefaultActions: forward }] },
    rules: { l80: [{ RuleArn: 'r0', Priority: 'default', Conditions: [], Actions: forward, IsDefault: true }] },
    groups: {
      [loadBalancerArn]: [
        {
          TargetGroupArn: groupArn,
          TargetGroupName: 'orders',
          Port: port,
          VpcId: 'vpc-1',
          TargetType: 'ip',
          HealthCheckIntervalSeconds: 5,
          HealthCheckTimeoutSeconds: 2,
          HealthyThresholdCount: 2,
          UnhealthyThresholdCount: 3,
        },
      ],
    },
    attributes: { [groupArn]: [{ Key: 'deregistration_delay.timeout_seconds', Value: '3' }] },
    health: { [groupArn]: [] },
  };
}

/** In the order of fields that AWS documents. */
function albLine({ acceptedAtMs, client, target, status, trace }: HaproxyLine, podPort: number): string {
  const at = new Date(acceptedAtMs).toISOString().replace('Z', '000Z');
  const isAnswered = status < 500;
  const [seconds, targetStatus] = isAnswered ? ['0.000 0.001 0.000', '200'] : ['-1 -1 -1', '-'];
  return (
    `http ${at} app/shop-2/50dc6c495c0c9188 ${client} ${target}:${podPort} ${seconds} ${status} ${targetStatus} 211 340 ` +
    `"GET http://orders.shop.test:80/ready HTTP/1.1" "cutwatch" - - ${groupArn} "${trace}" "-" "-" 0 ${at} "forward" "-" "-" ` +
    `"${target}:${podPort}" "${targetStatus}" "-" "-" TID_1234\n`
  );
}

interface ClusterParts {
  readonly haproxy: Haproxy;
  readonly aws: FakeAws;
  readonly kubernetes: FakeKubernetes;
  readonly addressOf: (number: number) => string;
  readonly podPort: number;
}

function newCluster({ haproxy, aws, kubernetes, addressOf, podPort }: ClusterParts): {
  readonly begin: () => Promise<void>;
  readonly roll: DeploymentStage['roll'];
  readonly end: () => void;
} {
  const pods: Pod[] = [];
  let startedCount = 0;
  let revision = 1;

  async function start(): Promise<Pod> {
    const address = addressOf(startedCount % podCount);
    const pod = await serve(`orders-${revision}-${startedCount}`, address, podPort);
    startedCount += 1;
    pods.push(pod);
    tellPod(pod, 'Running');
    tellEndpoints();
    await setTarget(address, 'healthy');
    return pod;
  }

  async function setTarget(address: string, state: 'healthy' | 'draining' | 'unhealthy' | 'gone'): Promise<void> {
    const reason = {
      draining: 'Target.DeregistrationInProgress',
      unhealthy: 'Target.Timeout',
      healthy: null,
      gone: null,
    };
    const rest = (aws.world.health[groupArn] ?? []).filter((one) => (one['Target'] as { Id: string }).Id !== address);
    const target = {
      Target: { Id: address, Port: podPort, AvailabilityZone: 'us-west-2a' },
      TargetHealth: { State: state, ...(reason[state] === null ? {} : { Reason: reason[state] }) },
    };
    aws.world.health[groupArn] = state === 'gone' ? rest : [...rest, target];
    await haproxy.set(address, state === 'healthy' ? 'routable' : state === 'draining' ? 'draining' : 'unused');
  }

  function tellPod({ name, address }: Pod, phase: 'Running', endsAtMs?: number): void {
    const hash = `hash${revisionOf(name)}`;
    kubernetes.put('pods', {
      metadata: {
        name,
        labels: { 'pod-template-hash': hash },
        ownerReferences: [{ kind: 'ReplicaSet', name: `orders-${hash}`, controller: true }],
        ...(endsAtMs === undefined
          ? {}
          : { deletionTimestamp: new Date(endsAtMs + 30_000).toISOString(), deletionGracePeriodSeconds: 30 }),
      },
      spec: {},
      status: {
        phase,
        podIP: address,
        conditions: [{ type: 'Ready', status: endsAtMs === undefined ? 'True' : 'False' }],
      },
    });
  }

  function tellEndpoints(ending: readonly Pod[] = []): void {
    kubernetes.put('endpointslices', {
      metadata: { name: 'orders-x', labels: { 'kubernetes.io/service-name': 'orders' } },
      ports: [{ port: podPort }],
      endpoints: pods.map((pod) => ({
        addresses: [pod.address],
        conditions: {
          ready: !ending.includes(pod),
          serving: !ending.includes(pod),
          terminating: ending.includes(pod),
        },
        targetRef: { name: pod.name, uid: `uid-${pod.name}` },
      })),
    });
  }

  function tellDeployment(updated: number, total: number): void {
    kubernetes.put('deployments', {
      metadata: {
        name: 'orders',
        generation: revision,
        annotations: { 'deployment.kubernetes.io/revision': String(revision) },
      },
      spec: { replicas: desiredCount },
      status: {
        observedGeneration: revision,
        replicas: total,
        updatedReplicas: updated,
        readyReplicas: total,
        availableReplicas: total,
      },
    });
  }

  async function end(pod: Pod): Promise<void> {
    pods.splice(pods.indexOf(pod), 1);
    tellEndpoints();
    await close(pod);
    kubernetes.delete('pods', pod.name);
  }

  return {
    async begin() {
      kubernetes.put('targetgroupbindings', {
        metadata: { name: 'orders' },
        spec: { targetGroupARN: groupArn, targetType: 'ip', serviceRef: { name: 'orders', port: podPort } },
      });
      for (let i = 0; i < desiredCount; i += 1) await start();
      tellDeployment(desiredCount, desiredCount);
    },

    async roll(leavesBehindForMs) {
      const before = pods.slice();
      let left: { readonly pod: Pod; readonly goneAtMs: number } | null = null;
      revision += 1;
      tellDeployment(0, desiredCount);
      for (const [i, old] of before.entries()) {
        await start();
        tellDeployment(i + 1, desiredCount + 1);
        await sleepMs(700);
        tellPod(old, 'Running', Date.now());
        tellEndpoints([old]);
        if (leavesBehindForMs !== undefined && left === null) {
          await end(old);
          left = { pod: old, goneAtMs: Date.now() };
        } else {
          await setTarget(old.address, 'draining');
          await sleepMs(1100);
          await end(old);
          await setTarget(old.address, 'gone');
        }
        tellDeployment(i + 1, desiredCount);
        await sleepMs(900);
      }
      if (left === null) return null;
      await sleepMs(Math.max(0, left.goneAtMs + (leavesBehindForMs ?? 0) - Date.now()));
      const { pod, goneAtMs } = left;
      await setTarget(pod.address, 'unhealthy');
      const unroutableAtMs = Date.now();
      await sleepMs(4000);
      await setTarget(pod.address, 'gone');
      return { target: `${pod.address}:${podPort}`, pod: pod.name, goneAtMs, unroutableAtMs };
    },

    end() {
      for (const pod of pods) void close(pod);
    },
  };
}

function revisionOf(name: string): string {
  return name.split('-')[1] ?? '';
}

/** The application: it says which pod it is. */
async function serve(name: string, address: string, port: number): Promise<Pod> {
  const sockets = new Set<Socket>();
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'x-served-by-pod': name });
    response.end('ready\n');
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(port, address);
  await once(server, 'listening');
  return { name, address, server, sockets };
}

/** Nobody listens any more: whoever connects is refused. */
async function close({ server, sockets }: Pod): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  for (const socket of sockets) socket.destroy();
  await closed;
}
