import { setTimeout as sleepMs } from 'node:timers/promises';

/**
 * Polls until `isSo` gives something other than false, null or undefined, and returns that. Fails with `what` after
 * `withinMs`: a test that hangs says nothing.
 */
export async function waitUntil<T>(
  what: string,
  isSo: () => T | Promise<T>,
  { withinMs = 10_000, everyMs = 10 }: { readonly withinMs?: number; readonly everyMs?: number } = {},
): Promise<Exclude<T, false | null | undefined>> {
  const endsAtMs = performance.now() + withinMs;
  for (;;) {
    const seen = await isSo();
    if (seen !== false && seen !== null && seen !== undefined) return seen as Exclude<T, false | null | undefined>;
    if (performance.now() > endsAtMs) throw new Error(`waited ${withinMs} ms in vain until ${what}`);
    await sleepMs(everyMs);
  }
}
