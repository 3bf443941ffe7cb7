import { expect } from 'vitest';
import { presets } from '../../src/clients/presets.ts';
import { parseRehearsal } from '../../src/scenario/parse.ts';
import { settingOf } from '../../src/scenario/setting.ts';
import { defaultWorld } from '../../src/scenario/world.ts';
import { forecast, type Forecast, type ForecastOptions, type ServiceForecast } from '../../src/sim/forecast.ts';

type Given = Partial<Pick<ForecastOptions, 'seed' | 'populationCount' | 'requestEveryS' | 'horizonS'>>;

/** A small switch, in YAML: what differs from it is said by the test. */
export function forecastOf(parts: {
  readonly clients: string;
  readonly world?: string;
  readonly resolvers?: string;
  readonly services?: string;
  readonly change?: string;
  readonly given?: Given;
}): Forecast {
  const text = `
name: small
services: ${parts.services ?? '[{ name: orders, url: https://orders.shop.example/ready }]'}
sides:
  old: { title: ALB/ECS, addresses: ['dns:shop-1.us-west-1.elb.amazonaws.com'] }
  new: { title: nginx/EKS, addresses: ['dns:k8s-shop.elb.us-west-2.amazonaws.com'] }
resolvers: ${parts.resolvers ?? "[{ name: vpc, address: '10.0.0.2:53' }]"}
clients: ${parts.clients}
change: ${parts.change ?? '{ via: dns, ttlS: 67 }'}
${parts.world === undefined ? '' : `world: ${parts.world}`}
`;
  const { scenario, world: own } = parseRehearsal(text, { file: 'small', env: {}, presets, readFile: () => '' });
  const world = own ?? defaultWorld(scenario);
  const setting = settingOf(scenario, world);
  const defaults = { seed: 1, populationCount: 100, requestEveryS: 5, horizonS: null };
  return forecast({ scenario, world, setting, ...defaults, ...parts.given });
}

export function onlyService({ services }: Forecast): ServiceForecast {
  const [service] = services;
  if (service === undefined || services.length > 1) throw new Error('expected one service');
  return service;
}

/** At every instant that was looked at, within what chance may add or take away in one of 100,000 draws. */
export function expectShares({ curve, userCount }: ServiceForecast, theory: (atS: number) => number): void {
  expect(curve.length).toBeGreaterThan(60);
  const off = curve.filter(({ atS, ratio }) => {
    const expected = theory(atS);
    const standardError = Math.sqrt(Math.max(0, expected * (1 - expected)) / userCount);
    return Math.abs(ratio - expected) > 4.4 * standardError + 1e-9;
  });
  expect(off.map(({ atS, ratio }) => ({ atS, ratio, expected: theory(atS) }))).toEqual([]);
}
