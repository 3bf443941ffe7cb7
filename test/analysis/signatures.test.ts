/** Signatures of failed probes, row by row of domain facts D.2. */
import { expect, test } from 'vitest';
import { overlaps, wilson } from '../../src/analysis/binomial.ts';
import { isOfDeadTarget, signatureOf, type FailureLook } from '../../src/analysis/signatures.ts';
import { groupsOf } from '../../src/analysis/targets-of-service.ts';
import type { GroupSeen } from '../../src/analysis/platform-timeline.ts';
import type { StaleSignature } from '../../src/core/stale-target.ts';

const look: FailureLook = {
  failureClass: '5xx-alb',
  status: 502,
  tookMs: 9,
  front: null,
  isRolloutNear: true,
  idleTimeoutMs: 60_000,
  isDrainExpired: false,
};

test.for<readonly [what: string, look: Partial<FailureLook>, signature: StaleSignature | null]>([
  ['504 after 10.03 s: nobody answered the SYN', { status: 504, tookMs: 10_030 }, 'S1'],
  ['504 after 9.7 s is none of it', { status: 504, tookMs: 9700 }, null],
  ['504 after 11.6 s is none of it', { status: 504, tookMs: 11_600 }, null],
  ['504 after the idle timeout: accepted, never answered', { status: 504, tookMs: 60_100 }, 'S7'],
  ['504 after an idle timeout of 30 s', { status: 504, tookMs: 30_100, idleTimeoutMs: 30_000 }, 'S7'],
  ['502 at once: refused', {}, 'S2'],
  ['502 after 3 s: unreachable', { tookMs: 3010 }, 'S3'],
  ['502 after 7 s: cut under way', { tookMs: 7010 }, 'S4'],
  ['502 after 7 s as a deregistration delay ends', { tookMs: 7010, isDrainExpired: true }, 'S5'],
  ['502 at once, whatever ends then', { isDrainExpired: true }, 'S2'],
  ['502 at once with no rollout near: the keep-alive race', { isRolloutNear: false }, 'S12'],
  ['503: no target', { status: 503 }, 'S6'],
  ['500 of an ALB', { status: 500 }, null],
  ['502 of nginx', { failureClass: '5xx-nginx' }, 'S9'],
  ['504 of nginx', { failureClass: '5xx-nginx', status: 504, tookMs: 15_000 }, 'S9'],
  ['503 of nginx', { failureClass: '5xx-nginx', status: 503 }, 'S10'],
  [
    'right after 10 s by nginx: two endpoints were tried in vain',
    { failureClass: 'too-slow', status: 200, tookMs: 10_020, front: 'nginx' },
    'S9',
  ],
  ['right after 7 s by nginx', { failureClass: 'too-slow', status: 200, tookMs: 7000, front: 'nginx' }, null],
  ['right after 10 s by an ALB', { failureClass: 'too-slow', status: 200, tookMs: 10_020, front: 'application' }, null],
  ['another application’s 404', { failureClass: '4xx', status: 404 }, 'S8'],
  ['another application’s body', { failureClass: 'body-mismatch', status: 200 }, 'S8'],
  [
    'no answer to a SYN behind a network load balancer',
    { failureClass: 'connect-timed-out', status: 0, front: 'network' },
    'S11',
  ],
  ['reset behind a network load balancer', { failureClass: 'reset', status: 0, front: 'network' }, 'S11'],
  ['reset by an ALB', { failureClass: 'reset', status: 0 }, null],
  ['our own limit', { failureClass: 'first-byte-timed-out', status: 0, tookMs: 12_000 }, 'S13'],
  ['the application’s own 502', { failureClass: '5xx-app' }, null],
  ['no name', { failureClass: 'dns-nxdomain', status: 0 }, null],
])('%s', ([, some, signature]) => {
  expect(signatureOf({ ...look, ...some })).toBe(signature);
});

test('a keep-alive race and our own limit are never a dead target’s', () => {
  const all: readonly StaleSignature[] = [
    'S1',
    'S2',
    'S3',
    'S4',
    'S5',
    'S6',
    'S7',
    'S8',
    'S9',
    'S10',
    'S11',
    'S12',
    'S13',
  ];
  expect(all.filter(isOfDeadTarget)).toEqual(['S1', 'S2', 'S3', 'S4', 'S5']);
});

test.for([
  { failed: 37, probes: 113, expected: { min: 1 / 3, max: 1 / 3 }, fits: true },
  { failed: 37, probes: 113, expected: { min: 0.5, max: 0.5 }, fits: false },
  { failed: 37, probes: 113, expected: { min: 0.1, max: 0.25 }, fits: true },
  { failed: 3, probes: 113, expected: { min: 1 / 3, max: 1 / 3 }, fits: false },
  { failed: 113, probes: 113, expected: { min: 1, max: 1 }, fits: true },
  { failed: 0, probes: 7, expected: { min: 0, max: 0 }, fits: true },
  { failed: 0, probes: 0, expected: { min: 0.5, max: 0.5 }, fits: true },
])('$failed of $probes against $expected: $fits', ({ failed, probes, expected, fits }) => {
  expect(overlaps(wilson(failed, probes), expected)).toBe(fits);
});

type RuleRow = readonly [hosts: string, paths: string, weight: number, isForSome?: true];

test.for<{ rules: Readonly<Record<string, readonly RuleRow[]>>; goes: object }>([
  { rules: { a: [['', '', 1]] }, goes: { a: 1 } },
  { rules: { a: [['', '', 1]], b: [['orders.shop.example', '', 1]] }, goes: { b: 1 } },
  { rules: { a: [['*.shop.example', '', 0.25]], b: [['*.shop.example', '', 0.75]] }, goes: { a: 0.25, b: 0.75 } },
  { rules: { a: [['ORDERS.shop.example', '/rea?y', 1]], b: [['orders.shop.example', '', 1]] }, goes: { a: 1 } },
  { rules: { a: [['orders.shop.example', '/api/*', 1]], b: [['', '', 1]] }, goes: { b: 1 } },
  { rules: { a: [['billing.shop.example', '', 1]] }, goes: {} },
  // A canary by header, beside the rule of everybody else.
  { rules: { a: [['orders.shop.example', '', 1]], b: [['orders.shop.example', '', 1, true]] }, goes: { a: 1 } },
  { rules: { a: [['', '', 1, true]], b: [['', '', 1]] }, goes: { b: 1 } },
  // By method, say: whether it is ours is not known.
  { rules: { a: [['', '', 1]], b: [['orders.shop.example', '', 1, true]] }, goes: { a: null, b: null } },
  { rules: { a: [['', '', 1, true]] }, goes: { a: null } },
])('rules $rules lead to $goes', ({ rules, goes }) => {
  const groups = Object.entries(rules).map(
    ([arn, some]) =>
      ({
        arn,
        rules: some.map(([host, path, weightRatio, isForSome]) => ({
          hosts: host === '' ? [] : [host],
          paths: path === '' ? [] : [path],
          weightRatio,
          ...(isForSome === undefined ? {} : { isForSome }),
        })),
      }) as unknown as GroupSeen,
  );
  const found = groupsOf({ hostname: 'orders.shop.example', path: '/ready?x=1' }, groups);
  expect(Object.fromEntries(found.map(({ arn, ratio }) => [arn, ratio]))).toEqual(goes);
});
