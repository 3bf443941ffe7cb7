/**
 * The playbook forth and back as an operator takes it: nginx on both sides, a bind9 that nsupdate changes, an unbound that
 * caches, moto as AWS of the old side, and the fake API server as Kubernetes of the new one. Every step is done by a
 * command of its own; left out, its check fails, and nothing goes on.
 */
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ECS } from '@aws-sdk/client-ecs';
import { EC2 } from '@aws-sdk/client-ec2';
import { ElasticLoadBalancingV2 } from '@aws-sdk/client-elastic-load-balancing-v2';
import { EventBridge } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PlaybookStepInput, ScenarioInput } from '../../src/scenario/input.ts';
import { useFakeAccount } from '../platforms/fake-account.ts';
import { FakeKubernetes } from '../platforms/fake-kubernetes.ts';
import { writeKubeconfig } from '../platforms/kubeconfig.ts';
import { describeReal } from './servers/describe-real.ts';
import { describeMoto, startMoto } from './servers/moto.ts';
import { waitUntil } from './servers/wait-until.ts';
import { startStage, type Said, type Stage } from './stage.ts';

const region = 'us-west-1';
/** Once a year, half a year from now: no job is due while the tests run, nor in the hours that they make readings older by. */
const dueMonth = ((new Date().getUTCMonth() + 6) % 12) + 1;
const ttlS = 3;
const mainPath = new URL('../../src/cli/main.ts', import.meta.url).pathname;

interface Printed {
  readonly state: string;
  readonly next: string | null;
  readonly steps: readonly {
    readonly name: string;
    readonly state: string;
    readonly rows: readonly { readonly found: string }[];
  }[];
}

