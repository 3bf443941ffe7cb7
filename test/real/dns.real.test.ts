/** Our DNS against bind9 as an authority and unbound as a resolver, over UDP, TCP, TLS and HTTPS. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DnsQuestion, DnsReply, DnsServer } from '../../src/core/ports.ts';
import { sToNs } from '../../src/core/time.ts';
import { newClock } from '../../src/net/clock.ts';
import { newDnsPort } from '../../src/net/dns-port.ts';
import { makeOwnCertificate } from './servers/own-certificate.ts';
import { describeReal } from './servers/describe-real.ts';
import { programPath } from './servers/installed.ts';
import { startProcess } from './servers/own-process.ts';
import { freePorts } from './servers/ports.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';
import { waitUntil } from './servers/wait-until.ts';

const address = '127.0.0.1';
const zone = 'shop.test';
/** More than 1232 bytes, so that the answer is truncated over UDP; bind9 takes at most 100 records of a type. */
const manyAddresses = Array.from({ length: 97 }, (_, i) => `10.1.${i % 7}.${i}`);

const zoneText = [
  `$ORIGIN ${zone}.`,
  '@ 300 SOA ns hostmaster 7 3600 600 86400 41',
  '@ 300 NS ns',
  `ns 300 A ${address}`,
  'orders 61 CNAME lb',
  'lb 43 A 127.0.1.1',
  'lb 43 A 127.0.1.2',
  'lb 47 AAAA 2001:db8::1:7',
  'brief 1 A 127.0.1.3',
  ...manyAddresses.map((one) => `many 60 A ${one}`),
  '',
].join('\n');

