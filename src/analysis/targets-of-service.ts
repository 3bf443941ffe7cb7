/** Which target groups a request of a service may end in, by the rules of its side's load balancers. */
import type { Check } from '../core/scenario.ts';
import type { GroupSeen } from './platform-timeline.ts';

export interface Weighted {
  readonly arn: string;
  /** Of the service's requests, so many go there, 0 to 1; null: some may, and nobody knows how many. */
  readonly ratio: number | null;
}

/**
 * A rule that names the host goes before one that takes any, and of these one that names the path: the order of rules is
 * not known, and this is how they are written. One with further conditions (a header, a query) takes only some requests:
 * beside a rule that takes all of them alike it is for others than us, as a canary is; where it names more than any such
 * rule, some of ours may go there.
 */
export function groupsOf(check: Pick<Check, 'hostname' | 'path'>, groups: readonly GroupSeen[]): readonly Weighted[] {
  const path = check.path.split('?', 1)[0] ?? '/';
  const matching = groups.flatMap((group) =>
    group.rules
      .filter(({ hosts, paths }) => isAny(hosts, check.hostname.toLowerCase(), true) && isAny(paths, path, false))
      .map(({ hosts, paths, weightRatio, isForSome = false }) => ({
        arn: group.arn,
        weightRatio,
        isForSome,
        rank: (hosts.length > 0 ? 2 : 0) + (paths.length > 0 ? 1 : 0),
      })),
  );
  const rank = Math.max(-1, ...matching.filter((one) => !one.isForSome).map((one) => one.rank));
  const best = matching.filter((one) => one.rank === rank && !one.isForSome);
  const perhaps = matching.filter((one) => one.rank > rank);
  if (perhaps.length > 0) {
    return [...new Set([...perhaps, ...best].map(({ arn }) => arn))].map((arn) => ({ arn, ratio: null }));
  }
  const sum = best.reduce((total, { weightRatio }) => total + weightRatio, 0);
  const byGroup = new Map<string, number>();
  for (const { arn, weightRatio } of best) byGroup.set(arn, (byGroup.get(arn) ?? 0) + weightRatio / sum);
  return [...byGroup].map(([arn, ratio]) => ({ arn, ratio }));
}

function isAny(patterns: readonly string[], text: string, isHost: boolean): boolean {
  return patterns.length === 0 || patterns.some((pattern) => isLike(isHost ? pattern.toLowerCase() : pattern, text));
}

/** `*` for any number of characters, `?` for one; without a regular expression, which such patterns could make slow. */
function isLike(pattern: string, text: string): boolean {
  let [at, from] = [0, 0];
  let star = -1;
  let retry = 0;
  while (from < text.length) {
    if (at < pattern.length && (pattern[at] === '?' || (pattern[at] === text[from] && pattern[at] !== '*'))) {
      at += 1;
      from += 1;
    } else if (pattern[at] === '*') {
      star = at;
      retry = from;
      at += 1;
    } else if (star !== -1) {
      at = star + 1;
      retry += 1;
      from = retry;
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
