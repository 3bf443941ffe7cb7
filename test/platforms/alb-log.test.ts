import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { traceId } from '../../src/core/trace-id.ts';
import { parseAlbLogLine, type AlbLogLine } from '../../src/platforms/alb-log-line.ts';
import { readAlbLog, type AlbLogRead } from '../../src/platforms/alb-log.ts';

const runId = 'c0ffee42';
const trace = `Root=${traceId(runId, 1_532_647_380, 7, 1234, 0)}`;

/** As AWS's documentation has it, with our trace id. */
const answered =
  'https 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 ' +
  '0.086 0.048 0.037 200 200 0 57 "GET https://www.example.com:443/ HTTP/1.1" "curl/7.46.0" ' +
  'ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 ' +
  'arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 ' +
  `"${trace}" "www.example.com" ` +
  '"arn:aws:acm:us-east-2:123456789012:certificate/12345678-1234-1234-1234-123456789012" ' +
  '1 2018-07-02T22:22:48.364000Z "authenticate,forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_1234abcd5678ef90';
/** A target that does not accept: no answer of it, 10 s (the field report that is signature S1). */
const blackholed =
  'http 2018-11-30T22:23:52.352000Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.66:8080 ' +
  '-1 -1 -1 504 - 34 366 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - ' +
  'arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 ' +
  `"${trace}" "-" "-" 0 2018-11-30T22:23:42.351000Z "forward" "-" "-" "10.0.0.66:8080" "-" "-" "-" TID_1234abcd5678ef90`;
/** No target at all. */
const noTarget =
  'http 2018-11-30T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 - ' +
  '-1 -1 -1 503 - 34 366 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - ' +
  'arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 ' +
  `"${trace}" "-" "-" 0 2018-11-30T22:22:48.364000Z "forward" "-" "-" "-" "-" "-" "-" TID_1234abcd5678ef90`;

test('an answered line tells target, statuses and times', () => {
  expect(parseAlbLogLine(answered, runId)).toEqual({
    trace: { runId, lane: 7, slot: 1234, part: 0 },
    loadBalancer: 'app/my-loadbalancer/50dc6c495c0c9188',
    target: { address: '10.0.0.1', port: 80 },
    targetGroupArn: 'arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067',
    elbStatus: 200,
    targetStatus: 200,
    requestProcessingS: 0.086,
    targetProcessingS: 0.048,
    responseProcessingS: 0.037,
    createdAtMs: Date.UTC(2018, 6, 2, 22, 22, 48, 364),
    endedAtMs: Date.UTC(2018, 6, 2, 22, 23, 0, 186),
    errorReason: '',
  } satisfies AlbLogLine);
});

test.for([
  {
    claim: 'a target that never accepted has no status and no times',
    text: blackholed,
    elbStatus: 504,
    target: '10.0.0.66',
  },
  { claim: 'a group without a target leaves it out', text: noTarget, elbStatus: 503, target: null },
])('$claim', ({ text, elbStatus, target }) => {
  const line = parseAlbLogLine(text, runId);
  expect(line).toMatchObject({ elbStatus, targetStatus: null, requestProcessingS: null, targetProcessingS: null });
  expect((line as AlbLogLine).target?.address ?? null).toBe(target);
});

test.for([
  { claim: 'the agent has quotes', from: '"curl/7.46.0"', to: String.raw`"a \"quoted\" agent \\"` },
  { claim: 'the agent has quotes as hex', from: '"curl/7.46.0"', to: String.raw`"a \x22quoted\x22 agent"` },
  {
    claim: 'the request is none',
    from: '"GET https://www.example.com:443/ HTTP/1.1"',
    to: '"- https://www.example.com:443- "',
  },
  {
    claim: 'fields were added at the end',
    from: 'TID_1234abcd5678ef90',
    to: 'TID_1 "shop.example" "/a b" TransformSuccess new',
  },
  {
    claim: 'others wrote their part into the trace',
    from: trace,
    to: `Self=1-5759e988-bd862e3fe1be46a994272793;${trace}`,
  },
])('it is read just so when $claim', ({ from, to }) => {
  expect(answered).toContain(from);
  expect(parseAlbLogLine(answered.replace(from, to), runId)).toEqual(parseAlbLogLine(answered, runId));
});

test('a log from before request times were in it is read as far as it goes', () => {
  const old = answered.slice(0, answered.indexOf(' "www.example.com"'));
  expect(parseAlbLogLine(old, runId)).toMatchObject({ elbStatus: 200, createdAtMs: null, errorReason: '' });
});

