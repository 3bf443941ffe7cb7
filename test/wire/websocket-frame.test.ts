import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newRandom } from '../../src/core/random.ts';
import { controlFrame, FrameReader, type ControlKind } from '../../src/wire/websocket-frame.ts';

interface Told {
  readonly kind: ControlKind;
  readonly text: string;
}

/** What a client is told of these bytes, piece by piece. */
function read(pieces: readonly Uint8Array[], isMasked = false): { readonly told: readonly Told[]; problem: string } {
  const told: Told[] = [];
  const reader = new FrameReader({
    isMasked,
    onControl: (kind, payload) => told.push({ kind, text: Buffer.from(payload).toString('latin1') }),
  });
  for (const piece of pieces) reader.take(piece);
  return { told, problem: reader.problem };
}

const fromHex = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const ping = (text: string): string => Buffer.from(controlFrame('ping', Buffer.from(text), null)).toString('hex');

/** A frame from the server, its length in the shortest form. */
function frame(first: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const head = length < 126 ? [length] : length < 0x1_0000 ? [126, length >> 8, length & 255] : longHead(length);
  return Buffer.concat([Buffer.from([first, ...head]), payload]);
}

function longHead(length: number): readonly number[] {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(length));
  return [127, ...bytes];
}

describe('frames from a server', () => {
  test.for<{ claim: string; hex: string; told?: readonly string[]; problem?: string }>([
    // RFC 6455, 5.7.
    { claim: 'an unmasked ping', hex: '89 05 48 65 6c 6c 6f', told: ['ping Hello'] },
    { claim: 'a pong without payload', hex: '8a 00', told: ['pong '] },
    { claim: 'a text and what follows it', hex: `81 05 48 65 6c 6c 6f ${ping('a')}`, told: ['ping a'] },
    {
      claim: 'a message in pieces with a ping between',
      hex: `01 03 48 65 6c ${ping('b')} 80 02 6c 6f ${ping('c')}`,
      told: ['ping b', 'ping c'],
    },
    { claim: 'a close with its code', hex: '88 02 03 e8', told: ['close \x03\xe8'] },
    { claim: 'a close without one', hex: '88 00', told: ['close '] },
    { claim: 'what comes after a close', hex: `88 00 ${ping('d')} ff ff`, told: ['close '] },
    {
      claim: '126 bytes, the least that needs a longer length',
      hex: `82 7e 00 7e ${'00'.repeat(126)} 8a 00`,
      told: ['pong '],
    },
    { claim: 'a mask', hex: '8a 80 00 00 00 00', problem: 'masked' },
    { claim: 'reserved bits', hex: 'c1 00', problem: 'reserved bits' },
    { claim: 'a data opcode that is none', hex: '83 00', problem: 'opcode' },
    { claim: 'a control opcode that is none', hex: '8b 00', problem: 'opcode' },
    { claim: 'a control frame in pieces', hex: '09 00', problem: 'control frame in pieces' },
    { claim: 'a control frame of 126 bytes', hex: '89 7e 00 7e', problem: 'control frame too long' },
    { claim: 'a close of one byte', hex: '88 01 03', problem: 'close code' },
    { claim: 'a continuation of nothing', hex: '80 00', problem: 'continuation of nothing' },
    { claim: 'a message within a message', hex: '01 00 01 00', problem: 'message within a message' },
    { claim: 'a short length in two bytes', hex: '82 7e 00 7d', problem: 'length' },
    { claim: 'a length of two bytes in eight', hex: '82 7f 00 00 00 00 00 00 ff ff', problem: 'length' },
    { claim: 'a length of 128 MiB and a byte', hex: '82 7f 00 00 00 00 08 00 00 01', problem: 'frame too long' },
    { claim: 'a length that is negative', hex: '82 7f ff ff ff ff ff ff ff ff', problem: 'frame too long' },
  ])('$claim', ({ hex, told = [], problem = '' }) => {
    const bytes = fromHex(hex);
    const whole = read([bytes]);
    expect({ told: whole.told.map(({ kind, text }) => `${kind} ${text}`), problem: whole.problem }).toEqual({
      told,
      problem,
    });
    // Byte by byte they mean the same.
    expect(read([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  test('frames mean the same however they are cut, and data between them does not show', () => {
    const data = fc.uint8Array({ maxLength: 400 }).map((payload) => ({ bytes: frame(0x82, payload), told: null }));
    const control = fc
      .tuple(fc.constantFrom<ControlKind>('ping', 'pong'), fc.uint8Array({ maxLength: 125 }))
      .map(([kind, payload]) => ({
        bytes: Buffer.from(controlFrame(kind, payload, null)),
        told: { kind, text: Buffer.from(payload).toString('latin1') },
      }));
    fc.assert(
      fc.property(fc.array(fc.oneof(data, control)), fc.array(fc.nat()), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map((one) => one.bytes));
        const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
        const pieces = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
        expect(read(pieces)).toEqual({ told: frames.flatMap(({ told }) => told ?? []), problem: '' });
      }),
    );
  });

  test('a data frame of 127 MiB is counted off and not kept', () => {
    const reader = new FrameReader({ isMasked: false, onControl: () => {} });
    const piece = Buffer.alloc(1 << 20);
    const before = process.memoryUsage().arrayBuffers;
    reader.take(fromHex('82 7f 00 00 00 00 07 f0 00 00'));
    for (let i = 0; i < 127; i += 1) reader.take(piece);
    expect(reader.problem).toBe('');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 << 20);
  });
});

describe('frames of ours', () => {
  test('are masked, and a server reads them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 125 }), fc.uint8Array({ minLength: 4, maxLength: 4 }), (payload, mask) => {
        const bytes = controlFrame('ping', payload, mask);
        expect(bytes[1]).toBe(0x80 | payload.length);
        expect(read([bytes], true)).toEqual({
          told: [{ kind: 'ping', text: Buffer.from(payload).toString('latin1') }],
          problem: '',
        });
      }),
    );
  });

  // RFC 6455, 5.7.
  test('with the mask of the standard’s example have its bytes', () => {
    const bytes = controlFrame('pong', Buffer.from('Hello'), fromHex('37 fa 21 3d'));
    expect(Buffer.from(bytes).toString('hex')).toBe('8a8537fa213d7f9f4d5158');
    expect(read([controlFrame('ping', Buffer.from('a'), null)], true).problem).toBe('not masked');
  });
});

