/**
 * What one user's resolver answers. Its caches are busy: other people's questions keep an entry warm, so that it is
 * fetched anew as soon as it may be and its age is uniform in its life. Each cache is a resolver model of its own, asked
 * on these others' behalf when its entry ends, so that whole lives in which nobody else looks cost nothing.
 */
import { assert } from '../core/errors.ts';
import type { DnsQuestion, Random } from '../core/ports.ts';
import { nsPerS, nsToS, sToNs } from '../core/time.ts';
import type { ResolverConduct } from '../core/world.ts';
import { newNameService } from '../model/name-service.ts';
import { newResolver } from '../model/resolver.ts';
import type { DnsContent, ResolverModel } from '../model/world-model.ts';
import type { ForecastPlan } from './forecast-plan.ts';

export interface NamesAnswer {
  /** Empty: there is none, or the question failed. */
  readonly addresses: readonly string[];
  /** The lowest of the chain. */
  readonly ttlS: number;
  /** When the cache got it from a name server. */
  readonly fetchedAtNs: number;
}

export interface WarmResolver {
  ask(nowNs: number): NamesAnswer;
  /** Every cache holds what no later question can undo: the names had settled when it was fetched. */
  isSettled(nowNs: number): boolean;
}

export interface WarmResolverOptions {
  readonly plan: ForecastPlan;
  /** Its name in the world. */
  readonly resolver: string;
  /** From here on it may be asked. */
  readonly fromNs: number;
  /** What `periodOf` says of it. */
  readonly periodNs: number;
  readonly random: Random;
}

interface Cache {
  readonly model: ResolverModel;
  /** What it answers until others ask again: nothing changes in between but how long it still lives. */
  answer: NamesAnswer;
  answeredAtNs: number;
  /** When others ask next. */
  othersAtNs: number;
  /** When it last got the hostname's own record from a name server, and when anything at all. */
  fetchedAtNs: number;
  upstreamAtNs: number;
}

const noAnswer: NamesAnswer = { addresses: [], ttlS: 0, fetchedAtNs: -Infinity };
/** How soon others ask again where an answer may not be kept, or could not be fetched. */
const othersEveryNs = nsPerS;

export function newWarmResolver(options: WarmResolverOptions): WarmResolver {
  const { plan, resolver, fromNs, periodNs, random } = options;
  const conduct = conductOf(plan, resolver);
  const upstream = newUpstream(plan, resolver, random);
  const fetchesAfterwards = conduct.prefetch !== 'never' || conduct.serveStale?.when === 'always';
  const question: DnsQuestion = { name: plan.hostname, type: 'A' };
  const caches = Array.from({ length: conduct.cacheCount }, (): Cache => {
    const cache: Cache = {
      model: newResolver({
        name: resolver,
        conduct: { ...conduct, cacheCount: 1 },
        setting: plan.setting,
        upstream(asked, nowNs) {
          const content = upstream(asked, nowNs);
          if (content !== null) cache.upstreamAtNs = nowNs;
          if (content !== null && asked.name === plan.hostname) cache.fetchedAtNs = nowNs;
          return content;
        },
        random,
        record: () => {},
      }),
      answer: noAnswer,
      answeredAtNs: -Infinity,
      othersAtNs: Math.min(fromNs, longAgoNs(plan)) - Math.ceil(random() * periodNs),
      fetchedAtNs: -Infinity,
      upstreamAtNs: -Infinity,
    };
    return cache;
  });

  function askModel({ model }: Cache, nowNs: number): DnsContent['answers'] {
    return model.ask(question, nowNs).answers;
  }

  /** Others ask; twice, where what the question makes the cache fetch is for those after it. */
  function renew(cache: Cache, nowNs: number): void {
    let answers = askModel(cache, nowNs);
    const isFetched = cache.upstreamAtNs === nowNs;
    if (isFetched && fetchesAfterwards) answers = askModel(cache, nowNs);
    const ttlS = lowestTtlS(answers);
    const addresses = answers.filter(({ type }) => type === 'A').map(({ data }) => data);
    cache.answer = { addresses, ttlS, fetchedAtNs: cache.fetchedAtNs };
    cache.answeredAtNs = nowNs;
    cache.othersAtNs = nowNs + (isFetched ? restNs(conduct, ttlS) : othersEveryNs);
  }

  /** In a calm an entry is fetched again and again, the same each time: whole lives are passed over. */
  function skipSameLives(cache: Cache, nowNs: number): void {
    const { fetchedAtNs, answeredAtNs, othersAtNs } = cache;
    const calm = plan.calms.find(
      ({ fromNs: calmFromNs, untilNs }) => fetchedAtNs >= calmFromNs && fetchedAtNs < untilNs,
    );
    if (calm === undefined) return;
    const lifeNs = fetchedAtNs === -Infinity ? periodNs : othersAtNs - answeredAtNs;
    const idleNs = Math.min(nowNs, calm.untilNs) - othersAtNs;
    if (idleNs > lifeNs) cache.othersAtNs += Math.floor(idleNs / lifeNs) * lifeNs;
  }

  function isFinal({ fetchedAtNs }: Cache): boolean {
    return plan.settled !== null && fetchedAtNs >= plan.settled.fromNs;
  }

  /** All caches in the order of their instants: they share the name servers, and time never goes back. */
  function warm(nowNs: number): void {
    for (const cache of caches) skipSameLives(cache, nowNs);
    for (;;) {
      let [next] = caches;
      for (const cache of caches) if (next === undefined || cache.othersAtNs < next.othersAtNs) next = cache;
      if (next === undefined || next.othersAtNs > nowNs) return;
      renew(next, next.othersAtNs);
      skipSameLives(next, nowNs);
    }
  }

  return {
    ask(nowNs) {
      warm(nowNs);
      const cache = caches[caches.length === 1 ? 0 : Math.floor(random() * caches.length)];
      assert(cache !== undefined, 'a resolver has a cache');
      const { answer, answeredAtNs } = cache;
      if (!conduct.countsDown) return answer;
      return { ...answer, ttlS: Math.max(0, Math.ceil(answer.ttlS - nsToS(nowNs - answeredAtNs))) };
    },
    isSettled(nowNs) {
      if (plan.settled === null || nowNs < plan.settled.fromNs) return false;
      warm(nowNs);
      return caches.every(isFinal);
    },
  };
}

