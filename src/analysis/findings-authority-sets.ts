/** Findings about what the authoritative servers of one name say side by side: the same records, the same TTL, the same shares. */
import type { Finding } from '../core/analysis.ts';
import { listText, ratioText } from '../core/quantity-text.ts';
import { nsPerS, sToNs } from '../core/time.ts';
import { meetings, type Meeting, type RecordSet, type Said } from './authority-record-sets.ts';
import { at, type FindingContext } from './finding-context.ts';

export interface SetContext extends FindingContext {
  readonly sets: readonly RecordSet[];
  readonly serviceOf: (name: string) => string | null;
  /** Names of which another finding says that a server lags. */
  readonly laggingNames: ReadonlySet<string>;
}

/** Servers may take a change some seconds apart. */
const togetherNsMin = sToNs(5);

export function authoritySetFindings(context: SetContext): Finding[] {
  return [
    ...context.sets.filter((set) => !set.isDrawn).flatMap((set) => disagreement(context, set)),
    ...context.sets.filter((set) => !set.isDrawn).flatMap((set) => differentTtls(context, set)),
    ...context.sets.filter((set) => set.isDrawn).flatMap((set) => draw(context, set)),
  ];
}

// ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Where one says what the other had said before, or says later, it is late, and not of another opinion. */
function disagreement(context: SetContext, set: RecordSet): Finding[] {
  const valuesOf = (server: string): Set<string> => new Set(set.servers.get(server)?.map(({ value }) => value));
  const differing = [...meetings(set)].filter(
    ({ said: [one, two], fromNs, toNs }) => one.value !== two.value && toNs - fromNs >= togetherNsMin,
  );
  const isOfAnotherOpinion = ({ servers: [a, b], said: [one, two] }: Meeting): boolean =>
    !valuesOf(b).has(one.value) && !valuesOf(a).has(two.value);
  const isToTheEnd = ({ servers: [a, b], said: [one, two] }: Meeting): boolean =>
    !context.laggingNames.has(set.owner) && isLast(set, a, one) && isLast(set, b, two);
  const meeting = differing.find((one) => isOfAnotherOpinion(one) || isToTheEnd(one));
  if (meeting === undefined) return [];
  const values = lastValues(set);
  return [
    {
      kind: 'authorities-disagree',
      service: context.serviceOf(set.owner),
      severity: 'warn',
      text: `The authoritative servers do not agree on ${set.owner} ${set.question}: users get one or the other, as their resolver happens to ask.`,
      evidence: [
        ...meeting.servers.map(
          (server, i) => `${at(context, meeting.fromNs)}: ${server} says ${meeting.said[i as 0 | 1].value}`,
        ),
        ...values.map(([value, servers]) => `at the end ${listText(servers)}: ${value}`),
      ],
    },
  ];
}

function isLast(set: RecordSet, server: string, said: Said): boolean {
  return set.servers.get(server)?.at(-1) === said;
}

function lastValues({ servers }: RecordSet): readonly (readonly [string, readonly string[]])[] {
  const last = [...servers].map(([server, said]) => ({ server, value: said.at(-1)?.value ?? '' }));
  return [...Map.groupBy(last, ({ value }) => value)].map(([value, all]) => [value, all.map(({ server }) => server)]);
}

// ── TTLs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

function differentTtls(context: SetContext, set: RecordSet): Finding[] {
  const meeting = [...meetings(set)].findLast(
    ({ said: [one, two], fromNs, toNs }) =>
      one.value === two.value && one.ttlS !== two.ttlS && toNs - fromNs >= togetherNsMin,
  );
  if (meeting === undefined) return [];
  const [one, two] = meeting.said;
  const highest = Math.max(one.ttlS ?? 0, two.ttlS ?? 0);
  const isOver = !meeting.servers.every((server, i) => isLast(set, server, meeting.said[i as 0 | 1]));
  return [
    {
      kind: 'authority-ttls-differ',
      service: context.serviceOf(set.owner),
      severity: 'warn',
      text: `The authoritative servers ${isOver ? 'did not always give' : 'do not give'} ${set.owner} ${set.question} the same TTL; a resolver keeps it as long as the one it asked says: up to ${highest} s.`,
      evidence: meeting.servers.map(
        (server, i) =>
          `${server} said ${String(meeting.said[i as 0 | 1].ttlS)} s from ${at(context, meeting.fromNs)} to ${at(context, meeting.toNs)} and longer`,
      ),
    },
  ];
}

