/** From the evidence to the `Analysis`, from top to bottom. Reads what was gathered, changes nothing of it. */
import type { Analysis, ServiceAnalysis } from '../core/analysis.ts';
import type { EntryOf, RunMode } from '../core/entry.ts';
import type { Service } from '../core/scenario.ts';
import { toIso } from '../core/time.ts';
import { analyseAuthorities } from './authority-analysis.ts';
import { authorityTracks, decidingTracks, type AuthorityTrack } from './authority-tracks.ts';
import { findChanges, type Change } from './change.ts';
import { convergenceInPlace, convergenceOf, movesEverybody } from './convergence.ts';
import { findingsOf } from './findings.ts';
import type { Gathered } from './gathered.ts';
import { analyseLane, isQualified, type LaneContext } from './lane-analysis.ts';
import type { LaneStore } from './lane-store.ts';
import { viewLane, viewRetried, type LaneView, type ViewContext } from './lane-view.ts';
import { isFresh, recordLife, type RecordLife, type WasStale } from './leaving.ts';
import { suspectSpans, type OwnNetwork } from './own-network.ts';
import { newJournal, type Journal } from './journal.ts';
import { analyseObservers } from './observer-analysis.ts';
import { analyseProber } from './prober-analysis.ts';
import { residualOf } from './residual.ts';
import { analyseResolvers } from './resolver-analysis.ts';
import {
  isStaleAt,
  storyKey,
  tellStories,
  type HostnameChanges,
  type LastMoved,
  type ResolverEvidence,
  type ResolverStories,
} from './resolver-story.ts';
import { analyseReplicas, replicaSpans } from './replicas.ts';
import { rolloutsOf, type RolloutsSeen } from './rollouts.ts';
import { newSafety } from './safety.ts';
import { analyseService, phaseAt, phasesOf, type ServiceContext } from './service-analysis.ts';
import { newSideLanes } from './side-lanes.ts';
import { newSides, type Sides } from './sides.ts';
import { Spans } from './spans.ts';
import { analyseTargets, type TargetsRead } from './targets.ts';
import { incompleteBecause, lostBecause } from './wholeness.ts';

/** What is concluded once for the whole run. */
interface RunContext {
  readonly gathered: Gathered;
  readonly journal: Journal;
  readonly sides: Sides;
  readonly tracks: readonly AuthorityTrack[];
  readonly views: readonly LaneView[];
  readonly retried: readonly LaneView[];
  readonly ownNetwork: OwnNetwork;
  readonly rollouts: RolloutsSeen;
  readonly endedAtNs: number;
}

/** One series of a lane, and what its slots are read by. */
export interface ReadLane {
  readonly view: LaneView;
  readonly context: LaneContext;
}

/** An analysis, and what it was concluded from, for those who need more than its sums: pictures, comparisons, exports. */
export interface Conclusion {
  readonly analysis: Analysis;
  readonly journal: Journal;
  readonly sides: Sides;
  readonly tracks: readonly AuthorityTrack[];
  readonly stories: ResolverStories;
  /** Services in the order of the scenario, the raw series of each before the retried; then references. */
  readonly lanes: readonly ReadLane[];
}

