/**
 * The lanes of one thread, driven by one timer. A slot is fired at the first instant at or after its due time at which
 * the thread runs; its lateness is in its row. Open loop: nothing waits for an answer.
 */
import type { Entry } from '../core/entry.ts';
import type { Cancel, Clock, Dialer, DnsPort, RowSink } from '../core/ports.ts';
import type { Lane } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import { newAnswers } from './answers.ts';
import { newEvaluator } from './evaluate.ts';
import { newLaneRunner, type LaneRunner } from './lane-runner.ts';
import { newRequestMaker } from './request.ts';
import { newSchedule } from './schedule.ts';

export interface ProberOptions {
  readonly clock: Clock;
  readonly dialer: Dialer;
  readonly dns: DnsPort;
  readonly sink: RowSink;
  readonly event: (entry: Entry) => void;
  readonly run: { readonly runId: string; readonly startedAtMs: number; readonly version: string };
  /** Lower-case names of the sides' marker headers. */
  readonly markerNames: readonly string[];
}

export interface Prober {
  /** New lanes; a lane that joins later has `startAtNs` in the future, so that none of its slots is over already. */
  add(lanes: readonly Lane[]): void;
  /** The value of `${TOKEN}` for a check's requests from now on. */
  token(checkName: string, value: string): void;
  /** Lanes, by number, that send nothing from now on. */
  withdraw(lanes: readonly number[]): void;
  readonly underWayCount: number;
  /** Fires no slot due at or after `atNs`; resolves when every probe in flight has its row. */
  stop(atNs: number): Promise<void>;
}

const sweepEveryNs = sToNs(1);

export function newProber(options: ProberOptions): Prober {
  const { clock } = options;
  const answers = newAnswers(options);
  const evaluator = newEvaluator(options.sink, options.markerNames);
  const schedule = newSchedule();
  const runners: LaneRunner[] = [];
  let untilNs = Infinity;
  let cancelTick: Cancel = () => {};
  let tickAtNs = Infinity;
  let sweptNs = 0;

  const tokenByCheck = new Map<string, string>();

  function underWayCount(): number {
    return runners.reduce((sum, runner) => sum + runner.underWayCount, 0);
  }

  function arm(): void {
    const nextNs = Math.min(schedule.nextDueNs, sweptNs + sweepEveryNs);
    if (nextNs === tickAtNs) return;
    cancelTick();
    tickAtNs = nextNs;
    cancelTick = clock.at(nextNs, tick);
  }

  function tick(): void {
    tickAtNs = Infinity;
    const nowNs = clock.nowNs();
    schedule.takeDue(nowNs, untilNs, (runner, slot) => runner.fire(slot, clock.nowNs()));
    if (nowNs - sweptNs >= sweepEveryNs) {
      sweptNs = nowNs;
      for (const runner of runners) runner.sweep(nowNs);
    }
    if (schedule.nextDueNs < untilNs) arm();
  }

  return {
    add(lanes) {
      for (const lane of lanes) {
        const runner = newLaneRunner(lane, {
          clock,
          dialer: options.dialer,
          sink: options.sink,
          answers,
          evaluator,
          requests: newRequestMaker(lane, options.run),
          event: options.event,
        });
        const token = tokenByCheck.get(lane.check.name);
        if (token !== undefined) runner.token(token);
        runners.push(runner);
        schedule.add(runner);
      }
      arm();
    },
    token(checkName, value) {
      tokenByCheck.set(checkName, value);
      for (const runner of runners) {
        if (runner.lane.check.name === checkName) runner.token(value);
      }
    },
    withdraw(lanes) {
      for (const runner of runners) if (lanes.includes(runner.lane.number)) runner.withdraw();
    },
    get underWayCount() {
      return underWayCount();
    },
    stop(atNs) {
      untilNs = atNs;
      return new Promise((resolve) => {
        const look = (): void => {
          // What is due by now must be in flight before "nothing is in flight" means that all is done.
          tick();
          if (clock.nowNs() < atNs || underWayCount() > 0) {
            clock.at(Math.max(atNs, clock.nowNs() + sToNs(0.02)), look);
            return;
          }
          cancelTick();
          for (const runner of runners) runner.closeAll();
          resolve();
        };
        look();
      });
    },
  };
}
