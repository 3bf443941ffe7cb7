/**
 * Counters for Prometheus, which takes one that falls for one that began anew. Our counts can fall: on which side a probe
 * was, and whether we were blind, may turn out later. So each keeps the most that it was.
 */
import { labelsText, type Family } from './prometheus-text.ts';

export function newNeverFalling(): (families: readonly Family[]) => readonly Family[] {
  const most = new Map<string, number>();
  return (families) =>
    families.map((family) => {
      if (family.type === 'gauge') return family;
      const samples = family.samples.map((sample) => {
        const key = `${family.name}${sample.suffix ?? ''}${labelsText(sample.labels)}`;
        const value = Math.max(most.get(key) ?? 0, sample.value);
        most.set(key, value);
        return { ...sample, value };
      });
      return { ...family, samples };
    });
}
