/**
 * Definitions get their numbers twice: each probing thread numbers what it meets, and the main thread, where several
 * threads' batches come together, gives the numbers of the run. Both stop at a cap, so that a server that answers with
 * something new each time does not fill our memory.
 */
import { assert } from '../core/errors.ts';
import type { RowSink } from '../core/ports.ts';
import {
  type Definition,
  type DefinitionKind,
  definitionCountMax,
  definitionFirst,
  definitionOverCap,
  type RowBatch,
} from '../core/row.ts';
import { definitionKinds } from './definition.ts';

/** Of all keys together, in UTF-16 units: what is long may be fewer. Keeps the head of a batch below what is read. */
const keyLengthMax = 8 * 1024 * 1024;

export interface Interner {
  /** See `RowSink.define`; `value` is only called for a key that is new. */
  readonly define: RowSink['define'];
  /** What was defined since the last call. */
  takeNew(): readonly Definition[];
  /** How often something was beyond the cap. */
  readonly overCapCount: number;
}

export function newInterner(): Interner {
  const numbers = new Map(definitionKinds.map((kind) => [kind, new Map<string, number>()]));
  let fresh: Definition[] = [];
  let overCapCount = 0;
  let keyLength = 0;
  return {
    define(kind, key, value) {
      const known = numbers.get(kind);
      assert(known !== undefined, `${kind} is a kind of definition`);
      const number = known.get(key);
      if (number !== undefined) return number;
      if (known.size >= definitionCountMax[kind] || keyLength + key.length > keyLengthMax) {
        overCapCount += 1;
        return definitionOverCap;
      }
      const next = definitionFirst + known.size;
      known.set(key, next);
      keyLength += key.length;
      fresh.push({ kind, number: next, value: value() } as Definition);
      return next;
    },
    takeNew() {
      const taken = fresh;
      fresh = [];
      return taken;
    },
    get overCapCount() {
      return overCapCount;
    },
  };
}

const numberedColumns = ['error', 'address', 'face', 'answer'] as const satisfies readonly DefinitionKind[];

export interface Renumberer {
  readonly renumber: (batch: RowBatch) => RowBatch;
  /** How many definitions were beyond the caps of the run, though not beyond those of their thread. */
  readonly overCapCount: number;
}

/**
 * Gives batches of several workers the numbers of the run: rewrites their columns in place, and keeps of their
 * definitions those that are new to the run. The caller must own the columns.
 */
export function newRenumberer(): Renumberer {
  const interner = newInterner();
  /** Per worker and kind: local number → number of the run. */
  const mapsByWorker = new Map<number, Record<DefinitionKind, number[]>>();

  function renumber(batch: RowBatch): RowBatch {
    let maps = mapsByWorker.get(batch.worker);
    if (maps === undefined) {
      const common = Array.from({ length: definitionFirst }, (_, number) => number);
      maps = { error: [...common], address: [...common], face: [...common], answer: [...common] };
      mapsByWorker.set(batch.worker, maps);
    }
    for (const { kind, number, value } of batch.definitions) {
      maps[kind][number] = interner.define(kind, JSON.stringify(value), () => value);
    }
    for (const kind of numberedColumns) {
      const map = maps[kind];
      const column = batch.columns[kind];
      for (let i = 0; i < batch.rowCount; i += 1) {
        const number = map[column[i] as number];
        assert(number !== undefined, `worker ${batch.worker} uses ${kind} ${column[i]} without defining it`);
        column[i] = number;
      }
    }
    return { ...batch, definitions: interner.takeNew() };
  }

  return {
    renumber,
    get overCapCount() {
      return interner.overCapCount;
    },
  };
}
