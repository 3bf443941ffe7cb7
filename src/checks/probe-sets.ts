/** Questions that several checks ask of probes. */
import type { Side } from '../core/scenario.ts';
import type { Facts, Probe, ProbeAnswer, ProbeKind } from './facts.ts';

/** A check that may take longer is a slow one, and asked once: 60 s is where proxies give up. */
export const slowMs = 60_000;

export interface Answered extends Probe {
  readonly answer: ProbeAnswer;
}

export function probesOf(
  { probes }: Facts,
  of: { readonly service: string; readonly side: Side; readonly kind?: ProbeKind; readonly address?: string },
): readonly Probe[] {
  return probes.filter(
    (probe) =>
      probe.service === of.service &&
      probe.side === of.side &&
      (of.kind === undefined || probe.kind === of.kind) &&
      (of.address === undefined || probe.address === of.address),
  );
}

export function answered(probes: readonly Probe[]): readonly Answered[] {
  return probes.filter((probe): probe is Answered => probe.answer !== null);
}

export function headerOf({ headers }: ProbeAnswer, name: string): string {
  return headers.find(([one]) => one === name)?.[1] ?? '';
}

/** This machine cannot get there: nothing is known of the address. */
export function isOutOfReach({ outcome, error }: Probe): boolean {
  return outcome === 'own-trouble' || error === 'ENETUNREACH' || error === 'EADDRNOTAVAIL';
}

/** What a probe met, in words: `connect-refused (ECONNREFUSED)`. */
export function failureText({ outcome, error }: Pick<Probe, 'outcome' | 'error'>): string {
  return error === '' ? outcome : `${outcome} (${error})`;
}

/** In the order of first appearance. */
export function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

/** A header's value without parameters, which servers write each in their way; what follows a `?` may be secret. */
export function comparable(name: string, value: string): string {
  const [bare = ''] = value.split(name === 'location' ? '?' : ';');
  return bare.trim().toLowerCase();
}
