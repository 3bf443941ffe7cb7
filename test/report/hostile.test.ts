/** Everything in a report that somebody else's server chose is put where it would do harm, in every rendering. */
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { Analysis } from '../../src/core/analysis.ts';
import { markdownText, markupText, plainText } from '../../src/report/escape.ts';
import { annotations, outputs } from '../../src/report/github.ts';
import { chartsOf } from '../../src/report/charts.ts';
import { junit } from '../../src/report/junit.ts';
import { markdown } from '../../src/report/markdown.ts';
import { postmortem } from '../../src/report/postmortem.ts';
import { toReport, type Report } from '../../src/report/report-json.ts';
import { summaryText } from '../../src/report/text.ts';
import { timelineSvg } from '../../src/report/timeline-svg.ts';
import { judge } from '../../src/verdict/judge.ts';
import { foundingIncident } from './cases.ts';
import { pageOf } from './page-of.ts';
import { snapshotOf } from './picture-of.ts';

const hostile = [
  '</script><img src=x onerror=alert(1)>',
  '</style></td></table><svg onload=alert(1)>',
  '" onmouseover="alert(1)',
  "' onfocus='alert(1)",
  ']]><!-- --> <![CDATA[',
  '| a | b |\n| --- | --- |',
  '`code` **bold** [link](javascript:alert(1)) ![i](https://evil.example/x.png)',
  'https://evil.example www.evil.example @everyone #1 $x$',
  '\u001b[31mred\u001b[0m \u001b]8;;https://evil.example\u0007 \u0000\u0008\u009b',
  'rtl \u202e txt.exe \u2028 zero\u200bwidth \ud800 lone',
  '&lt;already&gt; &amp;',
].join(' ~ ');

/** Every text of the report, whatever its field, gets the hostile text; closed sets and instants stay as they are. */
function poisoned(): Report {
  const keep =
    /^(value|state|side|severity|objective|kind|mode|outcome|result|phase|direction|usedBy|role|series|safe|.*At|at|client|service)$/;
  const poison = (value: unknown, key: string): unknown => {
    if (typeof value === 'string') return keep.test(key) ? value : `${value}${hostile}`;
    if (Array.isArray(value)) return value.map((one: unknown) => poison(one, key));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, poison(one, name)]));
  };
  const analysis: Analysis = {
    ...foundingIncident,
    isWhole: false,
    incompleteBecause: ['cut'],
    commandWithheldBecause: 'why',
    marks: [{ atNs: 1, text: 'mark' }],
    playbook: [
      {
        type: 'step-checked',
        atNs: 1,
        step: 'tell everybody',
        check: null,
        result: 'fail',
        isAccepted: false,
        observedAtMs: null,
        evidence: ['why'],
      },
    ],
    prober: { ...foundingIncident.prober, blindSpots: [{ fromAtNs: 1, toAtNs: 2, why: 'slept' }] },
  };
  const report = poison(toReport(analysis, judge(analysis)), '') as Report;
  // A service's name is a closed word to its lanes, so it is changed in both at once.
  const rename = <T extends { readonly service: string | null }>(one: T): T => ({
    ...one,
    service: `orders${hostile}`,
  });
  return {
    ...report,
    services: report.services.map((service) => ({ ...service, name: `orders${hostile}` })),
    lanes: report.lanes.map(rename),
    findings: report.findings.map(rename),
    verdict: {
      ...report.verdict,
      reasons: report.verdict.reasons.map((reason) => (reason.service === null ? reason : rename(reason))),
    },
  };
}

const report = poisoned();

/** Names, texts and attributes of every element, by a strict parser that is not ours. */
function parseXml(text: string): { readonly tags: readonly string[]; readonly attributes: readonly string[] } {
  const script = `
import json, sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
print(json.dumps({'tags': [e.tag for e in root.iter()], 'attributes': [k for e in root.iter() for k in e.attrib]}))`;
  return JSON.parse(execFileSync('python3', ['-c', script], { input: text, encoding: 'utf8' })) as ReturnType<
    typeof parseXml
  >;
}

