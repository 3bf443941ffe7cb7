import { expect, test } from 'vitest';
import { nsPerS, sToNs } from '../../src/core/time.ts';
import { newSchedules } from '../../src/model/schedules.ts';
import { newTimeline } from '../../src/model/timeline.ts';
import { begin, albSpec, newStage, nginxSpec, type Stage } from './platform-kit.ts';

interface Case {
  readonly what: string;
  readonly catchesUp: boolean;
  readonly isSuspended: boolean;
  readonly deeds: readonly (readonly ['suspend' | 'resume', number])[];
  readonly firedAtS: readonly number[];
}

test.for<Case>([
  { what: 'every minute', catchesUp: false, isSuspended: false, deeds: [], firedAtS: [60, 120, 180] },
  {
    what: 'an ECS schedule that was off fires at its next minute',
    catchesUp: false,
    isSuspended: false,
    deeds: [
      ['suspend', 50],
      ['resume', 125],
    ],
    firedAtS: [180],
  },
  {
    what: 'a CronJob that was suspended over its minute makes up for it, once',
    catchesUp: true,
    isSuspended: false,
    deeds: [
      ['suspend', 50],
      ['resume', 125],
    ],
    firedAtS: [125, 180],
  },
  {
    what: 'a CronJob that was suspended between two minutes missed nothing',
    catchesUp: true,
    isSuspended: false,
    deeds: [
      ['suspend', 61],
      ['resume', 119],
    ],
    firedAtS: [60, 120, 180],
  },
  {
    what: 'a CronJob suspended from the start fires as soon as it may',
    catchesUp: true,
    isSuspended: true,
    deeds: [['resume', 7]],
    firedAtS: [7, 60, 120, 180],
  },
  {
    what: 'to resume what runs does nothing',
    catchesUp: true,
    isSuspended: false,
    deeds: [['resume', 7]],
    firedAtS: [60, 120, 180],
  },
])('$what', ({ catchesUp, isSuspended, deeds, firedAtS }) => {
  const timeline = newTimeline();
  const fired: number[] = [];
  const schedules = newSchedules({
    isSuspended,
    catchesUp,
    startNs: 0,
    timeline,
    fired: (atNs) => fired.push(atNs / nsPerS),
  });
  for (const [deed, atS] of deeds) {
    timeline.advance(sToNs(atS));
    if (deed === 'suspend') schedules.suspend();
    else schedules.resume(sToNs(atS));
  }
  timeline.advance(sToNs(200));
  expect(fired).toEqual(firedAtS);
});

test('at the start the old side runs its job and the new side does not; switched over, none runs twice', () => {
  const stages: Readonly<Record<'old' | 'new', Stage>> = {
    old: newStage(albSpec),
    new: newStage(nginxSpec, { side: 'new' }),
  };
  const fired = (side: 'old' | 'new'): readonly number[] =>
    stages[side].entries.filter(({ type }) => type === 'schedule-fired').map(({ atNs }) => atNs / nsPerS);
  begin(stages.old.platform, { kind: 'suspend-schedules', side: 'old' }, 130);
  begin(stages.new.platform, { kind: 'resume-schedules', side: 'new' }, 131);
  for (const { platform } of Object.values(stages)) platform.advance(sToNs(250));
  expect(fired('old')).toEqual([60, 120]);
  // The run at 131 s is the one it makes up for.
  expect(fired('new')).toEqual([131, 180, 240]);
});
