/** The steps of a world in the order they come due: those timed from the start, and, once it was made, from the change. */
import { assert } from '../core/errors.ts';
import { sToNs } from '../core/time.ts';
import type { Step, StepAction } from '../core/world.ts';
import { stepText } from './step-text.ts';

export interface DueStep {
  /** In the world's script, from 0. */
  readonly index: number;
  readonly action: StepAction;
  /** Its `forS` is over. */
  readonly isEnd: boolean;
  readonly text: string;
}

export interface Script {
  /** The operator makes the change. Once. */
  change(nowNs: number): void;
  nextNs(): number | null;
  /** Takes out what is due, in order; steps of one instant in the order of the script. */
  due(nowNs: number): readonly DueStep[];
}

export function newScript(steps: readonly Step[], startNs: number): Script {
  let waiting: (DueStep & { readonly atNs: number })[] = [];
  let isChanged = false;

  function plan(from: 'start' | 'change', zeroNs: number): void {
    for (const [index, { at, does }] of steps.entries()) {
      if (at.from !== from) continue;
      const atNs = zeroNs + sToNs(at.s);
      const text = stepText(does);
      waiting.push({ index, action: does, isEnd: false, text, atNs });
      if (!('forS' in does) || does.forS === null) continue;
      waiting.push({ index, action: does, isEnd: true, text: `over: ${text}`, atNs: atNs + sToNs(does.forS) });
    }
    // What ends at an instant ends before something else begins.
    waiting.sort((a, b) => a.atNs - b.atNs || Number(b.isEnd) - Number(a.isEnd) || a.index - b.index);
  }
  plan('start', startNs);

  return {
    change(nowNs) {
      assert(!isChanged, 'the change is made once');
      isChanged = true;
      plan('change', nowNs);
    },
    nextNs: () => waiting[0]?.atNs ?? null,
    due(nowNs) {
      const due = waiting.filter((step) => step.atNs <= nowNs);
      waiting = waiting.filter((step) => step.atNs > nowNs);
      return due;
    },
  };
}
