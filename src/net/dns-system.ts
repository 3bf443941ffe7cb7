/**
 * Resolves as a program on this machine does through glibc: `/etc/hosts`, then the servers of `/etc/resolv.conf` with their
 * search list. Our own packets, so that TTL, rcode and EDE are seen, in the order and with the patience of the C library.
 * A program asks for both families at once and takes what it gets; so a name that has addresses of the other family
 * only is found, with none of this one, and the search ends there.
 */
import { hostname } from 'node:os';
import { isIPv4 } from 'node:net';
import type { Clock } from '../core/ports.ts';
import { sToNs } from '../core/time.ts';
import { isAskable } from '../wire/dns-name.ts';
import { plainAnswer, timedOut } from './dns-exchange.ts';
import type { Ask, Asked } from './dns-exchange.ts';
import { askTcp } from './dns-stream.ts';
import { askUdp } from './dns-udp.ts';
import { parseHosts } from './hosts-file.ts';
import { parseResolvConf } from './resolv-conf.ts';
import type { ResolvConf } from './resolv-conf.ts';
import { WatchedFile } from './watched-file.ts';

export interface SystemFiles {
  readonly hosts: string;
  readonly resolvConf: string;
  /** Where the servers of `resolvConf` listen: 53, there is no way to write another one there. */
  readonly nameserverPort: number;
}

export const systemFiles: SystemFiles = {
  hosts: '/etc/hosts',
  resolvConf: '/etc/resolv.conf',
  nameserverPort: 53,
};

export function newSystemResolver(clock: Clock, files: SystemFiles): (ask: Ask) => Promise<Asked> {
  const hosts = new WatchedFile(clock, files.hosts, parseHosts);
  const conf = new WatchedFile(clock, files.resolvConf, (text) => parseResolvConf(text, hostname()));
  let queryCount = 0;

  return async (ask) => {
    const known = isAddressType(ask) ? hosts.read().get(ask.name.toLowerCase()) : undefined;
    if (known !== undefined) {
      const addresses = known.filter((address) => isIPv4(address) === (ask.type === 'A'));
      return plainAnswer('NOERROR', addresses, ask);
    }
    const now = conf.read();
    queryCount += 1;
    const shift = now.rotate ? queryCount % now.nameservers.length : 0;
    const servers = [...now.nameservers.slice(shift), ...now.nameservers.slice(0, shift)];
    return search(ask, now, (candidate) => askServers(clock, { ...now, nameservers: servers }, files, candidate));
  };
}

/** The names to try in turn, each ending in a dot: the search list before or after the name itself, by its dots. */
export function candidates(name: string, conf: Pick<ResolvConf, 'search' | 'ndots'>): readonly string[] {
  if (name.endsWith('.')) return [name];
  const asIs = `${name}.`;
  const searched = conf.search.map((domain) => (domain === '' ? asIs : `${name}.${domain.replace(/\.$/, '')}.`));
  const dotCount = name.split('.').length - 1;
  const inOrder = dotCount >= conf.ndots ? [asIs, ...searched] : [...searched, asIs];
  return [...new Set(inOrder)].filter(isAskable);
}

/**
 * Tries each candidate until one is found. What is told when none is: what the name itself got if it was first in turn,
 * else "no such data" before "no such name" before a failure. A search element whose servers are broken is passed over;
 * one whose servers are silent ends the search list, and the name itself is all that is still tried.
 */
async function search(ask: Ask, conf: ResolvConf, query: (ask: Ask) => Promise<Asked>): Promise<Asked> {
  const names = candidates(ask.name, conf);
  const asIs = ask.name.endsWith('.') ? ask.name : `${ask.name}.`;
  const told: Asked[] = [];
  let isListOver = false;
  for (const [i, name] of names.entries()) {
    if (isListOver && name !== asIs) continue;
    const asked = await query({ ...ask, name });
    if (isFound(asked) || isOwnTrouble(asked)) return asked;
    if (isNoData(asked) && i < names.length - 1 && (await hasOtherFamily({ ...ask, name }, query))) return asked;
    told.push(asked);
    if (name === asIs) continue;
    isListOver = asked.kind === 'failed' || !goesOn.includes(asked.rcode);
  }
  const [first] = told;
  if (names[0] === asIs && first !== undefined) return first;
  return told.find(isNoData) ?? told.find(isBroken) ?? told.at(-1) ?? timedOut;
}

/** The rcodes after which the next element of the search list is tried. */
const goesOn: readonly string[] = ['NOERROR', 'NXDOMAIN', 'SERVFAIL'];

function isFound(asked: Asked): boolean {
  return asked.kind === 'answered' && asked.addresses.length > 0;
}

function isNoData(asked: Asked): boolean {
  return asked.kind === 'answered' && asked.rcode === 'NOERROR' && asked.addresses.length === 0;
}

function isBroken(asked: Asked): boolean {
  return asked.kind === 'answered' && asked.rcode === 'SERVFAIL';
}

function isOwnTrouble(asked: Asked): boolean {
  return asked.kind === 'failed' && asked.reason === 'own-trouble';
}

function isAddressType(ask: Ask): boolean {
  return ask.type === 'A' || ask.type === 'AAAA';
}

async function hasOtherFamily(ask: Ask, query: (ask: Ask) => Promise<Asked>): Promise<boolean> {
  return isAddressType(ask) && isFound(await query({ ...ask, type: ask.type === 'A' ? 'AAAA' : 'A' }));
}

/** What makes glibc turn to the next server, beside silence. */
const passedOver: readonly string[] = ['SERVFAIL', 'NOTIMP', 'REFUSED'];

/** Each server in turn, all of them as often as `attempts` says, with the waits of glibc. */
async function askServers(clock: Clock, conf: ResolvConf, files: SystemFiles, ask: Ask): Promise<Asked> {
  let last: Asked = timedOut;
  for (let round = 0; round < conf.attemptCount; round += 1) {
    const waitS = round === 0 ? conf.timeoutS : (conf.timeoutS * 2 ** round) / conf.nameservers.length;
    for (const address of conf.nameservers) {
      const nowNs = clock.nowNs();
      if (nowNs >= ask.deadlineNs) return last;
      const server = { address, port: files.nameserverPort };
      const one = { ...ask, deadlineNs: Math.min(ask.deadlineNs, nowNs + sToNs(Math.max(1, Math.floor(waitS)))) };
      const asked = conf.useVc ? await askTcp(clock, server, one) : await askUdp(clock, server, one, 1);
      if (asked.kind === 'answered' && !passedOver.includes(asked.rcode)) return asked;
      if (isOwnTrouble(asked)) return asked;
      if (asked.kind === 'answered' || last.kind === 'failed') last = asked;
    }
  }
  return last;
}
