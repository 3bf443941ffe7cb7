/**
 * A whole world: names, resolvers, both sides, the network between, and the script of what happens when. It writes the
 * truth as it goes.
 */
import { assert } from '../core/errors.ts';
import type { DnsQuestion } from '../core/ports.ts';
import { newRandom } from '../core/random.ts';
import type { Side } from '../core/scenario.ts';
import { msToNs } from '../core/time.ts';
import type { Condition, FaultName, TruthRecorder } from '../core/truth.ts';
import type { Setting, StepAction, World } from '../core/world.ts';
import { newNameService } from './name-service.ts';
import { newPlatform } from './platform.ts';
import { newRecordHealth } from './record-health.ts';
import { newReferences } from './references.ts';
import { newResolver } from './resolver.ts';
import { newScript } from './script.ts';
import { newTrouble } from './trouble.ts';
import { bareName } from './zones.ts';
import type {
  Arrival,
  CutHow,
  Dialled,
  DnsContent,
  Held,
  Platform,
  ResolverModel,
  Served,
  ShownCertificate,
  WorldModel,
} from './world-model.ts';

export interface WorldOptions {
  readonly world: World;
  readonly setting: Setting;
  readonly record: TruthRecorder;
  /** When it begins, ns since run start. */
  readonly startNs?: number;
}

/** A name server is asked over the same network as everything else. */
const dnsLatencyMs = 1;
const referenceRttMs = 10;

