import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { style, styleSha256 } from '../../src/report/html-style.ts';

test('the hash in the policy is that of the style sheet', () => {
  expect(styleSha256).toBe(createHash('sha256').update(style).digest('base64'));
});
