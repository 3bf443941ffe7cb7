/**
 * The command line beside Route 53: as moto plays it, and as it is on a bad day, when it refuses, throttles, is slow or gone
 * in the middle of a cutover. Then what it would have told is unknown for that time, and nothing else changes.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { Route53, type ResourceRecordSet } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appendMark } from '../../src/evidence/append-mark.ts';
import { readRun } from '../../src/evidence/read-run.ts';
import type { Entry, EntryOf } from '../../src/core/entry.ts';
import {
  record,
  secretInAnswers,
  startFakeRoute53,
  zone,
  type FakeRoute53,
  type Mood,
} from '../platforms/fake-route53.ts';
import { startRun, type CutwatchRun } from './cutwatch-run.ts';
import { finish, serviceOf, type FinishedRun } from './finished-run.ts';
import { describeReal } from './servers/describe-real.ts';
import { describeMoto, startMoto } from './servers/moto.ts';
import { waitUntil } from './servers/wait-until.ts';
import { cutwatch, startStage, type Stage } from './stage.ts';

const needed = ['nginx', 'named', 'nsupdate', 'unbound', 'openssl'] as const;
const ttlS = 3;

/** Credentials of nobody; whatever is asked of any other service of AWS meets a closed port. */
Object.assign(process.env, {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'hunter2',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
});

/** A program takes its environment as it is when it starts. */
function askAt(url: string): void {
  process.env['AWS_ENDPOINT_URL_ROUTE_53'] = url;
}

function entriesOf<T extends Entry['type']>(path: string, type: T): readonly EntryOf<T>[] {
  return readRun(path).entries.filter((entry): entry is EntryOf<T> => entry.type === type);
}

const weighted = (setIdentifier: string, weight: number, address: string): ResourceRecordSet => ({
  Name: 'orders.shop.test',
  Type: 'A',
  SetIdentifier: setIdentifier,
  Weight: weight,
  TTL: ttlS,
  ResourceRecords: [{ Value: address }],
});

