/**
 * Whoever looks at a run while it goes on: the line, the live terminal, the live page. All are shown the same snapshots.
 * Report and picture are made when the first of them asks, once for all: a run that only its line looks at draws nothing.
 */
import type { Drawn } from '../analysis/fold.ts';
import type { Analysis } from '../core/analysis.ts';
import { nsToMs } from '../core/time.ts';
import { toReport } from '../report/report-json.ts';
import type { Report } from '../report/shape.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { judge } from '../verdict/judge.ts';

export interface Viewer {
  /**
   * About twice a second while the run goes on, rarer where that takes much of this thread; then once of the log, read
   * again. What is asked of the snapshot counts: who looks at it later, or not every time, costs less.
   */
  show(snapshot: Snapshot, analysis: Analysis): void;
  /** A line that stays. */
  say(text: string): void;
  /** Nothing is shown afterwards. */
  end(): void;
}

export interface Viewers {
  show(drawn: Drawn, at: { readonly nowNs: number; readonly isRunning: boolean }): void;
  say(text: string): void;
  end(): void;
}

export function newViewers(viewers: readonly Viewer[]): Viewers {
  return {
    show(drawn, { nowNs, isRunning }) {
      const snapshot = snapshotOf(drawn, nsToMs(nowNs), isRunning);
      for (const viewer of viewers) viewer.show(snapshot, drawn.analysis);
    },
    say(text) {
      for (const viewer of viewers) viewer.say(text);
    },
    end() {
      for (const viewer of viewers) viewer.end();
    },
  };
}

function snapshotOf(drawn: Drawn, nowMs: number, isRunning: boolean): Snapshot {
  let report: Report | null = null;
  return {
    get report() {
      return (report ??= toReport(drawn.analysis, judge(drawn.analysis)));
    },
    get picture() {
      return drawn.picture;
    },
    nowMs,
    isRunning,
  };
}