export function newWorld(options: WorldOptions): WorldModel {
  const { world, setting, record, startNs = 0 } = options;
  const { places } = setting;
  const random = {
    zone: newRandom(world.seed, 'zone'),
    upstream: newRandom(world.seed, 'upstream'),
    network: newRandom(world.seed, 'network'),
  };
  const platforms: Readonly<Record<Side, Platform>> = { old: platformOf('old'), new: platformOf('new') };
  const recordHealth = newRecordHealth({
    healthCheck: world.zone.healthCheck,
    hostnames: world.zone.record === 'failover' ? setting.sites.map(({ hostname }) => bareName(hostname)) : [],
    random: newRandom(world.seed, 'health checks of records'),
    startNs,
    isWell,
  });
  const names = newNameService({
    zone: world.zone,
    setting,
    random: random.zone,
    record,
    isHealthy: (side, hostname) => recordHealth.isHealthy(side, hostname),
  });
  const script = newScript(world.script, startNs);
  const sideOf = new Map<string, Side>(
    (['old', 'new'] as const).flatMap((side) => places.sides[side].map((address): [string, Side] => [address, side])),
  );
  const nameServerAt = new Map(Object.entries(places.nameServers).map(([name, address]) => [address, name]));
  const resolverAt = new Map(
    Object.entries(places.resolvers).map(([name, address]) => [address, { name, model: resolverOf(name) }]),
  );
  const references = newReferences(places);

  const trouble = newTrouble();
  const conditions = new Map<string, string>();
  let reachedNs = startNs;

  record({ type: 'world-started', atNs: startNs, world, places });
  names.advance(startNs);
  recordConditions(startNs);

  function platformOf(side: Side): Platform {
    const forked = newRandom(world.seed, `platform ${side}`);
    return newPlatform({ side, spec: world.sides[side], setting, random: forked, record });
  }

  function resolverOf(name: string): ResolverModel {
    const conduct = world.resolvers[name];
    assert(conduct !== undefined, 'every resolver of the scenario has a conduct');
    const forked = newRandom(world.seed, `resolver ${name}`);
    return newResolver({
      name,
      conduct,
      setting,
      upstream: (question, nowNs) => askAny(name, question, nowNs),
      random: forked,
      record,
    });
  }

  /** Recursive resolvers spread their questions over all name servers (Müller et al., IMC 2017), and try the next. */
  function askAny(resolver: string, question: DnsQuestion, nowNs: number): DnsContent | null {
    if (trouble.isCutOff(resolver)) return null;
    const up = world.zone.nameServers.filter(({ name }) => !trouble.isSilent(name));
    const drawn = up[Math.floor(random.upstream() * up.length)];
    return drawn === undefined ? null : names.ask(drawn.name, question, nowNs);
  }

  /** For failover records: some address of the side serves the hostname. */
  function isWell(side: Side, hostname: string, nowNs: number): boolean {
    return places.sides[side].some((address) => platforms[side].condition(address, hostname, nowNs).failedRatio < 1);
  }

  // ── time ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  function nextEventNs(): number | null {
    let next: number | null = null;
    for (const own of [
      script.nextNs(),
      recordHealth.nextEventNs(),
      names.nextEventNs(),
      platforms.old.nextEventNs(),
      platforms.new.nextEventNs(),
    ]) {
      if (own !== null && (next === null || own < next)) next = own;
    }
    return next;
  }

  function advance(nowNs: number): void {
    if (nowNs < reachedNs) return;
    for (let next = nextEventNs(); next !== null && next <= nowNs; next = nextEventNs()) {
      recordHealth.advance(next);
      names.advance(next);
      platforms.old.advance(next);
      platforms.new.advance(next);
      for (const step of script.due(next)) {
        record({ type: 'step-done', atNs: next, index: step.index, isEnd: step.isEnd, text: step.text });
        act(step.action, step.isEnd, next);
      }
      recordConditions(next);
    }
    reachedNs = nowNs;
  }

  function act(action: StepAction, isEnd: boolean, nowNs: number): void {
    switch (action.kind) {
      case 'lower-ttl':
        return names.lowerTtl(action.ttlS, nowNs);
      case 'switch-dns':
        return names.pointAt(action.to, hostnamesOf(action.services), nowNs);
      case 'shift-weights':
        return names.shiftWeights(action.newRatio, nowNs);
      case 'delete-and-create-record':
        return names.deleteAndCreate(action.to, action.gapS, nowNs);
      case 'cut-off-resolver':
      case 'fail-resolver':
        trouble.note(action, isEnd);
        return recordNetwork('resolver', action.resolver, trouble.ofResolver(action.resolver), nowNs);
      case 'fail-name-server': {
        trouble.note(action, isEnd);
        const fault = trouble.isSilent(action.nameServer) ? 'name-server-failing' : null;
        return recordNetwork('name-server', action.nameServer, fault, nowNs);
      }
      case 'degrade-network':
      case 'fail-platform-api':
        return trouble.note(action, isEnd);
      case 'lose-own-network':
        trouble.note(action, isEnd);
        return recordNetwork('own-network', '', trouble.isOwnNetworkLost() ? 'own-network-lost' : null, nowNs);
      case 'lower-connection-age':
      case 'deploy':
      case 'remove-load-balancer':
      case 'suspend-schedules':
      case 'resume-schedules':
      case 'lose-targets':
      case 'lose-zone':
      case 'fail-app':
      case 'slow-app':
      case 'throttle-cpu':
      case 'show-wrong-certificate':
        return platforms[action.side].act({ step: action, isEnd }, nowNs);
    }
  }

  function hostnamesOf(services: readonly string[] | null): readonly string[] | null {
    if (services === null) return null;
    return setting.sites.filter(({ service }) => services.includes(service)).map(({ hostname }) => hostname);
  }

  // ── the truth ──────────────────────────────────────────────────────────────────────────────────────────────────────

  function recordNetwork(
    where: 'own-network' | 'resolver' | 'name-server',
    name: string,
    fault: FaultName | null,
    atNs: number,
  ): void {
    record({ type: 'network-changed', atNs, where, name, fault });
  }

  function recordConditions(atNs: number): void {
    for (const [address, side] of sideOf) {
      for (const { hostname } of setting.sites) {
        const condition = conditionAt(side, address, hostname, atNs);
        const { fault, failedRatio, delayMs, hits, delayedPart } = condition;
        const text = `${fault}|${failedRatio}|${delayMs}|${hits}|${delayedPart?.ratio}|${delayedPart?.delayMs}`;
        const key = `${address}|${hostname}`;
        if (conditions.get(key) === text) continue;
        conditions.set(key, text);
        record({ type: 'condition-changed', atNs, side, address, hostname, condition });
      }
    }
  }

  function conditionAt(side: Side, address: string, hostname: string, nowNs: number): Condition {
    if (trouble.isOwnNetworkLost()) return { fault: 'own-network-lost', failedRatio: 1, delayMs: 0, hits: 'all' };
    const own = platforms[side].condition(address, hostname, nowNs);
    const network = trouble.onWayTo(side);
    if (network === null || own.failedRatio === 1) return own;
    const lostRatio = network.lossRatio + network.resetRatio;
    return {
      ...own,
      fault: own.fault ?? 'network-degraded',
      failedRatio: 1 - (1 - own.failedRatio) * (1 - lostRatio),
      delayMs: own.delayMs + network.addedMs,
      hits: own.failedRatio > 0 && lostRatio === 0 ? own.hits : 'all',
    };
  }

  // ── what clients do ────────────────────────────────────────────────────────────────────────────────────────────────

  function ask(server: string, question: DnsQuestion, nowNs: number): { content: DnsContent; afterNs: number } | null {
    advance(nowNs);
    if (trouble.isOwnNetworkLost()) return null;
    const nameServer = nameServerAt.get(server);
    if (nameServer !== undefined) {
      if (trouble.isSilent(nameServer)) return null;
      return { content: names.ask(nameServer, question, nowNs), afterNs: msToNs(dnsLatencyMs) };
    }
    const resolver = resolverAt.get(server);
    if (resolver === undefined) return null;
    const { name, model } = resolver;
    const how = trouble.howFails(name);
    if (how === 'silent') return null;
    const latencyMs = world.resolvers[name]?.latencyMs ?? 0;
    return { content: how === 'servfail' ? servfail : model.ask(question, nowNs), afterNs: msToNs(latencyMs) };
  }

  function dial(address: string, nowNs: number): Dialled {
    advance(nowNs);
    if (trouble.isOwnNetworkLost()) return { kind: 'silent', fault: 'own-network-lost' };
    const side = sideOf.get(address);
    return side === undefined ? references.dial(address) : platforms[side].dial(address, nowNs);
  }

  function certificate(address: string, serverName: string, nowNs: number): ShownCertificate {
    advance(nowNs);
    const side = sideOf.get(address);
    if (side === undefined) return { kind: 'right', side: 'reference', names: [serverName] };
    return platforms[side].certificate(address, serverName, nowNs);
  }

  function serve(arrival: Arrival): Served {
    advance(arrival.atNs);
    const side = sideOf.get(arrival.held.address);
    if (side === undefined)
      return trouble.isOwnNetworkLost() ? { kind: 'silent', fault: 'own-network-lost' } : references.serve();
    const served = overNetwork(side, arrival);
    if (served.fault !== null) recordHit(arrival, served, served.fault);
    return served;
  }

  function overNetwork(side: Side, arrival: Arrival): Served {
    if (trouble.isOwnNetworkLost()) return { kind: 'silent', fault: 'own-network-lost' };
    const network = trouble.onWayTo(side);
    if (network === null) return platforms[side].serve(arrival);
    const fault: FaultName = 'network-degraded';
    const drawn = random.network();
    if (drawn < network.lossRatio) return { kind: 'silent', fault };
    if (drawn < network.lossRatio + network.resetRatio)
      return { kind: 'reset', afterNs: msToNs(network.addedMs), fault };
    const served = platforms[side].serve(arrival);
    if (served.kind === 'silent') return served;
    const afterNs = served.afterNs + msToNs(network.addedMs);
    return { ...served, afterNs, fault: served.fault ?? (network.addedMs > 0 ? fault : null) } as Served;
  }

  function recordHit(arrival: Arrival, served: Served, fault: FaultName): void {
    record({
      type: 'request-hit',
      atNs: arrival.atNs,
      trace: arrival.trace,
      address: arrival.held.address,
      hostname: arrival.hostname,
      fault,
      status: served.kind === 'answered' ? served.status : 0,
      afterMs: served.kind === 'silent' ? null : served.afterNs / msToNs(1),
    });
  }

  function cut(held: Held, nowNs: number): CutHow | null {
    advance(nowNs);
    const side = sideOf.get(held.address);
    return side === undefined ? null : (platforms[side].cut(held, nowNs)?.how ?? null);
  }

  function recordCut(arrival: Arrival, nowNs: number): void {
    advance(nowNs);
    const side = sideOf.get(arrival.held.address);
    const end = side === undefined ? null : platforms[side].cut(arrival.held, nowNs);
    if (end === null) return;
    const { how, fault } = end;
    recordHit(
      arrival,
      how === 'silent' ? { kind: how, fault } : { kind: how, fault, afterNs: nowNs - arrival.atNs },
      fault,
    );
  }

  return {
    places,
    change(nowNs) {
      advance(nowNs);
      record({ type: 'change-made', atNs: nowNs });
      script.change(nowNs);
      advance(nowNs);
    },
    advance,
    nextEventNs,
    ask,
    dial,
    certificate,
    serve,
    idleEndNs(held, lastUsedAtNs) {
      const side = sideOf.get(held.address);
      return side === undefined ? null : platforms[side].idleEndNs(held, lastUsedAtNs);
    },
    cut,
    recordCut,
    seen(side, nowNs) {
      advance(nowNs);
      return platforms[side].seen(nowNs);
    },
    isApiDown(side, api, nowNs) {
      advance(nowNs);
      return trouble.isApiDown(side, api);
    },
    rttNs(address) {
      const side = sideOf.get(address);
      return msToNs(side === undefined ? referenceRttMs : world.sides[side].rttMs);
    },
    end(nowNs) {
      advance(nowNs);
      record({ type: 'world-ended', atNs: nowNs });
    },
  };
}

const servfail: DnsContent = { rcode: 'SERVFAIL', authoritative: false, ede: 0, answers: [], authority: [] };
