import { describe, expect, test } from 'vitest';
import type { BinRun, Picture, PictureLane } from '../../src/core/picture.ts';
import { stripOf, stripScale } from '../../src/report/live-strip.ts';
import { textOf } from './live-kit.ts';

/** One bin a letter: good ones by side, `x` half failed, `X` failed, `!` unseen, ` ` nothing due. */
const bins: Readonly<Record<string, readonly [number, number, number, number, number]>> = {
  o: [3, 0, 0, 0, 0],
  n: [0, 3, 0, 0, 0],
  '?': [0, 0, 3, 0, 0],
  x: [0, 2, 0, 1, 0],
  X: [0, 0, 0, 3, 0],
  '!': [0, 0, 0, 0, 3],
  h: [0, 1, 0, 0, 2],
  f: [0, 0, 0, 1, 2],
};

function laneOf(letters: string): PictureLane {
  const runs = [...letters].flatMap((letter, i): BinRun[] => {
    const counts = bins[letter];
    return counts === undefined ? [] : [[i, 1, ...counts]];
  });
  return { name: letters, runs, failures: [] };
}

function pictureOf(lanes: readonly PictureLane[], binCount: number): Picture {
  const none = { latency: [], resolvers: [], closeUps: [], closeUpsLeftOutCount: 0 };
  return { binMs: 700, binCount, untilMs: 700 * binCount, lanes, ...none };
}

function draw(letters: readonly string[], columns: number, windowMs = 3_600_000): string {
  const lanes = letters.map(laneOf);
  const picture = pictureOf(lanes, Math.max(...letters.map((one) => one.length)));
  return textOf(stripOf(lanes, stripScale(picture, columns, windowMs)));
}

describe('a strip', () => {
  test.for([
    { lanes: ['ooXnn'], columns: 5, drawn: 'ooXnn' },
    { lanes: ['ooXnn'], columns: 8, drawn: '   ooXnn' },
    { lanes: ['oooooX'], columns: 3, drawn: 'oox' }, // one failure among many good ones shows
    { lanes: ['ooonnn'], columns: 3, drawn: 'omn' },
    { lanes: ['oooo', 'XXXX'], columns: 4, drawn: 'xxxx' }, // one lane down, one well
    { lanes: ['XXXX', 'XXXX'], columns: 4, drawn: 'XXXX' },
    { lanes: ['o!o'], columns: 3, drawn: 'o·o' },
    { lanes: ['oho'], columns: 3, drawn: 'o·o' }, // mostly unseen is no answer of a side
    { lanes: ['ofo'], columns: 3, drawn: 'oxo' }, // nor that all failed
    { lanes: ['oo!'], columns: 3, drawn: 'oo ' }, // still under way
    { lanes: ['ooh'], columns: 3, drawn: 'oon' },
    { lanes: ['!X!'], columns: 3, drawn: '·X ' },
    { lanes: ['o??'], columns: 3, drawn: 'o??' },
    { lanes: ['o oo'], columns: 4, drawn: 'o oo' },
  ])('of $lanes on $columns columns is "$drawn"', ({ lanes, columns, drawn }) => {
    expect(draw(lanes, columns)).toBe(drawn);
  });

  test('of a window shows the newest of it', () => {
    expect(draw(['oooooooXnn'], 4, 4 * 700)).toBe('oXnn');
  });

  test('moves by whole cells, so that what stands does not change its letter while time goes on', () => {
    const all = `oXo${'o'.repeat(20)}`;
    const at = (binCount: number): string => {
      const lane = laneOf(all.slice(0, binCount));
      return textOf(stripOf([lane], stripScale(pictureOf([lane], binCount), 8, 14 * 700)));
    };
    for (const binCount of [15, 16, 17, 18])
      expect(at(binCount).indexOf('x')).toBe(at(15).indexOf('x') - (binCount > 16 ? 1 : 0));
  });
});