test('an IPv6 target and an error reason are told', () => {
  const line = answered
    .replace('10.0.0.1:80 0.086', '[fd00::1]:8080 0.086')
    .replace('"-" "-" "10.0', '"-" "LambdaUnhandled" "10.0');
  expect(parseAlbLogLine(line, runId)).toMatchObject({
    target: { address: 'fd00::1', port: 8080 },
    errorReason: 'LambdaUnhandled',
  });
});

test.for([
  { claim: 'of another run', text: answered.replaceAll(runId, 'deadbeef') },
  { claim: 'without a trace', text: answered.replace(trace, '-') },
  {
    claim: "of somebody else's trace that our run id stands in by chance",
    text: answered.replace(trace, `Root=1-58337262-36d228ad5d99923122bbe3${runId.slice(0, 2)}`),
  },
  { claim: 'whose path names our run', text: answered.replace(trace, '-').replace('443/', `443/a-${runId}`) },
])('a line $claim is not ours', ({ text }) => {
  expect(parseAlbLogLine(text, runId)).toBeNull();
});

test('a torn line is never taken for a whole one that says something else', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: blackholed.length - 1 }), (length) => {
      const line = parseAlbLogLine(blackholed.slice(0, length), runId);
      if (line === null || line === 'unreadable') return;
      const whole = parseAlbLogLine(blackholed, runId) as AlbLogLine;
      // What was added in later years may be missing, and nothing else.
      expect({ ...line, createdAtMs: null, errorReason: '' }).toEqual({ ...whole, createdAtMs: null, errorReason: '' });
    }),
  );
});

describe('a file', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cutwatch-alb-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function read(content: string | Buffer): Promise<AlbLogRead & { readonly lines: readonly AlbLogLine[] }> {
    const path = join(folder, 'log');
    writeFileSync(path, content);
    const lines: AlbLogLine[] = [];
    return { ...(await readAlbLog(path, { runId, heard: (line) => lines.push(line) })), lines };
  }
  const others = `${answered.replaceAll(runId, 'deadbeef')}\n`.repeat(997);
  const text = `${others}${answered}\n${blackholed}\n${others}${noTarget}`;

  test('is read as it is and as gzip, whatever it is called, to the last line without an end', async () => {
    const plain = await read(text);
    expect(plain).toMatchObject({ lineCount: 1997, ourCount: 3, unreadableCount: 0, error: '' });
    expect(plain.lines.map(({ elbStatus }) => elbStatus)).toEqual([200, 504, 503]);
    expect(await read(gzipSync(text))).toEqual(plain);
    expect(await read(Buffer.concat([gzipSync(text.slice(0, 70_001)), gzipSync(text.slice(70_001))]))).toEqual(plain);
    expect(await read(text.replaceAll('\n', '\r\n'))).toEqual(plain);
  });

  test('whose last line is torn says so', async () => {
    const torn = await read(`${answered}\n${blackholed.slice(0, blackholed.indexOf(`"${trace}"`) + trace.length + 1)}`);
    expect(torn).toMatchObject({ lineCount: 2, ourCount: 1, unreadableCount: 1, error: '' });
  });

  test('that ends in the middle of its gzip gives what it has, and says so', async () => {
    // Random padding, so that what is packed is longer than what the decoder holds back.
    const lines = Array.from(
      { length: 2000 },
      (_, i) => `${answered} "${Buffer.from(String(Math.sin(i))).toString('base64')}"`,
    );
    const packed = gzipSync(lines.join('\n'));
    const cut = await read(packed.subarray(0, packed.length / 2));
    expect(cut.error).toBe('it ends in the middle (gzip)');
    expect(cut.ourCount).toBeGreaterThan(100);
    expect(cut.ourCount).toBeLessThan(2000);
  });

  test('that is broken, empty or not there is no exception', async () => {
    const packed = gzipSync(text);
    packed.writeUInt32BE(0xffff_ffff, packed.length - 8);
    expect((await read(packed)).error).toMatch(/gzip/);
    expect(await read('')).toMatchObject({ lineCount: 0, error: '' });
    const missing = await readAlbLog(join(folder, 'none'), { runId, heard() {} });
    expect(missing).toMatchObject({ lineCount: 0, error: 'it could not be read (ENOENT)' });
    expect((await readAlbLog(folder, { runId, heard() {} })).error).toBe('it could not be read (EISDIR)');
  });

  test('with a line without end does not fill the memory, and the next line is read', async () => {
    const long = 'x'.repeat(300_000);
    expect(await read(`${long}\n${answered}\n${long}`)).toMatchObject({
      lineCount: 3,
      ourCount: 1,
      unreadableCount: 2,
    });
  });
});
