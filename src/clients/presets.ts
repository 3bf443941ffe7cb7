/**
 * The client archetypes, as data. `standsFor` says who behaves so; each number's source is beside it, and docs/clients.md
 * says which of them were held against the thing they stand for. One that is a resolver's conduct is a cache between the
 * client and the resolver that it really asks.
 * Families: with one address at a time, AAAA is asked only when A gave none, as most programs on an IPv4 network end up
 * doing; `happy-eyeballs` asks both at once (RFC 8305).
 */
import { authorityClient, type Archetype } from '../core/scenario.ts';

/** Longer than a cache keeps anything; an Infinity would not survive the log. */
const weekS = 604_800;

/** What a row leaves out: one address, no second try, judged. */
function preset(row: Pick<Archetype, 'resolve' | 'connect' | 'standsFor'> & Partial<Archetype>): Archetype {
  return { choose: 'first', families: [4, 6], retriesOnce: false, judged: true, ...row };
}

/** Tries addresses of both families, the newer first (RFC 8305). */
const happyEyeballs = { choose: 'happy-eyeballs', families: [6, 4] } as const;

function kept(idleS: number, maxAgeS = 0): Archetype['connect'] {
  return { kind: 'keep-alive', idleS, maxAgeS, maxRequests: 0 };
}

/** A resolver that raises every lower TTL: one line each of "DNS TTL violations", RIPE Atlas (gist darkk/7d61760628e3). */
function clamp(minS: number): Archetype {
  return preset({
    resolve: { kind: 'ttl', minS, maxS: weekS },
    connect: { kind: 'new' },
    standsFor: `users behind a resolver that keeps every answer at least ${String(minS)} s, as some providers' do`,
  });
}

