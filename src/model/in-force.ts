/** Which steps of the script are in force on a platform, and what they come to for one service. */
import { assert } from '../core/errors.ts';
import { sToNs } from '../core/time.ts';
import type { AppFaults } from './app.ts';
import type { PlatformAction } from './world-model.ts';

export type PlatformStep = PlatformAction['step'];
export type PlatformStepOf<K extends PlatformStep['kind']> = Extract<PlatformStep, { kind: K }>;
export type WrongCertificate = PlatformStepOf<'show-wrong-certificate'>['certificate'];

export interface InForce {
  begin(step: PlatformStep, nowNs: number): void;
  end(step: PlatformStep): void;
  isLost(service: string): boolean;
  appFaults(service: string): AppFaults;
  /** The one that was put up last. */
  wrongCertificate(): WrongCertificate | null;
}

/** `names` null: all of them. */
export function isAmong(names: readonly string[] | null, name: string): boolean {
  return names === null || names.includes(name);
}

export function newInForce(): InForce {
  /** In the order they began. */
  let all: readonly { readonly step: PlatformStep; readonly fromNs: number }[] = [];

  function of<K extends PlatformStep['kind']>(kind: K): readonly { step: PlatformStepOf<K>; fromNs: number }[] {
    return all.filter((one): one is { step: PlatformStepOf<K>; fromNs: number } => one.step.kind === kind);
  }

  return {
    begin(step, nowNs) {
      all = [...all, { step, fromNs: nowNs }];
    },
    end(step) {
      const place = all.findIndex((one) => one.step === step);
      assert(place >= 0, 'what ends has begun');
      all = all.toSpliced(place, 1);
    },
    isLost: (service) => of('lose-targets').some(({ step }) => isAmong(step.services, service)),
    appFaults(service) {
      const slow = of('slow-app').filter(({ step }) => isAmong(step.services, service));
      const failing = of('fail-app').filter(({ step }) => isAmong(step.services, service));
      const throttle = of('throttle-cpu').at(-1);
      return {
        failing: failing.map(({ step }) => step),
        slowByMs: slow.reduce((sumMs, { step }) => sumMs + step.byMs, 0),
        throttle: throttle === undefined ? null : throttleOf(throttle.step, throttle.fromNs),
      };
    },
    wrongCertificate: () => of('show-wrong-certificate').at(-1)?.step.certificate ?? null,
  };
}

function throttleOf(step: PlatformStepOf<'throttle-cpu'>, fromNs: number): AppFaults['throttle'] {
  const { quotaMs, demandMs, forS } = step;
  return { quotaMs, demandMs, untilNs: forS === null ? Infinity : fromNs + sToNs(forS) };
}