describeReal('the playbook', ['nginx', 'named', 'nsupdate', 'unbound', 'openssl'], () => {
  describeMoto('forth and back', () => {
    const account = useFakeAccount();
    const stack = new AsyncDisposableStack();
    let stage: Stage;
    let kubernetes: FakeKubernetes;
    let scenario: ScenarioInput;
    let balancerArn = '';
    let statePath = '';

    beforeAll(async () => {
      const moto = stack.use(await startMoto());
      account.use(moto.url);
      stage = stack.use(await startStage({ orders: 'old' }, ttlS));
      kubernetes = await FakeKubernetes.start();
      stack.defer(() => kubernetes.stop());
      const kubeconfig = stack.use(writeKubeconfig({ server: kubernetes.url }));
      const control = await startControl();
      stack.defer(() => void control.close());
      balancerArn = await makeAws();
      makeCluster();
      statePath = join(stage.folder, 'state.ndjson');
      scenario = scenarioOf((control.address() as AddressInfo).port, kubeconfig.path);
    }, 120_000);
    afterAll(() => stack.disposeAsync());

    // ── what the commands of the steps do ──

    const setCron = (suspend: boolean): void =>
      kubernetes.put('cronjobs', {
        metadata: { name: 'nightly-report' },
        spec: { schedule: `7 3 1 ${dueMonth} *`, suspend, startingDeadlineSeconds: 30 },
      });
    const setRule = (State: 'ENABLED' | 'DISABLED'): Promise<unknown> =>
      new EventBridge({ region }).putRule({
        Name: 'shop-nightly-report',
        ScheduleExpression: `cron(7 3 1 ${dueMonth} ? *)`,
        State,
      });
    const setAge = (LoadBalancerArn: string, ageS: number): Promise<unknown> =>
      new ElasticLoadBalancingV2({ region }).modifyLoadBalancerAttributes({
        LoadBalancerArn,
        Attributes: [{ Key: 'client_keep_alive.seconds', Value: String(ageS) }],
      });
    const setConnectionAge = (ageS: number): Promise<unknown> => setAge(balancerArn, ageS);

    /** As if what was read until now had been read two hours earlier. */
    async function age(): Promise<void> {
      const text = await readFile(statePath, 'utf8').catch(() => '');
      const earlier = (_: string, atMs: string): string => `"atMs":${Number(atMs) - 7_200_000}`;
      await writeFile(statePath, text.replaceAll(/"atMs":(\d+)/g, earlier));
    }

    const deeds: Readonly<Record<string, () => unknown>> = {
      'lower-age': () => setConnectionAge(60),
      suspend: () => setCron(true),
      unsuspend: () => setCron(false),
      disable: () => setRule('DISABLED'),
      enable: () => setRule('ENABLED'),
      'switch-to-new': () => stage.switch(['orders'], 'new'),
      'switch-to-old': () => stage.switch(['orders'], 'old'),
      age,
    };

    async function startControl(): Promise<Server> {
      const server = createServer((request, response) => {
        const deed = deeds[(request.url ?? '').slice(1)];
        Promise.resolve(deed?.()).then(
          () => response.writeHead(deed === undefined ? 404 : 200).end(),
          () => response.writeHead(500).end(),
        );
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }

    async function makeAws(): Promise<string> {
      const ec2 = new EC2({ region });
      const { Vpc } = await ec2.createVpc({ CidrBlock: '10.0.0.0/16' });
      const Subnets = await Promise.all(
        ['a', 'b'].map(async (zone, i) => {
          const made = { VpcId: Vpc?.VpcId ?? '', CidrBlock: `10.0.${i}.0/24`, AvailabilityZone: `${region}${zone}` };
          return (await ec2.createSubnet(made)).Subnet?.SubnetId ?? '';
        }),
      );
      const elbv2 = new ElasticLoadBalancingV2({ region });
      const makeBalancer = async (Name: string, isNetwork: boolean): Promise<string> => {
        const Protocol = isNetwork ? 'TCP' : 'HTTP';
        const Type = isNetwork ? 'network' : 'application';
        const { LoadBalancers } = await elbv2.createLoadBalancer({ Name, Type, Subnets });
        const LoadBalancerArn = LoadBalancers?.[0]?.LoadBalancerArn ?? '';
        const of = { Name, Protocol, Port: 8080, TargetType: 'ip', VpcId: Vpc?.VpcId ?? '' } as const;
        const { TargetGroups } = await elbv2.createTargetGroup(of);
        const TargetGroupArn = TargetGroups?.[0]?.TargetGroupArn ?? '';
        await elbv2.registerTargets({ TargetGroupArn, Targets: [{ Id: '10.0.0.7', Port: 8080 }] });
        const DefaultActions = [{ Type: 'forward', TargetGroupArn }] as const;
        await elbv2.createListener({ LoadBalancerArn, Protocol, Port: 80, DefaultActions: [...DefaultActions] });
        return LoadBalancerArn;
      };
      const arn = await makeBalancer('shop-1', false);
      await makeBalancer('k8s-shop', true);
      await setAge(arn, 3600);
      const { cluster } = await new ECS({ region }).createCluster({ clusterName: 'shop' });
      await setRule('ENABLED');
      const EcsParameters = { TaskDefinitionArn: 'report' };
      const target = {
        Id: '1',
        Arn: cluster?.clusterArn ?? '',
        RoleArn: 'arn:aws:iam::123456789012:role/jobs',
        EcsParameters,
      };
      await new EventBridge({ region }).putTargets({ Rule: 'shop-nightly-report', Targets: [target] });
      return arn;
    }

    const setDeployment = (updatedReplicas: number, readyReplicas: number): void =>
      kubernetes.put('deployments', {
        metadata: { name: 'orders', generation: 2, annotations: { 'deployment.kubernetes.io/revision': '2' } },
        spec: { replicas: 2 },
        status: {
          observedGeneration: 2,
          replicas: 2,
          updatedReplicas,
          readyReplicas,
          availableReplicas: readyReplicas,
        },
      });
    const setGate = (conditionType: string): void =>
      kubernetes.put('pods', {
        metadata: { name: 'orders-a', uid: 'uid-a' },
        spec: { readinessGates: [{ conditionType }] },
        status: { phase: 'Running', podIP: '10.0.0.7' },
      });
    const setRelease = (version: string, status: string): void => {
      const labels = { owner: 'helm', name: 'shop', version, status };
      kubernetes.put('secrets', { metadata: { name: `sh.helm.release.v1.shop.v${version}`, labels } });
    };

    function makeCluster(): void {
      setCron(false);
      setDeployment(2, 2);
      const pods = ['a', 'b'].map((zone) => ({ name: `orders-${zone}`, uid: `uid-${zone}`, zone }));
      for (const { name, uid } of pods) {
        kubernetes.put('pods', {
          metadata: { name, uid },
          spec: { readinessGates: [{ conditionType: 'target-health.elbv2.k8s.aws/orders' }] },
          status: { phase: 'Running', podIP: '10.0.0.7' },
        });
      }
      kubernetes.put('endpointslices', {
        metadata: { name: 'orders-1', labels: { 'kubernetes.io/service-name': 'orders' } },
        ports: [{ port: 8080 }],
        endpoints: pods.map(({ name, uid, zone }, i) => ({
          addresses: [`10.0.${i}.7`],
          zone,
          conditions: { ready: true, serving: true, terminating: false },
          targetRef: { kind: 'Pod', name, uid },
        })),
      });
      kubernetes.put('targetgroupbindings', {
        metadata: { name: 'orders' },
        spec: { targetGroupARN: 'arn:orders', targetType: 'ip', serviceRef: { name: 'orders', port: 80 } },
      });
      setRelease('1', 'superseded');
      setRelease('2', 'deployed');
    }

    function scenarioOf(controlPort: number, kubeconfig: string): ScenarioInput {
      const deed = (name: string): readonly string[] => [
        process.execPath,
        '-e',
        `fetch('http://127.0.0.1:${controlPort}/${name}', { method: 'POST' }).then(({ ok }) => process.exit(ok ? 0 : 1))`,
      ];
      const common = stage.scenario([stage.service('orders')], {
        ttlS,
        ttlBeforeS: 300,
        ttlLoweredAt: new Date(Date.now() - 7_200_000).toISOString(),
      });
      const { sides } = common;
      const playbook: readonly PlaybookStepInput[] = [
        'ttl-lowered',
        'ttl-aged-out',
        { step: 'connection-age-lowered', command: deed('lower-age') },
        'new-side-deployed',
        'new-side-ready',
        'new-side-answers',
        { step: 'cron-suspended-on-new', command: deed('suspend'), rollback: deed('suspend') },
        'helm-rollback-possible',
        'rollback-ready',
        { step: 'ecs-schedules-disabled', command: deed('disable'), rollback: deed('disable') },
        'jobs-exclusive',
        { step: 'dns-switched', command: deed('switch-to-new'), rollback: deed('switch-to-old') },
        'converged',
        { step: 'cron-enabled', command: deed('unsuspend'), rollback: deed('enable') },
        'deploy-safety',
        { title: 'Let time pass', command: deed('age'), rollback: deed('age') },
        'old-drained',
      ];
      return {
        ...common,
        name: 'playbook',
        sides: {
          old: { ...sides.old, aws: { region, loadBalancer: 'shop-1', ecs: { cluster: 'shop' } } },
          new: {
            ...sides.new,
            aws: { region, loadBalancer: 'k8s-shop' },
            kubernetes: { kubeconfig, namespace: 'shop', services: ['orders'] },
          },
        },
        playbook,
      };
    }

    // ── as it is started ──

    async function run(...flags: readonly string[]): Promise<Said> {
      const path = join(stage.folder, 'playbook.yaml');
      await writeFile(path, JSON.stringify(scenario));
      const words = [
        mainPath,
        'playbook',
        path,
        '--state',
        statePath,
        '--memory',
        join(stage.folder, 'memory.json'),
        ...flags,
      ];
      // In a folder of its own, where no watch is running that is not ours to mark.
      const child = spawn(process.execPath, words, { cwd: stage.folder, stdio: ['ignore', 'pipe', 'pipe'] });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
      child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
      return new Promise((resolve) => {
        child.on('close', (code) => resolve({ exitCode: code ?? -1, stdout, stderr }));
      });
    }

    async function look(...flags: readonly string[]): Promise<Printed & { readonly exitCode: number }> {
      const { exitCode, stdout } = await run('--json', ...flags);
      return { exitCode, ...(JSON.parse(stdout) as Printed) };
    }

    const namesOf = ({ steps }: Printed, state: string): readonly string[] =>
      steps.filter((step) => step.state === state).map(({ name }) => name);

    test('before anything is done, each step that somebody has to do fails', async () => {
      const found = await look();
      expect(found.exitCode).toBe(3);
      expect(namesOf(found, 'fail')).toEqual([
        'connection-age-lowered',
        'cron-suspended-on-new',
        'ecs-schedules-disabled',
        'jobs-exclusive',
        'dns-switched',
        'converged',
        'cron-enabled',
        'old-drained',
      ]);
      expect(namesOf(found, 'unknown')).toEqual([]);
      expect(found.next).toBe('connection-age-lowered');
    }, 120_000);

    test('each check fails when its own step is left out', async () => {
      // Everything is done, and then all but one.
      await Promise.all([setConnectionAge(60), setRule('DISABLED'), stage.switch(['orders'], 'new')]);
      const one = async (step: string, leaveOut: () => unknown, doIt: () => unknown): Promise<void> => {
        await leaveOut();
        expect([step, namesOf(await look('--only', step), 'fail')]).toEqual([step, [step]]);
        await doIt();
      };
      await one(
        'connection-age-lowered',
        () => setConnectionAge(3600),
        () => setConnectionAge(60),
      );
      await one(
        'ecs-schedules-disabled',
        () => setRule('ENABLED'),
        () => setRule('DISABLED'),
      );
      await one(
        'cron-enabled',
        () => setCron(true),
        () => setCron(false),
      );
      await one(
        'dns-switched',
        () => stage.switch(['orders'], 'old'),
        () => stage.switch(['orders'], 'new'),
      );
      await one(
        'jobs-exclusive',
        () => setRule('ENABLED'),
        () => setRule('DISABLED'),
      );
      await one(
        'new-side-deployed',
        () => setDeployment(1, 2),
        () => setDeployment(2, 2),
      );
      await one(
        'new-side-ready',
        () => setDeployment(2, 1),
        () => setDeployment(2, 2),
      );
      await one(
        'helm-rollback-possible',
        () => setRelease('2', 'pending-upgrade'),
        () => setRelease('2', 'deployed'),
      );
      await one(
        'deploy-safety',
        () => setGate('example.com/other'),
        () => setGate('target-health.elbv2.k8s.aws/orders'),
      );
      // A resolver that has the old answer; and before the switch, jobs of the new side that nobody took off.
      await one(
        'converged',
        async () => {
          await stage.switch(['orders'], 'old');
          const isBack = async (): Promise<boolean> => (await look('--only', 'converged')).exitCode === 3;
          await waitUntil('the resolver has the old answer', isBack, { withinMs: 60_000, everyMs: 500 });
        },
        () => undefined,
      );
      await one(
        'cron-suspended-on-new',
        () => undefined,
        () => undefined,
      );
      // Nobody was there after the switch, of which there was none.
      await one(
        'old-drained',
        () => undefined,
        () => undefined,
      );
      // Back to where a switchover begins.
      await Promise.all([setConnectionAge(3600), setRule('ENABLED'), stage.switch(['orders'], 'old')]);
      setCron(false);
      await rm(statePath, { force: true });
    }, 240_000);

    test('step by step it goes all the way, and stops where time has not passed yet', async () => {
      // Seen high before, and lowered by its command: connections from before live for an hour.
      await look('--only', 'connection-age-lowered');
      const early = await run('--step', '--patience', '1');
      expect(early.exitCode).toBe(3);
      expect(early.stderr).toContain('To go on from here: --step --from connection-age-lowered');
      await age();
      const { exitCode, stderr } = await run('--step', '--patience', '60');
      expect([exitCode, stderr.match(/^The playbook is done.*/m)?.[0]]).toEqual([0, 'The playbook is done.']);
      const found = await look();
      expect([found.state, namesOf(found, 'fail'), namesOf(found, 'unknown')]).toEqual(['pass', [], []]);
    }, 240_000);

    test('what may not be read is not known, by its verb and resource, and nothing goes on unasked', async () => {
      kubernetes.refuse.set('cronjobs', 403);
      const found = await look('--only', 'cron-enabled');
      expect([found.exitCode, namesOf(found, 'unknown')]).toEqual([4, ['cron-enabled']]);
      expect(found.steps[0]?.rows[0]?.found).toMatch(/not allowed to list and watch cronjobs/);
      const { exitCode, stderr } = await run('--step', '--from', 'cron-enabled', '--patience', '1');
      expect(exitCode).toBe(4);
      expect(stderr).toContain('type accept cron-enabled');
      kubernetes.refuse.clear();
    }, 120_000);

    test('and all the way back; what moto does not play is accepted by name', async () => {
      const before = await look('--rollback');
      expect(before.next).toBe('old-side-deployed');
      expect(namesOf(before, 'fail')).toEqual([
        'cron-suspended-on-new',
        'dns-switched',
        'converged',
        'cron-enabled',
        'new-drained',
      ]);
      // There is no ECS service in moto's cluster.
      const accepted = ['--accept-unknown', 'old-side-deployed', 'old-side-ready'];
      const { exitCode, stderr } = await run('--rollback', '--step', '--patience', '60', ...accepted);
      expect([exitCode, stderr.match(/^The playbook is done.*/m)?.[0]]).toEqual([
        0,
        'The playbook is done. Not known, and accepted: old-side-deployed, old-side-ready.',
      ]);
      const found = await look('--rollback');
      expect([namesOf(found, 'fail'), namesOf(found, 'unknown')]).toEqual([
        [],
        ['old-side-deployed', 'old-side-ready'],
      ]);
    }, 240_000);
  });
});
