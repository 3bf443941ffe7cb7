/** `cutwatch forecast`: the tail to expect of a switch, and beside it what a run measured. */
import { styleText } from 'node:util';
import { userError } from '../core/errors.ts';
import type { World } from '../core/world.ts';
import { plainText } from '../report/escape.ts';
import { analyseFolder } from '../run/run.ts';
import { settingOf } from '../scenario/setting.ts';
import { defaultWorld } from '../scenario/world.ts';
import { forecast } from '../sim/forecast.ts';
import { measuredOf } from '../sim/forecast-measured.ts';
import { forecastText } from '../sim/forecast-text.ts';
import { adviceOf, assumptionsOf } from '../sim/forecast-words.ts';
import { scenarioFileOf } from './built-in-scenarios.ts';
import { loadRehearsal } from './load-scenario.ts';

export interface ForecastFlags {
  readonly run?: string | undefined;
  readonly json?: boolean | undefined;
  readonly ascii?: boolean | undefined;
  readonly seeds: number;
  readonly seed?: number | undefined;
  readonly requestEveryS: number;
  readonly horizonS?: number | undefined;
  readonly ttlS?: number | undefined;
}

const emphases = { strong: 'bold', faint: 'dim' } as const;

/** @param given a scenario file, or the name of one that comes with cutwatch */
export function forecastCommand(given: string, flags: ForecastFlags): void {
  const { scenario, world: own } = loadRehearsal(scenarioFileOf(given));
  const world = withTtl(own ?? defaultWorld(scenario), flags.ttlS);
  const found = forecast({
    scenario,
    world,
    setting: settingOf(scenario, world),
    seed: flags.seed ?? world.seed,
    populationCount: flags.seeds,
    requestEveryS: flags.requestEveryS,
    horizonS: flags.horizonS ?? null,
  });
  if (found.services.length === 0) {
    throw userError(
      given,
      'nothing in it moves a name from one side to the other, so that there is nothing to forecast',
    );
  }
  if (found.unmoved.length > 0) say(`nothing in the script moves ${found.unmoved.join(', ')}`);

  const analysis = flags.run === undefined ? null : analyseFolder(flags.run);
  const measured = found.services.map(({ names, curve }) => {
    if (analysis === null) return null;
    const seen = measuredOf({ analysis, scenario, services: names, instantsS: curve.map(({ atS }) => atS) });
    if (seen === null) say(`the run saw no such change of ${names.join(', ')}`);
    return seen;
  });
  if (flags.json === true) {
    const services = found.services.map((service, i) => {
      return { ...service, advice: adviceOf(found, service), measured: measured[i] ?? null };
    });
    process.stdout.write(`${JSON.stringify({ ...found, services, assumptions: assumptionsOf(found) }, null, 2)}\n`);
    return;
  }
  const text = forecastText(found, {
    measured,
    isAscii: flags.ascii ?? false,
    plain: plainText,
    // Honours NO_COLOR, FORCE_COLOR and what the terminal can.
    style: (part, emphasis) => styleText(emphases[emphasis], part, { stream: process.stdout }),
    columns: process.stdout.isTTY ? Math.max(60, process.stdout.columns) : 120,
  });
  process.stdout.write(`${text}\n`);
}

/** What if the record had this TTL, and nobody lowered it? */
function withTtl(world: World, ttlS: number | undefined): World {
  if (ttlS === undefined) return world;
  if (world.zone.record === 'alias') {
    throw userError('--ttl-s', `the record is an alias: its TTL is ${String(world.zone.ttlS)}, and nobody can set it`);
  }
  const script = world.script.filter(({ does }) => does.kind !== 'lower-ttl');
  return { ...world, zone: { ...world.zone, ttlS }, script };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
