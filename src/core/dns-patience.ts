import { nsPerS } from './time.ts';

/** How often a server is asked over UDP before it counts as silent. */
export const udpAttemptCount = 3;

/**
 * When a question that got no answer is sent again. A lost packet costs the user a second, then two more, whatever the
 * deadline; within a short deadline attempts are spread evenly.
 */
export function nextAttemptAtNs(
  startedAtNs: number,
  deadlineNs: number,
  attempts: { readonly made: number; readonly max: number },
): number {
  const evenNs = (Math.max(0, deadlineNs - startedAtNs) * attempts.made) / attempts.max;
  const patientNs = (2 ** attempts.made - 1) * nsPerS;
  return startedAtNs + Math.round(Math.min(evenNs, patientNs));
}