test('10,000 damaged streams end in a problem or in frames, never in an exception', () => {
  const random = newRandom(20_261_124, 'damaged frames');
  const below = (count: number): number => Math.floor(random() * count);
  const good = [
    controlFrame('ping', Buffer.from('Root=1-5759e988-bd862e3fe1be46a994272793'), null),
    controlFrame('pong', Buffer.from('abc'), null),
    frame(0x81, Buffer.alloc(70, 'x')),
    Buffer.concat([frame(0x01, Buffer.alloc(7)), frame(0x80, Buffer.alloc(300, 'y'))]),
    frame(0x82, Buffer.alloc(66_000, 'z')),
    controlFrame('close', Buffer.from([3, 232]), null),
  ];
  /** First bytes, lengths, and what is just beyond. */
  const telling = [0x00, 0x01, 0x02, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0x88, 0x89, 0x8a, 0xff];
  const problems = new Map<string, number>();
  for (let i = 0; i < 10_000; i += 1) {
    const frames = Array.from({ length: 1 + below(5) }, () => good[below(good.length)] as Uint8Array);
    const damaged = frames.map((one) => {
      const at = random() < 0.7 ? below(3) : below(one.length);
      const [before, after] = [one.subarray(0, at), one.subarray(at + 1)];
      const byte = random() < 0.7 ? (telling[below(telling.length)] as number) : below(256);
      return [Buffer.concat([before, [byte], after].map((part) => Buffer.from(part))), before, after, one][below(4)];
    });
    const bytes = Buffer.concat(damaged as Uint8Array[]);
    const cut = below(bytes.length + 1);
    const { told, problem } = read([bytes.subarray(0, cut), bytes.subarray(cut)]);
    expect(told.every(({ text }) => text.length <= 125)).toBe(true);
    expect(read([bytes])).toEqual({ told, problem });
    problems.set(problem, (problems.get(problem) ?? 0) + 1);
  }
  // The damage reaches every check there is.
  expect([...problems.keys()].toSorted()).toEqual([
    '',
    'close code',
    'continuation of nothing',
    'control frame in pieces',
    'control frame too long',
    'frame too long',
    'length',
    'masked',
    'message within a message',
    'opcode',
    'reserved bits',
  ]);
});
