import { describe, expect, test } from 'vitest';
import type { Analysis } from '../../src/core/analysis.ts';
import type { Entry } from '../../src/core/entry.ts';
import type { PlatformFact, RolloutSeen, WorkloadSeen } from '../../src/core/platform.ts';
import type { Definition } from '../../src/core/row.ts';
import type { ChangeSpec } from '../../src/core/scenario.ts';
import { nsToS, sToNs } from '../../src/core/time.ts';
import { judge } from '../../src/verdict/judge.ts';
import { analysisOf, mark, type LaneLog, type Log } from './kit.ts';

const observer = 'kubernetes:new/deployments';

function seen(atS: number, fact: PlatformFact, from = observer): Entry {
  const atNs = sToNs(atS);
  const poll = { sentAtNs: atNs, previousSentAtNs: null, sameCount: 0, theirAtMs: null };
  return { type: 'platform-seen', atNs, observer: from, side: 'new', fact, ...poll };
}

function rollout(atS: number, revision: string, state: RolloutSeen['state'], more: Partial<RolloutSeen> = {}): Entry {
  const counts = { desiredCount: 2, updatedCount: 2, readyCount: 2 };
  return seen(atS, { kind: 'rollout', rollout: { name: 'orders', revision, ...counts, state, reason: '', ...more } });
}

function pod(atS: number, name: string, revision: string | null, state: WorkloadSeen['state'] = 'running'): Entry {
  const workload: WorkloadSeen = {
    kind: 'pod',
    name,
    uid: name,
    address: '10.0.0.7',
    state,
    isReady: state === 'running',
    endsSinceMs: null,
    hasTargetHealthGate: false,
    owner: 'orders',
    revision,
  };
  return seen(atS, { kind: 'workload', workload }, 'kubernetes:new/pods');
}

function gone(atS: number, name: string): Entry {
  return seen(atS, { kind: 'gone', was: 'workload', name }, 'kubernetes:new/pods');
}

function started(name: string): Entry {
  return { type: 'observer-started', atNs: 0, observer: name, side: 'new', what: 'namespace shop' };
}

/** 67 s at 1/s on the new side. */
const steady: LaneLog = { slots: '.'.repeat(67), at: 'n' };

function watched(entries: readonly Entry[], change: Partial<ChangeSpec> = {}, log: Partial<Log> = {}): Analysis {
  return analysisOf({
    lanes: [steady],
    mode: 'deploy',
    scenario: (scenario) => ({ ...scenario, change: { ...scenario.change, via: 'deploy', baselineS: 11, ...change } }),
    ...log,
    entries: [started(observer), started('kubernetes:new/pods'), ...entries],
  });
}

function told({ services: [service], rollouts = [] }: Analysis): object {
  const s = (ns: number | null): number | null => (ns === null ? null : nsToS(ns));
  const [change] = service?.changes ?? [];
  return {
    by: change?.usedBy ?? null,
    used: s(change?.usedAtNs ?? null),
    evident: change?.isEvident ?? false,
    tail: s(service?.phases.find(({ name }) => name === 'tail')?.fromAtNs ?? null),
    rollouts: rollouts.map(({ fromRevision, toRevision, beganAtNs, completeAtNs, replacedCount }) => [
      `${fromRevision} → ${toRevision}`,
      s(beganAtNs),
      s(completeAtNs),
      replacedCount,
    ]),
  };
}

const rolled = [
  rollout(0.3, '7', 'complete'),
  pod(0.3, 'a', 'old-hash'),
  pod(0.3, 'b', 'old-hash'),
  rollout(20.1, '8', 'progressing'),
  pod(20.4, 'c', 'new-hash', 'pending'),
  rollout(29.7, '8', 'complete'),
];

