/**
 * What each target of a group was, over time (domain facts D.3): whether it got requests and who had its address, at each
 * instant at which both are known. While an observer that is needed was blind, nothing is concluded.
 */
import type { TargetSeen, TargetState } from '../core/platform.ts';
import type { TargetFault, TargetStretch } from '../core/stale-target.ts';
import { sToNs } from '../core/time.ts';
import type { BlindSpot } from '../core/analysis.ts';
import { valueAt, type GroupSeen, type Platforms, type Timeline } from './platform-timeline.ts';
import { lagMaxNs, newOwners, type Owner, type Owners } from './targets-owner.ts';

/** A fault, from when it was first seen to when it was last seen. */
export interface FaultSpan {
  readonly fault: TargetFault;
  /** null: the whole group's. */
  readonly target: string | null;
  readonly owner: string | null;
  readonly firstSeenNs: number;
  readonly lastSeenNs: number;
  /** It began after this, and ended before `toNs`: the polls before and after. */
  readonly fromNs: number;
  readonly toNs: number;
  readonly isOpenAtEnd: boolean;
  /** It held in two polls in a row, and for longer than reads that are no transaction may disagree. */
  readonly isConfirmed: boolean;
}

/** How many of those that get requests have nobody behind them. */
export interface Share {
  readonly fromNs: number;
  readonly toNs: number;
  readonly routableCount: number;
  /** Nobody, or somebody else. */
  readonly staleCount: number;
  /** With those whose owner is about to end, which may serve or not. */
  readonly doubtfulCount: number;
}

export interface GroupHistory {
  readonly group: GroupSeen;
  readonly spans: readonly FaultSpan[];
  readonly shares: readonly Share[];
  readonly targets: readonly {
    readonly target: string;
    readonly owner: string | null;
    readonly stretches: readonly TargetStretch[];
  }[];
  /** When nothing could be said, and why; from the first look on. */
  readonly gaps: readonly BlindSpot[];
  /** Somebody tells who should be behind it. */
  readonly isOwnerKnown: boolean;
}

export interface HistoryOptions {
  readonly platforms: Platforms;
  readonly endNs: number;
  /** By observer. */
  readonly blind: ReadonlyMap<string, readonly BlindSpot[]>;
}

/** Reads of two systems are no transaction: what does not last longer than this is no fault. */
const graceMinNs = sToNs(10);

export function historyOf(
  group: GroupSeen,
  timeline: Timeline<readonly TargetSeen[]>,
  { platforms, endNs, blind }: HistoryOptions,
): GroupHistory {
  const ids = new Set(timeline.parts.flatMap(({ value }) => value.map(({ id }) => id)));
  const owners = newOwners(platforms, group, ids);
  const observers = [timeline.observer, ...owners.observers];
  const gaps = observers.flatMap((observer) => blind.get(observer) ?? []).toSorted((a, b) => a.fromAtNs - b.fromAtNs);
  const steps = stepsOf(
    [
      ...timeline.parts.flatMap(({ fromNs, untilNs }) => [fromNs, untilNs]),
      ...gaps.flatMap(({ fromAtNs, toAtNs }) => [fromAtNs, toAtNs]),
      ...owners.breaksNs,
    ],
    { fromNs: timeline.parts[0]?.fromNs ?? endNs, toNs: endNs },
  );
  const graceNs = Math.max(2 * Math.max(timeline.pollNs, owners.pollNs), graceMinNs);
  const tracks = new Map<string, Track>();
  const shares: Share[] = [];
  /** When all of it was last known; null = not since an observer was blind. */
  let lastKnownNs: number | null = null;
  for (const step of steps) {
    const isBlind = gaps.some(({ fromAtNs, toAtNs }) => fromAtNs < step.middleNs && step.middleNs < toAtNs);
    const read = isBlind ? 'blind' : readAt({ group, timeline, owners }, step.middleNs);
    if (typeof read !== 'string') {
      shares.push({ fromNs: step.fromNs, toNs: step.toNs, ...read.share });
      for (const key of read.faults.keys()) if (!tracks.has(key)) tracks.set(key, newTrack());
    }
    if (read === 'between') continue;
    for (const [key, track] of tracks) {
      if (read === 'blind') track.blind();
      else track.note(read.faults.get(key) ?? null, step, lastKnownNs);
    }
    lastKnownNs = read === 'blind' ? null : step.toNs;
  }
  const spans = [...tracks].flatMap(([key, track]) =>
    track.end(endNs).map((span): FaultSpan => {
      const target = key === wholeGroup ? null : key;
      const isConfirmed = span.lastSeenNs - span.firstSeenNs > graceNs;
      return { ...span, target, isConfirmed };
    }),
  );
  return {
    group,
    spans: spans.toSorted((a, b) => a.firstSeenNs - b.firstSeenNs || ((a.target ?? '') < (b.target ?? '') ? -1 : 1)),
    shares,
    targets: targetsOf(timeline, owners),
    gaps,
    isOwnerKnown: owners.isKnown,
  };
}

// ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** An instant at which something was seen, or the time between two of them. */
interface Step {
  readonly fromNs: number;
  readonly toNs: number;
  readonly middleNs: number;
}

function stepsOf(breaksNs: readonly number[], { fromNs, toNs }: { fromNs: number; toNs: number }): Step[] {
  const sorted = [...new Set(breaksNs.filter((ns) => ns >= fromNs && ns <= toNs))].toSorted((a, b) => a - b);
  return sorted.flatMap((ns, i): Step[] => {
    const next = sorted[i + 1];
    const instant = { fromNs: ns, toNs: ns, middleNs: ns };
    return next === undefined ? [instant] : [instant, { fromNs: ns, toNs: next, middleNs: (ns + next) / 2 }];
  });
}

// ── one instant ──────────────────────────────────────────────────────────────────────────────────────────────────────

interface Fault {
  readonly fault: TargetFault;
  readonly owner: string | null;
}

interface Read {
  /** By target, or `wholeGroup`. */
  readonly faults: ReadonlyMap<string, Fault>;
  readonly share: Omit<Share, 'fromNs' | 'toNs'>;
}

const wholeGroup = '';

interface Asked {
  readonly group: GroupSeen;
  readonly timeline: Timeline<readonly TargetSeen[]>;
  readonly owners: Owners;
}

function readAt({ group, timeline, owners }: Asked, atNs: number): Read | 'between' {
  const seen = valueAt(timeline, atNs);
  if (seen.kind !== 'known') return 'between';
  const targets = seen.value;
  const routable = routableOf(targets);
  const faults = new Map<string, Fault>();
  let [staleCount, doubtfulCount] = [0, 0];
  for (const target of targets) {
    const isRoutable = routable.has(target);
    if (!isRoutable && target.state !== 'draining') continue;
    const owner = owners.of(target, atNs);
    if (owner.kind === 'unknown') return 'between';
    const fault = faultOf({ owner, isRoutable, atNs });
    if (isRoutable && (owner.kind === 'nobody' || owner.kind === 'other')) staleCount += 1;
    if (isRoutable && owner.kind === 'terminating') doubtfulCount += 1;
    if (fault !== null) faults.set(targetKey(target), { fault, owner: nameOf(owner) ?? owners.lastOf(target) });
  }
  if (routable.size === 0 && group.rules.length > 0) faults.set(wholeGroup, { fault: 'no-target', owner: null });
  const ids = new Set(targets.map(({ id }) => id));
  for (const endpoint of owners.ready(atNs) ?? []) {
    if (ids.has(endpoint.address)) continue;
    const key = targetKey({ id: endpoint.address, port: endpoint.ports[0] ?? group.port });
    faults.set(key, { fault: 'missing-target', owner: endpoint.name });
  }
  const share = { routableCount: routable.size, staleCount, doubtfulCount: staleCount + doubtfulCount };
  return { faults, share };
}

