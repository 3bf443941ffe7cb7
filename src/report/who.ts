/** Who was down: of each service the judged lanes that failed, and whom they stand for. */
import { countOf, countText, durationText, listText } from '../core/quantity-text.ts';
import { named, namedMax } from './pick.ts';
import type { LaneTrouble, ServiceView } from './service-view.ts';
import type { Report } from './shape.ts';

/** A sentence of a service, or of several that are alike; `list` puts names of lanes together. */
type Saying = (service: string, list: (names: readonly string[]) => string) => string;

/** What is the same of several services is said once. */
export function whoLines(views: readonly ServiceView[]): string[] {
  const all = views.flatMap((view) =>
    whoSayings(view).map((say) => {
      const shorten = (names: readonly string[]): string[] => names.map((name) => shortName(view, name));
      return { view, say, shorten, key: say('', (names) => shorten(names).toSorted().join()) };
    }),
  );
  return [...Map.groupBy(all, ({ key }) => key).values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const { view, say, shorten } = first;
    if (others.length === 0) return [say(view.service.name, named)];
    return [say(eachOf([first, ...others].map((one) => one.view.service.name)), (names) => named(shorten(names)))];
  });
}

function shortName({ service }: ServiceView, lane: string): string {
  return lane.startsWith(`${service.name} `) ? lane.slice(service.name.length + 1) : lane;
}

function eachOf(services: readonly string[]): string {
  const many = services.length > namedMax;
  return `each of ${many ? `${countText(services.length)} services (${named(services)})` : listText(services)}`;
}

function whoSayings(view: ServiceView): Saying[] {
  const { judged, hit } = view;
  if (judged.length === 0) return [(service) => `Nobody can say: no lane of ${service} was judged.`];
  const sayings: Saying[] = [];
  const down = hit.filter(({ outages }) => outages.length > 0);
  const impaired = hit.filter(({ outages }) => outages.length === 0);
  const count = countOf(judged.length, 'judged lane');
  if (down.length > 0) {
    const were = down.length === 1 ? 'was' : 'were';
    sayings.push(
      (service, list) => `${countText(down.length)} of ${count} of ${service} ${were} down: ${list(namesOf(down))}.`,
    );
  }
  if (impaired.length > 0) {
    sayings.push(
      (service, list) =>
        `${countText(impaired.length)} of ${count} of ${service} failed in part: ${list(namesOf(impaired))}.`,
    );
  }
  if (hit.length === 0) {
    const resolutionMs = Math.max(...judged.map((lane) => lane.judgedPart?.resolutionMs ?? lane.resolutionMs));
    sayings.push((service) =>
      view.service.verdict === 'pass'
        ? `No: not one probe failed in ${count} of ${service}. Any outage longer than ${durationText(resolutionMs, 'up')} would have been seen.`
        : `Not as far as was seen: not one probe failed in ${count} of ${service}.`,
    );
  }
  if (view.hitUnjudged.length > 0) {
    sayings.push(
      (service, list) => `Shown of ${service} but not judged, and failing as well: ${list(namesOf(view.hitUnjudged))}.`,
    );
  }
  return sayings;
}

/** Clients are archetypes; this says who behaves so. */
export function standsForLines(report: Report, views: readonly ServiceView[]): string[] {
  const hit = new Set(views.flatMap((view) => [...view.hit, ...view.hitUnjudged]).map(({ lane }) => lane.client));
  const known = report.run.clients.filter(({ name, standsFor }) => hit.has(name) && standsFor !== '');
  if (known.length === 0) return [];
  return [
    `Each client stands for others: ${known.map(({ name, standsFor }) => `${name} for ${standsFor}`).join('; ')}.`,
  ];
}

function namesOf(troubles: readonly LaneTrouble[]): string[] {
  return troubles.map(({ lane }) => lane.name);
}
