/**
 * Replies of bind9 to real queries (`bind9-replies.json`: ids 0xbeef, RD=0, all types that are asked for, NSID), with bytes
 * changed, cut off, doubled and spliced; and what must hold of whatever is made of them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newRandom } from '../../src/core/random.ts';
import type { DnsQuestion, Random } from '../../src/core/ports.ts';
import { decodeReply, encodeQuery, type DecodedReply } from '../../src/wire/dns-message.ts';

interface Recorded {
  readonly name: string;
  readonly type: DnsQuestion['type'];
  readonly hex: string;
}

export const recorded = JSON.parse(
  readFileSync(join(import.meta.dirname, 'bind9-replies.json'), 'utf8'),
) as readonly Recorded[];

export interface Tally {
  readonly kinds: Readonly<Record<DecodedReply['kind'], number>>;
  /** Each a mutation that something was wrong with. */
  readonly wrong: readonly string[];
  readonly slowestMs: number;
}

const headerBytes = 12;
/** Bytes that mean something: pointers, ends, lengths, types, flags. */
const telling = [0, 1, 2, 3, 5, 6, 15, 28, 41, 65, 0x3f, 0x40, 0x80, 0xc0, 0xff];

export function decodeMutated(count: number, seed: number): Tally {
  const random = newRandom(seed, 'mutations');
  const kinds = { answered: 0, truncated: 0, unrelated: 0, malformed: 0 };
  const wrong: string[] = [];
  let slowestMs = 0;
  for (let i = 0; i < count; i += 1) {
    const one = recorded[Math.floor(random() * recorded.length)] as Recorded;
    const query = encodeQuery({ id: 0xbeef, name: one.name, type: one.type, recursionDesired: false });
    const reply = mutate(Buffer.from(one.hex, 'hex'), random);
    const startedMs = performance.now();
    let decoded: DecodedReply | null = null;
    let problem = '';
    try {
      decoded = decodeReply(reply, query);
      problem = problemOf(decoded, reply, query, one.type);
    } catch (error) {
      problem = `threw ${String(error)}`;
    }
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    if (decoded !== null) kinds[decoded.kind] += 1;
    if (problem !== '') wrong.push(`${problem}: ${one.name} ${one.type} ${reply.toString('hex')}`);
  }
  return { kinds, wrong, slowestMs };
}

function mutate(bytes: Buffer, random: Random): Buffer {
  const below = (n: number): number => Math.floor(random() * n);
  let mutated = Buffer.from(bytes);
  // Mostly past the question, else nearly all would be found unrelated at once and nothing else be tried.
  const from = random() < 0.8 ? Math.min(6, mutated.length - 1) : 0;
  for (let i = below(8); i > 0; i -= 1) {
    const at = from + below(mutated.length - from);
    if (from > 0 && at >= headerBytes && at < headerBytes + 24 && random() < 0.95) continue;
    mutated[at] = random() < 0.5 ? (telling[below(telling.length)] ?? 0) : below(256);
  }
  // TC, which most of the mutations leave alone.
  if (random() < 0.02) mutated[2] = (mutated[2] ?? 0) | 0x02;
  const what = random();
  if (what < 0.1) mutated = mutated.subarray(0, below(mutated.length + 1));
  else if (what < 0.2) mutated = Buffer.concat([mutated, mutated.subarray(below(mutated.length))]);
  else if (what < 0.3) {
    const [at, to] = [below(mutated.length), below(mutated.length)];
    mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(to)]);
  }
  return mutated;
}

const addressPatterns: Readonly<Partial<Record<string, RegExp>>> = {
  A: /^\d{1,3}(\.\d{1,3}){3}$/,
  AAAA: /^[0-9a-f:.]{2,45}$/,
  HTTPS: /^(\d+ \S+( [a-z0-9]+(=\S+)?)*|\\# \d+( [0-9a-f]+)?)$/,
  SOA: /^\S+ \S+( \d+){5}$/,
};

/** '' where all is as it must be. */
function problemOf(decoded: DecodedReply, reply: Buffer, query: Uint8Array, type: string): string {
  if (decoded.kind === 'unrelated') return '';
  // The question of a query ends 4 bytes after its name; OPT of ours begins there.
  const questionEnd = query.length - optBytes;
  const isSame = reply.subarray(headerBytes, questionEnd).equals(query.subarray(headerBytes, questionEnd));
  const isReply = ((reply[2] ?? 0) & 0xf8) === 0x80 && reply.readUInt16BE(4) === 1;
  if (reply.readUInt16BE(0) !== 0xbeef || !isReply || !isSame) return 'a lie was accepted';
  if (decoded.kind !== 'answered') return '';
  const pattern = addressPatterns[type] ?? /^[!-~]+$/;
  for (const { name, ttlS, data } of [...decoded.answers, ...decoded.authority]) {
    if (!/^[!-~]+$/.test(name) || !/^[ -~]*$/.test(data)) return 'odd text';
    if (!Number.isInteger(ttlS) || ttlS < 0 || ttlS > 0x7fff_ffff) return 'an impossible TTL';
  }
  if (decoded.addresses.some((data) => !pattern.test(data))) return 'odd data';
  if (decoded.nsid !== undefined && !/^[ -~]{1,128}$/.test(decoded.nsid)) return 'an odd NSID';
  return '';
}

/** The OPT record of a query with an empty NSID option. */
const optBytes = 11 + 4;
