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
  /** When the world starts: before, nothing happens. */
  readonly startNs: number;
  /** From here on every name server leads away from the leaving side, for good; null = never. */
  readonly settledFromNs: number | null;
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

/** Null where nothing in the script moves the hostname. */
export function planOf({ world, setting, change, hostname }: PlanOptions): ForecastPlan | null {
  const site = setting.sites.find((one) => one.hostname === hostname);
  if (site === undefined) return null;
  const { service } = site;
  const leaving: Side = change.direction === 'old-to-new' ? 'old' : 'new';
  const first = world.script.find(({ does }) => isAbout(does, service) && movesTo(does, leaving) !== 'nothing');
  if (first === undefined) return null;

  // The switch is instant 0; the world has been watched for a baseline when the change is made.
  const baselineNs = sToNs(change.baselineS);
  const changeNs = first.at.from === 'change' ? -sToNs(first.at.s) : baselineNs - sToNs(first.at.s);
  const startNs = changeNs - baselineNs;
  const steps = timed(world, startNs, changeNs).filter(({ action }) => isAbout(action, service));
  const removed = steps.find(({ action }) => action.kind === 'remove-load-balancer' && action.side === leaving);
  return {
    hostname,
    leaving,
    setting: { ...setting, sites: [site], referenceHostnames: [] },
    zone: world.zone,
    conducts: world.resolvers,
    steps,
    startNs,
    settledFromNs: settledFromNs(steps, leaving, Math.max(...world.zone.nameServers.map(({ lagS }) => lagS))),
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

/** Where a step leads a name: wholly away from the leaving side, there (at least in part), or it says nothing of that. */
function movesTo(action: StepAction, leaving: Side): 'away' | 'there' | 'nothing' {
  switch (action.kind) {
    case 'switch-dns':
    case 'delete-and-create-record':
      return action.to === leaving ? 'there' : 'away';
    case 'shift-weights':
      return action.newRatio === (leaving === 'old' ? 1 : 0) ? 'away' : 'there';
    default:
      return 'nothing';
  }
}

function settledFromNs(steps: readonly TimedStep[], leaving: Side, lagS: number): number | null {
  const last = steps.findLast(({ action }) => movesTo(action, leaving) !== 'nothing');
  if (last === undefined || movesTo(last.action, leaving) === 'there') return null;
  const gapS = last.action.kind === 'delete-and-create-record' ? last.action.gapS : 0;
  return last.atNs + sToNs(gapS + lagS);
}
