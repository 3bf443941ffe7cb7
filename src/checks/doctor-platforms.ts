/** Tokens, credentials and permissions. What is denied blinds an observer, and the run goes on: it is mended before. */
import { countOf, durationText } from '../core/quantity-text.ts';
import type { DoctorFacts, PermissionFacts, PlatformFacts } from './doctor-facts.ts';
import { doctorRows, type DoctorRow } from './doctor-row.ts';

export function tokenRows({ tokens }: DoctorFacts): readonly DoctorRow[] {
  const { pass, fail } = doctorRows('token');
  return tokens.map(({ program, error }) =>
    error === null
      ? pass(program, `${program} gave a token.`)
      : fail(program, `The token command ${program} gave no token: ${error}.`, {
          remedy: `Run ${program} by hand until it prints one line with the token.`,
        }),
  );
}

export function platformRows(facts: DoctorFacts): readonly DoctorRow[] {
  return facts.platforms.flatMap((platform) => [
    ...credentialRows(platform, facts),
    ...platform.permissions.filter((one) => !isAboutAll(one)).map((one) => permissionRow(one, platform)),
    ...restRows(platform),
  ]);
}

/** Everything else there ends in the same way. */
function isAboutAll({ result }: PermissionFacts): boolean {
  return result === 'no-credentials' || result === 'no-region' || result === 'stopped';
}

// ── who we are ───────────────────────────────────────────────────────────────────────────────────────────────────────

function credentialRows({ platform, whose, permissions, expiresAtMs }: PlatformFacts, facts: DoctorFacts): DoctorRow[] {
  const { pass, fail, unknown } = doctorRows('credentials');
  const trouble = permissions.find(isAboutAll);
  if (trouble?.result === 'stopped') return [unknown(whose, `${whose}: it was stopped before anything was known.`)];
  if (trouble !== undefined) {
    const remedy = remedies[platform][trouble.result === 'no-region' ? 'region' : 'credentials'];
    return [fail(whose, `${whose}: ${trouble.why}.`, { remedy })];
  }
  const isAccepted = permissions.some(({ result }) => result === 'allowed' || result === 'denied');
  if (!isAccepted) return [unknown(whose, `${whose}: nothing answered that would show whether we are let in.`)];
  if (expiresAtMs === undefined) return [pass(whose, `${whose}: our credentials are accepted.`)];
  const longestMs = longestRunMs(facts);
  const leftMs = expiresAtMs - facts.nowMs;
  const left = `${whose}: our credentials end in ${durationText(Math.max(0, leftMs), 'down')}`;
  if (leftMs >= longestMs) return [pass(whose, `${left}, after the longest run.`)];
  return [
    fail(whose, `${left}, and a run may take ${durationText(longestMs, 'up')}.`, {
      remedy: `Get new credentials right before the run, for ${durationText(longestMs, 'up')} or more.`,
    }),
  ];
}

/** As `plan` says it: with all that may be waited for. */
export function longestRunMs({ scenario: { change } }: Pick<DoctorFacts, 'scenario'>): number {
  return (change.baselineS + change.waitS + change.convergenceTimeoutS + change.tailS) * 1000;
}

const awsRemedies = {
  credentials: 'Sign in (aws sso login), or set AWS_PROFILE, or name a profile in the scenario that exists here.',
  region: 'Name region in the scenario, or set AWS_REGION.',
} as const;
const remedies: Readonly<Record<PlatformFacts['platform'], Readonly<Record<'credentials' | 'region', string>>>> = {
  aws: awsRemedies,
  route53: awsRemedies,
  kubernetes: {
    credentials: 'Try kubectl get pods with the same kubeconfig and context, and log in anew.',
    region: '',
  },
};

// ── what we may do ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Helm's releases are in secrets, and many will not let those be listed. */
function isOptional({ permission, result }: PermissionFacts): boolean {
  if (permission === 'list secrets') return true;
  // Without the AWS Load Balancer Controller there are none.
  return permission.includes('targetgroupbindings') && result === 'missing';
}

function permissionRow(tried: PermissionFacts, { platform, whose }: PlatformFacts): DoctorRow {
  const { pass, fail, unknown } = doctorRows('permission');
  const { permission, result, why } = tried;
  const subject = `${whose}: ${permission}`;
  const decides = !isOptional(tried);
  switch (result) {
    case 'allowed':
      return pass(subject, `${whose}: ${permission} is allowed.`);
    case 'denied':
      return fail(subject, `${whose}: ${permission} is denied.`, { decides, remedy: grantText(platform, permission) });
    case 'missing':
      return fail(subject, `${whose}: ${why}.`, {
        decides,
        remedy: decides
          ? `Name what there is in ${whose}: correct the scenario, its region, or its profile.`
          : 'Nothing, if it is not used.',
      });
    case 'unreachable':
      return fail(subject, `${whose}: ${why}.`, {
        decides,
        remedy: `Open the way to ${whose} from this machine (routes, firewalls, VPN), or leave it out of the scenario.`,
      });
    case 'throttled':
    case 'timed-out':
    case 'not-tried':
    case 'other':
      return unknown(subject, `${whose}: ${permission}: ${why}.`, {
        decides,
        remedy: 'Run the doctor again in a minute.',
      });
    case 'no-credentials':
    case 'no-region':
    case 'stopped':
      return unknown(subject, `${whose}: ${why}.`, { decides });
  }
}

function grantText(platform: PlatformFacts['platform'], permission: string): string {
  if (platform !== 'kubernetes') return `Allow ${permission} in IAM (docs/permissions/iam-policy.json).`;
  const [verb = '', what = ''] = permission.split(' ');
  if (what === 'secrets') return "Only for Helm's releases, and it opens all secrets: docs/permissions/README.md.";
  return `Give a Role the verb ${verb} of ${what} (docs/permissions/rbac.yaml).`;
}

/** What was not even tried, since nobody lets us in. */
function restRows({ whose, permissions, neededCount }: PlatformFacts): readonly DoctorRow[] {
  const triedCount = permissions.filter((one) => !isAboutAll(one)).length;
  if (triedCount >= neededCount) return [];
  const { unknown } = doctorRows('permission');
  const rest = countOf(neededCount - triedCount, 'permission');
  return [unknown(whose, `${whose}: ${rest} could not be tried.`)];
}
