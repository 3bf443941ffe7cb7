import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubernetesSpec } from '../../src/core/platform.ts';

export interface Kubeconfig extends Disposable {
  readonly folder: string;
  readonly path: string;
  readonly spec: KubernetesSpec;
}

export interface KubeconfigOptions {
  readonly server: string;
  readonly caPem?: string;
  readonly user?: object;
  readonly isUnverified?: boolean;
  readonly proxy?: unknown;
}

/** A kubeconfig in a folder of its own, which goes with it. */
export function writeKubeconfig({ server, caPem, user, isUnverified, proxy }: KubeconfigOptions): Kubeconfig {
  const folder = mkdtempSync(join(tmpdir(), 'cutwatch-kubeconfig-'));
  const path = join(folder, 'config.yaml');
  const cluster = {
    server,
    ...(caPem === undefined ? {} : { 'certificate-authority-data': Buffer.from(caPem).toString('base64') }),
    ...(proxy === undefined ? {} : { 'proxy-url': proxy }),
    ...(isUnverified === true ? { 'insecure-skip-tls-verify': true } : {}),
  };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'prod',
    contexts: [
      { name: 'prod', context: { cluster: 'prod', user: 'me', namespace: 'shop' } },
      { name: 'half', context: { cluster: 'nowhere', user: 'me' } },
    ],
    clusters: [{ name: 'prod', cluster }],
    users: [{ name: 'me', user: user ?? { token: 'first' } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return {
    folder,
    path,
    spec: { kubeconfig: path, context: null, namespace: 'shop', services: ['orders'], cronJobs: [] },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
