/**
 * What is to be expected of who stays, by what holds them there: the record's life in a resolver that keeps to it, then what
 * the client itself keeps. Lanes probe all the time, as busy clients do; one alone leaves in one step, and the theory is of
 * many such clients, each at a random point of its own.
 */
import { loweredTheory, theoryEndS, type ResidualTheory } from '../core/residual-theory.ts';
import type { ConnectPolicy, Lane } from '../core/scenario.ts';
import { intervalNs } from '../core/schedule.ts';
import { nsToS } from '../core/time.ts';
import { stayOf, type RecordLife } from './leaving.ts';

export interface Expected {
  /** null: cannot be known. */
  readonly theory: ResidualTheory | null;
  readonly why: string;
}

/** What holds somebody, from the change on. */
interface Wait {
  readonly s: number;
  readonly what: string;
}

const forEver: ResidualTheory = [{ weightRatio: 1, waitsS: [Infinity] }];

export function expectedOfResolver(life: RecordLife, changedAtNs: number, isAuthority: boolean): Expected {
  return isAuthority ? atOnce : expectedOf(life, changedAtNs, []);
}

/** @param isKeeping connections were seen to be used again at the side that is left */
export function expectedOfClient(lane: Lane, life: RecordLife, changedAtNs: number, isKeeping: boolean): Expected {
  const { resolve, connect } = lane.archetype;
  if (resolve.kind === 'pinned' || resolve.kind === 'once' || resolve.kind === 'on-break') {
    return { theory: forEver, why: stayOf(lane).why };
  }
  const kept = isKeeping ? keptWait(connect, lane) : null;
  if (kept?.s === Infinity) return { theory: forEver, why: kept.what };
  const waits = [ownWait(lane, life), kept].filter((wait) => wait !== null);
  if (lane.resolver?.authority === undefined) return expectedOf(life, changedAtNs, waits);
  return waits.length === 0 ? atOnce : theoryOf([{ weightRatio: 1, waitsS: waits.map(({ s }) => s) }], waits);
}

const atOnce: Expected = {
  theory: [{ weightRatio: 1, waitsS: [] }],
  why: 'it asks the authoritative servers themselves, so nothing holds it',
};

function expectedOf(life: RecordLife, changedAtNs: number, ownWaits: readonly Wait[]): Expected {
  const { ttlS, expiresAtNs, lowered } = life;
  if (ttlS === null) return { theory: null, why: 'the TTL of the record is not known' };
  if (expiresAtNs === null) return { theory: null, why: 'not every authoritative server has changed' };
  const ownWaitsS = ownWaits.map(({ s }) => s);
  const record = { s: ttlS, what: `the record, ${String(ttlS)} s` };
  if (lowered === null) return theoryOf([{ weightRatio: 1, waitsS: [ttlS, ...ownWaitsS] }], [record, ...ownWaits]);
  const sinceS = Math.max(0, nsToS(changedAtNs - lowered.atNs));
  const theory = loweredTheory({ beforeS: lowered.fromS, afterS: ttlS, sinceS }, ownWaitsS);
  const what = `the record, ${String(ttlS)} s since ${sinceS.toFixed(0)} s before the change and ${String(lowered.fromS)} s until then`;
  return theoryOf(theory, [{ ...record, what }, ...ownWaits]);
}

function theoryOf(theory: ResidualTheory, waits: readonly Wait[]): Expected {
  const held = waits.map(({ what }) => what).join(', then by ');
  const formula =
    theory.length === 1 && waits.length === 1
      ? `1 − t/${String(waits[0]?.s)} are there at t seconds`
      : 'they leave as these end';
  const endS = Math.ceil(theoryEndS(theory));
  return {
    theory,
    why: `held by ${held}: of many at random points of it ${formula}; one alone leaves at once, within ${String(endS)} s`,
  };
}

/** What the client's own cache adds to what the resolver's entry had left. */
function ownWait(lane: Lane, { ttlS }: RecordLife): Wait | null {
  const { resolve } = lane.archetype;
  const onceMoreS = nsToS(intervalNs(lane));
  const own = (s: number): Wait => ({ s, what: `its own cache, ${String(s)} s` });
  switch (resolve.kind) {
    case 'fixed':
      return own(resolve.s + Math.min(resolve.graceS, onceMoreS));
    case 'refresh':
      return own(resolve.s);
    case 'ttl': {
      const graceS = Math.min(resolve.graceS ?? 0, onceMoreS);
      // It asks when the resolver's entry ends, so its own lower limit matters only where that is the longer.
      const minS = resolve.minS > (ttlS ?? Infinity) ? resolve.minS : 0;
      return minS + graceS === 0 ? null : own(minS + graceS);
    }
    case 'per-connection':
    case 'once':
    case 'on-break':
    case 'pinned':
      return null;
  }
}

function keptWait(connect: ConnectPolicy, lane: Lane): Wait | null {
  if (connect.kind === 'new') return null;
  const maxAgeS = connect.kind === 'http2' ? 0 : connect.maxAgeS;
  const maxRequests = connect.kind === 'keep-alive' ? connect.maxRequests : 0;
  const s = Math.min(
    maxAgeS > 0 ? maxAgeS : Infinity,
    maxRequests > 0 ? maxRequests * nsToS(intervalNs(lane)) : Infinity,
  );
  if (s < Infinity) return { s, what: `the connection that it keeps, ${String(s)} s` };
  return { s, what: 'at most all: it keeps its connection until the server closes it, and no TTL says when' };
}
