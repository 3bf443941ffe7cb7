/** Points that speak for or against a step, put together: what stands against it comes first, and unknown is never yes. */
import type { SafetyAdvice } from '../core/analysis.ts';

export interface Point {
  /** `said`: worth knowing, and decides nothing. */
  readonly weight: 'no' | 'unknown' | 'yes' | 'said';
  /** Of `yes`: since when, null = as long as was seen. Of `no`: from when on it no longer stands against it, null = nobody knows. */
  readonly fromNs: number | null;
  /** A sentence. */
  readonly text: string;
}

/** It stands against the step until that instant. */
export function notBefore(fromNs: number, nowNs: number, text: string): Point {
  return { weight: fromNs > nowNs ? 'no' : 'yes', fromNs, text: fromNs > nowNs ? text : '' };
}

export function no(text: string): Point {
  return { weight: 'no', fromNs: null, text };
}

export function unknown(text: string): Point {
  return { weight: 'unknown', fromNs: null, text };
}

export function yes(text = '', fromNs: number | null = null): Point {
  return { weight: 'yes', fromNs, text };
}

export function said(text: string): Point {
  return { weight: 'said', fromNs: null, text };
}

export function adviceOf(points: readonly Point[]): SafetyAdvice {
  const of = (weight: Point['weight']): readonly Point[] => points.filter((point) => point.weight === weight);
  const against = [...of('no').filter(({ fromNs }) => fromNs === null), ...of('no').filter(isTimed)];
  const open = of('unknown');
  const isSafe = against.length === 0 && open.length === 0;
  const telling = isSafe ? of('yes') : [...against, ...open];
  const instants = [...against, ...of('yes')].filter(isTimed).map(({ fromNs }) => fromNs);
  const isKnown = open.length === 0 && against.every(isTimed) && instants.length > 0;
  const texts = (those: readonly Point[]): readonly string[] =>
    [...new Set(those.map(({ text }) => text))].filter((text) => text !== '');
  return {
    safe: isSafe ? 'yes' : against.length > 0 ? 'no' : 'unknown',
    atNs: isKnown ? Math.max(...instants) : null,
    because: texts(telling),
    besides: texts(of('said')),
  };
}

function isTimed(point: Point): point is Point & { readonly fromNs: number } {
  return point.fromNs !== null;
}
