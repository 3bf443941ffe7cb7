/**
 * A resource as it is, kept so by list and watch. Where the watch breaks it goes on from the version it had, and nothing is
 * lost, only late; where that version is too old, everything is listed again, and what was between is not known.
 */
import type { Cancel, Clock, Random } from '../core/ports.ts';
import { msToNs, sToNs } from '../core/time.ts';
import type { Item, KubernetesApi, Listed, Resource, WatchEnd } from './kubernetes-api.ts';
import type { Sight } from './sight.ts';
import type { NotTold } from './told.ts';

/** When we heard of something. */
export interface Heard {
  /** Of a list, when it was asked for; else when it came. */
  readonly sentAtNs: number;
  readonly receivedAtNs: number;
  /** It became so after this; null = of the first list, at any time; of a watch, just now. */
  readonly previousAtNs: number | null;
}

export interface FollowOptions<T> {
  readonly api: KubernetesApi;
  readonly resource: Resource<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly sight: Sight;
  readonly signal: AbortSignal;
  /** The whole: what is not in it is no more. */
  readonly listed: (items: ReadonlyMap<string, Item<T>>, heard: Heard) => void;
  /** null: deleted. */
  readonly changed: (name: string, item: Item<T> | null, heard: Heard) => void;
  /** It cannot be listed; whether to try again. */
  readonly notListed: (error: NotTold) => 'again' | 'never';
}

const backoffMs = { first: 100, last: 2000 } as const;
/** What is refused for a reason is asked for more rarely: somebody has to mend it first. */
const refusedAgainS = 30;
const throttledAgainS = 5;
/** A break that is over so soon is no entry: nothing is lost, and what came late has its bounds. */
const breakMaxS = 3;
/** A watch that was open for less is no success: one that is closed at once, for ever, must not be opened in a loop. */
const openMinS = 1;
/** So long after a watch was opened, what comes may be of the time before. */
const catchUpS = 2;

/** Until the signal is aborted. */
export async function follow<T>(options: FollowOptions<T>): Promise<void> {
  const { api, resource, sight, signal } = options;
  const pause = newPause(options);
  let knownAtNs: number | null = null;
  while (!signal.aborted) {
    const list = await api.list(resource, signal);
    if (signal.aborted) return;
    if (list.kind === 'not-told') {
      if (options.notListed(list) === 'never') return;
      sight.cannotSee(list.why);
      await pause.after(list);
      continue;
    }
    options.listed(list.value.items, { ...list.value, previousAtNs: knownAtNs });
    sight.sees(list.value.sentAtNs);
    const lost = await watchFrom(options, list.value, pause);
    if (lost === null) return;
    knownAtNs = lost.knownAtNs;
    sight.sees(lost.knownAtNs);
    sight.cannotSee(`${lost.why}; what became of ${resource.name} until they were listed again is not known`);
    await pause.after(null);
  }
}

interface Lost {
  /** All until then is known. */
  readonly knownAtNs: number;
  readonly why: string;
}

/** One watch after the other, each from where the one before ended; null when stopped. */
async function watchFrom<T>(options: FollowOptions<T>, list: Listed<T>, pause: Pause): Promise<Lost | null> {
  const { api, resource, clock, sight, signal } = options;
  let { resourceVersion, sentAtNs: knownAtNs } = list;
  let breakOff: { readonly cancel: Cancel } | null = null;
  while (!signal.aborted) {
    const knownBeforeNs = knownAtNs;
    let openedAtNs = Infinity;
    const end: WatchEnd = await api.watch(resource, {
      resourceVersion,
      signal,
      opened: () => {
        openedAtNs = clock.nowNs();
        breakOff?.cancel();
        breakOff = null;
        sight.sees();
      },
      heard: (version) => {
        resourceVersion = version;
        knownAtNs = clock.nowNs();
      },
      changed: (name, item) => {
        const nowNs = clock.nowNs();
        const isCatchingUp = nowNs - openedAtNs < sToNs(catchUpS);
        const previousAtNs = isCatchingUp ? knownBeforeNs : null;
        options.changed(name, item, { sentAtNs: nowNs, receivedAtNs: nowNs, previousAtNs });
      },
    });
    if (signal.aborted) break;
    const nowNs = clock.nowNs();
    if (end.kind === 'closed') knownAtNs = nowNs;
    if (nowNs - openedAtNs >= sToNs(openMinS)) pause.forget();
    if (end.kind === 'lost') {
      breakOff?.cancel();
      return { knownAtNs, why: end.why };
    }
    breakOff ??= breakFrom(options, knownAtNs, end);
    // A watch that ended as it should is opened again at once.
    if (end.kind === 'failed' || nowNs - openedAtNs < sToNs(openMinS)) {
      await pause.after(end.kind === 'failed' ? end.error : null);
    }
  }
  breakOff?.cancel();
  return null;
}

/** Says that we cannot see since `knownAtNs`, unless the break is over soon. */
function breakFrom<T>(
  { clock, sight }: FollowOptions<T>,
  knownAtNs: number,
  end: WatchEnd,
): { readonly cancel: Cancel } {
  const why = end.kind === 'failed' ? end.error.why : 'the API server of Kubernetes closes every watch at once';
  return {
    cancel: clock.at(clock.nowNs() + sToNs(breakMaxS), () => {
      sight.sees(knownAtNs);
      sight.cannotSee(why);
    }),
  };
}

// ── pauses ───────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Pause {
  /** As long as this failure, and how many there were in a row, ask for; at once when stopped. */
  after(error: NotTold | null): Promise<void>;
  forget(): void;
}

function newPause<T>({ clock, random, signal }: FollowOptions<T>): Pause {
  let failureCount = 0;
  let refusedCount = 0;
  return {
    async after(error) {
      failureCount += 1;
      refusedCount = error?.reason === 'no-credentials' ? refusedCount + 1 : 0;
      const backoffNs = msToNs(Math.min(backoffMs.last, backoffMs.first * 2 ** (failureCount - 1)));
      const ns = Math.max(backoffNs, atLeastNs(error, refusedCount));
      await wait(clock, Math.ceil(ns * (0.75 + random() / 2)), signal);
    },
    forget() {
      failureCount = 0;
      refusedCount = 0;
    },
  };
}

function atLeastNs(error: NotTold | null, refusedCount: number): number {
  if (error === null) return 0;
  // A token that has run out is renewed and tried at once.
  if (refusedCount === 1) return 0;
  if (error.reason === 'throttled') return sToNs(throttledAgainS);
  const isRefused = error.reason === 'no-credentials' || error.reason === 'denied' || error.reason === 'missing';
  return isRefused ? sToNs(refusedAgainS) : 0;
}

function wait(clock: Clock, ns: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.at(clock.nowNs() + ns, done);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
