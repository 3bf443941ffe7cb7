/** Which signals tell the sides apart, tried on both before anything depends on it. Without one, no run could judge. */
import { calibrationCountMin } from '../core/calibration.ts';
import { countOf, listText } from '../core/quantity-text.ts';
import type { Scenario, Service, Side } from '../core/scenario.ts';
import { rowsOf, type CheckResult } from './check.ts';
import type { Facts, Probe } from './facts.ts';
import { isAlone, isServing } from './both-sides.ts';
import { answered, headerOf, probesOf, slowMs, unique, type Answered } from './probe-sets.ts';
import { sidesOf } from './records.ts';

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
  const { scenario } = facts;
  const [old = [], target = []] = (['old', 'new'] as const).map((side) =>
    answered(probesOf(facts, { service: service.name, side })).filter(({ kind }) => kind === 'request'),
  );
  const { entering, leaving } = sidesOf(facts);
  // Who goes back from a side that is down has nothing to wait for there.
  const isHalf = isAlone(facts, service);
  const all = isHalf ? (entering === 'old' ? old : target) : [...old, ...target];
  const counts = `${countOf(old.length, 'probe')} of old, ${countOf(target.length, 'probe')} of new`;
  const few = isHalf ? all.length : Math.min(old.length, target.length);
  const said = { subject: service.name, expected: 'address, certificate or marker tells the sides apart' };

  // That is told already, and what else there may be to tell is not known.
  const addresses = facts.addresses[entering];
  const isOtherwiseTold = addresses.length === 0 || !addresses.every((address) => isServing(facts, service, address));
  if (few < calibrationCountMin && isOtherwiseTold) return [];
  if (few < calibrationCountMin) {
    const text = `Too few answers to know what tells the sides apart: ${counts}, of ${calibrationCountMin} each.${slowHint(service)}`;
    return [rows.unknown({ ...said, observed: counts, text })];
  }
  const found = signals.map(({ name, vote }) => {
    const votes = all.map((probe) => ({ voted: vote(probe, scenario), side: probe.side }));
    return {
      name,
      rightCount: votes.filter(({ voted, side }) => voted === side).length,
      isEverWrong: votes.some(({ voted, side }) => voted !== null && voted !== 'both' && voted !== side),
    };
  });
  const wrong = found.filter(({ isEverWrong }) => isEverWrong).map(({ name }) => name);
  const telling = found.filter(({ rightCount }) => rightCount > 0);
  const tellingText = listText(
    telling.map(({ name, rightCount }) =>
      rightCount === all.length ? name : `${name} (${rightCount} of ${all.length} answers)`,
    ),
  );
  if (wrong.length > 0) {
    const text = `By ${listText(wrong)} some answers seem to come from the other side (${counts}). Mend sides in the scenario.`;
    return [rows.fail({ ...said, observed: `${listText(wrong)} names the wrong side`, text })];
  }
  const hint = isHalf ? '' : certificateHint(scenario, old, target);
  // As `analysis` decides it: for every answer some signal says which side it is of.
  const isTold = all.every((probe) => signals.some(({ vote }) => vote(probe, scenario) === probe.side));
  if (!isTold) {
    const text = `Nothing in the scenario always tells the sides apart (${counts}). Give addresses, certificateSha256 or a marker header that only one side has.${hint}${headerHint(old, target)}`;
    return [rows.fail({ ...said, observed: tellingText === '' ? 'nothing does' : `only ${tellingText}`, text })];
  }
  const observed = `${tellingText} (${counts})`;
  if (!isHalf) return [rows.pass({ ...said, observed, text: `Told apart by ${tellingText}.${hint}` })];
  const text = `Answers of ${scenario.sides[entering].title} are told by ${tellingText}; ${scenario.sides[leaving].title} is down.`;
  return [rows.pass({ ...said, observed, text })];
}

function slowHint({ checks }: Service): string {
  const isSlow = checks.every(({ timeouts }) => timeouts.totalMs > slowMs);
  return isSlow ? ' All its checks may take longer than a minute, and are asked once: give it one that does not.' : '';
}

function certificateHint({ sides }: Scenario, old: readonly Probe[], target: readonly Probe[]): string {
  const shown = (probes: readonly Probe[]): ReadonlySet<string> =>
    new Set(probes.map((probe) => probe.certificateSha256).filter((sha256) => sha256 !== ''));
  const [ofOld, ofNew] = [shown(old), shown(target)];
  const isGiven = sides.old.certificateSha256.length > 0 || sides.new.certificateSha256.length > 0;
  if (isGiven || ofOld.size === 0 || ofNew.size === 0 || [...ofOld].some((sha256) => ofNew.has(sha256))) return '';
  return ` Their certificates differ: certificateSha256 in sides would be one more signal (old ${listText([...ofOld])}, new ${listText([...ofNew])}).`;
}

/** They differ by themselves, or by who asked when. */
const accidental =
  /^(?:date|age|etag|expires|last-modified|content-length|set-cookie|x-request-id|x-amzn-.*|traceparent)$/;

/** Headers that each side always sends alike, and the sides differently: a marker may lie there already. */
function headerHint(old: readonly Answered[], target: readonly Answered[]): string {
  const names = new Set([...old, ...target].flatMap(({ answer }) => answer.headers.map(([name]) => name)));
  const valuesOf = (probes: readonly Answered[], name: string): readonly string[] =>
    unique(probes.map(({ answer }) => headerOf(answer, name)));
  const telling = [...names].filter((name) => {
    const [ofOld, ofNew] = [valuesOf(old, name), valuesOf(target, name)];
    return !accidental.test(name) && ofOld.length === 1 && ofNew.length === 1 && ofOld[0] !== ofNew[0];
  });
  return telling.length === 0
    ? ''
    : ` These headers differ, and might do as a marker: ${telling.toSorted().join(', ')}.`;
}
