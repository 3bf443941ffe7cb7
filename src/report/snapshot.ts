/** A run as it stands: what the page, the live view and the live page show. One shape, so that all three show the same. */
import type { Picture } from '../core/picture.ts';
import type { Report } from './shape.ts';

export interface Snapshot {
  readonly report: Report;
  readonly picture: Picture;
  /** ms since run start; of a run that has ended, its end. */
  readonly nowMs: number;
  readonly isRunning: boolean;
}
