/** Whether it is safe to switch, and to turn off what was left, of one service: what both answers are drawn from. */
import type { LaneAnalysis, ServiceAnalysis } from '../core/analysis.ts';
import { toIso } from '../core/time.ts';
import { authorityReplies, type AuthorityReplies } from './authority-replies.ts';
import { decidingTracks, type AuthorityTrack } from './authority-tracks.ts';
import type { Journal } from './journal.ts';
import { oldAnswers } from './old-answers.ts';
import type { ResolverStories } from './resolver-story.ts';
import { safeToRemoveOld } from './safe-to-remove-old.ts';
import { safeToSwitch } from './safe-to-switch.ts';
import { tailOf, type ServiceContext } from './service-analysis.ts';
import type { Sides } from './sides.ts';

export interface SafetyEvidence {
  readonly journal: Journal;
  readonly startedAtMs: number;
  readonly sides: Sides;
  readonly tracks: readonly AuthorityTrack[];
  readonly stories: ResolverStories;
  readonly lostBecause: readonly string[];
}

export type Safety = Pick<ServiceAnalysis, 'safeToSwitch' | 'safeToRemoveOld' | 'oldAnswers'>;

/** Of each service, by what is read once for all of them. */
export function newSafety(
  evidence: SafetyEvidence,
): (context: ServiceContext, lanes: readonly LaneAnalysis[]) => Safety {
  const { journal, startedAtMs, sides, tracks, stories, lostBecause } = evidence;
  const at = (atNs: number): string => toIso(startedAtMs, atNs);
  const replies: AuthorityReplies = authorityReplies(journal);
  const sideNames = sideNamesIn(journal);
  const nameServers = journal.of('authorities-found').flatMap((entry) => entry.nameServers ?? []);
  const isGoingOn = journal.of('run-ended').length === 0;
  return (context, lanes) => {
    const { changes, lives, service } = context;
    const answersOf = (index: number): Safety['oldAnswers'] => {
      const [change, life] = [changes.at(index), lives.at(index)];
      return change === undefined || life === undefined ? null : oldAnswers(context, { change, life, lanes });
    };
    const hostnames = new Set(service.checks.map(({ hostname }) => hostname));
    return {
      safeToSwitch: safeToSwitch(context, {
        replies,
        stories,
        lostBecause,
        startedAtMs,
        sideNames,
        sideOf: (addresses, chain) => sides.ofAnswer(addresses, chain),
        at,
      }),
      safeToRemoveOld: safeToRemoveOld(context, {
        stories,
        replies,
        sides,
        nameServers,
        tracks: decidingTracks(tracks, hostnames, journal),
        answers: answersOf(-1),
        lanes,
        tail: tailOf(context, lanes),
        lostBecause,
        isGoingOn,
        at,
      }),
      oldAnswers: answersOf(0),
    };
  };
}

function sideNamesIn(journal: Journal): readonly { readonly name: string; readonly addresses: readonly string[] }[] {
  const names = new Map<string, Set<string>>();
  for (const { watch, name, reply } of journal.of('dns-answered')) {
    if (watch !== 'side' || reply.kind === 'failed') continue;
    const addresses = names.get(name) ?? new Set<string>();
    names.set(name, addresses);
    for (const address of reply.addresses) addresses.add(address);
  }
  return [...names].map(([name, addresses]) => ({ name, addresses: [...addresses] }));
}