export function conclude(gathered: Gathered): Conclusion {
  const { started } = gathered;
  const run = runContext(gathered);
  const { journal, sides, views, ownNetwork, endedAtNs } = run;
  const contexts = started.scenario.services.map((service) => serviceContext(service, run));
  const resolverEvidence: ResolverEvidence = {
    resolvers: started.scenario.resolvers.map((resolver) => resolver.name),
    definitions: gathered.definitions,
    answersUsed: gathered.answersUsed,
    ledgers: gathered.ledgers,
    tracks: run.tracks,
    sides,
    changesOf: (hostname) => changesOf(contexts, hostname),
    at: (atNs) => toIso(started.startedAtMs, atNs),
  };
  const stories = tellStories(resolverEvidence);
  const observers = analyseObservers(journal, endedAtNs);
  const targets = analyseTargets({
    journal,
    definitions: gathered.definitions,
    scenario: started.scenario,
    contexts,
    observers,
    startedAtMs: started.startedAtMs,
    isDeploy: started.mode === 'deploy',
    // Nobody looks at platforms while the last answers are waited for.
    endNs: Math.min(endedAtNs, journal.of('run-ended')[0]?.probedUntilNs ?? endedAtNs),
  });
  const readLanes = [
    ...contexts.flatMap((context) => lanesOfService(context, run, { stories, targets })),
    ...lanesWithoutService(run),
  ];
  const lanes = readLanes
    .map(({ view, context }) => analyseLane(view, context))
    .toSorted((a, b) => a.number - b.number || (a.series < b.series ? -1 : 1));
  const safetyOf = newSafety({
    journal,
    startedAtMs: started.startedAtMs,
    sides,
    tracks: run.tracks,
    stories,
    lostBecause: lostBecause(gathered, views, journal),
  });
  const services = contexts.map((context) => {
    const own = lanes.filter((lane) => lane.service === context.service.name);
    const residual = residualOf({ context, stories, wasStale: wasStaleBy(stories) });
    return analyseService(context, own, { residual, ...safetyOf(context, own), ...replicasOf(context, run) });
  });
  const ended = journal.of('run-ended')[0];
  const because = incompleteBecause(gathered, views, journal);
  const steps = journal.of('step-checked');
  const resolvers = analyseResolvers(resolverEvidence, stories);
  const authorities = analyseAuthorities(run.tracks, journal);
  const prober = analyseProber(views, journal, endedAtNs);
  const analysis: Analysis = {
    mode: started.mode,
    scenario: started.scenario,
    runId: started.runId,
    version: started.version,
    vantage: started.vantage,
    startedAtMs: started.startedAtMs,
    endedAtNs,
    isWhole: because.length === 0,
    incompleteBecause: because,
    endedBecause: ended?.why ?? '',
    command: commandOf(started, journal),
    commandWithheldBecause: journal.of('command-withheld')[0]?.why ?? null,
    marks: journal.of('marked').map(({ atNs, text }) => ({ atNs, text })),
    ...(steps.length === 0 ? {} : { playbook: steps }),
    services,
    lanes,
    resolvers,
    authorities,
    findings: findingsOf({
      gathered,
      journal,
      sides,
      tracks: run.tracks,
      views,
      contexts,
      lanes,
      services,
      rollouts: run.rollouts.rollouts,
      resolvers,
      ownNetwork,
      prober,
      observers,
      targets,
      endedAtNs,
    }),
    ...(observers.length === 0 ? {} : { observers }),
    ...(started.scenario.change.via !== 'deploy' || run.rollouts.rollouts.length === 0
      ? {}
      : { rollouts: run.rollouts.rollouts }),
    ...(targets.targets.length === 0 ? {} : { targets: targets.targets }),
    ...(targets.staleTargets.length === 0 ? {} : { staleTargets: targets.staleTargets }),
    ...(targets.watch.length === 0 ? {} : { targetWatch: targets.watch }),
    prober,
    sides: sides.addresses,
  };
  return { analysis, journal, sides, tracks: run.tracks, stories, lanes: readLanes };
}

function runContext(gathered: Gathered): RunContext {
  const { started, definitions } = gathered;
  const journal = newJournal(gathered.entries);
  const sides = newSides(started.scenario, journal, definitions);
  const stalls = journal.of('prober-stalled');
  const probedUntilNs = journal.of('run-ended')[0]?.probedUntilNs;
  const latestNs = Math.max(0, ...gathered.workerAtNs.values());
  const stores = gathered.lanes.filter((store) => store !== undefined);
  const workerOf = ({ lane, worker }: LaneStore): number =>
    started.workerCount === undefined ? worker : lane.number % started.workerCount;
  const contextOf = (store: LaneStore): ViewContext => ({
    sides,
    definitions,
    // Without an end, what a thread last handed over is known; a lane of which nothing came is as late as the latest.
    untilNs: probedUntilNs ?? gathered.workerAtNs.get(workerOf(store)) ?? latestNs,
    stalls: new Spans(
      stalls.filter((stall) => stall.worker === workerOf(store)).map(({ fromNs, toNs }) => ({ fromNs, toNs })),
    ),
  });
  const views = stores.map((store) => viewLane(store, contextOf(store)));
  const endedAtNs = journal.entries.reduce(
    // By the load balancer's clock, which may be ahead of ours.
    (latest, entry) => (entry.type === 'access-logged' ? latest : Math.max(latest, entry.atNs)),
    latestNs,
  );
  return {
    gathered,
    journal,
    sides,
    tracks: authorityTracks(journal, sides),
    views,
    retried: stores.map((store) => viewRetried(store, contextOf(store))).filter((view) => view !== null),
    ownNetwork: suspectSpans(views, journal),
    rollouts: rolloutsOf(journal, started.scenario.change.side ?? null, endedAtNs),
    endedAtNs,
  };
}

function serviceContext(service: Service, run: RunContext): ServiceContext {
  const { gathered, journal, tracks, sides } = run;
  const { scenario, mode } = gathered.started;
  const views = run.views.filter((view) => view.lane.service === service.name);
  const hostnames = new Set(service.checks.map((check) => check.hostname));
  const own = decidingTracks(tracks, hostnames, journal);
  const endNs = Math.min(...views.map((view) => view.untilNs));
  const fresh = views.filter((view) => isFresh(view.lane));
  const { replicaHeader } = scenario.change;
  const probedFromNs = Math.min(...views.map((view) => view.dueNs(0)));
  const replicas = replicaHeader === undefined ? null : replicaSpans(views, replicaHeader, gathered.definitions);
  const deployment = { rollouts: run.rollouts, replicas, probedFromNs };
  const changes = findChanges({ service, scenario, mode, journal, tracks: own, fresh, endNs, deployment });
  const usedAtNs = changes[0]?.seen.usedAtNs ?? null;
  const qualified = new Set(views.filter((view) => mode === 'rollback' || isQualified(view, usedAtNs)));
  const { definitions, answersUsed } = gathered;
  const lives = changes.map((change) =>
    recordLife({ change, scenario, hostnames, tracks: own, answersUsed, definitions, sides }),
  );
  const convergences = changes.map((change, i) =>
    movesEverybody(scenario.change)
      ? convergenceOf({ views, qualified }, change, lives[i] as RecordLife)
      : convergenceInPlace(change),
  );
  return {
    service,
    scenario,
    views,
    qualified,
    changes,
    lives,
    convergences,
    phases: phasesOf(changes, convergences, { fromNs: probedFromNs, endNs }),
    endNs,
  };
}

