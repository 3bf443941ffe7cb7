/** What a report is laid out as. Everything is plain text here, and whoever prints it escapes it. */
import type { Stretch } from '../core/analysis.ts';
import { countText } from '../core/quantity-text.ts';

export type Tone = 'good' | 'bad' | 'unsure' | 'faint';

/** The states of a lane and the instants of its changes, each a share of the run from 0 to 1, for those who can draw. */
export interface Strip {
  readonly stretches: readonly { readonly state: Stretch['state']; readonly from: number; readonly to: number }[];
  readonly changesAt: readonly number[];
}

/** A share from 0 to 1 over time, as bounds, and what was to be expected of it; for those who can draw, instead of the text. */
export interface Curve {
  readonly steps: readonly {
    readonly fromMs: number;
    readonly toMs: number;
    readonly min: number;
    readonly max: number;
    readonly theory: number | null;
  }[];
  /** Where the axis ends. */
  readonly untilMs: number;
  /** The last that was more than none. */
  readonly lastMs: number | null;
  readonly label: string;
}

/** Text, and how it should feel. */
export interface Cell {
  readonly text: string;
  readonly tone?: Tone;
  readonly strip?: Strip;
  readonly curve?: Curve;
  /** The same text as a list, for those who can set one. */
  readonly items?: readonly string[];
  /** The lane that its row is about. */
  readonly lane?: { readonly client: string; readonly resolver: string | null };
}

export interface Table {
  readonly columns: readonly { readonly name: string; readonly kind?: 'number' | 'short' }[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface Section {
  readonly title: string;
  readonly level: 2 | 3;
  /** Left out: of the run. */
  readonly service?: string;
  readonly paragraphs: readonly string[];
  readonly table?: Table;
  /** Term and meaning; a term that has several stands before each. */
  readonly list?: readonly (readonly [term: string, meaning: string])[];
}

/** More rows than anybody reads stay in report.json. */
export const rowsMax = 200;

export function msText(ms: number): string {
  return ms < 100 ? ms.toFixed(1) : countText(Math.round(ms));
}
