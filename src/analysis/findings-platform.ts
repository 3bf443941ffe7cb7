/** Findings about the two sides: certificates, addresses, identity, what a rollback would meet. */
import type { Finding } from '../core/analysis.ts';
import { laneName, nameOfLane } from '../core/lane-name.ts';
import { outcomeNumber } from '../core/outcome.ts';
import { countOf, listText, ratioText } from '../core/quantity-text.ts';
import { intervalNs } from '../core/schedule.ts';
import { movesEverybody } from './convergence.ts';
import { at, type FindingContext } from './finding-context.ts';
import { slotsOnSide } from './lane-view.ts';
import { stayOf } from './leaving.ts';
import { headerOf } from './sighting-facts.ts';

export function platformFindings(context: FindingContext): Finding[] {
  return [
    ...certificates(context),
    ...deadAddresses(context),
    ...unknownSides(context),
    ...sharedAddresses(context),
    ...changedAddresses(context),
    ...rollbackTraps(context),
    ...stayers(context),
  ];
}

/** What ingress-nginx shows when it has no certificate for a name (domain facts C.4, T2). */
const ingressDefault = /ingress\.local|fake certificate/i;

function certificates({ contexts, gathered: { definitions } }: FindingContext): Finding[] {
  return contexts.flatMap(({ service, views }) => {
    const counts = new Map<string, number>();
    for (const view of views) {
      view.facts.forEach((facts, sighting) => {
        const failed = view.tally.failed[sighting] as number;
        if (facts.outcome !== outcomeNumber['tls-failed'] || failed === 0) return;
        const address = definitions.address[facts.address] ?? 'an unknown address';
        const key = `${address}: ${definitions.error[facts.error] ?? 'reason unknown'}`;
        counts.set(key, (counts.get(key) ?? 0) + failed);
      });
    }
    return [...counts]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, count]): Finding => {
        const isDefault = ingressDefault.test(key);
        return {
          kind: isDefault ? 'default-certificate' : 'wrong-certificate',
          service: service.name,
          severity: 'warn',
          text: isDefault
            ? `The ingress controller shows its own default certificate: it has none for this name. At ${key}.`
            : `TLS fails at ${key}.`,
          evidence: [`${countOf(count, 'slot')} failed so`],
        };
      });
  });
}

/** Tried in vain before another address answered, or dead in an impaired span: some clients hide it, others do not. */
function deadAddresses({ contexts, lanes, gathered: { definitions } }: FindingContext): Finding[] {
  return contexts.flatMap(({ service, views }) => {
    const evidence = new Map<string, string[]>();
    const add = (address: string, text: string): void => {
      evidence.set(address, [...(evidence.get(address) ?? []), text]);
    };
    for (const lane of lanes) {
      if (lane.service !== service.name) continue;
      for (const span of lane.impaired) {
        for (const address of span.failedAddresses)
          add(address, `${laneName(lane)}: ${countOf(span.failedCount, 'failure')} in an impaired span`);
      }
    }
    for (const { lane, store } of views) {
      for (const [number, { count }] of store.triedBefore) {
        add(
          definitions.address[number] ?? 'unknown',
          `${nameOfLane(lane)}: tried in vain ${countOf(count, 'time')} before another address`,
        );
      }
    }
    return [...evidence]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([address, texts]): Finding => ({
        kind: 'address-dead',
        service: service.name,
        severity: 'warn',
        text: `${address} fails while other addresses of the same answer work: clients that try only one address are down there.`,
        evidence: texts,
      }));
  });
}

/** More unknown than this, and "nobody is on the old side" is not known. */
const unknownShareMax = 0.01;

function unknownSides({ lanes }: FindingContext): Finding[] {
  const findings: Finding[] = [];
  for (const lane of lanes) {
    if (lane.role === 'reference' || lane.series === 'retried') continue;
    const { old, new: target, unknown, conflict } = lane.sides;
    const share = unknown / Math.max(1, old + target + unknown + conflict);
    const about = { service: lane.service, severity: 'warn' } as const;
    const evidence = lane.byAddress
      .filter(({ side }) => side === 'unknown' || side === 'conflict')
      .map(({ address, side, slots }) => `${address}: ${side}, ${countOf(slots, 'slot')}`);
    if (conflict > 0) {
      const text = `${laneName(lane)}: address, certificate and marker of ${countOf(conflict, 'answer')} speak for different sides.`;
      findings.push({ ...about, kind: 'side-conflict', text, evidence });
    }
    if (share > unknownShareMax) {
      const text = `${laneName(lane)}: which side ${ratioText(share)} of its probes reached is not known; give the sides' addresses, certificates or markers.`;
      findings.push({ ...about, kind: 'side-unknown', text, evidence });
    }
  }
  return findings;
}

