/**
 * List and watch, as the Kubernetes API has them: a list is a state with its version, a watch is every change after a
 * version. Objects are read as they come, and only what is kept of them stays in memory.
 */
import { sToNs } from '../core/time.ts';
import { at, numberAt, parseJson, textAt } from './kubernetes-json.ts';
import { newLineCutter } from './kubernetes-lines.ts';
import { changedAtMs, nameOf } from './kubernetes-objects.ts';
import { notAnswered, request, type Answer, type RequestPorts } from './kubernetes-request.ts';
import { notTold, told, type NotTold, type Told } from './told.ts';

/** One kind of object, of one namespace. */
export interface Resource<T> {
  /** As a Role names it: `pods`, `endpointslices`. */
  readonly name: string;
  /** '' is the core group. */
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  /** Which of them; left out: all. */
  readonly labelSelector?: string;
  /** Names and labels are all that is asked for: what else is in them never leaves the API server. */
  readonly isMetadataOnly?: boolean;
  /** null: nothing that we could use. */
  readonly read: (object: unknown) => T | null;
}

export interface Item<T> {
  readonly seen: T;
  /** When it was last written, by the API server's clock. */
  readonly theirAtMs: number | null;
}

export interface Listed<T> {
  /** By name. */
  readonly items: ReadonlyMap<string, Item<T>>;
  readonly resourceVersion: string;
  /** What is listed was so at some instant between these two. */
  readonly sentAtNs: number;
  readonly receivedAtNs: number;
}

export type WatchEnd =
  /** By the server, between two events, as it does every few minutes. */
  | { readonly kind: 'closed' }
  /** The version is too old, or something could not be read: only a new list shows what is so now. */
  | { readonly kind: 'lost'; readonly why: string }
  | { readonly kind: 'failed'; readonly error: NotTold };

export interface WatchOptions<T> {
  readonly resourceVersion: string;
  readonly signal: AbortSignal;
  /** The server tells us of changes from now on, beginning with those since the version. */
  readonly opened: () => void;
  /** Something came, and what came before it is known; of a bookmark that is all there is to it. */
  readonly heard: (resourceVersion: string) => void;
  /** null: it is deleted. */
  readonly changed: (name: string, item: Item<T> | null) => void;
}

export interface KubernetesApi {
  list<T>(resource: Resource<T>, signal: AbortSignal): Promise<Told<Listed<T>>>;
  watch<T>(resource: Resource<T>, options: WatchOptions<T>): Promise<WatchEnd>;
}

const pageItemCount = 250;
const pageBytesMax = 64 * 1024 * 1024;
/** More than any namespace that somebody would move in one evening. */
const itemCountMax = 20_000;
/** A server that always has more must not keep us for ever, whether it gives anything or not. */
const pageCountMax = 200;
const pageWithinS = 30;
/** The server closes a watch after so long: the idle limit of many a proxy between is 300 s. */
const watchForS = 290;
/** The server sends a bookmark about once a minute. Where nothing came for so long, the connection may be dead. */
const silenceMaxS = 100;

export function newKubernetesApi(ports: RequestPorts): KubernetesApi {
  return {
    async list(resource, signal) {
      const inPages = await listed(ports, resource, { signal, limit: pageItemCount });
      if (inPages !== 'expired') return inPages;
      // So much was changed meanwhile that the pages to come are gone: then all at once.
      const atOnce = await listed(ports, resource, { signal, limit: 0 });
      return atOnce === 'expired' ? notTold('other', `${resource.name} cannot be listed (410)`) : atOnce;
    },
    watch: (resource, options) => watch(ports, resource, options),
  };
}

// ── list ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

interface ListOptions {
  readonly signal: AbortSignal;
  /** 0 = no limit. */
  readonly limit: number;
}

