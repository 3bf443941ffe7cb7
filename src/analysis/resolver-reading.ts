/**
 * A ledger as it reads (domain facts, B.2): entries that count down, TTLs that do not, what the resolver calls stale, what it
 * says is not there, and how its answers moved from one side to the other.
 */
import type { Answer } from '../core/row.ts';
import { nsPerUs, sToNs } from '../core/time.ts';
import type { AnswerLedger } from './answer-ledger.ts';
import { endSpreadNs, newLives, type Life, type Observation } from './resolver-lives.ts';
import type { AnswerSide } from './sides.ts';

/** What an answer says by itself. */
export interface AnswerFacts {
  readonly kind: 'given' | 'denied' | 'failed';
  /** 1 = has IPv4 addresses, 2 = IPv6, 3 = both: each is counted down by itself. */
  readonly families: number;
  /** The resolver says that it is stale (RFC 8914: 3 or 19). */
  readonly isStale: boolean;
  readonly side: AnswerSide;
  /** The same whatever the order of its addresses. */
  readonly content: string;
}

const staleEdes: readonly number[] = [3 + 1, 19 + 1];

export function answerFacts({ rcode, ede, addresses, chain }: Answer, side: AnswerSide): AnswerFacts {
  const hasIpv6 = addresses.some((address) => address.includes(':'));
  const hasIpv4 = addresses.some((address) => !address.includes(':'));
  const isDenied = rcode === 'NXDOMAIN' || rcode === 'NOERROR';
  return {
    kind: addresses.length > 0 ? 'given' : isDenied ? 'denied' : 'failed',
    families: (hasIpv4 ? 1 : 0) + (hasIpv6 ? 2 : 0),
    isStale: staleEdes.includes(ede),
    side,
    content: [...chain, ...addresses.toSorted()].join(),
  };
}

/** Answers in a row that are alike in some way. */
export interface Run {
  readonly first: Observation;
  last: Observation;
  count: number;
}

export interface Reading {
  readonly ledger: AnswerLedger;
  readonly factsOf: (answer: number) => AnswerFacts;
  /** By their first observation. */
  readonly lives: readonly Life[];
  /** Of one TTL for some time, which nothing that counts down shows. */
  readonly flats: readonly Run[];
  /** Called stale by the resolver itself. */
  readonly stale: readonly Run[];
  /** "There is none". */
  readonly denied: readonly Run[];
  /** Answers with addresses. */
  readonly givenCount: number;
  /** Received; the last one is when it was asked for: an answer may take long, and nothing is known before it comes. */
  readonly firstNewNs: number | null;
  readonly lastOldNs: number | null;
  readonly lastNewNs: number | null;
  /** Until when whoever got an answer of that side may keep it, by its TTL as given; -Infinity = none was given. */
  readonly heldUntilNs: { readonly old: number; readonly new: number };
  /** How often an answer of the old side was asked for after one of the new side had come. */
  readonly flipBackCount: number;
}

/** A TTL that stays so long does not count down, and tells of no entry. */
const flatCountMin = 4;
const flatNsMin = sToNs(3);