function sharedAddresses({ sides }: FindingContext): Finding[] {
  if (sides.shared.length === 0) return [];
  const text = `${listText(sides.shared)} belongs to both sides, so addresses do not tell them apart there; only certificates and markers do.`;
  return [{ kind: 'addresses-shared', service: null, severity: 'warn', text, evidence: [] }];
}

/** A load balancer's addresses come and go: no change of the service, but old clients may meet a stranger there. */
function changedAddresses(context: FindingContext): Finding[] {
  const first = new Map<string, string>();
  const evidence = new Map<string, string[]>();
  for (const entry of context.journal.of('dns-answered')) {
    if (entry.watch !== 'side' || entry.reply.kind !== 'answered' || entry.reply.addresses.length === 0) continue;
    const addresses = entry.reply.addresses.toSorted().join(', ');
    const key = `${entry.name} ${entry.question}`;
    const before = first.get(key);
    first.set(key, addresses);
    if (before === undefined || before === addresses) continue;
    evidence.set(entry.name, [
      ...(evidence.get(entry.name) ?? []),
      `${at(context, entry.atNs)}: ${before} became ${addresses}`,
    ]);
  }
  return [...evidence].map(([name, texts]) => ({
    kind: 'addresses-changed',
    service: null,
    severity: 'info',
    text: `The addresses of ${name} changed; that is no change of side.`,
    evidence: texts,
  }));
}

const daySeconds = 86_400;

/** Browsers that were on the new side refuse plain HTTP for as long as it said, after a rollback too (domain facts 0.9). */
function rollbackTraps({ contexts, gathered: { definitions } }: FindingContext): Finding[] {
  return contexts.flatMap(({ service, views }): Finding[] => {
    const values = { old: new Set<string>(), new: new Set<string>() };
    for (const view of views) {
      view.facts.forEach((facts, sighting) => {
        const value = headerOf(definitions.face[facts.face], 'strict-transport-security');
        const wasSeen = view.tally.lastSlot[sighting] !== -1;
        if (value !== null && wasSeen && (facts.side === 'old' || facts.side === 'new')) values[facts.side].add(value);
      });
    }
    const maxAgeS = (value: string): number => Number(/max-age="?(\d+)/i.exec(value)?.[1] ?? 0);
    const long = [...values.new].filter((value) => maxAgeS(value) >= daySeconds).toSorted();
    if (long.length === 0 || values.old.size > 0) return [];
    return [
      {
        kind: 'rollback-trap',
        service: service.name,
        severity: 'info',
        text: 'The new side sends Strict-Transport-Security and the old one does not: browsers that were there refuse plain HTTP from then on, after a rollback too.',
        evidence: long.map((value) => `strict-transport-security: ${value}`),
      },
    ];
  });
}

/** What such clients do, which is known beforehand; not how many of them there are. */
function stayers(context: FindingContext): Finding[] {
  return context.contexts.flatMap(({ service, scenario, views, changes, endNs }): Finding[] => {
    const change = changes.at(-1);
    if (change?.seen.isEvident !== true || !movesEverybody(scenario.change)) return [];
    return views.flatMap((view): Finding[] => {
      const { lane } = view;
      const lastNs = view.dueNs(slotsOnSide(view, change.leaving)?.last ?? -1);
      const stay = stayOf(lane);
      if (lane.role !== 'client' || stay.s !== null || lastNs < endNs - 2 * intervalNs(lane)) return [];
      return [
        {
          kind: 'stays-behind',
          service: service.name,
          severity: 'info',
          text: `${nameOfLane(lane)} was still on the ${change.leaving} side when last seen; such a client leaves ${stay.why}. So behave: ${lane.archetype.standsFor}. This says what they do, not how many there are.`,
          evidence: [`last seen there ${at(context, lastNs)}`],
        },
      ];
    });
  });
}
