/** YAML text → `Scenario`, or every problem of it at once. Pure: environment, presets and files are passed in. */
import { assert, UserError } from '../core/errors.ts';
import type { Archetype, Objectives, Scenario } from '../core/scenario.ts';
import { changeOf, objectivesOf } from './change.ts';
import type { World } from '../core/world.ts';
import { clientsOf } from './clients.ts';
import { defaultClients, defaultObjectives } from './defaults.ts';
import { readDocument } from './document.ts';
import { problemsOf, type Report } from './problems.ts';
import { reportLevel } from './requests.ts';
import { authoritiesOf, defaultResolvers, resolversOf } from './resolvers.ts';
import { jsonSchemaOf, objectivesBlockInput, objectivesInput, scenarioInput, scenarioJsonSchema } from './schema.ts';
import { type Item, type Sections, issuesOf, wholeSections } from './sections.ts';
import { playbookOf } from './playbook.ts';
import { route53Of } from './route53.ts';
import { referencesOf, serviceOf } from './services.ts';
import { reportSharedBySides, sideOf } from './sides.ts';
import { withSecretValues } from './variable-values.ts';
import { worldOf } from './world.ts';

export interface ParseContext {
  /** As problems name it. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly presets: Readonly<Record<string, Archetype>>;
  /** For `ca`, `certificate` and `key`; paths as the scenario has them. May throw. */
  readonly readFile: (path: string) => string;
}

/** A scenario and the world to rehearse it in. */
export interface Rehearsal {
  readonly scenario: Scenario;
  /** null: the file has no `world`; `defaultWorld` gives one. */
  readonly world: World | null;
}

/** Takes no notice of the `world`, but of what is wrong with it. */
export function parseScenario(text: string, context: ParseContext): Scenario {
  return parseRehearsal(text, context).scenario;
}

export function parseRehearsal(text: string, context: ParseContext): Rehearsal {
  const document = readDocument(text, context);
  if (!document.isReadable) throw new UserError(document.problems);
  const { value } = document;
  const problems = problemsOf(document, value);
  const issues = issuesOf(scenarioInput, document);
  const jsonSchema = issues.length === 0 ? null : scenarioJsonSchema();
  for (const issue of issues) problems.reportIssue(issue, jsonSchema);
  const sections = wholeSections(value, issues);
  const scenario = build(sections, context, problems.report);
  const world = buildWorld(sections, problems.report);

  const list = problems.list();
  if (list.length > 0) throw new UserError(list);
  assert(scenario !== null, 'a scenario without problems is whole');
  return { scenario: withSecretValues(scenario, document.variables), world };
}

/** A file of the `objectives` of a scenario and nothing else, with or without that key, to judge a log by other limits. */
export function parseObjectives(text: string, context: Pick<ParseContext, 'file' | 'env'>): Partial<Objectives> {
  const document = readDocument(text, context);
  if (!document.isReadable) throw new UserError(document.problems);
  const problems = problemsOf(document, document.value);
  const { value } = document;
  const isBlock = typeof value === 'object' && value !== null && Object.hasOwn(value, 'objectives');
  const schema = isBlock ? objectivesBlockInput : objectivesInput;
  for (const issue of issuesOf(schema, document)) problems.reportIssue(issue, jsonSchemaOf(schema));
  const list = problems.list();
  if (list.length > 0) throw new UserError(list);
  const input = isBlock ? objectivesBlockInput.parse(value).objectives : objectivesInput.parse(value);
  const { convergenceSMax, ...limits } = input;
  if (convergenceSMax === undefined) return limits;
  return { ...limits, convergenceSMax: convergenceSMax === 'auto' ? null : convergenceSMax };
}

