import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnswerReader } from '../../src/net/http1-answer.ts';

interface Read {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
  readonly rest: string;
  readonly isDone: boolean;
  readonly endsHere: boolean;
  readonly closes: boolean;
  readonly informationalSeen: boolean;
  readonly problem: string;
}

/** The answer in these bytes, which come in pieces that end at `cuts`. */
function read(bytes: Buffer, cuts: readonly number[] = [], method = 'GET'): Read {
  const body: Buffer[] = [];
  const reader = new AnswerReader(method, (piece) => {
    body.push(Buffer.from(piece));
    return true;
  });
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  let takenCount = 0;
  let from = 0;
  for (const end of [...ends, bytes.length]) {
    if (end > from && !reader.isDone && reader.problem === '') takenCount += reader.take(bytes.subarray(from, end));
    from = end;
  }
  return {
    status: reader.status,
    headers: reader.headers,
    body: Buffer.concat(body).toString('latin1'),
    // Where it stopped in a line that is wrong depends on the pieces, and nobody looks.
    rest: reader.problem === '' ? bytes.toString('latin1', takenCount) : '',
    isDone: reader.isDone,
    endsHere: reader.endsHere,
    closes: reader.closes,
    informationalSeen: reader.informationalSeen,
    problem: reader.problem,
  };
}

function readText(text: string, method?: string): Read {
  return read(Buffer.from(text, 'latin1'), [], method);
}

const token = fc
  .stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/)
  .filter((name) => !/^(content-length|connection)$/i.test(name));
const value = fc.stringMatching(/^[!-~]([ -~]{0,30}[!-~])?$/);
const headers = fc.array(
  fc.tuple(
    fc.constant('X-').chain((x) => token.map((name) => x + name)),
    value,
  ),
  { maxLength: 8 },
);
const bodies = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const cuts = fc.array(fc.nat(2000), { maxLength: 12 });

interface Answer {
  readonly text: string;
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
  readonly framing: 'length' | 'chunked' | 'close';
  readonly hasInformational: boolean;
}

