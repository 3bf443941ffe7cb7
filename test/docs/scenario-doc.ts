/** docs/scenario.md, made of the JSON Schema that the parser gives: nothing is said there that the program does not hold to. */
import { readFileSync } from 'node:fs';
import { scenarioJsonSchema } from '../../src/scenario/schema.ts';

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
}

interface Row {
  readonly path: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
  /** Where the same keys stand already. */
  readonly as: string | null;
}

export function scenarioDoc(): string {
  const schema = scenarioJsonSchema() as Schema;
  const seen = new Map<string, string>();
  const sections = Object.entries(schema.properties ?? {}).map(([key, own]) => {
    const isRequired = schema.required?.includes(key) ?? false;
    const rows = rowsOf(key, own, seen);
    return [
      `## ${key}`,
      [sentence(own), isRequired ? 'Required.' : defaultText(own, (value) => `Default: ${value}.`)]
        .filter((text) => text !== '')
        .join(' '),
      ...(rows.length === 0 ? [] : [table(rows)]),
    ].join('\n\n');
  });
  return `${[
    '# Scenario files',
    'A scenario says what to watch while services move: YAML, with every problem reported at once by line and column. This page is made of the schema that the program checks files with ([schemas/scenario.schema.json](../schemas/scenario.schema.json), or `cutwatch schema`); editors that know JSON Schema complete and check a file that begins as the examples do. `cutwatch init` writes a first one, and `cutwatch plan` shows what it would do.',
    'Lengths of time are numbers with the unit in the key. A value may use an environment variable, `${NAME}`, `${NAME:-otherwise}` or `${NAME:?what is missing}`; secrets reach neither log nor report.',
    'The least that works:',
    example('minimal'),
    'And much of what can be said:',
    example('shop-ecs-to-eks'),
    ...sections,
  ].join('\n\n')}\n`;
}

function example(name: string): string {
  const text = readFileSync(new URL(`../../scenarios/${name}.yaml`, import.meta.url), 'utf8');
  return `\`\`\`yaml\n${text.trimEnd()}\n\`\`\``;
}

/** Of everything below a key, in the order of the schema; of what stands above already only where. */
function rowsOf(path: string, schema: Schema, seen: Map<string, string>): readonly Row[] {
  return childrenOf(path, schema).flatMap(([childPath, child, isRequired]) => {
    const shape = JSON.stringify({ ...child, description: '' });
    const hasKeys = childrenOf('', child).length > 0;
    const as = hasKeys ? (seen.get(shape) ?? null) : null;
    if (hasKeys && as === null) seen.set(shape, childPath);
    const row = { path: childPath, schema: child, isRequired, as };
    return as === null ? [row, ...rowsOf(childPath, child, seen)] : [row];
  });
}

function childrenOf(path: string, schema: Schema): readonly (readonly [string, Schema, boolean])[] {
  const own = Object.entries(schema.properties ?? {}).map(
    ([key, child]) => [`${path}.${key}`, child, schema.required?.includes(key) ?? false] as const,
  );
  const items = schema.items === undefined ? [] : childrenOf(`${path}[]`, schema.items);
  const { additionalProperties: named } = schema;
  const any = typeof named === 'object' ? childrenOf(`${path}.<name>`, named) : [];
  return [...own, ...items, ...any, ...alternativesOf(path, schema)];
}

/** Keys that several alternatives have, such as `kind`, stand once. */
function alternativesOf(path: string, schema: Schema): readonly (readonly [string, Schema, boolean])[] {
  const all = (schema.anyOf ?? schema.oneOf ?? []).flatMap((one) => childrenOf(path, one));
  return [...Map.groupBy(all, ([childPath]) => childPath)].map(([childPath, same]) => {
    const [[, first, isRequired]] = same as [readonly [string, Schema, boolean]];
    const consts = same.map(([, child]) => child.const);
    if (same.length === 1 || consts.includes(undefined)) return [childPath, first, isRequired];
    return [
      childPath,
      { enum: [...new Set(consts)], description: eachText(same.map(([, child]) => child)) },
      isRequired,
    ];
  });
}

/** What each of the values means, where they mean different things. */
function eachText(alternatives: readonly Schema[]): string {
  const texts = new Set(alternatives.map(sentence));
  if (texts.size === 1) return [...texts].join('');
  return alternatives.map((one) => `\`${plain(one.const)}\`: ${sentence(one)}`).join('<br>');
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ path, schema, isRequired, as }) => {
    const what = as === null ? sentence(schema) : [sentence(schema), `Keys as of \`${as}\`.`].join(' ').trim();
    const fallback = isRequired ? 'required' : defaultText(schema, (value) => value);
    return `| \`${path}\` | ${cell(typeText(schema))} | ${cell(fallback)} | ${cell(what)} |`;
  });
  return ['| key | value | default | what it says |', '| --- | --- | --- | --- |', ...lines].join('\n');
}

function sentence({ description = '' }: Schema): string {
  return description;
}

function defaultText(schema: Schema, say: (value: string) => string): string {
  return schema.default === undefined ? '' : say(`\`${plain(schema.default)}\``);
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value).replaceAll(/[{,:]/g, '$& ').replaceAll('}', ' }');
}

function typeText(schema: Schema): string {
  if (schema.const !== undefined) return `\`${plain(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${plain(value)}\``).join(' or ');
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return [...new Set(alternatives.map(typeText))].join(' or ');
  switch (schema.type ?? 'string') {
    case 'array':
      return `list of ${schema.items === undefined ? 'values' : typeText(schema.items)}`;
    case 'object':
      return schema.properties === undefined ? 'map' : 'keys below';
    case 'boolean':
      return 'true or false';
    case 'integer':
    case 'number':
      return `${schema.type === 'integer' ? 'whole number' : 'number'}${rangeText(schema)}`;
    default:
      return 'text';
  }
}

/** JSON Schema writes the largest whole number that is exact where there is no limit. */
function rangeText({ minimum, exclusiveMinimum, maximum }: Schema): string {
  const from = exclusiveMinimum === undefined ? minimum : exclusiveMinimum;
  const hasMaximum = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  const hasMinimum = from !== undefined && from > Number.MIN_SAFE_INTEGER;
  if (hasMinimum && hasMaximum) return `, ${exclusiveMinimum === undefined ? '' : 'above '}${from} to ${maximum}`;
  if (hasMaximum) return `, up to ${maximum}`;
  if (hasMinimum) return exclusiveMinimum === undefined ? `, ${from} or more` : `, above ${from}`;
  return '';
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
