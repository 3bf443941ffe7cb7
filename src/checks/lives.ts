/**
 * What resolvers alone tell of a TTL, where no authority can be asked. A resolver shows how long an answer will still live,
 * not how long it was to live when it was fetched; that shows when it is fetched anew. So each *life* of an answer in a
 * cache is kept: the instant it ends tells it from others, and a new one after it was fetched no earlier than the old one
 * ended. Behind one address may be several caches, each with a life of its own.
 */

/** Instants are wall clock, ms. */
export interface Life {
  /** The resolver's name. */
  readonly server: string;
  readonly name: string;
  readonly type: string;
  /** It was fetched between this and the first look; null: it may have been long before. */
  readonly fetchedFromMs: number | null;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly endMs: number;
  /** The next one in the same cache has been seen. */
  readonly isFollowed: boolean;
}

export interface ResolverLook {
  readonly server: string;
  readonly atMs: number;
  readonly sets: readonly { readonly name: string; readonly type: string; readonly ttlS: number }[];
}

/** Whole seconds, rounded by some up and by some down, twice where one asks another. */
const sameEndMs = 2000;
/** Of a hostname; a hostile resolver must not fill the memory. */
const lifeCountMax = 200;

export function livesAfter(before: readonly Life[], { server, atMs, sets }: ResolverLook): readonly Life[] {
  const lives = [...before];
  for (const { name, type, ttlS } of sets) {
    const endMs = atMs + ttlS * 1000;
    const isOwn = (life: Life): boolean => life.server === server && life.name === name && life.type === type;
    const same = lives.findIndex((life) => isOwn(life) && Math.abs(life.endMs - endMs) <= sameEndMs);
    const known = lives[same];
    if (known !== undefined) {
      lives[same] = { ...known, firstMs: Math.min(known.firstMs, atMs), lastMs: Math.max(known.lastMs, atMs) };
      continue;
    }
    // Of several that are over, the first: then the bound is not too tight.
    const over = lives
      .filter((life) => isOwn(life) && !life.isFollowed && life.endMs - prefetchMs(life) <= atMs)
      .toSorted((a, b) => a.endMs - b.endMs)[0];
    if (over !== undefined) lives[lives.indexOf(over)] = { ...over, isFollowed: true };
    const fetchedFromMs = over === undefined ? null : Math.max(over.lastMs, over.endMs - prefetchMs(over));
    lives.push({ server, name, type, fetchedFromMs, firstMs: atMs, lastMs: atMs, endMs, isFollowed: false });
  }
  return lives.length <= lifeCountMax ? lives : lives.toSorted((a, b) => a.endMs - b.endMs).slice(-lifeCountMax);
}

/** unbound and CoreDNS fetch anew in the last tenth of a life, BIND in the last 2 s (domain.md, A.2). */
function prefetchMs({ fetchedFromMs, firstMs, endMs }: Life): number {
  return Math.max(sameEndMs, (endMs - (fetchedFromMs ?? firstMs)) / 10);
}

// ── what they tell ───────────────────────────────────────────────────────────────────────────────────────────────────

/** What the lives in one resolver tell of the records of one hostname. */
export interface Told {
  /** Since when it is known that they are fetched with a low TTL; null: it has not been seen. */
  readonly lowAtMs: number | null;
  /** Until then some cache may hold what was fetched before. */
  readonly heldUntilMs: number;
  /** The largest TTL that lives above the limit can have had, in s; null: none was seen, or not from its beginning. */
  readonly highTtlS: number | null;
  /** The last life above the limit was fetched after this; null: none was seen, or it may have been long before. */
  readonly highAfterMs: number | null;
}

export function toldBy(
  lives: readonly Life[],
  { limitS, nowMs }: { readonly limitS: number; readonly nowMs: number },
): Told {
  const bySet = [...Map.groupBy(lives, ({ name, type }) => `${name} ${type}`).values()];
  const told = bySet.map((own) => toldOfSet(own, { limitS, nowMs }));
  const lows = told.map(({ lowAtMs }) => lowAtMs);
  return {
    lowAtMs: lows.length === 0 || lows.includes(null) ? null : Math.max(...lows.map((ms) => ms ?? 0)),
    heldUntilMs: Math.max(0, ...told.map(({ heldUntilMs }) => heldUntilMs)),
    highTtlS: latest(told.map(({ highTtlS }) => highTtlS)),
    highAfterMs: latest(told.map(({ highAfterMs }) => highAfterMs)),
  };
}

function toldOfSet(
  lives: readonly Life[],
  { limitS, nowMs }: { readonly limitS: number; readonly nowMs: number },
): Told {
  const high = lives.filter((life) => isHigh(life, limitS));
  const lastHighMs = Math.max(-Infinity, ...high.map(({ firstMs }) => firstMs));
  const isLow = (life: Life): boolean =>
    life.fetchedFromMs !== null && life.endMs - life.fetchedFromMs <= lowBoundMs(limitS) && !high.includes(life);
  const lows = lives.filter((life) => isLow(life) && life.firstMs > lastHighMs).map(({ firstMs }) => firstMs);
  const lowAtMs = lows.length < lowCountMin ? null : Math.min(...lows);
  const older = lives.filter((life) => life.endMs > nowMs && !isLow(life) && life.firstMs < (lowAtMs ?? Infinity));
  return {
    lowAtMs,
    heldUntilMs: Math.max(0, ...older.map(({ endMs }) => endMs)),
    highTtlS: latest(
      high.map(({ fetchedFromMs, endMs }) =>
        fetchedFromMs === null ? null : Math.ceil((endMs - fetchedFromMs) / 1000),
      ),
    ),
    highAfterMs: latest(high.map(({ fetchedFromMs }) => fetchedFromMs)),
  };
}

/** Each answer that it fetched since then lives longer than the limit, though nobody served it so: it raises TTLs. */
export function raisesTtls(
  lives: readonly Life[],
  { limitS, sinceMs }: { readonly limitS: number; readonly sinceMs: number },
): boolean {
  const fetched = lives.filter(({ fetchedFromMs }) => fetchedFromMs !== null && fetchedFromMs >= sinceMs);
  return fetched.length > 0 && fetched.every((life) => isHigh(life, limitS));
}

function isHigh({ firstMs, endMs }: Life, limitS: number): boolean {
  return endMs - firstMs > limitS * 1000 + sameEndMs;
}

/** null: there is none. */
function latest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** One may come of a cache that was not met before, whose life is nearly over. */
const lowCountMin = 2;

/** When exactly it was fetched is known to within a look and a prefetch; a TTL that was not lowered is far from that. */
function lowBoundMs(limitS: number): number {
  return limitS * 1250 + 5000;
}

// ── in a file ────────────────────────────────────────────────────────────────────────────────────────────────────────

export function isLife(value: unknown): value is Life {
  if (typeof value !== 'object' || value === null) return false;
  const { server, name, type, fetchedFromMs, firstMs, lastMs, endMs, isFollowed } = value as Record<string, unknown>;
  const isInstant = (one: unknown): one is number => typeof one === 'number' && Number.isFinite(one) && one >= 0;
  return (
    [server, name, type].every((one) => typeof one === 'string') &&
    [firstMs, lastMs, endMs].every(isInstant) &&
    (fetchedFromMs === null || isInstant(fetchedFromMs)) &&
    typeof isFollowed === 'boolean'
  );
}
