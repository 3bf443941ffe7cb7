import { isIP } from 'node:net';

/** Names in lower case → addresses in the order of the file. */
export type Hosts = ReadonlyMap<string, readonly string[]>;

/** `/etc/hosts`: an address and its names on each line; a name on several lines has all their addresses. */
export function parseHosts(text: string): Hosts {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [content = ''] = line.split('#', 1);
    const [address = '', ...names] = content.trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      const addresses = hosts.get(key) ?? [];
      if (!addresses.includes(address)) addresses.push(address);
      hosts.set(key, addresses);
    }
  }
  return hosts;
}
