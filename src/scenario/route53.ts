/** `route53`: whether Route 53 is asked what it has for the hostnames, and by whose credentials. */
import type { Route53Spec } from '../core/scenario.ts';
import { regionProblem } from './aws-schema.ts';
import type { Route53Input } from './input.ts';
import { bool, checkedText, map, optional, text } from './leaves.ts';
import { z } from 'zod';

/** AWS shows both with and without what kind it is: `/hostedzone/Z0123456789ABC`. */
function idProblem(kind: 'hostedzone' | 'change', example: string): (value: string) => string | null {
  const pattern = new RegExp(`^(?:/${kind}/)?[A-Z0-9]{1,32}$`);
  return (value) => (pattern.test(value) ? null : `expected an id such as ${example}`);
}

export const route53Input: z.ZodType<Route53Input> = z.union(
  [
    bool(),
    map('true, or a map such as { profile: prod }', {
      profile: optional(
        text('the name of a profile'),
        'Profile of the AWS configuration files; by default as the environment says.',
      ),
      region: optional(
        checkedText('a region such as us-west-1', regionProblem),
        'Needed in other partitions than that of most accounts (China, GovCloud); Route 53 itself has no region.',
      ),
      zoneId: optional(
        checkedText('the id of a hosted zone', idProblem('hostedzone', 'Z0123456789ABC')),
        'Only this hosted zone is looked at; by default all of the account that have the names, public and private.',
      ),
      changeId: optional(
        checkedText('the id of a change', idProblem('change', 'C0123456789ABC')),
        'A change made through the API, to be followed until all name servers have it (INSYNC). For a preflight: the one that lowered the TTL.',
      ),
    }),
  ],
  { error: 'expected true, or a map such as { profile: prod }' },
);

export function route53Of(input: Route53Input | undefined): Route53Spec | null {
  if (input === undefined || input === false) return null;
  const { profile = null, region = null, zoneId, changeId } = input === true ? {} : input;
  const plainId = (id: string | undefined): string | null => id?.split('/').at(-1) ?? null;
  return { profile, region, zoneId: plainId(zoneId), changeId: plainId(changeId) };
}