const answers: fc.Arbitrary<Answer> = fc
  .record({
    status: fc.integer({ min: 200, max: 599 }).filter((status) => status !== 204 && status !== 304),
    pairs: headers,
    body: bodies,
    framing: fc.constantFrom('length' as const, 'chunked' as const, 'close' as const),
    chunkLength: fc.integer({ min: 1, max: 50 }),
    informational: fc.constantFrom('', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nX-A: b\r\n\r\n'),
  })
  .map(({ status, pairs, body, framing, chunkLength, informational }) => {
    const fields = pairs.flat();
    if (framing === 'length') fields.push('Content-Length', String(body.length));
    if (framing === 'chunked') fields.push('Transfer-Encoding', 'chunked');
    const lines = Array.from({ length: fields.length / 2 }, (_, i) => `${fields[2 * i]}: ${fields[2 * i + 1]}\r\n`);
    const content = framing === 'chunked' ? inChunks(body, chunkLength) : body;
    const text = `${informational}HTTP/1.1 ${status} Reason\r\n${lines.join('')}\r\n${content}`;
    return { text, status, fields, body, framing, hasInformational: informational !== '' };
  });

function inChunks(body: string, chunkLength: number): string {
  let chunks = '';
  for (let i = 0; i < body.length; i += chunkLength) {
    const chunk = body.slice(i, i + chunkLength);
    chunks += `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
  }
  return `${chunks}0\r\n\r\n`;
}

test('what was written is what is read, whatever pieces it comes in, and not a byte of the next', () => {
  fc.assert(
    fc.property(answers, cuts, bodies, (answer, cuts, next) => {
      const isFramed = answer.framing !== 'close';
      const result = read(Buffer.from(answer.text + (isFramed ? next : ''), 'latin1'), cuts);
      expect(result).toMatchObject({
        problem: '',
        status: answer.status,
        headers: answer.fields,
        body: answer.body,
        isDone: isFramed,
        endsHere: !isFramed,
        closes: !isFramed,
        informationalSeen: answer.hasInformational,
      });
    }),
  );
});

test('an answer that is cut short is never whole', () => {
  fc.assert(
    fc.property(answers, fc.nat(), cuts, (answer, at, cuts) => {
      const whole = Buffer.from(answer.text, 'latin1');
      const result = read(whole.subarray(0, at % whole.length), cuts);
      expect(result.isDone).toBe(false);
      if (answer.framing !== 'close') expect(result.endsHere).toBe(false);
    }),
  );
});

test('whatever comes, it does not throw, and the pieces do not matter', () => {
  const grains = [
    'HTTP/1.1 200 OK',
    '\r\n',
    '\n',
    '\r',
    'A: b',
    ':',
    ' ',
    'Content-Length: 3',
    'Transfer-Encoding: chunked',
    '3',
    '0',
    'abc',
    '\0',
    'é',
  ];
  const rubbish = fc.array(fc.oneof(fc.constantFrom(...grains), fc.string({ maxLength: 4 })), { maxLength: 25 });
  const beginnings = fc.constantFrom(
    '',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  fc.assert(
    fc.property(beginnings, rubbish, cuts, (beginning, grains, cuts) => {
      const bytes = Buffer.from(beginning + grains.join(''), 'latin1');
      const whole = read(bytes);
      const pieces = read(bytes, cuts);
      // A line that is wrong from its beginning may be called so before it ends.
      if (whole.problem === '' && pieces.problem === '') expect(pieces).toEqual(whole);
      else expect(whole.isDone || pieces.isDone).toBe(false);
    }),
    { numRuns: 1000 },
  );
});

test.for([
  { claim: 'HTTP/1.1 stays open', head: 'HTTP/1.1 200 OK', closes: false },
  { claim: 'HTTP/1.1 may close', head: 'HTTP/1.1 200 OK\r\nconnection: Close', closes: true },
  { claim: 'in a list of several', head: 'HTTP/1.1 200 OK\r\nConnection: x, close', closes: true },
  { claim: 'or in several lists', head: 'HTTP/1.1 200 OK\r\nConnection: x\r\nConnection: close', closes: true },
  { claim: 'but not in a word that only begins so', head: 'HTTP/1.1 200 OK\r\nConnection: closet', closes: false },
  { claim: 'HTTP/1.0 closes', head: 'HTTP/1.0 200 OK', closes: true },
  { claim: 'HTTP/1.0 may stay open', head: 'HTTP/1.0 200 OK\r\nConnection: Keep-Alive', closes: false },
])('$claim: $head', ({ head, closes }) => {
  expect(readText(`${head}\r\nContent-Length: 0\r\n\r\n`)).toMatchObject({ isDone: true, closes });
});

test.for([
  { head: 'Content-Length: 3, 3', sees: { isDone: true, body: 'abc' } },
  { head: 'Content-Length: 3\r\nContent-Length: 3', sees: { isDone: true, body: 'abc' } },
  { head: 'Content-Length: 3, 4', sees: { problem: 'content-length' } },
  { head: 'Content-Length: -3', sees: { problem: 'content-length' } },
  { head: 'Content-Length: 0x3', sees: { problem: 'content-length' } },
  { head: 'Content-Length:', sees: { problem: 'content-length' } },
  { head: 'Content-Length: 99999999999999999999', sees: { problem: 'content-length' } },
  { head: 'Transfer-Encoding: gzip, chunked', sees: { isDone: false, endsHere: false, body: '' } },
  { head: 'Transfer-Encoding: chunked, gzip', sees: { isDone: false, endsHere: true, body: 'abc' } },
  { head: 'Transfer-Encoding: gzip\r\nContent-Length: 3', sees: { isDone: false, endsHere: true, body: 'abc' } },
  { head: 'X-Folded: a\r\n  b', sees: { headers: ['X-Folded', 'a b'], problem: '' } },
  { head: ' X-Folded: a', sees: { problem: 'header line' } },
  { head: 'X Y: a', sees: { problem: 'header line' } },
  { head: 'X-Space : a', sees: { problem: 'header line' } },
  { head: ': a', sees: { problem: 'header line' } },
  { head: 'X-Empty:', sees: { headers: ['X-Empty', ''] } },
])('$head', ({ head, sees }) => {
  expect(readText(`HTTP/1.1 200 OK\r\n${head}\r\n\r\nabc`)).toMatchObject(sees);
});

test.for([
  { line: 'HTTP/1.1 200', status: 200, problem: '' },
  { line: 'HTTP/1.1 200 ', status: 200, problem: '' },
  { line: 'HTTP/1.1 2000 OK', status: 0, problem: 'status line' },
  { line: 'HTTP/1.1 1e2 OK', status: 0, problem: 'status line' },
  { line: 'HTTP/1.1 099 OK', status: 0, problem: 'status line' },
  { line: 'HTTP/1.1  200 OK', status: 0, problem: 'status line' },
  { line: 'HTTP/2 200', status: 0, problem: 'not HTTP/1.x' },
  { line: 'ICY 200 OK', status: 0, problem: 'not HTTP/1.x' },
])('$line', ({ line, status, problem }) => {
  expect(readText(`${line}\r\nContent-Length: 0\r\n\r\n`)).toMatchObject({ status, problem });
});

test('empty lines before the answer are forgiven', () => {
  expect(readText('\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')).toMatchObject({ status: 200, isDone: true });
});

test('of more than 256 headers the first 256 are kept, and all are obeyed', () => {
  const many = Array.from({ length: 300 }, (_, i) => `X-${i}: ${i}\r\n`).join('');
  const result = readText(`HTTP/1.1 200 OK\r\n${many}Content-Length: 3\r\n\r\nabc`);
  expect(result).toMatchObject({ isDone: true, body: 'abc' });
  expect(result.headers).toHaveLength(512);
});

test('a chunk size of any length is bounded', () => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  expect(readText(`${head}1\r\na\r\n1;${'x'.repeat(300)}`)).toMatchObject({ problem: 'chunk size' });
});
