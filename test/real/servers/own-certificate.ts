import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { programPath } from './installed.ts';

/** A certificate that is its own issuer, for names and addresses as OpenSSL writes them: `DNS:dns.test`, `IP:127.0.0.1`. */
export async function makeOwnCertificate(path: string, keyPath: string, altNames: readonly string[]): Promise<string> {
  const kind = [
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-noenc',
    '-days',
    '2',
    '-subj',
    '/CN=cutwatch test',
  ];
  const args = [...kind, '-addext', `subjectAltName=${altNames.join(',')}`, '-keyout', keyPath, '-out', path];
  await promisify(execFile)(programPath('openssl'), ['req', ...args]);
  return readFile(path, 'utf8');
}