/** null where a section is too broken to stand in a scenario; then a problem says so. */
function build(sections: Sections, { presets, readFile }: ParseContext, report: Report): Scenario | null {
  const { defaults } = sections;
  const inner = sections.services.flatMap(({ input }) => [input, ...(input.checks ?? [])]);
  const hasToken = [defaults, ...inner].some(({ request }) => request?.token !== undefined);
  reportLevel({ input: defaults, path: ['defaults'] }, hasToken, report);

  const resolverItems = sections.resolvers ?? defaultResolvers.map((input) => ({ input, path: [] }));
  reportTwice(resolverItems, report);
  const resolvers = new Map(
    resolverItems.map(({ input, path }) => [input.name, resolversOf(input, path, { readFile, report })]),
  );
  const resolverNames = new Map(sections.resolverNames.map((name): [string, readonly string[]] => [name, []]));
  for (const [name, some] of resolvers) {
    resolverNames.set(
      name,
      some.map((resolver) => resolver.name),
    );
  }

  const objectives = objectivesOf(sections.objectives, defaultObjectives);
  const scope = { defaults, resolverNames, objectives, readFile, report };
  reportTwice(sections.services, report);
  const services = sections.services.map(({ input, path }) => serviceOf(input, path, scope));

  const references = referencesOf(sections.references, ['references'], scope);
  const hostnames = new Set(services.flatMap(({ checks }) => checks.map(({ hostname }) => hostname)));
  for (const [i, { hostname }] of references.entries()) {
    if (hostnames.has(hostname)) {
      report(['references', i], `${hostname} is under test; a reference is in another network`);
    }
  }

  const { clients, weightsGiven } = clientsOf(sections.clients ?? defaultClients, { presets, report });
  const change = changeOf(sections.change, report);
  const playbook = sections.playbook === null ? null : playbookOf(sections.playbook, report);
  const { old, new: now } = sidesOf(sections, report);
  if (sections.name === null || old === null || now === null) return null;
  reportSharedBySides(old, now, report);

  const route53 = route53Of(sections.route53);
  const warnings = warningsOf(sections);
  return {
    name: sections.name,
    services,
    sides: { old: sideOf('old', old, report), new: sideOf('new', now, report) },
    resolvers: [...resolvers.values()].flat(),
    authorities: authoritiesOf(sections.authorities),
    clients,
    weightsGiven,
    change,
    ...(route53 === null ? {} : { route53 }),
    ...(playbook === null ? {} : { playbook }),
    references,
    objectives,
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

/** Where nothing moves, one side is enough: the other has nothing. */
function sidesOf({ sides, missingSides, change }: Sections, report: Report): Sections['sides'] {
  if (change.via === 'deploy' && missingSides.length === 1) {
    return { old: missingSides.includes('old') ? {} : sides.old, new: missingSides.includes('new') ? {} : sides.new };
  }
  for (const side of missingSides) {
    report(['sides', side], 'missing; expected a map such as { addresses: ["dns:lb.example"] }');
  }
  return sides;
}

function buildWorld(sections: Sections, report: Report): World | null {
  const { world, change, services, serviceNames, resolvers, resolverNames } = sections;
  if (world === null) return null;
  const isHttps = ({ url }: { readonly url?: string }): boolean => hasTls(url);
  return worldOf(world, {
    // What is wrong with the change has been said.
    change: changeOf(change, () => {}),
    serviceNames,
    resolverNames: resolvers === null ? defaultResolvers.map(({ name }) => name) : resolverNames,
    hasTls:
      services.length < serviceNames.length ||
      services.some(({ input }) => isHttps(input) || (input.checks ?? []).some(isHttps)),
    report,
  });
}

function hasTls(url: string | undefined): boolean {
  return /^(https|wss):/i.test(url ?? '');
}

function reportTwice(items: readonly Item<{ readonly name: string }>[], report: Report): void {
  const seen = new Set<string>();
  for (const { input, path } of items) {
    if (seen.has(input.name)) report([...path, 'name'], `"${input.name}" is there twice`);
    seen.add(input.name);
  }
}

function warningsOf({ references, services }: Sections): readonly string[] {
  const warnings: string[] = [];
  if (references.length === 1) {
    warnings.push('there is one reference: when it fails alone, nobody can tell our network from its own; give two');
  }
  for (const { input } of services) {
    const urls = [input.url, ...(input.checks ?? []).map(({ url }) => url)];
    if (input.tls !== undefined && !urls.some(hasTls)) {
      warnings.push(`the tls of ${input.name} is not used: none of its URLs is https`);
    }
  }
  return warnings;
}
