/**
 * What a lane keeps of each slot: the number of its sighting, its response time (due → ended, exact in µs), and, only in
 * pages that need them, how old the connection and the DNS answer were. 6 to 10 bytes a slot, so that 10 million slots
 * fit in 100 MB, and an hour at 2/s in two pages.
 */
const pageBits = 12;
const pageSlots = 1 << pageBits;
const inPage = pageSlots - 1;

interface Page {
  readonly sightings: Uint16Array;
  readonly responsesUs: Uint32Array;
  connectionAges: Uint16Array | null;
  answerAges: Uint16Array | null;
}

export class SlotTable {
  readonly #pages: (Page | undefined)[] = [];

  /** False, and nothing is changed, if the slot has a result already. */
  set(slot: number, sighting: number, responseUs: number, connectionAgeMs: number, answerAgeMs: number): boolean {
    const page = this.#page(slot >>> pageBits);
    const at = slot & inPage;
    if (page.sightings[at] !== 0) return false;
    page.sightings[at] = sighting;
    page.responsesUs[at] = responseUs;
    if (connectionAgeMs > 0) (page.connectionAges ??= new Uint16Array(pageSlots))[at] = packMs(connectionAgeMs);
    if (answerAgeMs > 0) (page.answerAges ??= new Uint16Array(pageSlots))[at] = packMs(answerAgeMs);
    return true;
  }

  /** 0 = no result. */
  sighting(slot: number): number {
    return this.#pages[slot >>> pageBits]?.sightings[slot & inPage] ?? 0;
  }

  responseUs(slot: number): number {
    return this.#pages[slot >>> pageBits]?.responsesUs[slot & inPage] ?? 0;
  }

  /** 0 = opened for this slot. */
  connectionAgeMs(slot: number): number {
    return unpackMs(this.#pages[slot >>> pageBits]?.connectionAges?.[slot & inPage] ?? 0);
  }

  answerAgeMs(slot: number): number {
    return unpackMs(this.#pages[slot >>> pageBits]?.answerAges?.[slot & inPage] ?? 0);
  }

  #page(number: number): Page {
    let page = this.#pages[number];
    if (page === undefined) {
      page = {
        sightings: new Uint16Array(pageSlots),
        responsesUs: new Uint32Array(pageSlots),
        connectionAges: null,
        answerAges: null,
      };
      this.#pages[number] = page;
    }
    return page;
  }
}

const mantissaBits = 11;
const mantissaMask = (1 << mantissaBits) - 1;

/** An age in 16 bits: exact below 2 s, above it understated by less than a thousandth. */
export function packMs(ms: number): number {
  const shift = Math.max(0, 32 - mantissaBits - Math.clz32(ms));
  return (shift << mantissaBits) | (ms >>> shift);
}

export function unpackMs(packed: number): number {
  return (packed & mantissaMask) * 2 ** (packed >>> mantissaBits);
}
