/** From a seed, a world whose TTL is lowered before the switch, on name servers that follow when they like. */
import { newDraw } from '../truth/random-world.ts';
import type { Json } from './worlds.ts';

export interface LoweredWorld {
  readonly rehearsal: Json;
  /** What it is lowered to. */
  readonly ttlS: number;
  /** Resolvers that keep to TTLs. */
  readonly honest: readonly string[];
}

const hosts = ['dns:shop-1.us-west-1.elb.amazonaws.com', 'dns:k8s-shop.us-west-2.elb.amazonaws.com'] as const;

export function loweredWorld(seed: number): LoweredWorld {
  const draw = newDraw(seed, 'lowered');
  const record = draw.of(['address', 'cname']);
  const [highS, ttlS] = [draw.whole(31, 97), draw.whole(2, 13)];
  const loweredAtS = draw.between(3, 23);
  const nameServers = Array.from({ length: draw.whole(1, 3) }, (_, i) => ({
    name: `ns-${String(i + 1)}`,
    lagS: draw.is(0.5) ? draw.between(0.3, 29) : 0,
  }));
  const resolvers: Record<string, string | Json> = {
    vpc: draw.of(['honest', 'unbound', 'bind9', 'dnsmasq']),
    isp: draw.is(0.4) ? { minTtlS: draw.whole(40, 80) } : draw.of(['honest', { caches: draw.whole(2, 4) }]),
  };
  const names = Object.keys(resolvers);
  const side = (i: 0 | 1, title: string): Json => ({ title, addresses: [hosts[i]], marker: { 'x-served-by': title } });
  return {
    ttlS,
    honest: names.filter((name) => (resolvers[name] as Json)['minTtlS'] === undefined),
    rehearsal: {
      name: `lowered-${String(seed)}`,
      defaults: { ratePerSecond: draw.of([2.1, 2.9, 3.7]) },
      services: [{ name: 'orders', url: 'http://orders.shop.example/ready', resolvers: names }],
      sides: { old: side(0, 'old'), new: side(1, 'new') },
      resolvers: names.map((name, i) => ({ name, address: `10.0.0.${String(i + 2)}:53` })),
      clients: draw.is(0.7) ? ['fresh'] : ['fresh', 'jvm-30'],
      change: {
        via: 'dns',
        ttlS,
        ...(draw.is(0.5) ? { ttlBeforeS: highS } : {}),
        baselineS: loweredAtS + draw.between(20, 150),
        convergenceTimeoutS: 90,
        tailS: 3,
      },
      world: {
        seed,
        zone: { record, nameServers, ttlS: highS },
        resolvers,
        old: { kind: 'alb' },
        new: { kind: 'ingress-nginx' },
        script: [
          { atS: loweredAtS, do: 'lower-ttl', ttlS },
          { afterChangeS: 0, do: 'switch-dns', to: 'new' },
        ],
      },
    },
  };
}
