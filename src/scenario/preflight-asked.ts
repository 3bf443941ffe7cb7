/** What a preflight is asked to send besides the checks: of `defaults` and a service, key by key, the service's own wins. */
import type { PreflightAsked } from '../core/scenario.ts';
import { defaultPreflight } from './defaults.ts';
import type { Path } from './document.ts';
import type { PreflightInput } from './input.ts';
import type { Report } from './problems.ts';

/** null: nothing is asked for. */
export function preflightOf(
  defaults: PreflightInput | undefined,
  own: PreflightInput | undefined,
  { path, report }: { readonly path: Path; readonly report: Report },
): PreflightAsked | null {
  if (defaults === undefined && own === undefined) return null;
  const { slowPath, slowWithinS, uploadPath, uploadMethod, uploadBytes, writes, headerBytes, echoPath } = {
    ...defaults,
    ...own,
  };
  if (uploadPath !== undefined && writes !== true) {
    const at = own?.uploadPath === undefined ? ['defaults', 'preflight'] : [...path, 'preflight'];
    report([...at, 'uploadPath'], 'an upload may change something; say preflight.writes: true if it does no harm');
  }
  return {
    slow: slowPath === undefined ? null : { path: slowPath, withinS: slowWithinS ?? defaultPreflight.slowWithinS },
    upload:
      uploadPath === undefined
        ? null
        : {
            path: uploadPath,
            method: uploadMethod ?? defaultPreflight.uploadMethod,
            bytes: uploadBytes ?? defaultPreflight.uploadBytes,
          },
    headerBytes: headerBytes ?? null,
    echoPath: echoPath ?? null,
  };
}
