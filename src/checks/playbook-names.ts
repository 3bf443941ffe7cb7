/** The steps that DNS and direct requests tell (domain.md, E1, E2, E4, E11, E12, E17). */
import { changesRecords } from '../core/record-set.ts';
import type { Scenario, Service, Side } from '../core/scenario.ts';
import type { CheckKind, CheckResult } from './check.ts';
import { enteringSide } from './entering-side.ts';
import type { Asked, Facts, NameFacts, ServerFacts } from './facts.ts';
import { identity } from './identity.ts';
import type { PlaybookFacts } from './playbook-facts.ts';
import { rowOfCheck, stepRow, titleOf, wayOf, type CheckSaid, type StepRow } from './playbook-step.ts';
import { isPrivate } from './private-names.ts';
import { addressesAsked, isAuthority } from './record-sets.ts';
import { resolverHolds } from './resolver-holds.ts';
import { ttlAgedOut as agedOut } from './ttl-aged-out.ts';
import { ttlLowered as lowered } from './ttl-lowered.ts';

const dnsSource = 'DNS: authoritative servers and resolvers';

type Check = (facts: Facts, service: Service) => readonly CheckResult[];

/** Rows of a preflight; what is so of a name that several services share stands once. */
function rowsOf(
  { look }: PlaybookFacts,
  checks: readonly Check[],
  isWanted: (row: CheckResult) => boolean = () => true,
): StepRow[] {
  const all = look.scenario.services.flatMap((service) => checks.flatMap((check) => check(look, service)));
  const rows = all.filter(isWanted).flatMap(rowOfCheck);
  return [...new Map(rows.map((row) => [JSON.stringify(row), row])).values()];
}

function ofDns(facts: PlaybookFacts, rows: readonly StepRow[]): CheckSaid {
  return { rows, source: dnsSource, readAtMs: facts.look.nowMs };
}

/** What a change that changes no record leaves to be said of records. */
function noRecords({ change: { via } }: Scenario): readonly StepRow[] {
  return [stepRow('not-applicable', 'records', `by change.via: ${via} no record changes`)];
}

export function ttlLowered(facts: PlaybookFacts): CheckSaid {
  return ofDns(facts, rowsOf(facts, [lowered]));
}

export function ttlAgedOut(facts: PlaybookFacts): CheckSaid {
  if (!changesRecords(facts.look.scenario)) return ofDns(facts, noRecords(facts.look.scenario));
  // Where resolvers lead to is for `converged`: after the switch it is as it should be.
  return ofDns(
    facts,
    rowsOf(facts, [agedOut, resolverHolds], ({ subject }) => !subject.endsWith(' leads to')),
  );
}

export function enteringSideAnswers(facts: PlaybookFacts): CheckSaid {
  return { rows: rowsOf(facts, [enteringSide, identity]), source: sidesSource, readAtMs: facts.sidesReadAtMs };
}

const sidesSource = "requests to the sides' own addresses";
const ofAnswering: ReadonlySet<CheckKind> = new Set(['answer', 'certificate']);

/** The side that is left is looked at as if it were the one that is moved to, for what it answers. */
export function rollbackReady(facts: PlaybookFacts): CheckSaid {
  const { scenario } = facts.look;
  const { leaving } = wayOf(facts);
  const back = leaving === 'old' ? ('new-to-old' as const) : ('old-to-new' as const);
  const look: Facts = {
    ...facts.look,
    isRollback: true,
    scenario: { ...scenario, change: { ...scenario.change, direction: back } },
  };
  const answering = rowsOf({ ...facts, look }, [enteringSide], ({ check }) => ofAnswering.has(check));
  const rows = [...answering, ...(changesRecords(scenario) ? rowsOf(facts, [lowered]) : [])];
  return { rows, source: `${sidesSource}; ${dnsSource}`, readAtMs: Math.min(facts.sidesReadAtMs, facts.look.nowMs) };
}

// ── whose addresses names have ───────────────────────────────────────────────────────────────────────────────────────

export function dnsSwitched(facts: PlaybookFacts): CheckSaid {
  const { scenario } = facts.look;
  if (!changesRecords(scenario)) return ofDns(facts, noRecords(scenario));
  const rows = facts.look.names.flatMap((name) => {
    const servers = tellingServers(facts.look, name);
    if (servers.length === 0) {
      const why = name.authoritiesError || 'no server can be asked';
      return [
        stepRow('unknown', name.hostname, why, { toDo: `Name the servers of ${name.hostname} under authorities.` }),
      ];
    }
    const { entering } = wayOf(facts);
    const isUnderWay = servers.some(({ asked }) => sideAnswered(asked) === entering);
    return servers.map((server) => serverRow(facts, name, server, isUnderWay));
  });
  return ofDns(facts, [...rows, ...changeRows(facts)]);
}

/** Of private names resolvers tell. One that is listed for other zones tells nothing. */
function tellingServers(look: Facts, { authorities, areGiven, resolvers }: NameFacts): readonly ServerFacts[] {
  if (isPrivate(look)) return resolvers;
  const isForOthers = (server: ServerFacts): boolean =>
    areGiven &&
    addressesAsked(server.asked).every(({ reply }) => reply.kind === 'answered' && reply.rcode === 'REFUSED');
  const own = authorities.filter((server) => !isForOthers(server));
  return own.some(isAuthority) ? own : authorities;
}