describe('what platforms say', () => {
  test('a rollout that nobody announced is the change: its tail begins when the last pod of before has gone', () => {
    const analysis = watched([...rolled, gone(31.3, 'a'), gone(35.9, 'b')]);
    expect(told(analysis)).toEqual({
      by: 'rollout',
      used: 20.1,
      evident: true,
      tail: 35.9,
      rollouts: [['7 → 8', 20.1, 35.9, 2]],
    });
  });

  test('while a pod of before is there it is not over, and has no tail', () => {
    const { rollouts, ...rest } = told(watched([...rolled, gone(31.3, 'a')])) as { rollouts: object };
    expect(rest).toMatchObject({ tail: null });
    expect(rollouts).toEqual([['7 → 8', 20.1, null, 2]]);
  });

  test('pods that can no longer be seen hold nothing up: the word of the platform stands', () => {
    const name = 'kubernetes:new/pods';
    const blind: Entry = {
      type: 'observer-blinded',
      atNs: sToNs(33.3),
      observer: name,
      sinceNs: sToNs(31.9),
      why: 'x',
    };
    expect(told(watched([...rolled, gone(31.3, 'a'), blind]))).toMatchObject({ tail: 31.9 });
  });

  test('whether it is safe to switch is not asked where no name is switched', () => {
    const [service] = watched([...rolled, gone(31.3, 'a'), gone(35.9, 'b')]).services;
    expect(service?.safeToSwitch).toMatchObject({ safe: 'unknown', because: ['A deployment switches no name.'] });
  });

  test('more replicas of the same revision are no deployment', () => {
    const scaled = [rollout(0.3, '7', 'complete'), rollout(20.1, '7', 'progressing'), rollout(23.1, '7', 'complete')];
    expect(told(watched(scaled))).toMatchObject({ by: null, rollouts: [] });
  });

  test('what was announced and did not happen is no evidence, unless nobody could see', () => {
    const quiet = [rollout(0.3, '7', 'complete'), mark(20)];
    expect(told(watched(quiet))).toMatchObject({ by: 'mark', used: 20, evident: false, tail: null });
    const blind: Entry = { type: 'observer-blinded', atNs: sToNs(25), observer, sinceNs: sToNs(22), why: 'denied' };
    expect(told(watched([...quiet, blind]))).toMatchObject({ by: 'mark', used: 20, evident: true, tail: 20 });
    expect(told(watched([mark(20)]))).toMatchObject({ by: 'mark', evident: true, tail: 20 });
  });

  test('whose platform could not be seen from the announcement on is inconclusive, not the word of whoever announced it', () => {
    const evidence = (...entries: readonly Entry[]): unknown =>
      judge(watched([rollout(0.3, '7', 'complete'), ...entries])).reasons.find(
        ({ objective }) => objective === 'evidence-of-change',
      );
    const blind: Entry = { type: 'observer-blinded', atNs: sToNs(25), observer, sinceNs: sToNs(22), why: 'denied' };
    const why = `${observer} could not see: denied`;
    expect(evidence(mark(20), blind)).toMatchObject({ value: 'inconclusive', text: expect.stringContaining(why) });
    const recovered: Entry = { type: 'observer-recovered', atNs: sToNs(27), observer };
    expect(evidence(blind, recovered, mark(31))).toMatchObject({
      value: 'inconclusive',
      text: expect.stringContaining('no Deployment and no ECS service got another revision'),
    });
    // Nobody was asked.
    const unasked = judge(watched([mark(20)]));
    expect(unasked.reasons.find(({ objective }) => objective === 'evidence-of-change')).toMatchObject({
      value: 'pass',
    });
  });

  test('whoever deploys by hand says so in their own words', () => {
    expect(told(watched([mark(20, 'deploy v42')]))).toMatchObject({ by: 'mark', used: 20 });
    expect(told(watched([mark(20, 'deploy v42')], { via: 'dns' }))).toMatchObject({ by: null });
  });

  test('ECS is asked again and again: a rollout began between two polls, and is over when the last task has stopped', () => {
    const ecs = 'ecs:new';
    const poll = (atS: number, fact: PlatformFact): Entry => ({
      ...(seen(atS, fact, ecs) as Extract<Entry, { type: 'platform-seen' }>),
      sentAtNs: sToNs(atS - 0.2),
      previousSentAtNs: sToNs(atS - 10.4),
    });
    const service = (atS: number, revision: string, state: RolloutSeen['state']): Entry => {
      const counts = { desiredCount: 1, updatedCount: 1, readyCount: 1 };
      return poll(atS, { kind: 'rollout', rollout: { name: 'orders', revision, ...counts, state, reason: '' } });
    };
    const task = (atS: number, name: string, revision: string, state: WorkloadSeen['state']): Entry => {
      const { fact } = pod(atS, name, revision, state) as Extract<Entry, { type: 'platform-seen' }>;
      return poll(atS, fact);
    };
    const analysis = watched([
      started(ecs),
      service(0.3, 'ecs-svc/1', 'complete'),
      task(0.3, 'a', 'orders:7', 'running'),
      service(20.9, 'ecs-svc/2', 'progressing'),
      task(20.9, 'b', 'orders:8', 'pending'),
      task(31.2, 'a', 'orders:7', 'terminating'),
      service(31.2, 'ecs-svc/2', 'complete'),
      task(41.5, 'a', 'orders:7', 'gone'),
    ]);
    expect(told(analysis)).toEqual({
      by: 'rollout',
      used: 10.5,
      evident: true,
      tail: 41.5,
      rollouts: [['ecs-svc/1 → ecs-svc/2', 20.9, 41.5, 1]],
    });
  });

  test('an announced one counts from the announcement, and is over when the rollout is', () => {
    const entries = [...rolled, gone(31.3, 'a'), gone(35.9, 'b'), mark(19.7)];
    expect(told(watched(entries))).toMatchObject({ by: 'mark', used: 19.7, evident: true, tail: 35.9 });
  });

  test('a rollout of the other side than the one that is deployed to is none of ours', () => {
    expect(told(watched([...rolled, gone(31.3, 'a'), gone(35.9, 'b')], { side: 'old' }))).toMatchObject({ by: null });
  });

  test('one that its platform gave up is a finding, and never complete', () => {
    const failed = rollout(40.1, '8', 'failed', { reason: 'ReplicaSet "orders-2" has timed out progressing.' });
    const analysis = watched([...rolled.slice(0, 5), failed]);
    expect(told(analysis)).toMatchObject({ by: 'rollout', tail: null });
    expect(analysis.findings.map(({ kind }) => kind)).toContain('rollout-failed');
  });
});

