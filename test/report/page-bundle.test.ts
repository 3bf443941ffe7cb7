import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as bundle from '../../src/report/page-bundle.ts';
import { bundlePath, bundleText } from '../../tools/pages.ts';

test('the bundle that is committed is that of the code beside it: npm run pages', async () => {
  expect(readFileSync(bundlePath, 'utf8') === (await bundleText())).toBe(true);
});

test.for([
  { text: bundle.pageScript, sha256: bundle.pageScriptSha256 },
  { text: bundle.pageStyle, sha256: bundle.pageStyleSha256 },
])('the hash in the policy is that of the text ($sha256)', ({ text, sha256 }) => {
  expect(sha256).toBe(createHash('sha256').update(text).digest('base64'));
});

test('nothing in the bundle ends the element that it is put into, or begins a comment in it', () => {
  expect(bundle.pageScript).not.toMatch(/<\/script|<!--/i);
  expect(bundle.pageStyle).not.toMatch(/<\/style|<!--/i);
});

test('the script holds no address, and runs no text as code', () => {
  expect(bundle.pageScript.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(
    /https?:\/\/(?!github\.com\/leeoniya)/,
  );
  expect(bundle.pageScript).not.toMatch(/\beval\(|new Function\(/);
});