function replicasOf({ views, phases }: ServiceContext, { gathered }: RunContext): Pick<ServiceAnalysis, 'replicas'> {
  const { replicaHeader: header } = gathered.started.scenario.change;
  if (header === undefined) return {};
  const { definitions } = gathered;
  return { replicas: analyseReplicas(views, { header, definitions, phaseAt: (atNs) => phaseAt(phases, atNs) }) };
}

function lanesOfService(
  context: ServiceContext,
  run: RunContext,
  { stories, targets }: { readonly stories: ResolverStories; readonly targets: TargetsRead },
): ReadLane[] {
  const { views, changes, lives, phases } = context;
  const sideLanes = newSideLanes(views, run.gathered.definitions);
  const retried = run.retried.filter((view) => view.lane.service === context.service.name);
  const qualifiedLanes = new Set([...context.qualified].map((view) => view.lane.number));
  const mustFollow = movesEverybody(context.scenario.change);
  const wasStale = wasStaleBy(stories);
  return [...views, ...retried].map((view) => ({
    view,
    context: {
      changes: mustFollow ? changes : [],
      lives: mustFollow ? lives : [],
      wasStale,
      judgedFromNs: judgedFromNs(context, run.gathered.started.mode),
      sideLanes,
      targets,
      ownNetwork: run.ownNetwork,
      definitions: run.gathered.definitions,
      isQualified: qualifiedLanes.has(view.lane.number),
      phaseAt: (atNs) => phaseAt(phases, atNs),
    },
  }));
}

function wasStaleBy(stories: ResolverStories): WasStale {
  return ({ lane }, answer, askedNs) => {
    const story = stories.get(storyKey(lane.resolver?.name ?? '', lane.check.hostname));
    return story !== undefined && isStaleAt(story, { askedNs, answer });
  };
}

/**
 * From the change on. A rollback leaves a side that may be down, which is no fault of the rollback: how long it takes to
 * recover has a limit of its own, and the objectives hold from convergence on.
 */
function judgedFromNs({ changes, convergences }: ServiceContext, mode: RunMode): number | null {
  const usedAtNs = changes[0]?.seen.usedAtNs ?? null;
  return mode === 'rollback' ? (convergences[0]?.atNs ?? usedAtNs) : usedAtNs;
}

/** References: in nobody's service, so before any phase. */
function lanesWithoutService(run: RunContext): ReadLane[] {
  return run.views
    .filter((view) => view.lane.role === 'reference')
    .map((view) => ({
      view,
      context: {
        changes: [],
        lives: [],
        wasStale: () => false,
        judgedFromNs: null,
        sideLanes: newSideLanes([], run.gathered.definitions),
        targets: { causeAt: () => null },
        ownNetwork: run.ownNetwork,
        definitions: run.gathered.definitions,
        isQualified: isQualified(view, null),
        phaseAt: () => 'before',
      },
    }));
}

function changesOf(contexts: readonly ServiceContext[], hostname: string): HostnameChanges {
  const context = contexts.find(({ service }) => service.checks.some((check) => check.hostname === hostname));
  if (context === undefined) return { service: null, changes: [], lastMoved: null, isAskedForIpv4: false };
  const { service, scenario, changes, lives } = context;
  return {
    service: service.name,
    changes: movesEverybody(scenario.change)
      ? changes.map((change, i) => ({ change, life: lives[i] as RecordLife }))
      : [],
    lastMoved: authorityLastMoved(changes),
    isAskedForIpv4: scenario.clients.every((client) => client.archetype.families.includes(4)),
  };
}

function authorityLastMoved(changes: readonly Change[]): LastMoved | null {
  const change = changes.findLast((one) => one.seen.authorityLastAtNs !== null);
  const heardAtNs = change?.seen.authorityLastAtNs ?? null;
  return heardAtNs === null ? null : { heardAtNs, notBeforeNs: change?.authorityLastNotBeforeNs ?? heardAtNs };
}

function commandOf(started: EntryOf<'run-started'>, journal: Journal): Analysis['command'] {
  const begun = journal.of('command-started')[0];
  const ended = journal.of('command-ended')[0];
  const words = begun?.command ?? started.command;
  if (words === null) return null;
  return {
    words,
    exitCode: ended?.exitCode ?? null,
    signal: ended?.signal ?? null,
    error: ended?.error ?? '',
    fromAtNs: begun?.atNs ?? null,
    toAtNs: ended?.atNs ?? null,
  };
}
