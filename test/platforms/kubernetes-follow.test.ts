/** What is made of lists and watches, in virtual time: `script` says what each of them meets. */
import { expect, test } from 'vitest';
import { settle } from '../../src/cli/settle.ts';
import type { Entry } from '../../src/core/entry.ts';
import { newRandom } from '../../src/core/random.ts';
import { sToNs } from '../../src/core/time.ts';
import type { Item, KubernetesApi, Resource, WatchEnd, WatchOptions } from '../../src/platforms/kubernetes-api.ts';
import { follow, type Heard } from '../../src/platforms/kubernetes-follow.ts';
import { newSight } from '../../src/platforms/sight.ts';
import { notTold, told, type NotTold } from '../../src/platforms/told.ts';
import { newSimClock } from '../../src/sim/clock.ts';

type Watch = WatchOptions<string>;

interface Script {
  /** null: it is listed. By the number of the list, from 1. */
  readonly list?: (count: number) => NotTold | null;
  readonly watch: (count: number, watch: Watch, waitS: (s: number) => Promise<void>) => Promise<WatchEnd>;
  readonly notListed?: 'again' | 'never';
}

interface Followed {
  /** Of lists and watches, as `list 0`, `watch v7 12.5`: with the version and the second. */
  readonly asked: readonly string[];
  readonly entries: readonly Entry[];
  readonly heard: readonly (Heard & { readonly what: string })[];
}

const closed: WatchEnd = { kind: 'closed' };
const lost: WatchEnd = { kind: 'lost', why: 'too old' };
const failed: WatchEnd = { kind: 'failed', error: notTold('unreachable', 'gone') };
const item: Item<string> = { seen: 'a', theirAtMs: null };

async function followed(forS: number, script: Script): Promise<Followed> {
  const clock = newSimClock(settle);
  const waitS = (s: number): Promise<void> =>
    new Promise((resolve) => void clock.at(clock.nowNs() + sToNs(s), resolve));
  const asked: string[] = [];
  const entries: Entry[] = [];
  const heard: (Heard & { readonly what: string })[] = [];
  const count = { list: 0, watch: 0 };
  const stopped = new AbortController();
  const seconds = (): string => String(clock.nowNs() / 1e9);

  const fake: KubernetesApi = {
    async list() {
      count.list += 1;
      asked.push(`list ${seconds()}`);
      const sentAtNs = clock.nowNs();
      await waitS(0.5);
      const error = script.list?.(count.list) ?? null;
      if (error !== null) return error;
      return told({ items: new Map(), resourceVersion: `v${count.list}00`, sentAtNs, receivedAtNs: clock.nowNs() });
    },
    async watch(_, options) {
      count.watch += 1;
      asked.push(`watch ${options.resourceVersion} ${seconds()}`);
      return script.watch(count.watch, options as unknown as Watch, waitS);
    },
  };
  const resource: Resource<string> = { name: 'pods', group: '', version: 'v1', namespace: 'shop', read: () => 'a' };
  const entry = (one: Entry): void => void entries.push(one);
  const following = follow({
    api: fake,
    resource,
    clock,
    random: newRandom(7, 'pauses'),
    sight: newSight({ clock, entry, observer: 'pods', side: 'new', what: 'pods' }),
    signal: stopped.signal,
    listed: (_, when) => heard.push({ ...when, what: 'listed' }),
    changed: (name, _, when) => heard.push({ ...when, what: name }),
    notListed: () => script.notListed ?? 'again',
  });
  await clock.runUntil(waitS(forS));
  stopped.abort();
  const done = Promise.race([following, waitS(1000).then(() => expect.fail('it goes on when it is stopped'))]);
  await clock.runUntil(done);
  return { asked, entries, heard };
}

/** As long as the test. */
const never = (): Promise<WatchEnd> => new Promise(() => {});
const untilStopped = ({ signal }: Watch): Promise<WatchEnd> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(failed)));

const sight = (entries: readonly Entry[]): readonly unknown[] =>
  entries.flatMap((entry) => {
    if (entry.type === 'observer-blinded') return [['blind', entry.sinceNs / 1e9, entry.atNs / 1e9]];
    return entry.type === 'observer-recovered' ? [['sees', entry.atNs / 1e9]] : [];
  });

test('a watch that is closed as it should be is opened again at once, from the last version, and nothing was missed', async () => {
  const { asked, entries } = await followed(40, {
    async watch(count, watch, waitS) {
      watch.opened();
      await waitS(7);
      watch.heard(`b${count}`);
      await waitS(6);
      return count < 3 ? closed : untilStopped(watch);
    },
  });
  expect(asked).toEqual(['list 0', 'watch v100 0.5', 'watch b1 13.5', 'watch b2 26.5']);
  expect(sight(entries)).toEqual([]);
});

test('a watch that breaks and goes on soon is no gap; what comes then may be as old as the last that was heard', async () => {
  const { asked, entries, heard } = await followed(60, {
    async watch(count, watch, waitS) {
      watch.opened();
      if (count === 1) {
        await waitS(7);
        watch.changed('early', item);
        watch.heard('b1');
        await waitS(11);
        return failed;
      }
      watch.changed('late', item);
      watch.heard('b2');
      await waitS(5);
      watch.changed('new', item);
      return untilStopped(watch);
    },
  });
  expect(asked).toHaveLength(3);
  expect(asked[2]).toMatch(/^watch b1 18\.[56]/);
  expect(sight(entries)).toEqual([]);
  const bounds = heard.map(({ what, previousAtNs }) => [what, previousAtNs]);
  expect(bounds).toEqual([
    ['listed', null],
    ['early', null],
    ['late', sToNs(7.5)],
    ['new', null],
  ]);
});

