/**
 * A post-mortem to begin with, as Markdown: what the run knows is filled in, and what only people know is left blank with
 * the name of who fills it. Nothing is guessed: a blank is better than a sentence that somebody would believe.
 */
import type { Interval } from '../core/analysis.ts';
import { boundsText, countOf, countText, durationBoundsText, listText } from '../core/quantity-text.ts';
import type { Reason } from '../core/verdict.ts';
import { markdownText } from './escape.ts';
import { clockText } from './instant-text.ts';
import { unique } from './pick.ts';
import { timelineRows } from './postmortem-timeline.ts';
import { serviceViews, worstDowntimeMs, type ServiceView } from './service-view.ts';
import type { Report } from './shape.ts';
import { tell, type Story } from './story.ts';
import { objectiveTitle, verdictWords } from './words.ts';

export function postmortem(report: Report): string {
  const views = serviceViews(report);
  const story = tell(report);
  const { run } = report;
  const lines = [
    `# Post-mortem: ${markdownText(run.scenario)}, ${run.startedAt.slice(0, 10)}`,
    '',
    `Filled in from run ${markdownText(run.id)} as far as the run knows. ${blank('name')} marks what only people know.`,
    '',
    ...table(
      ['Severity', 'Incident lead', 'Written by', 'Reviewed on'],
      [[blank('incident lead'), blank('incident lead'), blank('author'), blank('incident lead')]],
    ),
    ...part('Summary', [
      markdownText(`${verdictWords[story.value]}. ${story.headline}`),
      '',
      blank('incident lead: what users noticed, how it was found, and how it ended'),
    ]),
    ...part('Impact', impactLines(report, views)),
    ...part('Timeline (UTC)', [
      ...table(
        ['At', 'What'],
        timelineRows(report).map(({ at, text }) => [clockText(run.startedAt, at), markdownText(text)]),
      ),
      blank('on-call: first complaint, pages, decisions, messages to users'),
    ]),
    ...part('Causes, with evidence', causeLines(report, story)),
    ...part('What went well', wellLines(report, views)),
    ...part('What went badly, and where we had luck', [blank('everybody who took part')]),
    ...part('What was not seen', unseenLines(report)),
    ...part('Actions', actionLines(story)),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function blank(who: string): string {
  return `_____ (${who})`;
}

function part(title: string, lines: readonly string[]): string[] {
  return [`## ${title}`, '', ...lines, ''];
}

function bullets(texts: readonly string[]): string[] {
  return texts.map((text) => `- ${markdownText(text)}`);
}

/** Cells are Markdown already. */
function table(names: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [row(names), row(names.map(() => '---')), ...rows.map(row), ''];
}

function answersOf(story: Story, question: string): readonly string[] {
  return story.answers.find((answer) => answer.question === question)?.lines ?? [];
}

// ── impact ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function impactLines(report: Report, views: readonly ServiceView[]): string[] {
  const rows = views.map((view) => {
    const { service, hit, judged } = view;
    const weightedMs = service.impact.userWeightedMs;
    const isHit = hit.length > 0;
    return [
      markdownText(service.name),
      judged.length === 0 ? 'none was judged' : `${countText(hit.length)} of ${countText(judged.length)}`,
      isHit ? markdownText(`${hit[0]?.lane.name ?? ''}: ${durationBoundsText(worstDowntimeMs([view]))}`) : '–',
      judged.length === 0 ? 'not known' : durationBoundsText(weightedMs),
      judged.length === 0
        ? blank('service owner: nobody was judged, so the run knows none')
        : userMinutes(service.impact),
    ];
  });
  const how = report.run.weightsGiven
    ? 'The downtime of the average user is that of the clients, by their weights in the scenario. User-minutes are that × the number of users ÷ 60 s.'
    : 'The scenario says nothing of how common its clients are: the downtime of the average user counts each client as equally common, so no user-minutes are computed from it. With weights (clients in the scenario) the same evidence gives them: user-minutes are the downtime of the average user × the number of users ÷ 60 s.';
  return [
    ...table(['Service', 'Clients hit', 'Client hit worst, down', 'Average user, down', 'User-minutes'], rows),
    how,
    '',
    blank('service owner: requests and orders lost, money, promises to customers missed'),
  ];
}

/** Who uses a service no scenario tells: for each thousand of them it is known, once weights are. */
function userMinutes({ userWeightedMs, weightsAssumed }: Report['services'][number]['impact']): string {
  if (weightsAssumed) return blank('service owner: weights of clients, and number of users');
  const perThousand: Interval = {
    min: (userWeightedMs.min * 1000) / 60_000,
    max: (userWeightedMs.max * 1000) / 60_000,
  };
  const text = boundsText(perThousand, (value, rounding) =>
    countText(rounding === 'up' ? Math.ceil(value) : rounding === 'down' ? Math.floor(value) : Math.round(value)),
  );
  return `${text} for each 1,000 users × ${blank('service owner: thousands of users')}`;
}

// ── causes, what went well, what was not seen ────────────────────────────────────────────────────────────────────────

function causeLines(report: Report, story: Story): string[] {
  const grave = report.findings.filter(({ severity }) => severity !== 'info');
  const known = [
    ...answersOf(story, 'Why'),
    ...grave.map(({ service, text, evidence }) => {
      const of = service === null ? '' : `${service}: `;
      return `${of}${text}${evidence.length === 0 ? '' : ` Evidence: ${evidence.join('; ')}.`}`;
    }),
    ...report.staleTargets.map(({ text, evidence }) =>
      evidence.length === 0 ? text : `${text} Evidence: ${evidence.join('; ')}.`,
    ),
  ];
  return [
    ...(known.length === 0 ? ['The run saw no cause of trouble.'] : bullets(unique(known))),
    '',
    blank('service owner: why this could happen, and why nothing stopped it'),
  ];
}

function wellLines(report: Report, views: readonly ServiceView[]): string[] {
  const unhurt = views
    .filter(({ hit, judged, service }) => hit.length === 0 && judged.length > 0 && service.verdict === 'pass')
    .map(({ service }) => service.name);
  const kept = views.flatMap(({ service }) => {
    const titles = keptBy(report.verdict.reasons, service.name);
    const as = service.verdict === 'inconclusive' ? ', as far as it was seen' : '';
    return titles.length === 0 ? [] : [`${service.name}: within what was asked${as}: ${listText(titles)}.`];
  });
  const down = unhurt.length === 0 ? [] : [`No judged client of ${listText(unhurt)} was down.`];
  const known = [...down, ...kept];
  return [...(known.length === 0 ? [] : [...bullets(known), '']), blank('everybody who took part')];
}

/** Limits of which nothing but good was said; that the watch itself was whole is no merit of the change. */
function keptBy(reasons: readonly Reason[], service: string): string[] {
  const own = Map.groupBy(
    reasons.filter((reason) => reason.service === service),
    ({ objective }) => objective,
  );
  return [...own].flatMap(([objective, all]) =>
    all.every(({ value, limit }) => value === 'pass' && limit !== null) ? [objectiveTitle(objective)] : [],
  );
}

function unseenLines({ verdict, prober, observers, run }: Report): string[] {
  const open = verdict.reasons.filter(({ value }) => value === 'inconclusive').map(({ text }) => text);
  const dropped =
    prober.droppedCount === 0 ? [] : [`${countOf(prober.droppedCount, 'probe')} could not be sent in time.`];
  const span = (fromAt: string, toAt: string): string =>
    `from ${clockText(run.startedAt, fromAt)} to ${clockText(run.startedAt, toAt)} UTC`;
  const blind = prober.blindSpots.map(({ fromAt, toAt, why }) => `Nothing was seen ${span(fromAt, toAt)}: ${why}.`);
  const gaps = observers.flatMap(({ name, gaps: all }) =>
    all.map(({ fromAt, toAt, why }) => `${name} saw nothing ${span(fromAt, toAt)}: ${why}.`),
  );
  const known = unique([...open, ...dropped, ...blind, ...gaps]);
  if (known.length === 0) return ['Nothing that was asked for was left open.'];
  const more = known.length - unseenMax;
  return bullets(more > 0 ? [...known.slice(0, unseenMax), `And ${countText(more)} more, in the report.`] : known);
}

const unseenMax = 30;

function actionLines(story: Story): string[] {
  const known = answersOf(story, 'What to do').filter((line) => !line.startsWith('Nothing.'));
  const rows = known.map((line) => [markdownText(line), blank('owner'), blank('date')]);
  return table(
    ['Action', 'Owner', 'Until'],
    [...rows, [blank('everybody who took part'), blank('owner'), blank('date')]],
  );
}
