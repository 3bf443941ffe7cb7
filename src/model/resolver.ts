/**
 * A recursive resolver: one or more caches, each set of records of a chain held for itself, and what it does when an entry
 * is about to end or has ended. Everything happens at the instant of the question; what a real one needs for its round
 * trips is the `latencyMs` of its conduct.
 */
import { assert } from '../core/errors.ts';
import type { DnsQuestion, DnsRecord, Random } from '../core/ports.ts';
import type { Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import type { TruthRecorder } from '../core/truth.ts';
import type { ResolverConduct, Setting } from '../core/world.ts';
import { entryOf, isLive, keyOf, remainingS, saysTheSame, type CacheEntry } from './cache-entry.ts';
import { rotated } from './rotate.ts';
import type { DnsContent, ResolverModel, Upstream } from './world-model.ts';
import { bareName } from './zones.ts';

export interface ResolverOptions {
  readonly name: string;
  readonly conduct: ResolverConduct;
  /** For the truth: whose addresses are whose. */
  readonly setting: Pick<Setting, 'sites' | 'loadBalancerNames' | 'places'>;
  readonly upstream: Upstream;
  readonly random: Random;
  readonly record: TruthRecorder;
}

/** A failure is remembered for a second at least (RFC 9520, 3.2; BIND's `servfail-ttl` is 1). */
const failureS = 1;
/**
 * While a stale answer stands in, the authority is left alone for so long (RFC 8767, 5; BIND's `stale-refresh-time`).
 * Unbound 1.17 asks it again with each question.
 */
const staleRetryS = 30;
const chainLengthMax = 16;
/** Extended DNS Error 3, "Stale Answer" (RFC 8914), + 1; Unbound and dnsmasq say it of a stale NXDOMAIN too. */
const staleEde = 4;

interface Cache {
  readonly index: number;
  readonly entries: Map<string, CacheEntry>;
  /** By question: until when one that failed is not asked again. */
  readonly failedUntilNs: Map<string, number>;
}

/** A question at one of the caches. Its name is bare. */
interface Task {
  readonly cache: Cache;
  readonly question: DnsQuestion;
  readonly nowNs: number;
}

interface Found {
  readonly entry: CacheEntry;
  readonly isStale: boolean;
}

export function newResolver(options: ResolverOptions): ResolverModel {
  const { conduct, upstream, random } = options;
  const { serveStale } = conduct;
  const note = newNote(options);
  const caches = Array.from({ length: conduct.cacheCount }, (_, index): Cache => {
    return { index, entries: new Map(), failedUntilNs: new Map() };
  });

  function ask(question: DnsQuestion, nowNs: number): DnsContent {
    const cache = caches[caches.length === 1 ? 0 : Math.floor(random() * caches.length)];
    assert(cache !== undefined, 'a resolver has a cache');
    const task: Task = { cache, question: { ...question, name: bareName(question.name) }, nowNs };
    const chain = chainOf(task);
    if (chain === null) return servfail;
    // What it renews now is for the questions after this one.
    renew(task, chain);
    return contentOf(chain, nowNs);
  }

  /** From the question's name along its aliases to records of its type, or to "there is none"; null: it failed. */
  function chainOf(task: Task): readonly Found[] | null {
    const chain: Found[] = [];
    for (let name: string | null = task.question.name; name !== null;) {
      const found = find(task, name);
      if (found === null || chain.length === chainLengthMax) return null;
      chain.push(found);
      name = nextName(found.entry, task.question);
    }
    return chain;
  }

  function find(task: Task, name: string): Found | null {
    const { cache, question, nowNs } = task;
    const held = newest(cache, name, question.type);
    if (held !== null && isLive(held, nowNs)) return { entry: held, isStale: false };
    const isStale = held !== null && serveStale !== null && nowNs <= held.endsAtNs + sToNs(serveStale.staleSMax);
    const stale = isStale ? { entry: held, isStale } : null;
    if (stale !== null && serveStale?.when === 'always') return stale;
    const fetched = learn(task, { name, type: question.type }, { retryS: stale === null ? failureS : staleRetryS });
    return fetched === null ? stale : { entry: fetched, isStale: false };
  }

  // ── fetching ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Null: nobody answered, or not well, now or less than `retryS` before. */
  function learn(
    { cache, nowNs }: Task,
    question: DnsQuestion,
    { retryS, keepsAfterNs = Number.POSITIVE_INFINITY }: { readonly retryS: number; readonly keepsAfterNs?: number },
  ): CacheEntry | null {
    const key = keyOf(question);
    if (nowNs < (cache.failedUntilNs.get(key) ?? Number.NEGATIVE_INFINITY)) return null;
    const reply = upstream(question, nowNs);
    const isGood = reply !== null && (reply.rcode === 'NOERROR' || reply.rcode === 'NXDOMAIN');
    const entry = isGood ? entryOf(question, reply, { limits: conduct, nowNs }) : null;
    if (entry === null) {
      cache.failedUntilNs.set(key, nowNs + sToNs(retryS));
      return null;
    }
    cache.failedUntilNs.delete(key);
    const held = cache.entries.get(keyOf(entry));
    if (held !== undefined && held.endsAtNs > keepsAfterNs && saysTheSame(held, entry)) return held;
    // A name that does not exist has no records, also where they would have lived longer.
    const overruled = entry.kind === 'no-name' ? [question.type, 'CNAME'] : [];
    for (const type of overruled) cache.entries.delete(keyOf({ name: entry.name, type }));
    // A TTL of 0 is for the transaction at hand (RFC 1035, 3.2.1).
    if (entry.ttlS === 0) return entry;
    cache.entries.set(keyOf(entry), entry);
    note(cache.index, entry, nowNs);
    return entry;
  }

  /** The question from its start, whatever is cached. What ends after `keepsAfterNs` and is the same again stays. */
  function resolveAnew(task: Task, keepsAfterNs: number): void {
    let name: string | null = task.question.name;
    for (let i = 0; name !== null && i < chainLengthMax; i += 1) {
      const entry = learn(task, { name, type: task.question.type }, { retryS: failureS, keepsAfterNs });
      name = entry === null ? null : nextName(entry, task.question);
    }
  }

  /** After an answer from the cache: stale ones and those about to end are fetched anew. */
  function renew(task: Task, chain: readonly Found[]): void {
    if (serveStale?.when === 'always' && chain.some(({ isStale }) => isStale))
      return resolveAnew(task, Number.POSITIVE_INFINITY);
    const { nowNs } = task;
    switch (conduct.prefetch) {
      case 'never':
        return;
      case 'last-tenth': {
        // Unbound 1.17 looks at the end of the chain and resolves all of it again, in whole seconds: below 10 s there is no
        // last tenth (`PREFETCH_TTL_CALC`).
        const last = chain.at(-1);
        if (last === undefined || last.isStale) return;
        if (remainingS(last.entry, nowNs) <= Math.floor(last.entry.ttlS / 10)) resolveAnew(task, last.entry.endsAtNs);
        return;
      }
      case 'last-2-s':
        // BIND looks at each set of records, if it began with 9 s or more (ARM, `prefetch 2 9`).
        for (const { entry, isStale } of chain) {
          if (isStale || entry.kind !== 'records' || entry.ttlS < 9 || remainingS(entry, nowNs) > 2) continue;
          learn(task, { name: entry.name, type: task.question.type }, { retryS: failureS });
        }
    }
  }

  // ── answers ────────────────────────────────────────────────────────────────────────────────────────────────────────

  function contentOf(chain: readonly Found[], nowNs: number): DnsContent {
    const answers: DnsRecord[] = [];
    const authority: DnsRecord[] = [];
    for (const found of chain) {
      const section = found.entry.kind === 'records' ? answers : authority;
      const ttlS = shownTtlS(found, nowNs);
      for (const one of rotated(found.entry.records, random)) section.push({ ...one, ttlS });
    }
    const isStale = chain.some((found) => found.isStale);
    return {
      rcode: chain.at(-1)?.entry.kind === 'no-name' ? 'NXDOMAIN' : 'NOERROR',
      authoritative: false,
      ede: isStale && serveStale?.saysSo === true ? staleEde : 0,
      answers,
      authority,
    };
  }

  function shownTtlS({ entry, isStale }: Found, nowNs: number): number {
    if (isStale && serveStale !== null) return serveStale.replyTtlS;
    return conduct.countsDown ? remainingS(entry, nowNs) : entry.receivedTtlS;
  }

  return { ask };
}

/** What is known of the name for a question of the type: the entry that lives, or else the one that ended last. */
function newest(cache: Cache, name: string, type: string): CacheEntry | null {
  let best: CacheEntry | null = null;
  for (const one of [type, 'CNAME', 'any']) {
    const held = cache.entries.get(keyOf({ name, type: one }));
    if (held !== undefined && (best === null || held.endsAtNs > best.endsAtNs)) best = held;
  }
  return best;
}

/** Where an alias leads; null = the chain ends here. */
function nextName(entry: CacheEntry, question: DnsQuestion): string | null {
  const isAlias = entry.kind === 'records' && entry.type === 'CNAME' && question.type !== 'CNAME';
  return isAlias ? bareName(entry.records[0]?.data ?? '') : null;
}

/** Writes down what a cache holds of a hostname from now on. An alias has the side of the load balancer it names. */
function newNote({ name, conduct, setting, record }: ResolverOptions) {
  const hostnames = new Set(setting.sites.map(({ hostname }) => bareName(hostname)));
  const sideOf = new Map<string, Side>();
  for (const side of ['old', 'new'] as const) {
    for (const one of [...setting.places.sides[side], ...setting.loadBalancerNames[side].map(bareName)])
      sideOf.set(one, side);
  }
  return (cache: number, entry: CacheEntry, atNs: number): void => {
    if (!hostnames.has(entry.name) || !['A', 'CNAME', 'any'].includes(entry.type)) return;
    const data = entry.kind === 'records' ? entry.records.map((one) => bareName(one.data)) : [];
    const sides = new Set(data.map((one) => sideOf.get(one) ?? null));
    const [side = null] = sides.size === 1 ? sides : [];
    record({
      type: 'answer-cached',
      atNs,
      resolver: name,
      cache,
      hostname: entry.name,
      side,
      addresses: entry.type === 'CNAME' && side !== null ? setting.places.sides[side] : data,
      ttlS: conduct.countsDown ? entry.ttlS : entry.receivedTtlS,
    });
  };
}

const servfail: DnsContent = { rcode: 'SERVFAIL', authoritative: false, ede: 0, answers: [], authority: [] };
