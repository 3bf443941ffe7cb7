/** Instants of a report as people read them. Everything is UTC. */
import { durationText } from '../core/quantity-text.ts';
import type { Instant } from './shape.ts';

export function msBetween(from: Instant, to: Instant): number {
  return Date.parse(to) - Date.parse(from);
}

/** `10:01:02.900`; with its date when that is not the day the run began. */
export function clockText(runStartedAt: Instant, at: Instant | null): string {
  if (at === null) return '–';
  const clock = at.slice(11, 23);
  return at.slice(0, 10) === runStartedAt.slice(0, 10) ? clock : `${at.slice(0, 10)} ${clock}`;
}

/** `1.6 s after the change`. */
export function afterText(changedAt: Instant, at: Instant): string {
  const ms = msBetween(changedAt, at);
  return ms < 0 ? `${durationText(-ms)} before the change` : `${durationText(ms)} after the change`;
}

/** `34.0 s`: one decimal always, so that the states of a lane line up. */
export function secondsText(ms: number): string {
  const [whole = '0', tenth = '0'] = (Math.round(ms / 100) / 10).toFixed(1).split('.');
  return `${whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ',')}.${tenth} s`;
}
