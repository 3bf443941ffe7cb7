/** What gives a secret away by its name, and what a URL may hide. */

export const secretMark = '‹secret›';

const secretName = /token|secret|passw|key|auth|sig|session|credential|cookie|jwt|^code$|^pwd$|^sid$/i;

/** Of a query parameter, a variable or a key of the scenario. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/** Long runs of letters and digits are seldom words. */
export function looksSecret(value: string): boolean {
  return value.length >= 24 && /\d/.test(value) && /[a-z]/i.test(value);
}

/** Userinfo, and query values that look secret, are cut out; works on anything that begins like a URL or a path. */
export function withoutUrlSecrets(url: string): string {
  const plain = url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, `$1${secretMark}@`);
  const queryAt = plain.indexOf('?');
  if (queryAt < 0) return plain;
  const parameters = plain.slice(queryAt + 1).split('&');
  const shown = parameters.map((parameter) => {
    const equalsAt = parameter.indexOf('=');
    const name = equalsAt < 0 ? '' : parameter.slice(0, equalsAt);
    const value = parameter.slice(equalsAt + 1);
    if (value === '' || !(isSecretName(decoded(name)) || looksSecret(value))) return parameter;
    return equalsAt < 0 ? secretMark : `${name}=${secretMark}`;
  });
  return `${plain.slice(0, queryAt)}?${shown.join('&')}`;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
