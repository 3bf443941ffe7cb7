import { newRandom } from '../core/random.ts';
import type { ShownCertificate } from '../model/world-model.ts';

const known = new Map<string, string>();

/** SHA-256 of a certificate that does not exist, in lower-case hex: the same for a side and a kind of certificate, always. */
export function certificateSha256Of({ side, kind }: Pick<ShownCertificate, 'side' | 'kind'>): string {
  const label = `certificate ${side} ${kind}`;
  const before = known.get(label);
  if (before !== undefined) return before;
  const random = newRandom(0, label);
  const sha256 = Array.from({ length: 64 }, () => Math.floor(random() * 16).toString(16)).join('');
  known.set(label, sha256);
  return sha256;
}

/** Wall clock. A simulation may be played for longer than any real certificate is valid. */
export const certificateToMs: number = Date.UTC(2100, 0, 1);

/** Why a client that trusts the right one refuses it, as `net` says it; '' = it does not. */
export const whyRefused: Readonly<Record<ShownCertificate['kind'], string>> = {
  right: '',
  // Kubernetes' fake certificate is its own issuer.
  default: 'self-signed',
  'other-name': 'wrong-name',
  expired: 'expired',
};
