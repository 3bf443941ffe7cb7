/**
 * The gate around a deployment: pods are replaced while a run watches, with AWS and Kubernetes saying what becomes of them,
 * and beside it a run that has nothing but its probes. The test makes what is so, and keeps it.
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EntryOf } from '../../src/core/entry.ts';
import { appendMark } from '../../src/evidence/append-mark.ts';
import { readEvidence, readReport, startRun, type CutwatchRun, type EvidenceRow } from './cutwatch-run.ts';
import { startDeploymentStage, type DeploymentStage, type LeftBehind } from './deployment-stage.ts';
import { deciding, finish, ms, serviceOf, type FinishedRun } from './finished-run.ts';
import { describeReal } from './servers/describe-real.ts';
import { startNginx } from './servers/nginx.ts';
import { startFullListener } from './servers/packets.ts';
import { freePorts } from './servers/ports.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';
import { waitUntil } from './servers/wait-until.ts';
import { cutwatch, type Said } from './stage.ts';

/** Credentials of nobody; a program takes its environment as it is when it starts. */
function askAt(url: string): void {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'hunter2',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_ENDPOINT_URL: url,
  });
}

/** A wrapped command as `helm upgrade --wait`: it returns when the rollout is over. */
interface Upgrade {
  readonly args: readonly string[];
  begun(): Promise<void>;
  done(): Promise<void>;
}

async function makeUpgrade(folder: string): Promise<Upgrade> {
  const path = join(folder, 'upgrade.sh');
  await writeFile(path, `cd ${folder}; touch begun; until [ -e done ]; do sleep 0.2; done`);
  return {
    args: ['--', 'sh', path],
    begun: async () =>
      void (await waitUntil('the command begins', () => existsSync(join(folder, 'begun')), { withinMs: 40_000 })),
    done: () => writeFile(join(folder, 'done'), ''),
  };
}

type TargetsSeen = EntryOf<'platform-seen'>;

function targetPolls(path: string): readonly TargetsSeen[] {
  return readEvidence(path).entries.filter(
    (entry): entry is TargetsSeen => entry.type === 'platform-seen' && entry.fact.kind === 'targets',
  );
}

/** Reading all that leads to a target group takes as many calls as there are things, and one call a second is all we make. */
async function targetsKnown(run: CutwatchRun): Promise<void> {
  await waitUntil('the targets were read', () => targetPolls(run.path).length > 0, { withinMs: 40_000, everyMs: 200 });
}

interface Rolled {
  readonly watched: FinishedRun;
  readonly alone: FinishedRun;
  readonly left: LeftBehind | null;
  /** The first of them judged again, with the balancer's access log. */
  readonly logged: Said & { readonly report: FinishedRun['report'] };
  /** The longest time between two looks at the targets, as far as one can tell: what is as before is told less often. */
  readonly pollMs: number;
}

/** One roll, watched by a run around a command with all access, and by one that nobody tells anything. */
async function watchRoll(stage: DeploymentStage, leavesBehindForMs?: number): Promise<Rolled> {
  await using folder = await makeTemporaryFolder();
  const upgrade = await makeUpgrade(folder.path);
  await using watching = await startRun(stage.scenario('watched', 'platforms', { baselineS: 13 }), upgrade);
  await using beside = await startRun(stage.scenario('alone', 'nothing', { baselineS: 7 }));
  await beside.probing();
  await upgrade.begun();
  const left = await stage.roll(leavesBehindForMs);
  await upgrade.done();
  const [watched, alone] = await Promise.all([finish(watching), finish(beside)]);
  const logPath = join(folder.path, 'elb.log.gz');
  await writeFile(logPath, gzipSync(stage.accessLog()));
  const judged = await cutwatch('judge', watched.path, '--alb-log', logPath);
  const logged = { ...judged, report: readReport(watched.path) };
  const sentMs = targetPolls(watched.path).map(({ sentAtNs, sameCount }) => ({ atMs: sentAtNs / 1e6, sameCount }));
  const apartMs = sentMs.slice(1).map(({ atMs, sameCount }, i) => (atMs - (sentMs[i]?.atMs ?? atMs)) / (sameCount + 1));
  return { watched, alone, left, logged, pollMs: Math.max(...apartMs) };
}

function statesOfReplicas({ report }: FinishedRun): readonly string[] {
  const { byReplica = [] } = report.services[0]?.replicas ?? {};
  return byReplica.map(({ name, answered }) => {
    const revision = name.split('-')[1] ?? '';
    return `${revision}: ${answered.baseline > 0 ? 'before' : 'not before'}, ${answered.tail > 0 ? 'after' : 'not after'}`;
  });
}