describeReal('beside a cutover', needed, () => {
  describeMoto('Route 53 as moto plays it', () => {
    const stack = new AsyncDisposableStack();
    let stage: Stage;
    let run: FinishedRun;

    beforeAll(async () => {
      const moto = stack.use(await startMoto());
      askAt(moto.url);
      stage = stack.use(await startStage({ orders: 'old' }, ttlS));
      const route53 = new Route53({ region: 'us-east-1', endpoint: moto.url });
      stack.defer(() => route53.destroy());
      const { HostedZone: made } = await route53.createHostedZone({ Name: 'shop.test', CallerReference: 'test' });
      const change = async (weights: readonly [number, number]): Promise<string> => {
        const sets = [weighted('ecs', weights[0], '127.0.1.1'), weighted('eks', weights[1], '127.0.2.1')];
        const { ChangeInfo: info } = await route53.changeResourceRecordSets({
          HostedZoneId: made?.Id,
          ChangeBatch: { Changes: sets.map((ResourceRecordSet) => ({ Action: 'UPSERT', ResourceRecordSet })) },
        });
        return info?.Id ?? '';
      };
      await change([1, 0]);
      const scenario = stage.scenario([stage.service('orders')], { baselineS: 6, tailS: 6 });
      const running = stack.use(await startRun({ ...scenario, clients: ['fresh'], route53: true }));
      await running.probing();
      await waitUntil('the policy is in the journal', () => entriesOf(running.path, 'record-policy-seen').length > 0, {
        withinMs: 20_000,
      });
      await sleepMs(6000);
      const id = await change([0, 1]);
      await stage.switch(['orders'], 'new');
      appendMark(running.path, `switch ${id}`, Date.now());
      run = await finish(running);
    }, 120_000);
    afterAll(() => stack.disposeAsync());

    test('the weights before and after the change, and that all name servers have it, stand in the report', () => {
      const weights = entriesOf(run.path, 'record-policy-seen').map(({ policies: [policy] }) =>
        policy?.records.map(({ weight }) => weight),
      );
      expect(weights).toEqual([
        [1, 0],
        [0, 1],
      ]);
      const found = new Map(run.report.findings.map(({ kind, text }) => [kind, text]));
      expect(found.get('route53-weights')).toContain('0:1 (ecs:eks)');
      expect(found.get('route53-change')).toMatch(/INSYNC.*The last name server asked from here was heard to have/);
      expect(run.report.observers.map(({ name, hasSeen, gaps }) => [name, hasSeen, gaps])).toEqual([
        ['route53', true, []],
        ['route53:change', true, []],
      ]);
      expect(serviceOf(run, 'orders').outcome).toBe('completed');
    });

    test('a preflight knows the policy, and that without credentials it does not', async () => {
      const scenario = { ...stage.scenario([stage.service('orders')], { ttlBeforeS: ttlS, ttlS }), route53: true };
      const path = join(stage.folder, 'preflight.yaml');
      await writeFile(path, JSON.stringify(scenario));
      const rowsOf = async () => {
        const { stdout } = await cutwatch('preflight', path, '--json', '--memory', `${stage.folder}/memory.json`);
        const { checks } = JSON.parse(stdout) as { checks: { check: string; result: string; observed: string }[] };
        return checks.filter(({ check }) => check === 'route53').map(({ result, observed }) => [result, observed]);
      };
      expect(await rowsOf()).toEqual([['pass', `weighted 0:1 (ecs:eks), TTL ${ttlS} s`]]);
      const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = process.env;
      delete process.env['AWS_ACCESS_KEY_ID'];
      delete process.env['AWS_SECRET_ACCESS_KEY'];
      try {
        expect(await rowsOf()).toEqual([
          [
            'unknown',
            'there are no AWS credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or name a profile in the scenario',
          ],
        ]);
      } finally {
        Object.assign(process.env, { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret });
      }
    });
  });

  describe('on a bad day', () => {
    const stack = new AsyncDisposableStack();
    const moods: readonly Mood[] = ['well', 'throttled', 'denied', 'slow', 'broken', 'gone'];
    const runs = new Map<string, FinishedRun>();

    beforeAll(async () => {
      const names = ['alone', ...moods];
      const stage = stack.use(await startStage(Object.fromEntries(names.map((name) => [name, 'old' as const])), ttlS));
      const started = new Map<string, { readonly run: CutwatchRun; readonly fake: FakeRoute53 | null }>();
      for (const name of names) {
        const scenario = {
          ...stage.scenario([stage.service(name)], { baselineS: 32, tailS: 11 }),
          name,
          clients: ['fresh', 'keep-alive'],
        };
        const fake = name === 'alone' ? null : stack.use(await badRoute53(name));
        if (fake !== null) askAt(fake.url);
        const asking = fake === null ? {} : { route53: { changeId: 'C1' } };
        const script = await stage.script(`${name}.sh`, stage.switchLines([name], 'new'));
        const run = stack.use(await startRun({ ...scenario, ...asking }, { args: ['--', script] }));
        started.set(name, { run, fake });
        await run.probing();
      }
      await sleepMs(8000);
      for (const [name, { fake }] of started) if (fake !== null) fake.mood = name as Mood;
      // A call is given up after 12 s.
      await sleepMs(17_000);
      for (const { fake } of started.values()) if (fake !== null) fake.mood = 'well';
      for (const [name, { run }] of started) runs.set(name, await finish(run));
    }, 240_000);
    afterAll(() => stack.disposeAsync());

    test.for(moods.filter((mood) => mood !== 'well'))('%s: blind from the last look to the next that sees', (mood) => {
      const run = runs.get(mood) as FinishedRun;
      const change = run.report.observers.find(({ name }) => name === 'route53:change');
      expect(change).toMatchObject({ hasSeen: true });
      const [gap, ...others] = change?.gaps ?? [];
      expect(others).toEqual([]);
      const lengthMs = Date.parse(gap?.toAt ?? '') - Date.parse(gap?.fromAt ?? '');
      expect(lengthMs).toBeGreaterThan(14_000);
      expect(Date.parse(gap?.toAt ?? '')).toBeLessThan(Date.parse(run.report.run.endedAt));
      expect(gap?.why).toContain('route53:GetChange');
      expect(JSON.stringify(run.report) + run.output).not.toContain(secretInAnswers);
    });

    test('well: never blind', () => {
      const run = runs.get('well') as FinishedRun;
      expect(run.report.observers.flatMap(({ gaps }) => gaps)).toEqual([]);
      expect(run.report.observers.map(({ name }) => name)).toEqual(['route53', 'route53:change']);
    });

    test.for(moods)('%s: nothing else changes, as in the run that asks no platform', (mood) => {
      const [run, alone] = [runs.get(mood) as FinishedRun, runs.get('alone') as FinishedRun];
      expect(alone.report.observers).toEqual([]);
      // A busy machine may make any of them drop slots, which has nothing to do with Route 53.
      if (run.report.prober.droppedCount + alone.report.prober.droppedCount === 0) {
        expect([run.report.verdict.value, run.exitCode]).toEqual([alone.report.verdict.value, alone.exitCode]);
      }
      expect(serviceOf(run, mood).outcome).toBe('completed');
      expect(run.report.lanes.reduce((sum, lane) => sum + lane.slots.failed, 0)).toBe(0);
      expect(run.report.run.isWhole).toBe(true);
      const without = ({ report }: FinishedRun): readonly string[] =>
        report.findings.flatMap(({ kind }) => (/^(route53|observer|slots|clock)/.test(kind) ? [] : [kind])).toSorted();
      expect(without(run)).toEqual(without(alone));
    });
  });
});

/** It has a change that is never done. */
async function badRoute53(name: string): Promise<FakeRoute53> {
  const fake = await startFakeRoute53();
  fake.zones = [zone('ZPUB', 'shop.test')];
  fake.records = { ZPUB: [record(`A ${name}.shop.test 127.0.1.1`)] };
  fake.changes = { C1: 'PENDING' };
  return fake;
}
