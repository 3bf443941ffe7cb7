/**
 * How long the side that is left must go on answering: until the record has expired and, after it, the answer that a
 * client keeps for itself. A client that keeps its connection open leaves at no certain instant, but is back at its own
 * cache as soon as that connection breaks: it counts as well.
 */
import type { ResolvePolicy } from '../core/scenario.ts';
import { durationText, listText } from '../core/quantity-text.ts';
import { afterText, clockText } from './instant-text.ts';
import { namedMax } from './pick.ts';
import type { ServiceView } from './service-view.ts';
import type { Report, ReportChange, ReportRun } from './shape.ts';

/** The longest that a client itself keeps an answer beyond its TTL, s; null = for as long as nothing breaks. */
export function ownCacheS(resolve: ResolvePolicy): number | null {
  switch (resolve.kind) {
    case 'per-connection':
      return 0;
    case 'ttl':
      return resolve.minS;
    case 'fixed':
      return resolve.s + resolve.graceS;
    case 'refresh':
      return resolve.s;
    case 'on-break':
    case 'once':
    case 'pinned':
      return null;
  }
}

export interface KeepAnswering {
  /** Wall clock, ms since 1970. */
  readonly untilMs: number;
  /** The same for people, and why. */
  readonly text: string;
}

/** `here until 10:02:22.300 UTC, at least 80 s after the switch: TTL 20 s and 60 s that chrome keeps an answer`. */
export function keepAnswering(report: Report, view: ServiceView): KeepAnswering | null {
  const { change, service } = view;
  if (change === undefined) return null;
  const ttlS = service.ttlS.after ?? service.ttlS.before;
  const caches = cachesOf(report.run, view);
  const keepMs = ttlS === null ? 0 : (ttlS + (caches[0]?.s ?? 0)) * 1000;
  const switchedMs = Date.parse(change.authorityLastAt ?? change.usedAt);
  const untilMs = Math.max(
    ttlS === null ? 0 : switchedMs + keepMs,
    ...view.judged.flatMap(({ leavesOldBy }) => (leavesOldBy.at === null ? [] : [Date.parse(leavesOldBy.at)])),
  );
  if (untilMs === 0) return null;
  const late = outlivedOf(view, untilMs);
  if (late !== null) return late.isOpen ? openText(report, late) : outlivedText(report, change, ttlS, late);
  const until = new Date(untilMs).toISOString();
  const clock = `here until ${clockText(report.run.startedAt, until)} UTC`;
  const after = afterText(change.usedAt, until);
  if (ttlS === null) return { untilMs, text: `${clock}, ${after}` };
  const ttl = `TTL ${durationText(ttlS * 1000)}`;
  if (caches.length === 0) return { untilMs, text: `${clock}, ${after} (${ttl})` };
  const least = `at least ${durationText(keepMs)} after the switch`;
  return { untilMs, text: `${clock}, ${least}: ${ttl} and ${cachesText(caches)}` };
}

/** Answers that failed somebody after they should have been gone: the law of TTLs is not kept by everybody. */
interface Outlived {
  readonly untilMs: number;
  /** Nobody saw the end of it. */
  readonly isOpen: boolean;
  /** Who kept them: resolvers. */
  readonly resolvers: readonly string[];
}

function outlivedOf({ hit }: ServiceView, dueMs: number): Outlived | null {
  const late = hit.flatMap(({ lane, outages }) =>
    outages
      .filter((outage) => outage.causes['stale-answer'] !== undefined && Date.parse(outage.lastFailedAt) > dueMs)
      .map(({ firstGoodAt, lastFailedAt }) => ({
        untilMs: Date.parse(firstGoodAt ?? lastFailedAt),
        isOpen: firstGoodAt === null,
        resolver: lane.resolver,
      })),
  );
  if (late.length === 0) return null;
  return {
    untilMs: Math.max(...late.map(({ untilMs }) => untilMs)),
    isOpen: late.some(({ isOpen }) => isOpen),
    resolvers: [...new Set(late.flatMap(({ resolver }) => (resolver === null ? [] : [resolver])))].toSorted(),
  };
}

function openText(report: Report, { untilMs, resolvers }: Outlived): KeepAnswering {
  const clock = clockText(report.run.startedAt, new Date(untilMs).toISOString());
  return { untilMs, text: `here longer than was watched, for at ${clock} UTC ${listText(resolvers)} still had it` };
}

function outlivedText(report: Report, change: ReportChange, ttlS: number | null, late: Outlived): KeepAnswering {
  const until = new Date(late.untilMs).toISOString();
  const clock = `here until ${clockText(report.run.startedAt, until)} UTC, ${afterText(change.usedAt, until)}`;
  const than = ttlS === null ? 'than it should have been' : `than the TTL of ${durationText(ttlS * 1000)} allows`;
  return { untilMs: late.untilMs, text: `${clock}, since ${listText(late.resolvers)} served it longer ${than}` };
}

interface OwnCache {
  readonly name: string;
  readonly s: number;
}

/** Of the clients judged here, the longest first. */
function cachesOf({ clients }: ReportRun, { judged }: ServiceView): OwnCache[] {
  const names = new Set(judged.map(({ client }) => client));
  return clients
    .flatMap(({ name, ownCacheS: s }) => (names.has(name) && s !== null && s > 0 ? [{ name, s }] : []))
    .sort((a, b) => b.s - a.s);
}

/** `60 s that chrome keeps an answer (jvm-30: 30 s)`. */
function cachesText(caches: readonly OwnCache[]): string {
  const longestS = caches[0]?.s ?? 0;
  const longest = caches.filter(({ s }) => s === longestS).map(({ name }) => name);
  const rest = caches.slice(longest.length, longest.length + namedMax);
  const others = rest.map(({ name, s }) => `${name}: ${durationText(s * 1000)}`).join(', ');
  const keep = longest.length === 1 ? 'keeps' : 'keep';
  return `${durationText(longestS * 1000)} that ${listText(longest)} ${keep} an answer${others === '' ? '' : ` (${others})`}`;
}
