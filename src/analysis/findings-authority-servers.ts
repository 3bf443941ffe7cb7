/** Findings about authoritative servers that do not answer as such: lame ones, and silent ones. */
import type { Finding } from '../core/analysis.ts';
import type { EntryOf } from '../core/entry.ts';
import { countOf, listText } from '../core/quantity-text.ts';
import { isLame, pollCount } from './authority-analysis.ts';
import { at, type FindingContext } from './finding-context.ts';

export interface AuthorityContext extends FindingContext {
  readonly serviceOf: (name: string) => string | null;
  /** Names whose answers are drawn anew for each query. */
  readonly drawnNames: ReadonlySet<string>;
}

type DnsAnswered = EntryOf<'dns-answered'>;

export function lameAuthorities(context: AuthorityContext): Finding[] {
  return findingOfEach(context, troubles(context, isLame), (all, names) => ({
    kind: 'authority-lame',
    text: `${all[0]?.server ?? ''} is named as an authoritative server of ${names} and does not answer as one (${countOfAll(all)}): a resolver that asks it has to ask another one, or fails.`,
  }));
}

/** Hostnames of which nobody could say, at the start or ever, which servers to watch. */
export function unfoundAuthorities(context: AuthorityContext): Finding[] {
  if (context.gathered.started.scenario.authorities === 'none') return [];
  const own = context.journal
    .of('authorities-found')
    .filter(({ linkOf, name }) => linkOf === undefined && !isAddress(name));
  const byName = Map.groupBy(own, ({ name }) => name);
  return [...byName].flatMap(([name, [first, ...later]]): Finding[] => {
    if (first?.found !== 'none') return [];
    const after = later.find(({ servers }) => servers.length > 0);
    const until = after === undefined ? 'never' : `not before ${at(context, after.atNs)}`;
    return [
      {
        kind: 'authorities-not-found',
        service: context.serviceOf(name),
        severity: 'warn',
        text: `The authoritative servers of ${name} were looked up again and again and ${until} found: when its records changed till then is not known. Name them under authorities, or say authorities: none.`,
        evidence: [first.error],
      },
    ];
  });
}

function isAddress(name: string): boolean {
  return name.includes(':') || /^[\d.]+$/.test(name);
}

/** What a machine says that has no way to such an address at all: mostly one without IPv6. */
const noRoute = ['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'];

export function unreachableAuthorities(context: AuthorityContext): Finding[] {
  const { spans } = context.ownNetwork;
  // While nothing came back to us at all, no server is to blame.
  const isOurs = ({ sentAtNs, endedAtNs }: DnsAnswered['reply']): boolean =>
    spans.some(({ fromNs, toNs }) => sentAtNs < toNs && endedAtNs > fromNs);
  const isUnrouted = ({ entries }: ServerTrouble): boolean =>
    entries.every(({ reply }) => reply.kind === 'failed' && noRoute.includes(reply.error));
  const silent = troubles(context, ({ reply }) => reply.kind === 'failed' && !isOurs(reply)).filter(
    // One lost datagram at the very end, of what is asked seldom, is nothing.
    ({ count, entries }) => count >= troubleCountMin || entries.at(-1)?.question === 'A',
  );
  const findings = findingOfEach(
    context,
    silent.filter((trouble) => !isUnrouted(trouble)),
    (all, names) => ({
      kind: 'authority-unreachable',
      text: `The authoritative server ${all[0]?.server ?? ''} did not answer for ${names} (${countOfAll(all)}${all.some(({ isToTheEnd }) => isToTheEnd) ? ', the last time too' : ''}): what it says is not known.`,
    }),
  );
  return [...findings, ...unroutedFindings([...new Set(silent.filter(isUnrouted).map(({ server }) => server))])];
}

/** Once is a restart; a server that is so at the end, or again and again, is a fault. */
const troubleCountMin = 3;

/** What one server said of one name, or did not say. */
interface ServerTrouble {
  readonly server: string;
  readonly name: string;
  readonly count: number;
  readonly isToTheEnd: boolean;
  /** In order of time. */
  readonly entries: readonly DnsAnswered[];
}

/** Of each server and name, its questions together, those polls that `isTrouble`. */
function troubles(context: AuthorityContext, isTrouble: (entry: DnsAnswered) => boolean): readonly ServerTrouble[] {
  const entries = context.journal.of('dns-answered').filter((entry) => entry.watch === 'authority');
  const groups = Map.groupBy(entries, ({ server, name }) => `${server} ${name}`);
  return [...groups.keys()].toSorted().flatMap((key): ServerTrouble[] => {
    const all = groups.get(key) as DnsAnswered[];
    const [first, ...others] = all.filter(isTrouble);
    if (first === undefined) return [];
    const count = pollCount(all, isTrouble);
    const isToTheEnd = [...new Map(all.map((entry) => [entry.question, entry])).values()].some(isTrouble);
    if (count < troubleCountMin && !isToTheEnd) return [];
    return [{ server: first.server, name: first.name, count, isToTheEnd, entries: [first, ...others] }];
  });
}

/** One finding for each server, whatever names it has. */
function findingOfEach(
  context: AuthorityContext,
  found: readonly ServerTrouble[],
  say: (all: readonly ServerTrouble[], names: string) => Pick<Finding, 'kind' | 'text'>,
): Finding[] {
  return [...Map.groupBy(found, ({ server }) => server).values()].map((all) => {
    const services = new Set(all.map(({ name }) => context.serviceOf(name)).filter((service) => service !== null));
    const [service = null] = services.size === 1 ? services : [];
    const entries = all.flatMap((one) => one.entries).toSorted((a, b) => a.atNs - b.atNs);
    return {
      ...say(all, listText(all.map(({ name }) => name))),
      service,
      severity: 'warn',
      evidence: entries.map(
        (entry) => `${at(context, entry.atNs)} ${entry.name} ${entry.question}: ${replyText(entry)}`,
      ),
    };
  });
}

function replyText({ reply }: DnsAnswered): string {
  if (reply.kind === 'failed') return reply.error || reply.reason;
  return `${reply.rcode}${reply.authoritative ? '' : ', without authority'}`;
}

function countOfAll(all: readonly ServerTrouble[]): string {
  return countOf(
    all.reduce((sum, { count }) => sum + count, 0),
    'time',
  );
}

function unroutedFindings(servers: readonly string[]): Finding[] {
  if (servers.length === 0) return [];
  const text = `From this machine there is no way to ${countOf(servers.length, 'address', 'addresses')} of authoritative servers, as from one without IPv6: what they say is not known.`;
  return [{ kind: 'authority-no-route', service: null, severity: 'info', text, evidence: servers }];
}
