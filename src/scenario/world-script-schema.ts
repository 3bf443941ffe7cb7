/** The shape of `world.script`: a step for each thing that can happen, told apart by `do`. */
import { defaultFailStatus, defaultGoneHow } from './world-defaults.ts';
import {
  list,
  number,
  oneOf,
  optional,
  ratio,
  boundedSeconds,
  sideName,
  someSeconds,
  text,
  ttl,
  whole,
} from './leaves.ts';
import type { StepInput } from './world-input.ts';
import { z } from 'zod';

const timed = {
  atS: optional(boundedSeconds(), 'When: so long after the world starts.'),
  afterChangeS: optional(boundedSeconds(), 'When: so long after the operator makes the change.'),
};
const lasting = { forS: optional(someSeconds(), 'How long; by default for ever.') };
const onSide = { side: sideName().meta({ description: 'Where.' }) };
const ofServices = {
  services: optional(list(text('the name of a service'), 'a list of names of services'), 'Which; by default all.'),
};
const to = optional(sideName(), 'Where to; by default as change.direction says.');
const how = optional(oneOf('refused', 'silent'), 'What a connect meets: a refusal, or nobody.', defaultGoneHow);

/** A step of one kind; `does` says in the schema what it is. */
function step<K extends string, S extends z.ZodRawShape>(
  kind: K,
  does: string,
  shape: S,
): z.ZodObject<{ do: z.ZodLiteral<K> } & S & typeof timed, z.core.$strict> {
  const literal = z.literal(kind).meta({ description: does });
  return z.strictObject({ do: literal, ...shape, ...timed }).superRefine((value, context) => {
    const { atS, afterChangeS } = value as { readonly atS?: number; readonly afterChangeS?: number };
    if ((atS === undefined) !== (afterChangeS === undefined)) return;
    const which = atS === undefined ? 'neither is there' : 'both are there';
    context.addIssue({ code: 'custom', message: `a step has either atS or afterChangeS; ${which}` });
  });
}

export const stepInput: z.ZodType<StepInput> = z.discriminatedUnion(
  'do',
  [
    step('lower-ttl', 'The TTL of the records becomes ttlS.', {
      ttlS: ttl().meta({ description: 'The new TTL.' }),
    }),
    step('switch-dns', 'The names point at the other side.', { to, ...ofServices }),
    step('shift-weights', 'A weighted record gives this share of answers to the new side.', {
      newRatio: ratio().meta({ description: 'Of the new side, 0 to 1.' }),
    }),
    step(
      'delete-and-create-record',
      'What one should never do: for a gap there is no record, and resolvers remember that.',
      { to, gapS: someSeconds().meta({ description: 'How long there is none.' }) },
    ),
    step('lower-connection-age', "An ALB's client keep-alive becomes clientKeepAliveS.", {
      ...onSide,
      clientKeepAliveS: someSeconds().meta({ description: 'The new age.' }),
    }),
    step('deploy', 'All tasks or pods are replaced, one after the other.', {
      ...onSide,
      ...ofServices,
      deregisters: optional(
        oneOf('in-time', 'late', 'never'),
        'When the load balancer learns that one has gone: in its usual lag, late by lateS, or never.',
        'in-time',
      ),
      lateS: optional(someSeconds(), 'With deregisters: late.'),
    }),
    step('remove-load-balancer', 'It is gone, for good or for forS.', { ...onSide, how, ...lasting }),
    step('suspend-schedules', 'ECS schedules or CronJobs no longer fire.', onSide),
    step('resume-schedules', 'They fire again.', onSide),
    step('lose-targets', 'The load balancer has no target for these services.', {
      ...onSide,
      ...ofServices,
      ...lasting,
    }),
    step('lose-zone', 'One of its addresses is dead.', {
      ...onSide,
      zone: whole({ min: 1 }).meta({ description: 'Which address, from 1.' }),
      how,
      ...lasting,
    }),
    step('fail-app', 'The application answers with an error.', {
      ...onSide,
      ...ofServices,
      status: optional(whole({ min: 400, max: 599 }), 'With which.', defaultFailStatus),
      ratio: optional(number({ above: 0, max: 1 }), 'How many of all requests, drawn.', 1),
      ...lasting,
    }),
    step('slow-app', 'The application takes longer.', {
      ...onSide,
      ...ofServices,
      byMs: number({ above: 0 }).meta({ description: 'By so much.' }),
      ...lasting,
    }),
    step('throttle-cpu', 'Of each 100 ms of CPU time so much may be used; the rest waits (CFS quota).', {
      ...onSide,
      quotaMs: number({ above: 0 }).meta({ description: 'What may be used in 100 ms.' }),
      demandMs: number({ above: 0 }).meta({ description: 'What a request needs.' }),
      ...lasting,
    }),
    step('show-wrong-certificate', 'TLS shows one that is not right.', {
      ...onSide,
      certificate: optional(
        oneOf('default', 'other-name', 'expired'),
        "default: the one for no name in particular, such as Kubernetes' fake one.",
        'default',
      ),
      ...lasting,
    }),
    step('cut-off-resolver', 'A resolver reaches no authority.', {
      resolver: text('the name of a resolver').meta({ description: 'Which.' }),
      ...lasting,
    }),
    step('fail-resolver', 'A resolver fails.', {
      resolver: text('the name of a resolver').meta({ description: 'Which.' }),
      how: optional(oneOf('servfail', 'silent'), 'What it answers.', 'servfail'),
      ...lasting,
    }),
    step('fail-name-server', 'An authoritative server answers nobody.', {
      nameServer: text('the name of a name server').meta({ description: 'Which of zone.nameServers.' }),
      ...lasting,
    }),
    step('degrade-network', 'The network between prober and side is bad.', {
      ...onSide,
      lossRatio: optional(ratio(), 'Of all requests, so many never arrive.', 0),
      resetRatio: optional(ratio(), 'So many are answered with a reset.', 0),
      addedMs: optional(number({ min: 0 }), 'So much longer for each answer.', 0),
      ...lasting,
    }),
    step('lose-own-network', 'The prober itself reaches nobody, references neither.', lasting),
    step('fail-platform-api', "The API of a side's platform answers nobody: whoever watches it is blind.", {
      ...onSide,
      api: optional(oneOf('aws', 'kubernetes'), 'Which; by default both.'),
      ...lasting,
    }),
  ],
  { error: 'expected a step such as { afterChangeS: 0, do: switch-dns, to: new }' },
);
