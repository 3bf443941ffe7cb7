/**
 * One side: its load balancer at its addresses, its tasks or pods, their deployments, its schedule. What a request meets
 * is decided from the outside in: the address, the certificate, the load balancer's choice, the application.
 */
import { assert } from '../core/errors.ts';
import type { Random } from '../core/ports.ts';
import type { Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import type { Condition, FaultName, TruthRecorder } from '../core/truth.ts';
import type { PlatformSpec, Setting } from '../core/world.ts';
import { newAlb } from './alb.ts';
import type { Front, Page } from './front.ts';
import { newHosting, type Service } from './hosting.ts';
import { isAmong, newInForce, type PlatformStep, type PlatformStepOf } from './in-force.ts';
import { fakeCertificateName, newIngressNginx } from './ingress-nginx.ts';
import { newOutages } from './outages.ts';
import { newSchedules } from './schedules.ts';
import { newSessions, pong } from './sessions.ts';
import { newTimeline } from './timeline.ts';
import type { Arrival, Dialled, Platform, PlatformAction, Served, ShownCertificate } from './world-model.ts';

export interface PlatformOptions {
  readonly side: Side;
  readonly spec: PlatformSpec;
  readonly setting: Setting;
  /** One number is drawn from it, the seed of all that is drawn here. */
  readonly random: Random;
  readonly record: TruthRecorder;
  /** When it begins, ns since run start. */
  readonly startNs?: number;
}

export function newPlatform(options: PlatformOptions): Platform {
  const { side, spec, setting, record, startNs = 0 } = options;
  const addresses = setting.places.sides[side];
  const seed = Math.floor(options.random() * 0x1_0000_0000);
  const front: Front = spec.kind === 'alb' ? newAlb(spec, seed) : newIngressNginx(spec, seed);
  const timeline = newTimeline();
  const { services, sites, appPages } = newHosting({ side, spec, setting, front, seed, startNs, timeline, record });
  const outages = newOutages();
  const sessions = newSessions(front);
  const inForce = newInForce();
  const schedules = newSchedules({
    isSuspended: side === 'new',
    catchesUp: spec.kind === 'ingress-nginx',
    startNs,
    timeline,
    fired: (atNs) => record({ type: 'schedule-fired', atNs, side, schedule: 'every-minute' }),
  });
  let hasBegun = false;

  /** How things stand at first is said when first asked, after the world has said that it started. */
  function advance(nowNs: number): void {
    if (!hasBegun) {
      hasBegun = true;
      for (const { deployment } of services) deployment.note(startNs);
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

  function certificate(serverName: string, nowNs: number): ShownCertificate {
    advance(nowNs);
    const wrong = inForce.wrongCertificate();
    if (!sites.has(serverName.toLowerCase())) return certificateFor([...sites.keys()], front.certificateOfUnknown);
    if (wrong === 'default' || wrong === 'other-name') return certificateFor(setting.loadBalancerNames[side], wrong);
    return { kind: wrong ?? 'right', side, names: [serverName] };
  }

  function certificateFor(otherNames: readonly string[], kind: 'default' | 'other-name'): ShownCertificate {
    return { kind, side, names: kind === 'default' ? [fakeCertificateName] : otherNames };
  }

  function serve(arrival: Arrival): Served {
    const { atNs, userAgent } = arrival;
    advance(atNs);
    const ended = endOf(arrival);
    if (ended !== null) return ended;
    if (arrival.held.session !== undefined) return pong;
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
    const met = { afterNs: route.afterNs + afterNs, fault: fault ?? route.fault };
    if (errorStatus !== null) return answered(arrival, appPages.error(errorStatus), met);
    if (arrival.isUpgrade !== true) return answered(arrival, site.pages.get(arrival.path) ?? site.first, met);
    const session = sessions.begin(site.service.deployment.backends, route.replica);
    return { ...answered(arrival, appPages.upgraded, met), closes: false, session };
  }

  /** How a request ends that comes on a connection which leads nowhere any more. */
  function endOf({ held, atNs }: Arrival): Served | null {
    const outage = outages.cutting(held, atNs);
    if (outage === null && sessions.isOver(held, atNs))
      return { kind: 'closed', afterNs: 0, fault: 'connection-ended' };
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
  ): Extract<Served, { kind: 'answered' }> {
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
    if (inForce.wrongCertificate() === null || within.failedRatio === 1) return within;
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
    const { delayedPart } = route;
    const worst = failures.reduce((one, other) => (other.ratio > one.ratio ? other : one));
    const isMostlyRoute = (delayedPart?.delayMs ?? 0) > app.delayMs;
    const fault = worst.ratio > 0 ? worst.fault : isMostlyRoute ? route.fault : app.slowness;
    const condition: Condition = { fault, failedRatio, delayMs: app.delayMs, hits: 'all' };
    return delayedPart === null ? condition : { ...condition, delayedPart };
  }

  // ── the script ─────────────────────────────────────────────────────────────────────────────────────────────────────

  function act({ step, isEnd }: PlatformAction, nowNs: number): void {
    advance(nowNs);
    if (isEnd) end(step, nowNs);
    else begin(step, nowNs);
    for (const { name, deployment, app } of services) {
      deployment.setLost(inForce.isLost(name), nowNs);
      app.setFaults(inForce.appFaults(name));
      deployment.note(nowNs);
    }
    timeline.advance(nowNs);
  }

  function begin(step: PlatformStep, nowNs: number): void {
    switch (step.kind) {
      case 'lower-connection-age':
        front.setConnectionAge(step.clientKeepAliveS, nowNs);
        return endSessionsAt(sessions.reload(nowNs));
      case 'deploy':
        return deploy(step, nowNs);
      case 'suspend-schedules':
        return schedules.suspend();
      case 'resume-schedules':
        return schedules.resume(nowNs);
      case 'remove-load-balancer':
        outages.begin(step, { addresses, how: step.how, fault: 'load-balancer-removed' }, nowNs);
        return inForce.begin(step, nowNs);
      case 'lose-zone': {
        const address = addresses[step.zone - 1];
        assert(address !== undefined, `there is a zone ${step.zone}`);
        outages.begin(step, { addresses: [address], how: step.how, fault: 'zone-lost' }, nowNs);
        return inForce.begin(step, nowNs);
      }
      case 'lose-targets':
      case 'fail-app':
      case 'slow-app':
      case 'throttle-cpu':
      case 'show-wrong-certificate':
        return inForce.begin(step, nowNs);
    }
  }

  /** Only so that there is an instant at which open connections are looked at. */
  function endSessionsAt(atNs: number | null): void {
    if (atNs !== null) timeline.at(atNs, () => {});
  }

  function end(step: PlatformStep, nowNs: number): void {
    inForce.end(step);
    outages.end(step, nowNs);
  }

  function deploy({ services: names, deregisters, lateS }: PlatformStepOf<'deploy'>, nowNs: number): void {
    const heardAfterS = { 'in-time': front.hearsAfterS, late: front.hearsAfterS + lateS, never: null }[deregisters];
    for (const { name, deployment } of services) {
      if (isAmong(names, name)) deployment.roll({ heardAfterS }, nowNs);
    }
  }

  return {
    dial,
    certificate: (_address, serverName, nowNs) => certificate(serverName, nowNs),
    serve,
    idleEndNs: ({ session }, lastUsedAtNs) =>
      lastUsedAtNs + sToNs(session === undefined ? front.idleS : front.sessionIdleS),
    cut(held, nowNs) {
      advance(nowNs);
      const outage = outages.cutting(held, nowNs);
      if (outage === null) return sessions.isOver(held, nowNs) ? { how: 'closed', fault: 'connection-ended' } : null;
      const isSilent = outage.how === 'silent' && nowNs < outage.untilNs;
      return { how: isSilent ? 'silent' : 'reset', fault: outage.fault };
    },
    condition,
    act,
    seen(nowNs) {
      advance(nowNs);
      return services.map(({ name, deployment }) => ({
        service: name,
        hostnames: setting.sites.filter(({ service }) => service === name).map(({ hostname }) => hostname),
        replicas: deployment.seen(),
      }));
    },
    advance,
    nextEventNs: () => timeline.nextNs(),
  };
}

const well: Condition = { fault: null, failedRatio: 0, delayMs: 0, hits: 'all' };
