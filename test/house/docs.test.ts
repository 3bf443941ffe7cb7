import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { expect, test } from 'vitest';

/** A fenced block of a document. */
interface Example {
  /** `README.md:12`. */
  readonly at: string;
  readonly language: string;
  readonly text: string;
}

const documents = globSync(['*.md', 'docs/**/*.md', 'src/*/README.md']).toSorted();
const examples = documents.flatMap((path) => examplesOf(path, readFileSync(path, 'utf8')));
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Readonly<Record<string, string>> };

test('there are examples to check', () => {
  const languages = new Set(examples.map((example) => example.language));
  expect(languages).toContain('sh');
  expect(languages).toContain('yaml');
});

test('every example says its language: an example of no language is checked by nobody', () => {
  expect(examples.filter((example) => example.language === '').map((example) => example.at)).toEqual([]);
});

test('every YAML example parses', () => {
  expect(examples.filter((example) => example.language === 'yaml').flatMap(yamlProblems)).toEqual([]);
});

test('every shell example parses, and names only scripts, commands and flags that exist', { timeout: 60_000 }, () => {
  expect(examples.filter((example) => example.language === 'sh').flatMap(shellProblems)).toEqual([]);
});

test.for([
  { text: 'npm run -s cutwatch -- run x.yaml --nonsense', problem: '--nonsense' },
  { text: 'cutwatch frobnicate x.yaml', problem: 'frobnicate' },
  { text: 'npm run nonsense', problem: 'npm run nonsense' },
  { text: 'if true; then', problem: 'syntax' },
])('is found wrong: $text', ({ text, problem }) => {
  expect(shellProblems({ at: 'here', language: 'sh', text })).toEqual([expect.stringContaining(problem)]);
});

test('a YAML example that does not parse is found', () => {
  expect(yamlProblems({ at: 'here', language: 'yaml', text: 'a: [1' })).toHaveLength(1);
});

function examplesOf(path: string, document: string): readonly Example[] {
  return [...document.matchAll(/^```(\S*)[^\n]*\n(.*?)^```$/gms)].map((match) => {
    const line = document.slice(0, match.index).split('\n').length;
    return { at: `${path}:${line}`, language: match[1] ?? '', text: match[2] ?? '' };
  });
}

function yamlProblems({ at, text }: Example): readonly string[] {
  return parseDocument(text).errors.map((error) => `${at}: ${error.message}`);
}

function shellProblems({ at, text }: Example): readonly string[] {
  const parsed = spawnSync('bash', ['-n'], { input: text, encoding: 'utf8' });
  if (parsed.status !== 0) return [`${at}: ${parsed.stderr.trim()}`];
  const lines = text.replaceAll('\\\n', ' ').split('\n');
  return lines.flatMap((line) => [...scriptProblems(line), ...commandProblems(line)].map((text) => `${at}: ${text}`));
}

function scriptProblems(line: string): readonly string[] {
  return [...line.matchAll(/\bnpm (?:run (?:-s )?(\S+)|(start|test)\b)/g)]
    .filter((match) => scripts[match[1] ?? match[2] ?? ''] === undefined)
    .map((match) => `${match[0]}: package.json has no such script`);
}

/** Asks the command itself: its help names its flags, and it has no help for a command that does not exist. */
function commandProblems(line: string): readonly string[] {
  const match = /(?:^\s*(?:npx )?cutwatch|\bnpm run -s cutwatch --) ([a-z]+)(.*)/.exec(line);
  if (match === null) return [];
  const [, command = '', rest = ''] = match;
  const help = spawnSync(process.execPath, ['src/cli/main.ts', command, '--help'], { encoding: 'utf8' });
  if (help.status !== 0) return [`cutwatch ${command}: ${help.stderr.trim()}`];
  // What follows `--` is the wrapped command's.
  const [own = ''] = rest.split(' -- ');
  return [...own.matchAll(/\s(--[a-z-]+)/g)]
    .map((flag) => flag[1] ?? '')
    .filter((flag) => !help.stdout.includes(flag))
    .map((flag) => `cutwatch ${command} has no ${flag}`);
}
