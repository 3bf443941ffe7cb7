import { expect, test } from 'vitest';
import { failureOf } from '../../src/net/dns-exchange.ts';

test.for([
  ['EMFILE', 'own-trouble'],
  ['ENOBUFS', 'own-trouble'],
  ['EADDRNOTAVAIL', 'own-trouble'],
  ['EADDRINUSE', 'own-trouble'],
  ['ECONNREFUSED', 'unreachable'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
] as const)('%s is %s, and of its message nothing is kept', ([code, reason]) => {
  const error = Object.assign(new Error(`send ${code} 10.0.0.7:53`), { code });
  expect(failureOf(error)).toEqual({ kind: 'failed', reason, error: code });
});
