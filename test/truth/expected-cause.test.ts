import { expect, test } from 'vitest';
import { sToNs } from '../../src/core/time.ts';
import type { TruthEntry } from '../../src/core/truth.ts';
import type { Attempt } from '../../src/truth/attempts.ts';
import { expectedCauses } from '../../src/truth/expected-cause.ts';
import { fateOf } from '../../src/truth/fate.ts';
import { historyOf } from '../../src/truth/history.ts';
import { jvmForever, keepAliveClient, laneOf, newAddress, oldAddress, type LaneLog } from '../analysis/kit.ts';
import { allWell, condition, down, failing, hit, served, well } from './kit.ts';

/** Refused at 30 s by the old side, unless said otherwise. */
function attempt(said: Partial<Attempt>): Attempt {
  const sentNs = sToNs(30);
  return {
    slot: 30,
    part: 0,
    dueNs: sentNs,
    sentNs,
    resolvedNs: sentNs,
    endedNs: sentNs + 5e6,
    outcome: 'connect-refused',
    status: 0,
    isRight: false,
    address: oldAddress,
    isKept: false,
    bornNs: sentNs,
    answer: null,
    ...said,
  };
}

const switched = [...allWell, served(0, oldAddress), served(20, newAddress)];
const gone = down(oldAddress, 25, 60, 'load-balancer-removed');
const network = (fromS: number, toS: number): TruthEntry[] =>
  (
    [
      ['own-network-lost', fromS],
      [null, toS],
    ] as const
  ).map(([fault, atS]) => ({
    type: 'network-changed',
    atNs: sToNs(atS),
    where: 'own-network',
    name: '',
    fault,
  }));
const resolverLost: TruthEntry = {
  type: 'network-changed',
  atNs: sToNs(28),
  where: 'resolver',
  name: 'vpc',
  fault: 'resolver-failing',
};

test.for([
  { so: 'the side is gone before any change', truth: [...allWell, ...gone], best: 'side-down' },
  { so: 'the side is gone after the change', truth: [...switched, ...gone], best: 'stale-answer' },
  { so: 'and the client asked once', truth: [...switched, ...gone], lane: { archetype: jvmForever }, best: 'pinned' },
  {
    so: 'and its connection is older than the change',
    truth: [...switched, ...gone],
    lane: { archetype: keepAliveClient },
    said: { isKept: true, bornNs: sToNs(3), outcome: 'reset' },
    best: 'kept-connection',
  },
  {
    so: 'and the new side is down as well',
    truth: [...switched, ...gone, ...down(newAddress, 22, 60, 'load-balancer-removed')],
    best: 'side-down',
  },
  {
    so: 'a side’s own lane',
    truth: [...switched, ...gone],
    lane: { role: 'side', address: oldAddress },
    best: 'side-down',
  },
  {
    so: 'one of two zones is gone',
    truth: [...allWell, condition(0, '127.0.1.2', well), ...down(oldAddress, 25, 60, 'zone-lost')],
    best: 'address-down',
  },
  { so: 'the only zone is gone', truth: [...allWell, ...down(oldAddress, 25, 60, 'zone-lost')], best: 'side-down' },
  {
    so: 'the application says 500',
    truth: [...allWell, condition(25, oldAddress, failing('app-failing')), hit(30, 30, 'app-failing', 500)],
    said: { outcome: 'answered', status: 500 },
    best: 'app-5xx',
  },
  {
    so: 'a target that has gone',
    truth: [...allWell, condition(25, oldAddress, failing('stale-target', 0.5)), hit(30, 30, 'stale-target', 502)],
    said: { outcome: 'answered', status: 502 },
    best: 'target-failed',
  },
  {
    so: 'the wrong certificate',
    truth: [...allWell, condition(25, oldAddress, failing('wrong-certificate'))],
    said: { outcome: 'tls-failed' },
    best: 'tls',
  },
  {
    so: 'the resolver fails',
    truth: [...allWell, resolverLost],
    said: { outcome: 'dns-servfail', address: null },
    best: 'dns-failed',
  },
  { so: 'our own network is lost', truth: [...allWell, ...network(28, 33)], best: 'own-network-suspected' },
  {
    so: 'our own network is lost while the side is gone',
    truth: [...allWell, ...gone, ...network(30.001, 33)],
    best: 'side-down',
  },
] as { so: string; truth: TruthEntry[]; lane?: Partial<LaneLog>; said?: Partial<Attempt>; best: string }[])(
  'it is $best when $so',
  ({ truth, lane = {}, said = {}, best }) => {
    const entries = truth.toSorted((a, b) => a.atNs - b.atNs);
    const one = laneOf({ slots: '', ...lane }, 0);
    const history = historyOf(entries);
    expect(expectedCauses(fateOf(attempt(said), one, history), one, history)[0]).toBe(best);
  },
);
