/** The shape of `clients`: names, weights, and own clients by their policies. */
import type { ClientsInput } from './input.ts';
import { addressProblem, bool, checkedText, list, map, name, number, oneOf, optional, text, whole } from './leaves.ts';
import { z } from 'zod';

const seconds = (): z.ZodNumber => number({ min: 0 });

const kinded = <K extends string, S extends z.ZodRawShape>(
  kind: K,
  shape: S,
): z.ZodObject<{ kind: z.ZodLiteral<K> } & S, z.core.$strict> =>
  z.strictObject({ kind: z.literal(kind).meta({ description: 'What it does: see docs/clients.md.' }), ...shape });

const resolve = z.union(
  [
    oneOf('per-connection', 'ttl', 'once'),
    z.discriminatedUnion('kind', [
      kinded('per-connection', {}),
      kinded('ttl', {
        minS: optional(seconds(), 'Kept at least so long.', 0),
        maxS: optional(seconds(), 'Kept at most so long; by default a week.', 604_800),
        graceS: optional(seconds(), 'Then still used while asking anew.', 0),
      }),
      kinded('fixed', {
        s: number({ above: 0 }).meta({ description: 'Asked again after so long.' }),
        graceS: optional(seconds(), 'Then still used while asking anew.', 0),
        negativeS: optional(seconds(), 'After a failure not asked again for so long.', 0),
      }),
      kinded('once', { negativeS: optional(seconds(), 'After a failure not asked again for so long.', 0) }),
      kinded('on-break', { minS: optional(seconds(), 'Not more often than this.', 30) }),
      kinded('refresh', { s: number({ above: 0 }).meta({ description: 'Asked again after so long.' }) }),
      kinded('pinned', {
        address: optional(
          checkedText('an IP address', addressProblem),
          'By default the first address of the side that is left.',
        ),
      }),
    ]),
  ],
  { error: 'expected per-connection, ttl, once, or a map such as { kind: fixed, s: 30 }' },
);

const connect = z.union(
  [
    oneOf('new', 'keep-alive', 'http2', 'held'),
    z.discriminatedUnion('kind', [
      kinded('new', {}),
      kinded('keep-alive', {
        idleS: optional(seconds(), 'Closed after so long without a request; 0 = never.', 0),
        maxAgeS: optional(seconds(), 'Closed at this age; 0 = never.', 0),
        maxRequests: optional(whole({ min: 0 }), 'Closed after so many; 0 = never.', 0),
      }),
      kinded('http2', { idleS: optional(seconds(), 'Closed after so long without a request; 0 = never.', 0) }),
      kinded('held', { maxAgeS: optional(seconds(), 'The WebSocket is closed at this age; 0 = never.', 0) }),
    ]),
  ],
  { error: 'expected new, keep-alive, http2, held, or a map such as { kind: keep-alive, idleS: 90 }' },
);

const family = z.union([z.literal(4), z.literal(6)], { error: 'expected 4 or 6' });
const client = map('a weight, or a map such as { weight: 10, resolve: { kind: fixed, s: 30 }, connect: new }', {
  weight: optional(number({ above: 0 }), 'Share of users, relative to the other weights.'),
  resolve: optional(resolve, 'When it asks DNS.', 'per-connection'),
  connect: optional(connect, 'When it opens a connection.', 'new'),
  choose: optional(
    oneOf('first', 'round-robin', 'happy-eyeballs', 'next-on-failure'),
    'Which of several addresses.',
    'first',
  ),
  families: optional(list(family, 'a list of 4 and 6'), 'Address families in order of preference.', [4, 6]),
  retriesOnce: optional(bool(), 'Whether it tries again once, as a browser does.', false),
  standsFor: optional(text('a text'), 'Who behaves so, for the report.'),
  judged: optional(bool(), 'Whether objectives hold for it; by default not if it resolves once or never.'),
});

const what = 'expected a list of names, or a map of names and weights such as { fresh: 40, chrome: 60 }';

export const clientsInput: z.ZodType<ClientsInput> = z.union(
  [
    list(text('the name of a client'), 'a list of names of clients'),
    z
      .record(
        name('a name'),
        z.union([number({ above: 0 }), client], {
          error: 'expected a weight above 0, or a map that describes a client',
        }),
      )
      .refine((named) => Object.keys(named).length > 0, what),
  ],
  { error: what },
);
