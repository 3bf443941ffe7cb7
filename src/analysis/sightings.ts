/**
 * A sighting is what one row says by itself: outcome, status, error, checks, address, face, answer, and three bits. Rows
 * of a lane repeat the same few, so each different one is kept once and a slot holds its number. What a sighting means
 * (side, good, class of failure) is concluded later, when all the evidence is here.
 */
export const sightingBits = {
  /** On a connection that was there before. */
  kept: 1,
  /** The answer was older than its TTL. */
  expired: 2,
  /** Sent so late that it says nothing about its due instant. */
  late: 4,
} as const;

/** 0 = no result yet. */
export const sightingNone = 0;
/** More different sightings than 16 bits can number: unknown, and counted. */
export const sightingOverflow = 0xffff;

export interface Sighting {
  readonly outcome: number;
  readonly status: number;
  readonly error: number;
  readonly checks: number;
  readonly address: number;
  readonly face: number;
  readonly answer: number;
  readonly bits: number;
}

/** Packed as four numbers, since this is looked up once a row: 10 million times in a few hundred milliseconds. */
export class Sightings {
  #results = new Int32Array(16);
  #peers = new Int32Array(16);
  #answers = new Int32Array(16);
  #bits = new Uint8Array(16);
  /** Open addressing, at most half full. */
  #table = new Uint16Array(64);
  #count = 1;
  #last = 0;

  /** How many numbers are in use, 0 among them. */
  get count(): number {
    return this.#count;
  }

  intern(row: Sighting): number {
    return this.internPacked(
      row.outcome | (row.checks << 8) | (row.status << 16),
      row.address | (row.face << 16),
      row.answer | (row.error << 16),
      row.bits,
    );
  }

  internPacked(result: number, peer: number, answer: number, bits: number): number {
    if (this.#last !== 0 && this.#is(this.#last, result, peer, answer, bits)) return this.#last;
    const mask = this.#table.length - 1;
    let at = hash(result, peer, answer, bits) & mask;
    for (let number = this.#table[at] as number; number !== 0; number = this.#table[at] as number) {
      if (this.#is(number, result, peer, answer, bits)) return (this.#last = number);
      at = (at + 1) & mask;
    }
    if (this.#count === sightingOverflow) return sightingOverflow;
    return (this.#last = this.#add(at, result, peer, answer, bits));
  }

  at(number: number): Sighting {
    const result = this.#results[number] as number;
    const peer = this.#peers[number] as number;
    const answer = this.#answers[number] as number;
    return {
      outcome: result & 0xff,
      checks: (result >>> 8) & 0xff,
      status: result >>> 16,
      address: peer & 0xffff,
      face: peer >>> 16,
      answer: answer & 0xffff,
      error: answer >>> 16,
      bits: this.#bits[number] as number,
    };
  }

  #is(number: number, result: number, peer: number, answer: number, bits: number): boolean {
    return (
      this.#results[number] === result &&
      this.#peers[number] === peer &&
      this.#answers[number] === answer &&
      this.#bits[number] === bits
    );
  }

  #add(at: number, result: number, peer: number, answer: number, bits: number): number {
    const number = this.#count;
    if (number === this.#results.length) this.#grow();
    this.#results[number] = result;
    this.#peers[number] = peer;
    this.#answers[number] = answer;
    this.#bits[number] = bits;
    this.#table[at] = number;
    this.#count += 1;
    if (this.#count * 2 > this.#table.length) this.#rehash();
    return number;
  }

  #grow(): void {
    const length = this.#results.length * 2;
    this.#results = longer(this.#results, new Int32Array(length));
    this.#peers = longer(this.#peers, new Int32Array(length));
    this.#answers = longer(this.#answers, new Int32Array(length));
    this.#bits = longer(this.#bits, new Uint8Array(length));
  }

  #rehash(): void {
    this.#table = new Uint16Array(this.#table.length * 2);
    const mask = this.#table.length - 1;
    for (let number = 1; number < this.#count; number += 1) {
      const [result, peer, answer] = [this.#results[number], this.#peers[number], this.#answers[number]];
      let at = hash(result as number, peer as number, answer as number, this.#bits[number] as number) & mask;
      while (this.#table[at] !== 0) at = (at + 1) & mask;
      this.#table[at] = number;
    }
  }
}

function hash(result: number, peer: number, answer: number, bits: number): number {
  let mixed = Math.imul(result, 0x9e3779b1) ^ bits;
  mixed = Math.imul(mixed ^ (mixed >>> 15) ^ peer, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13) ^ answer, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function longer<T extends Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
