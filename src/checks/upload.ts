/** A large body: ingress-nginx refuses more than 1 MiB by default (413), an ALB takes any. */
import { countText } from '../core/quantity-text.ts';
import type { Service } from '../core/scenario.ts';
import { allSaidText, bothSides, compared, saidText } from './both-sides.ts';
import { rowsOf, type CheckResult } from './check.ts';
import type { Facts } from './facts.ts';
import { sidesOf } from './records.ts';

const refusals = [413];

export function upload(facts: Facts, service: Service, addresses: readonly string[]): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'upload');
  const asked = service.preflight?.upload ?? null;
  if (asked === null) {
    return [rows.notAsked('How large a body may be: say preflight.uploadPath, with writes: true.')];
  }
  const path = asked.path.split('?', 1)[0] ?? '';
  const what = `${asked.method} ${path} of ${countText(asked.bytes)} bytes`;
  const { title } = facts.scenario.sides[sidesOf(facts).leaving];
  return addresses.map((address) => {
    const both = bothSides(facts, service, address, 'upload');
    const subject = `${asked.method} ${path} at ${address}`;
    if (both === null) {
      const text = `Nothing is known of ${what} at ${address}, or at ${title}.`;
      return rows.unknown({ subject, observed: 'not seen', expected: `what ${title} does`, text });
    }
    const [observed, expected] = [saidText(both.own), allSaidText(both.before)];
    const said = { subject, observed, expected };
    switch (compared(facts, service, both, refusals)) {
      case 'same':
      case 'better':
      case 'alone':
        return rows.pass({ ...said, text: `${what} gets ${observed} from ${address}; ${expected} before.` });
      case 'worse': {
        const hint = observed === '413' ? ' Raise the limit (ingress-nginx: proxy-body-size).' : '';
        return rows.fail({
          ...said,
          text: `${what} gets ${observed} from ${address}, and ${expected} from ${title}.${hint}`,
        });
      }
      case 'unknown':
        return rows.unknown({
          ...said,
          text: `${what} gets ${observed} from ${address}, and ${expected} from ${title}: nothing to compare.`,
        });
    }
  });
}