test('a break that lasts is blind since the last that was heard, and until the watch goes on', async () => {
  const { asked, entries } = await followed(60, {
    async watch(count, watch, waitS) {
      if (count === 1) {
        watch.opened();
        await waitS(7);
        watch.heard('b1');
        await waitS(11);
      } else if (count > 6) {
        watch.opened();
        return untilStopped(watch);
      }
      return failed;
    },
  });
  const waits = asked.slice(2).map((one) => Number(one.split(' ')[2]) - 18.5);
  const [blind, sees] = sight(entries) as [readonly unknown[], readonly unknown[]];
  expect(blind).toEqual(['blind', 7.5, 21.5]);
  expect(sees).toEqual(['sees', (waits.at(-1) ?? 0) + 18.5]);
  // 100 ms, 200, 400, 800, 1600, 2000, each give or take a quarter.
  const steps = waits.map((s, i) => s - (waits[i - 1] ?? 0));
  for (const [i, s] of [0.1, 0.2, 0.4, 0.8, 1.6, 2].entries())
    expect(Math.abs((steps[i] ?? 0) / s - 1)).toBeLessThanOrEqual(0.25);
});

test('a version that is too old is listed again, and what was between is a gap, however short', async () => {
  const { asked, entries, heard } = await followed(60, {
    async watch(count, watch, waitS) {
      watch.opened();
      await waitS(7);
      watch.heard('b1');
      await waitS(2);
      return count === 1 ? lost : untilStopped(watch);
    },
  });
  expect(asked[2]).toMatch(/^list 9\.[56]/);
  const listedAgainAtS = Number(asked[2]?.split(' ')[1]);
  expect(sight(entries)).toEqual([
    ['blind', 7.5, 9.5],
    ['sees', listedAgainAtS + 0.5],
  ]);
  expect(heard.map(({ what, previousAtNs }) => [what, previousAtNs])).toEqual([
    ['listed', null],
    ['listed', sToNs(7.5)],
  ]);
  expect(asked[3]).toMatch(/^watch v200/);
});

test('a watch that is closed as it should be has told all until then: what follows is no older', async () => {
  const { entries, heard } = await followed(60, {
    async watch(count, watch, waitS) {
      if (count === 2) return lost;
      watch.opened();
      watch.heard('b1');
      await waitS(11);
      return count === 1 ? closed : untilStopped(watch);
    },
  });
  expect(sight(entries)[0]).toEqual(['blind', 11.5, 11.5]);
  expect(heard.map(({ previousAtNs }) => previousAtNs)).toEqual([null, sToNs(11.5)]);
});

test('a server that closes every watch at once, or knows no version, is not asked in a loop', async () => {
  const atOnce = await followed(60, {
    async watch(_, watch) {
      watch.opened();
      return closed;
    },
  });
  expect(atOnce.asked.length).toBeLessThan(45);
  const always = await followed(60, {
    async watch(_, watch) {
      watch.opened();
      return lost;
    },
  });
  expect(always.asked.length).toBeLessThan(60);
  expect(sight(always.entries).length).toBeGreaterThan(20);
});

test.for([
  { reason: 'denied', everyS: 30 },
  { reason: 'missing', everyS: 30 },
  { reason: 'throttled', everyS: 5 },
  { reason: 'unreachable', everyS: 2 },
] as const)('$reason: it is blind, says so once, and asks again about every $everyS s', async ({ reason, everyS }) => {
  const { asked, entries } = await followed(600, { list: () => notTold(reason, 'no'), watch: never });
  expect(sight(entries)).toEqual([['blind', 0, 0.5]]);
  expect(asked.length).toBeGreaterThan(600 / (1.3 * (everyS + 0.5)));
  expect(asked.length).toBeLessThan(10 + 600 / (0.7 * everyS));
});

test('credentials that are refused are renewed and tried at once, and then rarely', async () => {
  const { asked } = await followed(100, { list: () => notTold('no-credentials', 'no'), watch: never });
  expect(asked[1]).toMatch(/^list 0\.[56]/);
  expect(asked.length).toBeLessThan(7);
});

test('what is given up is not asked again', async () => {
  const { asked, entries } = await followed(600, {
    list: () => notTold('missing', 'no'),
    watch: never,
    notListed: 'never',
  });
  expect(asked).toEqual(['list 0']);
  expect(sight(entries)).toEqual([]);
});

test('a permission that is taken away in the middle is a gap until it is given back', async () => {
  const denied: WatchEnd = { kind: 'failed', error: notTold('denied', 'no') };
  const { entries, asked } = await followed(120, {
    async watch(count, watch, waitS) {
      if (count > 1 && count < 4) return denied;
      watch.opened();
      await waitS(10);
      watch.heard('b');
      return count === 1 ? closed : untilStopped(watch);
    },
  });
  const [blind, sees] = sight(entries) as [readonly unknown[], readonly number[]];
  expect(blind).toEqual(['blind', 10.5, 13.5]);
  expect(sees[1]).toBe(Number(asked.at(-1)?.split(' ')[2]));
});
