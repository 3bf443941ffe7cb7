/** `cutwatch init`: a first scenario, of flags or of a few questions, with what DNS says of the names today. */
import { writeFileSync } from 'node:fs';
import { presets } from '../clients/presets.ts';
import { normalName } from '../core/dns-chain.ts';
import { UserError, userError, type Problem } from '../core/errors.ts';
import type { Clock, DnsPort, DnsServer } from '../core/ports.ts';
import { sToNs } from '../core/time.ts';
import { newClock } from '../net/clock.ts';
import { newDnsPort } from '../net/dns-port.ts';
import { plainText } from '../report/escape.ts';
import { firstScenarioText, hostnameOf, nameFor, type NameFound } from '../scenario/first-scenario.ts';
import { isAddress, isHostname, parseAddressAndPort, parseNetwork } from '../scenario/network.ts';
import { parseScenario } from '../scenario/parse.ts';
import { lookUpAuthorities } from '../watch/authorities.ts';
import { newLines, type Lines } from './playbook-operator.ts';

export interface InitFlags {
  readonly url?: readonly string[];
  readonly old?: readonly string[];
  readonly new?: readonly string[];
  readonly name?: string;
  readonly resolver?: string;
  readonly out?: string;
  readonly lookUp: boolean;
  readonly force?: boolean;
}

interface Answers {
  readonly urls: readonly string[];
  readonly old: readonly string[];
  readonly new: readonly string[];
}

export async function initCommand(flags: InitFlags): Promise<void> {
  const server = resolverOf(flags.resolver);
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort();
  process.once('SIGINT', onInterrupt);
  try {
    const lines = process.stdin.isTTY ? newLines(process.stdin, process.stderr, stop.signal) : null;
    const urls = await ask(
      flags.url,
      { flag: '--url', text: 'What do users ask for? One or more URLs', check: checkedUrls },
      lines,
    );
    const found = flags.lookUp ? await lookUp(urls, server) : new Map<string, NameFound>();
    const leadsTo = [...found.values()].flatMap((one) => one.leadsTo.slice(0, 1));
    const today = leadsTo.length === 0 ? '' : ` (today: ${plainText([...new Set(leadsTo)].join(' '))})`;
    const placesOf = (side: 'old' | 'new', hint: string): Promise<readonly string[]> =>
      ask(
        flags[side],
        {
          flag: `--${side}`,
          text: `Names or addresses of the ${side} side${hint}`,
          check: (words) => checkedPlaces(words, `--${side}`),
        },
        lines,
      );
    const answers = { urls, old: await placesOf('old', today), new: await placesOf('new', '') };
    write(answers, flags, found);
  } finally {
    process.off('SIGINT', onInterrupt);
    process.stdin.pause();
  }
}

interface Question {
  readonly flag: string;
  readonly text: string;
  /** Throws a `UserError`. */
  readonly check: (words: readonly string[]) => readonly string[];
}

/** By flag, or else by question; several are separated by spaces or commas. What cannot be used is asked again. */
async function ask(
  said: readonly string[] | undefined,
  { flag, text, check }: Question,
  lines: Lines | null,
): Promise<readonly string[]> {
  if (said !== undefined) return check(said);
  if (lines === null) {
    throw userError(flag, 'not given, and there is no terminal to ask; see the examples of cutwatch init --help');
  }
  for (;;) {
    const line = await lines.read(`${text}: `);
    if (line === null) throw userError(flag, 'not given: stopped before anything was written');
    const words = line.split(/[\s,]+/).filter((word) => word !== '');
    if (words.length === 0) continue;
    try {
      return check(words);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      process.stderr.write(`${error.message}\n`);
    }
  }
}

function checkedUrls(texts: readonly string[]): readonly string[] {
  const problems = texts.flatMap((text): Problem[] => {
    if (!URL.canParse(text) || !/^(?:https?|wss?):$/.test(new URL(text).protocol)) {
      return [{ where: '--url', text: `found "${text}", expected a URL such as https://orders.shop.example/ready` }];
    }
    const { username, password } = new URL(text);
    if (username !== '' || password !== '') {
      return [{ where: '--url', text: 'a URL with credentials would be in every log: send a header instead' }];
    }
    return [];
  });
  if (problems.length > 0) throw new UserError(problems);
  return texts;
}

