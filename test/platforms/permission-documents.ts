/** `docs/permissions/` as `src/platforms/permissions.ts` has it. */
import {
  actionsOfStatement,
  awsStatements,
  kubernetesRules,
  type AwsSid,
  type KubernetesRule,
} from '../../src/platforms/permissions.ts';

const sids = Object.keys(awsStatements) as readonly AwsSid[];

export function iamPolicy(): string {
  const policy = {
    Version: '2012-10-17',
    Statement: sids.map((Sid) => {
      const { resources } = awsStatements[Sid];
      const Resource = resources.length === 1 ? resources[0] : resources;
      return { Sid, Effect: 'Allow', Action: actionsOfStatement(Sid), Resource };
    }),
  };
  return `${JSON.stringify(policy, null, 2)}\n`;
}

const account = 'cutwatch';
const helmRole = 'cutwatch-helm';

/** The Role that is needed, and one that only who asks for Helm's releases needs. */
export function rbacYaml(): string {
  const needed = kubernetesRules.filter(({ resource }) => resource !== 'secrets');
  const helm = kubernetesRules.filter(({ resource }) => resource === 'secrets');
  return `${[
    '# Read only, and of one namespace: put its name for "shop". Written from src/platforms/permissions.ts.',
    serviceAccount(),
    role('cutwatch', needed),
    binding('cutwatch'),
    [
      "# Optional: whether Helm's release can be rolled back. Helm keeps releases in Secrets. cutwatch asks for their metadata",
      '# only, but Kubernetes has no such permission: who may list Secrets may read ALL of them, of this whole namespace. Leave',
      '# this Role and its binding out where that is too much; then of Helm nothing is known, and all else is as before.',
      role(helmRole, helm),
    ].join('\n'),
    binding(helmRole),
  ].join('\n---\n')}\n`;
}

function serviceAccount(): string {
  return `apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: ${account}\n  namespace: shop`;
}

function role(name: string, rules: readonly KubernetesRule[]): string {
  const byGroup = [...Map.groupBy(rules, ({ group, verbs }) => `${group} ${verbs.join(', ')}`).values()];
  const lines = byGroup.flatMap((alike) => [
    `  - apiGroups: [${JSON.stringify(alike[0]?.group)}]`,
    `    resources: [${alike.map(({ resource }) => resource).join(', ')}]`,
    `    verbs: [${alike[0]?.verbs.join(', ')}]`,
  ]);
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    'kind: Role',
    'metadata:',
    `  name: ${name}`,
    '  namespace: shop',
    'rules:',
    ...lines,
  ].join('\n');
}

function binding(name: string): string {
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    'kind: RoleBinding',
    'metadata:',
    `  name: ${name}`,
    '  namespace: shop',
    'roleRef:',
    '  apiGroup: rbac.authorization.k8s.io',
    '  kind: Role',
    `  name: ${name}`,
    'subjects:',
    '  - kind: ServiceAccount',
    `    name: ${account}`,
    '    namespace: shop',
  ].join('\n');
}

/** The table of `README.md`: which statement is for what. */
export function statementTable(): string {
  const rows = sids.map((sid) => {
    const actions = actionsOfStatement(sid);
    const service = actions[0]?.split(':')[0] ?? '';
    const names = actions.map((action) => action.slice(service.length + 1)).join(', ');
    return `| \`${sid}\` | \`${awsStatements[sid].neededFor}\` | ${service}: ${names} |`;
  });
  return ['| statement | needed for | actions |', '|---|---|---|', ...rows].join('\n');
}

export const tableBegins = '<!-- written from src/platforms/permissions.ts -->';
export const tableEnds = '<!-- until here -->';
