/**
 * Which API server, and who we are there, by a kubeconfig or from within a cluster. The official client knows all ways to
 * log in (certificates, tokens, plugins) and is used for nothing else: it takes 0.6 s to load, its watches end every 30 s
 * without bookmarks, are renewed late, and stay dead after an error.
 */
import type { KubeConfig } from '@kubernetes/client-node';
import type { AgentOptions, RequestOptions } from 'node:https';
import { BlockList, isIP } from 'node:net';
import { Agent, ProxyAgent, type buildConnector, type Dispatcher } from 'undici';
import type { KubernetesSpec } from '../core/platform.ts';
import type { Clock } from '../core/ports.ts';
import { sToNs } from '../core/time.ts';
import { notTold, told, type NotTold, type Told } from './told.ts';

/** A way to the API server that is valid now. */
export interface Way {
  /** With the path that it is under, where a proxy serves several clusters; without a slash at the end. */
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the one who asked for it, who destroys it. */
  readonly dispatcher: Dispatcher;
  /** It was not accepted: who asks next is logged in anew, unless somebody was already. */
  refused(): void;
}

export interface KubernetesLogin {
  /** Logs in again where what we hold has expired. */
  way(): Promise<Told<Way>>;
}

export interface LoginOptions {
  readonly spec: Pick<KubernetesSpec, 'kubeconfig' | 'context'>;
  readonly clock: Clock;
}

interface Credentials {
  readonly config: KubeConfig;
  readonly options: RequestOptions;
}

/** A plugin may ask a cloud first. */
const loginWithinS = 20;
const connectWithinMs = 5000;
/** A connection whose other end has vanished is found dead 10 s later (Node asks ten times, once a second). */
const keepAliveDelayMs = 15_000;

export function newKubernetesLogin({ spec, clock }: LoginOptions): KubernetesLogin {
  let held: Promise<Told<KubeConfig>> | null = null;
  /** One at a time: each may run a plugin. */
  let underWay: Promise<Told<Credentials>> | null = null;

  async function logIn(): Promise<Told<Credentials>> {
    held ??= loadConfig(spec).catch(unusable);
    const config = await held;
    if (config.kind === 'told') return credentialsOf(config.value);
    // A file that is not there may be there next time.
    held = null;
    return config;
  }

  return {
    async way() {
      underWay ??= withinTime(clock, logIn()).finally(() => {
        underWay = null;
      });
      const heldNow = held;
      const credentials = await underWay;
      const refused = (): void => {
        if (held === heldNow) held = null;
      };
      if (credentials.kind === 'not-told') return credentials;
      try {
        return wayOf(credentials.value, refused);
      } catch (error) {
        return unusable(error);
      }
    },
  };
}

function withinTime(clock: Clock, login: Promise<Told<Credentials>>): Promise<Told<Credentials>> {
  return new Promise((resolve) => {
    const late = notTold('timed-out', `logging in to Kubernetes took more than ${loginWithinS} s`);
    const cancel = clock.at(clock.nowNs() + sToNs(loginWithinS), () => resolve(late));
    void login.then((credentials) => {
      cancel();
      resolve(credentials);
    });
  });
}

// ── the kubeconfig ───────────────────────────────────────────────────────────────────────────────────────────────────

async function loadConfig({ kubeconfig, context }: LoginOptions['spec']): Promise<Told<KubeConfig>> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  const from = kubeconfig ?? 'the kubeconfig';
  try {
    if (kubeconfig === null) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    // The message may quote the file, which holds keys.
    return notTold('no-credentials', `${from} could not be read (${codeOf(error)})`);
  }
  if (kubeconfig === null && isAssumed(config)) {
    return notTold(
      'no-credentials',
      'there is no kubeconfig: neither KUBECONFIG, nor ~/.kube/config, nor a cluster around',
    );
  }
  if (context !== null) config.setCurrentContext(context);
  const known = config.getContexts().map(({ name }) => name);
  if (!known.includes(config.getCurrentContext())) {
    const which = context === null ? 'no current context' : `no context "${context}"`;
    return notTold('no-credentials', `${from} has ${which}; it has ${known.join(', ') || 'none'}`);
  }
  const server = config.getCurrentCluster()?.server;
  if (server === undefined || config.getCurrentUser() === null) {
    return notTold(
      'no-credentials',
      `the context "${config.getCurrentContext()}" of ${from} names a cluster or a user that is not in it`,
    );
  }
  return serverProblem(server) ?? told(config);
}

/** What the client assumes where it finds nothing: a server of its own on this machine. */
function isAssumed(config: KubeConfig): boolean {
  return (
    config.getCurrentContext() === 'loaded-context' && config.getCurrentCluster()?.server === 'http://localhost:8080'
  );
}

function serverProblem(server: string): NotTold | null {
  const url = URL.canParse(server) ? new URL(server) : null;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))) return null;
  return notTold(
    'other',
    'the API server of a kubeconfig is an https URL; http is for this machine only, as of kubectl proxy',
  );
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isLoopback(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(address);
  return hostname === 'localhost' || (family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6'));
}

// ── who we are ───────────────────────────────────────────────────────────────────────────────────────────────────────

async function credentialsOf(config: KubeConfig): Promise<Told<Credentials>> {
  const cluster = config.getCurrentCluster();
  // The client refuses http unless nothing is to be verified, and without TLS there is nothing.
  if (cluster?.server.startsWith('http:') === true) Object.assign(cluster, { skipTLSVerify: true });
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
    return told({ config, options });
  } catch (error) {
    const plugin = config.getCurrentUser()?.exec?.command as unknown;
    const what = typeof plugin === 'string' ? `its plugin ${plugin}` : 'its keys or tokens';
    return notTold('no-credentials', `logging in to Kubernetes failed: ${what} (${codeOf(error)})`);
  }
}

/** HTTP/1.1: each watch has a connection of its own, so that a slow one holds up no other. */
function wayOf({ config, options }: Credentials, refused: () => void): Told<Way> {
  const cluster = config.getCurrentCluster();
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value);
  if (typeof options.auth === 'string') {
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  const dispatcher = dispatcherOf(config, options);
  if (dispatcher === null) return notTold('other', 'a SOCKS proxy in the kubeconfig is not supported');
  return told({ server: cluster?.server.replace(/\/+$/, '') ?? '', headers, dispatcher, refused });
}

function dispatcherOf(config: KubeConfig, options: RequestOptions): Dispatcher | null {
  const way = config.createDispatcherOptions(config.getCurrentCluster(), options as AgentOptions);
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: keepAliveDelayMs, timeout: connectWithinMs };
  switch (way.type) {
    case 'none':
      return new Agent({ allowH2: false, connect: keepAlive });
    case 'agent':
      return new Agent({ allowH2: false, connect: { ...way.connect, ...keepAlive } as buildConnector.BuildOptions });
    case 'proxy': {
      const requestTls = way.requestTls as buildConnector.BuildOptions;
      return new ProxyAgent({ uri: way.uri, allowH2: false, requestTls, connect: keepAlive });
    }
    case 'socks':
      return null;
  }
}

/** Nobody checks what else is in a kubeconfig; its proxy may be a number. */
function unusable(error: unknown): NotTold {
  return notTold('no-credentials', `the kubeconfig cannot be used (${codeOf(error)})`);
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code === 'string') return code;
  return error instanceof Error ? error.name : 'unknown';
}
