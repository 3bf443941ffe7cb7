/** What stands between two runs: said before any number. */
import type { Analysis } from '../core/analysis.ts';
import type { Caveat } from '../core/comparison.ts';
import { countText, durationText } from '../core/quantity-text.ts';
import type { Check } from '../core/scenario.ts';
import { leavingSide, type LanePair, type Renames } from './compare-match.ts';

export function caveats(a: Analysis, b: Analysis, lanes: readonly LanePair[], renames: Renames): Caveat[] {
  return [
    ...notWhole('a', a),
    ...notWhole('b', b),
    ...otherMode(a, b),
    ...otherSwitch(a, b, renames),
    ...notWatched('a', a, (name) => name),
    ...notWatched('b', b, (name) => renames.get(name) ?? name),
    ...otherChecks(a, b, lanes),
    ...otherRates(lanes),
    ...otherTtls(a, b, renames),
    ...otherClients(a, b, renames),
    ...otherObjectives(a, b, renames),
  ];
}

/** What a good answer is, and what is asked, has to be the same, or "failed" means two things. */
export function isSameCheck(a: Check | undefined, b: Check | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  const said = ({ goodWithinMs, expect }: Check): string => JSON.stringify([goodWithinMs, expect]);
  return said(a) === said(b);
}

export function checkOf(
  { scenario }: Analysis,
  lane: { readonly service: string; readonly check: string },
): Check | undefined {
  return scenario.services.find(({ name }) => name === lane.service)?.checks.find(({ name }) => name === lane.check);
}

function note(text: string): Caveat {
  return { text, isObstacle: false };
}

function notWhole(run: string, { isWhole, incompleteBecause }: Analysis): Caveat[] {
  if (isWhole) return [];
  const [first = 'its log is not whole'] = incompleteBecause;
  return [{ text: `${run} is not whole (${first}): what it did not see may be anything`, isObstacle: true }];
}

function otherMode(a: Analysis, b: Analysis): Caveat[] {
  const [viaA, viaB] = [a.scenario.change.via, b.scenario.change.via];
  return viaA === viaB ? [] : [note(`a changes by ${viaA}, b by ${viaB}`)];
}

/** The other way round is no obstacle: then the side left is held against the side left. */
function otherSwitch(a: Analysis, b: Analysis, renames: Renames): Caveat[] {
  return b.services.flatMap((service): Caveat[] => {
    const nameInA = renames.get(service.name) ?? service.name;
    const inA = a.services.find(({ name }) => name === nameInA);
    if (inA === undefined) return [];
    const [leftA, leftB] = [leavingSide(a, nameInA), leavingSide(b, service.name)];
    const found: Caveat[] = [];
    if (leftA !== leftB) {
      const [titleA, titleB] = [a.scenario.sides[leftA].title, b.scenario.sides[leftB].title];
      found.push(
        note(`${nameInA}: a leaves ${titleA}, b leaves ${titleB}; the side left is held against the side left`),
      );
    }
    const whose = inA.changes.length > 0 ? 'only a' : service.changes.length > 0 ? 'only b' : 'neither';
    if (inA.changes.length === 0 || service.changes.length === 0) {
      found.push({ text: `${nameInA}: ${whose} saw a change, so nothing after it can be compared`, isObstacle: true });
    }
    return found;
  });
}

/** Trouble of a change may come late: who stopped looking has not seen that there was none. */
function notWatched(run: string, { services }: Analysis, nameInA: (name: string) => string): Caveat[] {
  return services.flatMap(({ name, changes, tail: { askedS, watchedS, isWhole } }) => {
    if (changes.length === 0 || isWhole) return [];
    const [watched, asked] = [durationText(watchedS * 1000, 'down'), durationText(askedS * 1000)];
    const text = `${nameInA(name)}: ${run} watched its tail for ${watched} of ${asked}: what came later is not known`;
    return [{ text, isObstacle: true }];
  });
}

function otherChecks(a: Analysis, b: Analysis, lanes: readonly LanePair[]): Caveat[] {
  const texts = new Set<string>();
  for (const pair of lanes) {
    const [ofA, ofB] = [checkOf(a, pair.a), checkOf(b, pair.b)];
    if (ofA === undefined || ofB === undefined || isSameCheck(ofA, ofB)) continue;
    const what =
      ofA.goodWithinMs === ofB.goodWithinMs
        ? 'another answer is expected'
        : `an answer is good within ${durationText(ofA.goodWithinMs)} in a, ${durationText(ofB.goodWithinMs)} in b`;
    texts.add(`${pair.a.check}: ${what}, so what failed cannot be compared`);
  }
  return [...texts].map((text) => ({ text, isObstacle: true }));
}

function otherRates(lanes: readonly LanePair[]): Caveat[] {
  const texts = new Set(
    lanes
      .filter((pair) => pair.a.ratePerSecond !== pair.b.ratePerSecond)
      .map(({ a, b }) => `${countText(a.ratePerSecond)} probes/s of a lane in a, ${countText(b.ratePerSecond)} in b`),
  );
  return [...texts].map((text) => note(`${text}: what they could see differs, and is in the bounds`));
}

function otherTtls(a: Analysis, b: Analysis, renames: Renames): Caveat[] {
  const texts = b.services.flatMap((service) => {
    const inA = a.services.find(({ name }) => name === (renames.get(service.name) ?? service.name));
    const [ttlA, ttlB] = [inA?.ttlS.after ?? null, service.ttlS.after];
    return ttlA === null || ttlB === null || ttlA === ttlB
      ? []
      : [
          `the TTL of ${inA?.name ?? service.name} was ${durationText(ttlA * 1000)} in a, ${durationText(ttlB * 1000)} in b`,
        ];
  });
  return texts.map(note);
}

function otherClients(a: Analysis, b: Analysis, renames: Renames): Caveat[] {
  const found: Caveat[] = [];
  for (const client of b.scenario.clients) {
    const inA = a.scenario.clients.find(({ name }) => name === (renames.get(client.name) ?? client.name));
    if (inA === undefined || JSON.stringify(inA.archetype) === JSON.stringify(client.archetype)) continue;
    found.push(note(`${inA.name} is another kind of client in b: it resolves or connects differently`));
  }
  return found;
}

function otherObjectives(a: Analysis, b: Analysis, renames: Renames): Caveat[] {
  const others = b.scenario.services.filter(({ name, objectives }) => {
    const inA = a.scenario.services.find((one) => one.name === (renames.get(name) ?? name));
    return inA !== undefined && JSON.stringify(inA.objectives) !== JSON.stringify(objectives);
  });
  return others.length === 0 ? [] : [note('their objectives differ, so the verdicts are by different limits')];
}

export function areWeightsEqual(a: Analysis, b: Analysis): boolean {
  const weights = ({ scenario }: Analysis): string =>
    JSON.stringify(scenario.clients.map(({ name, weightRatio }) => [name, weightRatio]));
  return weights(a) === weights(b);
}
