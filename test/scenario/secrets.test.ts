import { describe, expect, test } from 'vitest';
import { lanesOf } from '../../src/scenario/lanes.ts';
import { plan } from '../../src/scenario/plan.ts';
import { withoutUrlSecrets } from '../../src/scenario/secret-names.ts';
import { laneWithoutSecrets, withoutSecrets } from '../../src/scenario/secrets.ts';
import { scenarioOf } from './fixtures.ts';

const secrets = [
  'hunter-header',
  'hunter-cookie',
  'hunter-body',
  'hunter-word',
  'hunter-query',
  'hunter-path',
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
    preflight: { slowPath: /report/hunter-path }
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

describe('a value from the environment', () => {
  const env = {
    HOST: 'Orders.example',
    HOOK: 'T07/hunter hook',
    BODY: 'hunter-body',
    DOH: 'hunter-doh',
    PAGE: '20261',
    WHOLE: 'https://pay.example:8443/ready/c2VjcmV0LXNlY3JldC1zZWNyZXQtMQ',
  };
  const fromEnvironment = scenarioOf(
    `
services:
  - name: orders
    checks:
      - { url: "https://\${HOST}/hook/\${HOOK}?page=\${PAGE}&x=\${HOOK}", expect: { bodyIncludes: "is \${BODY}!", header: { x-body: "\${BODY}" } } }
      - { url: "\${WHOLE}", expect: { bodyMatches: "^\${BODY}" } }
resolvers: [{ name: doh, doh: "https://dns.example/\${DOH}/q" }]
references: ["https://status.example/\${HOOK}"]`,
    env,
  );
  const lanes = lanesOf(fromEnvironment, { old: ['127.0.1.1'], new: [] });
  const logged = withoutSecrets(fromEnvironment);

  test('is in no path, query or expectation of the log', () => {
    const before = JSON.stringify([fromEnvironment, lanes]);
    const after = JSON.stringify([logged, lanes.map(laneWithoutSecrets)]);
    for (const secret of ['hunter', 'T07', 'c2VjcmV0']) {
      expect(before).toContain(secret);
      expect(after).not.toContain(secret);
    }
    expect(after).not.toContain('secretValues');
  });

  test('hides neither host nor port nor what is written around it', () => {
    const [first, second] = logged.services[0]?.checks ?? [];
    expect(first).toMatchObject({
      hostname: 'orders.example',
      url: 'https://orders.example/hook/‹secret›?page=20261&x=‹secret›',
      path: '/hook/‹secret›?page=20261&x=‹secret›',
      expect: { bodyIncludes: 'is ‹secret›!', headers: [['x-body', '‹secret›']] },
    });
    expect(second).toMatchObject({
      url: 'https://pay.example:8443/ready/‹secret›',
      expect: { bodyMatches: '^‹secret›' },
    });
    expect(logged.resolvers[0]?.server).toMatchObject({ url: 'https://dns.example/‹secret›/q' });
  });

  test('is not in a plan either', () => {
    expect(plan(fromEnvironment).text).toContain('GET https://orders.example/hook/‹secret›?page=20261');
    expect(plan(fromEnvironment).text).not.toMatch(/hunter|T07/);
  });

  test('is asked for as it is', () => {
    expect(fromEnvironment.services[0]?.checks[0]?.path).toContain('/hook/T07/hunter%20hook?page=20261');
  });
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
