import { isIP } from 'node:net';

/** What glibc takes from `/etc/resolv.conf`. */
export interface ResolvConf {
  /** At most three; this machine itself when none is given. With scope where one is given: `fe80::1%eth0`. */
  readonly nameservers: readonly string[];
  /** The last `search` or `domain` line, else the domain of the host's own name. */
  readonly search: readonly string[];
  /** A name with at least so many dots is tried as it is first. */
  readonly ndots: number;
  readonly timeoutS: number;
  readonly attemptCount: number;
  /** Begin with another server each time. */
  readonly rotate: boolean;
  /** TCP only. */
  readonly useVc: boolean;
}

/** The limits that glibc has for what the file may ask for. */
const nameserverCountMax = 3;
const optionMax = { ndots: 15, timeout: 30, attempts: 5 } as const;

/**
 * As glibc reads it, which is not how one might: a keyword counts only at the very start of a line, comments too; of
 * `search` and `domain` the last wins; what is not understood is passed over.
 */
export function parseResolvConf(text: string, hostName = ''): ResolvConf {
  const nameservers: string[] = [];
  const options = new Map<string, string>();
  const hostDot = hostName.indexOf('.');
  let search = hostDot === -1 ? [] : [hostName.slice(hostDot + 1)];
  for (const line of text.split('\n')) {
    const [keyword = '', ...words] = line.trimEnd().split(/[ \t]+/);
    const [first] = words;
    if (first === undefined) continue;
    if (keyword === 'nameserver' && isIP(first) !== 0) nameservers.push(first);
    if (keyword === 'domain') search = [first];
    if (keyword === 'search') search = words;
    if (keyword === 'options') for (const word of words) setOption(options, word);
  }
  return {
    nameservers: nameservers.length === 0 ? ['127.0.0.1'] : nameservers.slice(0, nameserverCountMax),
    search: search.map((domain) => domain.replace(/^\./, '')),
    ndots: numberOf(options.get('ndots'), 1, optionMax.ndots),
    timeoutS: Math.max(1, numberOf(options.get('timeout'), 5, optionMax.timeout)),
    attemptCount: Math.max(1, numberOf(options.get('attempts'), 2, optionMax.attempts)),
    rotate: options.has('rotate'),
    useVc: options.has('use-vc'),
  };
}

function setOption(options: Map<string, string>, word: string): void {
  const [name = '', value = ''] = word.split(':', 2);
  options.set(name, value);
}

function numberOf(text: string | undefined, otherwise: number, max: number): number {
  const number = Number.parseInt(text ?? '', 10);
  return Number.isNaN(number) || number < 0 ? otherwise : Math.min(number, max);
}
