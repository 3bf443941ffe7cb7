/**
 * A Kubernetes API server for tests: objects in memory with one version for all, lists in pages, watches with bookmarks, and
 * all that goes wrong with them. `fake-kubernetes.test.ts` drives it with the official client and with kubectl.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

export interface FakeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

/** Path and kind of each resource it has. */
const resources = {
  pods: { group: '', version: 'v1', kind: 'Pod', short: 'po' },
  secrets: { group: '', version: 'v1', kind: 'Secret', short: '' },
  deployments: { group: 'apps', version: 'v1', kind: 'Deployment', short: 'deploy' },
  endpointslices: { group: 'discovery.k8s.io', version: 'v1', kind: 'EndpointSlice', short: '' },
  ingresses: { group: 'networking.k8s.io', version: 'v1', kind: 'Ingress', short: 'ing' },
  cronjobs: { group: 'batch', version: 'v1', kind: 'CronJob', short: 'cj' },
  jobs: { group: 'batch', version: 'v1', kind: 'Job', short: '' },
  targetgroupbindings: { group: 'elbv2.k8s.aws', version: 'v1beta1', kind: 'TargetGroupBinding', short: '' },
} as const;

export type ResourceName = keyof typeof resources;

export interface Asked {
  readonly resource: string;
  readonly isWatch: boolean;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string;
  readonly accept: string;
  readonly status: number;
}

export interface FakeKubernetesOptions {
  readonly tls?: {
    readonly certificatePem: string;
    readonly keyPem: string;
    /** Only who shows a certificate of this authority is let in. */
    readonly clientCaPem?: string;
  };
  /** Only these tokens are accepted; left out: anybody. */
  readonly tokens?: readonly string[];
  /** The API has no such resource. */
  readonly without?: readonly ResourceName[];
  readonly bookmarkEveryMs?: number;
}

interface Watcher {
  readonly resource: ResourceName;
  readonly response: ServerResponse;
  readonly selector: string;
  readonly isMetadataOnly: boolean;
}

interface Event {
  readonly version: number;
  readonly resource: ResourceName;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: FakeObject;
}

export class FakeKubernetes {
  readonly asked: Asked[] = [];
  /** Status for requests to a resource, instead of an answer; `*` is for all. */
  readonly refuse: Map<ResourceName | '*', number> = new Map();
  /** Answers come so much later. */
  slowMs = 0;
  /** Called after each request is answered; of a watch, begun to be. */
  onAsked: (asked: Asked) => void = () => undefined;
  /** The body of every answer, with status 200. */
  answerWith: string | (() => string) | null = null;
  /** It is not all of it. */
  isBreakingOff = false;
  /** Accepts connections and requests, and says nothing. */
  isMute = false;
  tokens: readonly string[] | null;

  readonly #objects = new Map<string, { readonly resource: ResourceName; readonly object: FakeObject }>();
  readonly #events: Event[] = [];
  readonly #watchers = new Set<Watcher>();
  readonly #sockets = new Set<Socket>();
  readonly #without: ReadonlySet<ResourceName>;
  readonly #server: Server;
  readonly #scheme: 'http' | 'https';
  readonly #bookmarks: NodeJS.Timeout | null;
  #version = 100;
  /** Versions before are forgotten: 410. */
  #oldest = 0;