/** Before anything was done to the names. */
function longAgoNs({ calms }: ForecastPlan): number {
  return Math.min(0, calms[0]?.untilNs ?? 0) - 1;
}

/** From one fetch of a busy cache to the next, before the first step. Found by asking: limits of TTLs are the model's. */
export function periodOf(plan: ForecastPlan, resolver: string, random: Random): { periodNs: number; ttlS: number } {
  const conduct = conductOf(plan, resolver);
  const model = newResolver({
    name: resolver,
    conduct: { ...conduct, cacheCount: 1 },
    setting: plan.setting,
    upstream: newUpstream(plan, resolver, random),
    random,
    record: () => {},
  });
  const { answers } = model.ask({ name: plan.hostname, type: 'A' }, longAgoNs(plan));
  // The record that is changed is the hostname's own, the first of a chain.
  const ttlS = answers[0]?.ttlS ?? 0;
  return { ttlS, periodNs: restNs(conduct, ttlS) };
}

/** How long others get this answer before a question of theirs makes the cache fetch it anew. */
function restNs({ prefetch }: ResolverConduct, ttlS: number): number {
  // In whole seconds, as Unbound and BIND reckon.
  const aheadS = { never: 0, 'last-tenth': Math.floor(ttlS / 10), 'last-2-s': ttlS >= 9 ? 2 : 0 }[prefetch];
  return Math.max(othersEveryNs, sToNs(ttlS - aheadS));
}

function lowestTtlS(answers: DnsContent['answers']): number {
  let lowest = Infinity;
  for (const { ttlS } of answers) lowest = Math.min(lowest, ttlS);
  return answers.length === 0 ? 0 : lowest;
}

function conductOf(plan: ForecastPlan, resolver: string): ResolverConduct {
  const conduct = plan.conducts[resolver];
  assert(conduct !== undefined, 'only resolvers of the world are asked');
  return conduct;
}

/** The name servers as this resolver reaches them: it spreads its questions over all that are up, as in a whole world. */
function newUpstream(
  plan: ForecastPlan,
  resolver: string,
  random: Random,
): (question: DnsQuestion, nowNs: number) => DnsContent | null {
  const { zone, setting } = plan;
  const names = newNameService({ zone, setting, random, record: () => {}, isHealthy: () => true });
  const down = new Set<string>();
  let isCutOff = false;
  let stepCount = 0;

  function act({ action, isEnd, atNs }: ForecastPlan['steps'][number]): void {
    switch (action.kind) {
      case 'lower-ttl':
        return names.lowerTtl(action.ttlS, atNs);
      case 'switch-dns':
        return names.pointAt(action.to, null, atNs);
      case 'shift-weights':
        return names.shiftWeights(action.newRatio, atNs);
      case 'delete-and-create-record':
        return names.deleteAndCreate(action.to, action.gapS, atNs);
      case 'cut-off-resolver':
      case 'fail-resolver':
        if (action.resolver === resolver) isCutOff = !isEnd;
        return;
      case 'fail-name-server':
        if (isEnd) down.delete(action.nameServer);
        else down.add(action.nameServer);
        return;
      // A forecast asks where users are led, not how they fare there.
      case 'lower-connection-age':
      case 'deploy':
      case 'remove-load-balancer':
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
        return;
    }
  }

  return (question, nowNs) => {
    for (let step = plan.steps[stepCount]; step !== undefined && step.atNs <= nowNs; step = plan.steps[stepCount]) {
      stepCount += 1;
      act(step);
    }
    if (isCutOff) return null;
    const up = zone.nameServers.filter(({ name }) => !down.has(name));
    const drawn = up[Math.floor(random() * up.length)];
    return drawn === undefined ? null : names.ask(drawn.name, question, nowNs);
  };
}
