/** What findings are drawn from: the evidence and what was already concluded from it. */
import type {
  LaneAnalysis,
  ObserverAnalysis,
  ProberAnalysis,
  ResolverAnalysis,
  RolloutAnalysis,
  ServiceAnalysis,
} from '../core/analysis.ts';
import { toIso } from '../core/time.ts';
import type { AuthorityTrack } from './authority-tracks.ts';
import type { Gathered } from './gathered.ts';
import type { Journal } from './journal.ts';
import type { LaneView } from './lane-view.ts';
import type { OwnNetwork } from './own-network.ts';
import type { ServiceContext } from './service-analysis.ts';
import type { Sides } from './sides.ts';
import type { TargetsRead } from './targets.ts';

export interface FindingContext {
  readonly gathered: Gathered;
  readonly journal: Journal;
  readonly sides: Sides;
  readonly tracks: readonly AuthorityTrack[];
  readonly views: readonly LaneView[];
  readonly contexts: readonly ServiceContext[];
  readonly lanes: readonly LaneAnalysis[];
  readonly services: readonly ServiceAnalysis[];
  readonly ownNetwork: OwnNetwork;
  readonly prober: ProberAnalysis;
  readonly observers: readonly ObserverAnalysis[];
  readonly targets: TargetsRead;
  readonly endedAtNs: number;
  readonly resolvers: readonly ResolverAnalysis[];
  readonly rollouts: readonly RolloutAnalysis[];
}

/** An instant as people read it. */
export function at(context: FindingContext, atNs: number): string {
  return toIso(context.gathered.started.startedAtMs, atNs);
}
