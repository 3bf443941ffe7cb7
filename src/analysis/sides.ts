/**
 * Which side answered. Address, certificate and marker header decide, by the set of distinct votes: one is the side, two
 * are a conflict, none is unknown. Whatever both sides have in common (a shared load balancer, one certificate on both)
 * has no vote.
 */
import type { Journal } from './journal.ts';
import type { Face } from '../core/row.ts';
import type { Scenario, Side, SideSeen, SideSpec } from '../core/scenario.ts';
import { addressKey, isInNetwork, parseAddress } from './address.ts';
import type { Definitions } from './gathered.ts';

export type Vote = Side | null;

/** `none`: the names of an answer give no address at all; `mixed`: both sides'. */
export type AnswerSide = Side | 'mixed' | 'unknown' | 'none';

export interface Sides {
  ofAddress(address: string): Vote;
  /** `chain`: an authority whose alias leads out of its zone answers with the target's name alone. */
  ofAnswer(addresses: readonly string[], chain: readonly string[]): AnswerSide;
  /** By definition numbers, as in a row. */
  seen(address: number, face: number): SideSeen;
  /** Everything ever known to belong to a side, in order. */
  readonly addresses: Readonly<Record<Side, { readonly addresses: readonly string[] }>>;
  /** Addresses that were in both sides' sets. */
  readonly shared: readonly string[];
}

export function otherSide(side: Side): Side {
  return side === 'old' ? 'new' : 'old';
}

export function newSides(scenario: Scenario, journal: Journal, definitions: Definitions): Sides {
  const known = {
    old: knownAddresses('old', scenario.sides.old, journal),
    new: knownAddresses('new', scenario.sides.new, journal),
  };
  const addressVotes = new Map<string, Vote>();
  const seen = new Map<number, SideSeen>();
  const faceVotes: (readonly Vote[])[] = [];

  function ofAddress(address: string): Vote {
    let vote = addressVotes.get(address);
    if (vote === undefined) {
      vote = theOne(holds(known.old, address), holds(known.new, address));
      addressVotes.set(address, vote);
    }
    return vote;
  }

  function votesOfFace(number: number): readonly Vote[] {
    const face = definitions.face[number];
    return (faceVotes[number] ??=
      face === undefined ? [] : [certificateVote(scenario, face), markerVote(scenario, face)]);
  }

  return {
    ofAddress,
    ofAnswer(addresses, chain) {
      if (addresses.length === 0 && chain.length === 0) return 'none';
      const votes = new Set([...addresses.map(ofAddress), ...chain.map((name) => ofName(scenario, name))]);
      if (votes.has('old') && votes.has('new')) return 'mixed';
      if (votes.has('old')) return 'old';
      return votes.has('new') ? 'new' : 'unknown';
    },
    seen(address, face) {
      const key = address * 65_536 + face;
      let side = seen.get(key);
      if (side === undefined) {
        const text = definitions.address[address];
        side = decide([text === undefined ? null : ofAddress(text), ...votesOfFace(face)]);
        seen.set(key, side);
      }
      return side;
    },
    addresses: { old: { addresses: namesOf(known.old) }, new: { addresses: namesOf(known.new) } },
    shared: [...known.old.texts].filter(([key]) => known.new.texts.has(key)).map(([, text]) => text),
  };
}

/** Whose own name this is. */
function ofName({ sides }: Scenario, name: string): Vote {
  const plain = (one: string): string => one.toLowerCase().replace(/\.$/, '');
  const isOf = (side: Side): boolean =>
    sides[side].addresses.some((address) => address.kind === 'name' && plain(address.name) === plain(name));
  if (isOf('old') === isOf('new')) return null;
  return isOf('old') ? 'old' : 'new';
}

function decide(votes: readonly Vote[]): SideSeen {
  const isOld = votes.includes('old');
  const isNew = votes.includes('new');
  if (isOld && isNew) return 'conflict';
  if (isOld) return 'old';
  return isNew ? 'new' : 'unknown';
}

function theOne(isOld: boolean, isNew: boolean): Vote {
  if (isOld === isNew) return null;
  return isOld ? 'old' : 'new';
}

function certificateVote(scenario: Scenario, face: Face): Vote {
  const has = (spec: SideSpec): boolean => spec.certificateSha256.includes(face.certificateSha256);
  return theOne(has(scenario.sides.old), has(scenario.sides.new));
}

function markerVote(scenario: Scenario, face: Face): Vote {
  const has = (spec: SideSpec): boolean =>
    spec.marker.some(([name, value]) => face.headers.some((header) => header[0] === name && header[1] === value));
  return theOne(has(scenario.sides.old), has(scenario.sides.new));
}

interface KnownAddresses {
  /** By `addressKey`, as first written. */
  readonly texts: Map<string, string>;
  readonly networks: readonly string[];
}

/** A name's addresses are the union of all it ever had: a load balancer's come and go, and all of them were it. */
function knownAddresses(side: Side, spec: SideSpec, journal: Journal): KnownAddresses {
  const texts = new Map<string, string>();
  const add = (address: string): void => {
    const key = addressKey(address);
    if (!texts.has(key)) texts.set(key, address);
  };
  const networks: string[] = [];
  for (const given of spec.addresses) {
    if (given.kind === 'address') add(given.address);
    else if (given.kind === 'network') networks.push(given.cidr);
  }
  for (const entry of journal.of('dns-answered')) {
    if (entry.watch !== 'side' || entry.side !== side) continue;
    if (entry.reply.kind === 'answered') entry.reply.addresses.forEach(add);
  }
  return { texts, networks };
}

function holds(known: KnownAddresses, text: string): boolean {
  if (known.texts.has(addressKey(text))) return true;
  const address = parseAddress(text);
  return address !== null && known.networks.some((cidr) => isInNetwork(cidr, address));
}

function namesOf(known: KnownAddresses): string[] {
  return [...known.texts.values(), ...known.networks].toSorted();
}
