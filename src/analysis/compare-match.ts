/** What of two runs is the same thing: by name, by the names that somebody gave, and by what is left over on both sides. */
import type { Analysis, LaneAnalysis } from '../core/analysis.ts';
import type { Caveat } from '../core/comparison.ts';
import { laneName } from '../core/lane-name.ts';
import { listText } from '../core/quantity-text.ts';
import type { Side } from '../core/scenario.ts';
import { otherSide } from './sides.ts';

/** b's name → a's; of services, clients and resolvers alike. */
export type Renames = ReadonlyMap<string, string>;

export interface LanePair {
  readonly a: LaneAnalysis;
  readonly b: LaneAnalysis;
}

export interface Matched {
  readonly lanes: readonly LanePair[];
  /** Names in a of services that both have. */
  readonly services: readonly string[];
  readonly caveats: readonly Caveat[];
}

/** The side that the first change of a service leaves; before any, that of the scenario. */
export function leavingSide({ services, scenario }: Analysis, service: string): Side {
  const change = services.find(({ name }) => name === service)?.changes[0];
  return (change?.direction ?? scenario.change.direction) === 'old-to-new' ? 'old' : 'new';
}

/** A lane of a side is `side left` or `side moved to`, so that a rollback is held against a switchover. */
export function clientKey(client: string, leaving: Side): string {
  if (client === `side:${leaving}`) return 'side left';
  return client === `side:${otherSide(leaving)}` ? 'side moved to' : client;
}

export function matchRuns(a: Analysis, b: Analysis, renames: Renames): Matched {
  const inA = (name: string): string => renames.get(name) ?? name;
  const services = pairNames(namesOf(a.services), namesOf(b.services), inA);
  const clients = pairNames(namesOf(a.scenario.clients), namesOf(b.scenario.clients), inA);
  const keyOf = (analysis: Analysis, lane: LaneAnalysis, name: (one: string) => string): string =>
    JSON.stringify([
      name(lane.service),
      checkIndex(analysis, lane),
      name(clientKey(lane.client, leavingSide(analysis, lane.service))),
      lane.series,
    ]);
  const own = (lanes: readonly LaneAnalysis[]): LaneAnalysis[] => lanes.filter(({ role }) => role === 'client');
  const groups = {
    a: Map.groupBy(own(a.lanes), (lane) => keyOf(a, lane, (name) => name)),
    b: Map.groupBy(own(b.lanes), (lane) => keyOf(b, lane, inA)),
  };
  const lanes: LanePair[] = [];
  const unmatched: { readonly a: LaneAnalysis[]; readonly b: LaneAnalysis[] } = { a: [], b: [] };
  const resolvers = new Set<string>();
  for (const key of new Set([...groups.a.keys(), ...groups.b.keys()])) {
    const left = [...(groups.b.get(key) ?? [])];
    const lonely: LaneAnalysis[] = [];
    for (const lane of groups.a.get(key) ?? []) {
      const at = left.findIndex(({ resolver }) => (resolver === null ? null : inA(resolver)) === lane.resolver);
      const [found] = at === -1 ? [] : left.splice(at, 1);
      if (found === undefined) lonely.push(lane);
      else lanes.push({ a: lane, b: found });
    }
    const [oneA, oneB] = [lonely[0], left[0]];
    if (oneA !== undefined && oneB !== undefined && lonely.length === 1 && left.length === 1) {
      // Each asks another resolver, and there is no choice: a rehearsal's resolver stands for the real one.
      lanes.push({ a: oneA, b: oneB });
      resolvers.add(`${oneA.resolver ?? 'none'} of a is held against ${oneB.resolver ?? 'none'} of b`);
    } else {
      unmatched.a.push(...lonely);
      unmatched.b.push(...left);
    }
  }
  return {
    lanes,
    services: services.both,
    caveats: [
      ...missing('service', services),
      ...missing('client', clients),
      ...[...resolvers].map((text) => ({ text: `resolvers: ${text}`, isObstacle: false })),
      ...missingLanes(unmatched, services.both, inA),
    ],
  };
}

/** Names differ between a rehearsal and production; the place of a check in its service does not. */
function checkIndex({ scenario }: Analysis, lane: LaneAnalysis): number {
  const service = scenario.services.find(({ name }) => name === lane.service);
  return service?.checks.findIndex(({ name }) => name === lane.check) ?? -1;
}

function namesOf(named: readonly { readonly name: string }[]): string[] {
  return named.map(({ name }) => name);
}

interface Names {
  readonly both: readonly string[];
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
}

function pairNames(a: readonly string[], b: readonly string[], inA: (name: string) => string): Names {
  const named = new Set(b.map(inA));
  return {
    both: a.filter((name) => named.has(name)),
    onlyA: a.filter((name) => !named.has(name)),
    onlyB: b.filter((name) => !a.includes(inA(name))),
  };
}

function missing(kind: 'service' | 'client', { onlyA, onlyB }: Names): Caveat[] {
  const only = (run: string, names: readonly string[]): string =>
    names.length === 0 ? '' : `only ${run} has the ${kind}${names.length === 1 ? '' : 's'} ${listText(names)}`;
  const said = [only('a', onlyA), only('b', onlyB)].filter((text) => text !== '');
  if (said.length === 0) return [];
  const hints = onlyB.flatMap((name) => {
    // One service left over on both sides is most likely the same; of clients each has his own.
    const isOnly = kind === 'service' && onlyA.length === 1 && onlyB.length === 1;
    const like = isOnly ? (onlyA[0] ?? null) : mostLike(name, onlyA);
    return like === null ? [] : [`--rename ${like}=${name}`];
  });
  const hint = hints.length === 0 ? '' : `; if they are the same, say ${hints.join(' ')}`;
  return [{ text: `${said.join(', ')}: not compared${hint}`, isObstacle: kind === 'service' }];
}

function missingLanes(
  { a, b }: { readonly a: readonly LaneAnalysis[]; readonly b: readonly LaneAnalysis[] },
  services: readonly string[],
  inA: (name: string) => string,
): Caveat[] {
  const judged = (lanes: readonly LaneAnalysis[], name: (one: string) => string): string[] =>
    lanes.filter((lane) => lane.judged && services.includes(name(lane.service))).map(laneName);
  return (
    [
      ['a', judged(a, (name) => name)],
      ['b', judged(b, inA)],
    ] as const
  ).flatMap(([run, names]) =>
    names.length === 0
      ? []
      : [{ text: `only ${run} has the judged lanes ${listText(names)}: not compared`, isObstacle: true }],
  );
}

/** Of names that share so much with it, the one that shares most. */
const likenessMin = 0.4;

function mostLike(name: string, others: readonly string[]): string | null {
  const [best] = others
    .map((other) => ({ other, likeness: likeness(name, other) }))
    .toSorted((x, y) => y.likeness - x.likeness);
  return best !== undefined && best.likeness >= likenessMin ? best.other : null;
}

/** Dice's coefficient of pairs of neighbouring characters, 0 to 1. */
function likeness(x: string, y: string): number {
  const pairs = (text: string): Set<string> => new Set(Array.from(text, (_, i) => text.slice(i, i + 2)).slice(0, -1));
  const [ofX, ofY] = [pairs(x.toLowerCase()), pairs(y.toLowerCase())];
  return ofX.size + ofY.size === 0 ? 0 : (2 * [...ofX].filter((pair) => ofY.has(pair)).length) / (ofX.size + ofY.size);
}
