import { sToNs } from '../core/time.ts';

/** How long a server may take to close what it said it would close, so that the TIME_WAIT is on its side. */
export const lingerNs: number = sToNs(1);
