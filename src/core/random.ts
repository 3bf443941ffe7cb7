import type { Random } from './ports.ts';

/**
 * A generator of its own for each label, so that a draw more in one part of a world changes no other part. SplitMix32's
 * mixing over a counter: 2^32 draws, good enough for worlds, not for secrets.
 */
export function newRandom(seed: number, label: string): Random {
  let state = mixed(seed | 0);
  for (const character of label) state = mixed((state ^ (character.codePointAt(0) ?? 0)) | 0);
  return () => {
    state = (state + 0x9e37_79b9) | 0;
    return (mixed(state) >>> 0) / 0x1_0000_0000;
  };
}

function mixed(value: number): number {
  let z = value;
  z = Math.imul(z ^ (z >>> 16), 0x85eb_ca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2_ae35);
  return (z ^ (z >>> 16)) | 0;
}
