/**
 * Values that came from the environment. Whoever writes `https://hooks.example/${HOOK}` has a reason not to write the value
 * itself, so a log must not either, wherever in a path, a query or an expectation it stands. Hosts and ports stay: nobody
 * could read a report without them. Markers stay too: a log is judged by comparing them.
 */
import type { Check, Resolver, Scenario } from '../core/scenario.ts';
import { isSecretName, looksSecret, secretMark } from './secret-names.ts';

export interface Variable {
  readonly name: string;
  readonly value: string;
}

/** Shorter ones stand in too many words by chance, and hide little. */
const lengthMin = 4;

/** The scenario with each check and resolver knowing which texts in it are not to be shown. */
export function withSecretValues(scenario: Scenario, variables: readonly Variable[]): Scenario {
  const { services, references, resolvers } = scenario;
  const checks = [...services.flatMap((service) => service.checks), ...references];
  const hostnames = new Set(checks.map(({ hostname }) => hostname));
  const secretValues = [...new Set(variables.flatMap(valuesOf))].filter(
    (value) =>
      value.length >= lengthMin &&
      !/^\d+$/.test(value) &&
      !hostnames.has(value.toLowerCase()) &&
      !secretMark.includes(value),
  );
  if (secretValues.length === 0) return scenario;
  const know = <T extends Check | Resolver>(one: T): T => ({ ...one, secretValues });
  return {
    ...scenario,
    services: services.map((service) => ({ ...service, checks: service.checks.map(know) })),
    references: references.map(know),
    resolvers: resolvers.map(know),
  };
}

/** Of a whole URL only what looks like a credential: its path is seldom one. */
function valuesOf({ name, value }: Variable): readonly string[] {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return [value];
  const segments = new URL(value).pathname.split('/');
  return isSecretName(name) ? segments : segments.filter(looksSecret);
}

/** @param secretValues as the scenario has them, not as a URL writes them. */
export function withoutValues(text: string, secretValues: readonly string[] = []): string {
  const written = secretValues.flatMap(writtenForms);
  return written
    .sort((a, b) => b.length - a.length)
    .reduce((shown, value) => shown.replaceAll(value, secretMark), text);
}

/** As it is, and as a URL writes it in its path, in its query, or where somebody escaped all of it. */
function writtenForms(value: string): readonly string[] {
  const path = new URL(`http://a/${value}`).href.slice('http://a/'.length);
  const query = new URL(`http://a/?${value}`).href.slice('http://a/?'.length);
  return [value, path, query, encodeURIComponent(value)].filter((form) => form.length >= lengthMin);
}

/** The same behind the host of a URL. */
export function withoutValuesInUrl(url: string, secretValues: readonly string[] = []): string {
  const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(url)?.[0] ?? '';
  return `${origin}${withoutValues(url.slice(origin.length), secretValues)}`;
}
