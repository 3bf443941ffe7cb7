/** Every scenario that ships, in virtual time: it comes to the verdict, and to the causes, that it says it teaches. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { keepAnswering } from '../../src/report/keep-answering.ts';
import { toReport } from '../../src/report/report-json.ts';
import { serviceViews } from '../../src/report/service-view.ts';
import { summaryText } from '../../src/report/text.ts';
import { play, type Played, readScenario, scenariosFolder } from './simulated.ts';

// Virtual time is cheap, and still time on a machine that does other things.
vi.setConfig({ testTimeout: 30_000 });

const names = readdirSync(scenariosFolder)
  .map((file) => file.replace('.yaml', ''))
  .toSorted();
const rehearsed = names.filter((name) => readScenario(name).world !== null);

test('the two scenarios without a world are the examples of the least and the most that can be said', () => {
  expect(names.filter((name) => !rehearsed.includes(name))).toEqual(['minimal', 'shop-ecs-to-eks']);
});

describe.for(rehearsed)('%s', (name) => {
  const text = readFileSync(join(scenariosFolder, `${name}.yaml`), 'utf8');

  test('bears the name of its file, says what it teaches, and what it must come to', () => {
    expect(text).toMatch(/^# Teaches: \S/m);
    expect(text).toContain(`\nname: ${name}\n`);
    expect(readScenario(name).world?.expect).not.toBe(null);
  });

  // The full scale takes ten seconds, and a minute where everybody else works as well.
  test('comes to the verdict and the causes that it says', { timeout: 180_000 }, async () => {
    const played = await play(name);
    expect(played.differsFromLive).toBe(false);
    expect({ verdict: played.verdict.value, causes: played.causes }).toEqual({
      verdict: played.expect?.verdict,
      causes: played.expect?.causes?.toSorted() ?? played.causes,
    });
  });
});

test('answers that go to and fro at the switch are not called a rollback, whatever the seed', async () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const { analysis } = await play('flapping-at-the-switch', seed);
    expect(analysis.services.map((service) => service.outcome)).toEqual(['completed']);
  }
});

test('a rollback is one, and both of its changes are in the report', async () => {
  const { analysis } = await play('rollback');
  expect(analysis.services[0]?.outcome).toBe('rolled-back');
  expect(analysis.services[0]?.changes.map((change) => change.direction)).toEqual(['old-to-new', 'new-to-old']);
});

function summaryOf({ analysis, verdict }: Played): string {
  return summaryText(toReport(analysis, verdict), { runPath: 'here' });
}

test('after a rollback a stale answer names the side that failed, and nobody is told to keep the wrong side running', async () => {
  const summary = summaryOf(await play('rollback'));
  expect(summary).toContain('the DNS answer they held still named the side left (nginx/EKS), which did not serve them');
  expect(summary).toContain('An answer that is cached cannot be called back');
  expect(summary).not.toContain('Keep ALB/ECS answering');
});

test('one piece of advice that holds for several services is given once', async () => {
  expect(summaryOf(await play('founding-migration')).split('Keep ALB/ECS answering')).toHaveLength(2);
});

test.for(['ttl-violating-resolver', 'stale-resolver', 'lagging-name-server', 'old-side-removed-too-early'])(
  'in %s nobody is told that the old side may go before the last stale answer had hurt somebody',
  async (name) => {
    for (let seed = 1; seed <= 3; seed += 1) {
      const { analysis, verdict } = await play(name, seed);
      const report = toReport(analysis, verdict);
      const stale = report.lanes
        .filter((lane) => lane.judged)
        .flatMap((lane) => lane.outages.filter((outage) => outage.causes['stale-answer'] !== undefined))
        .map((outage) => Date.parse(outage.lastFailedAt));
      const until = serviceViews(report).map((view) => keepAnswering(report, view)?.untilMs ?? 0);
      expect(Math.max(...until)).toBeGreaterThan(Math.max(0, ...stale));
    }
  },
);

test('a resolver that breaks the TTL is named in what to do', async () => {
  expect(summaryOf(await play('ttl-violating-resolver'))).toContain('since isp served it longer than the TTL of 3 s');
});

test('a WebSocket stays on the old side until a deployment there cuts it, and then comes back on the new one', async () => {
  const { analysis } = await play('held-websockets');
  const of = (name: string): Played['analysis']['lanes'][number] | undefined =>
    analysis.lanes.find(({ check, client }) => check === 'orders/live' && client === name);
  const [held, fresh] = [of('websocket'), of('fresh')];
  expect(held?.oldAfterChange['kept-connection']).toBeGreaterThan(40);
  expect(held).toMatchObject({ leavesOldByAtNs: null, leavesOldWhy: 'not before either side closes its session' });
  expect([held?.slots.failed, (held?.slots.good ?? 0) > 100]).toEqual([0, true]);
  expect((held?.lastOldAtNs ?? 0) - (fresh?.lastOldAtNs ?? Infinity)).toBeGreaterThan(21.3e9);
  // Clients that hold a session are sent to no other check where one is said to have them.
  expect(analysis.lanes.filter(({ client }) => client === 'websocket').length).toBe(1);
});
