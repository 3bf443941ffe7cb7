/**
 * Our clock beside those of the servers that are asked anyway. What AWS and Kubernetes say is joined to probes by wall
 * clock, where a second matters. A `Date` has whole seconds, so one reading gives an interval a second wide, and readings
 * of several servers a narrower one where they agree.
 */
import { durationText } from '../core/quantity-text.ts';
import type { ClockReading, DoctorFacts } from './doctor-facts.ts';
import { doctorRows, type DoctorRow } from './doctor-row.ts';

/** Theirs less ours. */
export interface OffsetBounds {
  readonly minMs: number;
  readonly maxMs: number;
  /** How many servers agree on it, and of how many. */
  readonly serverCount: number;
  readonly ofCount: number;
}

const offsetMsMax = 1000;
/** A clock that is slewed, as NTP does it, is 0.5 ms off after a second at most. */
const stepMsMin = 50;

/** The server wrote its second at some instant between our sending and our receiving. */
export function boundsOf({ dateMs, sentAtMs, receivedAtMs }: ClockReading): {
  readonly minMs: number;
  readonly maxMs: number;
} {
  return { minMs: dateMs - receivedAtMs, maxMs: dateMs + 1000 - sentAtMs };
}

/** Where most of their intervals overlap; null without any. A server whose own clock is wrong is outvoted. */
export function offsetOf(readings: readonly ClockReading[]): OffsetBounds | null {
  const all = readings.map(boundsOf);
  let best: OffsetBounds | null = null;
  for (const { minMs: fromMs } of all) {
    const around = all.filter(({ minMs, maxMs }) => minMs <= fromMs && maxMs >= fromMs);
    if (best !== null && around.length <= best.serverCount) continue;
    best = {
      minMs: fromMs,
      maxMs: Math.min(...around.map(({ maxMs }) => maxMs)),
      serverCount: around.length,
      ofCount: all.length,
    };
  }
  return best;
}

export function clockRows({ clock }: DoctorFacts): readonly DoctorRow[] {
  return [offsetRow(offsetOf(clock.readings)), synchronizedRow(clock.isSynchronized), ...stepRows(clock.steppedMs)];
}

const remedy = 'Set the clock by NTP (timedatectl set-ntp true, or chrony), and look again.';

function offsetRow(offset: OffsetBounds | null): DoctorRow {
  const { pass, fail, unknown } = doctorRows('clock');
  const subject = 'offset';
  if (offset === null) {
    return unknown(subject, 'No server that was asked said what time it is there.', { decides: false });
  }
  const { minMs, maxMs, serverCount, ofCount } = offset;
  const by = serverCount === 1 && ofCount === 1 ? 'by one server' : `by ${serverCount} of ${ofCount} servers`;
  if (minMs > offsetMsMax || maxMs < -offsetMsMax) {
    const isBehind = minMs > 0;
    const atLeast = durationText(isBehind ? minMs : -maxMs, 'down');
    const text = `Our clock is ${isBehind ? 'behind' : 'ahead'} by at least ${atLeast}, ${by}: what the platforms say would be joined to the wrong probes.`;
    return fail(subject, text, { decides: false, remedy });
  }
  const [low, high] = [signed(minMs, 'down'), signed(maxMs, 'up')];
  return pass(subject, `Their clocks are between ${low} and ${high} off ours, ${by}.`);
}

function signed(ms: number, rounding: 'down' | 'up'): string {
  if (ms >= 0) return `+${durationText(ms, rounding)}`;
  return `−${durationText(-ms, rounding === 'up' ? 'down' : 'up')}`;
}

function synchronizedRow(isSynchronized: boolean | null): DoctorRow {
  const { pass, fail, unknown } = doctorRows('clock');
  if (isSynchronized === null)
    return unknown('NTP', 'This system does not say whether NTP keeps its clock.', { decides: false });
  if (isSynchronized) return pass('NTP', 'NTP keeps the clock.');
  return fail('NTP', 'NTP does not keep the clock.', { decides: false, remedy });
}

function stepRows(steppedMs: number): readonly DoctorRow[] {
  if (Math.abs(steppedMs) < stepMsMin) return [];
  const { fail } = doctorRows('clock');
  const way = steppedMs > 0 ? 'forward' : 'back';
  return [
    fail('step', `The clock was set ${way} by ${durationText(Math.abs(steppedMs))} while we looked.`, {
      decides: false,
      remedy: 'Wait until NTP has settled: a step in a run moves its instants against those of the platforms.',
    }),
  ];
}
