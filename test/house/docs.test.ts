import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { presets } from '../../src/clients/presets.ts';
import { UserError } from '../../src/core/errors.ts';
import { parseScenario } from '../../src/scenario/parse.ts';

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

test('every YAML example parses, and is a scenario without problems if it is one at all', () => {
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

test.for([
  { text: 'a: [1', problem: 'here: Flow sequence' },
  { text: 'name: x\nservices: []\nsides: {}\n', problem: 'here:2' },
])('a YAML example is found wrong: $problem', ({ text, problem }) => {
  expect(yamlProblems({ at: 'here', language: 'yaml', text })).toContainEqual(expect.stringContaining(problem));
});

function examplesOf(path: string, document: string): readonly Example[] {
  return [...document.matchAll(/^```(\S*)[^\n]*\n(.*?)^```$/gms)].map((match) => {
    const line = document.slice(0, match.index).split('\n').length;
    return { at: `${path}:${line}`, language: match[1] ?? '', text: match[2] ?? '' };
  });
}

function yamlProblems({ at, text }: Example): readonly string[] {
  const document = parseDocument(text);
  if (document.errors.length > 0) return document.errors.map((error) => `${at}: ${error.message}`);
  if (!document.has('services') || !document.has('sides')) return [];
  // Whatever variable an example names is set, and whatever file is there.
  const env = new Proxy<Record<string, string>>({}, { get: () => 'x' });
  try {
    parseScenario(text, { file: at, env, presets, readFile: () => rootCertificates[0] ?? '' });
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems.map((problem) => `${problem.where}: ${problem.text}`);
  }
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

/** Asks the program itself: its help names its commands, and theirs their flags. */
function commandProblems(line: string): readonly string[] {
  const match = /(?:^\s*(?:npx )?cutwatch|\bnpm run -s cutwatch --) ([a-z]+)(.*)/.exec(line);
  if (match === null) return [];
  const [, command = '', rest = ''] = match;
  if (!new RegExp(`^  ${command} `, 'm').test(helpOf(''))) return [`cutwatch has no command ${command}`];
  // What follows `--` is the wrapped command's.
  const [own = ''] = rest.split(' -- ');
  return [...own.matchAll(/\s(--[a-z-]+)/g)]
    .map((flag) => flag[1] ?? '')
    .filter((flag) => !helpOf(command).includes(`${flag} `))
    .map((flag) => `cutwatch ${command} has no ${flag}`);
}

const helps = new Map<string, string>();

function helpOf(command: string): string {
  const words = command === '' ? ['--help'] : [command, '--help'];
  const text =
    helps.get(command) ?? execFileSync(process.execPath, ['src/cli/main.ts', ...words], { encoding: 'utf8' });
  helps.set(command, text);
  return text;
}
