/** What each resolver did with the answers: one row each, and below it what a reader may want to know of its ways. */
import { boundsText, countOf, durationText } from '../core/quantity-text.ts';
import { clockText } from './instant-text.ts';
import { rowsMax, type Cell, type Section } from './section.ts';
import type { Report, ReportResolver } from './shape.ts';

export function resolverSection({ resolvers, run }: Report): Section[] {
  if (resolvers.length === 0) return [];
  const noted = resolvers.flatMap((resolver) =>
    resolver.findings
      .filter(({ severity }) => severity === 'info')
      .map(({ text }) => [`${resolver.name}, ${resolver.hostname}`, text] as const),
  );
  return [
    {
      title: 'Resolvers',
      level: 2,
      paragraphs: [],
      table: {
        columns: [
          { name: 'Resolver' },
          { name: 'Name' },
          { name: 'TTL seen, s' },
          { name: 'What it does' },
          { name: 'Caches', kind: 'number' },
          { name: 'First new answer', kind: 'short' },
          { name: 'Last old answer', kind: 'short' },
          { name: 'Followed' },
        ],
        rows: resolvers
          .slice(0, rowsMax)
          .map((resolver): Cell[] => [
            { text: resolver.name },
            { text: resolver.hostname },
            { text: ttlText(resolver) },
            conductCell(resolver),
            { text: cachesText(resolver) },
            { text: clockText(run.startedAt, resolver.firstNewAt) },
            { text: clockText(run.startedAt, resolver.lastOldAt) },
            { text: followedText(resolver) },
          ]),
      },
      ...(noted.length === 0 ? {} : { list: noted.slice(0, rowsMax) }),
    },
  ];
}

function ttlText({ ttlS }: ReportResolver): string {
  return ttlS.max === null ? '–' : boundsText({ min: ttlS.min ?? 0, max: ttlS.max }, String);
}

function conductCell({ conduct: { kind, clampS } }: ReportResolver): Cell {
  const s = String(clampS);
  switch (kind) {
    case 'honest':
      return { text: 'keeps the TTL' };
    case 'raises-ttl':
      return { text: `keeps answers at least ${s} s`, tone: 'unsure' };
    case 'lowers-ttl':
      return { text: `keeps answers at most ${s} s` };
    case 'constant-ttl':
      return { text: `always says ${s} s` };
    case 'serves-stale':
      return { text: 'serves expired answers', tone: 'unsure' };
    case 'violates-ttl':
      return { text: 'breaks the TTL', tone: 'bad' };
    case 'prefetches':
      return { text: 'keeps the TTL, fetches ahead' };
    case 'unknown':
      return { text: '–', tone: 'faint' };
  }
}

function cachesText({ caches }: ReportResolver): string {
  if (caches === null) return '–';
  return caches > 1 ? `≥ ${String(caches)}` : String(caches);
}

function followedText({ convergedMs, flipBacks }: ReportResolver): string {
  const parts = [
    ...(convergedMs === null ? [] : [`after ${durationText(convergedMs)}`]),
    ...(flipBacks === 0 ? [] : [`back to old ${countOf(flipBacks, 'time')}`]),
  ];
  return parts.join(', ');
}
