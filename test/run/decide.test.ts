import { expect, test } from 'vitest';
import type { Analysis, ChangeSeen, LaneAnalysis, ServiceAnalysis, Stretch } from '../../src/core/analysis.ts';
import type { ChangeSpec } from '../../src/core/scenario.ts';
import { nsToS, sToNs } from '../../src/core/time.ts';
import { decide, type RunFacts, type Step } from '../../src/run/decide.ts';

const change: ChangeSpec = {
  via: 'dns',
  direction: 'old-to-new',
  ttlBeforeS: null,
  ttlS: 20,
  ttlLoweredAt: null,
  baselineS: 60,
  waitS: 3600,
  convergenceTimeoutS: 900,
  tailS: 600,
};

interface Seen {
  readonly qualified?: boolean;
  readonly changedAtS?: number;
  readonly evident?: boolean;
  readonly tailWhole?: boolean;
  readonly watchedS?: number;
  /** When it last left the old side; null = it is there. */
  readonly onOldUntilS?: number | null;
  readonly leavesByS?: number;
  /** Answers in baseline. */
  readonly sides?: { readonly old: number; readonly new: number };
  /** When the last outage ended; null = it has not. */
  readonly upAgainS?: number | null;
  readonly classes?: Record<string, number>;
  /** When it last failed in part. */
  readonly impairedToS?: number;
}

/** As much of an analysis as a decision looks at. */
function analysisOf(services: readonly Seen[]): Analysis {
  return {
    services: services.map(({ changedAtS, evident = true, tailWhole = false, watchedS = 0 }, i) => {
      const seen = { usedAtNs: sToNs(changedAtS ?? 0), isEvident: evident } as ChangeSeen;
      return {
        name: `s${i}`,
        changes: changedAtS === undefined ? [] : [seen],
        ttlS: { before: null, after: 20 },
        tail: { askedS: 600, watchedS, isWhole: tailWhole },
      } as unknown as ServiceAnalysis;
    }),
    lanes: services.map(
      ({ qualified = true, leavesByS, sides = { old: 9, new: 0 }, upAgainS, classes = {}, ...seen }, i) =>
        ({
          service: `s${i}`,
          role: 'client',
          series: 'raw',
          judged: true,
          qualified,
          sides,
          classes,
          impaired: seen.impairedToS === undefined ? [] : [{ toAtNs: sToNs(seen.impairedToS) }],
          stretches: stretchesOf(seen),
          leavesOldByAtNs: leavesByS === undefined ? null : sToNs(leavesByS),
          outages: upAgainS === undefined ? [] : [{ firstGoodAtNs: upAgainS === null ? null : sToNs(upAgainS) }],
        }) as unknown as LaneAnalysis,
    ),
  } as unknown as Analysis;
}

function stretchesOf({ onOldUntilS }: Seen): readonly Pick<Stretch, 'state' | 'toAtNs'>[] {
  if (onOldUntilS === undefined) return [];
  const old = { state: 'old', toAtNs: sToNs(onOldUntilS ?? 0) } as const;
  return onOldUntilS === null ? [old] : [old, { state: 'new', toAtNs: Infinity }];
}