describe('what answers say, by a header that names the replica', () => {
  const face = (number: number, name: string): Definition => ({
    kind: 'face',
    number,
    value: { certificateSha256: '', alpn: '', tlsVersion: '', headers: [['x-pod', name]], unexpectedBody: '' },
  });
  const definitions = [face(3, 'a'), face(4, 'b'), face(5, 'c')];
  /** a and b in turn until 23 s, then b and c, from 31 s on only c. */
  const podAt = (slot: number): number => (slot < 23 ? 3 + (slot % 2) : slot < 31 ? 4 + (slot % 2) : 5);
  const replaced: LaneLog = { ...steady, rows: (slot) => ({ face: podAt(slot) }) };
  const log = { definitions, lanes: [replaced] };

  test('unannounced, it begins when a replica of before answered last, and is over after the last answer of one', () => {
    const analysis = watched([], { replicaHeader: 'x-pod' }, log);
    // a answered last at 22 s, c first at 23 s, b last at 30 s.
    expect(told(analysis)).toMatchObject({ by: 'replicas', used: 22, evident: true });
    expect((told(analysis) as { tail: number }).tail).toBeCloseTo(30, 6);
    expect(analysis.services[0]?.replicas?.replicas.map(({ name, answered }) => [name, answered])).toEqual([
      ['a', { baseline: 11, switching: 1, tail: 0 }],
      ['b', { baseline: 11, switching: 4, tail: 0 }],
      ['c', { baseline: 0, switching: 4, tail: 36 }],
    ]);
  });

  test('announced, but the same replicas go on answering: nothing was deployed', () => {
    const same: LaneLog = { ...steady, rows: (slot) => ({ face: 3 + (slot % 2) }) };
    const analysis = watched([mark(20)], { replicaHeader: 'x-pod' }, { definitions, lanes: [same] });
    expect(told(analysis)).toMatchObject({ by: 'mark', evident: false, tail: null });
  });

  test('failures are told by replica, and answers without the header apart from them', () => {
    const slots = `${'.'.repeat(40)}5.5.${'.'.repeat(20)}5..`;
    const failing: LaneLog = { ...replaced, slots, rows: (slot) => ({ face: slot === 64 ? 2 : podAt(slot) }) };
    const analysis = watched([], { replicaHeader: 'x-pod' }, { definitions, lanes: [failing] });
    expect(analysis.services[0]?.replicas).toMatchObject({ namelessCount: 1, namelessFailedCount: 1 });
    const [finding] = analysis.findings.filter(({ kind }) => kind === 'replicas-failed');
    expect(finding?.text).toContain('came from c (by x-pod), and from none of 2 other replicas');
  });

  test('a header that nobody sends is said, and the announcement stands alone', () => {
    const analysis = watched([mark(20)], { replicaHeader: 'x-pod' });
    expect(told(analysis)).toMatchObject({ by: 'mark', evident: true, tail: 20 });
    expect(analysis.findings.map(({ kind }) => kind)).toContain('replica-header-missing');
  });

  test('a header that is another in every answer names no replicas: their number has a limit, and the rest are counted', () => {
    const many = Array.from({ length: 230 }, (_, i) => face(10 + i, `request-${i}`));
    const lane: LaneLog = { slots: '.'.repeat(230), at: 'n', rows: (slot) => ({ face: 10 + slot }) };
    const replicas = watched([], { replicaHeader: 'x-pod' }, { definitions: many, lanes: [lane] }).services[0]
      ?.replicas;
    expect([replicas?.replicas.length, replicas?.otherCount]).toEqual([200, 30]);
  });
});
