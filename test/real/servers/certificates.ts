import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { programPath } from './installed.ts';

const run = promisify(execFile);

export interface Certificate {
  readonly certificatePath: string;
  readonly keyPath: string;
  /** Lower-case hex, as the evidence has it. */
  readonly sha256: string;
}

export interface Certificates<Name extends string> {
  readonly caPath: string;
  readonly caPem: string;
  readonly leaves: Readonly<Record<Name, Certificate>>;
}

const daysUsual = 2;

/**
 * A private CA in `folder`, and one leaf for each name, valid for the hostnames and addresses given:
 * `{ old: ['shop.test'], wrong: ['other.test'] }`, for two days or as many as `daysOf` says.
 */
export async function makeCertificates<Name extends string>(
  folder: string,
  hostnamesOf: Readonly<Record<Name, readonly string[]>>,
  daysOf: Readonly<Partial<Record<string, number>>> = {},
): Promise<Certificates<Name>> {
  const caPath = join(folder, 'ca.pem');
  const caKeyPath = join(folder, 'ca.key');
  await makeCertificate(caPath, caKeyPath, Math.max(daysUsual, ...Object.values(daysOf).map((days) => days ?? 0)), [
    '-subj',
    '/CN=cutwatch test CA',
  ]);
  const leaves = await Promise.all(
    (Object.entries(hostnamesOf) as [Name, readonly string[]][]).map(async ([name, hostnames]) => {
      const certificatePath = join(folder, `${name}.pem`);
      const keyPath = join(folder, `${name}.key`);
      const altNames = hostnames.map((hostname) => `${isIP(hostname) === 0 ? 'DNS' : 'IP'}:${hostname}`).join(',');
      await makeCertificate(certificatePath, keyPath, daysOf[name] ?? daysUsual, [
        `-CA=${caPath}`,
        `-CAkey=${caKeyPath}`,
        `-subj=/CN=${hostnames[0] ?? name}`,
        `-addext=subjectAltName=${altNames}`,
        '-addext=basicConstraints=critical,CA:FALSE',
      ]);
      const { fingerprint256 } = new X509Certificate(await readFile(certificatePath));
      return [name, { certificatePath, keyPath, sha256: fingerprint256.replaceAll(':', '').toLowerCase() }] as const;
    }),
  );
  return {
    caPath,
    caPem: await readFile(caPath, 'utf8'),
    leaves: Object.fromEntries(leaves) as Record<Name, Certificate>,
  };
}

async function makeCertificate(path: string, keyPath: string, days: number, more: readonly string[]): Promise<void> {
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', String(days)];
  await run(programPath('openssl'), ['req', ...kind, '-keyout', keyPath, '-out', path, ...more]);
}