const rows: {
  name: string;
  services: Seen[];
  facts: Partial<RunFacts> & { nowS: number; endedS?: number };
  step: string;
}[] = [
  {
    name: 'the baseline is watched to its end',
    services: [{}],
    facts: { nowS: 59, command: 'not-started' },
    step: 'wait until 60',
  },
  {
    name: 'then the command starts',
    services: [{}],
    facts: { nowS: 60, command: 'not-started' },
    step: 'start-command',
  },
  {
    name: 'an unqualified service holds it back',
    services: [{}, { qualified: false }],
    facts: { nowS: 61, command: 'not-started' },
    step: 'wait until 61',
  },
  {
    name: 'and after twice the baseline it is not started at all',
    services: [{}, { qualified: false }],
    facts: { nowS: 120, command: 'not-started' },
    step: 'withhold-command',
  },
  {
    name: 'unless told to',
    services: [{ qualified: false }],
    facts: { nowS: 60, command: 'not-started', startsAnyway: true },
    step: 'start-command',
  },
  {
    name: 'a rollback does not wait for a baseline',
    services: [{ qualified: false }],
    facts: { nowS: 1, command: 'not-started', mode: 'rollback' },
    step: 'start-command',
  },
  {
    name: 'a running command is waited for, however long',
    services: [{ changedAtS: 70, tailWhole: true }],
    facts: { nowS: 5000, command: 'running' },
    step: 'wait until Infinity',
  },
  {
    name: 'a failed command that changed nothing ends the watch after two TTLs',
    services: [{}],
    facts: { nowS: 119, command: 'failed', endedS: 70 },
    step: 'wait until 120',
  },
  {
    name: '… and 10 s',
    services: [{}],
    facts: { nowS: 120, command: 'failed', endedS: 70 },
    step: 'stop command-failed',
  },
  {
    name: 'a failed command that did change something is watched to the end',
    services: [{ changedAtS: 69 }],
    facts: { nowS: 200, command: 'failed', endedS: 70 },
    step: 'wait until 800',
  },
  {
    name: 'a mark alone is no evidence',
    services: [{ changedAtS: 100, evident: false }],
    facts: { nowS: 999, command: 'none' },
    step: 'wait until 1599',
  },
  {
    name: 'and without evidence the run ends',
    services: [{ changedAtS: 100, evident: false }],
    facts: { nowS: 3701, command: 'none' },
    step: 'stop nothing-changed',
  },
  {
    name: 'services that are switched by hand one after another are waited for',
    services: [{ changedAtS: 100, tailWhole: true }, {}],
    facts: { nowS: 1500, command: 'none' },
    step: 'wait until 2100',
  },
  {
    name: 'without command and mark it waits as long',
    services: [{}],
    facts: { nowS: 3600, command: 'none' },
    step: 'wait until 3660',
  },
  { name: 'but not for ever', services: [{}], facts: { nowS: 3661, command: 'none' }, step: 'stop nothing-changed' },
  {
    name: 'one service of two has moved: wait for the other',
    services: [{ changedAtS: 70, tailWhole: true }, {}],
    facts: { nowS: 800, command: 'ended', endedS: 75 },
    step: 'wait until 975',
  },
  {
    name: 'the tail is watched',
    services: [{ changedAtS: 70 }],
    facts: { nowS: 600, command: 'ended', endedS: 75 },
    step: 'wait until 1200',
  },
  {
    name: 'to its end',
    services: [{ changedAtS: 70, tailWhole: true, leavesByS: 91 }],
    facts: { nowS: 700, command: 'ended', endedS: 75 },
    step: 'stop tail-watched',
  },
  {
    name: 'a client that may still turn up on the old side holds the end open',
    services: [{ changedAtS: 70, tailWhole: true, leavesByS: 701 }],
    facts: { nowS: 700, command: 'ended', endedS: 75 },
    step: 'wait until 701',
  },
  {
    name: 'one that never leaves does not',
    services: [{ changedAtS: 70, leavesByS: 91 }],
    facts: { nowS: 1591, command: 'ended', endedS: 75 },
    step: 'stop not-converged',
  },
  {
    name: 'what converged when nearly all the time for it was over has its whole tail',
    services: [{ changedAtS: 70, leavesByS: 91, watchedS: 551 }],
    facts: { nowS: 1591, command: 'ended', endedS: 75 },
    step: 'wait until 1640',
  },
  {
    name: '… once',
    services: [{ changedAtS: 70, leavesByS: 91, watchedS: 551 }],
    facts: { nowS: 2191, command: 'ended', endedS: 75 },
    step: 'stop not-converged',
  },
  {
    name: 'a client whose resolver still leads it to the old side is waited for',
    services: [{ changedAtS: 70, tailWhole: true, leavesByS: 91, onOldUntilS: null }],
    facts: { nowS: 700, command: 'ended', endedS: 75 },
    step: 'wait until 1300',
  },
  {
    name: '… until it has been gone for as long as the tail',
    services: [{ changedAtS: 70, tailWhole: true, leavesByS: 91, onOldUntilS: 163 }],
    facts: { nowS: 700, command: 'ended', endedS: 75 },
    step: 'wait until 763',
  },
  {
    name: '… and not for ever: the tail of all others was watched',
    services: [{ changedAtS: 70, tailWhole: true, leavesByS: 91, onOldUntilS: null }],
    facts: { nowS: 1591, command: 'ended', endedS: 75 },
    step: 'stop tail-watched',
  },
  {
    name: 'whoever was down must have been up again for as long as the tail',
    services: [{ changedAtS: 70, tailWhole: true, leavesByS: 91, upAgainS: 150 }],
    facts: { nowS: 749, command: 'ended', endedS: 75 },
    step: 'wait until 750',
  },
  {
    name: '… and then the run is over',
    services: [{ changedAtS: 70, tailWhole: true, leavesByS: 91, upAgainS: 150 }],
    facts: { nowS: 750, command: 'ended', endedS: 75 },
    step: 'stop tail-watched',
  },
  {
    name: 'an outage that never ends is not waited for without end',
    services: [{ changedAtS: 70, tailWhole: true, leavesByS: 91, upAgainS: null }],
    facts: { nowS: 1591, command: 'ended', endedS: 75 },
    step: 'stop not-converged',
  },
  {
    name: 'where everybody is on the other side already, the command is not started',
    services: [{ sides: { old: 0, new: 40 } }],
    facts: { nowS: 60, command: 'not-started' },
    step: 'withhold-command',
  },
  {
    name: '… unless one client is still to be moved',
    services: [{ sides: { old: 0, new: 40 } }, { sides: { old: 3, new: 37 } }],
    facts: { nowS: 60, command: 'not-started' },
    step: 'start-command',
  },
  {
    name: 'Ctrl-C ends it at once',
    services: [{}],
    facts: { nowS: 3, command: 'not-started', isStopAsked: true },
    step: 'stop interrupted',
  },
];

