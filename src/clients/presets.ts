/**
 * The client archetypes, as data. `standsFor` says who behaves so; each number's source is beside it.
 * Families: with one address at a time, AAAA is asked only when A gave none, as most programs on an IPv4 network end up
 * doing; `happy-eyeballs` asks both at once (RFC 8305).
 */
import type { Archetype } from '../core/scenario.ts';

export const presets: Readonly<Record<string, Archetype>> = {
  fresh: {
    resolve: { kind: 'per-connection' },
    connect: { kind: 'new' },
    choose: 'first',
    families: [4, 6],
    retriesOnce: false,
    judged: true,
    standsFor: 'curl, cron scripts, clients that say Connection: close, cold starts of functions',
  },
  'keep-alive': {
    resolve: { kind: 'per-connection' },
    // Go net/http: idle 90 s (DefaultTransport.IdleConnTimeout), no limit of age: a busy client never resolves again.
    connect: { kind: 'keep-alive', idleS: 90, maxAgeS: 0, maxRequests: 0 },
    choose: 'first',
    families: [4, 6],
    retriesOnce: false,
    judged: true,
    standsFor: 'Go, Python sessions, .NET HttpClient, Node agents under steady traffic',
  },
  'jvm-30': {
    // OpenJDK: networkaddress.cache.ttl is 30 s without a security manager.
    resolve: { kind: 'fixed', s: 30, graceS: 0 },
    connect: { kind: 'new' },
    choose: 'first',
    families: [4, 6],
    retriesOnce: false,
    judged: true,
    standsFor: 'Java and Kotlin services with the default DNS cache of OpenJDK',
  },
  'jvm-forever': {
    // networkaddress.cache.ttl = -1, the default with a security manager until JDK 23.
    resolve: { kind: 'once' },
    connect: { kind: 'new' },
    choose: 'first',
    families: [4, 6],
    retriesOnce: false,
    judged: false,
    standsFor: 'Java with networkaddress.cache.ttl=-1; resolves once and needs a restart',
  },
  chrome: {
    // Chromium: kCacheEntryTTLSeconds = 60 for answers of the system resolver.
    resolve: { kind: 'fixed', s: 60, graceS: 0 },
    // Chromium closes idle sockets after 300 s.
    connect: { kind: 'http2', idleS: 300 },
    choose: 'happy-eyeballs',
    families: [6, 4],
    retriesOnce: true,
    judged: true,
    standsFor: 'Chrome, Edge and what is built on them: 60 s host cache, HTTP/2 where offered, one retry',
  },
};