// ── draws ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** With fewer answers, a share says nothing. */
const pollCountMin = 20;
/** Of a normal deviate: exceeded once in a thousand, either way. */
const bandZ = 3.29;

interface Share {
  readonly server: string;
  readonly newCount: number;
  readonly count: number;
}

/** A draw between the sides. Of a pool of addresses of one side there is nothing to say. */
function draw(context: SetContext, set: RecordSet): Finding[] {
  const shares = sharesOf(context, set);
  const newCount = shares.reduce((sum, share) => sum + share.newCount, 0);
  const count = shares.reduce((sum, share) => sum + share.count, 0);
  if (newCount === 0 || newCount === count) return [];
  const about = { service: context.serviceOf(set.owner), evidence: shares.map((share) => shareText(share)) };
  const drawn: Finding = {
    ...about,
    kind: 'answers-drawn',
    severity: 'info',
    text: `The answers for ${set.owner} ${set.question} are drawn anew for each query, as of weighted records: ${ratioText(newCount / count)} of them the new side, over all the time in which both came.`,
  };
  const judged = shares.filter((share) => share.count >= pollCountMin);
  const odd = judged.filter((share) => isOutside(share, without(judged, share)));
  if (odd.length === 0) return [drawn];
  return [
    drawn,
    {
      ...about,
      kind: 'authorities-disagree',
      severity: 'warn',
      text: `The authoritative servers do not draw the answers for ${set.owner} ${set.question} by the same weights: ${listText(odd.map(({ server }) => server))} ${odd.length === 1 ? 'differs' : 'differ'} from the others by more than chance allows.`,
    },
  ];
}

function without(shares: readonly Share[], one: Share): Omit<Share, 'server'> {
  const others = shares.filter((share) => share !== one);
  return {
    newCount: others.reduce((sum, { newCount }) => sum + newCount, 0),
    count: others.reduce((sum, { count }) => sum + count, 0),
  };
}

/**
 * The binomial band around the share that all have in common, by the normal approximation with half a count for
 * continuity. Weights may change meanwhile: all servers are asked equally often, so that what varies is then less, not more.
 */
function isOutside(share: Share, others: Omit<Share, 'server'>): boolean {
  if (others.count < pollCountMin) return false;
  const common = (share.newCount + others.newCount) / (share.count + others.count);
  const deviation = Math.sqrt(common * (1 - common) * (1 / share.count + 1 / others.count));
  const difference = Math.abs(share.newCount / share.count - others.newCount / others.count);
  return difference > bandZ * deviation + 0.5 / share.count + 0.5 / others.count;
}

/** Of each server while both sides were among the answers. A server polled every second has that many answers in a span. */
function sharesOf(context: SetContext, set: RecordSet): readonly Share[] {
  const isNew = (said: Said): boolean | null => {
    const side = context.sides.ofAnswer(said.addresses, said.chain);
    return side === 'old' || side === 'new' ? side === 'new' : null;
  };
  const mixed = [...set.servers.values()].filter((all) => new Set(all.map(isNew)).size > 1);
  const fromNs = Math.min(...mixed.map((all) => all[1]?.fromNs ?? Infinity));
  const toNs = Math.max(...mixed.map((all) => all.at(-1)?.fromNs ?? -Infinity));
  return [...set.servers].map(([server, all]) => {
    let [newCount, count] = [0, 0];
    for (const said of all) {
      const overlapNs = Math.min(said.toNs, toNs) - Math.max(said.fromNs, fromNs);
      const side = isNew(said);
      if (overlapNs < 0 || side === null) continue;
      const polls = Math.min(said.pollCount, Math.round(overlapNs / nsPerS) + 1);
      count += polls;
      if (side) newCount += polls;
    }
    return { server, newCount, count };
  });
}

function shareText({ server, newCount, count }: Share): string {
  return `${server}: ${newCount} of ${count} answers the new side`;
}
