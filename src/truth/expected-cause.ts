/**
 * Why a request failed, from the world's fault and the client's situation, in the analysis's words: which causes are true.
 * Several are where a fault is seen from outside as one thing or another, and both are right. The first is the best.
 */
import type { Cause } from '../core/analysis.ts';
import type { Lane, Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import type { FaultName } from '../core/truth.ts';
import type { Attempt } from './attempts.ts';
import { fails, type Fate } from './fate.ts';
import { movesEverybody, type History, type Move } from './history.ts';

/** Name servers are asked once a second: about the change, nobody can know it better. */
const pollNs = sToNs(1);
/** What mixes failures and good answers is seen over some seconds. */
const aboutNs = sToNs(2);

/** @returns empty where the world knows no fault. */
export function expectedCauses(fate: Fate, lane: Lane, history: History): readonly Cause[] {
  const { attempt, fault, firstTry } = fate;
  // The second try came after the first had been waited for.
  if (firstTry !== undefined) return ['too-slow', ...expectedCauses(firstTry, lane, history)];
  if (fault === null) return [];
  const isOfDns = attempt.outcome.startsWith('dns-');
  const isLate = attempt.outcome === 'answered' && attempt.isRight;
  if (fault === 'own-network-lost') {
    // What a client keeps of it goes on when our network is back.
    const isOver = history.ownNetwork.at(attempt.sentNs) === null;
    return [
      'own-network-suspected',
      ...(isLate ? (['too-slow'] as const) : []),
      ...(isOver && isOfDns ? (['dns-failed'] as const) : []),
    ];
  }
  if (isOfDns) return ['dns-failed'];
  // Whatever else was wrong behind it.
  if (attempt.outcome === 'tls-failed') return ['tls'];
  if (isOfNames(fault)) return ['too-slow'];
  const side = attempt.address === null ? null : history.sideOf(attempt.address);
  const onSide: readonly Cause[] =
    side === null
      ? []
      : [...(isLate ? (['too-slow'] as const) : []), ...causesOnSide(fault, attempt, side, lane, history)];
  if (side === null || lane.role !== 'client') return onSide;
  // Just about a move nobody can say on which side of it a failure was.
  const before = moveAwayFrom(side, lane, history, ({ firstAtNs }) => firstAtNs + pollNs <= attempt.dueNs);
  const after = moveAwayFrom(side, lane, history, ({ leftAtNs }) => leftAtNs - pollNs <= attempt.dueNs);
  const move = after ?? before;
  if (move === null) return onSide;
  const left = causesOfLeft(attempt, move, lane, history);
  if (before === null || after === null || !movesEverybody(history)) return [...left, ...onSide];
  // How a certificate or an answer was wrong is as true as that the client should not have met it.
  const how = onSide.filter((cause) => cause === 'tls' || cause === 'too-slow' || cause === 'wrong-answer');
  return [...left, ...how];
}

/** The client waited for its resolver, and got its answer after all. */
function isOfNames(fault: FaultName): boolean {
  return fault === 'resolver-failing' || fault === 'resolver-cut-off' || fault === 'name-server-failing';
}

/** The latest move of the record, if it left this side: then a client that is still here should not be. */
function moveAwayFrom(side: Side, lane: Lane, history: History, isOver: (move: Move) => boolean): Move | null {
  const move = history.moves(lane.check.hostname).findLast(isOver);
  return move?.from === side ? move : null;
}

function causesOfLeft(attempt: Attempt, move: Move, lane: Lane, history: History): readonly Cause[] {
  // Where the client should have been it would have failed as well.
  const isTargetDown = isSideDown(move.to, attempt, lane, history);
  if (isTargetDown) return ['side-down'];
  const { kind } = lane.archetype.resolve;
  const asked = kind === 'once' || kind === 'pinned' ? 'pinned' : 'stale-answer';
  if (!attempt.isKept || attempt.bornNs > move.firstAtNs + pollNs) return [asked];
  return attempt.bornNs < move.leftAtNs - pollNs ? ['kept-connection'] : ['kept-connection', asked];
}

/** At none of its addresses anything was served while the request was under way. */
function isSideDown(side: Side, { sentNs, endedNs }: Attempt, lane: Lane, history: History): boolean {
  return history.addresses[side].every((address) =>
    history
      .conditions(address, lane.check.hostname)
      .isAllTheTime(sentNs, Math.min(endedNs, sentNs + pollNs), (one) => fails(one, 'new', lane.check.goodWithinMs)),
  );
}

function causesOnSide(fault: FaultName, attempt: Attempt, side: Side, lane: Lane, history: History): readonly Cause[] {
  const kept = keptAlone(attempt, lane, history);
  // Begun in a silence, and answered when its SYN was sent again after that: what was wrong was there, and it was late.
  const late: readonly Cause[] = attempt.isRight ? ['too-slow'] : [];
  switch (fault) {
    case 'load-balancer-removed':
      return ['side-down', ...late, ...kept];
    case 'zone-lost': {
      const others = history.addresses[side].filter((address) => address !== attempt.address);
      const isMore = others.some((address) => isUnwell(address, attempt, lane, history));
      if (isMore) return ['address-down', 'side-impaired', 'side-down', ...kept];
      return [
        history.addresses[side].length > 1 && !isSideDown(side, attempt, lane, history) ? 'address-down' : 'side-down',
        ...late,
        ...kept,
      ];
    }
    case 'no-targets':
      return ['no-target'];
    case 'stale-target':
    case 'stale-endpoints':
      // A 502 or 504 says only that one did not answer (domain facts 0.3); who watches targets may know more.
      if (attempt.outcome === 'answered') return ['target-failed', 'stale-target'];
      return ['side-impaired', 'stale-target', 'side-down', 'unattributed', ...kept];
    case 'app-failing':
      return [attempt.status >= 500 ? 'app-5xx' : 'wrong-answer'];
    case 'app-slow':
    case 'cpu-throttled':
      // An answer that never came says only that the side did not answer.
      if (attempt.outcome !== 'answered') return ['side-down', 'side-impaired', 'unattributed'];
      // A load balancer that waited in vain says 504 itself.
      return ['target-failed'];
    case 'wrong-certificate':
      return ['tls'];
    case 'network-degraded':
      // Between us and the side: from here the side answers some and not others.
      return ['side-impaired', 'unattributed', 'side-down', 'address-down', 'too-slow', ...kept];
    case 'connection-ended':
      // Of one that was just opened: what it led to went away and came back in between.
      return attempt.isKept ? ['kept-connection'] : ['side-down', 'address-down', 'unattributed'];
    case 'own-network-lost':
    case 'resolver-failing':
    case 'resolver-cut-off':
    case 'name-server-failing':
    case 'record-missing':
      return [];
  }
}

/** Something else is wrong there. */
function isUnwell(address: string, { sentNs, endedNs }: Attempt, lane: Lane, history: History): boolean {
  return history
    .conditions(address, lane.check.hostname)
    .during(sentNs - aboutNs, endedNs + aboutNs)
    .some(({ failedRatio }) => failedRatio > 0);
}

/** The place was well again when the request on an old connection to it was given up: a new one would have been served. */
function keptAlone(attempt: Attempt, lane: Lane, history: History): readonly Cause[] {
  if (!attempt.isKept || attempt.address === null || attempt.outcome === 'answered') return [];
  const then = history.conditions(attempt.address, lane.check.hostname).at(attempt.endedNs);
  return then !== null && then.failedRatio < 1 ? ['kept-connection'] : [];
}
