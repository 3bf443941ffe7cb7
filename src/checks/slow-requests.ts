/** A request that takes longer than proxies wait: whether the side moved to cuts it where the other one did not. */
import { durationText } from '../core/quantity-text.ts';
import type { Service } from '../core/scenario.ts';
import { bothSides, compared, saidText, type Both } from './both-sides.ts';
import { rowsOf, type CheckResult } from './check.ts';
import type { Facts, Probe } from './facts.ts';
import { answered, probesOf, slowMs } from './probe-sets.ts';
import { sidesOf } from './records.ts';

export function slowRequests(facts: Facts, service: Service, addresses: readonly string[]): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'slow-request');
  const { entering: side } = sidesOf(facts);
  // A check that may take longer than a minute is judged as a check; that it ended is told here.
  const checks = answered(probesOf(facts, { service: service.name, side, kind: 'slow' })).map((probe) =>
    rows.pass({
      subject: `${probe.check} at ${probe.address}`,
      decides: false,
      observed: endText(probe),
      expected: 'an answer, whatever its proxies allow',
      text: `${probe.address} lets a slow request end.`,
    }),
  );
  const slow = service.preflight?.slow ?? null;
  if (slow === null) {
    const text = 'Whether long requests are cut: say preflight.slowPath, a path that takes longer than 60 s.';
    return checks.length > 0 ? checks : [rows.notAsked(text)];
  }
  return [...checks, ...addresses.map((address) => slowPath(facts, service, address))];
}

function slowPath(facts: Facts, service: Service, address: string): CheckResult {
  const rows = rowsOf(service.name, 'slow-request');
  const path = service.preflight?.slow?.path.split('?', 1)[0] ?? '';
  const both = bothSides(facts, service, address, 'slow-path');
  const subject = `${path} at ${address}`;
  const { title } = facts.scenario.sides[sidesOf(facts).leaving];
  if (both === null) {
    const text = `Nothing is known of ${path} at ${address}, or at ${title}.`;
    return rows.unknown({ subject, observed: 'not seen', expected: `what ${title} does`, text });
  }
  const { own, before } = both;
  const said = { subject, observed: endText(own), expected: before.map(endText).join(', ') };
  switch (comparison(facts, service, both)) {
    case 'same':
    case 'better':
    case 'alone':
      return rows.pass({ ...said, text: passedText(path, both) });
    case 'worse':
      return rows.fail({
        ...said,
        text: `${path} ends with ${said.observed} at ${address}, and with ${said.expected} at ${title}. Let it take longer (ingress-nginx: proxy-read-timeout and proxy-send-timeout; ALB: idle_timeout.timeout_seconds).`,
      });
    case 'unknown':
      return rows.unknown({
        ...said,
        text: `${path} ends with ${said.observed} at ${address}, and with ${said.expected} at ${title}: nothing to compare. Say preflight.slowWithinS if it takes longer.`,
      });
  }
}

/** Where neither ended within our own limit, nothing is known of theirs. */
function comparison(facts: Facts, service: Service, both: Both): ReturnType<typeof compared> {
  const isCutByUs = ({ outcome }: Probe): boolean => outcome.endsWith('-timed-out');
  return isCutByUs(both.own) && both.before.every(isCutByUs) ? 'unknown' : compared(facts, service, both);
}

function passedText(path: string, { own, before }: Both): string {
  const tookMs = Math.max(own.tookMs, ...before.map((one) => one.tookMs));
  const ended = `${path} ends as before: ${endText(own)}.`;
  return tookMs >= slowMs ? ended : `${ended} That is less than 60 s: nothing is known of longer ones.`;
}

/** `504 after 60 s`. */
function endText(probe: Probe): string {
  return `${saidText(probe)} after ${durationText(Math.round(probe.tookMs / 100) * 100)}`;
}