async function listed<T>(
  ports: RequestPorts,
  resource: Resource<T>,
  { signal, limit }: ListOptions,
): Promise<Told<Listed<T>> | 'expired'> {
  const sentAtNs = ports.clock.nowNs();
  const items = new Map<string, Item<T>>();
  const asked = new Set<string>();
  for (let next = ''; ;) {
    const query = { limit: limit === 0 ? '' : String(limit), continue: next };
    const page = await pageOf(ports, { resource, path: pathOf(resource, query), signal });
    if (page === 'expired' || page.kind === 'not-told') return page;
    for (const object of itemsOf(page.value)) {
      const item = itemOf(resource, object);
      if (item !== null) items.set(nameOf(object), item);
    }
    asked.add(next);
    next = textAt(page.value, 'metadata', 'continue');
    const resourceVersion = textAt(page.value, 'metadata', 'resourceVersion');
    if (next === '') return told({ items, resourceVersion, sentAtNs, receivedAtNs: ports.clock.nowNs() });
    if (items.size > itemCountMax) return notTold('other', `there are more than ${itemCountMax} ${resource.name}`);
    if (asked.has(next) || asked.size >= pageCountMax)
      return notTold('other', `the list of ${resource.name} has no end`);
  }
}

interface PageOptions {
  readonly resource: Resource<unknown>;
  readonly path: string;
  readonly signal: AbortSignal;
}

async function pageOf(
  ports: RequestPorts,
  { resource, path, signal }: PageOptions,
): Promise<Told<unknown> | 'expired'> {
  const sent = await request(ports, { path, accept: acceptOf(resource, 'List'), signal });
  if (sent.kind === 'not-told') return sent;
  const answer = sent.value;
  answer.endAfter(sToNs(pageWithinS));
  try {
    if (answer.status === 410) return 'expired';
    if (answer.status !== 200) return refused(resource, answer.status);
    const text = await textOf(answer, pageBytesMax);
    const page = text === null ? undefined : parseJson(text);
    if (!Array.isArray(at(page, 'items')) || !isMeantFor(resource, page)) {
      return notTold('other', `the list of ${resource.name} cannot be read`);
    }
    return told(page);
  } catch (error) {
    return notAnswered(answer.endedBy, error);
  } finally {
    answer.end();
  }
}

function itemsOf(page: unknown): readonly unknown[] {
  const items = at(page, 'items');
  return Array.isArray(items) ? (items as readonly unknown[]) : [];
}

/** Where only metadata was asked for, nothing else is even looked at. */
function isMeantFor({ isMetadataOnly = false }: Resource<unknown>, page: unknown): boolean {
  return !isMetadataOnly || textAt(page, 'kind') === 'PartialObjectMetadataList';
}