describeReal('pods are replaced behind a balancer', ['haproxy'], () => {
  const stack = new AsyncDisposableStack();
  let stage: DeploymentStage;
  beforeAll(async () => {
    stage = stack.use(await startDeploymentStage());
    askAt(stage.aws.url);
  });
  afterAll(() => stack.disposeAsync());

  describe('one of them is left in the target group', () => {
    let rolled: Rolled;
    let left: LeftBehind;
    beforeAll(async () => {
      rolled = await watchRoll(stage, 19_300);
      if (rolled.left === null) throw new Error('none was left behind');
      left = rolled.left;
    }, 150_000);

    test('with access it is named, with the pod that was there, strongly, and that fails the gate', () => {
      const { watched } = rolled;
      const stale = watched.report.staleTargets.filter(({ proof }) => proof !== null);
      expect(stale).toMatchObject([
        { target: left.target, owner: left.pod, fault: 'stale-gone', proof: 'P2', services: ['orders'], side: 'new' },
      ]);
      expect(stale[0]?.signatures.S2).toBeGreaterThan(10);
      expect(watched.exitCode).toBe(3);
      expect(deciding(watched)).toContain('staleTargetCountMax');
      expect(watched.output).toContain('1 target of orders still got requests after its pod or task had gone');
    });

    test('its window is that of the truth, to within a poll', () => {
      const { watched, pollMs } = rolled;
      expect(pollMs).toBeLessThan(8000);
      const [stale] = watched.report.staleTargets;
      const truthMs = left.unroutableAtMs - left.goneAtMs;
      expect(stale?.windowMs.min).toBeLessThanOrEqual(truthMs);
      expect(stale?.windowMs.max).toBeGreaterThanOrEqual(truthMs - 1000);
      expect(Math.abs(ms(stale?.fromAt) - left.goneAtMs)).toBeLessThan(pollMs + 1000);
      expect(Math.abs(ms(stale?.toAt) - left.unroutableAtMs)).toBeLessThan(pollMs + 1000);
    });

    test('with the access log it is proved, by the target of each probe that failed', () => {
      const { logged, watched } = rolled;
      const failed = watched.report.lanes.reduce((sum, { slots }) => sum + slots.failed, 0);
      const stale = logged.report.staleTargets.filter(({ proof }) => proof !== null);
      expect(stale).toMatchObject([{ target: left.target, proof: 'P3' }]);
      expect(failed).toBeGreaterThan(10);
      // All probes passed through that balancer, and it writes down each.
      const [, joined = '', sent = ''] = /([\d,]+) of ([\d,]+) probes that reached a server/.exec(logged.stderr) ?? [];
      expect(joined).not.toBe('');
      expect(joined).toBe(sent);
      expect(logged.exitCode).toBe(3);
    });

    test('the rollout is the evidence, from its own words, and is over after the last pod of before', () => {
      const { watched } = rolled;
      expect(watched.report.rollouts).toMatchObject([
        { name: 'orders', state: 'complete', desiredCount: 3, replacedCount: 3, side: 'new' },
      ]);
      const [rollout] = watched.report.rollouts ?? [];
      const { changes, phases } = serviceOf(watched, 'orders');
      expect(changes).toMatchObject([{ usedBy: 'command', isEvident: true }]);
      const tail = phases.find(({ name }) => name === 'tail');
      expect(ms(tail?.fromAt)).toBeGreaterThanOrEqual(ms(rollout?.completeAt));
      expect(watched.markdown).toContain('## Rollouts');
    });

    test('without access it is a suspicion, which fails no gate by itself, and says what would prove it', () => {
      const { alone } = rolled;
      expect(alone.report.staleTargets.length).toBeGreaterThan(0);
      for (const stale of alone.report.staleTargets) expect(stale).toMatchObject({ proof: 'P1', target: null });
      expect(deciding(alone)).not.toContain('staleTargetCountMax');
      expect(alone.output).toContain('To prove or rule out a stale target');
    });

    test('nobody told that run of the roll: replicas that answer, and did not before, did, and it watched until the end', () => {
      const { alone } = rolled;
      expect(alone.report.rollouts).toBeUndefined();
      expect(serviceOf(alone, 'orders').changes).toMatchObject([{ usedBy: 'replicas', isEvident: true }]);
      expect(alone.report.run.endedBecause).toBe('tail-watched');
      expect(ms(alone.report.run.endedAt)).toBeGreaterThan(left.unroutableAtMs);
      const states = statesOfReplicas(alone);
      expect(states).toHaveLength(6);
      expect(new Set(states)).toEqual(new Set(['1: before, not after', '2: not before, after']));
    });
  });

  describe('each is deregistered before it ends', () => {
    let rolled: Rolled;
    beforeAll(async () => {
      rolled = await watchRoll(stage);
    }, 150_000);

    test('nobody is accused, with access or without, and both pass', () => {
      for (const run of [rolled.watched, rolled.alone]) {
        expect(run.report.staleTargets).toEqual([]);
        expect(run.report.lanes.map(({ slots }) => slots.failed)).toEqual(run.report.lanes.map(() => 0));
        expect(deciding(run).length, run.output).toBeGreaterThan(0);
        expect(run.report.verdict.value, run.output).toBe('pass');
        expect(run.exitCode).toBe(0);
      }
    });

    test('who answered before, meanwhile and afterwards is told by name', () => {
      expect(new Set(statesOfReplicas(rolled.watched))).toEqual(
        new Set(['2: before, not after', '3: not before, after']),
      );
      expect(rolled.watched.markdown).toContain('Who answered, by x-served-by-pod');
    });
  });
});

