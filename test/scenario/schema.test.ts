/** The committed JSON Schema is the one that the code gives, and accepts what the parser accepts. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { presets } from '../../src/clients/presets.ts';
import { parseScenario } from '../../src/scenario/parse.ts';
import { plan } from '../../src/scenario/plan.ts';
import { scenarioJsonSchema } from '../../src/scenario/schema.ts';

const committed = new URL('../../schemas/scenario.schema.json', import.meta.url);
const folder = new URL('../../scenarios/', import.meta.url);
const scenarios = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

test('schemas/scenario.schema.json is up to date', () => {
  const text = `${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`;
  if (process.env['CUTWATCH_UPDATE'] === '1') writeFileSync(committed, text);
  expect(readFileSync(committed, 'utf8')).toBe(text);
});

test('there are scenarios to read', () => {
  expect(scenarios).toEqual(expect.arrayContaining(['minimal.yaml', 'shop-ecs-to-eks.yaml']));
});

describe.for(scenarios)('scenarios/%s', (name) => {
  const text = readFileSync(new URL(name, folder), 'utf8');

  test('parses, and its plan has no problem', () => {
    const scenario = parseScenario(text, {
      file: name,
      env: {},
      presets,
      readFile: (path) => readFileSync(new URL(path, folder), 'utf8'),
    });
    expect(plan(scenario).problems).toEqual([]);
  });

  test('names its schema, which accepts it and refuses it with a key too many', () => {
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\.\/schemas\/scenario\.schema\.json\n/);
    const schema = z.fromJSONSchema(
      JSON.parse(readFileSync(committed, 'utf8')) as Parameters<typeof z.fromJSONSchema>[0],
    );
    const value = parse(text) as Record<string, unknown>;
    expect(schema.safeParse(value).error?.issues).toBeUndefined();
    expect(schema.safeParse({ ...value, servces: [] }).success).toBe(false);
    expect(schema.safeParse({ ...value, services: [{}] }).success).toBe(false);
  });
});

test('every key of the schema says what it is for', () => {
  const silent: string[] = [];
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    const { properties } = node as { properties?: Record<string, { description?: string }> };
    for (const [key, property] of Object.entries(properties ?? {})) {
      const isPolicy = ['kind', 's', 'address', 'old', 'new', 'url', 'name'].includes(key);
      if (property.description === undefined && !isPolicy) silent.push(`${path}.${key}`);
    }
    for (const [key, inner] of Object.entries(node)) walk(inner, `${path}.${key}`);
  };
  walk(scenarioJsonSchema(), '');
  expect(silent).toEqual([]);
});
