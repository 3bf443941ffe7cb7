/**
 * What the end of a run must show before the side left may go: that somebody was looking, that the other side stands, and
 * that nobody is still led back now and then.
 */
import { countOf, listText } from '../core/quantity-text.ts';
import { laneName, nameOfLane } from '../core/lane-name.ts';
import { slotsDueBefore } from '../core/schedule.ts';
import { sToNs } from '../core/time.ts';
import { no, notBefore, unknown, type Point } from './advice.ts';
import { isAuthoritative, type AuthorityTrack } from './authority-tracks.ts';
import { meanings, type LaneView } from './lane-view.ts';
import { lateAnswers } from './resolver-late.ts';
import type { ResolverStory } from './resolver-story.ts';
import type { Removal } from './safe-to-remove-old.ts';
import { otherSide } from './sides.ts';

// ── who was looking ──────────────────────────────────────────────────────────────────────────────────────────────────

export function watchPoints({ context: { views, qualified, service } }: Removal): readonly Point[] {
  const isWatched = views.some((view) => view.lane.judged && qualified.has(view));
  return isWatched ? [] : [unknown(`No judged client of ${service.name} was good ten times in a row.`)];
}

// ── the side moved to ────────────────────────────────────────────────────────────────────────────────────────────────

const minuteS = 60;
/** A failure or two in a minute is what a good service has. */
const failedCountMin = 3;
const failedShareMax = 0.05;
const deadS = 30;

/** The side left is the way back for as long as the other one does not stand. */
export function targetPoints({ context, change, lanes, left }: Removal): readonly Point[] {
  const { views, qualified, endNs } = context;
  const fromNs = Math.max(endNs - sToNs(minuteS), context.convergences.at(-1)?.atNs ?? 0);
  const open = lanes.filter(
    ({ judged, qualified: isQualified, outages }) => judged && isQualified && outages.at(-1)?.openAtEnd === true,
  );
  const impaired = views.flatMap((view) => {
    if (!view.lane.judged || !qualified.has(view)) return [];
    const { good, failed } = countIn(view, fromNs);
    if (failed < failedCountMin || failed <= failedShareMax * (good + failed)) return [];
    return [`${nameOfLane(view.lane)} failed ${String(failed)} of its last ${countOf(good + failed, 'time')}`];
  });
  const dead = views.filter((view) => {
    if (view.lane.role !== 'side' || view.lane.client !== `side:${change.target}`) return false;
    const { good, failed } = countIn(view, endNs - sToNs(deadS));
    return good === 0 && failed >= failedCountMin;
  });
  const texts = [
    ...open.map((lane) => `${laneName(lane)} failed when last seen`),
    ...impaired,
    ...dead.map(
      ({ lane }) => `${lane.address ?? 'An address'} of the other side failed for the last ${String(deadS)} s`,
    ),
  ];
  return texts.slice(0, 1).map((text) => no(`${text}: ${left} is the way back.`));
}

function countIn(view: LaneView, fromNs: number): { readonly good: number; readonly failed: number } {
  let [good, failed] = [0, 0];
  for (let slot = slotsDueBefore(view.lane, fromNs); slot < view.slotCount; slot += 1) {
    if (view.meaning[slot] === meanings.good) good += 1;
    else if (view.meaning[slot] === meanings.failed) failed += 1;
  }
  return { good, failed };
}

// ── who is led back ──────────────────────────────────────────────────────────────────────────────────────────────────

/** A cache that gives what has ended gives it again: it is believed when it has not for a tail, and for a TTL. */
export function latePoints({ reading }: ResolverStory, { context, change, life, left, at }: Removal): readonly Point[] {
  const last = lateAnswers(reading, change, life).at(-1);
  if (last === undefined) return [];
  const quietS = Math.max(context.scenario.change.tailS, life.ttlS ?? 0);
  const { server, hostname } = reading.ledger;
  const text = `${server} gave an answer of ${left} for ${hostname} at ${at(last.askedNs)}, when none should have been left: a cache of it may do so again.`;
  return [notBefore(last.askedNs + sToNs(quietS), context.endNs, text)];
}

/** To and fro once is flapping at the switch. */
const returnCountMin = 2;

