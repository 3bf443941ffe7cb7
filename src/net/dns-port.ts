import { isIP, SocketAddress } from 'node:net';
import { udpAttemptCount } from '../core/dns-patience.ts';
import { assert } from '../core/errors.ts';
import type { Clock, DnsPort, DnsServer } from '../core/ports.ts';
import { isAskable, normalName } from '../wire/dns-name.ts';
import { malformed, plainAnswer, timedOut } from './dns-exchange.ts';
import type { Ask, Asked } from './dns-exchange.ts';
import { newGetaddrinfo } from './dns-getaddrinfo.ts';
import { newDnsOverHttps } from './dns-https.ts';
import { askTls } from './dns-stream.ts';
import { newSystemResolver, systemFiles } from './dns-system.ts';
import type { SystemFiles } from './dns-system.ts';
import { askUdp } from './dns-udp.ts';

export interface DnsPortOptions {
  readonly clock: Clock;
  /** For tests: other files than those in `/etc`. */
  readonly files?: SystemFiles;
}

/** RFC 2181, 8: the highest TTL there is. */
const ttlSMax = 0x7fff_ffff;

/** DNS over real sockets. Nothing is cached here but what a file said: caches are the clients' own. */
export function newDnsPort(options: DnsPortOptions): DnsPort {
  const { clock, files = systemFiles } = options;
  const system = newSystemResolver(clock, files);
  const getaddrinfo = newGetaddrinfo(clock);
  const overHttps = newDnsOverHttps(clock, system);

  function ask(server: DnsServer, question: Ask): Asked | Promise<Asked> {
    const literal = literalAnswer(question);
    if (literal !== null) return literal;
    if (!isAskable(question.name)) return malformed('this name cannot be asked for');
    if (clock.nowNs() >= question.deadlineNs) return timedOut;
    assert(!('address' in server) || isIP(server.address) !== 0, 'a DNS server is asked at an address, not at a name');
    switch (server.kind) {
      case 'udp':
        return askUdp(clock, server, question, udpAttemptCount);
      case 'tls':
        return askTls(clock, server, question);
      case 'https':
        return overHttps(server, question);
      case 'system':
        return system(question);
      case 'getaddrinfo':
        return getaddrinfo(question);
    }
  }

  return {
    async query(server, question, { recursionDesired, deadlineNs }) {
      const sentAtNs = clock.nowNs();
      const asked = await ask(server, { ...question, recursionDesired, deadlineNs });
      return { ...asked, sentAtNs, endedAtNs: clock.nowNs() };
    },
  };
}

/** An address instead of a name needs no server, and never gets old. */
function literalAnswer(question: Ask): Asked | null {
  const text = question.name.replace(/^\[|\]$/g, '');
  const family = isIP(text);
  if (family === 0) return null;
  const { address } = new SocketAddress({ address: text, family: family === 4 ? 'ipv4' : 'ipv6' });
  const isOfType = question.type === (family === 4 ? 'A' : 'AAAA');
  return plainAnswer('NOERROR', isOfType ? [address] : [], { ...question, name: normalName(text) }, ttlSMax);
}
