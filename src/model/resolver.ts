/**
 * A recursive resolver: one or more caches, each set of records of a chain held for itself, and what it does when an entry
 * is about to end or has ended. Everything happens at the instant of the question; what a real one needs for its round
 * trips is the `latencyMs` of its conduct.
 */
import type { DnsQuestion, DnsRecord, Random } from '../core/ports.ts';
import type { Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import type { TruthRecorder } from '../core/truth.ts';
import type { ResolverConduct, Setting } from '../core/world.ts';
import { entriesOf, hasSameRecords, isLive, remainingS, type CacheEntry } from './cache-entry.ts';
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
/** While a stale answer stands in, the authority is left alone for so long (RFC 8767, 5; BIND's `stale-refresh-time`). */
const staleRetryS = 30;
const chainLengthMax = 16;
/** Extended DNS Errors 3 "Stale Answer" and 19 "Stale NXDOMAIN Answer" (RFC 8914), + 1. */
const staleAnswerEde = 4;
const staleNxdomainEde = 20;

interface Cache {
  readonly index: number;
  readonly entries: Map<string, CacheEntry>;
  /** By question: until when one that failed is not asked again. */
  readonly failedUntilNs: Map<string, number>;
}

/** One question at work. */
interface Task {
  readonly cache: Cache;
  readonly question: DnsQuestion;
  readonly nowNs: number;
  /** What was fetched for it serves it, even with a TTL of 0. */
  readonly fetched: Map<string, CacheEntry>;
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
    if (cache === undefined) return servfail;
    const task: Task = { cache, question: { ...question, name: bareName(question.name) }, nowNs, fetched: new Map() };
    const chain = chainOf(task);
    if (chain === null) return servfail;
    // What it renews now is for the questions after this one.
    for (const found of chain) renew(task, found);
    return contentOf(chain, nowNs);
  }

  /** From the question's name along its aliases to records of its type, or to "there is none"; null: it failed. */
  function chainOf(task: Task): readonly Found[] | null {
    const chain: Found[] = [];
    let { name } = task.question;
    while (chain.length < chainLengthMax) {
      const found = find(task, name);
      if (found === null) return null;
      chain.push(found);
      const { entry } = found;
      if (entry.type !== 'CNAME' || entry.kind !== 'records' || task.question.type === 'CNAME') return chain;
      name = bareName(entry.records[0]?.data ?? '');
    }
    return null;
  }

  function find(task: Task, name: string): Found | null {
    const { question, nowNs } = task;
    const held = newest(task, name);
    if (held !== null && isLive(held, nowNs)) return { entry: held, isStale: false };
    const isStale = held !== null && serveStale !== null && nowNs <= held.endsAtNs + sToNs(serveStale.staleSMax);
    const stale = isStale ? { entry: held, isStale } : null;
    if (stale !== null && serveStale?.when === 'always') return stale;
    if (!fetch(task, { name, type: question.type }, stale === null ? failureS : staleRetryS)) return stale;
    const entry = newest(task, name);
    return entry === null ? null : { entry, isStale: false };
  }

  /** What is known of the name for this question: just fetched, or else what lives longest. */
  function newest({ cache, question, fetched }: Task, name: string): CacheEntry | null {
    let best: CacheEntry | null = null;
    for (const type of [question.type, 'CNAME', 'any']) {
      const key = `${name}|${type}`;
      const now = fetched.get(key);
      if (now !== undefined) return now;
      const held = cache.entries.get(key);
      if (held !== undefined && (best === null || held.endsAtNs > best.endsAtNs)) best = held;
    }
    return best;
  }

  // ── fetching ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** False: nobody answered, or not well, now or less than `retryS` before. */
  function fetch({ cache, nowNs, fetched }: Task, question: DnsQuestion, retryS: number): boolean {
    const key = `${question.name}|${question.type}`;
    if (nowNs < (cache.failedUntilNs.get(key) ?? Number.NEGATIVE_INFINITY)) return false;
    const reply = upstream(question, nowNs);
    if (reply === null || (reply.rcode !== 'NOERROR' && reply.rcode !== 'NXDOMAIN')) {
      cache.failedUntilNs.set(key, nowNs + sToNs(retryS));
      return false;
    }
    cache.failedUntilNs.delete(key);
    for (const entry of entriesOf(question, reply, { limits: conduct, nowNs })) {
      fetched.set(`${entry.name}|${entry.type}`, store(cache, entry, { question, nowNs }));
    }
    return true;
  }

  /** Returns what the cache has now. */
  function store(
    cache: Cache,
    entry: CacheEntry,
    { question, nowNs }: { readonly question: DnsQuestion; readonly nowNs: number },
  ): CacheEntry {
    const key = `${entry.name}|${entry.type}`;
    const held = cache.entries.get(key);
    // The same again does not lengthen a life (unbound, BIND), unless it was fetched to do so.
    const isKept = held !== undefined && isLive(held, nowNs) && !isAtItsEnd(held, nowNs) && hasSameRecords(held, entry);
    if (isKept) return held;
    // A name that is not there has no records, and one that has records is there.
    const overruled = entry.kind === 'no-name' ? [question.type, 'CNAME'] : ['any'];
    for (const type of overruled) cache.entries.delete(`${entry.name}|${type}`);
    // RFC 1035, 3.2.1: a TTL of 0 is for the transaction at hand.
    if (entry.ttlS === 0) return entry;
    cache.entries.set(key, entry);
    note(cache.index, entry, nowNs);
    return entry;
  }

  function renew(task: Task, { entry, isStale }: Found): void {
    const { cache, question, nowNs } = task;
    // Another link of the same chain has brought it along.
    if (cache.entries.get(`${entry.name}|${entry.type}`) !== entry) return;
    if (isStale && serveStale?.when === 'always') fetch(task, question, failureS);
    else if (isStale || !isAtItsEnd(entry, nowNs)) return;
    // Unbound fetches the whole answer, BIND each set of records.
    else if (conduct.prefetch === 'last-tenth') fetch(task, question, failureS);
    else fetch(task, { name: entry.name, type: question.type }, failureS);
  }

  /**
   * In the stretch in which it is fetched anew although it lives. Unbound: its last tenth, whole seconds, so that below 10 s
   * there is none (`PREFETCH_TTL_CALC`). BIND: 2 s, of records that began with 9 or more (ARM, `prefetch`).
   */
  function isAtItsEnd(entry: CacheEntry, nowNs: number): boolean {
    switch (conduct.prefetch) {
      case 'never':
        return false;
      case 'last-tenth':
        return remainingS(entry, nowNs) <= Math.floor(entry.ttlS / 10);
      case 'last-2-s':
        return entry.kind === 'records' && entry.ttlS >= 9 && remainingS(entry, nowNs) <= 2;
    }
  }

  // ── answers ────────────────────────────────────────────────────────────────────────────────────────────────────────

  function contentOf(chain: readonly Found[], nowNs: number): DnsContent {
    const answers: DnsRecord[] = [];
    const authority: DnsRecord[] = [];
    for (const found of chain) {
      const isPositive = found.entry.kind === 'records';
      const ttlS = shownTtlS(found, nowNs);
      for (const one of rotated(found.entry.records, random)) (isPositive ? answers : authority).push({ ...one, ttlS });
    }
    const isMissing = chain.at(-1)?.entry.kind === 'no-name';
    const saysStale = serveStale?.saysSo === true && chain.some(({ isStale }) => isStale);
    return {
      rcode: isMissing ? 'NXDOMAIN' : 'NOERROR',
      authoritative: false,
      ede: !saysStale ? 0 : isMissing ? staleNxdomainEde : staleAnswerEde,
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
