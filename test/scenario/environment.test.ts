import { describe, expect, test } from 'vitest';
import { expand } from '../../src/scenario/environment.ts';

const env = { NAME: 'value', EMPTY: '', DOLLAR: '${NAME}' };

describe('expand', () => {
  test.for([
    ['plain', 'plain'],
    ['a ${NAME} b ${NAME}', 'a value b value'],
    ['${EMPTY}', ''],
    ['${EMPTY:-other}', 'other'],
    ['${NAME:-other}', 'value'],
    ['${UNSET:-}', ''],
    ['${UNSET:-a:b-c}', 'a:b-c'],
    ['${NAME:?why}', 'value'],
    ['$$', '$'],
    ['$${NAME}', '${NAME}'],
    ['$$$$', '$$'],
    ['cost: $5', 'cost: $5'],
    ['^pong$', '^pong$'],
    ['$NAME', '$NAME'],
    ['${DOLLAR}', '${NAME}'],
  ] as const)('%s', ([text, wanted]) => {
    expect(expand(text, env, [])).toMatchObject({ text: wanted, problems: [] });
  });

  test.for([
    ['${UNSET}', 'the environment variable UNSET is not set; ${UNSET:-default} gives it a default'],
    ['${UNSET:?ask the team}', 'the environment variable UNSET is not set: ask the team'],
    ['${EMPTY:?}', 'the environment variable EMPTY is not set'],
    ['${toString}', 'the environment variable toString is not set; ${toString:-default} gives it a default'],
  ] as const)('%s is a problem', ([text, problem]) => {
    expect(expand(text, env, []).problems).toEqual([problem]);
  });

  test.for(['${', '${}', '${1A}', '${A', '${A B}', '${A:=b}'])(
    '%s begins no variable, and says how to write it',
    (text) => {
      expect(expand(text, { A: 'x' }, []).problems).toEqual([expect.stringContaining('write $${ for the text itself')]);
    },
  );

  test('a reserved name stays as it is', () => {
    expect(expand('Bearer ${TOKEN} ${NAME}', { ...env, TOKEN: 'no' }, ['TOKEN']).text).toBe('Bearer ${TOKEN} value');
  });
});