/** null where it is longer. */
async function textOf({ body }: Answer, bytesMax: number): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  for await (const chunk of body) {
    byteCount += chunk.length;
    if (byteCount > bytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function itemOf<T>(resource: Resource<T>, object: unknown): Item<T> | null {
  const seen = resource.read(object);
  return seen === null || nameOf(object) === '' ? null : { seen, theirAtMs: changedAtMs(object) };
}

// ── watch ────────────────────────────────────────────────────────────────────────────────────────────────────────────

async function watch<T>(ports: RequestPorts, resource: Resource<T>, options: WatchOptions<T>): Promise<WatchEnd> {
  const { resourceVersion, signal } = options;
  const query = { watch: '1', resourceVersion, allowWatchBookmarks: 'true', timeoutSeconds: String(watchForS) };
  const path = pathOf(resource, query);
  const sent = await request(ports, { path, accept: acceptOf(resource, ''), signal });
  if (sent.kind === 'not-told') return { kind: 'failed', error: sent };
  const answer = sent.value;
  const failed = (error: NotTold): WatchEnd => ({ kind: 'failed', error });
  try {
    if (answer.status === 410) return { kind: 'lost', why: 'the version we had is too old (410)' };
    if (answer.status !== 200) return failed(refused(resource, answer.status));
    answer.endAfter(sToNs(silenceMaxS));
    options.opened();
    const lines = newLineCutter();
    for await (const chunk of answer.body) {
      answer.endAfter(sToNs(silenceMaxS));
      for (const line of lines.cut(chunk)) {
        const end = hear(resource, options, parseJson(line));
        if (end !== null) return end;
        if (signal.aborted) return failed(notTold('stopped', 'stopped'));
      }
    }
    return lines.isWithin ? failed(notTold('unreachable', 'the stream broke off within a line')) : { kind: 'closed' };
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'lost', why: error.message };
    return failed(notAnswered(answer.endedBy, error));
  } finally {
    answer.end();
  }
}

/** What ends the watch, or null. */
function hear<T>(resource: Resource<T>, { changed, heard }: WatchOptions<T>, event: unknown): WatchEnd | null {
  const type = textAt(event, 'type');
  const object = at(event, 'object');
  if (type === 'ERROR') {
    const code = numberAt(object, 'code') ?? 0;
    if (code === 410) return { kind: 'lost', why: 'the version we had is too old (410)' };
    return { kind: 'failed', error: notTold('other', `the watch of ${resource.name} ended with an error (${code})`) };
  }
  const version = textAt(object, 'metadata', 'resourceVersion');
  if (version === '') return { kind: 'lost', why: `an event of ${resource.name} cannot be read` };
  if (type === 'ADDED' || type === 'MODIFIED') {
    const item = itemOf(resource, object);
    if (nameOf(object) !== '') changed(nameOf(object), item);
  }
  if (type === 'DELETED') changed(nameOf(object), null);
  heard(version);
  return null;
}

// ── may we ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Asked {
  readonly resource: Resource<unknown>;
  readonly verb: 'list' | 'watch';
  readonly signal: AbortSignal;
}

/** Asks for one object, or for a second of watching, and reads nothing of it. */
export async function mayAsk(ports: RequestPorts, { resource, verb, signal }: Asked): Promise<Told<null>> {
  const isWatch = verb === 'watch';
  const path = pathOf(resource, isWatch ? { watch: '1', timeoutSeconds: '1' } : { limit: '1' });
  const sent = await request(ports, { path, accept: acceptOf(resource, isWatch ? '' : 'List'), signal });
  if (sent.kind === 'not-told') return sent;
  sent.value.end();
  return sent.value.status === 200 ? told(null) : refused(resource, sent.value.status);
}

// ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function pathOf(
  { name, group, version, namespace, labelSelector }: Resource<unknown>,
  query: Readonly<Record<string, string>>,
): string {
  const api = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const given = Object.entries({ ...query, labelSelector: labelSelector ?? '' }).filter(([, value]) => value !== '');
  return `${api}/namespaces/${encodeURIComponent(namespace)}/${name}?${new URLSearchParams(given).toString()}`;
}

function acceptOf({ isMetadataOnly = false }: Resource<unknown>, list: 'List' | ''): string {
  // No second choice: a server that cannot leave the rest out answers 406.
  return isMetadataOnly ? `application/json;as=PartialObjectMetadata${list};g=meta.k8s.io;v=v1` : 'application/json';
}

function refused({ name, group, namespace }: Resource<unknown>, status: number): NotTold {
  const what = `${group === '' ? name : `${name}.${group}`} in namespace ${namespace}`;
  switch (status) {
    case 401:
      return notTold('no-credentials', 'the API server of Kubernetes does not accept our credentials (401)');
    case 403:
      return notTold('denied', `not allowed to list and watch ${what} (403): give a Role with these verbs`);
    case 404:
      return notTold('missing', `the API server of Kubernetes has no ${what} (404)`);
    case 429:
      return notTold('throttled', 'the API server of Kubernetes is overloaded (429)');
    default:
      return notTold('other', `the API server of Kubernetes answered ${status} when asked for ${what}`);
  }
}
