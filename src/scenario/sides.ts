import type { AwsSpec } from '../core/platform.ts';
import type { Side, SideAddress, SideSpec } from '../core/scenario.ts';
import type { Path } from './document.ts';
import type { AwsInput, SideInput } from './input.ts';
import { kubernetesOf } from './kubernetes-schema.ts';
import { canonicalAddress, isAddress, overlap, parseNetwork } from './network.ts';
import type { Report } from './problems.ts';

export function sideOf(side: Side, input: SideInput, report: Report): SideSpec {
  const path: Path = ['sides', side, 'addresses'];
  const seen = new Set<string>();
  for (const [i, text] of (input.addresses ?? []).entries()) {
    if (seen.has(text.toLowerCase())) report([...path, i], 'is there twice');
    seen.add(text.toLowerCase());
  }
  return {
    side,
    title: input.title ?? side,
    addresses: (input.addresses ?? []).map(sideAddressOf),
    marker: Object.entries(input.marker ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const),
    certificateSha256: (input.certificateSha256 ?? []).map((text) => text.replaceAll(':', '').toLowerCase()),
    ...(input.aws === undefined ? {} : { aws: awsOf(side, input, input.aws, report) }),
    ...(input.kubernetes === undefined ? {} : { kubernetes: kubernetesOf(input.kubernetes) }),
  };
}

function awsOf(side: Side, { addresses = [] }: SideInput, aws: AwsInput, report: Report): AwsSpec {
  const loadBalancers = [aws.loadBalancer ?? []].flat();
  const hasName = addresses.some((text) => text.startsWith('dns:'));
  if (loadBalancers.length === 0 && !hasName && aws.ecs === undefined && aws.schedules === undefined) {
    const what = 'give loadBalancer, ecs or schedules, or the DNS name of a load balancer among addresses';
    report(['sides', side, 'aws'], `there is nothing to look at: ${what}`);
  }
  return {
    region: aws.region ?? null,
    profile: aws.profile ?? null,
    loadBalancers,
    ecs: aws.ecs === undefined ? null : { cluster: aws.ecs.cluster, services: aws.ecs.services ?? [] },
    schedules: aws.schedules ?? [],
  };
}

function sideAddressOf(text: string): SideAddress {
  if (text.startsWith('dns:')) return { kind: 'name', name: text.slice(4).toLowerCase() };
  return isAddress(text)
    ? { kind: 'address', address: canonicalAddress(text) }
    : { kind: 'network', cidr: text.toLowerCase() };
}

/** What both sides claim tells neither. */
export function reportSharedBySides(old: SideInput, now: SideInput, report: Report): void {
  for (const [i, text] of (now.addresses ?? []).entries()) {
    const shared = (old.addresses ?? []).find((other) => isShared(text, other));
    if (shared === undefined) continue;
    report(['sides', 'new', 'addresses', i], `the old side has "${shared}": an address must be of one side only`);
  }
  const fingerprint = (text: string): string => text.replaceAll(':', '').toLowerCase();
  const oldFingerprints = new Set((old.certificateSha256 ?? []).map(fingerprint));
  for (const [i, text] of (now.certificateSha256 ?? []).entries()) {
    if (!oldFingerprints.has(fingerprint(text))) continue;
    report(['sides', 'new', 'certificateSha256', i], 'the old side has this certificate too: it tells neither');
  }
  const lower = (marker: SideInput['marker']): readonly (readonly [string, string])[] =>
    Object.entries(marker ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  for (const [name] of Object.entries(now.marker ?? {})) {
    const isSame = lower(old.marker).some(
      ([other, value]) => other === name.toLowerCase() && value === now.marker?.[name],
    );
    if (isSame) report(['sides', 'new', 'marker', name], 'the old side has this marker too: it tells neither', 'key');
  }
}

function isShared(a: string, b: string): boolean {
  const networkA = parseNetwork(a);
  const networkB = parseNetwork(b);
  if (networkA === null || networkB === null) return a.toLowerCase() === b.toLowerCase();
  return overlap(networkA, networkB);
}
