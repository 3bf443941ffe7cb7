/**
 * Route 53 for a preflight: the observers of a run, and of what they tell the latest. It is read beside the other looks, so
 * that one call a second does not hold them up; only the first look waits until each has seen something or cannot.
 */
import type { Route53Facts } from '../checks/facts.ts';
import { linksOf } from '../core/record-policy.ts';
import type { Memory, Seen } from '../checks/memory.ts';
import type { Entry, EntryOf } from '../core/entry.ts';
import type { Clock, Observers } from '../core/ports.ts';
import { askedTtlS } from '../core/record-set.ts';
import type { Scenario } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';

export interface Route53Look {
  /** When there is something to say of everything that is asked, or after a minute. */
  readonly ready: Promise<void>;
  facts(): Route53Facts;
  stop(): void;
}

export interface Route53LookOptions {
  readonly clock: Clock;
  readonly scenario: Scenario;
  readonly observe: (entry: (entry: Entry) => void) => Observers | null;
}

/** At one call a second, for a scenario of many services. */
const firstLookMaxS = 60;

export function newRoute53Look({ clock, scenario, observe }: Route53LookOptions): Route53Look {
  const hostnames = scenario.services.flatMap(({ checks }) => checks.map(({ hostname }) => hostname.toLowerCase()));
  const changeId = scenario.route53?.changeId ?? null;
  const policies = new Map<string, EntryOf<'record-policy-seen'>>();
  const health = new Map<string, EntryOf<'record-health-seen'>['health']>();
  const blind = new Map<string, { readonly why: string; readonly mayPass: boolean }>();
  const what = new Map<string, string>();
  let change: Route53Facts['change'] = null;
  const ready = Promise.withResolvers<void>();

  const observers = observe((entry) => {
    if (entry.type === 'observer-started') what.set(entry.observer, entry.what);
    if (entry.type === 'observer-blinded') {
      blind.set(entry.observer, { why: entry.why, mayPass: entry.isLasting !== true });
    }
    if (entry.type === 'observer-recovered') blind.delete(entry.observer);
    if (entry.type === 'record-policy-seen') policies.set(entry.name, entry);
    if (entry.type === 'record-health-seen') health.set(entry.health.id, entry.health);
    if (entry.type === 'dns-change-seen') change = { id: entry.id, status: entry.status };
    // The one note there is: that nobody knows the change.
    if (entry.type === 'noted') blind.set('route53:change', { why: entry.text, mayPass: false });
    if (isWhole()) ready.resolve();
  });
  const cancel = clock.at(clock.nowNs() + sToNs(firstLookMaxS), ready.resolve);
  void ready.promise.then(cancel);

  function isWhole(): boolean {
    const seen = [...policies.values()].flatMap((entry) => entry.policies);
    const names = [...hostnames, ...linksOf(seen)];
    const hasPolicies = blind.has('route53') || names.every((name) => policies.has(name));
    const records = seen.flatMap((policy) => policy.records);
    const ids = records.flatMap(({ healthCheckId: id }) => (id === null ? [] : [id]));
    const hasHealth = blind.has('route53:health') || ids.every((id) => health.has(id));
    return hasPolicies && hasHealth && (changeId === null || change !== null || blind.has('route53:change'));
  }

  return {
    ready: ready.promise,
    facts: () => ({
      policies: [...policies.values()].map(({ name, linkOf, policies: of }) => ({
        name,
        hostname: linkOf ?? name,
        policies: of,
      })),
      health: [...health.values()],
      change,
      blind: [...blind].map(([observer, found]) => ({ what: what.get(observer) ?? observer, ...found })),
    }),
    stop() {
      observers?.stop();
      ready.resolve();
    },
  };
}

/**
 * While a change is PENDING, some name server that cannot be asked from here serves what was before: for the memory, one
 * more server whose TTL is as high as any was. Where none was seen or told, nobody knows.
 */
export function pendingServer(
  { change }: Route53Facts,
  scenario: Scenario,
  { hostname, before }: { readonly hostname: string; readonly before: Memory },
): readonly Seen['servers'][number][] {
  const id = scenario.route53?.changeId ?? null;
  if (id === null) return [];
  const server = `Route 53, change ${id}`;
  if (change === null) return [{ server, sets: null }];
  if (change.status === 'INSYNC') return [{ server, sets: [] }];
  const seenS = (before.hostnames[hostname] ?? []).map(({ ttlS }) => ttlS);
  const ttlS = Math.max(...seenS, scenario.change.ttlBeforeS ?? 0);
  return ttlS > askedTtlS(scenario) ? [{ server, sets: [{ name: hostname, type: 'A', ttlS }] }] : [];
}