/** A name is one whose addresses are the side's. */
function checkedPlaces(texts: readonly string[], flag: string): readonly string[] {
  const places = texts.map((text) => {
    if (isAddress(text) || parseNetwork(text) !== null) return text;
    const name = text.startsWith('dns:') ? text.slice('dns:'.length) : text;
    return isHostname(name) && name.includes('.') ? `dns:${name}` : null;
  });
  const problems = places.flatMap((place, i): Problem[] =>
    place === null
      ? [
          {
            where: flag,
            text: `found "${texts[i] ?? ''}", expected an address, a network or a name such as shop-1.us-west-1.elb.amazonaws.com`,
          },
        ]
      : [],
  );
  if (problems.length > 0) throw new UserError(problems);
  return places.filter((place) => place !== null);
}

function resolverOf(text: string | undefined): DnsServer {
  if (text === undefined) return { kind: 'system' };
  const server = parseAddressAndPort(text, 53);
  if (server === null) throw userError('--resolver', `found "${text}", expected an address such as 10.0.0.2:53`);
  return { kind: 'udp', ...server };
}

function write({ urls, ...sides }: Answers, flags: InitFlags, found: ReadonlyMap<string, NameFound>): void {
  const name = flags.name ?? nameFor(hostnameOf(urls[0] ?? ''));
  const path = flags.out ?? `${name}.yaml`;
  const file = path === '-' ? `${name}.yaml` : path;
  const text = firstScenarioText({ name, urls, ...sides, resolver: flags.resolver ?? '', found }, file);
  // What it would be refused for is better said now.
  parseScenario(text, { file, env: {}, presets, readFile: () => '' });
  if (path === '-') {
    process.stdout.write(text);
    return;
  }
  try {
    writeFileSync(path, text, { flag: flags.force === true ? 'w' : 'wx' });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw userError(path, `cannot be written (${code})`);
    throw userError(path, 'is there already: name another file with --out, or say --force to replace it');
  }
  process.stderr.write(
    `${path} is written.\nnext: cutwatch plan ${path}    every lane, rate and host; sends nothing\n`,
  );
}

// ── what DNS says ────────────────────────────────────────────────────────────────────────────────────────────────────

const answerWithinS = 5;

async function lookUp(urls: readonly string[], server: DnsServer): Promise<Map<string, NameFound>> {
  const clock = newClock(process.hrtime.bigint());
  const ports = { clock, dns: newDnsPort({ clock }) };
  const hostnames = [...new Set(urls.map(hostnameOf))].filter((hostname) => !isAddress(hostname));
  const found = await Promise.all(
    hostnames.map(async (hostname) => [hostname, await lookUpName(ports, hostname, server)] as const),
  );
  for (const [hostname, { error }] of found) {
    if (error !== '') process.stderr.write(`note: ${plainText(`${hostname}: ${error}`)}\n`);
  }
  return new Map(found);
}

export async function lookUpName(
  ports: { readonly clock: Clock; readonly dns: DnsPort },
  hostname: string,
  server: DnsServer,
): Promise<NameFound> {
  const query = (from: DnsServer, recursionDesired: boolean): ReturnType<DnsPort['query']> =>
    ports.dns.query(
      from,
      { name: `${normalName(hostname)}.`, type: 'A' },
      { recursionDesired, deadlineNs: ports.clock.nowNs() + sToNs(answerWithinS) },
    );
  const [reply, authorities] = await Promise.all([
    query(server, true),
    lookUpAuthorities(ports, hostname, { name: 'init', server }),
  ]);
  const { zone, servers } = authorities;
  const leadsTo = reply.kind === 'answered' ? [...reply.chain, ...reply.addresses] : [];
  const about = { leadsTo, zone, authorityCount: servers.length, ttlS: null };
  if (leadsTo.length === 0) {
    const why = reply.kind === 'answered' ? reply.rcode : reply.error || reply.reason;
    return { ...about, error: `the resolver has no address for it (${why})` };
  }
  for (const { address, port } of servers) {
    const told = await query({ kind: 'udp', address, port }, false);
    if (told.kind === 'answered' && told.authoritative && told.answers.length > 0) {
      // The record that is switched is the name's own; what an alias leads to has TTLs of its own.
      const own = told.answers.find((record) => normalName(record.name) === normalName(hostname));
      return { ...about, ttlS: own?.ttlS ?? told.ttlS, error: '' };
    }
  }
  const why =
    servers.length === 0 ? authorities.error : `none of the ${servers.length} name servers of ${zone} answered`;
  return { ...about, error: `its TTL is not known: ${why}` };
}
