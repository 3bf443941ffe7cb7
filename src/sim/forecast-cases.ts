/**
 * Services that share a forecast. What they are called is chance to a simulation: those whose names go through the same
 * steps, as seen from their own switch, and whose resolvers behave alike would differ by nothing else.
 */
import { countOf, durationText, listText } from '../core/quantity-text.ts';
import type { ChangeSpec, Service, Side } from '../core/scenario.ts';
import { nsToMs } from '../core/time.ts';
import type { Setting, StepAction, World } from '../core/world.ts';
import { stepText } from '../model/step-text.ts';
import { planOf, type ForecastPlan, type TimedStep } from './forecast-plan.ts';

export interface Case {
  readonly names: readonly string[];
  /** Of the first of them; so are the resolvers that its users ask. */
  readonly plan: ForecastPlan;
  readonly resolvers: readonly string[];
  /** What makes it another case than the others; null = there are none. */
  readonly differsBy: string | null;
}

interface Draft extends Omit<Case, 'names' | 'differsBy'> {
  readonly names: string[];
  /** Of any of them. */
  readonly resolversOfAll: Set<string>;
  /** One text a step. */
  readonly steps: readonly string[];
  readonly stepKeys: readonly string[];
  readonly resolverKey: string;
}

export interface CasesOptions {
  readonly services: readonly Service[];
  readonly world: World;
  readonly setting: Setting;
  readonly change: ChangeSpec;
}

export function casesOf({ services, ...whole }: CasesOptions): {
  readonly cases: readonly Case[];
  /** Services whose hostname nothing in the script moves. */
  readonly unmoved: readonly string[];
} {
  const unmoved: string[] = [];
  const drafts = new Map<string, Draft>();
  for (const { name, checks, resolvers } of services) {
    const plan = planOf({ ...whole, hostname: checks[0]?.hostname ?? '' });
    if (plan === null) {
      unmoved.push(name);
      continue;
    }
    const steps = plan.steps.filter(({ action }) => matters(action, plan.leaving));
    const stepKeys = steps.map(keyOf);
    const resolverKey = resolverKeyOf(plan, resolvers);
    const key = JSON.stringify([stepKeys, resolverKey]);
    const known = drafts.get(key);
    if (known === undefined) {
      const [names, resolversOfAll] = [[name], new Set(resolvers)];
      drafts.set(key, { names, plan, resolvers, resolversOfAll, steps: steps.map(timedText), stepKeys, resolverKey });
      continue;
    }
    known.names.push(name);
    for (const resolver of resolvers) known.resolversOfAll.add(resolver);
  }
  const all = [...drafts.values()];
  const cases = all.map(({ names, plan, resolvers }, i) => ({
    names,
    plan,
    resolvers,
    differsBy: differenceOf(all, i),
  }));
  return { cases, unmoved };
}

/** To where users are led and how long they stay; those about one resolver are its conduct. */
function matters(action: StepAction, leaving: Side): boolean {
  switch (action.kind) {
    case 'lower-ttl':
    case 'switch-dns':
    case 'shift-weights':
    case 'delete-and-create-record':
    case 'fail-name-server':
      return true;
    case 'lower-connection-age':
    case 'remove-load-balancer':
      return action.side === leaving;
    case 'cut-off-resolver':
    case 'fail-resolver':
    case 'deploy':
    case 'suspend-schedules':
    case 'resume-schedules':
    case 'lose-targets':
    case 'lose-zone':
    case 'fail-app':
    case 'slow-app':
    case 'throttle-cpu':
    case 'show-wrong-certificate':
    case 'degrade-network':
    case 'lose-own-network':
    case 'fail-platform-api':
      return false;
  }
}

/** Whose the step is besides makes no difference. */
function keyOf({ atNs, action, isEnd }: TimedStep): string {
  return JSON.stringify([atNs, isEnd, 'services' in action ? { ...action, services: null } : action]);
}

/** Each user has one resolver by chance: which conducts there are, and how common each is. */
function resolverKeyOf({ conducts, steps }: ForecastPlan, resolvers: readonly string[]): string {
  const known = resolvers.filter((name) => conducts[name] !== undefined);
  const kinds = known.map((name) => {
    const own = steps.filter(({ action }) => 'resolver' in action && action.resolver === name);
    return JSON.stringify([conducts[name], own.map(({ atNs, action, isEnd }) => [atNs, action.kind, isEnd])]);
  });
  const ratioOf = (kind: string): number => kinds.filter((one) => one === kind).length / kinds.length;
  return JSON.stringify([...new Set(kinds)].toSorted().map((kind) => [kind, ratioOf(kind)]));
}

function differenceOf(all: readonly Draft[], i: number): string | null {
  const own = all[i];
  const others = all.filter((one) => one !== own);
  if (own === undefined || others.length === 0) return null;
  const parts: string[] = [];
  if (others.some(({ resolverKey }) => resolverKey !== own.resolverKey)) {
    parts.push(`behind ${listText([...own.resolversOfAll])}`);
  }
  if (others.some(({ stepKeys }) => JSON.stringify(stepKeys) !== JSON.stringify(own.stepKeys))) {
    const texts = own.steps.filter((_, n) => others.some(({ stepKeys }) => !stepKeys.includes(own.stepKeys[n] ?? '')));
    parts.push(...(texts.length === 0 ? ['without the steps of the others'] : shortened(texts)));
  }
  return parts.join('; ');
}

function shortened(texts: readonly string[]): readonly string[] {
  return texts.length <= 2 ? texts : [...texts.slice(0, 2), `${countOf(texts.length - 2, 'more step')}`];
}

function timedText({ atNs, action, isEnd }: TimedStep): string {
  const apart = durationText(Math.abs(nsToMs(atNs)));
  const when = atNs === 0 ? 'at its switch' : `${apart} ${atNs < 0 ? 'before' : 'after'} its switch`;
  return `${when} ${isEnd ? 'it is over that ' : ''}${stepText(action)}`;
}
