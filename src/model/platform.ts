/**
 * One side: its load balancer at its addresses, its tasks or pods, their deployments, its schedule. What a request meets
 * is decided from the outside in: the address, the certificate, the load balancer's choice, the application.
 */
import { assert } from '../core/errors.ts';
import type { Random } from '../core/ports.ts';
import type { Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import type { Condition, FaultName, TruthRecorder } from '../core/truth.ts';
import type { PlatformSpec, Setting, Site } from '../core/world.ts';
import { newAlb } from './alb.ts';
import { newAppPages } from './app-pages.ts';
import { newApp, type App } from './app.ts';
import { newDeployment, type Deployment } from './deployment.ts';
import type { Front, Page } from './front.ts';
import { fakeCertificateName, newIngressNginx } from './ingress-nginx.ts';
import { newOutages } from './outages.ts';
import { newSchedules } from './schedules.ts';
import { newTimeline } from './timeline.ts';
import type { Arrival, Dialled, Platform, PlatformAction, Served, ShownCertificate } from './world-model.ts';

export interface PlatformOptions {
  readonly side: Side;
  readonly spec: PlatformSpec;
  readonly setting: Setting;
  readonly random: Random;
  readonly record: TruthRecorder;
  /** When it begins, ns since run start. */
  readonly startNs?: number;
}

interface Service {
  readonly name: string;
  readonly deployment: Deployment;
  readonly app: App;
  /** Its load balancer has no targets. */
  isLost: boolean;
}

interface HostedSite {
  readonly service: Service;
  readonly pages: ReadonlyMap<string, Page>;
  /** For any other path. */
  readonly first: Page;
}

type Step = PlatformAction['step'];
type StepOf<K extends Step['kind']> = Extract<Step, { kind: K }>;

export function newPlatform(options: PlatformOptions): Platform {
  const { side, spec, setting, record, startNs = 0 } = options;
  const addresses = setting.places.sides[side];
  const seed = Math.floor(options.random() * 0x1_0000_0000);
  const front: Front = spec.kind === 'alb' ? newAlb(spec, seed) : newIngressNginx(spec, seed);
  const appPages = newAppPages(setting.markers[side], front.passesServerHeader ? spec.replica.server : null);
  const timeline = newTimeline();
  const outages = newOutages();
  const newTarget = targetNames(side);
  const services = new Map<string, Service>();
  const sites = new Map<string, HostedSite>();
  for (const site of setting.sites) sites.set(site.hostname.toLowerCase(), hosted(site));
  const schedules = newSchedules({
    isSuspended: side === 'new',
    catchesUp: spec.kind === 'ingress-nginx',
    startNs,
    timeline,
    fired: (atNs) => record({ type: 'schedule-fired', atNs, side, schedule: 'every-minute' }),
  });
  /** Steps in force, in the order they began. */
  let inForce: readonly { readonly step: Step; readonly fromNs: number }[] = [];
  let hasBegun = false;

  function hosted(site: Site): HostedSite {
    const pages = new Map(Object.entries(site.answers).map(([path, answer]) => [path, appPages.good(answer)]));
    const [first] = pages.values();
    assert(first !== undefined, 'every site has an answer');
    return { service: serviceOf(site.service), pages, first };
  }

  function serviceOf(name: string): Service {
    const known = services.get(name);
    if (known !== undefined) return known;
    const { replica, replicaCount } = spec;
    const deployment = newDeployment({
      service: name,
      replicaCount,
      spec: replica,
      front,
      startNs,
      later: (atNs, run) => timeline.at(atNs, run),
      newTarget,
      changed: ({ target, state }, isRoutable, atNs) =>
        record({ type: 'target-changed', atNs, side, service: name, target, state, isRoutable }),
    });
    const app = newApp({ serviceMs: replica.serviceMs, service: name, seed });
    const made: Service = { name, deployment, app, isLost: false };
    services.set(name, made);
    return made;
  }

  /** How things stand at first is said when first asked, after the world has said that it started. */
  function advance(nowNs: number): void {
    if (!hasBegun) {
      hasBegun = true;
      for (const { deployment } of services.values()) deployment.note(startNs);
    }
    timeline.advance(nowNs);
  }

  // ── requests ───────────────────────────────────────────────────────────────────────────────────────────────────────

  function dial(address: string, nowNs: number): Dialled {
    advance(nowNs);
    const outage = outages.now(address);
    if (outage === null) return { kind: 'accepted', afterNs: 0 };
    const { fault } = outage;
    return outage.how === 'silent' ? { kind: 'silent', fault } : { kind: 'refused', afterNs: 0, fault };
  }

  function certificate(_address: string, serverName: string, nowNs: number): ShownCertificate {
    advance(nowNs);
    const kind = wrongCertificate();
    const isKnown = sites.has(serverName.toLowerCase());
    if (!isKnown || kind === 'default' || kind === 'other-name') {
      const shown = kind === null || kind === 'expired' ? front.certificateOfUnknown : kind;
      const otherNames = isKnown ? setting.loadBalancerNames[side] : [...sites.keys()];
      return { kind: shown, side, names: shown === 'default' ? [fakeCertificateName] : otherNames };
    }
    return { kind: kind ?? 'right', side, names: [serverName] };
  }

  function serve(arrival: Arrival): Served {
    const { atNs, userAgent } = arrival;
    advance(atNs);
    const ended = endOf(arrival);
    if (ended !== null) return ended;
    const site = sites.get(arrival.hostname.toLowerCase());
    if (site === undefined) return answered(arrival, front.unknownHost(userAgent), { afterNs: 0, fault: null });

    const route = front.route(site.service.deployment.backends);
    if (route.kind === 'page') return answered(arrival, front.page(route.status, userAgent), route);
    const { afterNs, errorStatus, fault, slowness } = site.service.app.answer(route.replica, atNs + route.afterNs);
    const patience = front.patience(arrival.method);
    if (afterNs > patience.waitNs) {
      const gaveUpNs = route.afterNs + patience.givesUpAfterNs;
      return answered(arrival, front.page(504, userAgent), { afterNs: gaveUpNs, fault: slowness });
    }
    const page = errorStatus === null ? (site.pages.get(arrival.path) ?? site.first) : appPages.error(errorStatus);
    return answered(arrival, page, { afterNs: route.afterNs + afterNs, fault: fault ?? route.fault });
  }

  /** How a request ends that comes on a connection which leads nowhere any more. */
  function endOf({ held, atNs }: Arrival): Served | null {
    const outage = outages.cutting(held, atNs);
    if (outage === null) return null;
    // Whoever has come back knows nothing of connections from before.
    if (outage.untilNs <= atNs) return { kind: 'reset', afterNs: 0, fault: 'connection-ended' };
    const { fault } = outage;
    return outage.how === 'silent' ? { kind: 'silent', fault } : { kind: 'reset', afterNs: 0, fault };
  }

  function answered(
    arrival: Arrival,
    page: Page,
    { afterNs, fault }: { readonly afterNs: number; readonly fault: FaultName | null },
  ): Served {
    const { status, reason, body } = page;
    const extra = front.extraHeaders(arrival.isSecure === true && sites.has(arrival.hostname.toLowerCase()));
    const headers = extra.length === 0 ? page.headers : [...page.headers, ...extra];
    const closes = front.isLastRequest(arrival.held, arrival.atNs);
    return { kind: 'answered', afterNs, status, reason, headers, body, closes, fault };
  }

  // ── the truth ──────────────────────────────────────────────────────────────────────────────────────────────────────

  function condition(address: string, hostname: string, nowNs: number): Condition {
    advance(nowNs);
    const outage = outages.now(address);
    if (outage !== null) return { fault: outage.fault, failedRatio: 1, delayMs: 0, hits: 'all' };
    const site = sites.get(hostname.toLowerCase());
    const within = site === undefined ? well : conditionWithin(site.service);
    if (wrongCertificate() === null || within.failedRatio === 1) return within;
    return { fault: 'wrong-certificate', failedRatio: 1, delayMs: 0, hits: 'new-connections' };
  }

  /** Behind the load balancer's addresses. */
  function conditionWithin({ deployment, app }: Service): Condition {
    const route = front.chances(deployment.backends);
    const failures = [
      { fault: route.fault, ratio: route.failedRatio },
      { fault: app.slowness, ratio: app.lateRatio(front.patience('GET').waitNs) },
      { fault: 'app-failing' as const, ratio: app.failedRatio() },
    ];
    const failedRatio = 1 - failures.reduce((good, { ratio }) => good * (1 - ratio), 1);
    const isMostlyRoute = route.delayMs > app.delayMs;
    const delayMs = isMostlyRoute ? route.delayMs : app.delayMs;
    const worst = failures.reduce((one, other) => (other.ratio > one.ratio ? other : one));
    const fault = worst.ratio > 0 ? worst.fault : isMostlyRoute ? route.fault : app.slowness;
    return { fault, failedRatio, delayMs, ...(isMostlyRoute && { delayedRatio: route.delayedRatio }), hits: 'all' };
  }

  // ── the script ─────────────────────────────────────────────────────────────────────────────────────────────────────

  function act({ step, isEnd }: PlatformAction, nowNs: number): void {
    advance(nowNs);
    if (isEnd) {
      assert(
        inForce.some((one) => one.step === step),
        'what ends has begun',
      );
      inForce = inForce.filter((one) => one.step !== step);
      outages.end(step, nowNs);
    } else begin(step, nowNs);
    for (const service of services.values()) apply(service, nowNs);
    timeline.advance(nowNs);
  }

  function begin(step: Step, nowNs: number): void {
    switch (step.kind) {
      case 'lower-connection-age':
        return front.setConnectionAge(step.clientKeepAliveS, nowNs);
      case 'deploy':
        return deploy(step, nowNs);
      case 'suspend-schedules':
        return schedules.suspend();
      case 'resume-schedules':
        return schedules.resume(nowNs);
      case 'remove-load-balancer':
        outages.begin(step, { addresses, how: step.how, fault: 'load-balancer-removed' }, nowNs);
        break;
      case 'lose-zone': {
        const address = addresses[step.zone - 1];
        assert(address !== undefined, `there is a zone ${step.zone}`);
        outages.begin(step, { addresses: [address], how: step.how, fault: 'zone-lost' }, nowNs);
        break;
      }
      case 'lose-targets':
      case 'fail-app':
      case 'slow-app':
      case 'throttle-cpu':
      case 'show-wrong-certificate':
        break;
    }
    inForce = [...inForce, { step, fromNs: nowNs }];
  }

  function deploy({ services: names, deregisters, lateS }: StepOf<'deploy'>, nowNs: number): void {
    const heardAfterS = { 'in-time': front.hearsAfterS, late: front.hearsAfterS + lateS, never: null }[deregisters];
    for (const { name, deployment } of services.values()) {
      if (isAmong(names, name)) deployment.roll({ heardAfterS }, nowNs);
    }
  }

  /** What is in force, on one service. */
  function apply(service: Service, nowNs: number): void {
    const { name, deployment, app } = service;
    const isLost = inForceOf('lose-targets').some(({ step }) => isAmong(step.services, name));
    if (isLost !== service.isLost) {
      service.isLost = isLost;
      if (isLost) deployment.backends.lose(nowNs);
      else deployment.backends.regain(nowNs);
    }
    const throttle = inForceOf('throttle-cpu').at(-1);
    app.setFaults({
      failing: inForceOf('fail-app')
        .filter(({ step }) => isAmong(step.services, name))
        .map(({ step }) => step),
      slowByMs: inForceOf('slow-app')
        .filter(({ step }) => isAmong(step.services, name))
        .reduce((sumMs, { step }) => sumMs + step.byMs, 0),
      throttle: throttle === undefined ? null : { ...throttle.step, untilNs: endOfStepNs(throttle) },
    });
    deployment.note(nowNs);
  }

  function inForceOf<K extends Step['kind']>(
    kind: K,
  ): readonly { readonly step: StepOf<K>; readonly fromNs: number }[] {
    return inForce.filter((one): one is { step: StepOf<K>; fromNs: number } => one.step.kind === kind);
  }

  function wrongCertificate(): 'default' | 'other-name' | 'expired' | null {
    return inForceOf('show-wrong-certificate').at(-1)?.step.certificate ?? null;
  }

  return {
    dial,
    certificate,
    serve,
    idleEndNs: (_held, lastUsedAtNs) => lastUsedAtNs + sToNs(front.idleS),
    cut(held, nowNs) {
      advance(nowNs);
      const outage = outages.cutting(held, nowNs);
      if (outage === null) return null;
      return outage.how === 'silent' && nowNs < outage.untilNs ? 'silent' : 'reset';
    },
    condition,
    act,
    advance,
    nextEventNs: () => timeline.nextNs(),
  };
}

const well: Condition = { fault: null, failedRatio: 0, delayMs: 0, hits: 'all' };

function isAmong(names: readonly string[] | null, name: string): boolean {
  return names === null || names.includes(name);
}

function endOfStepNs({ step, fromNs }: { readonly step: StepOf<'throttle-cpu'>; readonly fromNs: number }): number {
  return step.forS === null ? Infinity : fromNs + sToNs(step.forS);
}

/** Addresses that nobody had before: 10.1.0.1:8080 … on the old side, 10.2.0.1:8080 … on the new. */
function targetNames(side: Side): () => string {
  let count = 0;
  return () => {
    const target = `10.${side === 'old' ? 1 : 2}.${Math.floor(count / 250)}.${(count % 250) + 1}:8080`;
    count += 1;
    return target;
  };
}
