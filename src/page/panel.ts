/** One drawing on the shared time. */
import type { Range } from './range.ts';

export interface Panel {
  /** What is pointed at: as wide as the time that is shown. */
  readonly plot: HTMLElement;
  /** What it is hidden with. */
  readonly row: HTMLElement;
  /** For those who cannot see it. */
  readonly label: string;
  /** Null: always shown. */
  readonly of: { readonly service: string; readonly client: string; readonly resolver: string | null } | null;
  readonly draw: (range: Range) => void;
  /** Says the newest numbers beside it, whether it is in sight or not. */
  readonly refresh?: () => void;
  /** What is told of an instant, line by line. */
  readonly at: (ms: number, range: Range) => readonly string[];
}