test.for(rows)('$name', ({ services, facts: { nowS, endedS, ...facts }, step }) => {
  const decided = decide(analysisOf(services), change, {
    nowNs: sToNs(nowS),
    probingSinceNs: 0,
    mode: 'cutover',
    command: 'none',
    commandEndedAtNs: endedS === undefined ? null : sToNs(endedS),
    isStopAsked: false,
    startsAnyway: false,
    ...facts,
  });
  expect(textOf(decided)).toBe(step);
});

function textOf(decided: Step): string {
  if (decided.kind === 'stop') return `stop ${decided.why}`;
  return decided.kind === 'wait' ? `wait until ${Math.round(nsToS(decided.untilNs))}` : decided.kind;
}

test('a command that is withheld says what its probes met', () => {
  const seen = { qualified: false, classes: { 'connect-refused': 30, '4xx': 2 } };
  const decided = decide(analysisOf([seen]), change, {
    nowNs: sToNs(121),
    probingSinceNs: 0,
    mode: 'cutover',
    command: 'not-started',
    commandEndedAtNs: null,
    isStopAsked: false,
    startsAnyway: false,
  });
  expect(decided).toMatchObject({ why: expect.stringContaining('(most of its probes: connect-refused)') });
});

test('after a deployment, who still failed in part a moment ago is watched until that is over, within bounds', () => {
  const at = (nowS: number, via: 'deploy' | 'dns', impairedToS?: number): string => {
    const seen = { changedAtS: 70, tailWhole: true, ...(impairedToS === undefined ? {} : { impairedToS }) };
    const facts = { nowNs: sToNs(nowS), probingSinceNs: 0, commandEndedAtNs: sToNs(75) };
    const rest = { mode: 'deploy', command: 'ended', isStopAsked: false, startsAnyway: false } as const;
    return textOf(decide(analysisOf([seen]), { ...change, via }, { ...facts, ...rest }));
  };
  expect(at(700, 'deploy')).toBe('stop tail-watched');
  expect(at(700, 'deploy', 690)).toBe('wait until 1290');
  expect(at(1290, 'deploy', 690)).toBe('stop tail-watched');
  // For ever is an answer, too, and its tail was watched.
  expect(at(1570, 'deploy', 1569)).toBe('stop tail-watched');
  expect(at(700, 'dns', 690)).toBe('stop tail-watched');
});
