/** Which signals tell the sides apart, tried on both before anything depends on it. Without one, no run could judge. */
import { calibrationCountMin } from '../core/calibration.ts';
import { countOf, listText } from '../core/quantity-text.ts';
import type { Scenario, Service, Side } from '../core/scenario.ts';
import { rowsOf, type CheckResult } from './check.ts';
import type { Facts, Probe } from './facts.ts';
import { answered, headerOf, probesOf } from './probe-sets.ts';

type Vote = Side | 'both' | null;

/** As `analysis` lets them vote: null where it says nothing. */
interface Signal {
  readonly name: string;
  readonly vote: (probe: Probe, scenario: Scenario) => Vote;
}

const signals: readonly Signal[] = [
  { name: 'address', vote: ({ addressSide }) => addressSide },
  {
    name: 'certificate',
    vote: ({ certificateSha256 }, scenario) =>
      voteOf((side) => scenario.sides[side].certificateSha256.includes(certificateSha256)),
  },
  {
    name: 'marker',
    vote: ({ answer }, scenario) =>
      voteOf(
        (side) =>
          answer !== null && scenario.sides[side].marker.some(([name, value]) => headerOf(answer, name) === value),
      ),
  },
];

function voteOf(has: (side: Side) => boolean): Vote {
  if (has('old') && has('new')) return 'both';
  if (has('old')) return 'old';
  return has('new') ? 'new' : null;
}

export function identity(facts: Facts, service: Service): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'identity');
  const probes = (['old', 'new'] as const).map((side) =>
    answered(probesOf(facts, { service: service.name, side })).filter(({ kind }) => kind === 'request'),
  );
  const [old = [], target = []] = probes;
  const said = { subject: service.name, expected: 'address, certificate or marker tells the sides apart' };
  const all = [...old, ...target];
  const telling = signals.filter(({ vote }) => votesAt(vote, facts.scenario, all)).map(({ name }) => name);
  const wrong = signals.filter(({ vote }) => isEverWrong(vote, facts.scenario, all));
  const counts = `${countOf(old.length, 'probe')} of old, ${countOf(target.length, 'probe')} of new`;
  const hint = certificateHint(facts.scenario, old, target);

  if (old.length < calibrationCountMin || target.length < calibrationCountMin) {
    const text = `Too few answers to know what tells the sides apart: ${counts}, of ${calibrationCountMin} each.`;
    return [rows.unknown({ ...said, observed: counts, text })];
  }
  if (wrong.length > 0) {
    const names = listText(wrong.map(({ name }) => name));
    const text = `By ${names} some answers seem to come from the other side (${counts}). Mend sides in the scenario.`;
    return [rows.fail({ ...said, observed: `${names} names the wrong side`, text })];
  }
  if (!areToldApart(facts.scenario, all)) {
    const text = `Nothing in the scenario always tells the sides apart (${counts}). Give addresses, certificateSha256 or a marker header that only one side has.${hint}`;
    return [
      rows.fail({
        ...said,
        observed: telling.length === 0 ? 'nothing does' : `${listText(telling)} does, for some answers`,
        text,
      }),
    ];
  }
  const observed = `${listText(telling)} (${counts})`;
  return [rows.pass({ ...said, observed, text: `Told apart by ${listText(telling)}.${hint}` })];
}

/** What says of some answers that they are of their side. */
function votesAt(vote: Signal['vote'], scenario: Scenario, probes: readonly Probe[]): boolean {
  return probes.some((probe) => vote(probe, scenario) === probe.side);
}

/** For every answer some signal says which side it is of, as `analysis` decides it. */
function areToldApart(scenario: Scenario, probes: readonly Probe[]): boolean {
  return probes.every((probe) => signals.some(({ vote }) => vote(probe, scenario) === probe.side));
}

function isEverWrong(vote: Signal['vote'], scenario: Scenario, probes: readonly Probe[]): boolean {
  return probes.some((probe) => {
    const found = vote(probe, scenario);
    return found !== null && found !== 'both' && found !== probe.side;
  });
}

function certificateHint({ sides }: Scenario, old: readonly Probe[], target: readonly Probe[]): string {
  const shown = (probes: readonly Probe[]): ReadonlySet<string> =>
    new Set(probes.map((probe) => probe.certificateSha256).filter((sha256) => sha256 !== ''));
  const [ofOld, ofNew] = [shown(old), shown(target)];
  const isGiven = sides.old.certificateSha256.length > 0 || sides.new.certificateSha256.length > 0;
  if (isGiven || ofOld.size === 0 || ofNew.size === 0 || [...ofOld].some((sha256) => ofNew.has(sha256))) return '';
  return ` Their certificates differ: certificateSha256 in sides would be one more signal (old ${listText([...ofOld])}, new ${listText([...ofNew])}).`;
}
