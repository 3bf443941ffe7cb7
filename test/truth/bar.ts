/** The truth bar: five rates over many worlds, and how often the verdict shrugged. */
import { differencesOf } from '../../src/truth/comparison.ts';
import { sumOfRates, type CauseRates } from '../../src/truth/match-causes.ts';
import type { SeedResult } from './run-seed.ts';

export interface Rate {
  readonly name: string;
  readonly part: number;
  readonly whole: number;
  readonly isMet: boolean;
  readonly bar: string;
}

export interface Tally {
  /** A line that says what is wrong, or null. */
  add(result: SeedResult): string | null;
  rates(): readonly Rate[];
  isPassed(): boolean;
  /** Why verdicts were inconclusive: rule or objective → worlds. */
  readonly shrugs: ReadonlyMap<string, number>;
  readonly verdicts: ReadonlyMap<string, number>;
}

const causesRightMin = 0.99;
const eachCauseRightMin = 0.95;
/** Of fewer nothing can be said. */
const causeFailuresMin = 200;
/** Of one world: fewer are worth a look. */
const causesRightInWorldMin = 0.97;
/** Less of outages than of probes: many are a blip between two probes of whoever else could have told whose it was. */
const outagesRightMin = 0.97;
const inconclusiveRatioMax = 0.05;

export function newTally(): Tally {
  let worlds = 0;
  let [outages, reported, lengths, inside, named, falseCount] = [0, 0, 0, 0, 0, 0];
  let [causes, causesRight, namedRight, unattributed, contradicted, odd, shrugging, clear, live] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0,
  ];
  const shrugs = new Map<string, number>();
  const verdicts = new Map<string, number>();
  const byCause: CauseRates[] = [];
  const count = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1);

  function add(result: SeedResult): string | null {
    const { comparison, verdict } = result;
    const { counts } = comparison;
    worlds += 1;
    outages += counts.trueOutages;
    reported += counts.reported;
    lengths += counts.lengths;
    inside += counts.lengthsInside;
    named += counts.named;
    falseCount += comparison.falseOutages.length;
    causes += counts.causes;
    causesRight += counts.causesRight;
    namedRight += counts.namedRight;
    byCause.push(counts.byCause);
    unattributed += counts.unattributed;
    contradicted += comparison.contradictions.length > 0 ? 1 : 0;
    odd += comparison.oddRows.length;
    live += result.differsFromLive ? 1 : 0;
    count(verdicts, verdict.value);
    if (!isBlind(result)) {
      clear += 1;
      if (verdict.value === 'inconclusive') {
        shrugging += 1;
        const reasons = verdict.reasons.filter(
          ({ value, severity }) => value === 'inconclusive' && severity === 'fail',
        );
        for (const objective of new Set(reasons.map((reason) => reason.objective))) count(shrugs, objective);
      }
    }
    // Single causes may be wrong: the bar says how many.
    const areCausesRight = counts.causesRight >= causesRightInWorldMin * counts.causes;
    const wrong = differencesOf(comparison).flatMap(([title, list]) => {
      const [first] = list;
      if (list === comparison.wrongCauses && areCausesRight) return [];
      return first === undefined ? [] : [`${title} (${String(list.length)}): ${first.lane}: ${first.text}`];
    });
    if (result.differsFromLive) wrong.push('the live analysis and that of the log differ');
    return wrong.length === 0 ? null : `world ${String(result.seed)}: ${wrong.join('\n    ')}`;
  }

  function rates(): readonly Rate[] {
    const rate = (name: string, part: number, whole: number, bar: string, isMet: boolean): Rate => ({
      name,
      part,
      whole,
      bar,
      isMet,
    });
    return [
      rate('true outages reported', reported, outages, '100 %', reported === outages),
      rate('true lengths inside the bounds', inside, lengths, '100 %', inside === lengths),
      rate('reported where nothing was wrong', falseCount, named, '0', falseCount === 0),
      rate('failed probes with a true cause', causesRight, causes, '≥ 99 %', causesRight >= causesRightMin * causes),
      ...rarelyTold(sumOfRates(byCause)),
      rate('outages with a true cause', namedRight, named, '≥ 97 %', namedRight >= outagesRightMin * named),
      rate('worlds with a verdict that the truth rules out', contradicted, worlds, '0', contradicted === 0),
      rate('failed probes unattributed', unattributed, causes, 'none', true),
      rate('inconclusive, nothing blind', shrugging, clear, '≤ 5 %', shrugging <= inconclusiveRatioMax * clear),
      rate('rows that the world rules out', odd, worlds, '0', odd === 0),
      rate('worlds whose log says otherwise than the live analysis', live, worlds, '0', live === 0),
    ];
  }

  return { add, rates, isPassed: () => rates().every(({ isMet }) => isMet), shrugs, verdicts };
}

/** Of each cause that really was one, how many failures were told so: a sweep of one cause must not hide another. */
function rarelyTold(rates: CauseRates): readonly Rate[] {
  return Object.entries(rates)
    .filter(([, { count }]) => count >= causeFailuresMin)
    .map(([cause, { count, right }]) => ({
      name: `  of ${cause}`,
      part: right,
      whole: count,
      bar: '≥ 95 %',
      isMet: right >= eachCauseRightMin * count,
    }));
}

/** Something was not seen: then not knowing is right. */
function isBlind({ analysis, wasOwnNetworkLost }: SeedResult): boolean {
  return wasOwnNetworkLost || analysis.prober.droppedCount > 0 || analysis.prober.blindSpots.length > 0;
}

export function barText(tally: Tally): string {
  const lines = tally.rates().map(({ name, part, whole, bar, isMet }) => {
    const percent = whole === 0 ? '' : ` (${((100 * part) / whole).toFixed(2)} %)`;
    return `${isMet ? 'met   ' : 'MISSED'} ${name.padEnd(56)} ${`${String(part)} of ${String(whole)}${percent}`.padEnd(28)} bar ${bar}`;
  });
  const list = (map: ReadonlyMap<string, number>): string =>
    [...map]
      .toSorted(([, a], [, b]) => b - a)
      .map(([key, n]) => `${key} ${String(n)}`)
      .join(', ') || 'none';
  return `${[...lines, `verdicts: ${list(tally.verdicts)}`, `inconclusive for: ${list(tally.shrugs)}`].join('\n')}\n`;
}
