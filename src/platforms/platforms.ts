/** The observers that a scenario asks for, and what they share. Imported only by a run that has some. */
import type { Entry } from '../core/entry.ts';
import type { Clock, Observers, Random } from '../core/ports.ts';
import type { Scenario } from '../core/scenario.ts';
import { newAwsObservers } from './aws-observers.ts';
import { newBudget } from './budget.ts';
import { newRoute53 } from './route53.ts';
import { startRoute53Observers } from './route53-observers.ts';

export interface PlatformOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly scenario: Scenario;
  readonly entry: (entry: Entry) => void;
}

export function startObservers({ clock, random, scenario, entry }: PlatformOptions): Observers {
  const budget = newBudget({ clock, random });
  const all: Observers[] = [];
  if (scenario.route53 !== undefined) {
    const checks = scenario.services.flatMap((service) => service.checks);
    all.push(
      startRoute53Observers({
        clock,
        random,
        route53: newRoute53({ spec: scenario.route53, clock, budget }),
        names: [...new Set(checks.map(({ hostname }) => hostname.toLowerCase()))],
        changeId: scenario.route53.changeId,
        entry,
      }),
    );
  }
  for (const { side, aws, addresses } of Object.values(scenario.sides)) {
    if (aws === undefined) continue;
    const observers = newAwsObservers({
      side,
      spec: aws,
      dnsNames: addresses.flatMap((address) => (address.kind === 'name' ? [address.name] : [])),
      clock,
      wallNowMs: Date.now,
      random,
      budget,
      entry,
    });
    observers.start();
    all.push({ marked() {}, stop: () => observers.stop() });
  }
  return {
    marked(text) {
      for (const one of all) one.marked(text);
    },
    stop() {
      for (const one of all) one.stop();
    },
  };
}
