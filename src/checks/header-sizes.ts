/**
 * Large headers, as cookies and tokens make them. An ALB takes 16 KiB in one and 64 KiB in all, nginx 8 KiB in one and 32
 * KiB in all, Node 16 KiB in all (domain.md, C.1 and E6). How large those of users are only the scenario can say: what it says
 * decides, what is tried unasked is worth knowing.
 */
import { countText } from '../core/quantity-text.ts';
import type { Service } from '../core/scenario.ts';
import { allSaidText, bothSides, compared, isAlone, saidText } from './both-sides.ts';
import { rowsOf, type CheckResult } from './check.ts';
import type { Facts } from './facts.ts';
import { sidesOf } from './records.ts';

/** Of each kind, the lengths of the headers that are added to a check's own. */
export const headerBytesOf = { 'large-header': [9216], 'large-headers': [5802, 5803, 5803] } as const;

/** 494 is nginx's own, should it ever be seen; it sends 400. */
const refusals = [400, 413, 414, 431, 494];

export function headerSizes(facts: Facts, service: Service, address: string): readonly CheckResult[] {
  const askedBytes = service.preflight?.headerBytes ?? null;
  return [
    ...(askedBytes === null
      ? []
      : [row(facts, service, address, { kind: 'asked-header', what: `${countText(askedBytes)} bytes in one` })]),
    row(facts, service, address, { kind: 'large-header', what: '9 KiB in one' }),
    row(facts, service, address, { kind: 'large-headers', what: '17 KiB in three' }),
  ].flat();
}

function row(
  facts: Facts,
  service: Service,
  address: string,
  { kind, what }: { readonly kind: 'asked-header' | keyof typeof headerBytesOf; readonly what: string },
): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'header-size');
  const both = bothSides(facts, service, address, kind);
  if (both === null || (kind !== 'asked-header' && isAlone(facts, service))) return [];
  const decides = kind === 'asked-header';
  const [now, before] = [saidText(both.own), allSaidText(both.before)];
  const said = { subject: address, observed: `${what}: ${now}`, expected: `${what}: ${before}`, decides };
  const { title } = facts.scenario.sides[sidesOf(facts).leaving];
  switch (compared(facts, service, both, refusals)) {
    case 'same':
    case 'better':
    case 'alone':
      return [rows.pass({ ...said, text: `Headers of ${what} get ${now} from ${address}; ${before} before.` })];
    case 'worse':
      return [
        rows.fail({
          ...said,
          text: `Headers of ${what} get ${now} from ${address}, and ${before} from ${title}: users with large cookies or tokens would be refused. nginx: large_client_header_buffers; Node: --max-http-header-size.`,
        }),
      ];
    case 'unknown':
      return [
        rows.unknown({ ...said, text: `Headers of ${what} get ${now} from ${address}, and ${before} from ${title}.` }),
      ];
  }
}
