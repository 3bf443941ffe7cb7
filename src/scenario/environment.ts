/**
 * `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$$` in one value. A single `$` before anything else stays as it
 * is, so that regular expressions need no escape. Values are put in after the YAML was parsed: they cannot change its
 * structure, and positions stay right.
 */
import type { Variable } from './variable-values.ts';

export interface Expansion {
  readonly text: string;
  /** Sentences about what is wrong; none of them has a value in it. */
  readonly problems: readonly string[];
  readonly hasVariable: boolean;
  /** Those that the environment gave a value. */
  readonly variables: readonly Variable[];
}

const reference = /\$\$|\$\{(?<body>[^}]*)(?<end>\}?)/g;
const variable = /^(?<name>[A-Za-z_][A-Za-z0-9_]*)(?::(?<operator>[-?])(?<rest>.*))?$/s;

/** `reserved` names stay as they are: somebody else replaces them later. */
export function expand(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  reserved: readonly string[],
): Expansion {
  const problems: string[] = [];
  const variables: Variable[] = [];
  let hasVariable = false;
  const expanded = text.replace(reference, (whole: string, ...rest: unknown[]) => {
    if (whole === '$$') return '$';
    const { body = '', end } = rest.at(-1) as Record<string, string | undefined>;
    const { name, operator, rest: argument = '' } = (end === '}' ? variable.exec(body)?.groups : undefined) ?? {};
    if (name === undefined) {
      problems.push(
        '"${" does not begin a ${NAME}, ${NAME:-default} or ${NAME:?message}; write $${ for the text itself',
      );
      return whole;
    }
    if (reserved.includes(name) && operator === undefined) return whole;
    hasVariable = true;
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (value !== undefined) variables.push({ name, value });
    if (operator === '-') return value === undefined || value === '' ? argument : value;
    if (operator === '?' && (value === undefined || value === '')) {
      problems.push(`the environment variable ${name} is not set${argument === '' ? '' : `: ${argument}`}`);
      return whole;
    }
    if (value === undefined) {
      problems.push(`the environment variable ${name} is not set; \${${name}:-default} gives it a default`);
      return whole;
    }
    return value;
  });
  return { text: expanded, problems, hasVariable, variables };
}