export function readLedger(ledger: AnswerLedger, factsOf: (answer: number) => AnswerFacts): Reading {
  const lives = newLives();
  const flats: Run[] = [];
  const stale: Run[] = [];
  const denied: Run[] = [];
  let flat: Run | null = null;
  let flatFamilies = 0;
  // Used again and again: most are of one answer.
  const flatAnswers: Observation[] = [];
  let flatSize = 0;
  let staleRun: Run | null = null;
  let deniedRun: Run | null = null;
  let givenCount = 0;
  let firstNewNs: number | null = null;
  let lastOldNs: number | null = null;
  let lastNewNs: number | null = null;
  const heldUntilNs = { old: -Infinity, new: -Infinity };
  let newReceivedNs = Infinity;
  let flipBackCount = 0;

  function note(seen: Observation, facts: AnswerFacts): void {
    const endNs = seen.receivedNs + sToNs(seen.ttlS);
    if (facts.side === 'old' || facts.side === 'mixed') heldUntilNs.old = Math.max(heldUntilNs.old, endNs);
    if (facts.side === 'new' || facts.side === 'mixed') heldUntilNs.new = Math.max(heldUntilNs.new, endNs);
    if (facts.side === 'new') {
      firstNewNs = Math.min(firstNewNs ?? Infinity, seen.receivedNs);
      lastNewNs = seen.askedNs;
      newReceivedNs = Math.min(newReceivedNs, seen.receivedNs);
    } else if (facts.side === 'old') {
      lastOldNs = seen.askedNs;
      if (seen.askedNs <= newReceivedNs) return;
      flipBackCount += 1;
      newReceivedNs = Infinity;
    }
  }

  function see(seen: Observation): void {
    if (seen.ttlS > 0) lives.see(seen, factsOf(seen.answer));
  }

  /** What has one TTL tells of entries only once it is known not to be flat. */
  function endFlat(): void {
    if (flat === null) return;
    if (isFlat(flat)) flats.push(flat);
    else for (let i = 0; i < flatSize; i += 1) see(flatAnswers[i] as Observation);
    flat = null;
    flatSize = 0;
  }

  let before: Observation | null = null;
  for (let i = 0; i < ledger.count; i += 1) {
    const seen = observationAt(ledger, i);
    // Whoever waited for the same reply saw the same, and each address that was tried has a row.
    if (before !== null && seen.answer === before.answer && seen.ttlS === before.ttlS) {
      if (seen.askedNs <= before.receivedNs && seen.receivedNs <= before.receivedNs + sameReplyNs) continue;
    }
    const facts = factsOf(seen.answer);
    if (facts.kind === 'denied') denied.push(...begun((deniedRun = extended(deniedRun, seen))));
    else deniedRun = null;
    if (facts.isStale) stale.push(...begun((staleRun = extended(staleRun, seen))));
    else staleRun = null;
    if (facts.kind === 'given') {
      givenCount += 1;
      note(seen, facts);
      if (!facts.isStale) {
        if (flat !== null && (flatFamilies !== facts.families || !goesOn(flat, seen))) endFlat();
        flat = extended(flat, seen);
        flatFamilies = facts.families;
        if (!isFlat(flat)) flatAnswers[flatSize++] = seen;
      }
    }
    before = seen;
  }
  endFlat();
  return {
    ledger,
    factsOf,
    lives: lives.all,
    flats,
    stale,
    denied,
    givenCount,
    firstNewNs,
    lastOldNs,
    lastNewNs,
    heldUntilNs,
    flipBackCount,
  };
}

/** Whoever is told of one reply is told at nearly the same time. */
const sameReplyNs = sToNs(0.02);

export function observationAt(ledger: AnswerLedger, i: number): Observation {
  const askedNs = ledger.askedNs[i] as number;
  return {
    askedNs,
    receivedNs: askedNs + (ledger.tookUs[i] as number) * nsPerUs,
    ttlS: ledger.ttlS[i] as number,
    answer: ledger.answer[i] as number,
  };
}

/** The same TTL, and asked for so soon that whoever counts down would have shown less, or not at all long after. */
function goesOn({ last }: Run, seen: Observation): boolean {
  return seen.ttlS === last.ttlS && seen.askedNs - last.askedNs <= Math.max(flatNsMin, sToNs(seen.ttlS) - endSpreadNs);
}

function isFlat({ first, last, count }: Run): boolean {
  return count >= flatCountMin && last.askedNs - first.askedNs >= flatNsMin;
}

function extended(run: Run | null, seen: Observation): Run {
  if (run === null) return { first: seen, last: seen, count: 1 };
  run.last = seen;
  run.count += 1;
  return run;
}

/** The run, where this was its first. */
function begun(run: Run): Run[] {
  return run.count === 1 ? [run] : [];
}