  private constructor({ tls, tokens, without = [], bookmarkEveryMs }: FakeKubernetesOptions) {
    this.tokens = tokens ?? null;
    this.#without = new Set(without);
    this.#scheme = tls === undefined ? 'http' : 'https';
    const answer = (request: IncomingMessage, response: ServerResponse): void => void this.#answer(request, response);
    this.#server =
      tls === undefined
        ? createServer(answer)
        : createSecureServer(
            {
              cert: tls.certificatePem,
              key: tls.keyPem,
              ...(tls.clientCaPem === undefined ? {} : { ca: tls.clientCaPem, requestCert: true }),
            },
            answer,
          );
    for (const event of ['connection', 'secureConnection']) {
      this.#server.on(event, (socket: Socket) => {
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
        socket.on('error', () => undefined);
      });
    }
    this.#bookmarks = bookmarkEveryMs === undefined ? null : setInterval(() => this.bookmark(), bookmarkEveryMs);
  }

  static async start(options: FakeKubernetesOptions = {}): Promise<FakeKubernetes> {
    const fake = new FakeKubernetes(options);
    await fake.listen();
    return fake;
  }

  #port = 0;

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.#port}`;
  }

  get watchCount(): number {
    return this.#watchers.size;
  }

  get connectionCount(): number {
    return this.#sockets.size;
  }

  // ── objects ──

  put(resource: ResourceName, given: FakeObject, namespace = 'shop'): void {
    const { kind } = resources[resource];
    const key = `${resource}/${namespace}/${given.metadata.name}`;
    const isNew = !this.#objects.has(key);
    this.#version += 1;
    const object: FakeObject = {
      apiVersion: apiVersionOf(resource),
      kind,
      ...given,
      metadata: {
        uid: `uid-${given.metadata.name}`,
        ...given.metadata,
        namespace,
        resourceVersion: String(this.#version),
      },
    };
    this.#objects.set(key, { resource, object });
    this.#happened({ version: this.#version, resource, type: isNew ? 'ADDED' : 'MODIFIED', object });
  }

  /** Silently: as if those who watch were cut off before. */
  delete(resource: ResourceName, name: string, namespace = 'shop', how: 'said' | 'silently' = 'said'): void {
    const key = `${resource}/${namespace}/${name}`;
    const found = this.#objects.get(key);
    if (found === undefined) throw new Error(`${key} is not there`);
    this.#objects.delete(key);
    this.#version += 1;
    if (how === 'silently') return;
    const { object } = found;
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#happened({ version: this.#version, resource, type: 'DELETED', object: last });
  }

  #happened(event: Event): void {
    this.#events.push(event);
    for (const watcher of this.#watchers) tell(watcher, event);
  }

  // ── what goes wrong ──

  bookmark(): void {
    for (const { response, resource } of this.#watchers) {
      const { kind } = resources[resource];
      const metadata = { resourceVersion: String(this.#version), creationTimestamp: null };
      write(response, { type: 'BOOKMARK', object: { kind, apiVersion: apiVersionOf(resource), metadata } });
    }
  }

  /** All versions until now are too old, for whoever comes. */
  forget(): void {
    this.#version += 1;
    this.#oldest = this.#version;
  }

  /** The same, told to those who watch, in their streams. */
  expire(): void {
    this.forget();
    for (const { response } of this.#watchers) {
      write(response, { type: 'ERROR', object: status(410, 'Expired', 'too old resource version') });
    }
    this.closeWatches();
  }

  /** Every watch ends as it should. */
  closeWatches(): void {
    for (const { response } of this.#watchers) response.end();
    this.#watchers.clear();
  }

  /** Bytes into every watch, as they are. */
  say(text: string | Uint8Array): void {
    for (const { response } of this.#watchers) response.write(text);
  }

  cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async down(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cutConnections();
    await closed;
  }

  async stop(): Promise<void> {
    if (this.#bookmarks !== null) clearInterval(this.#bookmarks);
    if (this.#server.listening) await this.down();
  }

  // ── requests ──

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '/', this.url);
    const found = resourceAt(path);
    const isWatch = /^(?:1|true)$/.test(query.get('watch') ?? '');
    const authorization = request.headers.authorization ?? '';
    const accept = request.headers.accept ?? '';
    if (this.isMute) return;
    if (this.answerWith !== null) {
      response.writeHead(200, { 'content-type': 'application/json' });
      const body = typeof this.answerWith === 'string' ? this.answerWith : this.answerWith();
      if (!this.isBreakingOff) return void response.end(body);
      response.write(body, () => response.destroy());
      return;
    }
    if (this.slowMs > 0) await new Promise((resolve) => setTimeout(resolve, this.slowMs));

    const refused = this.#refusal(found, authorization);
    const code = refused ?? this.#serve({ found, path, query, isWatch, accept, response });
    const asked = { resource: found?.resource ?? '', isWatch, path, query, authorization, accept, status: code };
    this.asked.push(asked);
    if (refused !== null) send(response, refused, status(refused, 'Refused', `refused ${path}`));
    this.onAsked(asked);
  }

  #refusal(found: Found | null, authorization: string): number | null {
    const isKnown = this.tokens === null || this.tokens.some((token) => authorization === `Bearer ${token}`);
    if (!isKnown) return 401;
    const everywhere = this.refuse.get('*');
    if (everywhere !== undefined) return everywhere;
    if (found === null) return null;
    if (this.#without.has(found.resource)) return 404;
    return this.refuse.get(found.resource) ?? null;
  }

  #serve({ found, path, query, isWatch, accept, response }: Request): number {
    if (found === null) {
      const document = discovery(path, this.#without);
      return send(response, document === null ? 404 : 200, document ?? status(404, 'NotFound', path));
    }
    const isMetadataOnly = accept.split(',')[0]?.includes('as=PartialObjectMetadata') === true;
    if (found.name !== '') return this.#one(found, response);
    const watcher = { resource: found.resource, response, selector: query.get('labelSelector') ?? '', isMetadataOnly };
    return isWatch ? this.#watch(watcher, found.namespace, query) : this.#list(watcher, found, query);
  }

  #one({ resource, namespace, name }: Found, response: ServerResponse): number {
    const one = this.#objects.get(`${resource}/${namespace}/${name}`);
    return send(response, one === undefined ? 404 : 200, one?.object ?? status(404, 'NotFound', name));
  }

  #list(
    { resource, response, selector, isMetadataOnly }: Watcher,
    { namespace }: Found,
    query: URLSearchParams,
  ): number {
    const all = [...this.#objects.values()]
      .filter((entry) => entry.resource === resource && isSelected(entry.object, selector))
      .filter(({ object }) => namespace === '' || object.metadata.namespace === namespace)
      .map(({ object }) => (isMetadataOnly ? metadataOf(object) : object));
    const limit = Number(query.get('limit') ?? 0);
    const [from = 0, version = this.#version] = (query.get('continue') ?? '').split('.').filter(Boolean).map(Number);
    if (version < this.#oldest) return send(response, 410, status(410, 'Expired', 'the continue token is too old'));
    const to = limit === 0 ? all.length : from + limit;
    const isLast = to >= all.length;
    return send(response, 200, {
      kind: isMetadataOnly ? 'PartialObjectMetadataList' : `${resources[resource].kind}List`,
      apiVersion: isMetadataOnly ? 'meta.k8s.io/v1' : apiVersionOf(resource),
      metadata: {
        resourceVersion: String(version),
        ...(isLast ? {} : { continue: `${to}.${version}`, remainingItemCount: all.length - to }),
      },
      items: all.slice(from, to),
    });
  }

  #watch(watcher: Watcher, namespace: string, query: URLSearchParams): number {
    const { response } = watcher;
    const since = Number(query.get('resourceVersion') ?? 0);
    if (since !== 0 && since < this.#oldest) {
      return send(response, 410, status(410, 'Expired', `too old resource version: ${since} (${this.#oldest})`));
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const event of this.#events) {
      const isOfNamespace = namespace === '' || event.object.metadata.namespace === namespace;
      if (event.version > since && event.resource === watcher.resource && isOfNamespace) tell(watcher, event);
    }
    this.#watchers.add(watcher);
    const seconds = Number(query.get('timeoutSeconds') ?? 0);
    const timer = seconds === 0 ? undefined : setTimeout(() => response.end(), seconds * 1000);
    response.on('close', () => {
      clearTimeout(timer);
      this.#watchers.delete(watcher);
    });
    return 200;
  }
}

interface Found {
  readonly resource: ResourceName;
  readonly namespace: string;
  readonly name: string;
}

interface Request {
  readonly found: Found | null;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly isWatch: boolean;
  readonly accept: string;
  readonly response: ServerResponse;
}

function resourceAt(path: string): Found | null {
  const match = /^\/apis?\/(?:([a-z0-9.]+)\/)?(v\d\w*)(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+))?$/.exec(path);
  if (match === null) return null;
  const [, group = '', version, namespace = '', name = '', object = ''] = match;
  const resource = name in resources ? (name as ResourceName) : null;
  if (resource === null || resources[resource].group !== group || resources[resource].version !== version) return null;
  return { resource, namespace, name: object };
}

function apiVersionOf(resource: ResourceName): string {
  const { group, version } = resources[resource];
  return group === '' ? version : `${group}/${version}`;
}

/** `a=b,c=d`, as far as tests use it. */
function isSelected({ metadata }: FakeObject, selector: string): boolean {
  const wanted = selector.split(',').filter(Boolean);
  return wanted.every((one) => metadata.labels?.[one.split('=')[0] ?? ''] === one.split('=').at(-1));
}

function metadataOf({ metadata }: FakeObject): FakeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}

function status(code: number, reason: string, message: string): unknown {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}

function tell({ resource, response, selector, isMetadataOnly }: Watcher, event: Event): void {
  if (event.resource !== resource || !isSelected(event.object, selector)) return;
  write(response, { type: event.type, object: isMetadataOnly ? metadataOf(event.object) : event.object });
}

function write(response: ServerResponse, event: unknown): void {
  response.write(`${JSON.stringify(event)}\n`);
}

function send(response: ServerResponse, code: number, body: unknown): number {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
  return code;
}

/** What kubectl asks before it asks for anything. */
function discovery(path: string, without: ReadonlySet<ResourceName>): unknown {
  const there = (Object.keys(resources) as ResourceName[]).filter((name) => !without.has(name));
  const groups = [...new Set(there.map((name) => resources[name].group))].filter((group) => group !== '');
  if (path === '/version') return { major: '1', minor: '32', gitVersion: 'v1.32.0' };
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  if (path === '/apis') {
    return {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: groups.map((name) => {
        const { version } = resources[there.find((one) => resources[one].group === name) ?? 'pods'];
        const known = { groupVersion: `${name}/${version}`, version };
        return { name, versions: [known], preferredVersion: known };
      }),
    };
  }
  const match = /^\/apis?\/(?:([a-z0-9.]+)\/)?(v\d\w*)$/.exec(path);
  const own = there.filter(
    (name) => resources[name].group === (match?.[1] ?? '') && resources[name].version === match?.[2],
  );
  if (own.length === 0) return null;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: path.replace(/^\/apis?\//, ''),
    resources: own.map((name) => ({
      name,
      singularName: resources[name].kind.toLowerCase(),
      namespaced: true,
      kind: resources[name].kind,
      verbs: ['get', 'list', 'watch'],
      ...(resources[name].short === '' ? {} : { shortNames: [resources[name].short] }),
    })),
  };
}
