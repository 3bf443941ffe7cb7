import { newRandom } from '../core/random.ts';
import type { ShownCertificate } from '../model/world-model.ts';

/** SHA-256 of a certificate that does not exist, in lower-case hex: the same for a side and a kind of certificate, always. */
export function certificateSha256Of({ side, kind }: Pick<ShownCertificate, 'side' | 'kind'>): string {
  const random = newRandom(0, `certificate ${side} ${kind}`);
  return Array.from({ length: 64 }, () => Math.floor(random() * 16).toString(16)).join('');
}

/** Why a client that trusts the right one refuses it, as `net` says it; '' = it does not. */
export const whyRefused: Readonly<Record<ShownCertificate['kind'], string>> = {
  right: '',
  // Kubernetes' fake certificate is its own issuer.
  default: 'self-signed',
  'other-name': 'wrong-name',
  expired: 'expired',
};
