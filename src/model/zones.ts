/**
 * Which zones a world has, and their own records. No public suffix list: a zone is the last two labels of a name
 * (`shop.example` for `api.eu.shop.example`), or the last label alone where a name of the world is itself those two,
 * because a CNAME may not stand at the top of a zone (RFC 1034, 3.6.2). All zones are on all name servers.
 */
import type { DnsRecord } from '../core/ports.ts';
import type { ZoneSpec } from '../core/world.ts';

/** As Route 53 makes them (Developer Guide, "NS and SOA records"): the serial stays 1 for ever (domain.md, 0.5). */
const nsTtlS = 172_800;
const soaNumbers = '1 7200 900 1209600';

export interface Zones {
  /** Of the zone that the name is in, the name itself included; null = in none. */
  apexOf(name: string): string | null;
  soa(apex: string): DnsRecord;
  /** As in the authority section of a negative answer: its TTL is how long "there is none" may be kept (RFC 2308, 3). */
  negativeSoa(apex: string): DnsRecord;
  ns(apex: string): readonly DnsRecord[];
  /** Names of the name servers that are in a zone, with the name server of each. */
  readonly nameServerNames: ReadonlyMap<string, string>;
}

/** Lower case, without the dot at its end; the root is ''. */
export function bareName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

export function negativeTtlS(zone: ZoneSpec): number {
  return Math.min(zone.soaTtlS, zone.soaMinimumS);
}

/** `names`: everything that is served, bare. */
export function newZones(zone: ZoneSpec, names: readonly string[]): Zones {
  const served = [...names, ...zone.nameServers.map(({ name }) => bareName(name)).filter((name) => name.includes('.'))];
  const all = new Set(served);
  const apexes = new Set(served.map(apexFor));

  function apexFor(name: string): string {
    const twoLabels = lastLabels(name, 2);
    return all.has(twoLabels) ? lastLabels(name, twoLabels.includes('.') ? 1 : 0) : twoLabels;
  }

  /** A name server without a dot in its name has one in each zone: `a` is `a.shop.example` there. */
  function hostOf(nameServer: string, apex: string): string {
    const bare = bareName(nameServer);
    return bare.includes('.') || apex === '' ? bare : `${bare}.${apex}`;
  }

  function soaWith(apex: string, ttlS: number): DnsRecord {
    const primary = hostOf(zone.nameServers[0]?.name ?? 'ns', apex);
    const data = `${primary} hostmaster.${apex} ${soaNumbers} ${zone.soaMinimumS}`;
    return { name: apex, type: 'SOA', ttlS, data };
  }

  const nameServerNames = new Map<string, string>();
  for (const apex of apexes) for (const { name } of zone.nameServers) nameServerNames.set(hostOf(name, apex), name);

  return {
    apexOf(name) {
      for (let at = name; ; at = at.slice(at.indexOf('.') + 1)) {
        if (apexes.has(at)) return at;
        if (!at.includes('.')) return apexes.has('') ? '' : null;
      }
    },
    soa: (apex) => soaWith(apex, zone.soaTtlS),
    negativeSoa: (apex) => soaWith(apex, negativeTtlS(zone)),
    ns: (apex) =>
      zone.nameServers.map(({ name }) => ({ name: apex, type: 'NS', ttlS: nsTtlS, data: hostOf(name, apex) })),
    nameServerNames,
  };
}

function lastLabels(name: string, count: number): string {
  return count === 0 ? '' : name.split('.').slice(-count).join('.');
}
