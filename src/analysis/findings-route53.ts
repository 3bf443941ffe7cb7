/** Findings from what Route 53's API says of records: how a name is answered, where only an answer was seen otherwise. */
import type { Finding } from '../core/analysis.ts';
import { listText, ratioText } from '../core/quantity-text.ts';
import { loadBalancerAliasTtlS, type PolicyRecord } from '../core/record-policy.ts';
import { at, type FindingContext } from './finding-context.ts';
import { dnsChangeFindings } from './findings-route53-changes.ts';
import { unhealthyFindings } from './findings-route53-health.ts';
import {
  groupsOf,
  labelOf,
  policyTracks,
  sideOfRecord,
  whatText,
  type PolicyTrack,
  type RecordGroup,
} from './record-policies.ts';

export function route53Findings(context: FindingContext): Finding[] {
  const tracks = policyTracks(context);
  return [
    ...unhealthyFindings(context, tracks),
    ...tracks.flatMap((track) => gaps(context, track)),
    ...tracks.flatMap((track) => weights(context, track)),
    ...tracks.flatMap((track) => ofLastStep(track, (group) => siblingTtls(group))),
    ...tracks.flatMap((track) => ofLastStep(track, (group) => withoutHealthCheck(group))),
    ...tracks.flatMap((track) => ofLastStep(track, (group) => aliases(group))),
    ...tracks.flatMap((track) => unknownNames(track)),
    ...tracks.flatMap((track) => twoZones(track)),
    ...dnsChangeFindings(context),
  ];
}

type Said = Omit<Finding, 'service'>;

function ofLastStep({ service, steps }: PolicyTrack, find: (group: RecordGroup) => readonly Said[]): Finding[] {
  const last = steps.at(-1);
  return last === undefined ? [] : groupsOf(last).flatMap((group) => find(group).map((said) => ({ ...said, service })));
}

// ── policies ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The shares by policy, where only drawn answers were seen otherwise. */
function weights(context: FindingContext, { service, steps }: PolicyTrack): Finding[] {
  const told = steps.map((step) => groupsOf(step).filter(isWeighted));
  const last = told.at(-1) ?? [];
  return last.map((group): Finding => {
    const same = (other: RecordGroup): boolean => other.zone.id === group.zone.id && other.type === group.type;
    const evidence = steps.flatMap((step, i) =>
      (told[i] ?? []).filter(same).map((one) => `${at(context, step.atNs)}: ${weightText(one)}`),
    );
    const sum = sumOf(group);
    const ofTarget = group.records.filter((record) => sideOfRecord(context, record) === 'new');
    const share = sum === 0 ? null : sumOf({ ...group, records: ofTarget }) / sum;
    const shareText = share === null || ofTarget.length === 0 ? '' : `: ${ratioText(share)} of them with the new side`;
    return {
      kind: 'route53-weights',
      service,
      severity: 'info',
      text: `Route 53 answers for ${whatText(group)} by weight, ${weightText(group)}${shareText}, as far as health checks leave it the choice.`,
      evidence,
    };
  });
}

function isWeighted({ records }: RecordGroup): boolean {
  return records.length > 1 && records.every(({ policy }) => policy === 'weighted');
}

function sumOf({ records }: Pick<RecordGroup, 'records'>): number {
  return records.reduce((sum, { weight }) => sum + (weight ?? 0), 0);
}

/** `90:10 (ecs:eks)`. */
function weightText({ records }: RecordGroup): string {
  return `${records.map(({ weight }) => weight ?? 0).join(':')} (${records.map(labelOf).join(':')})`;
}

/** Resolvers keep the one longer than the other, and the shares that users get are not those of the weights. */
function siblingTtls(group: RecordGroup): readonly Said[] {
  const isAlias = ({ alias }: PolicyRecord): boolean => alias?.target === 'load-balancer';
  const others = group.records.filter((record) => record.alias === null && record.ttlS !== loadBalancerAliasTtlS);
  if (!isWeighted(group) || !group.records.some(isAlias) || others.length === 0) return [];
  return [
    {
      kind: 'route53-sibling-ttls',
      severity: 'warn',
      text: `${whatText(group)} is weighted between an alias to a load balancer, whose TTL is ${loadBalancerAliasTtlS} s, and records with another TTL: what resolvers keep longer gets more than its weight. Give them ${loadBalancerAliasTtlS} s.`,
      evidence: others.map((record) => `${labelOf(record)}: TTL ${record.ttlS ?? '?'} s`),
    },
  ];
}

function withoutHealthCheck(group: RecordGroup): readonly Said[] {
  const blind = group.records.filter(
    ({ failover, healthCheckId, alias }) =>
      failover === 'PRIMARY' && healthCheckId === null && alias?.evaluatesTargetHealth !== true,
  );
  return blind.map((record) => ({
    kind: 'route53-no-health-check',
    severity: 'warn',
    text: `The primary record of ${whatText(group)} has no health check, so Route 53 always takes it to be healthy: it never fails over.`,
    evidence: [labelOf(record)],
  }));
}

function aliases(group: RecordGroup): readonly Said[] {
  const names = group.records.flatMap(({ alias }) => (alias?.target === 'load-balancer' ? [alias.name] : []));
  if (names.length === 0) return [];
  return [
    {
      kind: 'route53-alias',
      severity: 'info',
      text: `${whatText(group)} is an alias to the load balancer ${listText(names)}: its TTL is ${loadBalancerAliasTtlS} s, and cannot be lowered.`,
      evidence: [],
    },
  ];
}

// ── zones ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function unknownNames({ name, service, steps }: PolicyTrack): Finding[] {
  if (steps.some(({ policies, linkOf }) => policies.length > 0 || linkOf !== undefined)) return [];
  const text = `No Route 53 zone that could be asked has ${name}: how it is answered is known by its answers alone.`;
  return [{ kind: 'route53-no-record', service, severity: 'info', text, evidence: [] }];
}

function twoZones({ name, service, steps }: PolicyTrack): Finding[] {
  const zones = steps.at(-1)?.policies.map(({ zone }) => zone) ?? [];
  if (new Set(zones.map(({ isPrivate }) => isPrivate)).size < 2) return [];
  return [
    {
      kind: 'route53-two-zones',
      service,
      severity: 'info',
      text: `${name} is in a public and in a private zone: clients in the networks of the private one get its records, all others those of the public one, and both have to be changed.`,
      evidence: zones.map((zone) => `${zone.isPrivate ? 'private' : 'public'} zone ${zone.id} (${zone.name})`),
    },
  ];
}

/** Between two looks it may have been gone for any time; what lies between a DELETE and a CREATE of one batch is not seen. */
function gaps(context: FindingContext, { name, service, steps }: PolicyTrack): Finding[] {
  return steps.flatMap((step, i): Finding[] => {
    const [before, after] = [steps[i - 1], steps[i + 1]];
    if (isThere(step) || before === undefined || after === undefined || !isThere(before) || !isThere(after)) return [];
    return [
      {
        kind: 'route53-gap',
        service,
        severity: 'warn',
        text: `${name} was deleted in Route 53 and created again, not changed in one step (UPSERT): resolvers that asked meanwhile may say for a while that there is none.`,
        evidence: [
          `gone after ${at(context, step.previousAskedAtNs ?? step.askedAtNs)} and before ${at(context, step.atNs)}, there again before ${at(context, after.atNs)}`,
        ],
      },
    ];
  });
}

function isThere({ name, policies }: PolicyTrack['steps'][number]): boolean {
  return policies.some(({ recordName }) => recordName === name);
}
