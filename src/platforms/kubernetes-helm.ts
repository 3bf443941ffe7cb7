/**
 * Helm's releases, without their contents. Helm keeps each revision in a Secret with the name, the revision and the status
 * in its labels; asked for metadata only, the API server sends labels and never what is in the Secret.
 */
import type { HelmReleaseSeen } from '../core/platform.ts';
import { textAt } from './kubernetes-json.ts';

export interface HelmRevisionSeen {
  readonly release: string;
  readonly revision: number;
  readonly status: string;
}

export function helmRevisionSeen(object: unknown): HelmRevisionSeen | null {
  const label = (name: string): string => textAt(object, 'metadata', 'labels', name);
  const version = label('version');
  if (label('name') === '' || !/^\d{1,9}$/.test(version)) return null;
  return { release: label('name'), revision: Number(version), status: label('status') };
}

export function helmReleases(revisions: readonly HelmRevisionSeen[]): readonly HelmReleaseSeen[] {
  const byRelease = Map.groupBy(revisions, ({ release }) => release);
  return [...byRelease].flatMap(([name, own]) => {
    const ordered = own.toSorted((a, b) => a.revision - b.revision);
    const last = ordered.at(-1);
    if (last === undefined) return [];
    return { name, revision: last.revision, status: last.status, revisions: ordered.map(({ revision }) => revision) };
  });
}
