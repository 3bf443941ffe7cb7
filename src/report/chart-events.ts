/** What people and name servers did, as marks on a chart's time. */
import type { Instant, Report } from './shape.ts';

export interface ChartEvent {
  readonly kind: 'mark' | 'command' | 'change' | 'authority' | 'rollout' | 'stale-target';
  readonly fromMs: number;
  /** null = an instant. */
  readonly toMs: number | null;
  /** null: of the run. */
  readonly service: string | null;
  readonly text: string;
}

/** In order of time. */
export function eventsOf(report: Report, at: (instant: Instant) => number): ChartEvent[] {
  const { run, marks, services, rollouts = [], staleTargets } = report;
  const events: ChartEvent[] = marks.map((mark) => ({
    kind: 'mark',
    fromMs: at(mark.at),
    toMs: null,
    service: null,
    text: `mark: ${mark.text}`,
  }));
  const { command } = run;
  if (command !== null && command.fromAt !== null) {
    const toMs = command.toAt === null ? null : at(command.toAt);
    events.push({
      kind: 'command',
      fromMs: at(command.fromAt),
      toMs,
      service: null,
      text: `command: ${command.program.split('/').at(-1) ?? ''}`,
    });
  }
  for (const { name, changes } of services) {
    for (const { usedAt, direction, authorityLastAt } of changes) {
      const to = run.sides[direction === 'old-to-new' ? 'new' : 'old'].title;
      const what = run.mode === 'deploy' ? `deployment of ${name}` : `change of ${name} to ${to}`;
      events.push({ kind: 'change', fromMs: at(usedAt), toMs: null, service: name, text: what });
      if (authorityLastAt === null) continue;
      const text = `the last name server of ${name} followed`;
      events.push({ kind: 'authority', fromMs: at(authorityLastAt), toMs: null, service: name, text });
    }
  }
  for (const { name, beganAt, completeAt, toRevision } of rollouts) {
    const toMs = completeAt === null ? null : at(completeAt);
    events.push({
      kind: 'rollout',
      fromMs: at(beganAt),
      toMs,
      service: null,
      text: `rollout of ${name}: ${toRevision}`,
    });
  }
  for (const { target, group, fromAt, toAt } of staleTargets) {
    const text = `stale target ${target ?? 'not known'}${group === '' ? '' : ` of ${group}`}`;
    events.push({ kind: 'stale-target', fromMs: at(fromAt), toMs: at(toAt), service: null, text });
  }
  return events.toSorted((a, b) => a.fromMs - b.fromMs);
}
