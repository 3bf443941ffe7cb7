import type { Path } from './document.ts';
import type { Report } from './problems.ts';

interface PemContext {
  readonly path: Path;
  readonly readFile: (path: string) => string;
  readonly report: Report;
}

/** The text of a PEM file; '' after a problem was reported. */
export function readPem(
  file: string,
  label: 'CERTIFICATE' | 'PRIVATE KEY',
  { path, readFile, report }: PemContext,
): string {
  let pem: string;
  try {
    pem = readFile(file);
  } catch (error) {
    report(path, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return '';
  }
  // `RSA PRIVATE KEY`, `EC PRIVATE KEY` and `ENCRYPTED PRIVATE KEY` are private keys too.
  if (!new RegExp(`-----BEGIN (?:[A-Z]+ )?${label}-----`).test(pem)) {
    report(path, `has no PEM block "${label}"`);
  } else if (pem.includes('BEGIN ENCRYPTED PRIVATE KEY')) {
    report(path, 'is encrypted; give a key without passphrase');
  }
  return pem;
}
