import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly sha256: string;
}

export interface Certificates {
  readonly caPem: string;
  /** For shop.example and 127.0.0.1, by the authority of `caPem`. */
  readonly good: Certificate;
  readonly wrongName: Certificate;
  readonly expired: Certificate;
  readonly selfSigned: Certificate;
  /** By an authority that nobody trusts. */
  readonly unknownIssuer: Certificate;
}

/** Made by `openssl` in a folder that is gone afterwards. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  };
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

  const authority = (name: string): void => {
    openssl(
      'req',
      '-x509',
      ...key,
      '-days',
      '30',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
    );
  };
  const result = (name: string): Certificate => {
    const cert = read(`${name}.pem`);
    const sha256 = createHash('sha256').update(new X509Certificate(cert).raw).digest('hex');
    return { cert, key: read(`${name}.key`), sha256 };
  };
  const leaf = (name: string, by: string, alternativeNames: string, days: string): Certificate => {
    openssl('req', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    writeFileSync(join(folder, 'extensions'), `subjectAltName=${alternativeNames}`);
    const from = ['-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial', '-extfile', 'extensions'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...from, '-days', days, '-out', `${name}.pem`);
    return result(name);
  };

  try {
    authority('authority');
    authority('stranger');
    const names = 'DNS:shop.example,IP:127.0.0.1';
    openssl(
      'req',
      '-x509',
      ...key,
      '-days',
      '30',
      '-subj',
      '/CN=shop.example',
      '-addext',
      `subjectAltName=${names}`,
      '-keyout',
      'self.key',
      '-out',
      'self.pem',
    );
    return {
      caPem: read('authority.pem'),
      good: leaf('good', 'authority', names, '30'),
      wrongName: leaf('wrong', 'authority', 'DNS:other.example', '30'),
      expired: leaf('expired', 'authority', names, '-1'),
      selfSigned: result('self'),
      unknownIssuer: leaf('unknown', 'stranger', names, '30'),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
