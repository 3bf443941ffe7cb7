/** What runs on a platform: its services, each with its deployment and application, and the hostnames they answer. */
import { assert } from '../core/errors.ts';
import type { Side } from '../core/scenario.ts';
import type { TruthRecorder } from '../core/truth.ts';
import type { PlatformSpec, Setting, Site } from '../core/world.ts';
import { newAppPages, type AppPages } from './app-pages.ts';
import { newApp, type App } from './app.ts';
import { newDeployment, type Deployment } from './deployment.ts';
import type { Front, Page } from './front.ts';
import type { Timeline } from './timeline.ts';

export interface Service {
  readonly name: string;
  readonly deployment: Deployment;
  readonly app: App;
}

export interface HostedSite {
  readonly service: Service;
  readonly pages: ReadonlyMap<string, Page>;
  /** For any other path. */
  readonly first: Page;
}

export interface Hosting {
  readonly services: readonly Service[];
  /** By hostname in lower case. */
  readonly sites: ReadonlyMap<string, HostedSite>;
  readonly appPages: AppPages;
}

export interface HostingOptions {
  readonly side: Side;
  readonly spec: PlatformSpec;
  readonly setting: Setting;
  readonly front: Front;
  readonly seed: number;
  readonly startNs: number;
  readonly timeline: Timeline;
  readonly record: TruthRecorder;
}

export function newHosting(options: HostingOptions): Hosting {
  const { side, spec, setting, front, seed, startNs, timeline, record } = options;
  const { replica, replicaCount } = spec;
  const appPages = newAppPages(setting.markers[side], front.passesServerHeader ? replica.server : null);
  const newTarget = targetNames(side);
  const services = new Map<string, Service>();

  function newService(name: string): Service {
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
    const made = { name, deployment, app: newApp({ serviceMs: replica.serviceMs, service: name, seed }) };
    services.set(name, made);
    return made;
  }

  function newSite(site: Site): HostedSite {
    const pages = new Map(Object.entries(site.answers).map(([path, answer]) => [path, appPages.good(answer)]));
    const [first] = pages.values();
    assert(first !== undefined, 'every site has an answer');
    return { service: services.get(site.service) ?? newService(site.service), pages, first };
  }

  const sites = new Map(setting.sites.map((site) => [site.hostname.toLowerCase(), newSite(site)]));
  return { services: [...services.values()], sites, appPages };
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