// ── who tells us is in trouble ───────────────────────────────────────────────────────────────────────────────────────

function latenessUsP99(rows: readonly EvidenceRow[]): number {
  const late = rows.map(({ lateUs }) => lateUs).toSorted((a, b) => a - b);
  return late[Math.floor(late.length * 0.99)] ?? 0;
}

describeReal('AWS and Kubernetes are in trouble while pods are replaced as they should', ['haproxy'], () => {
  const stack = new AsyncDisposableStack();
  let run: FinishedRun;
  let troubleAtMs = 0;
  let exitedAtMs = 0;
  beforeAll(async () => {
    const { aws, kubernetes, ...stage } = stack.use(await startDeploymentStage());
    askAt(aws.url);
    const fail = (fault: 'throttled' | 'denied' | 'hung' | null): void => {
      for (const action of ['DescribeTargetHealth', 'DescribeLoadBalancers', 'GetMetricData']) {
        if (fault === null) delete aws.world.faults[action];
        else aws.world.faults[action] = fault;
      }
    };
    const running = stack.use(await startRun(stage.scenario('trouble', 'platforms', { baselineS: 9, tailS: 17 })));
    await running.probing();
    await targetsKnown(running);
    await sleepMs(3000);
    troubleAtMs = Date.now();
    appendMark(running.path, 'change', troubleAtMs);
    const rolled = stage.roll();
    await kubernetes.down();
    fail('throttled');
    await sleepMs(5000);
    await kubernetes.listen();
    kubernetes.slowMs = 1200;
    fail('denied');
    await rolled;
    await sleepMs(2000);
    fail(null);
    kubernetes.slowMs = 0;
    await sleepMs(3000);
    // Until the end, and beyond it: nobody answers any more.
    kubernetes.isMute = true;
    kubernetes.cutConnections();
    fail('hung');
    run = await finish(running);
    exitedAtMs = Date.now();
  }, 150_000);
  afterAll(() => stack.disposeAsync());

  test('probes are sent as before', () => {
    const { rows } = readEvidence(run.path);
    const before = rows.filter(({ dueMs }) => dueMs < troubleAtMs);
    const during = rows.filter(({ dueMs }) => dueMs >= troubleAtMs);
    expect(during.length).toBeGreaterThan(150);
    // Within one run, on a machine that is others' too.
    expect(latenessUsP99(during)).toBeLessThan(4 * latenessUsP99(before) + 50_000);
    expect(run.report.prober.droppedCount).toBe(0);
    expect(run.report.lanes.map(({ slots }) => slots.failed)).toEqual(run.report.lanes.map(() => 0));
  });

  test('what could not be seen is a blind interval of whoever could not, with the reason', () => {
    const gapsOf = (name: string): readonly string[] =>
      (run.report.observers.find((one) => one.name === name)?.gaps ?? []).map(({ why }) => why);
    expect(gapsOf('kubernetes:new/pods').join()).toContain('cannot be reached');
    expect(gapsOf('elbv2-targets:new').join()).toMatch(/throttle|denied|not allowed/);
    const [first] = run.report.observers.find(({ name }) => name === 'elbv2-targets:new')?.gaps ?? [];
    expect(ms(first?.fromAt)).toBeLessThan(troubleAtMs + 1000);
  });

  test('nobody is accused, and without having seen it is not a pass either', () => {
    expect(run.report.staleTargets).toEqual([]);
    expect(run.report.verdict.value).toBe('inconclusive');
    expect(deciding(run)).toEqual(['staleTargetCountMax']);
    expect(run.report.rollouts).toMatchObject([{ name: 'orders', state: 'complete' }]);
  });

  test('the run ends in time though nobody answers it', () => {
    expect(run.report.run.endedBecause).toBe('tail-watched');
    expect(exitedAtMs - ms(run.report.run.endedAt)).toBeLessThan(12_000);
  });
});