describeReal('DNS with bind9 and unbound', ['named', 'unbound', 'openssl'], () => {
  const clock = newClock(process.hrtime.bigint());
  const stack = new AsyncDisposableStack();
  let port = newDnsPort({ clock });
  let caPem = '';
  let ports = { named: 0, namedTls: 0, namedHttps: 0, unbound: 0, unboundTls: 0, unboundHttps: 0 };

  function query(
    server: DnsServer,
    name: string,
    more: { type?: DnsQuestion['type']; rd?: boolean } = {},
  ): Promise<DnsReply> {
    const options = { recursionDesired: more.rd ?? true, deadlineNs: clock.nowNs() + sToNs(10) };
    return port.query(server, { name, type: more.type ?? 'A' }, options);
  }

  const authority = (): DnsServer => ({ kind: 'udp', address, port: ports.named });
  const resolver = (): DnsServer => ({ kind: 'udp', address, port: ports.unbound });

  beforeAll(async () => {
    const folder = stack.use(await makeTemporaryFolder());
    const inFolder = (name: string): string => join(folder.path, name);
    const [named = 0, namedTls = 0, namedHttps = 0, unbound = 0, unboundTls = 0, unboundHttps = 0] = await freePorts(6);
    ports = { named, namedTls, namedHttps, unbound, unboundTls, unboundHttps };
    caPem = await makeOwnCertificate(inFolder('tls.pem'), inFolder('tls.key'), ['DNS:dns.test', `IP:${address}`]);
    const pair = { certificate: inFolder('tls.pem'), key: inFolder('tls.key') };
    writeFileSync(inFolder('zone'), zoneText);
    writeFileSync(inFolder('hosts'), `${address} dns.test other.test\n`);
    writeFileSync(inFolder('resolv.conf'), `nameserver ${address}\nsearch none.test ${zone}\n`);
    writeFileSync(inFolder('named.conf'), namedConf(folder.path, pair));
    writeFileSync(inFolder('unbound.conf'), unboundConf(folder.path, pair));
    port = newDnsPort({
      clock,
      files: { hosts: inFolder('hosts'), resolvConf: inFolder('resolv.conf'), nameserverPort: unbound },
    });
    for (const [program, args, server] of [
      ['named', ['-f', '-n', '1', '-c', inFolder('named.conf')], authority()],
      ['unbound', ['-d', '-p', '-c', inFolder('unbound.conf')], resolver()],
    ] as const) {
      const running = stack.use(startProcess(programPath(program), args, { logPath: inFolder(`${program}.log`) }));
      await waitUntil(`${program} answers`, async () => {
        if (!running.isRunning) throw new Error(`${program} ended: ${running.output()}`);
        const reply = await query(server, `ns.${zone}`);
        return reply.kind === 'answered' && reply.rcode === 'NOERROR';
      });
    }
  });

  afterAll(() => stack.disposeAsync());

  function namedConf(folder: string, pair: { readonly certificate: string; readonly key: string }): string {
    return `
      tls own { cert-file "${pair.certificate}"; key-file "${pair.key}"; };
      http own { endpoints { "/dns-query"; }; };
      options {
        directory "${folder}"; pid-file "named.pid"; session-keyfile "session.key";
        listen-on port ${ports.named} { ${address}; };
        listen-on port ${ports.namedTls} tls own { ${address}; };
        listen-on port ${ports.namedHttps} tls own http own { ${address}; };
        listen-on-v6 { none; };
        recursion no; notify no; dnssec-validation no; minimal-responses yes;
      };
      controls { };
      logging { channel log { stderr; }; category default { log; }; };
      zone "${zone}" { type primary; file "zone"; };
    `;
  }

  function unboundConf(folder: string, pair: { readonly certificate: string; readonly key: string }): string {
    return `
server:
  directory: "${folder}"
  chroot: ""
  username: ""
  pidfile: "${folder}/unbound.pid"
  do-daemonize: no
  use-syslog: no
  num-threads: 1
  do-ip6: no
  interface: ${address}@${ports.unbound}
  interface: ${address}@${ports.unboundTls}
  interface: ${address}@${ports.unboundHttps}
  tls-port: ${ports.unboundTls}
  https-port: ${ports.unboundHttps}
  tls-service-pem: "${pair.certificate}"
  tls-service-key: "${pair.key}"
  do-not-query-localhost: no
  module-config: "iterator"
  local-zone: "." static
  local-zone: "${zone}." transparent
  serve-expired: yes
  ede: yes
  ede-serve-expired: yes
stub-zone:
  name: "${zone}"
  stub-addr: ${address}@${ports.named}
remote-control:
  control-enable: no
`;
  }

  test('an authority asked without recursion answers with authority, its chain, and the lowest TTL', async () => {
    expect(await query(authority(), `orders.${zone}`, { rd: false })).toMatchObject({
      kind: 'answered',
      rcode: 'NOERROR',
      authoritative: true,
      ede: 0,
      chain: [`lb.${zone}`],
      addresses: expect.arrayContaining(['127.0.1.1', '127.0.1.2']),
      ttlS: 43,
    });
  });

  test('IPv6 addresses read as they were written', async () => {
    const reply = await query(authority(), `orders.${zone}`, { type: 'AAAA' });
    expect(reply).toMatchObject({ addresses: ['2001:db8::1:7'], ttlS: 47 });
  });

  test('a name that is not there has the negative TTL of its zone, and so has a type that is not there', async () => {
    for (const server of [authority(), resolver()]) {
      expect(await query(server, `nobody.${zone}`)).toMatchObject({
        rcode: 'NXDOMAIN',
        addresses: [],
        ttlS: expect.toSatisfy(isUpTo(41)),
      });
      expect(await query(server, `brief.${zone}`, { type: 'AAAA' })).toMatchObject({
        rcode: 'NOERROR',
        addresses: [],
        ttlS: expect.toSatisfy(isUpTo(41)),
      });
    }
  });

  test('a zone that the authority does not have is refused', async () => {
    expect(await query(authority(), 'other.example')).toMatchObject({ kind: 'answered', rcode: 'REFUSED' });
  });

  test('NS and SOA of the zone can be asked for', async () => {
    expect(await query(authority(), zone, { type: 'NS' })).toMatchObject({ addresses: [`ns.${zone}`] });
    const soa = `ns.${zone} hostmaster.${zone} 7 3600 600 86400 41`;
    expect(await query(authority(), zone, { type: 'SOA' })).toMatchObject({ addresses: [soa] });
  });

  test('an answer too long for UDP comes whole over TCP', async () => {
    for (const server of [authority(), resolver()]) {
      const reply = await query(server, `many.${zone}`);
      expect(reply).toMatchObject({ kind: 'answered', rcode: 'NOERROR' });
      if (reply.kind === 'answered') expect([...reply.addresses].sort()).toEqual([...manyAddresses].sort());
    }
  });

  test('a resolver answers without authority, and its answer ages', async () => {
    const reply = await query(resolver(), `orders.${zone}`);
    expect(reply).toMatchObject({ authoritative: false, chain: [`lb.${zone}`], ttlS: expect.toSatisfy(isUpTo(43)) });
  });

  test('a stale answer says so by its Extended DNS Error', async () => {
    const staleAnswer = 3;
    await query(resolver(), `brief.${zone}`);
    const reply = await waitUntil('the answer is stale', async () => {
      const seen = await query(resolver(), `brief.${zone}`);
      return seen.kind === 'answered' && seen.ede === staleAnswer + 1 ? seen : null;
    });
    expect(reply).toMatchObject({ rcode: 'NOERROR', addresses: ['127.0.1.3'] });
  });

  test.for(['named', 'unbound'] as const)('%s answers over TLS, by its name and by its address', async (name) => {
    for (const serverName of ['dns.test', '']) {
      const server: DnsServer = { kind: 'tls', address, port: ports[`${name}Tls`], serverName, caPem };
      expect(await query(server, `orders.${zone}`)).toMatchObject({ kind: 'answered', chain: [`lb.${zone}`] });
    }
  });

  test.for(['named', 'unbound'] as const)('%s answers over HTTPS, by its name and by its address', async (name) => {
    for (const host of ['dns.test', address]) {
      const server: DnsServer = { kind: 'https', url: `https://${host}:${ports[`${name}Https`]}/dns-query`, caPem };
      expect(await query(server, `orders.${zone}`)).toMatchObject({ kind: 'answered', chain: [`lb.${zone}`] });
      expect(await query(server, `many.${zone}`)).toMatchObject({ addresses: expect.toSatisfy(hasMany) });
    }
  });

  test('a certificate for another name, or by an unknown issuer, is not accepted', async () => {
    const tls: DnsServer = { kind: 'tls', address, port: ports.unboundTls, serverName: 'other.test', caPem };
    expect(await query(tls, `orders.${zone}`)).toMatchObject({
      reason: 'unreachable',
      error: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    const https: DnsServer = { kind: 'https', url: `https://other.test:${ports.unboundHttps}/dns-query`, caPem };
    expect(await query(https, `orders.${zone}`)).toMatchObject({
      reason: 'unreachable',
      error: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    const unknown: DnsServer = { kind: 'tls', address, port: ports.unboundTls, serverName: 'dns.test' };
    expect(await query(unknown, `orders.${zone}`)).toMatchObject({
      reason: 'unreachable',
      error: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
  });

  test('a path that the server does not have is malformed, with the status of HTTP', async () => {
    const server: DnsServer = { kind: 'https', url: `https://${address}:${ports.namedHttps}/nothing`, caPem };
    expect(await query(server, `orders.${zone}`)).toMatchObject({ reason: 'malformed', error: 'HTTP status 404' });
  });

  test('the system finds a short name through its search list', async () => {
    expect(await query({ kind: 'system' }, 'orders')).toMatchObject({ rcode: 'NOERROR', chain: [`lb.${zone}`] });
    expect(await query({ kind: 'system' }, 'nobody')).toMatchObject({ rcode: 'NXDOMAIN' });
  });
});

function isUpTo(max: number): (value: unknown) => boolean {
  return (value) => typeof value === 'number' && value > 0 && value <= max;
}

function hasMany(addresses: unknown): boolean {
  return Array.isArray(addresses) && addresses.length === manyAddresses.length;
}