/** With fail-open: where none is healthy, those that are not get requests as well. */
export function routableOf(targets: readonly TargetSeen[]): ReadonlySet<TargetSeen> {
  const isIn = (states: readonly TargetState[]) => (target: TargetSeen) => states.includes(target.state);
  const isOpen = !targets.some(isIn(['healthy']));
  return new Set(targets.filter(isIn(isOpen ? ['unavailable', 'unhealthy', 'initial'] : ['healthy', 'unavailable'])));
}

export function faultOf({
  owner,
  isRoutable,
  atNs,
}: {
  readonly owner: Owner;
  readonly isRoutable: boolean;
  readonly atNs: number;
}): TargetFault | null {
  switch (owner.kind) {
    case 'live':
    case 'not-ours':
    case 'unknown':
      return null;
    case 'nobody':
      return isRoutable ? 'stale-gone' : 'drain-race';
    case 'other':
      return isRoutable ? 'stale-reused' : null;
    case 'terminating':
      return isRoutable && atNs - owner.sinceNs >= lagMaxNs ? 'late-deregistration' : null;
  }
}

function nameOf(owner: Owner): string | null {
  return owner.kind === 'terminating' || owner.kind === 'other' ? owner.name : null;
}

/** `address:port`, `[address]:port`, `instance:port`. */
export function targetKey({ id, port }: Pick<TargetSeen, 'id' | 'port'>): string {
  return id.includes(':') ? `[${id}]:${String(port)}` : `${id}:${String(port)}`;
}

// ── over time ────────────────────────────────────────────────────────────────────────────────────────────────────────

type TrackSpan = Omit<FaultSpan, 'target' | 'isConfirmed'>;

interface Track {
  /** @param knownNs until when it was known before; null = not at all */
  note(fault: Fault | null, step: Step, knownNs: number | null): void;
  blind(): void;
  end(endNs: number): readonly TrackSpan[];
}

function newTrack(): Track {
  const spans: TrackSpan[] = [];
  let open: (Fault & { readonly fromNs: number; readonly firstSeenNs: number; lastSeenNs: number }) | null = null;

  function close(toNs: number, isOpenAtEnd: boolean): void {
    if (open !== null) spans.push({ ...open, toNs: Math.max(toNs, open.lastSeenNs), isOpenAtEnd });
    open = null;
  }

  return {
    note(fault, step, knownNs) {
      if (open !== null && open.fault === fault?.fault) {
        open.lastSeenNs = step.toNs;
        return;
      }
      close(step.fromNs, false);
      if (fault === null) return;
      open = { ...fault, fromNs: knownNs ?? step.fromNs, firstSeenNs: step.fromNs, lastSeenNs: step.toNs };
    },
    blind() {
      close(open?.lastSeenNs ?? 0, false);
    },
    end(endNs) {
      close(endNs, true);
      return spans;
    },
  };
}

function targetsOf(timeline: Timeline<readonly TargetSeen[]>, owners: Owners): GroupHistory['targets'] {
  const stretches = new Map<string, TargetStretch[]>();
  const owner = new Map<string, string | null>();
  for (const { value, fromNs, untilNs } of timeline.parts) {
    for (const target of value) {
      const key = targetKey(target);
      const own = stretches.get(key) ?? [];
      stretches.set(key, own);
      owner.set(key, owners.lastOf(target));
      const last = own.at(-1);
      const isSame = last?.state === target.state && last.reason === target.reason;
      if (isSame) own[own.length - 1] = { ...last, toAtNs: untilNs };
      else own.push({ state: target.state, reason: target.reason, fromAtNs: fromNs, toAtNs: untilNs });
    }
  }
  return [...stretches]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([target, own]) => ({ target, owner: owner.get(target) ?? null, stretches: own }));
}
