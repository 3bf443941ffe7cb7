/** A comparison for people: what stands between the two first, then what differs, then what is only noise. */
import type { Comparison, ComparisonResult, Difference, FindingDifference } from '../core/comparison.ts';
import { countOf } from '../core/quantity-text.ts';
import { toIso } from '../core/time.ts';
import { markdownText, plainText } from './escape.ts';

const headlines: Readonly<Record<Comparison['result'], string>> = {
  'not-worse': 'b is not worse than a, as far as two runs can tell.',
  worse: 'b is worse than a.',
  unclear: 'Whether b is worse than a cannot be told.',
};

const resultWords: Readonly<Record<ComparisonResult, string>> = {
  worse: 'worse',
  better: 'better',
  'within-noise': 'within noise',
  unclear: 'cannot be told',
  differs: 'differs',
};

/** What is told line by line, and in this order; what is within noise is only counted. */
const told: readonly ComparisonResult[] = ['worse', 'unclear', 'better', 'differs'];

interface Group {
  readonly title: string;
  readonly lines: readonly string[];
}

export function comparisonText(comparison: Comparison): string {
  const lines = [headlines[comparison.result], ...runLines(comparison).map((line) => `  ${line}`)];
  for (const { title, lines: own } of groups(comparison)) {
    lines.push('', title, ...own.map((line) => `  - ${line}`));
  }
  return `${lines.map(plainText).join('\n')}\n`;
}

export function comparisonMarkdown(comparison: Comparison): string {
  const lines = [`# ${markdownText(headlines[comparison.result])}`, ''];
  lines.push(...runLines(comparison).map((line) => `- ${markdownText(line)}`), '');
  for (const { title, lines: own } of groups(comparison)) {
    lines.push(`## ${markdownText(title)}`, '', ...own.map((line) => `- ${markdownText(line)}`), '');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

export function comparisonJsonText(comparison: Comparison): string {
  return `${JSON.stringify(comparison, null, 2)}\n`;
}

function runLines(comparison: Comparison): string[] {
  return (['a', 'b'] as const).map((which) => {
    const { scenario, mode, startedAtMs, runId } = comparison[which];
    return `${which}: ${scenario}, ${mode}, ${toIso(startedAtMs, 0)}, run ${runId}`;
  });
}

function groups({ caveats, differences, findings }: Comparison): Group[] {
  const obstacles = caveats.filter(({ isObstacle }) => isObstacle);
  const notes = caveats.filter(({ isObstacle }) => !isObstacle);
  const noise = differences.filter(({ result }) => result === 'within-noise');
  const all: Group[] = [
    { title: 'What cannot be compared', lines: obstacles.map(({ text }) => text) },
    { title: 'What is not the same', lines: notes.map(({ text }) => text) },
    ...told.flatMap((result): Group[] => [
      {
        title: sentenceCase(resultWords[result]),
        lines: differences.filter((one) => one.result === result).map(lineOf),
      },
    ]),
    { title: 'Findings of only one, or graver in one', lines: findings.map(findingLine) },
    { title: 'Within noise', lines: noise.length === 0 ? [] : noiseLines(noise) },
  ];
  return all.filter(({ lines }) => lines.length > 0);
}

function sentenceCase(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

function lineOf({ service, subject, text, decides }: Difference): string {
  return `${subject === '' ? service : subject}: ${text}${decides ? '' : ' (decides nothing)'}`;
}

/** One line a service: of what is the same, nobody reads each. */
function noiseLines(noise: readonly Difference[]): string[] {
  return [...Map.groupBy(noise, ({ service }) => service)].map(([service, own]) => {
    const downtime = own.find(({ quantity, decides }) => quantity === 'userWeightedMs' && decides);
    const example = downtime === undefined ? '' : `, among them: ${downtime.text}`;
    return `${service}: ${countOf(own.length, 'quantity', 'quantities')}${example}`;
  });
}

function findingLine({ kind, service, a, b, result }: FindingDifference): string {
  const where = service === null ? '' : ` of ${service}`;
  const worst = a === null ? b : (b ?? a);
  const what =
    a === null
      ? `only in b (${b?.severity ?? ''})`
      : b === null
        ? `only in a (${a.severity})`
        : `${a.severity} in a, ${b.severity} in b`;
  const verdict = result === 'worse' || result === 'better' ? `, ${resultWords[result]}` : '';
  return `${kind}${where}: ${what}${verdict}: ${worst?.text ?? ''}`;
}