/** Answers that are drawn by weight lead back by chance, however long none did. */
export function drawnPoints({ tracks, change, left }: Removal): readonly Point[] {
  const drawn = tracks.filter((track) => returnCount(track, change.leaving) >= returnCountMin);
  if (drawn.length === 0) return [];
  const names = listText([...new Set(drawn.map(({ name }) => name))]);
  return [
    unknown(
      `Name servers went back to ${left} for ${names} again and again: where answers are drawn, some still may be.`,
    ),
  ];
}

function returnCount({ steps }: AuthorityTrack, leaving: Removal['change']['leaving']): number {
  const target = otherSide(leaving);
  return steps.filter(({ side }, i) => side === leaving && steps[i - 1]?.side === target).length;
}

/** Records that are not addresses of IPv4: a browser follows a hint as it does an address. */
export function otherRecordPoints(removal: Removal): readonly Point[] {
  const { context, replies, sides, change, left } = removal;
  const hostnames = new Set(context.service.checks.map(({ hostname }) => hostname));
  const names = new Set([...hostnames].flatMap((hostname) => replies.namesOf(hostname)));
  const points = [...names].flatMap((name) =>
    replies.of(name).flatMap(({ question, server, entries }): Point[] => {
      const reply = entries.findLast((entry) => entry.reply.kind === 'answered' && isAuthoritative(entry.reply))?.reply;
      if (reply?.kind !== 'answered' || question === 'A') return [];
      if (question === 'AAAA') {
        if (reply.addresses.length === 0 || sides.ofAnswer(reply.addresses, reply.chain) !== 'unknown') return [];
        return [unknown(`${server} gives ${name} IPv6 addresses of neither side (${listText(reply.addresses)}).`)];
      }
      const hints = reply.answers.flatMap(({ type, data }) => (type === 'HTTPS' ? hintsIn(data) : []));
      const sidesOf = new Set(hints.map((address) => sides.ofAddress(address)));
      if (sidesOf.has(change.leaving)) return [no(`The HTTPS record of ${name} at ${server} still hints at ${left}.`)];
      return sidesOf.has(null)
        ? [unknown(`The HTTPS record of ${name} at ${server} hints at addresses of neither side.`)]
        : [];
    }),
  );
  return [...new Map(points.map((point) => [point.text, point])).values()];
}

/** RFC 9460, 2.1 and 7.3: `ipv4hint=192.0.2.1,192.0.2.2`. */
function hintsIn(data: string): readonly string[] {
  return [...data.matchAll(/\bipv[46]hint="?([^\s"]+)/g)].flatMap(([, list = '']) => list.split(','));
}

// ── name servers that say nothing ────────────────────────────────────────────────────────────────────────────────────

/** Their last word led to the side left, and since then they give no address: who knows what resolvers hear. */
export function deniedOrLame({ tracks, change }: Removal): readonly string[] {
  return tracks
    .filter(({ steps, isLame }) => {
      const side = steps.findLast((step) => step.side !== 'none')?.side;
      const isLeaving = side === change.leaving || side === 'mixed';
      return isLeaving && (isLame || steps.at(-1)?.side === 'none');
    })
    .map(({ server }) => server);
}

/** What a machine says that has no way to such an address at all: mostly one without IPv6. */
const noRoute = ['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'];

/** IPv6 addresses that there is no way to from here, of name servers that were heard at another of their addresses. */
export function unroutedButHeard({ replies, nameServers, tracks }: Removal): ReadonlySet<string> {
  const heard = new Set(tracks.filter(({ steps }) => steps.length > 0).map(({ server }) => hostOf(server)));
  const isUnrouted = ({ server, name }: AuthorityTrack): boolean =>
    replies
      .of(name)
      .filter((stream) => stream.server === server)
      .every(({ entries }) => entries.every(({ reply }) => reply.kind === 'failed' && noRoute.includes(reply.error)));
  const isHeardElsewhere = (server: string): boolean =>
    nameServers.some(
      ({ addresses }) => addresses.includes(hostOf(server)) && addresses.some((address) => heard.has(address)),
    );
  return new Set(
    tracks
      .filter((track) => hostOf(track.server).includes(':') && isUnrouted(track) && isHeardElsewhere(track.server))
      .map(({ server }) => server),
  );
}

/** Of `127.0.0.1:53` and `[::1]:53`. */
function hostOf(server: string): string {
  return server.slice(0, server.lastIndexOf(':')).replace(/^\[|\]$/g, '');
}