/** `isUnderWay`: some server has it already, so that the others may come by themselves. */
function serverRow(
  facts: PlaybookFacts,
  { hostname }: NameFacts,
  { server, asked }: ServerFacts,
  isUnderWay: boolean,
): StepRow {
  const { scenario } = facts.look;
  const { entering, leaving } = wayOf(facts);
  const subject = `${hostname} on ${server}`;
  const side = sideAnswered(asked);
  const found = `leads to ${sideText(scenario, side)}`;
  if (side === entering) return stepRow('pass', subject, found);
  if (side === leaving || side === 'mixed') {
    const toDo = `Change ${hostname} to ${titleOf(scenario, entering)} in one step (UPSERT), in every family, on every server.`;
    return stepRow('fail', subject, found, { toDo, canWait: isUnderWay });
  }
  if (side === 'none') {
    return stepRow('fail', subject, 'has no address', {
      toDo: `Create the records of ${hostname}.`,
      canWait: isUnderWay,
    });
  }
  if (side === null) {
    const toDo = `${server} may serve what was before: ask again, or mend it.`;
    return stepRow('unknown', subject, 'does not answer', { toDo, canWait: true });
  }
  const toDo = `Say under sides whose addresses ${server} gives for ${hostname}.`;
  return stepRow('unknown', subject, found, { toDo, canWait: true });
}

/** Of both families together; null: it did not answer for both. */
function sideAnswered(asked: readonly Asked[]): Asked['side'] | null {
  const all = addressesAsked(asked);
  const isAnswered = ({ reply }: Asked): boolean =>
    reply.kind === 'answered' && (reply.rcode === 'NOERROR' || reply.rcode === 'NXDOMAIN');
  if (!all.every(isAnswered)) return null;
  const sides = new Set(all.map(({ side }) => side).filter((side) => side !== 'none'));
  if (sides.size === 0) return 'none';
  const [first = 'none'] = sides;
  if (sides.size === 1) return first;
  return sides.has('old') && sides.has('new') ? 'mixed' : sides.has('mixed') ? 'mixed' : 'unknown';
}

function sideText({ sides }: Scenario, side: Asked['side'] | null): string {
  if (side === 'old' || side === 'new') return sides[side].title;
  return side === 'mixed' ? 'both sides' : 'addresses that the scenario gives to no side';
}

/** Where a change is followed: Route 53's own servers may differ by where they are asked. */
function changeRows({ look: { route53 } }: PlaybookFacts): readonly StepRow[] {
  const change = route53?.change ?? null;
  if (change === null) return [];
  const subject = `Route 53, change ${change.id}`;
  if (change.status === 'INSYNC') return [stepRow('pass', subject, 'INSYNC')];
  return [stepRow('fail', subject, 'PENDING', { toDo: 'Wait until all of its servers have it.', canWait: true })];
}

/** For the readings: whose addresses all authorities give for all names. */
export function sideOfNames(look: Facts): Side | 'mixed' | 'unknown' {
  const sides = look.names.flatMap((name) => {
    const servers = tellingServers(look, name);
    return servers.length === 0 ? [null] : servers.map(({ asked }) => sideAnswered(asked));
  });
  if (sides.length === 0 || sides.some((side) => side === null || side === 'none' || side === 'unknown'))
    return 'unknown';
  const [first] = sides;
  const isOne = sides.every((side) => side === first);
  return isOne && (first === 'old' || first === 'new') ? first : 'mixed';
}

export function converged(facts: PlaybookFacts): CheckSaid {
  const { scenario, names } = facts.look;
  if (!changesRecords(scenario)) return ofDns(facts, noRecords(scenario));
  return ofDns(
    facts,
    names.flatMap((name) => {
      if (name.resolvers.length > 0) return name.resolvers.map((resolver) => resolverRow(facts, name, resolver));
      const toDo = 'Name resolvers that users have, by address: getaddrinfo alone tells too little.';
      return [stepRow('unknown', name.hostname, 'no resolver to ask', { toDo })];
    }),
  );
}

function resolverRow(facts: PlaybookFacts, { hostname }: NameFacts, { server, asked }: ServerFacts): StepRow {
  const { scenario } = facts.look;
  const { entering } = wayOf(facts);
  const subject = `${hostname} by ${server}`;
  const side = sideAnswered(asked);
  if (side === entering) return stepRow('pass', subject, `leads to ${titleOf(scenario, entering)}`);
  if (side === null) {
    return stepRow('unknown', subject, 'does not answer', { toDo: `Ask ${server} again, or mend it.`, canWait: true });
  }
  if (side === 'unknown') {
    const toDo = `Say under sides whose addresses ${server} gives for ${hostname}.`;
    return stepRow('unknown', subject, `leads to ${sideText(scenario, side)}`, { toDo, canWait: true });
  }
  const ttlsS = addressesAsked(asked).flatMap(({ reply }) => (reply.kind === 'answered' ? [reply.ttlS] : []));
  const leftS = Math.max(0, ...ttlsS);
  const found = side === 'none' ? 'has no address' : `leads to ${sideText(scenario, side)}`;
  const toDo = `Wait: ${server} may keep it for ${leftS} s more; who keeps it longer does not obey the TTL.`;
  return stepRow('fail', subject, found, { toDo, canWait: true });
}
