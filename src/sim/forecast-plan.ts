/**
 * What a forecast needs of a world, seen from one hostname: its names, what happens to them and when, and how the side
 * that is left ends connections. Instants are ns since the switch, so that everything before it is negative.
 */
import type { ChangeSpec, Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import type { PlatformSpec, ResolverConduct, Setting, StepAction, World, ZoneSpec } from '../core/world.ts';
import { newScript } from '../model/script.ts';

export interface TimedStep {
  readonly atNs: number;
  readonly action: StepAction;
  /** Its `forS` is over. */
  readonly isEnd: boolean;
}

export interface ForecastPlan {
  readonly hostname: string;
  readonly leaving: Side;
  /** With this one site, so that names cost little. */
  readonly setting: Setting;
  readonly zone: ZoneSpec;
  readonly conducts: Readonly<Record<string, ResolverConduct>>;
  /** In order; also steps that concern no names. */
  readonly steps: readonly TimedStep[];
  /**
   * In order: stretches in which every name server goes on saying the same; before the first step, between steps once the
   * last name server has caught up, and after the last.
   */
  readonly calms: readonly { readonly fromNs: number; readonly untilNs: number }[];
  /** From when on every name server leads to which side for good; null = to both, by weights. */
  readonly settled: { readonly fromNs: number; readonly side: Side } | null;
  /** Whoever asks is led away from the side that is left for good, in the end. */
  readonly leadsAway: boolean;
  /** The side that is left. */
  readonly platform: PlatformSpec;
  /** When the script itself removes that side. */
  readonly removedAtNs: number | null;
}

export interface PlanOptions {
  readonly world: World;
  readonly setting: Setting;
  readonly change: ChangeSpec;
  readonly hostname: string;
}

/** Null where nothing moves the hostname: a deployment is no switch, and what a script does before it is not either. */
export function planOf({ world, setting, change, hostname }: PlanOptions): ForecastPlan | null {
  const site = setting.sites.find((one) => one.hostname === hostname);
  if (site === undefined || change.via === 'deploy') return null;
  const { service } = site;
  const leaving: Side = change.direction === 'old-to-new' ? 'old' : 'new';
  const first = world.script.find(({ does }) => isAbout(does, service) && ledTo(does) !== 'as-before');
  if (first === undefined) return null;

  // The switch is instant 0; the world has been watched for a baseline when the change is made.
  const baselineNs = sToNs(change.baselineS);
  const changeNs = first.at.from === 'change' ? -sToNs(first.at.s) : baselineNs - sToNs(first.at.s);
  const startNs = changeNs - baselineNs;
  const steps = timed(world, startNs, changeNs).filter(({ action }) => isAbout(action, service));
  const lagS = Math.max(...world.zone.nameServers.map((server) => server.lagS));
  const removed = steps.find(({ action }) => action.kind === 'remove-load-balancer' && action.side === leaving);
  const settled = settledOf(steps, lagS);
  return {
    hostname,
    leaving,
    setting: { ...setting, sites: [site], referenceHostnames: [] },
    zone: world.zone,
    conducts: world.resolvers,
    steps,
    calms: calmsOf(steps, lagS),
    settled,
    leadsAway: settled !== null && settled.side !== leaving,
    platform: world.sides[leaving],
    removedAtNs: removed?.atNs ?? null,
  };
}

function timed(world: World, startNs: number, changeNs: number): readonly TimedStep[] {
  const script = newScript(world.script, startNs);
  script.change(changeNs);
  const steps: TimedStep[] = [];
  for (let next = script.nextNs(); next !== null; next = script.nextNs()) {
    for (const { action, isEnd } of script.due(next)) steps.push({ atNs: next, action, isEnd });
  }
  return steps;
}

function isAbout(action: StepAction, service: string): boolean {
  return !('services' in action) || action.services === null || action.services.includes(service);
}

function calmsOf(steps: readonly TimedStep[], lagS: number): ForecastPlan['calms'] {
  const untils = [...steps.map(({ atNs }) => atNs), Infinity];
  const froms = [-Infinity, ...steps.map((step) => seenEverywhereNs(step, lagS))];
  return untils
    .map((untilNs, i) => ({ fromNs: froms[i] ?? -Infinity, untilNs }))
    .filter((calm) => calm.fromNs < calm.untilNs);
}

/** When every name server has caught up with a step. */
function seenEverywhereNs({ atNs, action }: TimedStep, lagS: number): number {
  return atNs + sToNs(lagS + (action.kind === 'delete-and-create-record' ? action.gapS : 0));
}

/** Where a name leads after a step: wholly to one side, to both, or as before. */
function ledTo(action: StepAction): Side | 'both' | 'as-before' {
  if (action.kind === 'switch-dns' || action.kind === 'delete-and-create-record') return action.to;
  if (action.kind !== 'shift-weights') return 'as-before';
  return action.newRatio === 0 ? 'old' : action.newRatio === 1 ? 'new' : 'both';
}

function settledOf(steps: readonly TimedStep[], lagS: number): ForecastPlan['settled'] {
  const last = steps.findLast(({ action }) => ledTo(action) !== 'as-before');
  const side = last === undefined ? 'both' : ledTo(last.action);
  if (last === undefined || side === 'both' || side === 'as-before') return null;
  return { fromNs: seenEverywhereNs(last, lagS), side };
}