test('the poison is there', () => {
  expect(pageOf(report)).toContain('onerror=alert(1)');
  expect(junit(report)).toContain('onerror=alert(1)');
});

describe('JUnit', () => {
  test('is well-formed, and has no element or attribute but its own', () => {
    const { tags, attributes } = parseXml(junit(report));
    expect([...new Set(tags)].sort()).toEqual([
      'failure',
      'skipped',
      'system-out',
      'testcase',
      'testsuite',
      'testsuites',
    ]);
    expect([...new Set(attributes)].sort()).toEqual(
      ['classname', 'errors', 'failures', 'message', 'name', 'skipped', 'tests', 'time', 'timestamp', 'type'].sort(),
    );
  });

  test('counts what it holds', () => {
    const xml = junit(report);
    const count = (tag: string): number => xml.split(`<${tag}`).length - 1;
    const [, tests, failures, skipped] =
      /<testsuites [^>]*tests="(\d+)" failures="(\d+)" errors="0" skipped="(\d+)"/.exec(xml) ?? [];
    expect([count('testcase '), count('failure '), count('skipped ')].map(String)).toEqual([tests, failures, skipped]);
  });
});

describe('the page', () => {
  const page = pageOf(report);
  test('has no tag and no attribute but its own', () => {
    const tags = [...page.matchAll(/<\/?([a-z][a-z0-9]*)\b([^>]*)>/gi)];
    const allowed =
      'html head meta title style body main header p h1 h2 h3 dl dt dd section div table thead tbody tr th td svg rect path text circle ul li defs pattern details summary nav a noscript script';
    expect(
      [...new Set(tags.map(([, name]) => name))].filter((name) => !allowed.split(' ').includes(name ?? '')),
    ).toEqual([]);
    const attributes = tags.flatMap(([, , rest = '']) =>
      [...rest.matchAll(/([a-zA-Z-]+)="/g)].map(([, name = '']) => name),
    );
    expect([...new Set(attributes)].sort()).toEqual(
      'aria-hidden aria-label charset class content cx cy d data-client data-resolver data-service height href http-equiv id lang name patternTransform patternUnits preserveAspectRatio r role scope tabindex text-anchor type viewBox width x y'
        .split(' ')
        .sort(),
    );
  });

  test('loads nothing, and leads nowhere but to its own parts', () => {
    expect(page).not.toMatch(/<(link|img|iframe|object)/i);
    expect(page).not.toMatch(/(src|style)\s*=\s*"|href="(?!#part-\d+"|#over-time")/i);
  });

  test('has two scripts, its data and its own, which nothing in the data can end', () => {
    expect(page.match(/<script[^>]*>/gi)).toEqual(['<script type="application/json" id="charts-data">', '<script>']);
    expect(page.match(/<\/script/gi)).toHaveLength(2);
    const [, data = ''] = /id="charts-data">([^<]*)<\/script>/.exec(page) ?? [];
    expect(JSON.parse(data)).toEqual(chartsOf(snapshotOf(report, 7)));
    expect(data).toContain('\\u003c/script\\u003e');
  });
});

describe('Markdown', () => {
  const text = markdown(report);
  test('has no row with more or fewer cells than its table', () => {
    const rows = text.split('\n');
    const cellCount = (row: string): number => row.replaceAll(/\\\\|\\\|/g, '').split('|').length;
    let tableCount = 0;
    rows.forEach((row, i) => {
      if (!row.startsWith('| ---')) return;
      tableCount += 1;
      for (let j = i - 1; rows[j]?.startsWith('|') === true; j += 1) {
        expect(cellCount(rows[j] ?? '')).toBe(cellCount(row));
      }
    });
    expect(tableCount).toBeGreaterThan(4);
  });

  test('has no tag, no code, no link, no picture and no mention but its own folds and chart', () => {
    const own = /^(<details>|<\/details>|<summary>[^<>]*<\/summary>|```mermaid|```)$/gm;
    const unescaped = text.replaceAll(own, '').replaceAll(/\\[^\w\s]/g, '');
    expect(unescaped).not.toMatch(/<[a-z/!]/i);
    expect(unescaped).not.toMatch(/`|\]\(|!\[/);
    expect(unescaped).not.toMatch(/:\/\/|www\.|@\w/i);
  });
});

describe('Mermaid', () => {
  const lines = /```mermaid\n(.*?)\n```/s.exec(markdown(report))?.[1]?.split('\n') ?? [];
  test('has no line but its own kinds, and no name that begins one or ends its text', () => {
    expect(lines.length).toBeGreaterThan(8);
    const instant = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}`;
    const name = String.raw`[\p{L}\p{N} ._/()+-]+`;
    const kinds = [
      'gantt',
      `  title Times in UTC, ${name}`,
      '  dateFormat YYYY-MM-DD HH:mm:ss.SSS',
      '  axisFormat %H:%M:%S',
      `  section ${name}`,
      `  (Mark|Change to) ${name} :milestone, ${instant}, 0s`,
      `  (Phase|Down|Impaired) ${name} :(active, |crit, )?${instant}, ${instant}`,
    ];
    const own = new RegExp(`^(${kinds.join('|')})$`, 'u');
    expect(lines.filter((line) => !own.test(line))).toEqual([]);
  });
});

describe('the drawing', () => {
  test('is well-formed, and has no element or attribute but its own', () => {
    const { tags, attributes } = parseXml(timelineSvg(snapshotOf(report)));
    const name = (tag: string): string => tag.replace('{http://www.w3.org/2000/svg}', '');
    expect([...new Set(tags.map(name))].sort()).toEqual(['path', 'rect', 'style', 'svg', 'text', 'title']);
    expect([...new Set(attributes)].sort()).toEqual(
      'class d fill font-family font-size font-weight height role stroke stroke-dasharray text-anchor viewBox width x y'
        .split(' ')
        .sort(),
    );
  });
});

describe('GitHub', () => {
  const commands = annotations(report, 3);
  test('is told at most ten annotations, each a command of its own that ends nowhere else', () => {
    expect(commands.length).toBeLessThanOrEqual(10);
    for (const line of commands) {
      expect(line).toMatch(/^::(error|warning|notice) title=[^:,\r\n]*::[^\r\n]*$/);
      expect(line.replaceAll(/%(25|0D|0A|3A|2C)/g, '')).not.toContain('%');
    }
  });

  test('reads each output as one line of its own', () => {
    const text = outputs(report, { exitCode: 3, isWritten: true, runPath: `reports/x${hostile}\nverdict=pass` });
    const names = text
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(0, line.indexOf('=')));
    expect(names).toEqual([
      'verdict',
      'exit-status',
      'headline',
      'downtime-ms-min',
      'downtime-ms-max',
      'run-path',
      'report-path',
      'summary-path',
      'junit-path',
    ]);
    expect(text).toMatch(/^verdict=fail$/m);
  });
});

test('no rendering steers a terminal or turns text around', () => {
  const drawn = [timelineSvg(snapshotOf(report)), annotations(report, 3).join('\n'), postmortem(report)];
  for (const text of [
    ...drawn,
    pageOf(report),
    junit(report),
    markdown(report),
    summaryText(report, { runPath: hostile }),
  ]) {
    // oxlint-disable-next-line no-control-regex -- controls are what this looks for
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200b]/);
    expect(text.isWellFormed()).toBe(true);
  }
});

test('escaping', () => {
  expect(plainText('a\u001b[31m\tb\r\nc')).toBe('a\ufffd[31m b c');
  expect(markupText(`<&>"'`)).toBe('&lt;&amp;&gt;&quot;&#39;');
  expect(markdownText('a|b `c` _d_ <e>')).toBe(String.raw`a\|b \`c\` \_d\_ &lt;e&gt;`);
});
