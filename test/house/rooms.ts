/**
 * Who may import whom. The table of DESIGN.md, for the rooms that exist; change it when the code shows a better one, with
 * a record in docs/decisions/.
 */
export interface Room {
  /** Other rooms under src/. */
  readonly rooms: readonly string[];
  /**
   * npm packages; `node:` stands for all of Node's own modules, and for the clock, I/O and randomness that are global.
   * `browser:` stands for the same of a browser. `package.json` is our own, which knows the version.
   */
  readonly packages: readonly string[];
}

const all = [
  'core',
  'scenario',
  'clients',
  'prober',
  'wire',
  'net',
  'watch',
  'platforms',
  'checks',
  'evidence',
  'analysis',
  'verdict',
  'report',
  'page',
  'live',
  'run',
  'model',
  'sim',
  'lab',
  'truth',
] as const;

export const rooms: Readonly<Record<string, Room>> = {
  core: { rooms: [], packages: [] },
  scenario: { rooms: ['core'], packages: ['yaml', 'zod'] },
  clients: { rooms: ['core'], packages: [] },
  prober: { rooms: ['core', 'clients'], packages: [] },
  wire: { rooms: ['core'], packages: ['dns-packet'] },
  net: { rooms: ['core', 'wire'], packages: ['node:', 'undici'] },
  watch: { rooms: ['core'], packages: [] },
  platforms: {
    rooms: ['core'],
    packages: [
      'node:',
      'undici',
      'p-limit',
      '@aws-sdk/client-cloudwatch',
      '@aws-sdk/client-ec2',
      '@aws-sdk/client-ecs',
      '@aws-sdk/client-elastic-load-balancing-v2',
      '@aws-sdk/client-eventbridge',
      '@aws-sdk/client-route-53',
      '@aws-sdk/client-scheduler',
      '@kubernetes/client-node',
    ],
  },
  checks: { rooms: ['core'], packages: ['croner'] },
  evidence: { rooms: ['core'], packages: ['node:', 'hyparquet-writer'] },
  analysis: { rooms: ['core'], packages: [] },
  verdict: { rooms: ['core'], packages: [] },
  report: { rooms: ['core'], packages: [] },
  // Runs in a browser, and comes into `report` as the text of its bundle.
  page: { rooms: ['core', 'report'], packages: ['browser:', 'uplot'] },
  live: { rooms: ['core', 'report'], packages: ['node:'] },
  run: { rooms: ['core', 'prober', 'watch', 'evidence', 'analysis', 'verdict'], packages: [] },
  model: { rooms: ['core'], packages: [] },
  sim: { rooms: ['core', 'clients', 'model'], packages: [] },
  lab: { rooms: ['core', 'model', 'wire'], packages: ['node:', '@peculiar/x509', 'reflect-metadata'] },
  truth: { rooms: ['core'], packages: [] },
  cli: { rooms: all, packages: ['node:', 'commander', '@commander-js/extra-typings', 'package.json'] },
};
