import { expect, test } from 'vitest';
import { lanesOf } from '../../src/scenario/lanes.ts';
import { withoutUrlSecrets } from '../../src/scenario/secret-names.ts';
import { laneWithoutSecrets, withoutSecrets } from '../../src/scenario/secrets.ts';
import { scenarioOf } from './fixtures.ts';

const secrets = [
  'hunter-header',
  'hunter-cookie',
  'hunter-body',
  'hunter-word',
  'hunter-query',
  'hunter-doh',
  'EC PRIVATE',
];
const scenario = scenarioOf(`
defaults:
  request:
    method: POST
    writes: true
    headers: { Authorization: 'hunter-header \${TOKEN}', X-Odd: hunter-header, accept: text/html, user-agent: watcher }
    cookies: { sid: hunter-cookie }
    body: hunter-body
    token: { command: [get-token, --password, hunter-word], everyS: 300 }
services:
  - name: orders
    url: https://orders.example/ready?page=3&api_key=hunter-query
    tls: { ca: certificate.pem, certificate: certificate.pem, key: key.pem }
resolvers: [{ name: doh, doh: "https://dns.example/q?token=hunter-doh" }]
references: ["https://status.example/?auth=hunter-query"]`);

test('no secret is left in what goes into the log', () => {
  const lanes = lanesOf(scenario, { old: ['127.0.1.1'], new: [] });
  const before = JSON.stringify([scenario, lanes]);
  const after = JSON.stringify([withoutSecrets(scenario), lanes.map(laneWithoutSecrets)]);
  for (const secret of secrets) {
    expect(before).toContain(secret);
    expect(after).not.toContain(secret);
  }
});

test('what tells what was probed stays', () => {
  const [check] = withoutSecrets(scenario).services[0]?.checks ?? [];
  expect(check?.url).toBe('https://orders.example/ready?page=3&api_key=‹secret›');
  expect(check?.path).toBe('/ready?page=3&api_key=‹secret›');
  expect(check?.request).toEqual({
    method: 'POST',
    headers: [
      ['Authorization', '‹secret›'],
      ['X-Odd', '‹secret›'],
      ['accept', 'text/html'],
      ['user-agent', 'watcher'],
      ['cookie', '‹secret›'],
    ],
    body: '‹secret›',
    token: { command: ['get-token', '‹secret›', '‹secret›'], everyS: 300 },
  });
  expect(withoutSecrets(scenario).services[0]?.tls.caPem).toContain('BEGIN CERTIFICATE');
});

test('cutting out twice is cutting out once, and the original stays whole', () => {
  const once = withoutSecrets(scenario);
  expect(withoutSecrets(once)).toEqual(once);
  expect(scenario.services[0]?.checks[0]?.request.body).toBe('hunter-body');
});

test.for([
  ['https://a.example/x', 'https://a.example/x'],
  ['https://user:pw@a.example/x@y', 'https://‹secret›@a.example/x@y'],
  ['https://a.example/?page=3&sort=up', 'https://a.example/?page=3&sort=up'],
  ['/x?X-Amz-Signature=0a1b', '/x?X-Amz-Signature=‹secret›'],
  ['/x?%74oken=abc', '/x?%74oken=‹secret›'],
  ['/x?token=', '/x?token='],
  ['/x?q=c2VjcmV0LXNlY3JldC1zZWNyZXQtMQ==', '/x?q=‹secret›'],
  ['/x?c2VjcmV0LXNlY3JldC1zZWNyZXQtMQ', '/x?‹secret›'],
  ['/x?%=1', '/x?%=1'],
] as const)('%s is shown as %s', ([url, shown]) => {
  expect(withoutUrlSecrets(url)).toBe(shown);
});
