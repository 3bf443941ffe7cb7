/** The observers that a scenario asks for, and what they share. Imported only by a run that has some. */
import type { Entry } from '../core/entry.ts';
import type { Clock, Observers, Random } from '../core/ports.ts';
import type { Scenario } from '../core/scenario.ts';
import { newAwsObservers } from './aws-observers.ts';
import { newBudget, type Budget } from './budget.ts';
import { newKubernetesObserver } from './kubernetes-observer.ts';
import { newRoute53 } from './route53.ts';
import { startRoute53Observers } from './route53-observers.ts';

export interface PlatformOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly scenario: Scenario;
  readonly entry: (entry: Entry) => void;
}

/** Of all that a scenario asks for only Route 53, as a preflight does; null: it does not. */
export function startRoute53(
  { clock, random, scenario, entry }: PlatformOptions,
  budget: Budget = newBudget({ clock, random }),
): Observers | null {
  const { route53: spec } = scenario;
  if (spec === undefined) return null;
  const route53 = newRoute53({ spec, clock, budget });
  const names = hostnamesOf(scenario);
  return startRoute53Observers({ clock, random, route53, names, changeId: spec.changeId, entry });
}

/** As Route 53 has them. */
function hostnamesOf({ services }: Scenario): readonly string[] {
  const checks = services.flatMap((service) => service.checks);
  return [...new Set(checks.map(({ hostname }) => hostname.toLowerCase()))];
}

export function startObservers({ clock, random, scenario, entry }: PlatformOptions): Observers {
  const budget = newBudget({ clock, random });
  const all: Observers[] = [];
  const route53 = startRoute53({ clock, random, scenario, entry }, budget);
  if (route53 !== null) all.push(route53);
  for (const { side, aws, kubernetes, addresses } of Object.values(scenario.sides)) {
    if (kubernetes !== undefined) {
      const observer = newKubernetesObserver({ side, spec: kubernetes, clock, random, entry });
      void observer.start();
      all.push({ marked() {}, stop: () => void observer.stop() });
    }
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
