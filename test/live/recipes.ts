/** The recipes of docs/gates.md, and the requests that the controllers make of them. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ask, token, type Answer, type Shown } from './kit.ts';

export interface Webhook {
  readonly name: string;
  readonly type: string;
  readonly url: string;
}

export interface WebMetric {
  readonly url: string;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
  readonly jsonPath: string;
  readonly successCondition: string;
  readonly failureCondition: string;
}

export interface JobMetric {
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
}

interface Canary {
  readonly kind: 'Canary';
  readonly spec: { readonly analysis: { readonly webhooks: readonly Webhook[] } };
}

interface AnalysisTemplate {
  readonly kind: 'AnalysisTemplate';
  readonly spec: {
    readonly metrics: readonly {
      readonly name: string;
      readonly successCondition?: string;
      readonly failureCondition?: string;
      readonly provider: {
        readonly web?: Pick<WebMetric, 'url' | 'headers' | 'jsonPath'>;
        readonly job?: {
          readonly spec: { readonly template: { readonly spec: { readonly containers: readonly JobMetric[] } } };
        };
      };
    }[];
  };
}

const document = readFileSync('docs/gates.md', 'utf8');
const blocks = [...document.matchAll(/^```yaml\n(.*?)^```$/gms)].map(
  ([, text = '']) => parse(text) as Canary | AnalysisTemplate,
);
const metrics = blocks.flatMap((block) => (block.kind === 'AnalysisTemplate' ? block.spec.metrics : []));

export const webhooks: readonly Webhook[] = blocks.flatMap((block) =>
  block.kind === 'Canary' ? block.spec.analysis.webhooks : [],
);

export const webMetrics: readonly WebMetric[] = metrics.flatMap(
  ({ provider: { web }, successCondition = '', failureCondition = '' }) =>
    web === undefined ? [] : [{ ...web, successCondition, failureCondition }],
);

export const jobMetrics: readonly JobMetric[] = metrics.flatMap(
  ({ provider: { job } }) => job?.spec.template.spec.containers ?? [],
);

/** As Go's client sends it, to us in the place of the host that it names. */
function sentByGo(
  shown: Shown,
  text: string,
  {
    method,
    headers,
    body = '',
  }: { readonly method: string; readonly headers: Record<string, string>; readonly body?: string },
): Promise<Answer> {
  const { host, pathname, search } = new URL(text.replace('REPLACE-WITH-THE-TOKEN', token));
  return ask(
    { host: '127.0.0.1', port: shown.port, path: pathname + search },
    { method, headers: { host, 'user-agent': 'Go-http-client/1.1', 'accept-encoding': 'gzip', ...headers }, body },
  );
}

/** Flagger, `pkg/controller/webhook.go`: a POST of who the canary is; whatever is above 202 refuses. */
export async function calledByFlagger(shown: Shown, { url }: Webhook): Promise<'go' | 'refused'> {
  const payload = {
    name: 'orders',
    namespace: 'shop',
    phase: 'Progressing',
    checksum: '6c5f84d7b8',
    metadata: { anything: 'its owner wrote' },
  };
  const body = JSON.stringify(payload);
  const headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
  const { status } = await sentByGo(shown, url, { method: 'POST', headers, body });
  return status <= 202 ? 'go' : 'refused';
}

export type Measured = 'Successful' | 'Failed' | 'Inconclusive' | 'Error';

/** Argo, `metricproviders/webmetric` and `utils/evaluate`: a GET; the conditions are about what jsonPath finds. */
export async function measuredByArgo(shown: Shown, metric: WebMetric, service: string): Promise<Measured> {
  const args: Readonly<Record<string, string>> = { cutwatch: 'cutwatch.tools:8080', service, token };
  const filled = (text: string): string =>
    text.replaceAll(/\{\{args\.(\w+)\}\}/g, (_, name: string) => args[name] ?? '');
  const headers = Object.fromEntries(metric.headers.map(({ key, value }) => [key, filled(value)]));
  const answer = await sentByGo(shown, filled(metric.url), { method: 'GET', headers });
  if (answer.status < 200 || answer.status >= 300) return 'Error';
  const result = valueAt(JSON.parse(answer.text), metric.jsonPath);
  if (isMet(metric.failureCondition, result)) return 'Failed';
  return isMet(metric.successCondition, result) ? 'Successful' : 'Inconclusive';
}

/** `{$.a.b}`. */
function valueAt(json: unknown, jsonPath: string): unknown {
  const [, path = ''] = /^\{\$\.([\w.]+)\}$/.exec(jsonPath) ?? [];
  if (path === '') throw new Error(`${jsonPath} is more than this test reads`);
  return path.split('.').reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>>)[key], json);
}

/** `result == "x"`. */
function isMet(condition: string, result: unknown): boolean {
  const [, expected] = /^result == "(\w+)"$/.exec(condition) ?? [];
  if (expected === undefined) throw new Error(`${condition} is more than this test reads`);
  return result === expected;
}