export const presets: Readonly<Record<string, Archetype>> = {
  // ── nobody, and those who ask each time ──
  [authorityClient]: preset({
    resolve: { kind: 'per-connection' },
    connect: { kind: 'new' },
    judged: false,
    standsFor: 'nobody: what each authoritative server says now, without any cache',
  }),
  fresh: preset({
    resolve: { kind: 'per-connection' },
    connect: { kind: 'new' },
    standsFor: 'curl, cron scripts, clients that say Connection: close, cold starts of functions',
  }),
  'ttl-honest': preset({
    // c-ares since 1.31 and cacheable-lookup keep an answer for its TTL, without a floor.
    resolve: { kind: 'ttl', minS: 0, maxS: weekS },
    connect: { kind: 'new' },
    standsFor: 'applications with a cache of their own that keeps to the TTL: c-ares, cacheable-lookup',
  }),

  // ── those who keep connections ──
  'keep-alive': preset({
    resolve: { kind: 'per-connection' },
    // No limit of age: a busy client never resolves again. The numbers are those of `go-busy`.
    connect: kept(90),
    standsFor: 'Go, Python sessions, .NET HttpClient, Node agents under steady traffic',
  }),
  'go-busy': preset({
    resolve: { kind: 'per-connection' },
    // Go net/http: DefaultTransport.IdleConnTimeout is 90 s, there is no limit of age (golang/go#23427).
    connect: kept(90),
    // net.Dialer tries one address after the other.
    choose: 'next-on-failure',
    standsFor: 'Go with the default transport, and Python sessions, under steady traffic',
  }),
  'node-default': preset({
    resolve: { kind: 'per-connection' },
    // Node ≥ 19: http.globalAgent keeps connections, `timeout: 5000`, no limit of age (nodejs/node 655b327a4d).
    connect: kept(5),
    // Node ≥ 20: autoSelectFamily, 250 ms an attempt.
    ...happyEyeballs,
    standsFor: 'Node 19 and later with the global agent; fetch closes idle connections after 4 s instead of 5',
  }),
  'undici-dns': preset({
    // undici interceptors.dns: maxTTL 10 s, for dns.lookup tells no TTL (lib/interceptor/dns.js).
    resolve: { kind: 'fixed', s: 10, graceS: 0 },
    // undici: keepAliveTimeout 4 s, no limit of age.
    connect: kept(4),
    choose: 'round-robin',
    standsFor: 'Node services that use undici with its dns interceptor',
  }),
  'dotnet-factory': preset({
    resolve: { kind: 'per-connection' },
    // .NET: PooledConnectionIdleTimeout 60 s; IHttpClientFactory takes a new handler every 2 min.
    connect: kept(60, 120),
    choose: 'next-on-failure',
    standsFor: '.NET with IHttpClientFactory, or with PooledConnectionLifetime set to 2 min',
  }),
  grpc: preset({
    // grpc-go: MinResolutionInterval 30 s; asks again only when a sub-channel breaks.
    resolve: { kind: 'on-break', minS: 30 },
    // grpc-go: a channel without calls for 30 min goes idle; nothing else ends it but the server.
    connect: { kind: 'http2', idleS: 1800 },
    choose: 'next-on-failure',
    standsFor: 'gRPC channels, and the SDKs that are built on them',
  }),

  websocket: preset({
    // Once per session: it resolves when it connects, and what a browser remembers for itself is `chrome`'s.
    resolve: { kind: 'per-connection' },
    connect: { kind: 'held', maxAgeS: 0 },
    ...happyEyeballs,
    standsFor: 'pages and apps that hold a WebSocket open: server push, SignalR, socket.io',
  }),

  // ── those who keep answers ──
  'jvm-30': preset({
    // OpenJDK: networkaddress.cache.ttl is 30 s without a security manager, networkaddress.cache.negative.ttl 10 s.
    resolve: { kind: 'fixed', s: 30, graceS: 0, negativeS: 10 },
    connect: { kind: 'new' },
    standsFor: 'Java and Kotlin services with the default DNS cache of OpenJDK',
  }),
  'jvm-forever': preset({
    // networkaddress.cache.ttl = -1, the default with a security manager until JDK 23.
    resolve: { kind: 'once', negativeS: 10 },
    connect: { kind: 'new' },
    judged: false,
    standsFor: 'Java with networkaddress.cache.ttl=-1; resolves once and needs a restart',
  }),
  chrome: preset({
    // Chromium: kCacheEntryTTLSeconds = 60 for answers of the system resolver; its own resolver keeps max(TTL, 60 s).
    resolve: { kind: 'fixed', s: 60, graceS: 0 },
    // Chromium closes idle sockets after 300 s.
    connect: { kind: 'http2', idleS: 300 },
    ...happyEyeballs,
    retriesOnce: true,
    standsFor: 'Chrome, Edge and what is built on them: 60 s host cache, HTTP/2 where offered, one retry',
  }),
  firefox: preset({
    // Firefox: network.dnsCacheExpiration 60 s and network.dnsCacheExpirationGracePeriod 60 s.
    resolve: { kind: 'fixed', s: 60, graceS: 60 },
    // network.http.keep-alive.timeout 115 s.
    connect: { kind: 'http2', idleS: 115 },
    ...happyEyeballs,
    retriesOnce: true,
    standsFor: 'Firefox: 60 s of cache and 60 s in which it uses an old answer while it asks',
  }),
  'nginx-static': preset({
    // A literal name in proxy_pass or upstream is resolved at start and reload only.
    resolve: { kind: 'once' },
    // Before nginx 1.29.7 a connection for each request.
    connect: { kind: 'new' },
    choose: 'next-on-failure',
    judged: false,
    standsFor: 'nginx and HAProxy that proxy to a literal name; they resolve once and need a reload',
  }),
  'envoy-dns': preset({
    // Envoy STRICT_DNS and LOGICAL_DNS: dns_refresh_rate 5000 ms, respect_dns_ttl false.
    resolve: { kind: 'refresh', s: 5 },
    // Idle 1 h, no max_connection_duration: what is open stays (envoyproxy/envoy#35634).
    connect: kept(3600),
    choose: 'round-robin',
    standsFor: 'Envoy and Istio that reach the service by name: new connections follow in 5 s, open ones stay',
  }),

  // ── those whose resolver has a conduct ──
  'k8s-pod': preset({
    // CoreDNS: at least 5 s (cache plugin), `cache 30` in the manifests of Kubernetes and EKS.
    resolve: { kind: 'ttl', minS: 5, maxS: 30 },
    connect: { kind: 'new' },
    standsFor: 'pods that ask CoreDNS',
  }),
  vpc: preset({
    // Amazon VPC resolver: a TTL above 300 s becomes 300 s (re:Post QUvpuFJT94QXefYL1jJuvKTw).
    resolve: { kind: 'ttl', minS: 0, maxS: 300 },
    connect: { kind: 'new' },
    standsFor: 'EC2, ECS and Lambda that ask the resolver of their VPC',
  }),
  'isp-clamp-60': clamp(60),
  'isp-clamp-120': clamp(120),
  'isp-clamp-300': clamp(300),
  'isp-clamp-600': clamp(600),
  'isp-clamp-3600': clamp(3600),
  'stale-resolver': preset({
    // dnsmasq --use-stale-cache and unbound serve-expired: up to one day past its life, at once, and then asks (RFC 8767).
    resolve: { kind: 'ttl', minS: 0, maxS: weekS, graceS: 86_400 },
    connect: { kind: 'new' },
    standsFor: 'users behind a resolver that serves expired answers while it asks anew',
  }),
  'pinned-ip': preset({
    resolve: { kind: 'pinned', address: null },
    connect: { kind: 'new' },
    judged: false,
    standsFor: 'hosts files, allow-lists and configurations with the address of the side that is left',
  }),
};
