/** How long the side that is left must go on answering, in words: what `oldAnswers` says of the first change. */
import { durationText, listText } from '../core/quantity-text.ts';
import { afterText, clockText } from './instant-text.ts';
import { namedMax } from './pick.ts';
import type { ServiceView } from './service-view.ts';
import type { Report, ReportOldAnswers } from './shape.ts';

export interface KeepAnswering {
  /** Wall clock, ms since 1970. */
  readonly untilMs: number;
  /** The same for people, and why. */
  readonly text: string;
}

/** `here until 10:02:22.300 UTC, at least 80 s after the switch: TTL 20 s and 60 s that chrome keeps an answer`. */
export function keepAnswering({ run }: Report, { change, service }: ServiceView): KeepAnswering | null {
  const answers = service.oldAnswers;
  if (change === undefined || answers === null || answers.untilAt === null) return null;
  const { untilAt, leastS, ownCaches, keptLongerBy, isOpen } = answers;
  const clock = clockText(run.startedAt, untilAt);
  const after = afterText(change.usedAt, untilAt);
  const ttlS = service.ttlS.after ?? service.ttlS.before;
  const say = (text: string): KeepAnswering => ({ untilMs: Date.parse(untilAt), text: `here ${text}` });
  if (isOpen) return say(`longer than was watched, for at ${clock} UTC ${listText(keptLongerBy)} still had it`);
  if (keptLongerBy.length > 0) {
    const than = ttlS === null ? 'than it should have been' : `than the TTL of ${durationText(ttlS * 1000)} allows`;
    return say(`until ${clock} UTC, ${after}, since ${listText(keptLongerBy)} served it longer ${than}`);
  }
  if (ttlS === null || leastS === null) return say(`until ${clock} UTC, ${after}`);
  const ttl = `TTL ${durationText(ttlS * 1000)}`;
  if (ownCaches.length === 0) return say(`until ${clock} UTC, ${after} (${ttl})`);
  const least = `at least ${durationText(leastS * 1000)} after the switch`;
  return say(`until ${clock} UTC, ${least}: ${ttl} and ${cachesText(ownCaches)}`);
}

/** `60 s that chrome keeps an answer (jvm-30: 30 s)`. */
function cachesText(caches: ReportOldAnswers['ownCaches']): string {
  const longestS = caches[0]?.s ?? 0;
  const longest = caches.filter(({ s }) => s === longestS).map(({ client }) => client);
  const rest = caches.slice(longest.length, longest.length + namedMax);
  const others = rest.map(({ client, s }) => `${client}: ${durationText(s * 1000)}`).join(', ');
  const keep = longest.length === 1 ? 'keeps' : 'keep';
  return `${durationText(longestS * 1000)} that ${listText(longest)} ${keep} an answer${others === '' ? '' : ` (${others})`}`;
}
