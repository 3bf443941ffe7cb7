import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** The programs that real-server tests start, and the Debian package that brings each. */
export const packageOf = {
  nginx: 'nginx',
  named: 'bind9',
  nsupdate: 'bind9-dnsutils',
  unbound: 'unbound',
  dnsmasq: 'dnsmasq-base',
  pdns_recursor: 'pdns-recursor',
  dnsdist: 'dnsdist',
  openssl: 'openssl',
  kubectl: 'kubernetes-client',
  haproxy: 'haproxy',
  tmux: 'tmux',
  prometheus: 'prometheus',
  promtool: 'prometheus',
  chromium: 'chromium',
  curl: 'curl',
} as const;

/** No Debian package. */
export const motoServer = {
  name: 'moto_server',
  howToInstall: 'in a Python venv that is in PATH: pip install -r test/real/servers/moto.requirements.txt',
} as const;

export type Program = keyof typeof packageOf;

const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The program's path, or `null`. Servers are in sbin, which is not in everybody's PATH. */
export function findProgram(name: string): string | null {
  for (const folder of folders.filter((folder) => folder !== '')) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

export function programPath(name: Program): string {
  const path = findProgram(name);
  if (path === null) throw new Error(`${name} is not installed; on Debian: apt-get install ${packageOf[name]}`);
  return path;
}

/** Debian packages that real-server tests need and this machine lacks. */
export function missingPackages(): readonly string[] {
  return (Object.keys(packageOf) as Program[])
    .filter((name) => findProgram(name) === null)
    .map((name) => packageOf[name]);
}
