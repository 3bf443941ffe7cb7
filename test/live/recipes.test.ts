/** docs/gates.md: what is written there is asked as the controllers ask it. */
import { expect, test } from 'vitest';
import { showAt } from './kit.ts';
import { calledByFlagger, measuredByArgo, webhooks, webMetrics, type Measured } from './recipes.ts';
import { runs, type RunName } from './runs.ts';

const elsewhere = { listen: { address: '127.0.0.1', port: 0, isLoopback: false } };

interface Row {
  readonly run: RunName | null;
  readonly flagger: 'go' | 'refused';
  readonly argo: Measured;
}

const rows: readonly Row[] = [
  { run: null, flagger: 'go', argo: 'Successful' },
  { run: 'beforeChange', flagger: 'go', argo: 'Successful' },
  { run: 'goingWell', flagger: 'go', argo: 'Successful' },
  { run: 'goingBadly', flagger: 'refused', argo: 'Failed' },
  { run: 'passed', flagger: 'go', argo: 'Successful' },
  { run: 'failed', flagger: 'refused', argo: 'Failed' },
  { run: 'unknown', flagger: 'go', argo: 'Successful' },
];

test('there are recipes: three webhooks and a metric, none of which rolls back on a go', () => {
  expect(webhooks.map(({ type }) => type)).toEqual(['confirm-rollout', 'rollout', 'confirm-promotion']);
  expect(webMetrics).toHaveLength(1);
});

test.for(rows)(
  '$run: every webhook of Flagger hears $flagger, and Argo measures $argo',
  async ({ run, flagger, argo }) => {
    await using shown = await showAt('127.0.0.1:0', elsewhere);
    if (run !== null) shown.server.show(runs[run]);
    for (const webhook of webhooks)
      expect([webhook.name, await calledByFlagger(shown, webhook)]).toEqual([webhook.name, flagger]);
    const service = runs[run ?? 'passed'].report.services[0]?.name ?? '';
    for (const metric of webMetrics) expect(await measuredByArgo(shown, metric, service)).toBe(argo);
  },
);

test('a run that has fallen silent halts both, and is no failure of the rollout', async () => {
  let nowMs = 0;
  await using shown = await showAt('127.0.0.1:0', { ...elsewhere, nowMs: () => nowMs });
  shown.server.show(runs.goingWell);
  nowMs = 60_001;
  for (const webhook of webhooks) expect(await calledByFlagger(shown, webhook)).toBe('refused');
  for (const metric of webMetrics) expect(await measuredByArgo(shown, metric, 'orders')).toBe('Error');
});

test('a token that is not the right one opens no gate', async () => {
  await using shown = await showAt('127.0.0.1:0', { ...elsewhere, token: 'another-token-than-theirs' });
  shown.server.show(runs.passed);
  for (const webhook of webhooks) expect(await calledByFlagger(shown, webhook)).toBe('refused');
  for (const metric of webMetrics) expect(await measuredByArgo(shown, metric, 'orders')).toBe('Error');
});
