/** What is said before and after a rehearsal, from its world and its outcome. */
import type { Analysis, Cause } from '../core/analysis.ts';
import { durationText } from '../core/quantity-text.ts';
import type { Scenario, Side } from '../core/scenario.ts';
import type { Verdict } from '../core/verdict.ts';
import type { Expected, PlatformSpec, Setting, Step, World } from '../core/world.ts';
import { stepText } from '../model/step-text.ts';

interface Played {
  readonly scenario: Scenario;
  readonly world: World;
  readonly setting: Setting;
}

/** What will happen, a line each. */
export function storyText(
  { scenario, world, setting }: Played,
  { isVirtual }: { readonly isVirtual: boolean },
): string {
  const { places } = setting;
  const hostnames = setting.sites.map(({ hostname }) => hostname);
  const side = (name: Side): string =>
    `${scenario.sides[name].title}: ${platformTitle[world.sides[name].kind]} at ${places.sides[name].join(', ')}`;
  const { zone } = world;
  const rows: readonly (readonly [string, string])[] = [
    ['old side', side('old')],
    ['new side', side('new')],
    [
      'names',
      `${listed(hostnames)}: ${recordTitle[zone.record]}, TTL ${zone.ttlS} s, on ${namesOf(places.nameServers)}`,
    ],
    ['resolvers', namesOf(places.resolvers)],
    ...stepsOf(world.script),
    ['expected', world.expect === null ? 'nothing said' : expectedText(world.expect)],
    ['takes', `about ${durationText(Math.ceil(aboutS(scenario, world)) * 1000)}${isVirtual ? ' of virtual time' : ''}`],
  ];
  const width = Math.max(...rows.map(([title]) => title.length)) + 2;
  const lines = rows.map(([title, text]) => `  ${title.padEnd(width)}${text}`);
  const where = isVirtual ? 'in virtual time' : 'on real sockets of this machine';
  return [`Rehearsal of ${scenario.name}, ${where}, seed ${world.seed}`, ...lines].join('\n');
}

const platformTitle: Readonly<Record<PlatformSpec['kind'], string>> = {
  alb: 'an ALB',
  'ingress-nginx': 'an ingress-nginx',
};

const recordTitle: Readonly<Record<World['zone']['record'], string>> = {
  address: 'addresses',
  cname: 'aliases (CNAME)',
  alias: 'alias records',
  weighted: 'weighted records',
  failover: 'failover records',
};

function namesOf(places: Readonly<Record<string, string>>): string {
  return listed(Object.entries(places).map(([name, address]) => `${name} (${address})`));
}

/** The first three, and how many more. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length <= 3 ? shown : `${shown} and ${names.length - 3} more`;
}

function stepsOf(script: readonly Step[]): readonly (readonly [string, string])[] {
  const inOrder = script.toSorted(
    (a, b) => Number(a.at.from === 'change') - Number(b.at.from === 'change') || a.at.s - b.at.s,
  );
  return inOrder.map(({ at, does }) => [
    at.from === 'start' ? `at ${at.s} s` : at.s === 0 ? 'the change' : `${at.s} s after`,
    stepText(does),
  ]);
}

/** What a rehearsal takes: baseline, until the script has ended and the last cache should have left, and the tail. */
function aboutS({ change, clients }: Scenario, { zone, script }: World): number {
  const lowered = script.find(({ at, does }) => at.from === 'start' && does.kind === 'lower-ttl')?.does;
  const ttlS = lowered?.kind === 'lower-ttl' ? lowered.ttlS : zone.ttlS;
  const lagS = Math.max(...zone.nameServers.map((nameServer) => nameServer.lagS));
  const own = clients.filter(({ archetype }) => archetype.judged).map(({ archetype }) => archetype.resolve);
  const ownCacheS = Math.max(0, ...own.map((resolve) => (resolve.kind === 'fixed' ? resolve.s + resolve.graceS : 0)));
  const ends = script
    .filter(({ at }) => at.from === 'change')
    .map(({ at, does }) => at.s + (does.kind === 'switch-dns' ? ttlS + lagS + ownCacheS : 0));
  return change.baselineS + Math.max(0, ...ends) + change.tailS;
}

function expectedText({ verdict, causes }: Expected): string {
  return causes === null || causes.length === 0 ? verdict : `${verdict}, by ${causes.join(', ')}`;
}

// ── the outcome ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** A request that was under way as something was cut has a cause of its own: fewer than so many of all failures say nothing. */
const causeShareMin = 0.05;

/** Why slots of judged lanes failed, as the report names it; what stray probes met is left out. */
export function causesOf({ lanes }: Analysis): readonly Cause[] {
  const counts = new Map<string, number>();
  for (const { judged, qualified, outages, impaired } of lanes) {
    if (!judged || !qualified) continue;
    for (const { causes } of [...outages, ...impaired]) {
      for (const [cause, count] of Object.entries(causes)) counts.set(cause, (counts.get(cause) ?? 0) + count);
    }
  }
  const failedCount = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const told = [...counts].filter(([, count]) => count > 0 && count >= causeShareMin * failedCount);
  return told.map(([cause]) => cause as Cause).toSorted();
}

export interface Outcome {
  readonly text: string;
  /** 0 as expected, 4 inconclusive and should not be, 3 any other difference. */
  readonly exitCode: 0 | 3 | 4;
}

export function outcomeOf(expected: Expected, verdict: Verdict, causes: readonly Cause[]): Outcome {
  const wanted = expected.causes?.toSorted() ?? null;
  const seen: Expected = { verdict: verdict.value, causes: wanted === null ? null : causes };
  const isSame = verdict.value === expected.verdict && (wanted === null || wanted.join() === causes.join());
  if (isSame) return { text: `As expected: ${expectedText(seen)}.`, exitCode: 0 };
  const text = `Not as expected: ${expectedText(seen)}; it should have been ${expectedText(expected)}.`;
  const isUnsure = verdict.value === 'inconclusive' && expected.verdict !== 'inconclusive';
  return { text, exitCode: isUnsure ? 4 : 3 };
}

/** What fits into most windows; where it does not, what a command is good for stands above it. */
const columnsMax = 100;

/** Commands with what each is good for. */
export function commandsText(title: string, commands: readonly (readonly [command: string, why: string])[]): string {
  const width = Math.max(...commands.map(([command]) => command.length)) + 2;
  const isWide = commands.some(([, why]) => width + why.length + 4 > columnsMax);
  const lines = commands.map(([command, why]) =>
    isWide ? `  # ${why}\n  ${command}` : `  ${command.padEnd(width)}# ${why}`,
  );
  return [title, ...lines].join('\n');
}
