/**
 * What of the script is in force between the platforms: at resolvers, at name servers, on the network. Steps may overlap;
 * where one ends the others go on.
 */
import type { Side } from '../core/scenario.ts';
import type { FaultName } from '../core/truth.ts';
import type { PlatformApi, StepAction } from '../core/world.ts';

type TroubleKind =
  | 'cut-off-resolver'
  | 'fail-resolver'
  | 'fail-name-server'
  | 'degrade-network'
  | 'lose-own-network'
  | 'fail-platform-api';
type TroubleStep = Extract<StepAction, { kind: TroubleKind }>;
type TroubleOf<K extends TroubleKind> = Extract<StepAction, { kind: K }>;

export interface Trouble {
  note(step: TroubleStep, isEnd: boolean): void;
  isOwnNetworkLost(): boolean;
  isCutOff(resolver: string): boolean;
  /** As the step that began last says; null = it works. */
  howFails(resolver: string): TroubleOf<'fail-resolver'>['how'] | null;
  ofResolver(resolver: string): FaultName | null;
  isSilent(nameServer: string): boolean;
  /** Whoever asks it is told nothing. */
  isApiDown(side: Side, api: PlatformApi): boolean;
  onWayTo(side: Side): TroubleOf<'degrade-network'> | null;
}

export function newTrouble(): Trouble {
  /** In the order in which they began. */
  let all: readonly TroubleStep[] = [];
  const of = <K extends TroubleKind>(kind: K): readonly TroubleOf<K>[] =>
    all.filter((step): step is TroubleOf<K> => step.kind === kind);

  const isCutOff = (name: string): boolean => of('cut-off-resolver').some(({ resolver }) => resolver === name);
  const howFails = (name: string): TroubleOf<'fail-resolver'>['how'] | null =>
    of('fail-resolver').findLast(({ resolver }) => resolver === name)?.how ?? null;

  return {
    note(step, isEnd) {
      all = isEnd ? all.filter((one) => one !== step) : [...all, step];
    },
    isOwnNetworkLost: () => of('lose-own-network').length > 0,
    isCutOff,
    howFails,
    ofResolver: (name) => (howFails(name) !== null ? 'resolver-failing' : isCutOff(name) ? 'resolver-cut-off' : null),
    isSilent: (name) => of('fail-name-server').some(({ nameServer }) => nameServer === name),
    isApiDown: (asked, which) =>
      of('lose-own-network').length > 0 ||
      of('fail-platform-api').some(({ side, api }) => side === asked && (api === null || api === which)),
    onWayTo: (to) => of('degrade-network').findLast(({ side }) => side === to) ?? null,
  };
}