// ── nginx as the ingress ─────────────────────────────────────────────────────────────────────────────────────────────

describeReal('an nginx as the ingress whose upstreams have gone', ['nginx'], () => {
  const stack = new AsyncDisposableStack();
  let run: FinishedRun;
  const beganAtMs: Record<'refused' | 'none' | 'silent', number> = { refused: 0, none: 0, silent: 0 };
  beforeAll(async () => {
    const [port = 0, podPort = 0] = await freePorts(2);
    stack.use(await startNginx({ addresses: ['127.0.6.200'], httpPort: podPort, side: 'new' }));
    stack.use(await startFullListener('127.0.6.201', podPort));
    const upstream = (name: string, ...addresses: readonly string[]): string =>
      `upstream ${name} { ${addresses.map((one) => `server ${one}:${podPort} max_fails=0;`).join(' ')} }`;
    const proxy = (name: string): string =>
      `proxy_pass http://${name}; proxy_connect_timeout 5s; proxy_next_upstream error timeout; proxy_next_upstream_tries 3;`;
    const more = [
      upstream('live', '127.0.6.200'),
      upstream('refused', '127.0.6.202', '127.0.6.203', '127.0.6.204'),
      upstream('silent', '127.0.6.200', '127.0.6.201'),
    ].join(' ');
    const addresses = ['127.0.6.210'];
    const ingress = stack.use(
      await startNginx({ addresses, httpPort: port, side: 'new', answer: proxy('live'), more }),
    );
    const running = stack.use(
      await startRun({
        name: 'ingress',
        defaults: { ratePerSecond: 3 },
        services: [{ name: 'orders', url: `http://127.0.6.210:${port}/ready` }],
        sides: { new: { title: 'nginx/EKS', addresses } },
        authorities: 'none',
        clients: ['fresh'],
        change: { via: 'deploy', baselineS: 6, tailS: 6, convergenceTimeoutS: 60 },
      }),
    );
    await running.probing();
    await sleepMs(7000);
    appendMark(running.path, 'change', Date.now());
    for (const [name, answer, forMs] of [
      ['refused', proxy('refused'), 4300],
      ['none', 'return 503;', 4300],
      ['silent', proxy('silent'), 9700],
    ] as const) {
      await ingress.reload({ answer });
      beganAtMs[name] = Date.now();
      await sleepMs(forMs);
    }
    await ingress.reload({ answer: proxy('live') });
    run = await finish(running);
  }, 120_000);
  afterAll(() => stack.disposeAsync());

  const between = (fromMs: number, toMs: number): readonly EvidenceRow[] =>
    readEvidence(run.path).rows.filter(({ dueMs }) => dueMs > fromMs + 700 && dueMs < toMs - 700);

  test('where every endpoint refuses, its own 502 comes at once, and is S9', () => {
    const rows = between(beganAtMs.refused, beganAtMs.none);
    expect(rows.length).toBeGreaterThan(5);
    expect(new Set(rows.map(({ status }) => status))).toEqual(new Set([502]));
    const s9 = run.report.staleTargets.reduce((sum, { signatures }) => sum + (signatures.S9 ?? 0), 0);
    expect(s9).toBeGreaterThanOrEqual(rows.length);
  });

  test('where it has none, its own 503 is no target, and nobody is suspected of having stayed', () => {
    const rows = between(beganAtMs.none, beganAtMs.silent);
    expect(new Set(rows.map(({ status }) => status))).toEqual(new Set([503]));
    expect(run.output).toContain('the load balancer had no target to send them to');
    for (const { signatures } of run.report.staleTargets) expect(signatures.S10).toBeUndefined();
  });

  test('where one is silent, half of the answers are good and five seconds late, which is S9 as well', () => {
    const rows = between(beganAtMs.silent, beganAtMs.silent + 9700);
    const hidden = rows.filter(({ status, responseMs }) => status === 200 && responseMs > 5000 && responseMs < 6000);
    expect(hidden.length).toBeGreaterThan(5);
    const s9 = run.report.staleTargets.reduce((sum, { signatures }) => sum + (signatures.S9 ?? 0), 0);
    const refused = between(beganAtMs.refused, beganAtMs.none);
    expect(s9).toBeGreaterThanOrEqual(refused.length + hidden.length);
  });

  test('all of it is suggested and none proved', () => {
    for (const { proof } of run.report.staleTargets) expect(proof).toBe('P1');
    expect(run.exitCode).toBe(3);
  });
});
