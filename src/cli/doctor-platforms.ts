/** Tries each permission that the scenario needs; what it does not name is not asked, and nothing of its SDK is loaded. */
import type { PlatformFacts } from '../checks/doctor-facts.ts';
import type { AwsSpec, KubernetesSpec } from '../core/platform.ts';
import type { Clock } from '../core/ports.ts';
import type { Route53Spec, Scenario } from '../core/scenario.ts';
import type { Budget } from '../platforms/budget.ts';

export interface DoctorPlatformPorts {
  readonly clock: Clock;
  readonly wallNowMs: () => number;
  /** Of all calls to AWS together. */
  readonly budget: Budget;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stopSignal: AbortSignal;
}

export async function tryPlatforms(
  scenario: Scenario,
  { clock, wallNowMs, budget, environment, stopSignal: signal }: DoctorPlatformPorts,
): Promise<readonly PlatformFacts[]> {
  const all: Promise<PlatformFacts>[] = [];
  const { route53 } = scenario;
  const [service] = scenario.services;
  if (route53 !== undefined && service !== undefined) all.push(ofRoute53(route53, service.checks[0]?.hostname ?? ''));
  for (const { side, aws, kubernetes, addresses } of Object.values(scenario.sides)) {
    const dnsNames = addresses.flatMap((address) => (address.kind === 'name' ? [address.name] : []));
    if (aws !== undefined) all.push(ofAws(`AWS of the ${side} side`, aws, dnsNames));
    if (kubernetes !== undefined) all.push(ofKubernetes(`Kubernetes of the ${side} side`, kubernetes));
  }
  return Promise.all(all);

  async function ofRoute53(spec: Route53Spec, hostname: string): Promise<PlatformFacts> {
    const [{ tryRoute53 }, { route53ActionsOf }] = await Promise.all([
      import('../platforms/route53-tries.ts'),
      import('../platforms/permissions.ts'),
    ]);
    const permissions = await tryRoute53({ spec, hostname, clock, budget, signal });
    const neededCount = route53ActionsOf(spec).length;
    return { platform: 'route53', whose: 'Route 53', permissions, neededCount, ...expiry(spec.profile) };
  }

  async function ofAws(whose: string, spec: AwsSpec, dnsNames: readonly string[]): Promise<PlatformFacts> {
    const [{ tryAws }, { awsActionsOf }] = await Promise.all([
      import('../platforms/aws-tries.ts'),
      import('../platforms/permissions.ts'),
    ]);
    const permissions = await tryAws({ spec, dnsNames, clock, wallNowMs, budget, signal });
    const neededCount = awsActionsOf(spec, dnsNames).length;
    return { platform: 'aws', whose, permissions, neededCount, ...expiry(spec.profile) };
  }

  async function ofKubernetes(whose: string, spec: KubernetesSpec): Promise<PlatformFacts> {
    const [{ tryKubernetes }, { kubernetesRules }] = await Promise.all([
      import('../platforms/kubernetes-tries.ts'),
      import('../platforms/permissions.ts'),
    ]);
    const permissions = await tryKubernetes({ spec, clock, signal });
    const neededCount = kubernetesRules.flatMap(({ verbs }) => verbs).length;
    return { platform: 'kubernetes', whose, permissions, neededCount };
  }

  /** Those of a profile, a role or a plugin are renewed by the SDK; those of the environment are not. */
  function expiry(profile: string | null): { readonly expiresAtMs?: number } {
    const isOfEnvironment = profile === null && !environment['AWS_PROFILE'] && environment['AWS_ACCESS_KEY_ID'];
    const expiresAtMs = Date.parse(environment['AWS_CREDENTIAL_EXPIRATION'] ?? '');
    return isOfEnvironment && !Number.isNaN(expiresAtMs) ? { expiresAtMs } : {};
  }
}
