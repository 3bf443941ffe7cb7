/** What somebody looks at in the live view: not what is so, but what of it is shown, and what is being asked. */

export interface LiveView {
  /** ms since run start; the snapshot may be somewhat older. */
  readonly nowMs: number;
  /** Lanes whose service, check, client, resolver and address have all these words; '' = all. */
  readonly filter: string;
  /** The name of a service; null = the first that is shown. */
  readonly selected: string | null;
  /** All lanes of the selected service are shown, also those that are not judged. */
  readonly isOpen: boolean;
  /** Rows of services and lanes that are skipped. */
  readonly scroll: number;
  /** How much of the past a strip shows. */
  readonly windowMs: number;
  readonly isHelp: boolean;
  readonly asking: Asking | null;
  /** A sentence on what a key did or did not do; null = none. */
  readonly notice: string | null;
  readonly isStopping: boolean;
  /** Keys are heard at all. */
  readonly hasKeys: boolean;
  readonly isAscii: boolean;
  /** What the run said, the oldest first. */
  readonly said: readonly Said[];
}

export interface Said {
  /** ms since run start. */
  readonly atMs: number;
  readonly text: string;
}

export type Asking = { readonly kind: 'mark' | 'filter'; readonly edited: Edited } | { readonly kind: 'stop' };

/** A line that is being typed. */
export interface Edited {
  readonly text: string;
  /** Between characters as people see them: so many stand before it. */
  readonly cursor: number;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export const windowsMs: readonly number[] = [1, 5, 15, 60, 240].map((minutes) => minutes * 60_000);

export const firstView: LiveView = {
  nowMs: 0,
  filter: '',
  selected: null,
  isOpen: false,
  scroll: 0,
  windowMs: 5 * 60_000,
  isHelp: false,
  asking: null,
  notice: null,
  isStopping: false,
  hasKeys: true,
  isAscii: false,
  said: [],
};
