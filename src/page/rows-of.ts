import type { Charts } from '../report/charts.ts';

/** What rows there are, as a text to compare; numbers in them do not count. */
export function rowsOf({ services, lanes, resolvers, targets, residual, latency, closeUps }: Charts): string {
  return JSON.stringify([
    services.map(({ name }) => name),
    lanes.map(({ name, isJudged, failures }) => [name, isJudged, [...new Set(failures.map(([, failure]) => failure))]]),
    resolvers.map(({ name, hostname }) => [name, hostname]),
    targets.map(({ name }) => name),
    residual.map(({ service, name }) => [service, name]),
    [...new Set(latency.map(({ service, client }) => `${service} ${client}`))],
    [...new Set(closeUps.map(({ service }) => service))],
  ]);
}
