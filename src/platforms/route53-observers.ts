/**
 * Route 53 beside the probes, as three observers, so that one that may not look blinds no other: how the hostnames are
 * answered, what the health checks of their records say, and how far changes are.
 */
import type { Entry } from '../core/entry.ts';
import type { Clock, Observers, Random } from '../core/ports.ts';
import { linksOf, type RecordHealth } from '../core/record-policy.ts';
import { sToNs } from '../core/time.ts';
import { startObserver, type LookOptions, type Observer } from './observer.ts';
import type { Route53 } from './route53.ts';
import { told, type Told } from './told.ts';

export interface Route53ObserverOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly route53: Route53;
  /** The hostnames of the services. */
  readonly names: readonly string[];
  /** A change to follow from the start; null = none is known yet. */
  readonly changeId: string | null;
  readonly entry: (entry: Entry) => void;
}

const policiesEveryS = 30;
/** Route 53's checkers look every 10 or 30 s. */
const healthEveryS = 10;
/** A change is mostly INSYNC within a minute. */
const changeEveryS = 2;
/** As the watch of authorities follows an alias chain. */
const linkCountMax = 8;

export function startRoute53Observers(options: Route53ObserverOptions): Observers {
  const { route53, changeId } = options;
  const observers: Observer[] = [];
  const start = (observer: string, what: string, everyS: number, look: Look): Observer => {
    const { clock, random, entry } = options;
    const one = startObserver({ clock, random, entry, observer, side: null, what, everyNs: sToNs(everyS), look });
    observers.push(one);
    return one;
  };

  const health = newHealthLook(options);
  let isHealthLookedAt = false;
  const policies = newPoliciesLook(options, (ids) => {
    health.ids = ids;
    if (ids.length === 0 || isHealthLookedAt) return;
    isHealthLookedAt = true;
    start('route53:health', 'health checks of records', healthEveryS, health.look);
  });
  const records = start('route53', `records of ${options.names.join(', ')}`, policiesEveryS, policies);

  const changes = newChangesLook(options);
  let changeObserver: Observer | null = null;
  let isStopped = false;
  const follow = (id: string): void => {
    if (!changes.follow(id)) return;
    if (changeObserver !== null) return changeObserver.lookNow();
    changeObserver = start('route53:change', 'changes made through the API', changeEveryS, changes.look);
  };
  if (changeId !== null) follow(changeId);

  return {
    marked(text) {
      if (isStopped) return;
      for (const id of changeIdsIn(text)) follow(id);
      // Records may just have been changed.
      records.lookNow();
    },
    stop() {
      isStopped = true;
      for (const observer of observers) observer.stop();
      route53.close();
    },
  };
}

/** As the CLI of AWS prints them: `/change/C0123456789ABC`. */
export function changeIdsIn(text: string): readonly string[] {
  return [...text.matchAll(/\/change\/([A-Z0-9]{1,32})\b/g)].map(([, id = '']) => id);
}

type Look = (options: LookOptions) => Promise<Told<unknown>>;

/** Tells what differs from before, and when it was not yet so. */
function newDifferences(): (key: string, value: unknown, askedAtNs: number) => number | null | 'same' {
  const before = new Map<string, { readonly text: string; readonly askedAtNs: number }>();
  return (key, value, askedAtNs) => {
    const text = JSON.stringify(value);
    const previous = before.get(key);
    before.set(key, { text, askedAtNs });
    return previous?.text === text ? 'same' : (previous?.askedAtNs ?? null);
  };
}

// ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function newPoliciesLook(
  { clock, route53, names }: Route53ObserverOptions,
  heardOfHealthChecks: (ids: readonly string[]) => void,
): Look {
  const differs = newDifferences();
  return async ({ tell, signal }) => {
    const ids = new Set<string>();
    const seen = new Set<string>();
    for (const name of names) {
      let links: readonly string[] = [name];
      for (let depth = 0; depth <= linkCountMax && links.length > 0; depth += 1) {
        const further: string[] = [];
        for (const link of links) {
          if (seen.has(link)) continue;
          seen.add(link);
          const askedAtNs = clock.nowNs();
          const policies = await route53.policies(link, signal);
          if (policies.kind !== 'told') return policies;
          const { value } = policies;
          const previousAskedAtNs = differs(link, value, askedAtNs);
          if (previousAskedAtNs !== 'same') {
            const whose = link === name ? {} : { linkOf: name };
            const about = { ...whose, askedAtNs, previousAskedAtNs, policies: value };
            tell({ type: 'record-policy-seen', atNs: clock.nowNs(), name: link, ...about });
          }
          const records = value.flatMap((policy) => policy.records);
          for (const { healthCheckId: id } of records) if (id !== null) ids.add(id);
          further.push(...linksOf(value));
        }
        links = further;
      }
    }
    heardOfHealthChecks([...ids]);
    return told(null);
  };
}

// ── health checks ────────────────────────────────────────────────────────────────────────────────────────────────────

function newHealthLook({ clock, route53 }: Route53ObserverOptions): { ids: readonly string[]; readonly look: Look } {
  const differs = newDifferences();
  const verdictOf = ({ isHealthy }: RecordHealth): unknown => isHealthy;
  const health = {
    ids: [] as readonly string[],
    look: async ({ tell, signal }: LookOptions): Promise<Told<unknown>> => {
      for (const id of health.ids) {
        const askedAtNs = clock.nowNs();
        const found = await route53.health(id, signal);
        if (found.kind !== 'told') return found;
        const previousAskedAtNs = differs(id, verdictOf(found.value), askedAtNs);
        if (previousAskedAtNs === 'same') continue;
        const about = { askedAtNs, previousAskedAtNs, health: found.value };
        tell({ type: 'record-health-seen', atNs: clock.nowNs(), ...about });
      }
      return told(null);
    },
  };
  return health;
}

// ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

interface ChangesLook {
  /** False: it is followed, or was. */
  readonly follow: (id: string) => boolean;
  readonly look: Look;
}

/** Each is asked for until it is INSYNC, and then never again. */
function newChangesLook({ clock, route53 }: Route53ObserverOptions): ChangesLook {
  const differs = newDifferences();
  const followed = new Set<string>();
  const pending = new Set<string>();
  return {
    follow(id) {
      if (followed.has(id)) return false;
      followed.add(id);
      pending.add(id);
      return true;
    },
    async look({ tell, signal }) {
      for (const id of pending) {
        const askedAtNs = clock.nowNs();
        const found = await route53.change(id, signal);
        const atNs = clock.nowNs();
        if (found.kind === 'not-told' && found.reason === 'missing') {
          pending.delete(id);
          tell({ type: 'noted', atNs, text: `Route 53 knows no change ${id} in the account that is asked` });
          continue;
        }
        if (found.kind !== 'told') return found;
        const previousAskedAtNs = differs(id, found.value.status, askedAtNs);
        if (found.value.status === 'INSYNC') pending.delete(id);
        if (previousAskedAtNs === 'same') continue;
        tell({ type: 'dns-change-seen', atNs, id, ...found.value, askedAtNs, previousAskedAtNs });
      }
      return told(null);
    },
  };
}
